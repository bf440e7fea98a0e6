"""The command `harness history`."""

from __future__ import annotations

import typer

from harness.cli import options
from harness.cli.app import SHOW
from harness.cli.printing import existing_workspace, make_folder, print_json, print_left_out, print_table
from harness.cli.verb import verb


@verb(
    SHOW,
    epilog="""Examples:

    harness history './checkpoint-*' --out history

    harness history ./my-model --collection miracl --language sw --json""",
)
def history(  # noqa: PLR0917
    family: options.SystemFamily,
    measure: options.HistoryMeasure = None,
    collections: options.BoardCollections = None,
    languages: options.Languages = None,
    out: options.HistoryOut = None,
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """Show the score of every checkpoint with its interval, and the verdict of the gate. Revisions with the same name
    are distinguished by their content."""
    from harness.judging.history import history as points_of
    from reports.tables.history import history_json, history_table

    found = points_of(existing_workspace(workspace), family, measure, collections or (), languages or ())
    points = found.points
    if as_json:
        print_left_out(found.left_out)
        print_json(history_json(points))
    else:
        print_table(history_table(points, family, found.left_out.lines))
    if out is not None:
        from reports.plots.checkpoints import write_history

        make_folder(out)
        plot = write_history(points, family, out)
        typer.echo(f"written: {plot.png}, {plot.svg}", err=as_json)
