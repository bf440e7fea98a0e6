"""Embedding with our scheduling and with SentenceTransformer.encode, side by side in one run.

    python benchmarks/embedding.py MODEL COLLECTION [--documents 500] [--rounds 2] [--out FILE.json]

MODEL is an embedder's folder, COLLECTION a BEIR folder. Every n-th document is embedded, title and text. Both sides run
in float32 on one thread with default settings, in turn; the ratio is of processor time. The matrix product of the
model's width is timed in every round, which shows how far both are from the limit of the processor.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from sentence_transformers import SentenceTransformer

from adapters.embedding import SentenceEmbedder
from harness.result.environment import machine


def main() -> None:
    """Run both, print the ratio, compare the vectors."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("collection", type=Path)
    parser.add_argument("--documents", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    texts = documents(options.collection, options.documents)
    ours, peer = SentenceEmbedder(options.model, device="cpu"), SentenceTransformer(options.model, device="cpu")
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
    result = {
        "machine": machine(),
        "model": Path(options.model).name,
        "documents": len(texts),
        "tokens": {"median": float(np.median(lengths)), "mean": round(float(np.mean(lengths)), 1)},
        "documents_per_cpu_second": {name: round(len(texts) / one, 2) for name, one in middle.items()},
        "ratio_cpu": round(middle["sentence-transformers"] / middle["ours"], 3),
        "matrix_product_gflops": round(statistics.median(speeds), 1),
        "largest_difference": float(np.abs(vectors["ours"] - vectors["sentence-transformers"]).max()),
    }
    print(json.dumps(result, indent=1))
    if options.out:
        options.out.write_text(json.dumps(result, indent=1) + "\n")


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
