"""How long work says what it costs and how far it is. The harness reports; whoever calls decides what is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

Advance = Callable[[int], None]


class Reporter(Protocol):
    """Shows the progress of long work."""

    def note(self, text: str) -> None:
        """Say one line."""
        ...

    def stage(self, title: str, total: int | None) -> AbstractContextManager[Advance]:
        """Show a stage of `total` steps; the context's value is called with the steps that were made."""
        ...


class Silent:
    """Shows nothing: the default of the Python interface."""

    def note(self, text: str) -> None:
        """Say nothing."""

    @contextmanager
    def stage(self, title: str, total: int | None) -> Iterator[Advance]:
        """Show nothing."""
        yield lambda _: None


class Terminal:
    """Notes and progress bars on standard error; bars only where that is a terminal."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(stderr=True, highlight=False)

    def note(self, text: str) -> None:
        """Print one line."""
        self._console.print(text, markup=False, emoji=False, soft_wrap=True)

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
            task = shown.add_task(title, total=total)
            yield lambda steps: shown.update(task, advance=steps)
