"""The command `harness train utility`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from adapters.errors import UsageError
from harness.cli import options, stage_options
from harness.cli.help import Verb
from harness.cli.keys import with_configuration
from harness.cli.printing import print_json, print_table
from harness.cli.train import train
from harness.numbers import DASH, interval, points, probability, signed, signed_interval

if TYPE_CHECKING:
    from reports.table import Table
    from training.configuration import Configured
    from training.utility.config import UtilityConfig
    from training.utility.question import AblationCost

OPTIONS = {
    "base": "base", "corpus": "synthetic.corpus", "queries": "synthetic.queries", "real": "real.collection",
    "real-split": "real.split", "test": "test.collection", "test-split": "test.split", "teacher": "teaching.teacher",
    "seeds": "training.seeds", "seed": "seed", "device": "machine.device",
}  # fmt: skip
FORMER = {
    "wrong": "wrong.queries", "wrong-corpus": "wrong.corpus", "queries-each": "queries_each",
    "retriever": "mining.retrievers", "pool-depth": "mining.depth", "sampling": "sampling.strategy",
    "per-query": "sampling.per_query", "bins": "sampling.bins", "bin-scope": "sampling.scope",
    "teacher-facts": "teaching.facts", "loss": "training.loss.name", "scale": "training.loss.scale",
    "temperature": "training.loss.temperature", "epochs": "training.epochs", "max-steps": "training.max_steps",
    "batch-queries": "training.queries", "lr": "training.learning_rate", "max-length": "training.max_length",
    "lora-rank": "training.lora_rank", "new-head": "training.new_head", "dropout": "training.dropout",
    "gradient-checkpointing": "machine.gradient_checkpointing", "batch-tokens": "machine.batch_tokens",
    "first-stage": "test.first_stage", "depth": "test.depth", "measure": "test.measure",
}  # fmt: skip


@train.command(
    cls=Verb,
    epilog="""Examples:

    harness train utility utility.toml --out worth --print-cost

    harness train utility utility.toml --seeds 5 --out worth

    harness train utility --base ./student --corpus ./abstracts --queries queries --real ./scifact --test ./scifact
    --teacher ./ms-marco-MiniLM --out worth

    harness train utility --print-config > utility.toml""",
)
@with_configuration("chosen", "training.utility.config:UtilityConfig", OPTIONS, FORMER, {})
def utility(
    *,
    chosen: Configured[UtilityConfig],
    out: stage_options.UtilityOut = None,
    print_cost: stage_options.CountCost = False,
    workers: options.WorkerCount = 1,
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """Train students on as many synthetic as real queries for equal steps, and measure what each kind is worth.

    Six arms differ in one thing at a time; docs/utility.md describes them. To continue a killed run, run the same
    command again.
    """
    from harness.api.arguments import workers_of
    from harness.progress import Terminal
    from harness.scoring.session import opened
    from harness.workspace import Workspace
    from training.settings import machine_of
    from training.utility.experiment import run
    from training.utility.question import ask, cost
    from training.utility.settings import given_of, wishes_of

    given, settings = given_of(chosen.config), wishes_of(chosen.config)
    if out is None and not print_cost:
        raise UsageError("harness train utility needs --out; see --help")
    with opened(Workspace.open(workspace), Terminal(), workers_of(workers)) as session:
        question = ask(given, settings, session.workspace)
        price = cost(question)
        if print_cost:
            _plan(chosen, price, as_json=as_json)
            return
        for line in (*chosen.lines(), str(price)):
            session.reporter.note(line)
        machine = machine_of(chosen.config.machine)
        result = run(question, Path(str(out)), session, machine, _page, settings=chosen.settings)["result"]
    _show(result, Path(str(out)), as_json=as_json)


def _plan(chosen: Configured[UtilityConfig], price: AblationCost, *, as_json: bool) -> None:
    if as_json:
        print_json({**price.as_dict(), "settings": [asdict(one) for one in chosen.settings]})
    else:
        typer.echo("\n".join([*chosen.lines(), str(price)]))


def _show(result: dict[str, Any], out: Path, *, as_json: bool) -> None:
    if as_json:
        print_json(result)
        return
    for table in _tables(result):
        print_table(table)
    typer.echo(result["decision"])
    typer.echo(f"written: {out}/utility.md")


def _page(result: Mapping[str, Any]) -> str:
    from reports.table import markdown

    tables = "\n".join(markdown(table) for table in _tables(result))
    return f"# What the synthetic queries are worth\n\n{result['decision']}\n\n{tables}"


def _tables(result: Mapping[str, Any]) -> tuple[Table, ...]:
    return arms_table(result), differences_table(result), overlap_table(result)


def arms_table(result: Mapping[str, Any]) -> Table:
    """Return the table of the arms: what each was trained on, and its values."""
    from reports.table import Cell, Table

    first = result["first_stage"]
    rows = [
        ("-", f"first stage: {first['spec']}", points(first["value"]), *["-"] * 4),
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
    gain = DASH if trained is None else f"{signed(one['gain']['delta'])} {signed_interval(one['gain']['interval'])}"
    figures = (points(one["value"]), interval(one["interval"]), points(one["sd"]), str(one["seeds"]))
    return (name, one["title"], *figures, gain)


def differences_table(result: Mapping[str, Any]) -> Table:
    """Return the table of the differences between arms, and the utility ratio."""
    from reports.table import Cell, Table

    rows = [
        (
            one["name"], f"{one['first']} - {one['second']}", signed(one["delta"]),
            signed_interval(one["interval"]), signed_interval(one["seeds_interval"]), probability(one["adjusted_p"]),
        )
        for one in result["differences"]
    ]  # fmt: skip
    ratio = result["ratio"]
    if ratio["value"] is None:
        ratio_line = "utility ratio (a - base) / (b - base): not defined, because b - base is not clearly above 0"
    else:
        ratio_line = (
            f"utility ratio (a - base) / (b - base): {ratio['value']:.2f} {_ratio(ratio['interval'])}; over seeds too "
            f"{_ratio(ratio['seeds_interval'])}"
        )
    corrected = f"p corrected over {len(rows)} differences (step-down MaxT)" if len(rows) > 1 else "one difference"
    return Table(
        "Paired differences in points",
        ("what", "arms", "difference", "95 % interval", "over seeds too", "adjusted p"),
        tuple(tuple(map(Cell, row)) for row in rows),
        (
            ratio_line,
            f"95 % interval and p: paired randomisation over questions, seeds held fixed; {corrected}",
            "over seeds too: 95 %, seeds and questions resampled; if it excludes 0, other seeds agree",
        ),
        left=2,
    )


def _ratio(ends: Sequence[float | None] | None) -> str:
    if ends is None:
        return DASH
    return interval([inf if end is None else end for end in ends], lambda end: f"{end:.2f}").replace("inf", "unbounded")


def overlap_table(result: Mapping[str, Any]) -> Table:
    """Return the table of the overlap of each set with the test queries."""
    from reports.table import Cell, Table

    rows = [
        (
            name, str(sum(one["removed"].values())), _nearness(one["letters"]), _nearness(one["vectors"]),
            f"{one['same_document']:.0%}",
        )
        for name, one in result["overlap"].items()
    ]  # fmt: skip
    return Table(
        "Overlap with the test queries",
        ("queries", "removed", "letters", "vectors", "same document"),
        tuple(tuple(map(Cell, row)) for row in rows),
        (
            "removed: queries that are a test query, nearly one, or contain one; they are not trained on",
            "letters, vectors: similarity of the others to the nearest test query (median, 95 %, highest): trigrams in "
            "common, and the cosine of the first dense retriever of the mining",
            "same document: share of the test queries with a relevant document that such a query belongs to",
        ),
        left=1,
    )


def _nearness(one: Mapping[str, float] | None) -> str:
    return DASH if one is None else ", ".join(f"{one[key]:.2f}" for key in ("median", "p95", "highest"))
