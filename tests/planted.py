"""Two collections, English and Thai, and readers that are equally good, but for one that loses the end of every long
Thai document. What `harness why` has to say of them is known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from harness.data.collection import Collection
from harness.data.runs import Run, build
from harness.judging.why.facing import ComparedSystem, PairedTexts
from harness.judging.why.texts import overlap, script
from harness.measuring.measures import parse
from tests.fake_adapters import Streaming
from tests.tiny_collection import Place

WORDS = {
    "en": ("ferry", "harbour", "mill", "bread", "winter", "tide", "market", "bridge", "lantern", "garden", "letter"),
    "th": ("เรือข้ามฟาก", "ท่าเรือ", "โรงสี", "ขนมปัง", "ฤดูหนาว", "น้ำลง", "ตลาดเช้า", "สะพาน", "โคมไฟ", "สวนผัก", "จดหมาย"),
}
KEPT = 4
"""Words that the failing reader keeps of a Thai document."""


class Reader(Streaming):
    """Scores by the wording that query and document share; with `thai`, reads so many words of Thai documents."""

    def __init__(self, *, thai: int | None = None) -> None:
        super().__init__()
        self.identity = {"adapter": "reader", "thai": thai}
        self._thai = thai

    def _value(self, query: str, document: str) -> float:
        return overlap(query, [self._read(document)]) or 0.0

    def _read(self, document: str) -> str:
        cut = self._thai if script(document) == "Thai" else None
        return " ".join(document.split()[:cut])

    def _scored(self, rows, queries: Sequence[str], documents: Sequence[str], pairs):  # type: ignore[no-untyped-def]
        from dataclasses import replace

        found = super()._scored(rows, queries, documents, pairs)
        kept = np.array([len(self._read(documents[d]).split()) for d in pairs[rows, 1]], np.int32)
        return replace(found, kept=kept)


def collections(place: Place, size: int = 24) -> list[Path]:
    """Folders in BEIR's layout: in Thai every third document is short enough to be read whole."""
    return [_folder(place, language, size) for language in WORDS]


def _folder(place: Place, language: str, size: int) -> Path:
    words, generator = WORDS[language], np.random.default_rng(7)
    keys = [_key(words, number) for number in range(size)]
    corpus = {}
    for number, key in enumerate(keys):
        filler = generator.choice(words, 2 if number % 3 == 0 else 12)
        corpus[f"{language}-d{number:03d}"] = " ".join([*filler, key])
    queries = {f"{language}-q{number:03d}": key for number, key in enumerate(keys)}
    qrels = [(f"{language}-q{number:03d}", f"{language}-d{number:03d}", 1) for number in range(size)]
    return place.beir(f"planted-{language}", corpus, queries, qrels, f'language = "{language}"\n')


def _key(words: Sequence[str], number: int) -> str:
    return f"{words[number % len(words)]}{words[(number * 5 + 1) % len(words)]} {number * 37 % 101}"


def faced(collection: Collection, measure: str = "nDCG@10", seed: int = 0) -> PairedTexts:
    """The same failure as arrays: both sides rank alike, but B loses Thai documents of more than `KEPT` words."""
    size, depth = len(collection.queries), min(10, len(collection.corpus))
    generator = np.random.default_rng(seed)
    documents = np.array([[query, *_others(query, len(collection.corpus), depth - 1)] for query in range(size)])
    noise = generator.random((2, size, depth), dtype=np.float32)
    scores = np.where(np.arange(depth) == 0, 0.7, 0).astype(np.float32) + noise
    lengths = np.array([len(text.split()) for text in collection.corpus], np.int32)[documents]
    kept = np.minimum(lengths, KEPT) if collection.language == "th" else lengths
    scores[1, :, 0] -= np.where(kept < lengths, 0.7, 0)[:, 0]
    runs = [_run(collection, documents, one) for one in scores]
    a, b = (ComparedSystem(run, lengths.ravel(), read.ravel()) for run, read in zip(runs, (lengths, kept), strict=True))
    return PairedTexts(collection, parse(measure), a, b)


def _others(query: int, documents: int, count: int) -> list[int]:
    return [(query + step) % documents for step in range(1, count + 1)]


def _run(collection: Collection, documents: np.ndarray, scores: np.ndarray) -> Run:
    offsets = np.arange(len(documents) + 1) * documents.shape[1]
    return build(offsets, documents.ravel(), scores.ravel(), collection.corpus.ids)
