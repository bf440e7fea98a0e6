"""Errors for users: one line that says what to do, and an exit code per class."""

from __future__ import annotations

import difflib
import errno
import importlib
import re
from collections.abc import Iterable
from types import ModuleType

from adapters.plain_text import message


class HarnessError(Exception):
    """The base of every error that is raised on purpose. Raise one of its subclasses, which have an `exit_code`.

    Args:
        text: the message. Control characters and overrides of direction in it, which foreign names may have, are
            escaped, so that it is one line.
    """

    exit_code = 70
    """What the command line returns. docs/exit-codes.md lists all of them."""

    def __init__(self, text: object = "") -> None:
        super().__init__(message(str(text)))


class UsageError(HarnessError):
    """The command, an option or a spec string is wrong."""

    exit_code = 2


class ModelError(HarnessError):
    """A model cannot be used: wrong kind, missing head, newly initialised weights, non-finite scores."""

    exit_code = 3


class DataError(HarnessError):
    """A file of a collection, a run or a store cannot be trusted. The message names the file and the line."""

    exit_code = 5


class EnvironmentFailure(HarnessError):
    """The machine or the network failed, so the same command may work later or elsewhere: no connection, a full disk, a
    missing permission, too little memory, a package that is missing or cannot be imported."""

    exit_code = 6


class DiskFull(EnvironmentFailure):
    """Something could not be stored because the disk or a quota is full. What was stored before is complete."""


class WorkerError(EnvironmentFailure):
    """A process that scores or embeds ended unexpectedly. What it had finished is kept."""


class MissingExtra(EnvironmentFailure):
    """An optional dependency is not installed. The message names the extra that brings it."""


def need(module: str, extra: str, purpose: str) -> ModuleType:
    """Import an optional dependency where it is used.

    Raises:
        MissingExtra: it is not installed; the message has the pip command that installs it.
        EnvironmentFailure: it is installed, but importing it fails.
    """
    package = module.split(".")[0]
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.split(".")[0] != package:
            raise broken_package(package, error) from error
        raise MissingExtra(f"{purpose} needs the package '{package}': pip install 'rerank-harness[{extra}]'") from None
    except Exception as error:  # a broken installation raises whatever it likes
        raise broken_package(package, error) from error


def broken_package(package: str, error: BaseException) -> EnvironmentFailure:
    """The error for a package that is installed and cannot be imported."""
    reason = " ".join(str(error).split())[:_LONGEST]
    return EnvironmentFailure(
        f"the package '{package}' is installed but cannot be imported ({type(error).__name__}: {reason}); install it "
        f"again: pip install --force-reinstall {package}"
    )


_LONGEST = 300
_OF_THE_MACHINE = frozenset(
    getattr(errno, name)
    for name in (
        "EACCES", "EPERM", "EROFS", "ENOSPC", "EDQUOT", "EFBIG", "EIO", "EMFILE", "ENFILE", "ENOMEM", "ESTALE",
        "ENODEV", "ENXIO", "EBUSY", "ETXTBSY", "ENOLCK", "EAGAIN",
    )
    if hasattr(errno, name)
)  # fmt: skip
_WRONG_DATABASE = frozenset((1, 11, 26))
"""SQLITE_ERROR, SQLITE_CORRUPT and SQLITE_NOTADB: the file is wrong, not the machine."""
_NETWORK = frozenset(("httpx", "httpcore", "requests", "urllib", "urllib3", "aiohttp", "http", "ssl", "socket"))
_NOT_ON_HUB = frozenset(("RepositoryNotFoundError", "RevisionNotFoundError", "RemoteEntryNotFoundError"))
_NOT_REACHED = frozenset(("LocalEntryNotFoundError", "HfHubHTTPError"))
_NO_MEMORY = "OutOfMemoryError"
"""Classes of huggingface_hub and torch, by name, because they are optional dependencies."""
_OUT_OF_MEMORY = re.compile(
    r"out of memory|can't allocate memory|cannot allocate memory|failed to allocate memory|not enough memory"
    r"|_STATUS_ALLOC_FAILED|RESOURCE_EXHAUSTED",
    re.IGNORECASE,
)
"""What torch, CUDA, cuBLAS and ONNX Runtime write in a RuntimeError where memory is too small."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory was too small, of the machine or of a GPU."""
    named = _NO_MEMORY in {kind.__name__ for kind in type(error).__mro__}
    written = not isinstance(error, HarnessError | OSError) and _OUT_OF_MEMORY.search(str(error)) is not None
    if isinstance(error, MemoryError) or named or (written and isinstance(error, RuntimeError)):
        return True
    return error.__cause__ is not None and is_out_of_memory(error.__cause__)


def is_of_environment(error: BaseException) -> bool:
    """Whether the machine or the network caused an error, not what was read: no permission, no space, no memory, a
    failing disk, a locked database, no connection. A file that is not there, or holds something else, is not."""
    names = {kind.__name__ for kind in type(error).__mro__}
    if names & _NOT_ON_HUB and "GatedRepoError" not in names:
        return False
    kinds = EnvironmentFailure | MemoryError | ConnectionError | TimeoutError
    if (
        isinstance(error, kinds)
        or is_out_of_memory(error)
        or names & _NOT_REACHED
        or type(error).__module__.split(".")[0] in _NETWORK
    ):
        return True
    if type(error).__module__ == "sqlite3" and type(error).__name__ == "OperationalError":
        return (getattr(error, "sqlite_errorcode", 0) & 0xFF) not in _WRONG_DATABASE
    if isinstance(error, OSError) and error.errno in _OF_THE_MACHINE:
        return True
    return error.__cause__ is not None and is_of_environment(error.__cause__)


def class_of(error: BaseException, otherwise: type[HarnessError]) -> type[HarnessError]:
    """The class to raise for the error of a library or the system: `EnvironmentFailure` if the machine or the network
    caused it, else `otherwise`."""
    return EnvironmentFailure if is_of_environment(error) else otherwise


def class_of_fetch(error: BaseException, otherwise: type[HarnessError]) -> type[HarnessError]:
    """The class to raise for an error of the hub's client: `otherwise` if the hub has no such thing or the name is no
    name, else `EnvironmentFailure`. The client raises a dozen unrelated classes where there is no network."""
    names = {kind.__name__ for kind in type(error).__mro__}
    absent = names & _NOT_ON_HUB and "GatedRepoError" not in names
    return otherwise if absent or "HFValidationError" in names else EnvironmentFailure


def damaged(file: object, error: BaseException, advice: str) -> HarnessError:
    """The error for a file of a store that cannot be read: it is damaged, or the machine does not give it."""
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    if is_of_environment(error):
        return EnvironmentFailure(f"{file}: cannot be read ({reason})")
    return DataError(f"{file}: damaged ({reason}); {advice}")


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
