"""The verb that asks what synthetic queries are worth: train utility."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from adapters.errors import UsageError
from harness.cli import options, stage_options
from harness.cli.printing import print_table
from harness.cli.train import train
from harness.cli.training_options import Training, with_training

if TYPE_CHECKING:
    from reports.table import Table

_NOT_OFFERED = (
    "shift", "sigmoid", "smallest_gap", "warmup", "weight_decay", "max_length", "replay_share", "precision",
)  # fmt: skip
"""All labels are on one scale, nothing is replayed, the length is the teacher's too; the rest is as in `fit`."""


@train.command(
    epilog="""Examples:

    harness train utility --base ./student --corpus ./abstracts --queries queries --real ./scifact --test ./scifact
    --teacher ./ms-marco-MiniLM --out worth --print-cost

    harness train utility ... --wrong other-queries --wrong-corpus ./other --seeds 5 --out worth"""
)
@with_training(without=_NOT_OFFERED, scale=10.0)
def utility(
    *,
    base: stage_options.StudentBase = None,
    corpus: stage_options.SyntheticCorpus = None,
    queries: stage_options.SyntheticQueries = None,
    real: stage_options.RealQueries = None,
    real_split: stage_options.RealSplit = "train",
    wrong: stage_options.WrongQueries = None,
    wrong_corpus: stage_options.WrongCorpus = None,
    teacher: stage_options.OneTeacher = None,
    test: stage_options.TestCollection = None,
    test_split: stage_options.TestSplit = None,
    out: stage_options.UtilityOut = None,
    seeds: stage_options.StudentSeeds = 3,
    queries_each: stage_options.QueriesEach = None,
    retrievers: stage_options.Retrievers = None,
    pool_depth: stage_options.CandidatesDepth = 50,
    sampling: stage_options.SamplingName = "stratified",
    per_query: stage_options.ExampleDocuments = 16,
    bins: stage_options.Bins = 16,
    bin_scope: stage_options.BinScope = "global",
    teacher_facts: stage_options.TeacherFacts = None,
    training: Training,
    max_length: stage_options.StudentLength = None,
    first_stage: stage_options.TestFirstStage = "bm25",
    depth: options.Depth = 100,
    measure: stage_options.TestMeasure = None,
    print_cost: stage_options.CountCost = False,
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """Train students on synthetic queries and on real annotations at equal cost, and measure what each is worth.

    Five arms differ in one thing at a time; docs/utility.md says in which. A killed run goes on where it was.
    """
    from harness.progress import Terminal
    from harness.scoring.bench import opened
    from harness.workspace import Workspace
    from training.mining.sampling import SamplePlan
    from training.utility.experiment import run
    from training.utility.question import ask, cost
    from training.utility.wishes import Given, Wishes

    _refuse_without_real(real)
    needed = {"--base": base, "--corpus": corpus, "--queries": queries, "--teacher": teacher, "--test": test,
              **({} if print_cost else {"--out": out})}  # fmt: skip
    if missing := [name for name, value in needed.items() if not value]:
        raise UsageError(f"harness train utility needs {' and '.join(missing)}; see --help")
    given = Given(str(corpus), Path(str(queries)), str(real), str(test), real_split, test_split, wrong, wrong_corpus)
    settings = replace(training.settings(), max_length=max_length)
    plan = SamplePlan(sampling, per_query, bins, bin_scope, None, training.seed)
    wishes = Wishes(
        str(base), str(teacher), settings, seeds, tuple(retrievers or ()), pool_depth, plan, queries_each,
        teacher_facts, first_stage, depth, measure,
    )  # fmt: skip
    with opened(Workspace.open(workspace), Terminal()) as bench:
        question = ask(given, wishes, bench.workspace)
        told = cost(question)
        if print_cost:
            typer.echo(json.dumps(told.as_dict()) if as_json else str(told))
            return
        bench.reporter.note(str(told))
        result = run(question, Path(str(out)), bench, training.machine(), _page)["result"]
    _show(result, Path(str(out)), as_json=as_json)


def _refuse_without_real(real: str | None) -> None:
    if not real:
        raise UsageError(
            "without real annotations there is nothing to hold synthetic queries against; name a judged collection "
            "with --real"
        )


def _show(result: dict[str, Any], out: Path, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False, indent=1))
        return
    print_table(arms_table(result))
    print_table(differences_table(result))
    typer.echo(result["decision"])
    typer.echo(f"written: {out}/utility.md")


