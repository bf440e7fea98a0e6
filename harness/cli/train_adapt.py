"""The verb that makes one better checkpoint, or says that none was better: train adapt."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from adapters.errors import UsageError
from harness.cli import options, stage_options
from harness.cli.printing import print_table
from harness.cli.train import train
from harness.cli.training_options import Training, with_training

if TYPE_CHECKING:
    from harness.judging.gate.policy import Policy
    from harness.result.adaptation.record import Record


@train.command(
    epilog="""Examples:

    harness train adapt --corpus ./abstracts --base ./student --teacher ./ms-marco-MiniLM --dev ./scifact
    --gate gate.toml --out ./adapted --print-cost

    harness train adapt --corpus ./wiki/de --corpus ./wiki/th --base ./student --teacher BAAI/bge-reranker-v2-m3
    --generator ./SmolLM2 --dev ./xquad --gate gate.toml --source ./msmarco --out ./adapted

Exit codes: 0 accepted, 1 none was better, 4 inconclusive, 3 invalid, 2 usage."""
)
@with_training()
def adapt(
    *,
    corpora: stage_options.AdaptCorpora = None,
    base: stage_options.AdaptBase = None,
    teachers: stage_options.Teachers = None,
    generator: stage_options.AdaptGenerator = "extractive",
    profiles: stage_options.AdaptProfiles = None,
    dev: stage_options.DevTarget = None,
    dev_split: stage_options.DevSplit = None,
    gate: stage_options.AdaptPolicy = None,
    gate_split: stage_options.GateSplit = None,
    final: stage_options.FinalTarget = None,
    final_split: stage_options.FinalSplit = None,
    source: stage_options.SourceTarget = None,
    release: stage_options.ReleaseName = None,
    out: stage_options.AdaptOut = None,
    general: stage_options.GeneralData = None,
    general_loss: stage_options.GeneralLoss = "bce",
    general_epochs: stage_options.GeneralEpochs = 1,
    negatives: stage_options.NegativesFrom = "bm25",
    ingredients: stage_options.Ingredients = None,
    seeds: stage_options.SingleSeeds = None,
    despite_teacher: stage_options.DespiteTeacher = False,
    weights: stage_options.Weights = None,
    teacher_facts: stage_options.TeacherFacts = None,
    score_map: stage_options.ScoreMap = "none",
    documents: stage_options.DocumentsAsked = None,
    floor: stage_options.Floor = 0.5,
    leak_threshold: stage_options.LeakThreshold = 0.8,
    retrievers: stage_options.Retrievers = None,
    pool_depth: stage_options.CandidatesDepth = 50,
    sampling: stage_options.SamplingName = "stratified",
    per_query: stage_options.ExampleDocuments = 16,
    bins: stage_options.Bins = 16,
    bin_scope: stage_options.BinScope = "global",
    drop_above: stage_options.DropAbove = None,
    training: Training,
    first_stage: options.FirstStage = None,
    depth: options.GateDepth = None,
    measure: options.PrimaryMeasure = None,
    languages: options.TargetLanguages = None,
    parallel: options.Parallel = None,
    anchor: options.Anchor = None,
    print_cost: stage_options.PrintCost = False,
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """Adapt a reranker to a corpus without labels, and keep the result only if it is better.

    Queries are written, leaks taken out, candidates mined, a teacher scores them; checkpoints are trained and merged,
    compared on dev, judged by the gate and confirmed on the final split. A killed run goes on with the same command.
    """
    from harness.progress import Terminal
    from harness.scoring.bench import opened
    from harness.workspace import Workspace
    from training.adapting.closing import EXIT
    from training.adapting.cost import cost_of
    from training.adapting.ingredients import general_of
    from training.adapting.loop import adapt as run
    from training.adapting.places import Places
    from training.adapting.wishes import Wishes
    from training.losses import Loss
    from training.mining.sampling import SamplePlan

    needed = {"--corpus": corpora, "--base": base, "--teacher": teachers}
    judged = {"--dev": dev, "--gate": gate, "--out": out}
    if missing := [name for name, value in (needed if print_cost else needed | judged).items() if not value]:
        raise UsageError(f"harness train adapt needs {' and '.join(missing)}; see --help")
    settings, seed = replace(training.settings(), max_length=None, new_head=False), training.seed
    wishes = Wishes(
        base=str(base), teachers=tuple(teachers or ()), corpora=tuple(corpora or ()), weights=tuple(weights or ()),
        teacher_facts=teacher_facts, score_map=score_map, generator=generator, profiles=tuple(profiles or ()),
        documents=documents, floor=floor, retrievers=tuple(retrievers or ()), depth=pool_depth,
        plan=SamplePlan(sampling, per_query, bins, bin_scope, drop_above, seed), general=tuple(general or ()),
        negatives=negatives, stage1=replace(settings, loss=Loss(general_loss), epochs=general_epochs, max_steps=None),
        adaptation=settings, seeds=tuple(range(seeds or 0)), ingredients=tuple(ingredients or ()),
        new_head=training.new_head, max_length=training.max_length, leak_threshold=leak_threshold, seed=seed,
    )  # fmt: skip
    place = Workspace.open(workspace)
    if print_cost:
        cost = cost_of(wishes, place, general_of(wishes, place))
        typer.echo(json.dumps(asdict(cost)) if as_json else str(cost))
        return
    policy = _policy(Path(str(gate)), release).overridden(
        anchor=anchor, first_stage=first_stage, depth=depth, measure=measure, languages=languages
    )
    places = Places(str(dev), dev_split, gate_split, final, final_split, source, parallel)
    machine = training.machine()
    with opened(place, Terminal()) as bench:
        record = run(wishes, places, policy, Path(str(out)), bench, machine, despite_teacher=despite_teacher)
    _show(record, Path(str(out)), as_json=as_json)
    raise typer.Exit(EXIT[record.state])


def _policy(file: Path, release: str | None) -> Policy:
    from harness.judging.gate.policy import read_policy

    policy = read_policy(file)
    return replace(policy, looks=replace(policy.looks, release=release)) if release else policy


def _show(record: Record, out: Path, *, as_json: bool) -> None:
    from harness.result.adaptation.writing import json_text
    from reports.training.tables import arms_table

    if as_json:
        typer.echo(json_text(record))
        return
    print_table(arms_table(record))
    for claim in record.claims:
        typer.echo(f"{claim.claim}: {claim.told}")
    for line in (record.state, *record.reasons):
        typer.echo(line)
    typer.echo(f"written: {out}/model" if record.accepted else f"no model is written; {out}/record.json tells why")
