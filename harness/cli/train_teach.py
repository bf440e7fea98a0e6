"""The command `harness train teach`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from adapters.errors import UsageError
from harness.cli import dtype_options, options, stage_options
from harness.cli.help import Verb
from harness.cli.keys import with_keys
from harness.cli.printing import print_json, print_table
from harness.cli.train import train
from harness.numbers import DASH, plural, share

if TYPE_CHECKING:
    from reports.table import Cell, Table
    from training.stages import Plan, Teaching
    from training.teaching.cost import TeacherCost

TEACHING = {
    "teacher": "teachers", "weight": "weights", "score-as": "score_as", "pairwise": "pairwise", "map": "map",
    "teacher-facts": "facts",
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

    harness train teach --pool german --teacher ./ms-marco-MiniLM --score-as ./faq/en --out examples

    harness train teach --pool pool --teacher 'chat:http://127.0.0.1:8000/v1?model=x' --pairwise 2 --out examples
    --print-cost""",
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
    print_cost: stage_options.CountCost = False,
    dtype: dtype_options.RunDtype = None,
    workers: options.WorkerCount = 1,
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """Score a pool of candidates with teachers, and draw training examples from it.

    Scores are kept in the workspace: no pair is scored twice, a killed run continues, and another sample of the same
    pool costs nothing. With --pairwise teachers compare two documents, and labels are Bradley-Terry strengths.
    """
    from harness.api.arguments import workers_of
    from harness.progress import Terminal
    from harness.scoring.session import opened
    from harness.workspace import Workspace
    from training.corpus import corpus_of
    from training.teaching.choosing import DevQueries
    from training.teaching.cost import teaching_cost
    from training.teaching.lesson import lesson_of, target_of
    from training.teaching.settings import TeachingSettings
    from training.teaching.teach import teach as run

    if choose_split and not choose_on:
        raise UsageError("--choose-split is the split of --choose-on; name that collection, or leave out both")
    settings = TeachingSettings(
        plan, teaching.weights, max_length, teaching.map, task, teaching.facts, dtype,
        DevQueries(choose_on, choose_split) if choose_on else None, teaching.pairwise, teaching.score_as,
    )  # fmt: skip
    target = corpus or target_of(pool)
    with opened(Workspace.open(workspace), Terminal(), workers_of(workers)) as session:
        teaching_set = lesson_of(pool, corpus_of(target, session.workspace))
        if print_cost:
            costs = teaching_cost(teaching_set, teaching.teachers, settings, session)
            _show_cost(costs, as_json=as_json)
            return
        manifest = run(teaching_set, teaching.teachers, settings, out, session)
    if as_json:
        print_json(manifest)
    else:
        _show(manifest, out)


def _show(manifest: dict[str, Any], out: Path) -> None:
    if manifest["chosen"]:
        print_table(choice_table(manifest["chosen"]))
    print_table(teacher_table(manifest))
    if manifest.get("compared"):  # examples of an earlier version have no such entry
        print_table(comparison_table(manifest))
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
        figures = [f"{scale[name]:.3f}" if scale else DASH for name in ("smallest", "mean", "largest", "sd")]
        rows.append(tuple(map(Cell, (
            one["spec"], origin["licence"], "unknown" if sets is None else ", ".join(sets) or "none",
            f"{one['share']:.2f}", *figures, share(cut),
            DASH if one["max_length"] is None else str(one["max_length"]),
        ))))  # fmt: skip
    notes = []
    if as_ := manifest.get("scored_as"):
        notes.append(f"scored as the parallel pairs of {as_['collection']} ({as_['language'] or 'language unknown'})")
    notes += [f"{one['spec']}: {remark}" for one in manifest["teachers"] for remark in one["remarks"]]
    best = manifest["source_is_best"]
    if best is not None:
        notes.append(f"the teacher's best document is the query's source for {share(best)} of the queries")
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
    any_scores = any(one["calibration"] for one in manifest["teachers"])
    comparing = plural("teacher", len(rows), "that compares", "that compare")
    title = f"{manifest['pairs']['pool']:,} pairs scored" if any_scores else comparing
    return Table(title, columns, tuple(rows), tuple(notes), left=3)


def comparison_table(manifest: dict[str, Any]) -> Table:
    """Return the table of the teachers that compare: what was read, and how far the order of two texts mattered."""
    from reports.table import Cell, Table

    compared, rows = manifest["compared"], []
    for one, orders in zip(manifest["teachers"], compared["teachers"], strict=True):
        if orders is not None:
            shares = (share(orders[name]) for name in ("first", "same"))
            cells = (one["spec"], *(f"{orders[name]:,}" for name in ("answers", "unread", "asked_now")), *shares)
            rows.append(tuple(map(Cell, cells)))
    title = f"{compared['comparisons']:,} comparisons, {compared['cycles']} cycles through the documents of each query"
    notes = [f"{compared['left_out']:,} comparisons are left out, because an answer could not be read"]
    notes += [f"{number:,} queries are left out: {reason}" for reason, number in manifest["left_out"].items() if number]
    columns = ("teacher", "answers", "unread", "asked now", "prefers the first", "same in both orders")
    return Table(title, columns, tuple(rows), tuple(notes), left=1)


def cost_table(costs: Sequence[TeacherCost]) -> Table:
    """Return the table of what each teacher would be asked."""
    from reports.table import Cell, Table

    rows = []
    for one in costs:
        most = "at most " if one.is_bound else ""
        size = DASH if one.characters is None else f"{one.characters:,}"
        rows.append(tuple(map(Cell, (one.spec, one.what, f"{most}{one.all:,}", f"{most}{one.new:,}", size))))
    notes = ("comparisons are counted in both orders: each is one answer of the teacher",)
    columns = ("teacher", "what", "all", "not in the ledger", "characters")
    return Table("what the teachers would be asked", columns, tuple(rows), notes, left=2)


def _show_cost(costs: Sequence[TeacherCost], *, as_json: bool) -> None:
    from dataclasses import asdict

    if as_json:
        print_json({"teachers": [asdict(one) for one in costs]})
    else:
        print_table(cost_table(costs))


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
    from reports.table import Cell

    counts = zip(manifest["bins"]["pool"], manifest["bins"]["sample"], strict=True)
    rows = [
        (Cell(str(number)), Cell(f"{pool:,}"), Cell(f"{taken:,}")) for number, (pool, taken) in enumerate(counts, 1)
    ]
    above = manifest["above_source"]
    if above is None:
        return _bins(manifest, rows, "no teacher scores documents, so they are drawn by their fused ranks")
    what = "were left out" if above["dropped"] else "were kept, with their scores"
    note = f"{above['pairs']:,} documents are above {above['share']:g} of their source document's score; they {what}"
    return _bins(manifest, rows, note)


def _bins(manifest: dict[str, Any], rows: Sequence[tuple[Cell, ...]], note: str) -> Table:
    from reports.table import Table

    return Table(f"sampling: {manifest['plan']['strategy']}", ("bin", "pool", "sample"), tuple(rows), (note,))