def _page(result: Mapping[str, Any]) -> str:
    from reports.table import markdown

    tables = "\n".join(markdown(table) for table in (arms_table(result), differences_table(result)))
    return f"# What the synthetic queries are worth\n\n{result['decision']}\n\n{tables}"


def arms_table(result: Mapping[str, Any]) -> Table:
    """What every arm was trained on, and what it reached."""
    from reports.table import Cell, Table

    first = result["first_stage"]
    rows = [
        ("-", f"first stage: {first['spec']}", _points(first["value"]), *["-"] * 4),
        *(_arm(name, one, result["trained_on"].get(name)) for name, one in result["arms"].items()),
    ]
    trained = next(iter(result["trained_on"].values()))
    same = f"every arm: {trained['queries']:,} queries, {trained['pairs']:,} pairs, {trained['steps']:,} steps"
    return Table(
        f"{result['measure']} on {result['queries']:,} queries of {result['test']}",
        ("arm", "trained on", "mean", "95 % interval", "sd of seeds", "seeds", "above base"),
        tuple(tuple(map(Cell, row)) for row in rows),
        (
            same,
            "95 % interval: bootstrap over questions; above base: paired randomisation over questions",
            *result["notes"],
        ),
        left=2,
    )


def _arm(name: str, one: Mapping[str, Any], trained: object) -> tuple[str, ...]:
    gain = (
        "-" if trained is None else f"{_points(one['gain']['delta'], '+')} ({_interval(one['gain']['interval'], '+')})"
    )
    figures = (_points(one["value"]), _interval(one["interval"]), _points(one["sd"]), str(one["seeds"]))
    return (name, one["title"], *figures, gain)


def differences_table(result: Mapping[str, Any]) -> Table:
    """What one thing alone is worth, and the utility ratio."""
    from reports.table import Cell, Table

    rows = [
        (
            one["name"], f"{one['first']} - {one['second']}", _points(one["delta"], "+"),
            _interval(one["interval"], "+"), _interval(one["seeds_interval"], "+"),
            "-" if one["adjusted_p"] is None else f"{one['adjusted_p']:.4f}",
        )
        for one in result["differences"]
    ]  # fmt: skip
    ratio = result["ratio"]
    if ratio["value"] is None:
        told = "utility ratio (a - base) / (b - base): not defined, for b - base is not clearly above 0"
    else:
        low, high = ("unbounded" if end is None else f"{end:.2f}" for end in ratio["interval"])
        told = f"utility ratio (a - base) / (b - base): {ratio['value']:.2f} ({low} to {high})"
    corrected = f"p corrected over {len(rows)} differences (step-down MaxT)" if len(rows) > 1 else "one difference"
    return Table(
        "Paired differences in points",
        ("what", "arms", "difference", "95 % interval", "over seeds too", "adjusted p"),
        tuple(tuple(map(Cell, row)) for row in rows),
        (
            told,
            f"95 % interval and p: paired randomisation over questions, seeds held fixed; {corrected}",
            "over seeds too: 95 %, seeds and questions resampled; without 0 where the difference holds for other seeds",
        ),
        left=2,
    )


def _points(value: float | None, sign: str = "") -> str:
    return "-" if value is None else f"{100 * value:{sign}.2f}"


def _interval(ends: list[float | None], sign: str = "") -> str:
    return "-" if None in ends else " to ".join(_points(end, sign) for end in ends)
