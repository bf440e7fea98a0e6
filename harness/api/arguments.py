"""Checks of the arguments that a user passes: names, paths, numbers, workspaces and reporters."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import isfinite
from numbers import Integral, Real
from pathlib import Path

from adapters.errors import UsageError, did_you_mean
from adapters.models import MIRROR
from harness.data.sources.origin import SourceChoice
from harness.progress import Reporter, Silent, Terminal
from harness.scoring.precision import CHOICES, RunDtype
from harness.scoring.session import Session, opened
from harness.scoring.workers.pool import Workers
from harness.workspace import DEFAULT, VARIABLE, Workspace

_SOURCES = ("auto", "mteb", "beir", "irds")
_OFFLINE = "HF_HUB_OFFLINE"

Name = str | Path


def name_of(argument: str, given: Name) -> str:
    """Return a name as the command line takes it. A relative `Path` gets a leading `./`, so it never names a suite or a
    model of the hub.

    Raises:
        UsageError: the name is empty, or is neither a string nor a path.
    """
    if not isinstance(given, str | Path):
        raise UsageError(f"{argument} must be a name, not {given!r}")
    text = str(given)
    if not text.strip():
        raise UsageError(f"{argument} is an empty name")
    plain = isinstance(given, str) or given.is_absolute() or text.startswith((".", "~"))
    return text if plain else f"./{text}"


def optional_name(argument: str, given: Name | None) -> str | None:
    """Return `name_of` of the argument, or None if it is None."""
    return None if given is None else name_of(argument, given)


def names_of(argument: str, given: Name | Iterable[Name | Iterable[Name]] | None) -> list[str]:
    """Return the names in an argument: none, one, or several.

    Raises:
        UsageError: the argument contains something other than names.
    """
    if given is None:
        return []
    if isinstance(given, str | Path):
        return [name_of(argument, given)]
    if isinstance(given, bytes | Mapping) or not isinstance(given, Iterable):
        raise UsageError(f"{argument} must be a name or a list of names, not {given!r}")
    return [name for part in given for name in _inner(argument, part)]


def _inner(argument: str, part: Name | Iterable[Name]) -> list[str]:
    if part is None:
        raise UsageError(f"{argument} must be a name or a list of names; the list contains None")
    return names_of(argument, part)


def one_of(argument: str, given: str, known: Sequence[str]) -> None:
    """Check that an argument is one of the known words.

    Raises:
        UsageError: the word is unknown.
    """
    if given not in known:
        raise UsageError(f"unknown {argument} {given!r}.{did_you_mean(str(given), known)}")


def whole(argument: str, given: int, least: int = 1) -> int:
    """Return a whole number. numpy's integers are accepted.

    Raises:
        UsageError: the argument is not a whole number, less than `least`, or 2^63 or more.
    """
    if isinstance(given, bool) or not isinstance(given, Integral) or given < least:
        raise UsageError(f"{argument} must be a whole number, {least} or more, not {given!r}")
    if given >= 2**63:
        raise UsageError(f"{argument} = {given} is too large; numbers below 2^63 are allowed")
    return int(given)


def optional_whole(argument: str, given: int | None, least: int = 1) -> int | None:
    """Return `whole` of the argument, or None if it is None."""
    return None if given is None else whole(argument, given, least)


def _is_finite(given: Real) -> bool:
    try:
        return isfinite(given)
    except OverflowError:  # a whole number that no float holds
        return False


def number(argument: str, given: float) -> float:
    """Return a number as a float. numpy's numbers are accepted.

    Raises:
        UsageError: the argument is not a number, or not finite.
    """
    if isinstance(given, bool) or not isinstance(given, Real) or not _is_finite(given):
        raise UsageError(f"{argument} must be a number, not {given!r}")
    return float(given)


def source_choice(source: str = "auto", mirror: Name | None = None, allow_drift: bool = False) -> SourceChoice:
    """Return where suites are read from. Default of `mirror`: the environment variable HARNESS_MIRROR.

    Raises:
        UsageError: the source is unknown.
    """
    one_of("source", source, _SOURCES)
    folder = mirror or os.environ.get(MIRROR)
    return SourceChoice(source, Path(folder) if folder else None, allow_drift)  # type: ignore[arg-type]


def file_of(given: Name | None) -> Path | None:
    """Return the path of an optional file or folder, or None."""
    return None if given is None else Path(given)


def workspace_of(workspace: Name | None) -> Path:
    """Return the path of the workspace to read. Nothing is created.

    Raises:
        UsageError: the path is a file.
    """
    path = Path(workspace or os.environ.get(VARIABLE) or DEFAULT)
    if path.exists() and not path.is_dir():
        raise UsageError(f"the workspace '{path}' is a file; name a folder with --workspace")
    return path


def reporter_of(given: Reporter | None) -> Reporter:
    """Return the reporter of progress. Default: standard error if it is a terminal, else none.

    Raises:
        UsageError: the object does not have the methods of a reporter.
    """
    if given is None:
        return Terminal() if sys.stderr.isatty() else Silent()
    if not (hasattr(given, "note") and hasattr(given, "stage")):
        raise UsageError(f"reporter needs the methods 'note' and 'stage' of harness.Reporter; {given!r} lacks one")
    return given


def workers_of(given: int | str) -> Workers:
    """Return the number of processes, or `auto`.

    Raises:
        UsageError: it is neither a whole number, 1 or more, nor `auto`.
    """
    if given == "auto":
        return "auto"
    if isinstance(given, bool) or not isinstance(given, Integral) or given < 1:
        raise UsageError(f"workers must be a whole number, 1 or more, or 'auto', not {given!r}")
    return int(given)


def dtype_of(given: RunDtype | None) -> RunDtype | None:
    """Return the number format of a run, or None.

    Raises:
        UsageError: it is unknown.
    """
    if given is not None:
        one_of("dtype", given, CHOICES)
    return given


@contextmanager
def working(
    workspace: Workspace, reporter: Reporter, mirror: Path | None = None, workers: int | str = 1
) -> Iterator[Session]:
    """Open a session. With a mirror, its models are loaded from there."""
    with _offline(mirror), opened(workspace, reporter, workers_of(workers)) as session:
        yield session


@contextmanager
def _offline(mirror: Path | None) -> Iterator[None]:
    """Set the environment variables that `--mirror` sets, for adapters and the hub's client."""
    wanted = {} if mirror is None else {MIRROR: str(mirror), _OFFLINE: "1"}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
