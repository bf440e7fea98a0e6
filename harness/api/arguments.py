"""What a user may pass: names, paths and numbers as Python has them, and a place to work in."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from numbers import Integral, Real
from pathlib import Path

from adapters.errors import UsageError, did_you_mean
from adapters.models import MIRROR
from harness.data.sources.origin import SourceChoice
from harness.progress import Reporter, Silent, Terminal
from harness.scoring.session import Session, opened
from harness.workspace import DEFAULT, VARIABLE, Workspace

_SOURCES = ("auto", "mteb", "beir", "irds")
_OFFLINE = "HF_HUB_OFFLINE"

Name = str | Path


def name_of(argument: str, given: Name) -> str:
    """A name as the command line has it. A relative `Path` begins with `./`, so it is never the name of a suite or a
    model of the hub.

    Raises:
        UsageError: it is empty, or no name.
    """
    if not isinstance(given, str | Path):
        raise UsageError(f"{argument} is a name, not {given!r}")
    text = str(given)
    if not text.strip():
        raise UsageError(f"{argument} is an empty name")
    plain = isinstance(given, str) or given.is_absolute() or text.startswith((".", "~"))
    return text if plain else f"./{text}"


def optional_name(argument: str, given: Name | None) -> str | None:
    """The same where it may be left out."""
    return None if given is None else name_of(argument, given)


def names_of(argument: str, given: Name | Iterable[Name | Iterable[Name]] | None) -> list[str]:
    """The names that an argument holds: none, one, or several.

    Raises:
        UsageError: it holds something else.
    """
    if given is None:
        return []
    if isinstance(given, str | Path):
        return [name_of(argument, given)]
    if isinstance(given, bytes | Mapping) or not isinstance(given, Iterable):
        raise UsageError(f"{argument} is a name or a list of names, not {given!r}")
    return [name for part in given for name in _inner(argument, part)]


def _inner(argument: str, part: Name | Iterable[Name]) -> list[str]:
    if part is None:
        raise UsageError(f"{argument} is a name or a list of names; None is no name")
    return names_of(argument, part)


def one_of(argument: str, given: str, known: Sequence[str]) -> None:
    """Check a word that has to be one of a few.

    Raises:
        UsageError: it is another one.
    """
    if given not in known:
        raise UsageError(f"unknown {argument} {given!r}.{did_you_mean(str(given), known)}")


def whole(argument: str, given: int, least: int = 1) -> int:
    """A whole number; those of numpy too.

    Raises:
        UsageError: it is too small, or no whole number.
    """
    if isinstance(given, bool) or not isinstance(given, Integral) or given < least:
        raise UsageError(f"{argument} is a whole number, {least} or more, not {given!r}")
    return int(given)


def optional_whole(argument: str, given: int | None, least: int = 1) -> int | None:
    """The same where it may be left out."""
    return None if given is None else whole(argument, given, least)


def number(argument: str, given: float) -> float:
    """A number; those of numpy too.

    Raises:
        UsageError: it is none.
    """
    if isinstance(given, bool) or not isinstance(given, Real):
        raise UsageError(f"{argument} is a number, not {given!r}")
    return float(given)


def source_choice(source: str = "auto", mirror: Name | None = None, allow_drift: bool = False) -> SourceChoice:
    """Where suites are read from. Without a mirror the variable HARNESS_MIRROR names it.

    Raises:
        UsageError: there is no such source.
    """
    one_of("source", source, _SOURCES)
    folder = mirror or os.environ.get(MIRROR)
    return SourceChoice(source, Path(folder) if folder else None, allow_drift)  # type: ignore[arg-type]


def file_of(given: Name | None) -> Path | None:
    """A file or folder that may be left out."""
    return None if given is None else Path(given)


def workspace_of(workspace: Name | None) -> Path:
    """The workspace that is read. Nothing is made there.

    Raises:
        UsageError: it is a file.
    """
    path = Path(workspace or os.environ.get(VARIABLE) or DEFAULT)
    if path.exists() and not path.is_dir():
        raise UsageError(f"the workspace '{path}' is a file; name a folder with --workspace")
    return path


def reporter_of(given: Reporter | None) -> Reporter:
    """Who hears about progress: by default standard error if it is a terminal, and else nobody.

    Raises:
        UsageError: it has not the methods of a reporter.
    """
    if given is None:
        return Terminal() if sys.stderr.isatty() else Silent()
    if not (hasattr(given, "note") and hasattr(given, "stage")):
        raise UsageError(f"reporter needs the methods 'note' and 'stage' of harness.Reporter; {given!r} has not both")
    return given


@contextmanager
def working(workspace: Workspace, reporter: Reporter, mirror: Path | None = None) -> Iterator[Session]:
    """A session whose models come from the mirror, if there is one."""
    with _offline(mirror), opened(workspace, reporter) as session:
        yield session


@contextmanager
def _offline(mirror: Path | None) -> Iterator[None]:
    """Let adapters and the hub's client see what `--mirror` sets on the command line."""
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
