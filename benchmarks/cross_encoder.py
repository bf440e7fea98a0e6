"""Reranking with our scheduling and with sentence-transformers' CrossEncoder.predict, side by side in one run.

    python benchmarks/cross_encoder.py MODEL COLLECTION [--pairs 2000] [--rounds 2] [--shape NAME] [--dtype auto]

MODEL is a cross-encoder's folder, COLLECTION a BEIR folder with English text. Each of `pairs / 50` queries gets 50
documents, cut to word counts drawn from a lognormal distribution that gives the lengths of BEIR passages (tokens:
median about 114, mean about 138, 95th percentile about 316). Both sides run with default settings, in turn: the peer in
float32, ours in the format of --dtype. Half precision is measured only on processors with AMX. Then the result has the
share of queries with the same ten best documents, and with --judged a test that the model stays the same.

With `--shape`, a model with random weights is measured, and MODEL gives only the tokenizer: `modernbert` has the shape
of granite-embedding-small-english-r2 with a score head, `deberta-v3` that of mxbai-rerank-xsmall-v1.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from sentence_transformers import CrossEncoder as Peer
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from adapters.cross_encoder import CrossEncoder
from adapters.processor import instruction_set
from benchmarks import half
from harness.result.environment import machine

SHAPES: dict[str, dict[str, object]] = {
    "modernbert": {
        "model_type": "modernbert", "num_attention_heads": 12, "local_attention": 128, "global_attn_every_n_layers": 3,
        "classifier_pooling": "cls", "max_position_embeddings": 8192,
    },
    "deberta-v3": {
        "model_type": "deberta-v2", "num_attention_heads": 6, "relative_attention": True, "position_buckets": 256,
        "pos_att_type": ["p2c", "c2p"], "share_att_key": True, "norm_rel_ebd": "layer_norm", "type_vocab_size": 0,
        "position_biased_input": False, "max_relative_positions": -1, "max_position_embeddings": 512,
    },
}  # fmt: skip
"""What differs between the shapes; both have 12 layers of width 384."""


def main() -> None:
    """Run both, print the ratio, check the scores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("collection", type=Path)
    parser.add_argument("--pairs", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--shape", choices=SHAPES)
    parser.add_argument("--out", type=Path)
    half.add_options(parser)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = options.model if options.shape is None else str(shaped(options.shape, options.model, Path(folder)))
        result = half.skipped(options.dtype, anyway=options.any_processor) or measured(model, options)
    print(json.dumps(result, indent=1))
    if options.out:
        options.out.write_text(json.dumps(result, indent=1) + "\n")


def shaped(shape: str, tokenizer: str, folder: Path) -> Path:
    """A cross-encoder with random weights, and the tokenizer of another model."""
    words = AutoTokenizer.from_pretrained(tokenizer)
    words.model_max_length = 512
    ids = {f"{name}_token_id": getattr(words, f"{name}_token_id") for name in ("pad", "cls", "sep")}
    sizes = {"hidden_size": 384, "intermediate_size": 1536, "num_hidden_layers": 12, "vocab_size": len(words)}
    ends = {"bos_token_id": ids["cls_token_id"], "eos_token_id": ids["sep_token_id"]}
    torch.manual_seed(0)
    config = AutoConfig.for_model(**{**sizes, **ids, **ends, "num_labels": 1, **SHAPES[shape]})
    AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


def measured(model: str, options: argparse.Namespace) -> dict[str, object]:
    """Time both sides on the same pairs."""
    dtype, why = half.format_of(model, options.dtype)
    queries, documents, pairs = workload(options.collection, options.pairs)
    ours = CrossEncoder(model, device="cpu", dtype=dtype)  # type: ignore[arg-type]
    peer = Peer(model, activation_fn=torch.nn.Identity(), device="cpu")
    texts = [(queries[q], documents[d]) for q, d in pairs]
    sides: dict[str, Callable[[int], np.ndarray]] = {
        "ours": lambda n: ours.score(queries, documents, pairs[:n]),
        "sentence-transformers": lambda n: np.asarray(peer.predict(texts[:n], show_progress_bar=False)),
    }
    for side in sides.values():
        side(64)
    timed, scores = rounds(sides, options.pairs, options.rounds)
    lengths = [len(peer.tokenizer(*pair)["input_ids"]) for pair in texts]
    tables = (scores[name].reshape(len(queries), -1) for name in ("ours", "sentence-transformers"))
    return {
        "shape": options.shape,
        **report(timed, scores, lengths, options.pairs),
        "dtype": why,
        "processor": instruction_set(),
        "same_top_10": round(half.same_tops(*tables), 4),
        "same_model": half.same_model(model, dtype, options.judged),
    }


def workload(collection: Path, count: int) -> tuple[list[str], list[str], np.ndarray]:
    """Queries, documents of realistic lengths, and pairs of them."""
    draw = np.random.default_rng(0)
    with (collection / "queries.jsonl").open() as file:
        queries = [json.loads(line)["text"] for line in file][: count // 50]
    with (collection / "corpus.jsonl").open() as file:
        bodies = [json.loads(line)["text"].split() for line in file]
    words = " ".join(" ".join(body) for body in bodies).split()
    sizes = np.exp(draw.normal(np.log(68), 0.62, len(queries) * 50)).astype(int).clip(8, 400)
    starts = draw.integers(0, len(words) - 500, len(sizes))
    documents = [" ".join(words[start : start + size]) for start, size in zip(starts, sizes, strict=True)]
    rows = np.arange(len(documents))
    return queries, documents, np.stack([rows // 50, rows], axis=1)


def rounds(
    sides: dict[str, Callable[[int], np.ndarray]], pairs: int, count: int
) -> tuple[dict[str, list[tuple[float, float]]], dict[str, np.ndarray]]:
    """(wall, CPU) seconds of every round, in turn and in changing order, and the scores."""
    timed: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    scores = {}
    for number in range(count):
        for name, side in list(sides.items())[:: 1 if number % 2 == 0 else -1]:
            wall, processor = time.perf_counter(), time.process_time()
            scores[name] = side(pairs)
            timed[name].append((time.perf_counter() - wall, time.process_time() - processor))
            print(f"{name}: {timed[name][-1][0]:.1f} s wall, {timed[name][-1][1]:.1f} s CPU", flush=True)
    return timed, scores


def report(
    timed: dict[str, list[tuple[float, float]]], scores: dict[str, np.ndarray], lengths: list[int], pairs: int
) -> dict[str, object]:
    """Medians, ratios and the largest difference of a score."""
    wall = {name: statistics.median(seconds[0] for seconds in found) for name, found in timed.items()}
    processor = {name: statistics.median(seconds[1] for seconds in found) for name, found in timed.items()}
    peer = "sentence-transformers"
    return {
        "machine": machine(),
        "torch_threads": torch.get_num_threads(),
        "pairs": pairs,
        "tokens_per_pair": {
            "median": float(np.median(lengths)), "mean": round(float(np.mean(lengths)), 1),
            "p95": float(np.quantile(lengths, 0.95)),
        },
        "pairs_per_second": {name: round(pairs / seconds, 2) for name, seconds in wall.items()},
        "ratio_wall": round(wall[peer] / wall["ours"], 3),
        "ratio_cpu": round(processor[peer] / processor["ours"], 3),
        "largest_score_difference": float(np.abs(scores["ours"] - scores[peer]).max()),
    }  # fmt: skip


if __name__ == "__main__":
    main()
