"""The command `harness merge search`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from adapters.errors import UsageError
from harness.cli import options, stage_options
from harness.cli.gate import EXIT
from harness.cli.help import Verb
from harness.cli.keys import with_configuration
from harness.cli.merge import merging
from harness.cli.printing import print_json, print_table

if TYPE_CHECKING:
    from training.configuration import Configured
    from training.searching.config import SearchConfig

OPTIONS = {
    "ingredient": "ingredients", "family": "family", "looks": "looks", "layers": "layers", "dev": "dev.collection",
    "dev-split": "dev.split", "first-stage": "dev.first_stage", "depth": "dev.depth", "measure": "dev.measure",
    "language": "dev.languages", "policy": "gate.policy", "release": "gate.release",
}  # fmt: skip


@merging.command(
    cls=Verb,
    epilog="""Examples:

    harness merge search --ingredient ./base --ingredient ./tuned --dev ./scifact --dev-split train --first-stage bm25
    --out ./merged

    harness merge search search.toml --policy gate.toml --looks 30 --out ./merged

    harness merge search --print-config > search.toml

Exit codes: 0 no gate was asked, or it passes the winner; 1 refused, 4 inconclusive, 3 invalid, 2 usage.""",
)
@with_configuration("chosen", "training.searching.config:SearchConfig", OPTIONS, {}, {})
def search(
    *,
    chosen: Configured[SearchConfig],
    out: stage_options.SearchOut = None,
    workers: options.WorkerCount = 1,
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """Search for the best merge of checkpoints on dev, within a number of looks, and let the gate judge it once.

    With two checkpoints it follows t, also over the layers; with more, the order of the chain and the weights. The best
    value on dev is optimistic, because it was chosen there; only the gate allows a claim. To continue a killed search,
    run the same command again.
    """
    from harness.api.arguments import workers_of
    from harness.progress import Terminal
    from harness.scoring.session import opened
    from harness.workspace import Workspace
    from reports.tables.merge_search import page, tables
    from training.searching.search import search as run

    if out is None:
        raise UsageError("harness merge search needs --out; see --help")
    with opened(Workspace.open(workspace), Terminal(), workers_of(workers)) as session:
        result = run(chosen, out, session, page)
    if as_json:
        print_json(result)
    else:
        for table in tables(result):
            print_table(table)
        typer.echo(result["answer"])
        typer.echo(f"written: {out}/search.md")
    raise typer.Exit(EXIT[result["gate"]["state"] if result["gate"] else None])
