"""One honest adaptation, which many tests look at, and nothing that only costs them time."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.workspace import Workspace
from tests.tiny_collection import Place
from tests.training.adapting import toy
from tests.training.adapting.toy import Honest


@pytest.fixture(scope="module", autouse=True)
def _in_a_hurry() -> Iterator[None]:
    """Versions of packages are looked up once, and no test pulls the plug."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importlib.metadata, "version", functools.cache(importlib.metadata.version))
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture(scope="session")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Honest:
    """An adaptation as it should be, in one go. Its teacher noted what it was asked in `log`."""
    folder = tmp_path_factory.mktemp("honest")
    (folder / "mine").mkdir()
    place = Place(folder / "mine", Workspace.open(folder / "workspace"))
    return place, toy.run(place, toy.logged(place), toy.target(place))


@pytest.fixture
def open_end(honest: Honest, tmp_path: Path) -> Iterator[Path]:
    """The honest run as it was just before it ended; afterwards it is as it is."""
    out = honest[0].path / "out"
    shutil.copytree(out, tmp_path / "kept")
    shutil.rmtree(out / "model")
    (out / "manifest.json").unlink()
    yield out
    shutil.rmtree(out)
    shutil.copytree(tmp_path / "kept", out)
