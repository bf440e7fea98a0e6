"""How verbs print: tables for people, JSON for machines; and the folders that they are given."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer

from adapters.errors import UsageError


def make_folder(out: Path | None) -> None:
    if out is not None:
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"--out {out}: no folder can be made there ({error.strerror})") from None


@contextmanager
def shown_first(run: Callable[[], Any]) -> Iterator[Any]:
    """Hand out what a run gave, to be shown; that it could not be kept is raised after that."""
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


def show_outcome(outcome: Any, out: Path | None, *, audit: bool, as_json: bool) -> None:
    from harness.result.export import as_dict
    from harness.result.secrets import public_command
    from harness.result.stemming import notes, of_evaluations
    from leaderboards.anchors import anchors, anchors_table
    from reports import comparison

    if out is not None:
        outcome.write(out, public_command(["harness", *sys.argv[1:]]))
    if as_json:
        typer.echo(
            json.dumps(as_dict(outcome.evaluations, outcome.skipped), ensure_ascii=False, indent=1, allow_nan=False)
        )
        return
    tables = comparison.comparison_tables(outcome.evaluations)
    if published := anchors(outcome.evaluations):
        tables.append(anchors_table(published, notes(of_evaluations(outcome.evaluations))))
    if audit:
        tables += [comparison.audit_table(outcome.evaluations), comparison.controls_table(outcome.evaluations)]
    for table in tables:
        print_table(table)
    for alarm in comparison.alarms(outcome.evaluations):
        print_alarm(alarm)
    if out is not None:
        typer.echo(f"written: {out}/report.md")


def print_left_out(left_out: Any) -> None:
    """Where no output has a place for it."""
    for line in left_out.lines:
        typer.echo(line, err=True)


def print_rows(table: Any, as_json: bool) -> None:
    if as_json:
        rows = [dict(zip(table.columns, (cell.text for cell in row), strict=True)) for row in table.rows]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
    else:
        print_table(table)


def print_table(table: Any) -> None:
    from rich.console import Console

    from reports.tables import terminal

    if sys.stdout.isatty():
        console = Console(highlight=False)
        console.print(terminal(table, console.width))
    else:  # whoever reads a pipe gets the whole table
        Console(width=100_000, highlight=False).print(terminal(table), soft_wrap=True)


def print_alarm(named: str) -> None:
    """An alarm with its name at the end; a remark says that it is one."""
    from harness.measuring.alarms.alarm import is_remark

    name = named.rpartition(" [")[2].removesuffix("]")
    typer.echo(f"{'REMARK' if is_remark(name) else 'ALARM'} {named}")


def workspace_path(workspace: Path | None) -> Path:
    from harness.workspace import DEFAULT

    return workspace or Path(DEFAULT)


def existing_workspace(workspace: Path | None) -> Path:
    path = workspace_path(workspace)
    if path.exists() and not path.is_dir():
        raise UsageError(f"the workspace '{path}' is a file; name a folder with --workspace")
    return path
