"""A name that no file can have is refused in one line, wherever a user writes one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.errors import HarnessError, ModelError, UsageError
from adapters.models import open_folder
from adapters.paths import is_file, is_folder, user_path
from adapters.prompt_template import load_template
from adapters.spec import open_ranker, open_retriever
from harness.data.sources import load
from harness.workspace import Workspace
from training.corpus import corpus_of
from training.merging.checkpoint import open_checkpoint

IMPOSSIBLE = ["a\0b", "~nobody-of-that-name/x", "a" * 300, "x/" * 3000, "a\ud800b"]


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_a_name_that_no_file_can_have_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        user_path(name)
    with pytest.raises(ModelError):
        user_path(name, ModelError)
    assert not is_file(Path(name)) and not is_folder(Path(name))


@pytest.mark.parametrize("name", IMPOSSIBLE)
@pytest.mark.parametrize("read", [open_ranker, open_retriever, open_folder, load_template, open_checkpoint])
def test_every_reader_of_names_refuses_it_in_one_line(name: str, read: Callable[[str], object]) -> None:
    with pytest.raises(HarnessError) as caught:
        read(name)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_targets_are_refused_too(name: str, tmp_path: Path) -> None:
    space = Workspace.open(tmp_path / "w")
    for read in (load, corpus_of):
        with pytest.raises(HarnessError):
            read(name, space)


def test_the_home_folder_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert user_path("~/model") == tmp_path / "model"
    assert user_path("./~") == Path("~")
