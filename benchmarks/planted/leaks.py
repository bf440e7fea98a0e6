"""Evaluation queries in other words and in other languages, for `benchmarks/leaks.py`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from adapters.dense import DenseRetriever
from adapters.protocols import Floats, Identity, Role
from planted import paraphrases
from training.validating.calibration import wilson
from training.validating.leak import THRESHOLD, KnownQueries, matches
from training.validating.meaning import COSINE, Nearest

PARAPHRASES: Mapping[str, Callable[[str, str], str]] = {
    "another form": paraphrases.another_form,
    "other words": paraphrases.other_words,
    "both": paraphrases.both,
    "keywords": paraphrases.keywords,
}
SIZE = 100
COSINES = (0.8, 0.825, 0.85, 0.875, 0.9, 0.925, 0.95, 0.975)
XQUAD, MLQA = "xquad", "mlqa-dev-r"
INNOCENT, OTHERS = "innocent", "innocent, other articles"
Truth = Sequence[int | None]


@dataclass
class KeptVectors:
    """An embedder whose vectors are kept in a file, by text."""

    folder: Path
    file: Path
    name: str = "kept"
    identity: Identity = field(default_factory=dict)
    known: dict[str, Floats] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.file.exists():
            kept = np.load(self.file)
            self.known = dict(zip(kept["texts"].tolist(), kept["vectors"], strict=True))

    def encode(self, texts: Sequence[str], role: Role) -> Floats:
        """The vectors of texts as queries."""
        if new := [text for text in dict.fromkeys(texts) if text not in self.known]:
            made = DenseRetriever(str(self.folder)).embedder.encode(new, role)
            self.known |= dict(zip(new, made, strict=True))
            self.file.parent.mkdir(parents=True, exist_ok=True)
            np.savez(self.file, texts=np.array(list(self.known)), vectors=np.stack(list(self.known.values())))
        return np.stack([self.known[text] for text in texts])


@dataclass(frozen=True)
class Search:
    """Texts that are looked for among known queries."""

    name: str
    asked: Sequence[str]
    known: Sequence[str]
    groups: Mapping[str, tuple[range, bool]]
    """Consecutive rows of `asked` by name, and whether each has to be found."""
    truth: Truth = ()
    """The known query of each asked one."""

    def found(self, embedder: KeptVectors) -> dict[str, Any]:
        """For each group: what is found by letters, from the measured smallest cosine, and from 0.95."""
        nearest = Nearest.of(self.asked, self.known, embedder)
        vectors = embedder.encode(self.asked, "query")
        vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        cosines = vectors @ nearest.known.T
        likes = matches(self.asked, [KnownQueries("known", "test", self.known)], THRESHOLD, nearest)
        own = {row: self._own(row) for row in range(len(self.asked))}
        letters = {
            row
            for row, found in likes.items()
            if any(one.how != "cosine" and self._is(row, one.known) for one in found)
        }
        measured = {row for row, found in likes.items() if any(self._is(row, one.known) for one in found)}
        best = np.array([cosines[row, own[row]].max() for row in range(len(self.asked))])
        result: dict[str, Any] = {"smallest": nearest.as_rows()}
        for group, (rows, planted) in self.groups.items():
            at = list(rows)
            result[group] = {
                "planted": planted,
                "letters": counted(len(letters & {*at}), len(at)),
                "measured": counted(len(measured & {*at}), len(at)),
                "fixed": counted(sum(row in letters or best[row] >= COSINE for row in at), len(at)),
                "at": {f"{least:g}": round(float((best[at] >= least).mean()), 4) for least in COSINES},
            }
        return result

    def _own(self, row: int) -> Any:
        """The known queries that row may match: its own one, or for an innocent query any."""
        place = self.truth[row] if row < len(self.truth) else None
        return slice(None) if place is None else [place]

    def _is(self, row: int, known: int) -> bool:
        place = self.truth[row] if row < len(self.truth) else None
        return place is None or place == known


def by_meaning(data: Path, folder: Path, work: Path) -> dict[str, Any]:
    """What an embedder finds."""
    embedder = KeptVectors(folder, work / f"{folder.name}.npz")
    wanted = [*searches(data), *(more_translations(data) if "multilingual" in folder.name else [])]
    return {one.name: one.found(embedder) for one in wanted}


def searches(data: Path) -> list[Search]:
    """Paraphrases, translations and innocent queries."""
    found = []
    for collection, language in ((XQUAD, "en"), (XQUAD, "de"), (MLQA, "en")):
        texts, articles = read(data / collection / language)
        whole = _paraphrased(f"{collection}/{language}", texts, articles, language)
        found += [whole, _a_tenth(whole, "both"), _same_paragraphs(whole, texts)]
    english = read(data / XQUAD / "en")
    found += [_in_another(data), *_translations(data, "de", english), *_translations(data, "es", english)]
    return found


def more_translations(data: Path) -> list[Search]:
    """Translations for a multilingual embedder."""
    english, german = (read(data / XQUAD / language) for language in ("en", "de"))
    found = [*_translations(data, "zh", english), *_translations(data, "ru", english)]
    found += [_translated(f"{XQUAD}/en of de", english[0], german[0], german[1])]
    return [*found, *(_parallel(data, language) for language in ("de", "es", "zh"))]


def _translations(data: Path, language: str, english: tuple[list[str], list[int]]) -> list[Search]:
    texts, articles = read(data / XQUAD / language)
    whole, name = _translated(f"{XQUAD}/{language} of en", texts, english[0], articles), "translations"
    tenth = range(0, len(texts), 20)
    same = Search(
        f"{whole.name}, same paragraphs", [*(texts[row] for row in tenth), *texts[1::2]], english[0][::2],
        {name: (range(len(tenth)), True), INNOCENT: (range(len(tenth), len(tenth) + len(texts) // 2), False)},
        [row // 2 for row in tenth],
    )  # fmt: skip
    return [whole, _a_tenth(whole, name), same]


def _a_tenth(whole: Search, planted: str) -> Search:
    """A search of which one in ten is planted."""
    rows, innocent = whole.groups[planted][0], whole.groups[OTHERS][0]
    chosen = np.linspace(rows.start, rows.stop - 1, min(len(rows), len(innocent) // 9)).astype(int).tolist()
    groups = {planted: (range(len(chosen)), True), OTHERS: (range(len(chosen), len(chosen) + len(innocent)), False)}
    asked = [whole.asked[row] for row in (*chosen, *innocent)]
    return Search(f"{whole.name}, one in ten", asked, whole.known, groups, [whole.truth[row] for row in chosen])


def _same_paragraphs(whole: Search, texts: Sequence[str]) -> Search:
    """Every second query against the others, and some paraphrases of those."""
    known = list(texts[::2])
    both = [(whole.asked[row], whole.known[whole.truth[row] or 0]) for row in whole.groups["both"][0]]
    planted = [(text, known.index(own)) for text, own in both if own in known]
    asked = [*(text for text, _ in planted), *texts[1::2]]
    groups = {"both": (range(len(planted)), True), INNOCENT: (range(len(planted), len(asked)), False)}
    return Search(f"{whole.name}, same paragraphs", asked, known, groups, [place for _, place in planted])


def _in_another(data: Path) -> Search:
    asked, known = read(data / MLQA / "en")[0], read(data / XQUAD / "en")[0]
    return Search(f"{MLQA}/en in {XQUAD}/en", asked, known, {INNOCENT: (range(len(asked)), False)})


def _paraphrased(name: str, texts: Sequence[str], articles: Sequence[int], language: str) -> Search:
    known = [text for text, article in zip(texts, articles, strict=True) if article % 2 == 0]
    innocent = [text for text, article in zip(texts, articles, strict=True) if article % 2]
    rows = [row for row, text in enumerate(known) if paraphrases.replaced(text, language) >= 2]
    chosen = sorted(np.random.default_rng(0).choice(rows, min(SIZE, len(rows)), replace=False).tolist())
    asked = [change(known[row], language) for change in PARAPHRASES.values() for row in chosen]
    size = len(chosen)
    groups = {kind: (range(at * size, (at + 1) * size), True) for at, kind in enumerate(PARAPHRASES)}
    groups[OTHERS] = (range(len(asked), len(asked) + len(innocent)), False)
    return Search(name, [*asked, *innocent], known, groups, chosen * len(PARAPHRASES))


def _translated(name: str, texts: Sequence[str], english: Sequence[str], articles: Sequence[int]) -> Search:
    even = [row for row, article in enumerate(articles) if article % 2 == 0]
    odd = [row for row, article in enumerate(articles) if article % 2]
    groups = {
        "translations": (range(len(even)), True),
        OTHERS: (range(len(even), len(texts)), False),
    }
    asked = [texts[row] for row in (*even, *odd)]
    return Search(name, asked, [english[row] for row in even], groups, list(range(len(even))))


def _parallel(data: Path, language: str) -> Search:
    english, other = (queries_of(data / MLQA / one) for one in ("en", language))
    both = [key for key in other if key in english]
    places = {key: place for place, key in enumerate(english)}
    return Search(
        f"{MLQA}/{language} of en", [other[key] for key in both], list(english.values()),
        {"translations": (range(len(both)), True)}, [places[key] for key in both],
    )  # fmt: skip


def counted(hits: int, of: int) -> dict[str, Any]:
    """A count with its share and 95 % interval."""
    return {"hits": int(hits), "of": of, "share": float(hits / of), "interval": wilson(int(hits), of)}


def read(folder: Path) -> tuple[list[str], list[int]]:
    """The queries with judgments, and the number of the article of each."""
    texts = queries_of(folder)
    lines = next((folder / "qrels").glob("*.tsv")).read_text("utf-8").splitlines()[1:]
    article = {query: int(document.split("p")[0][1:]) for query, document, _ in (line.split("\t") for line in lines)}
    return [texts[query] for query in article], list(article.values())


def queries_of(folder: Path) -> dict[str, str]:
    """The queries by id."""
    return {row["_id"]: row["text"] for row in map(json.loads, (folder / "queries.jsonl").open(encoding="utf-8"))}
