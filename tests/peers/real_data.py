"""Real collections as the peers hold them: dicts, read without a line of ours, and cut to a size for a test."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

Qrels = dict[str, dict[str, int]]


@dataclass(frozen=True)
class Held:
    """A collection in memory."""

    corpus: dict[str, tuple[str, str]]
    """Id to title and text."""
    queries: dict[str, str]
    """Judged or not."""
    qrels: Qrels


@dataclass(frozen=True)
class Row:
    """A query with its relevant and its other candidates."""

    query: str
    positive: tuple[str, ...]
    negative: tuple[str, ...]


def held(folder: Path) -> Held:
    """Read a folder in BEIR's layout."""
    qrels: Qrels = {}
    for line in (folder / "qrels" / "test.tsv").read_text("utf-8").splitlines()[1:]:
        query, document, grade = line.split("\t")
        qrels.setdefault(query, {})[document] = int(grade)
    return Held(
        {row["_id"]: (row.get("title") or "", row["text"]) for row in _rows(folder / "corpus.jsonl")},
        {row["_id"]: row["text"] for row in _rows(folder / "queries.jsonl")},
        qrels,
    )


def excerpt(whole: Held, *, queries: int, documents: int) -> Held:
    """The first judged queries, every document that is judged for them, and the first others."""
    chosen = dict(islice(((name, text) for name, text in whole.queries.items() if name in whole.qrels), queries))
    qrels = {query: whole.qrels[query] for query in chosen}
    names = dict.fromkeys(document for judged in qrels.values() for document in judged)
    others = (document for document in whole.corpus if document not in names)
    names |= dict.fromkeys(islice(others, max(0, documents - len(names))))
    return Held({document: pair for document, pair in whole.corpus.items() if document in names}, chosen, qrels)


def without_some(whole: Held) -> Held:
    """The collection after every third judged document was taken out of its corpus; the judgments stay whole."""
    judged = dict.fromkeys(document for own in whole.qrels.values() for document in own)
    gone = set(list(judged)[::3])
    return Held({name: pair for name, pair in whole.corpus.items() if name not in gone}, whole.queries, whole.qrels)


def written(collection: Held, folder: Path, rules: str = "") -> Path:
    """Write a folder in BEIR's layout, with what is declared for it."""
    (folder / "qrels").mkdir(parents=True)
    documents = [{"_id": name, "title": title, "text": text} for name, (title, text) in collection.corpus.items()]
    _write(folder / "corpus.jsonl", documents)
    _write(folder / "queries.jsonl", [{"_id": name, "text": text} for name, text in collection.queries.items()])
    lines = [
        f"{query}\t{name}\t{grade}" for query, judged in collection.qrels.items() for name, grade in judged.items()
    ]
    (folder / "qrels" / "test.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *lines, ""]), "utf-8")
    (folder / "collection.toml").write_text(rules, "utf-8")
    return folder


def answer_rows(file: Path) -> list[Row]:
    """Read a file of reranking rows."""
    return [Row(row["query"], tuple(row["positive"]), tuple(row["negative"])) for row in _rows(file)]


def _rows(file: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in file.read_text("utf-8").split("\n") if line]


def _write(file: Path, rows: list[dict[str, str]]) -> None:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
