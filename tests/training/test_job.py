"""The folder of a stage is named wrongly in one of several ways, and the message says in which."""

from __future__ import annotations

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


def test_the_folder_of_another_stage_is_refused(tmp_path: Path) -> None:
    begin(tmp_path / "out", "synthesize", {})
    finish(tmp_path / "out", "synthesize", {})
    assert "made by 'train synthesize'; name a folder of 'train mine'" in refused(tmp_path / "out")


def test_the_folder_of_a_stage_as_training_data_is_answered_with_what_is_missing(tmp_path: Path) -> None:
    """An unfinished `train teach` needs to be finished, and not begun again elsewhere."""
    for stage, said in (("teach", "finish it first with: harness train teach"), ("mine", "queries have no scores")):
        begin(tmp_path / stage, stage, {})
        with pytest.raises(UsageError, match=said):
            read_examples(tmp_path / stage)
    (tmp_path / "teach" / "examples.jsonl").touch()
    with pytest.raises(UsageError, match=r"name its file, .*examples\.jsonl"):
        read_examples(tmp_path / "teach")
