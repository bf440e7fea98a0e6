"""Small collections made on the spot, and the two questions that the tests ask: what came, or what was refused."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.errors import HarnessError
from harness.data.collection import Collection
from harness.data.sources import load
from harness.workspace import Workspace
from tests import skips

DATA = Path(__file__).resolve().parents[5] / "shared" / "data"

CORPUS = (
    {"_id": "d1", "title": "Ferry", "text": "The boat leaves at nine."},
    {"_id": "d2", "title": "", "text": "The mill turns at low tide."},
    {"_id": "d3", "text": "Bread is sold until noon."},
)
QUERIES = ({"_id": "q1", "text": "when does the boat leave"}, {"_id": "q2", "text": "bread"})
QRELS = "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\nq2\td3\t1\n"


def jsonl(rows: Sequence[object]) -> str:
    """Rows as JSON lines; a text is written as it is."""
    return "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)


def age(folder: Path) -> None:
    """Make files look older than the clock of a file system is coarse."""
    for file in [folder, *folder.rglob("*")]:
        os.utime(file, ns=(10**18, 10**18))


@dataclass(frozen=True)
class Bench:
    """A folder for sources and a workspace."""

    path: Path
    workspace: Workspace

    def beir(
        self,
        name: str = "coll",
        corpus: Sequence[object] = CORPUS,
        queries: Sequence[object] = QUERIES,
        qrels: str = QRELS,
        rules: str = "",
    ) -> Path:
        """A folder in BEIR's layout."""
        folder = self.path / name
        (folder / "qrels").mkdir(parents=True)
        (folder / "corpus.jsonl").write_text(jsonl(corpus), "utf-8")
        (folder / "queries.jsonl").write_text(jsonl(queries), "utf-8")
        (folder / "qrels" / "test.tsv").write_text(qrels, "utf-8")
        if rules:
            (folder / "collection.toml").write_text(rules, "utf-8")
        return folder

    def rows(self, rows: Sequence[object], name: str = "rows.jsonl") -> Path:
        """A file of reranking rows."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(jsonl(rows), "utf-8")
        return file

    def rules(self, content: str) -> Path:
        """A file of rules in the folder of the sources."""
        file = self.path / "rules.toml"
        file.write_text(content, "utf-8")
        return file

    def load(self, target: Path | str, **options: object) -> Collection:
        """The one collection of a target."""
        (collection,) = load(str(target), self.workspace, **options)  # type: ignore[arg-type]
        return collection

    def refused(self, error: type[HarnessError], target: Path | str, **options: object) -> str:
        """The message of a refusal, relative to the folder of sources."""
        with pytest.raises(error) as caught:
            load(str(target), self.workspace, **options)  # type: ignore[arg-type]
        message = str(caught.value)
        assert "\n" not in message
        return message.replace(f"{self.path}/", "")


@pytest.fixture
def session(tmp_path: Path) -> Bench:
    """A fresh workspace and a folder to make sources in."""
    path = tmp_path / "sources"
    path.mkdir()
    return Bench(path, Workspace.open(tmp_path / "workspace"))


@pytest.fixture
def aged() -> Callable[[Path], None]:
    """`age`, for tests."""
    return age


@pytest.fixture
def data() -> Path:
    """The folder of real collections."""
    if not DATA.is_dir():
        pytest.skip(f"{skips.DATA}: no real collections at {DATA}")
    return DATA
