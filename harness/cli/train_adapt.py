"""The command `harness train adapt`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from adapters.errors import UsageError
from harness.cli import options, stage_options
from harness.cli.help import Verb
from harness.cli.keys import with_configuration
from harness.cli.printing import print_json, print_table
from harness.cli.train import train

if TYPE_CHECKING:
    from harness.result.adaptation.record import AdaptationRecord
    from harness.workspace import Workspace
    from training.adapting.config import AdaptConfig
    from training.configuration import Configured

OPTIONS = {
    "base": "base", "corpus": "corpora", "teacher": "teaching.teachers", "dev": "evaluation.dev",
    "dev-split": "evaluation.dev_split", "policy": "gate.policy", "release": "gate.release",
    "final": "evaluation.final", "final-split": "evaluation.final_split", "seed": "seed", "device": "machine.device",
}  # fmt: skip
FORMER = {
    "generator": "synthesis.generator", "profile": "synthesis.profiles", "documents": "synthesis.documents",
    "floor": "synthesis.floor", "leak-threshold": "synthesis.leak_threshold", "retriever": "mining.retrievers",
    "pool-depth": "mining.depth", "weight": "teaching.weights", "teacher-facts": "teaching.facts",
    "map": "teaching.map", "despite-teacher": "teaching.despite_teacher", "sampling": "sampling.strategy",
    "per-query": "sampling.per_query", "bins": "sampling.bins", "bin-scope": "sampling.scope",
    "drop-above": "sampling.drop_above", "general": "general.data", "general-loss": "general.loss",
    "general-epochs": "general.epochs", "negatives": "general.negatives", "ingredient": "merge.ingredients",
    "seeds": "training.seeds", "loss": "training.loss.name", "scale": "training.loss.scale",
    "shift": "training.loss.shift", "sigmoid": "training.loss.sigmoid", "temperature": "training.loss.temperature",
    "smallest-gap": "training.loss.smallest_gap", "epochs": "training.epochs", "max-steps": "training.max_steps",
    "batch-queries": "training.queries", "lr": "training.learning_rate", "warmup": "training.warmup",
    "weight-decay": "training.weight_decay", "max-length": "training.max_length", "lora-rank": "training.lora_rank",
    "new-head": "training.new_head", "dropout": "training.dropout", "replay-share": "training.replay_share",
    "precision": "training.precision", "gradient-checkpointing": "machine.gradient_checkpointing",
    "batch-tokens": "machine.batch_tokens", "gate-split": "evaluation.gate_split", "source": "evaluation.source",
    "parallel": "evaluation.parallel", "first-stage": "gate.first_stage", "depth": "gate.depth",
    "measure": "gate.measure", "language": "gate.languages", "anchor": "gate.anchor",
}  # fmt: skip


@train.command(
    cls=Verb,
    epilog="""Examples:

    harness train adapt adapt.toml --out ./adapted --print-cost

    harness train adapt adapt.toml --seed 1 --out ./adapted-1

    harness train adapt --corpus ./abstracts --base ./student --teacher ./ms-marco-MiniLM --dev ./scifact
    --policy gate.toml --out ./adapted

    harness train adapt --print-config > adapt.toml

    harness train adapt recipe:querit --print-cost

Exit codes: 0 accepted, 1 no checkpoint was better, 4 inconclusive, 3 invalid, 2 usage.""",
)
@with_configuration("chosen", "training.adapting.config:AdaptConfig", OPTIONS, FORMER, {"gate": "policy"})
def adapt(
    *,
    chosen: Configured[AdaptConfig],
    out: stage_options.AdaptOut = None,
    print_cost: stage_options.CountCost = False,
    workers: options.WorkerCount = 1,
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """Adapt a reranker to a corpus without labels, and keep the result only if it is better.

    The command writes queries, removes leaks, mines candidates and scores them with a teacher. It trains and merges
    checkpoints, compares them on dev, judges the best with the gate, and confirms it on the final split. To continue a
    killed run, run the same command again.
    """
    from harness.api.arguments import workers_of
    from harness.progress import Terminal
    from harness.scoring.session import opened
    from harness.workspace import Workspace
    from training.adapting.closing import EXIT
    from training.adapting.start import run

    place = Workspace.open(workspace)
    if print_cost:
        _cost(chosen, place, as_json=as_json)
        return
    if out is None:
        raise UsageError("harness train adapt needs --out; see --help")
    with opened(place, Terminal(), workers_of(workers)) as session:
        record = run(chosen, out, session)
    _show(record, out, as_json=as_json)
    raise typer.Exit(EXIT[record.state])


def _cost(chosen: Configured[AdaptConfig], place: Workspace, *, as_json: bool) -> None:
    """Print what is counted, and the GPU-hours if the configuration states the sizes of the models. If it states the
    sizes of the tasks, too, no corpus is opened."""
    from training.adapting.cost import cost_of
    from training.adapting.gpu_hours import TaskSize, gpu_hours, stated_sizes
    from training.adapting.ingredients import general_of
    from training.adapting.settings import wishes_of

    settings, facts = wishes_of(chosen.config), chosen.config.cost
    wanted = facts.student_parameters is not None
    sizes, counted, general = stated_sizes(chosen.config) if wanted else None, None, facts.general_examples or 0
    if sizes is None:
        data = general_of(settings, place)
        counted = cost_of(settings, place, data)
        sizes = [TaskSize(one.documents, one.queries) for one in counted.tasks]
        general = len(data) if data is not None else 0
    hours = gpu_hours(chosen.config, sizes, general) if wanted else None
    if as_json:
        rows = {} if counted is None else asdict(counted)
        more = {} if hours is None else {"gpu_hours": hours.as_dict()}
        print_json({**rows, **more, "settings": [asdict(one) for one in chosen.settings]})
    else:
        said = [] if counted is None else [str(counted)]
        typer.echo("\n".join([*chosen.lines(), *said, *([] if hours is None else hours.lines())]))


def _show(record: AdaptationRecord, out: Path, *, as_json: bool) -> None:
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
    typer.echo(f"written: {out}/model" if record.accepted else f"no model was written; {out}/record.json says why")
