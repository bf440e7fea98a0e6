"""The commands `harness list`, `harness show` and `harness doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from adapters.errors import DataError, UsageError
from harness.cli import options
from harness.cli.app import WORKSPACE
from harness.cli.printing import existing_workspace, print_json, print_rows, print_table, workspace_path
from harness.cli.verb import verb


@verb(
    WORKSPACE,
    "list",
    epilog="""Examples:

    harness list

    harness list results './checkpoint-*' --collection miracl

    harness list adapters --json""",
)
def list_(
    what: Annotated[str, typer.Argument(help="results, collections, systems, looks or adapters.")] = "results",
    systems: options.SystemNames = None,
    collections: options.BoardCollections = None,
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """List results, collections, systems, gate looks or adapters."""
    from reports.tables.listing import listing

    print_rows(listing(what, existing_workspace(workspace), systems or (), collections or ()), as_json)


@verb(WORKSPACE, epilog="Example:\n\n    harness show 3fa9c1")
def show(
    id: Annotated[str, typer.Argument(help=options.EVALUATION)],
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """Show one evaluation with its values, identity, audit and command."""
    from reports.tables.listing import details

    found = details(id, existing_workspace(workspace))
    if as_json:
        print_json(found)
        return
    from reports.tables.listing import outline, tables_of

    left_out = ("per_query", "robustness", "perturbed")
    typer.echo(outline({key: value for key, value in found.items() if key not in left_out}))
    for table in tables_of(str(found["id"]), existing_workspace(workspace)) if "robustness" in found else ():
        print_table(table)


@verb(WORKSPACE, epilog="Example:\n\n    harness doctor --json")
def doctor(  # noqa: PLR0917
    targets: options.ComparedTargets = None,
    sources: options.CompareSources = False,
    full: options.Full = False,
    mirror: options.Mirror = None,
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """Check this installation and the workspace, from packages and extras to stores and disk space.

    The exit code is 5 if a store is broken, 6 if the installation is, else 0.
    """
    from harness.checks.doctor import examine, exit_code_of
    from harness.workspace import Workspace

    if sources:
        _compared(targets or [], mirror, workspace, as_json)
        return
    if targets:
        raise UsageError("doctor reads targets only with --sources; leave them out, or add --sources")
    findings = examine(Workspace(workspace_path(workspace)), full=full)
    if as_json:
        print_json([finding.as_dict() for finding in findings])
    else:
        for finding in findings:
            typer.echo(f"{finding.state:<8} {finding.subject}: {finding.detail}")
    raise typer.Exit(exit_code_of(findings))


def _compared(targets: list[str], mirror: Path | None, workspace: Path | None, as_json: bool) -> None:
    from harness.data.sources.agreement import compare_sources
    from harness.data.sources.origin import SourceChoice
    from harness.workspace import Workspace
    from reports.tables.doctor import agreement_table

    if not targets:
        raise UsageError("name a collection of a suite, as in: harness doctor beir/scifact --sources")
    opened = Workspace.open(workspace)
    found = [one for target in targets for one in compare_sources(target, SourceChoice("auto", mirror), opened)]
    print_rows(agreement_table(found), as_json)
    if any(one.state == "other" for one in found):
        raise typer.Exit(DataError.exit_code)
