"""The command `harness submit`."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli import options
from harness.cli.app import SHOW
from harness.cli.printing import existing_workspace
from harness.cli.verb import verb


@verb(
    SHOW,
    epilog="""Examples:

    harness submit BAAI/bge-reranker-v2-m3@COMMIT --out ./submission

    harness submit cross-encoder:./checkpoint-1000 --first-stage bm25 --collection miracl --out ./submission""",
)
def submit(  # noqa: PLR0917
    system: Annotated[str, typer.Argument(help=options.SYSTEM)],
    out: options.SubmissionOut,
    collections: options.BoardCollections = None,
    first_stage: options.OnlyFirstStage = None,
    depth: options.OnlyDepth = None,
    workspace: options.WorkspacePath = None,
) -> None:
    """Write the stored results of a system in the layout of mteb's results repository (extra: mteb). No model is run.

    mteb's own classes read every file before it is written. Refused are tasks without a split, a subset or the official
    measure, samples, data that differ from the published data, imported results, and numbers with a hard alarm.
    """
    from leaderboards.submission import submit as packed

    done = packed(
        system, out, existing_workspace(workspace), collections or (), first_stage=first_stage, depth=depth
    )  # fmt: skip
    for name in done.left_out:
        typer.echo(f"left out: {name}", err=True)
    for file in done.files:
        typer.echo(f"written: {file}")
