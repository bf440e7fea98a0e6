"""Training steps with our batches and with sentence-transformers' CrossEncoderTrainer, side by side in one run.

    python benchmarks/training_step.py MODEL COLLECTION [--steps 8] [--queries 4] [--examples 400] [--out FILE.json]

MODEL is an encoder's folder, COLLECTION a BEIR folder with English text. Each query has 8 documents, cut to word counts
drawn from a lognormal distribution that gives the lengths of BEIR passages. Both sides train all weights in float32
with binary cross-entropy and AdamW, 32 pairs to a step by default, on one thread: the trainer on random pairs, ours on
whole queries. Each makes a random sample of the steps of an epoch, and is measured in useful tokens, which padding is
not. With 64 pairs the trainer needs more than 24 GB.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from adapters.models import open_folder
from harness.environment import machine
from training.encoded import Encoded, encode
from training.examples import Example, Examples
from training.fit import Job
from training.losses import Loss
from training.settings import Machine, Settings
from training.stepping import optimizer_of, stepper
from training.student import load_student

DOCUMENTS = 8
MAX_LENGTH = 512


def main() -> None:
    """Run both, print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("collection", type=Path)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--queries", type=int, default=4, help=f"in a step, with {DOCUMENTS} documents each")
    parser.add_argument("--examples", type=int, default=400)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    examples = workload(options.collection, options.examples)
    settings = Settings(Loss("bce"), queries=options.queries, max_length=MAX_LENGTH, new_head=True)
    work = Job(open_folder(options.model), examples, Examples(()), settings)
    ours, data = of_ours(work, options.steps)
    result = report(ours, of_peer(options.model, examples, data, options.steps, options.queries), data, work)
    print(json.dumps(result, indent=1))
    if options.out:
        options.out.write_text(json.dumps(result, indent=1) + "\n")


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


def timed(steps: Sequence[Any], step: Callable[[Any], None]) -> dict[str, float]:
    """Seconds of some steps, behind a first one that is not counted."""
    step(steps[0])
    wall, processor = time.perf_counter(), time.process_time()
    for one in steps[1:]:
        step(one)
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - processor}


def of_ours(work: Job, count: int) -> tuple[dict[str, float], Encoded]:
    """Steps of our plan."""
    student = load_student(work.base, work.settings, Machine())
    data = encode(work.examples.rows, student.encoder)
    plan = work.plan(data)  # in random order
    step = stepper(student, data, optimizer_of(student, work.settings), work.settings, len(plan))
    measured = timed(plan[: count + 1], lambda examples: step(0, examples) and None)
    tokens = sum(int(data.pairs.lengths[data.rows(examples)].sum()) for examples in plan[1 : count + 1])
    return {**measured, "tokens": tokens, "budget": student.budget}, data


def of_peer(model: str, examples: Examples, data: Encoded, count: int, queries: int) -> dict[str, float]:
    """Steps of the library's trainer with its defaults."""
    from datasets import Dataset
    from sentence_transformers import CrossEncoder
    from sentence_transformers.cross_encoder import CrossEncoderTrainer, CrossEncoderTrainingArguments
    from transformers import TrainerCallback

    size = queries * DOCUMENTS
    rows = [
        (row.query, text, score) for row in examples.rows for text, score in zip(row.documents, row.scores, strict=True)
    ]
    columns = dict(zip(("query", "document", "label"), map(list, zip(*rows, strict=True)), strict=True))
    order = np.random.default_rng(1).permutation(len(rows))[: (count + 1) * size]
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
    return {name: values[-1] - values[0] for name, values in clock.items()} | {"tokens": tokens}


def report(ours: dict[str, float], peer: dict[str, float], data: Encoded, work: Job) -> dict[str, Any]:
    """Rates, ratios, and what padding costs in the whole plans."""
    lengths = data.pairs.lengths
    mean = float(lengths.mean())
    random = np.random.default_rng(2).permutation(len(lengths)).reshape(-1, work.settings.queries * DOCUMENTS)
    padded = sum(len(batch) * int(lengths[batch].max()) for batch in random)

    def rates(side: dict[str, float]) -> dict[str, float]:
        return {**side, "pairs_per_cpu_second": side["tokens"] / side["cpu"] / mean}

    return {
        "machine": machine(),
        "pairs": len(lengths),
        "pairs_per_step": work.settings.queries * DOCUMENTS,
        "tokens": {"mean": mean, "median": float(np.median(lengths)), "p95": float(np.percentile(lengths, 95))},
        "padding": {
            "random batches": padded / int(lengths.sum()) - 1,
            "ours": _padding(data, work, int(ours["budget"])),
        },
        "ours": rates(ours),
        "CrossEncoderTrainer": rates(peer),
        "ratio_cpu": ours["tokens"] / ours["cpu"] / (peer["tokens"] / peer["cpu"]),
        "ratio_wall": ours["tokens"] / ours["wall"] / (peer["tokens"] / peer["wall"]),
    }


def _padding(data: Encoded, work: Job, budget: int) -> float:
    from training.cost import cost_of

    return cost_of(data, work.plan(data), budget, lambda *_: {}).padding


if __name__ == "__main__":
    main()
