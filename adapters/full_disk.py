"""Errors of a full disk that name the file. Libraries raise many that do not: pyarrow, numpy and a buffered
file name nothing, and safetensors, torch and tokenizers raise classes of their own."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adapters.errors import HarnessError

FULL = frozenset(
    getattr(errno, name) for name in ("ENOSPC", "EDQUOT", "EFBIG") if hasattr(errno, name)
)  # fmt: skip
"""What the system says of a full disk, a used-up quota, and a file that is larger than may be."""
LITTLE = 1 << 20
"""Free bytes of a disk that counts as full."""
_WRITTEN = re.compile(r"no space left|quota exceeded|file too large|os error (28|122|27)\b", re.IGNORECASE)

_OF_NUMPY = re.compile(r"\d+ requested and \d+ written")
"""Numpy does not say why a write failed."""


@contextmanager
def naming_full_disk(place: Path, unfinished: Path | None = None) -> Iterator[None]:
    """Let an error of a full disk in the block name a file or folder.

    Args:
        place: what is written, for the user.
        unfinished: where it is written first, if that is elsewhere. Its name in an error becomes that of `place`.

    Raises:
        OSError: with the number of the system's error and `place` as its file name; EIO where numpy could not write,
            and the disk is not full.
    """
    try:
        yield
    except OSError as error:
        if error.errno in FULL and _names_nothing(error, unfinished):
            error.filename = str(place)
        if error.errno is None and (_WRITTEN.search(str(error)) or _OF_NUMPY.search(str(error))):
            number = errno.EIO if _OF_NUMPY.search(str(error)) and not has_no_space(place.parent) else errno.ENOSPC
            raise OSError(number, _reason(error), str(place)) from error
        raise
    except HarnessError:
        raise
    except Exception as error:
        if _WRITTEN.search(str(error)) or _is_of_torch(error, place):
            raise OSError(errno.ENOSPC, _reason(error), str(place)) from error
        raise


def has_no_space(folder: Path) -> bool:
    """Whether the disk of a folder has less than `LITTLE` bytes left, or no more files."""
    try:
        left = os.statvfs(folder)
    except OSError:
        return False
    return left.f_bavail * left.f_frsize < LITTLE or (left.f_files > 0 and left.f_favail == 0)


def full_message(place: str, reason: str) -> str:
    """The line about a full disk.

    Args:
        place: the file or folder that could not be written.
        reason: what the system or a library said.
    """
    path = Path(place)
    folder = place if path.is_dir() else str(path.absolute().parent)
    return (
        f"{place}: the disk is full ({reason}); finished work is kept; free some space on the disk of {folder} and run "
        "the same command again"
    )


def _names_nothing(error: OSError, unfinished: Path | None) -> bool:
    return error.filename is None or (unfinished is not None and str(unfinished) in str(error.filename))


def _is_of_torch(error: Exception, place: Path) -> bool:
    """Whether `torch.save` failed to write; it does not say why."""
    return isinstance(error, RuntimeError) and "writ" in str(error) and has_no_space(place.parent)


def _reason(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__
