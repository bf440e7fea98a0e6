"""Training steps with our batches and with sentence-transformers' CrossEncoderTrainer, side by side in one run.

    python benchmarks/training_step.py MODEL COLLECTION [--rounds 3] [--steps 4] [--queries 4] [--out FILE.json]

MODEL is an encoder's folder, COLLECTION a BEIR folder with English text. Each query has 8 documents, cut to word counts
drawn from a lognormal distribution that gives the lengths of BEIR passages. Both sides train all weights in float32
with binary cross-entropy and AdamW, 32 pairs to a step by default, on one thread: the trainer on random pairs, ours on
whole queries, once more without dropout, and without dropout in bfloat16 if the processor computes in it. In every
round each makes other steps of its epoch, drawn at random, and is measured in useful tokens, which padding is not. With
64 pairs the trainer needs more than 24 GB.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from adapters.errors import UsageError
from adapters.models import open_folder
from harness.result.environment import machine
from training.cost import cost_of
from training.encoded import Encoded, Stream, encode
from training.examples import Example, Examples
from training.fit import Job
from training.settings import Loss, Machine, Settings
from training.stepping import optimizer_of, stepper
from training.student import load_student

DOCUMENTS, MAX_LENGTH = 8, 512
PEER = "CrossEncoderTrainer"
HALF = "ours without dropout, in bfloat16"


def main() -> None:
    """Run both, print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("collection", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=4, help="of each side in a round, behind one that is not counted")
    parser.add_argument("--queries", type=int, default=4, help=f"in a step, with {DOCUMENTS} documents each")
    parser.add_argument("--examples", type=int, default=400)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    examples = workload(options.collection, options.examples)
    settings = Settings(Loss("bce"), queries=options.queries, max_length=MAX_LENGTH, new_head=True)
    work = Job(open_folder(options.model), examples, Examples(()), settings)
    ours, plain = Ours(work), Ours(replace(work, settings=replace(settings, dropout=False)))
    half = in_bfloat16(work)
    rounds = []
    for number in range(options.rounds):
        rows = range(number * (options.steps + 1), (number + 1) * (options.steps + 1))
        sides = {"ours": ours.measured(rows), "ours without dropout": plain.measured(rows)}
        if half:
            sides[HALF] = half.measured(rows)
        rounds.append(sides | {PEER: of_peer(options.model, examples, ours.data, rows, options.queries)})
        print(json.dumps({name: side.rates() for name, side in rounds[-1].items()}), flush=True)
    result = report(rounds, ours)
    print(json.dumps(result, indent=1))
    if options.out:
        options.out.write_text(json.dumps(result, indent=1) + "\n")


@dataclass(frozen=True)
class Measured:
    """Some steps of one side."""

    wall: float
    cpu: float
    tokens: int
    """That are no padding."""

    def rates(self) -> dict[str, float]:
        """Useful tokens per second."""
        return {"tokens_per_cpu_second": self.tokens / self.cpu, "tokens_per_second": self.tokens / self.wall}


def workload(collection: Path, count: int) -> Examples:
    """Queries with documents of realistic lengths."""
    draw = np.random.default_rng(0)
    with (collection / "queries.jsonl").open() as file:
        queries = [json.loads(line)["text"] for line in file][:count]
    with (collection / "corpus.jsonl").open() as file:
        words = " ".join(json.loads(line)["text"] for line in file).split()
    sizes = np.exp(draw.normal(np.log(68), 0.62, (len(queries), DOCUMENTS))).astype(int).clip(8, 400)
    starts = draw.integers(0, len(words) - 500, sizes.shape)
    labels = tuple(float(place == 0) for place in range(DOCUMENTS))
    texts = [
        tuple(" ".join(words[start : start + size]) for start, size in zip(*row, strict=True))
        for row in zip(starts, sizes, strict=True)
    ]
    return Examples(tuple(Example(query, row, labels) for query, row in zip(queries, texts, strict=True)))


class Ours:
    """Our student and the steps of our plan, in random order."""

    def __init__(self, work: Job) -> None:
        self.work = work
        self.student = load_student(work.base, work.settings, Machine())
        self.data = encode(work.examples.rows, self.student.encoder)
        self.stream = Stream(work.rows, self.student.encoder)
        self.plan = work.plan(self.stream)
        optimizer = optimizer_of(self.student, work.settings)
        self.step = stepper(self.student, optimizer, work.settings, len(self.plan))

    def measured(self, rows: range) -> Measured:
        """Some steps, behind a first one that is not counted."""
        first, *others = (self.stream.read(self.plan[row]) for row in rows)
        self.step(0, first)
        wall, cpu = time.perf_counter(), time.process_time()
        for examples in others:
            self.step(0, examples)
        tokens = sum(int(examples.pairs.lengths.sum()) for examples in others)
        return Measured(time.perf_counter() - wall, time.process_time() - cpu, tokens)


