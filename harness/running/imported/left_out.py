"""Why a result of others is not imported: one message for a file, or one line for all files of a folder with the same
reason."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from adapters.errors import UsageError

_SHOWN = 5


class NotTaken(UsageError):
    """A result cannot be imported. In a folder it is left out, and the other files are read.

    Args:
        path: the file.
        reason: what is wrong and what to do. Files with the same reason are counted together.
        item: what names the file after the reason, such as its task.
        detail: the message about this file alone. Default: `reason`.
    """

    def __init__(self, path: Path, reason: str, item: str, detail: str = "") -> None:
        super().__init__(f"{path}: {detail or reason}")
        self.reason, self.item = reason, item


def counted(left_out: Iterable[NotTaken]) -> tuple[str, ...]:
    """Return a line for each reason, the most frequent first: how many files, why, and which."""
    items: dict[str, list[str]] = {}
    for one in left_out:
        items.setdefault(one.reason, []).append(one.item)
    ordered = sorted(items.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return tuple(f"{_files(len(found))} {reason} ({_listed(found)})" for reason, found in ordered)


def _files(count: int) -> str:
    return "1 file:" if count == 1 else f"{count:,} files:"


def _listed(items: list[str]) -> str:
    names = sorted(dict.fromkeys(items))
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
