"""The command `harness why`."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli import options
from harness.cli.app import COMPARE
from harness.cli.printing import print_json
from harness.cli.verb import verb


@verb(
    COMPARE,
    epilog="Examples:\n\n"
    "    harness why BAAI/bge-reranker-v2-m3 ./checkpoint-1000 --out why.html\n\n"
    "    harness why 3fa9c1 77b0d2 --out why.html --measure RR@10 --queries 2000",
)
def why(  # noqa: PLR0917
    a: Annotated[str, typer.Argument(help=options.SYSTEM)],
    b: Annotated[str, typer.Argument(help="The system to compare with A.")],
    out: options.Page,
    measure: options.OneMeasure = "main",
    collections: options.Collections = None,
    first_stage: options.OnlyFirstStage = None,
    depth: options.OnlyDepth = None,
    queries: options.QueriesOnPage = 500,
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """Explain on one HTML page which queries and documents make two systems differ."""
    from harness import api

    found = api.why(
        a,
        b,
        measure=measure,
        collections=collections,
        first_stage=first_stage,
        depth=depth,
        workspace=workspace,
    )
    found.write(out, queries)
    if as_json:
        print_json(found.as_dict())
        return
    typer.echo(f"A: {found.a}\nB: {found.b}\n{found.headline}\nwritten: {out}")
