"""The folder of a stage is named wrongly in one of several ways, and the message says in which."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapters.errors import UsageError
from training.job import begin, finish, read_manifest
from training.sources import read_examples


def refused(folder: Path) -> str:
    with pytest.raises(UsageError) as caught:
        read_manifest(folder, "mine")
    return str(caught.value)


def test_what_is_not_the_folder_of_the_stage_is_called_what_it_is(tmp_path: Path) -> None:
    file, other, begun = tmp_path / "file", tmp_path / "other", tmp_path / "begun"
    file.write_text("", "utf-8")
    other.mkdir()
    begin(begun, "mine", {})
    assert "there is no such folder" in refused(tmp_path / "none")
    assert "is a file" in refused(file)
    assert "not made by 'harness train mine'" in refused(other)
    assert "finish it first with: harness train mine" in refused(begun)


def test_another_job_in_the_folder_is_told_by_what_differs(tmp_path: Path) -> None:
    """Otherwise a user compares two long commands by eye."""
    about = {
        "version": 1,
        "corpus": "a" * 32,
        "depth": 100,
        "retrievers": [{"name": "bm25", "k1": 0.9}],
        "names": ["x"],
    }
    begin(tmp_path / "out", "mine", about)
    for change, told in (
        ({"depth": 50}, "depth is 100 there and 50 here"),
        ({"corpus": "b" * 32}, "another corpus"),
        ({"retrievers": [{"name": "bm25", "k1": 1.2}]}, r"retrievers\.0\.k1 is 0\.9 there and 1\.2 here"),
        ({"names": ["x", "y"]}, r'names is \["x"\] there and \["x", "y"\] here'),
    ):
        with pytest.raises(UsageError, match=rf"holds another job \({told}\); name an empty folder with --out"):
            begin(tmp_path / "out", "mine", {**about, **change})
    with pytest.raises(UsageError, match=r"another job \(that of train mine\)"):
        begin(tmp_path / "out", "teach", about)
    assert begin(tmp_path / "out", "mine", about) is None


def test_the_folder_of_an_earlier_release_is_continued(tmp_path: Path) -> None:
    """Its job says less, and is the same job all the same."""
    begin(tmp_path, "mine", {"depth": 100})
    job = json.loads((tmp_path / "job.json").read_text("utf-8"))
    del job["about"]
    (tmp_path / "job.json").write_text(json.dumps(job), "utf-8")
    assert begin(tmp_path, "mine", {"depth": 100}) is None
    with pytest.raises(UsageError, match="other texts, models or settings"):
        begin(tmp_path, "mine", {"depth": 50})


def test_the_folder_of_another_stage_is_refused(tmp_path: Path) -> None:
    begin(tmp_path / "out", "synthesize", {})
    finish(tmp_path / "out", "synthesize", {})
    assert "made by the stage 'synthesize'; name a folder of 'train mine'" in refused(tmp_path / "out")


def test_the_folder_of_a_stage_as_training_data_is_answered_with_what_is_missing(tmp_path: Path) -> None:
    """An unfinished `train teach` needs to be finished, and not begun again elsewhere."""
    for stage, said in (("teach", "finish it first with: harness train teach"), ("mine", "queries have no scores")):
        begin(tmp_path / stage, stage, {})
        with pytest.raises(UsageError, match=said):
            read_examples(tmp_path / stage)
    (tmp_path / "teach" / "examples.jsonl").touch()
    with pytest.raises(UsageError, match=r"name its file, .*examples\.jsonl"):
        read_examples(tmp_path / "teach")
