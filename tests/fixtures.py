"""What the tests of several rooms share: a place to work in, and the command line as a user sees it."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import pytest

from harness import cli
from harness.scoring import rerank
from harness.workspace import Workspace
from tests.tiny_collection import Place


@dataclass(frozen=True)
class Said:
    """What a command left behind."""

    code: int
    out: str
    err: str


Command = Callable[..., Said]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An empty folder and an empty workspace."""
    path = tmp_path / "mine"
    path.mkdir()
    return Place(path, Workspace.open(tmp_path / "workspace"))


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fake model may change how often scores are written down; the next test does not notice."""
    monkeypatch.setattr(rerank, "_FLUSH_SECONDS", rerank._FLUSH_SECONDS)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    """The command `harness`, in this process."""

    def run(*arguments: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["harness", *map(str, arguments)])
        monkeypatch.setattr(sys, "path", list(sys.path))
        monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
        capfd.readouterr()
        # The front door sets variables for the rooms that it loads (a mirror); they end with the process, or the test.
        with pytest.raises(SystemExit) as left, patch.dict(os.environ):
            cli.main()
        out, err = capfd.readouterr()
        return Said(int(left.value.code or 0), out, err)

    return run
