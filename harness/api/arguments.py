"""What a user may pass: names, paths and numbers as Python has them, and a place to work in."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from adapters.errors import UsageError, did_you_mean
from adapters.models import MIRROR
from harness.data.sources.origin import SourceChoice
from harness.progress import Reporter, Silent, Terminal
from harness.scoring.bench import Session, opened
from harness.workspace import DEFAULT, VARIABLE, Workspace

_SOURCES = ("auto", "mteb", "beir", "irds")
_OFFLINE = "HF_HUB_OFFLINE"

Name = str | Path


def name_of(given: Name) -> str:
    """A name as the command line has it. A relative `Path` begins with `./`, so it is never the name of a suite or a
    model of the hub."""
    if isinstance(given, str):
        return given
    text = str(given)
    return text if given.is_absolute() or text.startswith((".", "~")) else f"./{text}"


def names_of(argument: str, given: Name | Iterable[Name | Iterable[Name]] | None) -> list[str]:
    """The names that an argument holds: none, one, or several.

    Raises:
        UsageError: it holds something else.
    """
    if given is None:
        return []
    if isinstance(given, str | Path):
        return [name_of(given)]
    try:
        parts = list(given)
    except TypeError:
        raise UsageError(f"{argument} is a name or a list of names, not {given!r}") from None
    return [name for part in parts for name in _inner(argument, part)]


def _inner(argument: str, part: Name | Iterable[Name]) -> list[str]:
    if part is None or isinstance(part, bytes):
        raise UsageError(f"{argument} is a name or a list of names; {part!r} is no name")
    return names_of(argument, part)


def one_of(argument: str, given: str, known: Sequence[str]) -> None:
    """Check a word that has to be one of a few.

    Raises:
        UsageError: it is another one.
    """
    if given not in known:
        raise UsageError(f"unknown {argument} {given!r}.{did_you_mean(str(given), known)}")


def at_least(least: int, **numbers: int | None) -> None:
    """Check whole numbers; None is no number to check.

    Raises:
        UsageError: one is too small, or is no whole number.
    """
    for argument, number in numbers.items():
        if number is not None and (isinstance(number, bool) or not isinstance(number, int) or number < least):
            raise UsageError(f"{argument} is a whole number, {least} or more, not {number!r}")


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


def stored_in(workspace: Name | None) -> Path:
    """The workspace that is read. Nothing is made there.

    Raises:
        UsageError: it is a file.
    """
    path = Path(workspace or os.environ.get(VARIABLE) or DEFAULT)
    if path.exists() and not path.is_dir():
        raise UsageError(f"the workspace '{path}' is a file; name a folder with --workspace")
    return path


def reporter_of(given: Reporter | None) -> Reporter:
    """Who hears about progress: by default standard error if it is a terminal, and else nobody."""
    return given or (Terminal() if sys.stderr.isatty() else Silent())


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
