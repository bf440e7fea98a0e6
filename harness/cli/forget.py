"""The command `harness forget`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli import options
from harness.cli.app import WORKSPACE
from harness.cli.printing import existing_workspace, print_json, print_table
from harness.cli.verb import verb


@verb(
    WORKSPACE,
    epilog="""Examples:

    harness forget './checkpoint-*'

    harness forget ./checkpoint-900 --collection miracl/sw --yes

    harness forget --collection beir/fever --yes

    harness forget --vectors --yes""",
)
def forget(  # noqa: PLR0917
    systems: Annotated[
        list[str] | None,
        typer.Argument(help=f"Remove the results of these systems, and their scored pairs. {options.SYSTEM}"),
    ] = None,
    collections: Annotated[
        list[str] | None,
        typer.Option(
            "--collection",
            help="With systems, only their results on these collections; else everything that is stored of them.",
        ),
    ] = None,
    vectors: Annotated[
        bool, typer.Option("--vectors", help="Remove all cached vectors and terms. They are computed again if needed.")
    ] = False,
    cited: Annotated[
        bool,
        typer.Option(
            "--cited", help="Also remove results of accepted systems, of the policy's anchor and of adaptations."
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Remove it. Default: only print what would be removed.")] = False,
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """Remove results, collections or caches from the workspace, and print what that frees.

    Without --yes nothing is removed. Looks of the gate always stay, because they count. The scored pairs of a system
    are removed with its last result.
    """
    from harness.result.forgetting.plan import ForgetRequest, planned
    from harness.result.forgetting.removal import carried_out
    from harness.workspace import Workspace
    from reports.tables.forget import as_dict, last_line, removed_table

    place = Workspace(existing_workspace(workspace))
    plan = planned(place, ForgetRequest(systems or (), collections or (), vectors, cited, _anchors()))
    freed = carried_out(place, plan) if yes else None
    if as_json:
        print_json(as_dict(plan, freed))
        return
    print_table(removed_table(plan, removed=yes))
    typer.echo(last_line(plan, freed))


def _anchors() -> list[str]:
    """The anchor of the policy in the working folder, if there is one."""
    from harness.judging.gate.policy import BEST_ACCEPTED, read_policy

    file = Path("gate.toml")
    anchor = read_policy(file).anchor if file.is_file() else BEST_ACCEPTED
    return [] if anchor == BEST_ACCEPTED else [anchor]
