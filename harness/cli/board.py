"""The command `harness board`."""

from __future__ import annotations

from pathlib import Path

import typer

from adapters.errors import UsageError
from harness.cli import options
from harness.cli.app import SHOW
from harness.cli.printing import existing_workspace, print_json, print_left_out
from harness.cli.verb import verb


@verb(
    SHOW,
    epilog="""Examples:

    harness board --out site

    harness board 'BAAI/*' bm25 --collection miracl --systems systems.toml --out site""",
)
def board(  # noqa: PLR0917
    systems: options.SystemNames = None,
    out: options.BoardOut = None,
    collection: options.BoardCollections = None,
    language: options.Languages = None,
    measure: options.Measures = None,
    systems_file: options.SystemsFile = None,
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """Make a leaderboard of the stored results as static pages (extra: reports).

    The pages need no server and open from a folder.
    """

    from leaderboards.board import board as made_of
    from leaderboards.site import write_board

    if out is None:
        raise UsageError("name the folder for the pages, as in: harness board --out site")
    made = made_of(
        existing_workspace(workspace), systems or (), collection or (), language or (), measure or (), systems_file
    )
    pages = write_board(made, out)
    first: Path = out / "index.html"
    if as_json:
        counted = {"pages": pages, "index": str(first), "systems": len(made.by_system)}
        print_json(counted | {"left_out": made.left_out.as_dict()})
    else:
        print_left_out(made.left_out)
        typer.echo(f"written: {first} ({pages} pages, {len(made.by_system)} systems)")
