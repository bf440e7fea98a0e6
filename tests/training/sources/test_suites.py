"""A collection of a suite as training data: its train split, from where the suite has one."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import replace

import pytest

from adapters.errors import UsageError
from harness.data.sources import suite_source
from harness.data.sources.suite_source import other_split
from harness.data.suites.targets import SuiteCollection, find
from tests.tiny_collection import QRELS, QUERIES, Place
from training.adapted import corpora_of
from training.sources import Negatives, read_examples


@pytest.fixture
def scifact(place: Place, monkeypatch: pytest.MonkeyPatch) -> SuiteCollection:
    """SciFact's entry, with a small zip file in the downloads whose train split has the first two queries."""
    folder = place.beir()
    train = [row for row in QRELS if row[0] in ("q1", "q2")]
    lines = ["query-id\tcorpus-id\tscore", *("\t".join(map(str, row)) for row in train)]
    (folder / "qrels" / "train.tsv").write_text("\n".join(lines) + "\n")
    file = place.workspace.downloads / "scifact.zip"
    file.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(file, "w") as archive:
        for path in sorted(folder.rglob("*.*")):
            archive.write(path, f"scifact/{path.relative_to(folder).as_posix()}")
    (entry,) = find("beir/scifact")
    assert entry.beir is not None
    md5 = hashlib.md5(file.read_bytes()).hexdigest()
    known = replace(entry, beir=replace(entry.beir, md5=md5, bytes=file.stat().st_size))
    monkeypatch.setattr(suite_source, "find", lambda _: [known])
    return known


@pytest.mark.usefixtures("scifact")
def test_a_suite_is_read_with_its_train_split(place: Place) -> None:
    negatives = Negatives("tests.fake_adapters:Overlap", per_query=2, workspace=place.workspace)
    for store in (None, place.path / "store"):
        read = read_examples("beir/scifact", negatives=negatives, store=store)
        assert [row.query for row in read.rows] == [QUERIES["q1"], QUERIES["q2"]], "not the queries of the test split"
        assert {row.source for row in read.rows} == {"beir/scifact"} and read.rows[0].scores[:2] == (2.0, 1.0)
    (name, _) = sorted(corpora_of(["beir/scifact"], place.workspace), key=len)
    assert name == "beir/scifact", "results on it are marked"


@pytest.mark.usefixtures("scifact")
def test_a_folder_of_that_name_comes_first(place: Place) -> None:
    (place.path / "beir").mkdir()
    source = place.beir("beir/scifact")
    with pytest.raises(UsageError, match=r"no split 'train'|train\.tsv"):
        read_examples(source, negatives=Negatives(workspace=place.workspace))


def test_each_library_is_asked_for_the_split(place: Place) -> None:
    def origin(target: str) -> str:
        return other_split(target, "train", workspace=place.workspace).origin

    assert "miracl/sw/train" in origin("miracl/sw"), "ir_datasets has it, and mteb only the dev split"
    assert origin("beir/fiqa").startswith("beir zip fiqa")
    with pytest.raises(UsageError, match="names 18 collections; name one, such as miracl/"):
        origin("miracl")
    with pytest.raises(UsageError, match="no collection 'miracl/xx'"):
        origin("miracl/xx")
