"""Load the library ir_datasets with a given home folder, and find the files that it downloads for a data set."""

from __future__ import annotations

import importlib
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from adapters.errors import DataError, HarnessError, class_of, need

HOME = "IR_DATASETS_HOME"
_NAME = "ir_datasets"
_SHARED = "corpus"
_LOCK = threading.Lock()


@cache
def library(home: Path | None) -> ModuleType:
    """Import ir_datasets with its files in `home`. Default: the user's home of the library.

    The library fixes its paths when it is imported, so another home needs a separate import. The module that the caller
    has imported or will import, and the caller's environment, do not change.

    Raises:
        MissingExtra: ir_datasets is not installed.
    """
    if home is None:
        return _imported()
    with _LOCK, _apart(), _environment(HOME, str(home)):
        module = _imported()
    module.util.home_path = lambda: home
    return module


def downloads(module: ModuleType, dataset: str) -> list[Any]:
    """The downloads of a data set such as `beir/scifact/test`. Each has `path()`, which downloads the file if it is
    missing and checks its md5 sum; `path(force=False)`, which only returns the path; and `expected_md5`."""
    top, _, rest = dataset.partition("/")
    config = module.util.DownloadConfig.context(top, module.util.home_path() / top)
    return [config[key] for key in _keys(rest, list(config.contents()))]


def _imported() -> ModuleType:
    return need(_NAME, "irds", "reading through ir_datasets")


def _keys(rest: str, keys: Sequence[str]) -> list[str]:
    """The keys of the downloads of a data set. BEIR has a zip file for a data set and its parts. NanoBEIR has three
    files under its name. MIRACL has files under version, language and split; all splits of a language share the
    documents."""
    zips = [key for key in keys if rest == key or rest.startswith(f"{key}/")]
    if zips:
        return [max(zips, key=len)]
    under = (f"{rest}/", f"{rest.partition('/')[0]}/{_SHARED}/")
    return [key for key in keys if key.startswith(under) or key.partition("/")[2].startswith(under)]


@contextmanager
def _apart() -> Iterator[None]:
    """Import as if the library had not been imported, and restore `sys.modules` afterwards."""
    before = _take_out()
    try:
        yield
    finally:
        _take_out()
        sys.modules.update(before)
        importlib.invalidate_caches()


def _take_out() -> dict[str, ModuleType]:
    names = [name for name in sys.modules if name == _NAME or name.startswith(f"{_NAME}.")]
    return {name: sys.modules.pop(name) for name in names}


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def cannot(dataset: str, error: Exception, home: Path) -> HarnessError:
    """The error for a failure of the library, whatever it raised."""
    reason = " ".join(str(error).split())[:200]
    detail = f"{type(error).__name__}: {reason}" if reason else type(error).__name__
    return class_of(error, DataError)(
        f"ir_datasets {dataset}: cannot be read ({detail}); delete its files in {home / dataset.partition('/')[0]} "
        "and fetch it again"
    )
