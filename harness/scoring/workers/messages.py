"""What a worker sends to the process that started it."""

from __future__ import annotations

import pickle
import traceback
from dataclasses import dataclass

from adapters.errors import DataError, EnvironmentFailure, HarnessError, ModelError, UsageError
from adapters.protocols import Scored
from harness.scoring.engine import Embedded


@dataclass(frozen=True)
class PartDone:
    """Results of some rows of the chunk."""

    result: Scored | Embedded


@dataclass(frozen=True)
class ChunkDone:
    """The chunk is complete."""


@dataclass(frozen=True)
class ChunkFailed:
    """The adapter raised an error."""

    error: BaseException


@dataclass(frozen=True)
class WorkerWarned:
    """A warning, to be shown once for all workers."""

    text: str
    category: type[Warning]


Message = PartDone | ChunkDone | ChunkFailed | WorkerWarned


def portable(error: BaseException) -> BaseException:
    """The error as it can be sent: itself, or one with its text. A traceback that is not for users is a note."""
    try:  # the bytes are of this process's own error; nothing foreign is read
        copied = pickle.loads(pickle.dumps(error))
        sent: BaseException = copied if type(copied) is type(error) and str(copied) == str(error) else _plain(error)
    except Exception:  # an error of a plug-in may refuse to be pickled in any way
        sent = _plain(error)
    if not isinstance(error, HarnessError):
        sent.add_note("in a worker:\n" + "".join(traceback.format_exception(error)))
    return sent


def _plain(error: BaseException) -> Exception:
    """An error of the package's own class with the same exit code; a bug of any other class stays a bug."""
    for kind in (UsageError, ModelError, DataError, EnvironmentFailure):
        if isinstance(error, kind):
            return kind(str(error))
    return RuntimeError(f"{type(error).__name__}: {error}")
