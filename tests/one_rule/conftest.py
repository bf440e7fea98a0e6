"""A place to work in, a command line, and the stores that are printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.workspace import Workspace
from tests.fixtures import _patience, command, place
from tests.one_rule.figures import FEW, SYSTEMS, Figures, Kept, of_run
from tests.one_rule.store import evaluated, keep
from tests.tiny_collection import Place

__all__ = ["_patience", "command", "place"]


def _made(folder: Path, systems: int) -> Kept:
    (folder / "mine").mkdir()
    own = Place(folder / "mine", Workspace.open(folder / "workspace"))
    kept = Kept(own.workspace.path, evaluated(own, SYSTEMS)[: 6 * (systems + 1)])
    keep(own, kept.evaluations)
    return kept


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """60 systems."""
    return _made(tmp_path_factory.mktemp("many"), SYSTEMS)


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """The first of them: the store before the others were added."""
    return _made(tmp_path_factory.mktemp("few"), FEW)


@pytest.fixture(scope="module")
def run(many: Kept) -> Figures:
    """What `harness run` prints as JSON."""
    return of_run(many.evaluations)
