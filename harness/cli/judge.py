"""The commands `harness judge ...`."""

from __future__ import annotations

import typer

from harness.cli.app import COMPARE, Verbs, app

judge = typer.Typer(
    name="judge",
    cls=Verbs,
    help="Measure how well a judge agrees with people, and collect or compare judgments.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(judge, rich_help_panel=COMPARE)
