"""Embedding with our scheduling and with SentenceTransformer.encode, side by side in one run.

    python benchmarks/embedding.py MODEL COLLECTION [--documents 500] [--rounds 2] [--dtype auto] [--out FILE.json]

MODEL is an embedder's folder, COLLECTION a BEIR folder. Every n-th document is embedded, title and text. Both sides run
on one thread with default settings, in turn: the peer in float32, ours in the format of --dtype; the ratio is of
processor time. The matrix product of the model's width is timed in every round, which shows how far both are from the
limit of the processor. Half precision is measured only on processors with AMX. Then the result has the share of queries
with the same ten best documents, and with --judged a test that the model stays the same.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from sentence_transformers import SentenceTransformer

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from adapters.embedding import SentenceEmbedder
from adapters.processor import instruction_set
from benchmarks import half
from harness.result.environment import machine


def main() -> None:
    """Run both, print the ratio, compare the vectors."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("collection", type=Path)
    parser.add_argument("--documents", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--out", type=Path)
    half.add_options(parser)
    options = parser.parse_args()
    result = half.skipped(options.dtype, anyway=options.any_processor) or measured(options)
    print(json.dumps(result, indent=1))
    if options.out:
        options.out.write_text(json.dumps(result, indent=1) + "\n")


def measured(options: argparse.Namespace) -> dict[str, object]:
    """Time both sides on the same documents."""
    dtype, why = half.format_of(options.model, options.dtype)
    torch.set_num_threads(1)
    texts = documents(options.collection, options.documents)
    ours = SentenceEmbedder(options.model, device="cpu", dtype=dtype)  # type: ignore[arg-type]
    peer = SentenceTransformer(options.model, device="cpu")
    prompt = ours.prompts["document"] or None
    sides: dict[str, Callable[[list[str]], np.ndarray]] = {
        "ours": lambda some: ours.encode(some, "document"),
        "sentence-transformers": lambda some: peer.encode(some, prompt=prompt, normalize_embeddings=True),
    }
    for side in sides.values():
        side(texts[:4])
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    vectors, speeds = {}, []
    for number in range(options.rounds):
        speeds.append(product(peer.get_embedding_dimension()))
        for name in list(sides)[:: 1 if number % 2 == 0 else -1]:
            start = time.process_time()
            vectors[name] = sides[name](texts)
            seconds[name].append(time.process_time() - start)
            print(f"{name}: {seconds[name][-1]:.1f} s CPU", flush=True)
    lengths = [len(ids) for ids in peer.tokenizer(texts, truncation=True, max_length=peer.max_seq_length)["input_ids"]]
    middle = {name: statistics.median(found) for name, found in seconds.items()}
    asked = queries(options.collection)
    left = (
        ours.encode(asked, "query"),
        peer.encode(asked, prompt=ours.prompts["query"] or None, normalize_embeddings=True),
    )
    similar = (one @ vectors[name].T for one, name in zip(left, sides, strict=True))
    return {
        "machine": machine(),
        "model": Path(options.model).name,
        "documents": len(texts),
        "tokens": {"median": float(np.median(lengths)), "mean": round(float(np.mean(lengths)), 1)},
        "documents_per_cpu_second": {name: round(len(texts) / one, 2) for name, one in middle.items()},
        "ratio_cpu": round(middle["sentence-transformers"] / middle["ours"], 3),
        "matrix_product_gflops": round(statistics.median(speeds), 1),
        "largest_difference": float(np.abs(vectors["ours"] - vectors["sentence-transformers"]).max()),
        "dtype": why,
        "processor": instruction_set(),
        "same_top_10": round(half.same_tops(*similar), 4),
        "same_model": half.same_model(options.model, dtype, options.judged),
    }


def queries(collection: Path, count: int = 100) -> list[str]:
    """The first queries."""
    with (collection / "queries.jsonl").open() as file:
        return [json.loads(line)["text"] for line in file][:count]


def documents(collection: Path, count: int) -> list[str]:
    """Titles and texts of evenly spaced documents."""
    with (collection / "corpus.jsonl").open() as file:
        rows = [json.loads(line) for line in file]
    return [f"{row.get('title', '')} {row['text']}".strip() for row in rows[:: max(1, len(rows) // count)][:count]]


def product(width: int) -> float:
    """GFLOP per processor second of the matrix product of a feed-forward layer on 2,048 tokens."""
    tokens, weights = torch.randn(2048, width), torch.randn(4 * width, width)
    torch.nn.functional.linear(tokens, weights)
    start = time.process_time()
    for _ in range(20):
        torch.nn.functional.linear(tokens, weights)
    return 20 * 2 * 2048 * width * 4 * width / (time.process_time() - start) / 1e9


if __name__ == "__main__":
    main()
