"""The command `harness train show`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from harness.cli import options, stage_options
from harness.cli.help import Verb
from harness.cli.printing import existing_workspace, make_folder, print_table
from harness.cli.train import train

if TYPE_CHECKING:
    from pathlib import Path

    from harness.result.adaptation.record import AdaptationRecord
    from reports.table import Table


@train.command(
    cls=Verb,
    epilog="""Examples:

    harness train show ./adapted

    harness train show ./adapted --out page""",
)
def show(
    folder: stage_options.AdaptationFolder,
    out: stage_options.AdaptationPage = None,
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """Show the decision, arms, claims and cost of an adaptation.

    The record is updated after every event, so the command also works while the adaptation runs.
    """
    from harness.result.adaptation.reading import read_record
    from harness.result.adaptation.writing import json_text
    from reports.training.page import write

    record, path = read_record(folder), existing_workspace(workspace)
    if as_json:
        typer.echo(json_text(record))
    else:
        _print(record, path)
    if out is not None:
        make_folder(out)
        page = write(record, out, path)
        typer.echo(f"written: {page.markdown}, {page.html}", err=as_json)


def _print(record: AdaptationRecord, workspace: Path) -> None:
    from reports.training.story import headline

    for table in _tables(record, workspace):
        print_table(table)
    typer.echo(headline(record))
    for reason in record.reasons:
        typer.echo(f"  {reason}")


def _tables(record: AdaptationRecord, workspace: Path) -> list[Table]:
    """Return the tables that have rows."""
    from reports.training import accounts
    from reports.training.tables import arms_table, gain_tables

    found: list[Any] = [
        accounts.tasks_table(record), accounts.cost_table(record), accounts.looks_table(record), arms_table(record),
        *gain_tables(record, workspace), accounts.claims_table(record),
    ]  # fmt: skip
    return [table for table in found if table.rows]
