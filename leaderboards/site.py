"""A board as a folder of pages that needs no server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from adapters.errors import UsageError, class_of, need
from harness.workspace import write_atomically
from leaderboards.board import Board
from leaderboards.pages import collection, cost, system, table

_MARKER = ".harness-board"


def write_board(made: Board, out: Path) -> int:
    """Write the pages, each atomically, and remove those of an earlier board. Return the number of pages.

    Raises:
        UsageError: the folder cannot be written, or it holds files that are not a board.
        MissingExtra: Jinja2 is not installed.
    """
    need("jinja2", "reports", "`harness board`")
    _refuse_foreign(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        _write(out / _MARKER, "pages of `harness board`; each call writes them again\n")
        written = {_write(out / name, text) for name, text in pages(made)}
        for file in set(out.rglob("*.html")) - written:
            file.unlink()
    except OSError as error:
        raise class_of(error, UsageError)(f"--out {out}: the folder cannot be written ({error.strerror})") from None
    return len(written)


def pages(made: Board) -> Iterator[tuple[str, str]]:
    """The names of files below the folder, and their texts."""
    for index, ranked in enumerate(made.tables):
        yield table.file_of(index, ranked.sheet), table.page(made, index)
        if len(ranked.sheet.languages) > 1:
            yield table.languages_file(ranked.sheet), table.languages_page(made, index)
        yield cost.file_of(ranked.sheet), cost.page(made, index)
    for key in made.by_system:
        yield system.file_of(key), system.page(made, key)
    for one in made.collections:
        yield collection.file_of(one), collection.page(made, one)


def _write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    with write_atomically(file) as unfinished:
        unfinished.write_text(text, "utf-8", "replace")
    return file


def _refuse_foreign(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out}: this is a file; name a folder")
    if out.is_dir() and not (out / _MARKER).is_file() and any(out.iterdir()):
        raise UsageError(f"--out {out}: the folder holds files that are not a board; name a new or an empty folder")
