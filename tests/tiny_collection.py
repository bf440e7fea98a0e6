"""A collection small enough to read, written as a user would have it, and loaded as a user would load it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.data.collection import Collection
from harness.data.sources import load
from harness.progress import Silent
from harness.result.evaluation import Evaluation
from harness.result.result import Result, results_of
from harness.running.experiment import experiment
from harness.scoring.session import Session, opened
from harness.scoring.system import systems
from harness.workspace import Workspace

CORPUS = {
    "d1": "the ferry leaves the harbour at nine",
    "d2": "the mill turns at low tide",
    "d3": "bread is sold until noon",
    "d4": "the ferry rests in winter",
    "d5": "low tide comes at noon and at midnight",
    "d6": "no bread in winter and no ferry",
    "d7": "bread is sold until noon",
    "d8": "the harbour master has a mill",
}
QUERIES = {
    "q1": "when does the ferry leave the harbour",
    "q2": "until when is bread sold",
    "q3": "when is low tide",
    "q4": "who has a mill at the harbour",
}
QRELS = (("q1", "d1", 2), ("q1", "d4", 1), ("q1", "d6", 0), ("q2", "d3", 1), ("q3", "d5", 1), ("q4", "d8", 1))
FIRST = "tests.fake_adapters:Overlap"
"""The first stage of most tests: no model, no index."""

Judgments = Iterable[tuple[str, str, int]]


@dataclass(frozen=True)
class Place:
    """A folder for what the user has, and a workspace."""

    path: Path
    workspace: Workspace

    def beir(
        self,
        name: str = "coll",
        corpus: Mapping[str, str] = CORPUS,
        queries: Mapping[str, str] = QUERIES,
        qrels: Judgments = QRELS,
        rules: str = "",
    ) -> Path:
        """A folder in BEIR's layout."""
        folder = self.path / name
        (folder / "qrels").mkdir(parents=True)
        _jsonl(folder / "corpus.jsonl", ({"_id": key, "text": text} for key, text in corpus.items()))
        _jsonl(folder / "queries.jsonl", ({"_id": key, "text": text} for key, text in queries.items()))
        lines = ["query-id\tcorpus-id\tscore", *("\t".join(map(str, row)) for row in qrels)]
        (folder / "qrels" / "test.tsv").write_text("\n".join(lines) + "\n", "utf-8")
        if rules:
            (folder / "collection.toml").write_text(rules, "utf-8")
        return folder

    def load(self, folder: Path | str | None = None) -> Collection:
        """The one collection of a folder; the default one is made where none is named."""
        if folder is None:
            folder = self.path / "coll"
            if not folder.exists():
                self.beir()
        (collection,) = load(str(folder), self.workspace)
        return collection

    def reranking_rows(self) -> Path:
        """A file of two reranking rows, which bring their own candidates."""
        rows = [
            {"query": "when is low tide", "positive": ["low tide is at noon"], "negative": ["bread", "the mill"]},
            {"query": "who bakes", "positive": ["the baker"], "negative": ["the ferry", "the mill", "a dog", "tide"]},
        ]
        return _jsonl(self.path / "rows.jsonl", rows)

    def run_file(self, lines: Iterable[str], name: str = "run.trec") -> Path:
        """A TREC run file."""
        file = self.path / name
        file.write_text("".join(f"{line}\n" for line in lines), "utf-8")
        return file

    def log(self, name: str = "log") -> Path:
        """A file in which a fake model writes down what it was asked."""
        file = self.path / name
        file.touch()
        return file

    @contextmanager
    def session(self) -> Iterator[Session]:
        """The workspace with its ledger open."""
        with opened(self.workspace, Silent()) as session:
            yield session

    def evaluations(
        self,
        *collections: Collection,
        rerankers: Iterable[str] = (),
        measures: Iterable[str] = (),
        depth: int = 5,
        first: str = FIRST,
    ) -> list[Evaluation]:
        """What an experiment gives."""
        evaluated = systems(first, list(rerankers), depth, self.workspace)
        with self.session() as session:
            return list(experiment(collections or [self.load()], evaluated, list(measures), session))


def results_in(evaluations: Iterable[Evaluation]) -> list[Result]:
    """What the tables of these evaluations are made from."""
    return [result for one in evaluations for result in results_of(one)]


def _jsonl(file: Path, rows: Iterable[object]) -> Path:
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return file
