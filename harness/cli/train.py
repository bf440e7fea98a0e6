"""The commands `harness train ...`, and the command `harness train fit`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from adapters.errors import UsageError
from harness.cli import options, stage_options
from harness.cli.app import ADAPT, Verbs, group
from harness.cli.help import Verb
from harness.cli.keys import with_keys
from harness.cli.printing import json_text, print_json
from harness.numbers import points

if TYPE_CHECKING:
    from training.settings import DevEvaluation, Machine, Settings
    from training.stages import General


class TrainVerbs(Verbs):
    """Lists the commands from a corpus to a checkpoint in the order in which they are used."""

    order = ("synthesize", "validate", "mine", "teach", "fit", "adapt", "show", "utility")


train = group(
    ADAPT,
    "train",
    "Train a reranker on labelled data, or adapt one to a corpus without labels.\n\nFrom a corpus to a checkpoint: "
    "synthesize, validate, mine, teach, fit. adapt runs all of these, merges, and asks the gate.",
    TrainVerbs,
)


SETTINGS = {
    "loss": "loss.name", "scale": "loss.scale", "shift": "loss.shift", "sigmoid": "loss.sigmoid",
    "temperature": "loss.temperature", "smallest-gap": "loss.smallest_gap", "epochs": "epochs",
    "max-steps": "max_steps", "batch-queries": "queries", "lr": "learning_rate", "warmup": "warmup",
    "schedule": "schedule", "weight-decay": "weight_decay", "max-length": "max_length", "lora-rank": "lora_rank",
    "freeze-embeddings": "freeze_embeddings", "new-head": "new_head", "dropout": "dropout",
    "replay-share": "replay_share", "precision": "precision", "seed": "seed",
    **{f"augment-{name}": f"augmentation.{name}" for name in (
        "stuffing", "alone", "claim", "instruction", "typos", "case", "script",
    )},
}  # fmt: skip
MACHINE = {
    "device": "device", "batch-tokens": "batch_tokens", "gradient-checkpointing": "gradient_checkpointing",
    "gradient-accumulation": "gradient_accumulation", "save-every": "save_every", "log-to": "log_to",
}  # fmt: skip
DEV = {
    "dev": "target", "dev-split": "split", "policy": "policy", "first-stage": "first_stage", "depth": "depth",
    "measure": "measure", "evaluate-every": "every", "patience": "patience",
}  # fmt: skip


@train.command(
    cls=Verb,
    epilog="""Examples:

    harness train fit --base ./student --data mined.jsonl --loss hinge --scale 10 --out ./adapted --print-cost

    harness train fit --base ./all-MiniLM-L6-v2 --new-head --data ./scifact --loss bce --out ./stage1

    harness train fit --base ./stage1 --data mined.parquet --replay general.jsonl --save-every 500 --out ./adapted

    harness train fit --base ./base --data beir/scifact --data owner/name --mix-temperature 2 --out ./stage1

    harness train fit --base ./stage1 --data mined.parquet --dev ./scifact --dev-split train --first-stage bm25
    --evaluate-every 50 --patience 4 --log-to tensorboard --out ./adapted""",
)
@with_keys(
    settings=("training.settings:Settings", SETTINGS),
    general=("training.stages:General", {"negatives": "negatives"}),
    machine=("training.settings:Machine", MACHINE),
    dev=("training.settings:DevEvaluation", DEV),
)
def fit(
    *,
    base: stage_options.Base = None,
    data: stage_options.FitData = None,
    out: stage_options.FitOut = None,
    settings: Settings,
    replay: stage_options.Replay = None,
    machine: Machine,
    dev: DevEvaluation,
    limit: stage_options.LimitExamples = None,
    mix_weight: stage_options.MixWeights = None,
    mix_temperature: stage_options.MixTemperature = None,
    mix: stage_options.MixFile = None,
    general: General,
    adapted_on: stage_options.AdaptedOn = None,
    push_to_hub: stage_options.PushToHub = None,
    print_cost: stage_options.PrintCost = False,
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """Train a reranker on scored examples, and write a checkpoint that `harness run --reranker` takes.

    To continue a killed run, run the same command again. With --dev, steps are compared on dev queries, and the best
    one is kept. A language model is trained on its words yes and no, an embedder on the similarity of its vectors. On
    several GPUs: torchrun --nproc-per-node N -m harness train fit ... Measure the checkpoint before you trust it to be
    better than its base.
    """
    from harness.progress import Silent, Terminal
    from harness.workspace import Workspace
    from training import fit as fitting
    from training.adapted import corpora_of, teachers_of
    from training.configuration import listed
    from training.dev import opened_dev
    from training.hub import check_repository, push
    from training.mixing import examples_of, of_options, read_mix
    from training.ranks import ranks_here
    from training.sources import Negatives, read_examples
    from training.store import FOLDER as STORES

    if mix and (data or limit or mix_weight or mix_temperature):
        raise UsageError("--mix names all sources with their weights and limits; leave out --data and its options")
    given = {"--base": base, "--data": data or mix, **({} if print_cost else {"--out": out})}
    if missing := [name for name, value in given.items() if not value]:
        raise UsageError(f"harness train fit needs {listed(missing)}; see --help")
    if push_to_hub:
        check_repository(push_to_hub)
    ranks = ranks_here()
    if print_cost and ranks.world > 1:
        raise UsageError("--print-cost is for one process; run it without torchrun")
    mixture = read_mix(mix) if mix else of_options(data or (), mix_weight or (), mix_temperature, limit)
    sources = [*(one.data for one in mixture.source), *([replay] if replay else [])]
    place = Workspace.open(workspace)
    where, store = Negatives(general.negatives, seed=settings.seed, workspace=place), place.cache / STORES
    replayed = read_examples(replay, limit=limit, negatives=where, store=store) if replay else None
    examples = examples_of(mixture, negatives=where, store=store)
    corpora = (*corpora_of(sources, place), *(adapted_on or ()))
    reporter = Terminal() if ranks.is_first else Silent()
    with opened_dev(dev, workspace, reporter) as queries:
        work = fitting.job(str(base), examples, settings, replayed, corpora, teachers=teachers_of(sources), dev=queries)
        if print_cost:
            cost = fitting.cost(work, machine)
            typer.echo(json_text(cost.as_dict()) if as_json else str(cost))
            return
        manifest = fitting.fit(work, Path(str(out)), machine, reporter)
    if not ranks.is_first:
        return
    if push_to_hub:
        reporter.note(f"uploaded: {push(Path(str(out)), push_to_hub, reporter)}")
    if as_json:
        print_json(manifest)
        return
    typer.echo(f"written: {out} ({_outline(manifest)})")


def _outline(manifest: Mapping[str, Any]) -> str:
    """The steps and the loss of a training, and the dev values if there are any."""
    losses, dev = manifest["loss"], manifest.get("dev")
    steps = manifest["steps"]
    outline = f"{steps} {'step' if steps == 1 else 'steps'}, loss {_shown(losses['first'])} -> {_shown(losses['last'])}"
    if dev is None:
        return outline
    stopped = ", then stopped early" if dev["stopped_early"] else ""
    if dev["best_step"] == 0 and dev["made_steps"]:
        at = f"{dev['measure']} on dev is {points(dev['start'], 1)} at the start, and no evaluated step was better"
        return f"{at}, so the start is kept; {dev['made_steps']} of {manifest['of_steps']} steps were made{stopped}"
    found = "no step could be measured" if dev["best"] is None else f"{points(dev['best'], 1)}"
    start = "" if dev["start"] is None else f", at the start {points(dev['start'], 1)}"
    made = f"{dev['made_steps']} of {manifest['of_steps']} steps were made"
    kept = f"kept step {manifest['steps']}; {made}{stopped}"
    return f"{outline}; {dev['measure']} on dev {found}{start}; {kept}"


def _shown(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"
