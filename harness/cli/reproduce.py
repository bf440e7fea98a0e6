"""The command `harness reproduce`."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli import options
from harness.cli.app import COMPARE
from harness.cli.printing import existing_workspace, print_json, print_table
from harness.cli.verb import verb


@verb(
    COMPARE,
    epilog="Examples:\n\n    harness reproduce 3fa9c1\n\n    harness reproduce 3fa9c1 --keep-candidates --json",
)
def reproduce(
    id: Annotated[str, typer.Argument(help=options.EVALUATION)],
    keep_candidates: options.KeepCandidates = False,
    stored_texts: options.StoredTexts = False,
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """Compute a stored result again from its sources, and say whether it is the same.

    Nothing is taken from the workspace: the source of the collection is read again, the candidates are searched and
    every pair is scored. So it costs what the first run did.

    The exit code is 0 for OK and close, 1 for differs.
    """
    from harness.judging.reproduce import reproduce as again
    from harness.progress import Terminal
    from harness.workspace import Workspace
    from reports.tables.listing import details
    from reports.tables.reproduce import reproduced_dict, reproduced_table

    place = existing_workspace(workspace)
    known = str(details(id, place)["id"])  # refuses an empty workspace and an unknown name before anything is opened
    found = again(Workspace.open(place), known, Terminal(), keep_candidates=keep_candidates, stored_texts=stored_texts)
    if as_json:
        print_json(reproduced_dict(found))
    else:
        print_table(reproduced_table(found))
    if found.state == "differs":
        raise typer.Exit(1)
