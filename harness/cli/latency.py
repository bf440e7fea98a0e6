"""The command `harness latency`."""

from __future__ import annotations

from adapters.errors import UsageError
from harness.cli import options
from harness.cli.app import MEASURE
from harness.cli.printing import print_rows
from harness.cli.verb import verb


@verb(
    MEASURE,
    epilog="Examples:\n\n    harness latency ./checkpoint-1000 ./scifact --depth 50\n\n"
    "    harness latency BAAI/bge-reranker-v2-m3 demo/en --queries 100 --json",
)
def latency(  # noqa: PLR0917
    system: options.TimedSystem = None,
    targets: options.TimedTargets = None,
    first_stage: options.FirstStage = None,
    depth: options.Depth = 100,
    queries: options.TimedQueries = 30,
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """Time a reranker one query at a time, and print median, 95th percentile and peak memory.

    The figures are added to the stored results of the same reranker, collection and depth.
    """
    from harness import api
    from harness.checks.latency import latency as timed
    from harness.progress import Terminal
    from harness.scoring.session import opened
    from harness.workspace import Workspace
    from reports.tables.latency import latency_table

    if system is None:
        raise UsageError("name the reranker to time, as in: harness latency ./checkpoint-1000")
    place = Workspace.open(workspace)
    collections = api.collections_of(targets or ["demo/en"], place)
    with opened(place, Terminal()) as session:
        found = timed(system, collections, session, first_stage=first_stage, depth=depth, queries=queries)
    print_rows(latency_table(system, found), as_json)
