"""The command `harness import`."""

from __future__ import annotations

import typer

from adapters.errors import UsageError
from harness.cli import options
from harness.cli.app import SHOW
from harness.cli.printing import print_rows, show_outcome, workspace_path
from harness.cli.verb import verb


@verb(
    SHOW,
    "import",
    epilog="""Examples:

    harness import reranked.tsv --target beir/scifact --name their-reranker --first-stage-run bm25.trec

    harness import predictions.json --target mteb/AlloprofReranking --first-stage given

    harness import ./results/BAAI__bge-reranker-v2-m3""",
)
def import_(  # noqa: PLR0917
    files: options.ImportedFiles,
    target: options.ImportTarget = None,
    name: options.ImportName = None,
    format: options.ImportFormat = None,
    first_stage_run: options.FirstStageRun = None,
    first_stage: options.ImportFirstStage = None,
    depth: options.Depth = 100,
    measures: options.Measures = None,
    split: options.Split = None,
    rules: options.RulesFile = None,
    source: options.SourceName = "auto",
    mirror: options.Mirror = None,
    allow_drift: options.AllowDrift = False,
    audit: options.Audit = False,
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """Import results that others computed, and mark them as imported wherever they are shown.

    Run files (TREC, tevatron, MS MARCO and pyserini, FlagEmbedding, mteb's predictions, BEIR's JSON) are measured and
    audited here on a --target. Results of mteb are only means: they get no intervals, no tests and no rank.
    """
    from harness.running.imported.taken import is_run, take_means

    if len(files) == 1 and is_run(files[0], format):
        if target is None:
            raise UsageError(f"{files[0]}: a run does not name its judgments; name the --target that it ranks")
        from harness import api
        from harness.data.sources.origin import SourceChoice
        from harness.progress import Terminal
        from harness.running.imported.taken import WantedRun, take_run
        from harness.workspace import Workspace
        from reports.view import PLAIN

        wanted = WantedRun(files[0], name, format, first_stage_run, first_stage, depth, tuple(measures or ()))
        opened, origin = Workspace.open(workspace), SourceChoice(source, mirror, allow_drift)
        collections = api.collections_of([target], opened, split=split, rules=rules, origin=origin)
        done = take_run(wanted, collections, opened, Terminal())
        show_outcome(api.Outcome(tuple(done)), None, PLAIN, audit=audit, as_json=as_json)
        return
    given = {"--target": target, "--first-stage-run": first_stage_run, "--first-stage": first_stage}
    if named := next((option for option, value in given.items() if value), None):
        raise UsageError(f"{named} is for one run file; results of mteb already name their task")
    from reports.tables.listing import listing_of

    path = workspace_path(workspace)
    taken = take_means(files, path, name, measures or (), allow_drift=allow_drift)
    for line in taken.skipped:
        typer.echo(f"left out: {line}", err=True)
    print_rows(listing_of(taken.ids, path), as_json)
