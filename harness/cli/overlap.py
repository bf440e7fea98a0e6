"""The command `harness overlap`."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

import typer

from adapters.errors import UsageError
from harness.cli import options
from harness.cli.app import COMPARE
from harness.cli.printing import print_alarm, print_json, print_table, workspace_path
from harness.cli.verb import verb

if TYPE_CHECKING:
    from harness.checks.overlap import Clean, Overlap


@verb(
    COMPARE,
    epilog="""Examples:

    harness overlap train-queries.jsonl ./scifact beir/nq

    harness overlap msmarco.parquet miracl --field query --json""",
)
def overlap(  # noqa: PLR0917
    training: options.TrainingFile,
    targets: options.Targets = None,
    field: options.QueryField = None,
    threshold: options.Threshold = 0.8,
    languages: options.TargetLanguages = None,
    parallel: options.Parallel = None,
    split: options.Split = None,
    source: options.SourceName = "auto",
    mirror: options.Mirror = None,
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """Find training queries that nearly repeat evaluation queries, and show every stored value without them."""
    from harness.api import collections_of
    from harness.checks.overlap import clean_values, overlaps
    from harness.checks.training_file import training_queries
    from harness.data.sources.origin import SourceChoice
    from harness.result.store import Results
    from harness.workspace import Workspace

    if not targets:
        raise UsageError("name the evaluation collections, as in: harness overlap train.jsonl ./scifact")
    opened = Workspace.open(workspace_path(workspace))
    batches = training_queries(training, field)
    origin = SourceChoice(source, mirror)
    collections = collections_of(
        targets, opened, split=split, languages=languages or (), origin=origin, parallel=parallel,
        tell=partial(typer.echo, err=True),
    )  # fmt: skip
    found = overlaps(collections, batches, threshold)
    with Results(opened.results) as results:
        values = list(clean_values(results, found))
    if as_json:
        document = {"overlaps": [asdict(one) for one in found], "values": [_plain(value) for value in values]}
        print_json(document)
        return
    _show(str(training), found, values)


def _plain(value: Clean) -> dict[str, object]:
    return asdict(value) | ({} if value.queries else {"clean": None})


def _show(training: str, found: list[Overlap], values: list[Clean]) -> None:
    from reports.tables.overlap import clean_table, examples, overlap_table

    print_table(overlap_table(found))
    if any(one.matches for one in found):
        print_table(examples(found))
    if values:
        print_table(clean_table(values))
    for one in found:
        for alarm in one.alarms:
            print_alarm(f"{one.collection} · {training}: {alarm.named}")
