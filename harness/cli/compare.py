"""The command `harness compare`."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli import options
from harness.cli.app import COMPARE
from harness.cli.printing import existing_workspace, print_json, print_tables
from harness.cli.verb import verb


@verb(
    COMPARE,
    epilog="""Examples:

    harness compare "bm25 (first stage)" BAAI/bge-reranker-v2-m3 ./checkpoint-1000

    harness compare BAAI/bge-reranker-v2-m3 onnx:./bge-int8 --equivalent-within 0.2

    harness compare BAAI/bge-reranker-v2-m3 mine --group "mine=./seed-*" --collection beir --first-stage bm25

    harness compare ./checkpoint-900 ./checkpoint-1000 --unjudged

    harness compare ./model ./model --workspace main-artefact --against .harness""",
)
def compare(  # noqa: PLR0917
    baseline: Annotated[str, typer.Argument(help=f"{options.SYSTEM} Or a --group.")],
    candidates: Annotated[list[str], typer.Argument(help="Systems to compare with the baseline.")],
    collections: options.Collections = None,
    measures: options.Measures = None,
    first_stage: options.OnlyFirstStage = None,
    depth: options.OnlyDepth = None,
    unpaired_first_stages: options.UnpairedFirstStages = False,
    equivalent_within: options.EquivalentWithin = None,
    groups: options.Groups = None,
    unjudged: options.UnjudgedBounds = False,
    columns: options.ComparedColumns = None,
    names: options.NamesFile = None,
    workspace: options.WorkspacePath = None,
    against: options.AgainstCandidates = None,
    as_json: options.AsJson = False,
) -> None:
    """Compare stored results query by query, with effects, intervals and corrected p-values.

    All systems must have ranked the same candidates. No model is run. With --against, the baseline is looked up in
    --workspace and the candidates in the other workspace.
    """
    from harness import api
    from reports.tables.compare import COMPARED
    from reports.view import view_of

    path = existing_workspace(workspace)
    view = view_of(columns, measures or (), names, path, known=COMPARED)
    found = api.compare(
        baseline,
        *candidates,
        collections=collections,
        measures=measures,
        first_stage=first_stage,
        depth=depth,
        unpaired_first_stages=unpaired_first_stages,
        equivalent_within=equivalent_within,
        groups=groups,
        unjudged=unjudged,
        workspace=workspace,
        against=against,
    )
    if as_json:
        print_json(found.as_dict(view))
    else:
        print_tables(found.tables(view), found.alarms)
