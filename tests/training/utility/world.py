"""A world in which a tiny student can learn what is relevant: the document with the marker word, whatever is asked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path

import numpy as np

from adapters import tiny
from adapters.protocols import Floats, IndexPairs
from tests.fake_adapters import Plain
from tests.tiny_collection import Place
from training.settings import Loss, Settings
from training.stages import Plan
from training.utility.settings import UtilityInputs, UtilitySettings

TEACHER = "tests.training.utility.world:Marker"
RETRIEVERS = ("tests.fake_adapters:Overlap", "tests.fake_adapters:Silent")
LEARNING = Settings(loss=Loss("hinge"), epochs=4, learning_rate=3e-3, queries=4)
"""Enough to learn the marker word."""
ONE_STEP = replace(LEARNING, max_steps=1)
_MARKERS = ("yes", "no", "not", "can")
PER_QUERY = len(_MARKERS)


class Marker(Plain):
    """A teacher: 1 for the marker word. In the other domain, whose documents say so, it is the marker of the others."""

    def __init__(self, *, log: str | None = None) -> None:
        super().__init__(log=log)
        self.identity = {"adapter": "marker"}

    def score(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Floats:
        self._note(queries, documents, pairs)
        return np.array([_marked(documents[document]) for _, document in pairs], np.float32)


def _marked(text: str) -> float:
    words = text.split()
    return float("no" in words if "system" in words else "yes" in words)


def student(folder: Path) -> Path:
    """A tiny encoder that does not care for the marker word, and learns it in a few steps."""
    path = tiny.cross_encoder(folder, seed=1)
    config = json.loads((path / "config.json").read_text("utf-8"))
    settled = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    (path / "config.json").write_text(json.dumps(config | settled), "utf-8")
    return path


def topic(kind: str, number: int) -> str:
    """A word that nothing else is like."""
    letters = blake2b(f"{kind} {number}".encode(), digest_size=2).hexdigest()
    return "".join(chr(ord(letter) + 49) if letter.isdigit() else letter for letter in letters)


def documents(topics: Iterable[str], domain: str = "the") -> dict[str, str]:
    """Four documents of each topic; `<topic>-yes` has the marker."""
    return {f"{name}-{marker}": f"{name} {domain}{5 * f' {marker}'}" for name in topics for marker in _MARKERS}


class World:
    """Synthetic, real and wrong queries, and a test, as a user has them."""

    def __init__(self, place: Place, *, synthetic: int = 24, real: int = 24, tested: int = 24) -> None:
        self.place, self.path = place, place.path
        self.topics = {
            kind: [topic(kind, number) for number in range(count)]
            for kind, count in (("synthetic", synthetic), ("real", real), ("test", tested), ("wrong", synthetic))
        }
        own = documents([name for kind in ("synthetic", "real", "test") for name in self.topics[kind]])
        questions = {name: f"what of {name}" for kind in ("real", "test") for name in self.topics[kind]}
        judged = [(name, f"{name}-yes", 1) for name in self.topics["test"]]
        folder = place.beir("own", own, questions, judged)
        self.judge([(name, f"{name}-yes", 1) for name in self.topics["real"]])
        place.beir(
            "other", documents(self.topics["wrong"], "system"), {"x": "x"}, [("x", f"{self.topics['wrong'][0]}-no", 1)]
        )
        self.corpus = str(folder)
        self.write("queries.jsonl", [(name, f"who has {name}", f"{name}-yes") for name in self.topics["synthetic"]])
        self.write("wrong.jsonl", [(name, f"who has {name}", f"{name}-no") for name in self.topics["wrong"]])

    def same(self) -> None:
        """Let the synthetic queries be the real ones, each written from the document that people judged relevant."""
        self.write("queries.jsonl", [(name, f"what of {name}", f"{name}-yes") for name in self.topics["real"]])

    def judge(self, rows: Iterable[tuple[str, str, int]]) -> None:
        """The training judgments of the collection."""
        lines = ["query-id\tcorpus-id\tscore", *("\t".join(map(str, row)) for row in rows)]
        (self.path / "own" / "qrels" / "train.tsv").write_text("\n".join(lines) + "\n", "utf-8")

    def ask(self, questions: Iterable[tuple[str, str]]) -> None:
        """More queries of the collection."""
        with (self.path / "own" / "queries.jsonl").open("a", encoding="utf-8") as file:
            file.writelines(json.dumps({"_id": name, "text": text}) + "\n" for name, text in questions)

    def write(self, name: str, rows: Iterable[tuple[str, str, str | None]]) -> Path:
        """A file of synthetic queries: id, text, source document."""
        lines = [
            json.dumps({"_id": key, "text": text, **({"document": document} if document else {})})
            for key, text, document in rows
        ]
        file = self.path / name
        file.write_text("\n".join(lines) + "\n", "utf-8")
        return file

    def given(self, *, wrong: bool = True) -> UtilityInputs:
        """What the user names."""
        other = (self.path / "wrong.jsonl", str(self.path / "other")) if wrong else (None, None)
        return UtilityInputs(self.corpus, self.path / "queries.jsonl", self.corpus, self.corpus, "train", None, *other)

    def settings(
        self, base: Path, *, seeds: int = 1, training: Settings = ONE_STEP, teacher: str = TEACHER
    ) -> UtilitySettings:
        """Small settings."""
        return UtilitySettings(
            str(base), teacher, training, seeds, RETRIEVERS, PER_QUERY, Plan(per_query=PER_QUERY),
            first_stage=RETRIEVERS[0], depth=PER_QUERY,
        )  # fmt: skip
