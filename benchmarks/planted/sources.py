"""A case as files that evaluators read: BEIR's folder, and datasets as the hub has them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from planted.case import Case
from planted.judgments import QUERIT, REVISION, WEBLINX

_README = """---
configs:
- {config_name: corpus, data_files: [{split: test, path: corpus.jsonl}]}
- {config_name: queries, data_files: [{split: test, path: queries.jsonl}]}
- {config_name: default, data_files: [{split: test, path: qrels.jsonl}]}
- {config_name: top_ranked, data_files: [{split: test, path: top_ranked.jsonl}]}
---
"""


def beir_folder(case: Case, folder: Path, name: str = "collection", toml: str = "") -> Path:
    """`corpus.jsonl`, `queries.jsonl`, `qrels/test.tsv`, and a `collection.toml` where something is declared."""
    place = folder / name
    (place / "qrels").mkdir(parents=True, exist_ok=True)
    _lines(place / "corpus.jsonl", ({"_id": key, "title": "", "text": text} for key, text in case.corpus.items()))
    _lines(place / "queries.jsonl", ({"_id": key, "text": text} for key, text in case.queries.items()))
    rows = ["query-id\tcorpus-id\tscore", *(f"{query}\t{document}\t{grade}" for query, document, grade in case.qrels)]
    (place / "qrels" / "test.tsv").write_text("\n".join(rows) + "\n")
    if toml:
        (place / "collection.toml").write_text(toml)
    return place


def trec_judgments(case: Case, path: Path) -> Path:
    """Judgments as TREC publishes them: as planted, or with single blanks."""
    lines = "".join(f"{query} 0 {document} {grade}\n" for query, document, grade in case.qrels)
    path.write_text(str(case.options.get("trec", lines)))
    return path


def mteb_results(case: Case, folder: Path) -> Path:
    """A result of mteb in its layout, below `results`."""
    place = folder / "results" / QUERIT.replace("/", "__") / REVISION
    place.mkdir(parents=True, exist_ok=True)
    file = place / f"{WEBLINX}.json"
    file.write_text(json.dumps(case.options["results"]))
    meta = {"name": QUERIT, "revision": REVISION, "model_type": ["cross-encoder"]}
    (place / "model_meta.json").write_text(json.dumps(meta))
    return file


def hub_folder(case: Case, folder: Path) -> Path:
    """A dataset of the hub in a local folder."""
    place = folder / "hub"
    place.mkdir()
    (place / "README.md").write_text(_README)
    _lines(place / "corpus.jsonl", ({"_id": key, "title": "", "text": text} for key, text in case.corpus.items()))
    _lines(place / "queries.jsonl", ({"_id": key, "text": text} for key, text in case.queries.items()))
    _lines(place / "qrels.jsonl", ({"query-id": q, "corpus-id": d, "score": grade} for q, d, grade in case.qrels))
    _lines(place / "top_ranked.jsonl", ({"query-id": q, "corpus-ids": list(n)} for q, n in case.lists.items()))
    return place


def run_file(path: Path, rows: Mapping[str, Iterable[tuple[str, float]]]) -> Path:
    """A TREC run file, scores with all their digits."""
    lines = [f"{q} Q0 {d} {i} {s!r} planted\n" for q, some in rows.items() for i, (d, s) in enumerate(some, 1)]
    path.write_text("".join(lines))
    return path


def _lines(path: Path, rows: Iterable[object]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
