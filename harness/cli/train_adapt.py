"""The verb that makes one better checkpoint, or says that none was better: train adapt."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from adapters.errors import UsageError
from harness.cli import options
from harness.cli.printing import print_table
from harness.cli.train import train

if TYPE_CHECKING:
    from harness.gate.policy import Policy
    from reports.tables import Cell, Table
    from training.adapting.record import Record, Tier

_TIERS: tuple[Tier, ...] = ("dev", "gate", "final", "source")


@train.command(
    epilog="""Examples:

    harness train adapt --corpus ./abstracts --base ./student --teacher ./ms-marco-MiniLM --dev ./scifact
    --gate gate.toml --out ./adapted --print-cost

    harness train adapt --corpus ./wiki/de --corpus ./wiki/th --base ./student --teacher BAAI/bge-reranker-v2-m3
    --generator ./SmolLM2 --dev ./xquad --gate gate.toml --source ./msmarco --out ./adapted

Exit codes: 0 accepted, 1 none was better, 4 inconclusive, 3 invalid, 2 usage."""
)
def adapt(  # noqa: PLR0917
    corpora: options.AdaptCorpora = None,
    base: options.AdaptBase = None,
    teachers: options.Teachers = None,
    generator: options.AdaptGenerator = "extractive",
    profiles: options.AdaptProfiles = None,
    dev: options.DevTarget = None,
    dev_split: options.DevSplit = None,
    gate: options.AdaptPolicy = None,
    gate_split: options.GateSplit = None,
    final: options.FinalTarget = None,
    final_split: options.FinalSplit = None,
    source: options.SourceTarget = None,
    release: options.ReleaseName = None,
    out: options.AdaptOut = None,
    general: options.GeneralData = None,
    general_loss: options.GeneralLoss = "bce",
    general_epochs: options.GeneralEpochs = 1,
    negatives: options.NegativesFrom = "bm25",
    replay_share: options.ReplayShare = 0.2,
    ingredients: options.Ingredients = None,
    seeds: options.SingleSeeds = None,
    despite_teacher: options.DespiteTeacher = False,
    weights: options.Weights = None,
    teacher_facts: options.TeacherFacts = None,
    score_map: options.ScoreMap = "none",
    documents: options.DocumentsAsked = None,
    floor: options.Floor = 0.5,
    leak_threshold: options.LeakThreshold = 0.8,
    retrievers: options.Retrievers = None,
    pool_depth: options.CandidatesDepth = 50,
    sampling: options.SamplingName = "stratified",
    per_query: options.ExampleDocuments = 16,
    bins: options.Bins = 16,
    bin_scope: options.BinScope = "global",
    drop_above: options.DropAbove = None,
    loss: options.LossName = "hinge",
    scale: options.LossScale = 1.0,
    shift: options.LossShift = 0.0,
    sigmoid: options.LossSigmoid = False,
    temperature: options.Temperature = 1.0,
    smallest_gap: options.SmallestGap = 0.0,
    epochs: options.Epochs = 1,
    max_steps: options.MaxSteps = None,
    batch_queries: options.StepQueries = 8,
    learning_rate: options.LearningRate = 2e-5,
    warmup: options.Warmup = 0.1,
    weight_decay: options.WeightDecay = 0.01,
    max_length: options.FitMaxLength = None,
    lora_rank: options.LoraRank = 0,
    new_head: options.NewHead = False,
    precision: options.Precision = "auto",
    gradient_checkpointing: options.GradientCheckpointing = False,
    batch_tokens: options.BatchTokens = None,
    seed: options.Seed = 0,
    device: options.Device = None,
    first_stage: options.FirstStage = None,
    depth: options.GateDepth = None,
    measure: options.PrimaryMeasure = None,
    languages: options.Languages = None,
    anchor: options.Anchor = None,
    print_cost: options.PrintCost = False,
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """Adapt a reranker to a corpus without labels: one command, and one better checkpoint or an honest no.

    Queries are written, leaks taken out, candidates mined, a teacher scores them; checkpoints are trained and merged,
    compared on dev, judged by the gate and confirmed on the final split. A killed run goes on with the same command.
    """
    from harness.bench import opened
    from harness.progress import Terminal
    from harness.workspace import Workspace
    from training.adapting.closing import EXIT
    from training.adapting.cost import cost_of
    from training.adapting.ingredients import general_of
    from training.adapting.loop import adapt as run
    from training.adapting.places import Places
    from training.adapting.wishes import Wishes
    from training.losses import Loss
    from training.mining.sampling import Plan
    from training.settings import Machine, Settings

    needed = {"--corpus": corpora, "--base": base, "--teacher": teachers}
    judged = {"--dev": dev, "--gate": gate, "--out": out}
    if missing := [name for name, value in (needed if print_cost else needed | judged).items() if not value]:
        raise UsageError(f"harness train adapt needs {' and '.join(missing)}; see --help")
    settings = Settings(
        loss=Loss(loss, scale, shift, sigmoid, temperature, smallest_gap), epochs=epochs, max_steps=max_steps,
        queries=batch_queries, learning_rate=learning_rate, warmup=warmup, weight_decay=weight_decay,
        lora_rank=lora_rank, replay_share=replay_share, precision=precision, seed=seed,
    )  # fmt: skip
    wishes = Wishes(
        base=str(base), teachers=tuple(teachers or ()), corpora=tuple(corpora or ()), weights=tuple(weights or ()),
        teacher_facts=teacher_facts, score_map=score_map, generator=generator, profiles=tuple(profiles or ()),
        documents=documents, floor=floor, retrievers=tuple(retrievers or ()), depth=pool_depth,
        plan=Plan(sampling, per_query, bins, bin_scope, drop_above, seed), general=tuple(general or ()),
        negatives=negatives, stage1=replace(settings, loss=Loss(general_loss), epochs=general_epochs, max_steps=None),
        adaptation=settings, seeds=tuple(range(seeds or 0)), ingredients=tuple(ingredients or ()), new_head=new_head,
        max_length=max_length, leak_threshold=leak_threshold, seed=seed,
    )  # fmt: skip
    place = Workspace.open(workspace)
    if print_cost:
        cost = cost_of(wishes, place, general_of(wishes, place))
        typer.echo(json.dumps(asdict(cost)) if as_json else str(cost))
        return
    policy = _policy(Path(str(gate)), release).overridden(
        anchor=anchor, first_stage=first_stage, depth=depth, measure=measure, languages=languages
    )
    places = Places(str(dev), dev_split, gate_split, final, final_split, source)
    machine = Machine(device, batch_tokens, gradient_checkpointing)
    with opened(place, Terminal()) as bench:
        record = run(wishes, places, policy, Path(str(out)), bench, machine, despite_teacher=despite_teacher)
    _show(record, Path(str(out)), as_json=as_json)
    raise typer.Exit(EXIT[record.state])


def _policy(file: Path, release: str | None) -> Policy:
    from harness.gate.policy import read_policy

    policy = read_policy(file)
    return replace(policy, looks=replace(policy.looks, release=release)) if release else policy


def _show(record: Record, out: Path, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(asdict(record), ensure_ascii=False, indent=1, allow_nan=False))
        return
    print_table(arms_table(record))
    for claim in record.claims:
        typer.echo(f"{claim.claim}: {claim.told}")
    for line in (record.state, *record.reasons):
        typer.echo(line)
    typer.echo(f"written: {out}/model" if record.accepted else f"no model is written; {out}/record.json tells why")


def arms_table(record: Record) -> Table:
    """Every arm on every tier that was looked at, with 95 % intervals over queries; points."""
    from reports.tables import Cell, Table

    tiers = [tier for tier in _TIERS if any(one.tier == tier for one in record.scores)]
    kinds = {one.name: one.kind for one in record.arms}
    names = list(dict.fromkeys([*(one.arm for one in record.scores), *kinds]))
    rows = [
        (
            Cell(name, strong=name == record.accepted),
            Cell(kinds.get(name, "")),
            *(_cell(record, name, t) for t in tiers),
        )
        for name in names
    ]
    notes = [f"{one.name}: refused ({one.refused[0]})" for one in record.arms if one.refused]
    return Table(f"{record.name}: {record.measure}", ("arm", "kind", *tiers), tuple(rows), tuple(notes), left=2)


def _cell(record: Record, arm: str, tier: Tier) -> Cell:
    from reports.tables import Cell

    one = record.score(arm, tier)
    if one is None:
        return Cell("-")
    if one.low is None or one.high is None:
        return Cell(f"{100 * one.value:.1f}")
    return Cell(f"{100 * one.value:.1f} [{100 * one.low:.1f}, {100 * one.high:.1f}]")
