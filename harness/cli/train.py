"""The verbs that train: a room of their own on the command line, `harness train ...`."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from adapters.errors import UsageError
from harness.cli import options
from harness.cli.app import app

train = typer.Typer(
    name="train",
    help="Train a reranker: synthesize queries, mine candidates, let a teacher score them, fit.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(train)


@train.command(
    epilog="""Examples:

    harness train fit --base ./student --data mined.jsonl --loss hinge --scale 10 --out ./adapted --print-cost

    harness train fit --base ./all-MiniLM-L6-v2 --new-head --data ./scifact --loss bce --out ./stage1

    harness train fit --base ./stage1 --data mined.parquet --replay general.jsonl --save-every 500 --out ./adapted"""
)
def fit(  # noqa: PLR0917
    base: options.Base = None,
    data: options.FitData = None,
    out: options.FitOut = None,
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
    replay: options.Replay = None,
    replay_share: options.ReplayShare = 0.2,
    precision: options.Precision = "auto",
    gradient_checkpointing: options.GradientCheckpointing = False,
    batch_tokens: options.BatchTokens = None,
    save_every: options.SaveEvery = None,
    seed: options.FitSeed = 0,
    device: options.Device = None,
    limit: options.LimitExamples = None,
    negatives: options.NegativesFrom = "bm25",
    adapted_on: options.AdaptedOn = None,
    print_cost: options.PrintCost = False,
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """Train a cross-encoder on scored examples, and write a checkpoint that `harness run --reranker` takes.

    A killed run goes on where it was when the same command is given again. A language model is trained by its words yes
    and no. On several GPUs: torchrun --nproc-per-node N -m harness train fit ... The checkpoint is no better than its
    base until the harness has said so.
    """
    from harness.progress import Silent, Terminal
    from harness.workspace import Workspace
    from training import fit as fitting
    from training.adapted import corpora_of
    from training.losses import Loss
    from training.ranks import ranks_here
    from training.settings import Machine, Settings
    from training.sources import Negatives, read_examples, read_several

    given = {"--base": base, "--data": data, **({} if print_cost else {"--out": out})}
    if missing := [name for name, value in given.items() if not value]:
        raise UsageError(f"harness train fit needs {' and '.join(missing)}; see --help")
    ranks = ranks_here()
    if print_cost and ranks.world > 1:
        raise UsageError("--print-cost counts for one process; leave torchrun out")
    settings = Settings(
        loss=Loss(loss, scale, shift, sigmoid, temperature, smallest_gap), epochs=epochs, max_steps=max_steps,
        queries=batch_queries, learning_rate=learning_rate, warmup=warmup, weight_decay=weight_decay,
        max_length=max_length, lora_rank=lora_rank, new_head=new_head, replay_share=replay_share,
        precision=precision, seed=seed,
    )  # fmt: skip
    machine = Machine(device, batch_tokens, gradient_checkpointing, save_every)
    sources = [*(data or ()), *([replay] if replay else [])]
    place = Workspace.open(workspace) if any(path.is_dir() for path in sources) else None
    where = Negatives(negatives, seed=seed, workspace=place)
    general = read_examples(replay, limit=limit, negatives=where) if replay else None
    examples = read_several(data or (), limit=limit, negatives=where)
    corpora = (*corpora_of(sources, place), *(adapted_on or ()))
    work = fitting.job(str(base), examples, settings, general, corpora)
    if print_cost:
        cost = fitting.cost(work, machine)
        typer.echo(json.dumps(cost.as_dict()) if as_json else str(cost))
        return
    manifest = fitting.fit(work, Path(str(out)), machine, Terminal() if ranks.is_first else Silent())
    if not ranks.is_first:
        return
    if as_json:
        typer.echo(json.dumps(manifest, ensure_ascii=False, indent=1))
        return
    losses = manifest["loss"]
    typer.echo(
        f"written: {out} ({manifest['steps']} steps, loss {_shown(losses['first'])} -> {_shown(losses['last'])})"
    )


def _shown(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"
