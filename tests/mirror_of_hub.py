"""A mirror folder with datasets as the hub has them: README.md with `configs:`, and JSON lines or Parquet beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from harness.data.suites.targets import SuiteCollection, find

Rows = Sequence[Mapping[str, object]]

DOCUMENTS: Rows = (
    {"_id": "d1", "title": "Ferry", "text": "The boat leaves at nine."},
    {"_id": "d2", "title": "", "text": " The mill turns at low tide. "},
    {"_id": "d3", "title": "Bread", "text": "Sold until noon."},
)
QUERIES: Rows = (
    {"_id": "q2", "text": "bread"},
    {"_id": "q1", "text": "when does the boat leave"},
    {"_id": "q3", "text": "asked, but not judged"},
)
QRELS: Rows = (
    {"query-id": "q1", "corpus-id": "d1", "score": 2},
    {"query-id": "q1", "corpus-id": "d2", "score": 0},
    {"query-id": "q2", "corpus-id": "d3", "score": 1},
)
TOP_RANKED: Rows = (
    {"query-id": "q1", "corpus-ids": ["d2", "d1"]},
    {"query-id": "q2", "corpus-ids": ["d3", "d1", "d2"]},
)
INSTRUCTION: Rows = tuple({"query-id": query["_id"], "instruction": f"No boats, {query['_id']}."} for query in QUERIES)

QREL_DIFF: Rows = ({"query-id": "q1", "corpus-ids": ["d1"]},)


def entry_of(target: str) -> SuiteCollection:
    """The one row of the suites' tables."""
    (entry,) = find(target)
    return entry


def sized(entry: SuiteCollection) -> SuiteCollection:
    """The row with the sizes of the datasets that are made here."""
    counts = replace(entry.counts, queries=2, documents=3, relevant=2)
    return replace(entry, counts=counts, candidates=5 if entry.candidates else None)


@dataclass(frozen=True)
class Dataset:
    """One dataset of the hub: pieces by name of the configuration and split."""

    folder: Path
    parquet: bool = False

    def write(self, pieces: Mapping[tuple[str, str], Rows]) -> None:
        """Write the files, and a README that lists those of all calls."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for (name, split), rows in pieces.items():
            if self.parquet:
                parquet.write_table(pa.Table.from_pylist(list(rows)), self._file(name, split))
            else:
                lines = "".join(json.dumps(row) + "\n" for row in rows)
                self._file(name, split).write_text(lines, "utf-8")
        there = sorted(file.stem for file in self.folder.iterdir() if file.name != "README.md")
        self.readme([stem.split("__") for stem in there])

    def readme(self, pieces: Sequence[Sequence[str]]) -> None:
        """Write the list of configurations, whether their files are there or not."""
        lines = ["---", "configs:"]
        for name in dict.fromkeys(piece[0] for piece in pieces):
            lines += [f"- config_name: {name}", "  data_files:"]
            for split in (piece[1] for piece in pieces if piece[0] == name):
                lines += [f"  - split: {split}", f"    path: {self._file(name, split).name}"]
        (self.folder / "README.md").write_text("\n".join([*lines, "---", ""]), "utf-8")

    def _file(self, name: str, split: str) -> Path:
        return self.folder / f"{name}__{split}.{'parquet' if self.parquet else 'jsonl'}"


def dataset(mirror: Path, entry: SuiteCollection, parquet: bool = False) -> Dataset:
    """The place of a row's dataset in a mirror."""
    return Dataset(mirror / "datasets" / entry.mteb.path / entry.mteb.revision, parquet)


def pieces_of(entry: SuiteCollection) -> dict[tuple[str, str], Rows]:
    """The small dataset in the layout of the row's task, with candidate lists and instructions where it has them."""
    subset, split = entry.mteb.subset, entry.mteb.split
    head, qrels = ("", "default") if subset == "default" else (f"{subset}-", f"{subset}-qrels")
    pieces = {
        (f"{head}corpus", split): DOCUMENTS,
        (f"{head}queries", split): QUERIES,
        (qrels, split): QRELS,
    }
    if entry.candidates:
        pieces[f"{head}top_ranked", split] = TOP_RANKED
    if entry.main_measure == "p-MRR":
        pieces[f"{head}instruction", split] = INSTRUCTION
        pieces["qrel_diff", "qrel_diff"] = QREL_DIFF
    return pieces
