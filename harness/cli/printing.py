"""What the commands print, tables or JSON, and the folders that they write to."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import typer

from adapters.errors import MissingExtra, UsageError, class_of
from harness.numbers import finite

if TYPE_CHECKING:
    from harness.api.outcome import Outcome
    from harness.api.shown import Shown
    from reports.view import View


class WrittenAsPage(Protocol):
    """A result that can be written as a page with plots."""

    def write(self, out: Path) -> object: ...


def make_folder(out: Path | None) -> None:
    if out is not None:
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise class_of(error, UsageError)(f"--out {out}: the folder cannot be created ({error.strerror})") from None


@contextmanager
def shown_first(run: Callable[[], Any]) -> Iterator[Any]:
    """Yield the outcome of a run to be printed. The error that it could not be stored is raised afterwards."""
    from harness.api import ResultsNotKept

    failure = None
    try:
        outcome = run()
    except ResultsNotKept as error:
        outcome, failure = error.outcome, error
    yield outcome
    if failure is not None:
        sys.stdout.flush()
        raise failure


def show_outcome(outcome: Outcome, out: Path | None, view: View, *, audit: bool, as_json: bool) -> None:
    from harness.result.secrets import public_command

    if out is not None:
        outcome.write(out, public_command(["harness", *sys.argv[1:]]), view)
    if as_json:
        print_json(outcome.as_dict(view))
        return
    print_tables(outcome.tables(view, audit=audit), outcome.shown_alarms(view))
    if out is not None:
        typer.echo(f"written: {out}/report.md")


def write_page(report: WrittenAsPage, out: Path | None) -> None:
    """Write the page of a report, if a folder is named. If matplotlib is missing, a line says that there is no plot."""
    if out is not None:
        try:
            report.write(out)
        except MissingExtra as error:
            typer.echo(f"no plot: {error}", err=True)


def print_json(values: object) -> None:
    """Print JSON that is readable, and that every other program can read: a number that is none becomes null."""
    typer.echo(json_text(values))


def json_text(values: object) -> str:
    """The text that `print_json` prints."""
    return json.dumps(finite(values), ensure_ascii=False, indent=1, allow_nan=False)


def print_answer(answer: Shown) -> None:
    """Print the result of a call of the Python interface: its tables, then its alarms."""
    print_tables(answer.tables(), answer.alarms)


def print_tables(tables: Iterable[Any], alarms: Iterable[str]) -> None:
    for table in tables:
        print_table(table)
    for alarm in alarms:
        print_alarm(alarm)


def print_left_out(left_out: Any) -> None:
    """Print to stderr what a selection left out, for outputs that have no place for it."""
    for line in left_out.lines:
        typer.echo(line, err=True)


def print_rows(table: Any, as_json: bool) -> None:
    if as_json:
        rows = [dict(zip(table.columns, (cell.text for cell in row), strict=True)) for row in table.rows]
        print_json(rows)
    else:
        print_table(table)


def print_table(table: Any) -> None:
    from rich.console import Console

    from harness.streams import unescaped
    from reports.table import terminal

    if sys.stdout.isatty():
        console = Console(file=unescaped(sys.stdout), highlight=False)
        console.print(terminal(table, console.width))
    else:  # in a pipe, print the whole table
        Console(file=unescaped(sys.stdout), width=100_000, highlight=False).print(terminal(table), soft_wrap=True)


def print_alarm(named: str) -> None:
    """Print an alarm or a remark, with its name at the end."""
    from harness.measuring.alarms.alarm import is_remark

    name = named.rpartition(" [")[2].removesuffix("]")
    typer.echo(f"{'REMARK' if is_remark(name) else 'ALARM'} {named}")


def check_file(file: Path | None, *, made: bool = True) -> None:
    """Refuse a file that cannot be written, before anything is computed.

    Args:
        made: whether its folder is made where it does not exist.

    Raises:
        UsageError: the file is a folder, or has none.
    """
    if file is not None and file.is_dir():
        raise UsageError(f"{file} is a folder; name a file")
    if file is not None and not made and not file.absolute().parent.is_dir():
        raise UsageError(f"{file}: its folder does not exist; make it first, or name a file elsewhere")


def workspace_path(workspace: Path | None) -> Path:
    from harness.workspace import DEFAULT

    return workspace or Path(DEFAULT)


def existing_workspace(workspace: Path | None) -> Path:
    from harness.api.arguments import workspace_of

    return workspace_of(workspace)
