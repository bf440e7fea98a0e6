"""Progress of long work. The harness reports notes and stages; the caller passes a `Reporter` that shows them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from adapters.plain_text import printable_lines
from harness.streams import unescaped

Advance = Callable[[int], None]


class Reporter(Protocol):
    """Shows the progress of long work."""

    def note(self, text: str) -> None:
        """Show one line."""
        ...

    def stage(self, title: str, total: int | None) -> AbstractContextManager[Advance]:
        """Show a stage of `total` steps. The context's value is a function: call it with the number of steps done."""
        ...


class Silent:
    """Shows nothing. The default of the Python interface."""

    def note(self, text: str) -> None:
        """Do nothing."""

    @contextmanager
    def stage(self, title: str, total: int | None) -> Iterator[Advance]:
        """Do nothing."""
        yield lambda _: None


class Terminal:
    """Prints notes and progress bars to standard error; bars only if that is a terminal."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(file=unescaped(sys.stderr), highlight=False)

    def note(self, text: str) -> None:
        """Print one line."""
        self._console.print(printable_lines(text), markup=False, emoji=False, soft_wrap=True)

    @contextmanager
    def stage(self, title: str, total: int | None) -> Iterator[Advance]:
        """Draw a bar with rate and remaining time; it disappears when the stage is done."""
        from rich import progress as bars

        columns = (
            bars.TextColumn("{task.description}", markup=False),
            bars.BarColumn(),
            bars.MofNCompleteColumn(),
            bars.TimeRemainingColumn(),
        )
        hidden = not self._console.is_terminal or total == 0
        with bars.Progress(*columns, console=self._console, transient=True, disable=hidden) as shown:
            task = shown.add_task(printable_lines(title), total=total)
            yield lambda steps: shown.update(task, advance=steps)
