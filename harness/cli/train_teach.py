"""The command `harness train teach`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from adapters.errors import UsageError
from harness.cli import dtype_options, options, stage_options
from harness.cli.help import Verb
from harness.cli.keys import with_keys
from harness.cli.printing import print_json, print_table
from harness.cli.train import train

if TYPE_CHECKING:
    from reports.table import Table
    from training.stages import Plan, Teaching

TEACHING = {
    "teacher": "teachers", "weight": "weights", "score-as": "score_as", "map": "map", "teacher-facts": "facts",
}  # fmt: skip
PLAN = {
    "sampling": "strategy", "per-query": "per_query", "bins": "bins", "bin-scope": "scope",
    "drop-above": "drop_above", "seed": "seed",
}  # fmt: skip


@train.command(
    cls=Verb,
    epilog="""Examples:

    harness train teach --pool pool --teacher BAAI/bge-reranker-v2-m3 --max-length 512 --out examples

    harness train teach --pool pool --teacher ./a --weight 2 --teacher ./b --weight 1 --sampling top --out examples

    harness train teach --pool german --teacher ./ms-marco-MiniLM --score-as xquad/en --out examples""",
)
@with_keys(teaching=("training.stages:Teaching", TEACHING), plan=("training.stages:Plan", PLAN))
def teach(
    *,
    pool: stage_options.PoolFolder,
    out: stage_options.StageFolder,
    teaching: Teaching,
    choose_on: stage_options.ChooseOn = None,
    choose_split: stage_options.ChooseSplit = None,
    max_length: stage_options.StudentLength = None,
    plan: Plan,
    task: stage_options.TaskName = None,
    corpus: stage_options.PoolCorpus = None,
    dtype: dtype_options.RunDtype = None,
    workers: options.WorkerCount = 1,
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """Score a pool of candidates with teachers, and draw training examples from it.

    Scores are kept in the workspace: no pair is scored twice, a killed run continues, and another sample of the same
    pool costs nothing.
    """
    from harness.api.arguments import workers_of
    from harness.progress import Terminal
    from harness.scoring.session import opened
    from harness.workspace import Workspace
    from training.corpus import corpus_of
    from training.teaching.choosing import DevQueries
    from training.teaching.teach import TeachingSettings, lesson_of, target_of
    from training.teaching.teach import teach as run

    if choose_split and not choose_on:
        raise UsageError("--choose-split is the split of --choose-on; name that collection, or leave out both")
    settings = TeachingSettings(
        plan, teaching.weights, max_length, teaching.map, task, teaching.facts, dtype,
        DevQueries(choose_on, choose_split) if choose_on else None, teaching.score_as,
    )  # fmt: skip
    target = corpus or target_of(pool)
    with opened(Workspace.open(workspace), Terminal(), workers_of(workers)) as session:
        teaching_set = lesson_of(pool, corpus_of(target, session.workspace))
        manifest = run(teaching_set, teaching.teachers, settings, out, session)
    if as_json:
        print_json(manifest)
    else:
        _show(manifest, out)


def _show(manifest: dict[str, Any], out: Path) -> None:
    if manifest["chosen"]:
        print_table(choice_table(manifest["chosen"]))
    print_table(teacher_table(manifest))
    print_table(bin_table(manifest))
    typer.echo(
        f"written: {out}/examples.jsonl ({manifest['examples']:,} queries, {manifest['pairs']['sample']:,} pairs)"
    )


def teacher_table(manifest: dict[str, Any]) -> Table:
    """Return the table of the teachers and the distribution of their scores."""
    from reports.table import Cell, Table

    rows = []
    for one in manifest["teachers"]:
        scale, origin, cut = one["calibration"], one["origin"], one["truncated"]
        sets = origin["training_sets"]
        figures = [f"{scale[name]:.3f}" for name in ("smallest", "mean", "largest", "sd")]
        rows.append(tuple(map(Cell, (
            one["spec"], origin["licence"], "unknown" if sets is None else ", ".join(sets) or "none",
            f"{one['share']:.2f}", *figures, "-" if cut is None else f"{cut:.1%}",
            "-" if one["max_length"] is None else str(one["max_length"]),
        ))))  # fmt: skip
    notes = []
    if as_ := manifest.get("scored_as"):
        notes.append(f"scored as the parallel pairs of {as_['collection']} ({as_['language'] or 'language unknown'})")
    notes += [f"{one['spec']}: {remark}" for one in manifest["teachers"] for remark in one["remarks"]]
    best = manifest["source_is_best"]
    if best is not None:
        notes.append(f"the teacher's best document is the query's source for {best:.1%} of the queries")
    columns = (
        "teacher",
        "licence",
        "training sets",
        "share",
        "smallest",
        "mean",
        "largest",
        "sd",
        "truncated",
        "tokens",
    )
    return Table(f"{manifest['pairs']['pool']:,} pairs scored", columns, tuple(rows), tuple(notes), left=3)


def choice_table(chosen: dict[str, Any]) -> Table:
    """Return the table of the blends of teachers that were tried on dev."""
    from harness.numbers import interval, points
    from reports.table import Cell, Table

    rows = []
    for one in chosen["tried"]:
        within = interval((one["low"], one["high"]), lambda bound: points(bound, 1))
        cells = (*(f"{weight:.2f}" for weight in one["weights"]), points(one["value"], 1), within)
        rows.append((*map(Cell, cells), Cell("chosen" if one["chosen"] else "")))
    on = ", ".join(f"{one['collection']} ({one['split']}, {one['queries']:,} queries)" for one in chosen["dev"])
    columns = (*chosen["teachers"], chosen["measure"], "95 % interval", "")
    return Table(f"{chosen['looks']} looks at dev: {on}", columns, tuple(rows), (), left=0)


def bin_table(manifest: dict[str, Any]) -> Table:
    """Return the table of the pool and the sample by bin."""
    from reports.table import Cell, Table

    counts = zip(manifest["bins"]["pool"], manifest["bins"]["sample"], strict=True)
    rows = [
        (Cell(str(number)), Cell(f"{pool:,}"), Cell(f"{taken:,}")) for number, (pool, taken) in enumerate(counts, 1)
    ]
    above = manifest["above_source"]
    what = "were left out" if above["dropped"] else "were kept, with their scores"
    note = f"{above['pairs']:,} documents are above {above['share']:g} of their source document's score; they {what}"
    return Table(f"sampling: {manifest['plan']['strategy']}", ("bin", "pool", "sample"), tuple(rows), (note,))
