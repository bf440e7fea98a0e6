"""Errors for users: one line that says what to do, and an exit code per class."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable
from types import ModuleType


class HarnessError(Exception):
    """The base of every error that the harness raises on purpose. `exit_code` is what the command line returns."""

    exit_code = 3


class UsageError(HarnessError):
    """The command, an option or a spec string is wrong."""

    exit_code = 2


class DataError(HarnessError):
    """A file of a collection, a run or a store cannot be trusted. The message names the file and the line."""


class ModelError(HarnessError):
    """A model cannot be used: wrong kind, missing head, newly initialised weights, non-finite scores."""


class WorkerError(HarnessError):
    """A process that scores or embeds ended unexpectedly. What it had finished is kept."""


class MissingExtra(HarnessError):
    """An optional dependency is not installed. The message names the extra that brings it."""


def need(module: str, extra: str, purpose: str) -> ModuleType:
    """Import an optional dependency where it is used.

    Raises:
        MissingExtra: it is not installed; the message has the pip command that installs it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        if error.name is None or error.name.split(".")[0] != module.split(".")[0]:
            raise
        raise MissingExtra(
            f"{purpose} needs the package '{module.split('.')[0]}': pip install 'rerank-harness[{extra}]'"
        ) from None


def array_advice(start: str, place: str) -> str:
    """The end of an error about a line that should hold one object: how to rewrite a file that is one JSON array.

    Args:
        start: the line, or its beginning.
        place: `file:line`. Only a first line can begin an array of all objects.
    """
    file, _, number = place.rpartition(":")
    if number != "1" or not start.lstrip("\ufeff \t\r\n").startswith("["):
        return "write one object per line"
    return f"the file is a JSON array; write one object per line: jq -c '.[]' {file} > OUT.jsonl"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of an error about an unknown name: the nearest known names, then all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    hint = f" Did you mean {', '.join(near)}?" if near else ""
    return f"{hint} Available: {', '.join(names) or 'none'}."