def in_bfloat16(work: Job) -> Ours | None:
    """Our steps in bfloat16; None on a processor that does not compute in it."""
    settings = replace(work.settings, dropout=False, precision="bfloat16")
    try:
        return Ours(replace(work, settings=settings))
    except UsageError:
        return None


def of_peer(model: str, examples: Examples, data: Encoded, steps: range, queries: int) -> Measured:
    """Steps of the library's trainer with its defaults, the first one not counted."""
    from datasets import Dataset
    from sentence_transformers import CrossEncoder
    from sentence_transformers.cross_encoder import CrossEncoderTrainer, CrossEncoderTrainingArguments
    from transformers import TrainerCallback

    size = queries * DOCUMENTS
    rows = [
        (row.query, text, score) for row in examples.rows for text, score in zip(row.documents, row.scores, strict=True)
    ]
    columns = dict(zip(("query", "document", "label"), map(list, zip(*rows, strict=True)), strict=True))
    order = np.random.default_rng(1).permutation(len(rows))[steps.start * size : steps.stop * size]
    clock: dict[str, list[float]] = {"wall": [], "cpu": []}

    class Clock(TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            clock["wall"].append(time.perf_counter())
            clock["cpu"].append(time.process_time())

    class InOrder(CrossEncoderTrainer):
        """Takes the shuffled rows as they lie, so that it is known which of them a step has."""

        def get_train_dataloader(self) -> Any:
            loader = torch.utils.data.DataLoader(self.train_dataset, batch_size=size, collate_fn=self.data_collator)
            return self.accelerator.prepare(loader)

    with tempfile.TemporaryDirectory() as folder:
        arguments = CrossEncoderTrainingArguments(
            folder, per_device_train_batch_size=size, num_train_epochs=1, save_strategy="no",
            report_to="none", use_cpu=True, disable_tqdm=True,
        )  # fmt: skip
        student = CrossEncoder(model, num_labels=1, max_length=MAX_LENGTH, device="cpu")
        dataset = Dataset.from_dict(columns).select(order)
        InOrder(student, arguments, dataset, callbacks=[Clock()]).train()
    tokens = int(data.pairs.lengths[order[size:]].sum())
    return Measured(clock["wall"][-1] - clock["wall"][0], clock["cpu"][-1] - clock["cpu"][0], tokens)


def report(rounds: Sequence[Mapping[str, Measured]], ours: Ours) -> dict[str, Any]:
    """Rates of all rounds, ratios of the sides within each, and what padding costs in the whole plans."""
    lengths, work = ours.data.pairs.lengths, ours.work
    size = work.settings.queries * DOCUMENTS
    random = np.random.default_rng(2).permutation(len(lengths)).reshape(-1, size)
    padded = sum(len(batch) * int(lengths[batch].max()) for batch in random)
    of_plan = cost_of(ours.stream, ours.plan, work.examples.facts, ours.student.budget, lambda *_: {}).padding
    return {
        "machine": machine(),
        "pairs": len(lengths),
        "pairs_per_step": size,
        "tokens": {
            "mean": float(lengths.mean()), "median": float(np.median(lengths)),
            "p95": float(np.percentile(lengths, 95)),
        },
        "padding": {"random batches": padded / int(lengths.sum()) - 1, "ours": of_plan},
        "rounds": [{name: asdict(side) | side.rates() for name, side in sides.items()} for sides in rounds],
        "ratios": {name: ratios(rounds, name) for name in rounds[0] if name != PEER},
    }  # fmt: skip


def ratios(rounds: Sequence[Mapping[str, Measured]], name: str) -> dict[str, list[float]]:
    """How much faster a side is than the trainer, by kind of second: smallest, median and largest of the rounds."""
    found = {}
    for kind in ("tokens_per_cpu_second", "tokens_per_second"):
        each = sorted(sides[name].rates()[kind] / sides[PEER].rates()[kind] for sides in rounds)
        found[kind] = [each[0], float(np.median(each)), each[-1]]
    return found


if __name__ == "__main__":
    main()
