"""A language model as a reranker, with the query read once for all its candidates and with whole inputs, in turn.

    python benchmarks/prefixes.py TOKENIZER [--layers 4] [--queries 2] [--candidates 100] [--rounds 2] [--out FILE.json]

TOKENIZER is a folder with the tokenizer of Qwen3. The model has the shapes of Qwen3-Reranker-0.6B with fewer layers and
random weights, so only times and the equality of scores mean anything. Documents have about 30 words, queries about 12,
and the prompt is that of Qwen3-Reranker. One thread; the ratio is of processor time.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
import transformers

from adapters.causal_lm import CausalLMReranker
from harness.result.environment import machine

_SHAPES = {
    "hidden_size": 1024, "intermediate_size": 3072, "num_attention_heads": 16, "num_key_value_heads": 8,
    "head_dim": 128, "max_position_embeddings": 40960, "rope_theta": 1000000.0, "tie_word_embeddings": True,
}  # fmt: skip


def main() -> None:
    """Run both ways in turn, print the ratio, compare the scores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tokenizer", type=Path)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--queries", type=int, default=2)
    parser.add_argument("--candidates", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        made(Path(folder), options.tokenizer, options.layers)
        result = measured(folder, options.queries, options.candidates, options.rounds)
    result |= {"layers": options.layers, "queries": options.queries, "candidates": options.candidates}
    print(json.dumps(result, indent=1))
    if options.out:
        options.out.write_text(json.dumps(result, indent=1) + "\n")


def made(folder: Path, tokenizer: Path, layers: int) -> None:
    """Save a model with random weights."""
    words = transformers.AutoTokenizer.from_pretrained(tokenizer)
    config = transformers.Qwen3Config(vocab_size=len(words), num_hidden_layers=layers, **_SHAPES)
    torch.manual_seed(0)
    transformers.Qwen3ForCausalLM(config).save_pretrained(folder)
    words.save_pretrained(folder)


def measured(folder: str, queries: int, candidates: int, rounds: int) -> dict[str, object]:
    """Processor time of both ways, and the largest difference of a score."""
    draw = np.random.default_rng(0)
    words = [
        f"{first}{second}" for first in ("in", "con", "re", "pro", "ex") for second in ("form", "tract", "duce", "cess")
    ]
    asked = [" ".join(draw.choice(words, 12)) for _ in range(queries)]
    read = [" ".join(draw.choice(words, size)) for size in draw.integers(15, 45, queries * candidates)]
    pairs = np.array([(row // candidates, row) for row in range(len(read))])
    sides = {name: CausalLMReranker(folder, template="qwen3", device="cpu") for name in ("once", "whole")}
    sides["whole"].next_word.__dict__["shares_prefixes"] = False
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    scores = {}
    for side in sides.values():
        side.score(asked, read, pairs[:4])
    assert sides["once"].next_word.shares_prefixes
    for number in range(rounds):
        for name in list(sides)[:: 1 if number % 2 == 0 else -1]:
            start = time.process_time()
            scores[name] = sides[name].score(asked, read, pairs)
            seconds[name].append(time.process_time() - start)
            print(f"{name}: {seconds[name][-1]:.1f} s CPU", flush=True)
    prompts = sides["once"].prompts(asked, read, pairs)
    middle = {name: statistics.median(found) for name, found in seconds.items()}
    return {
        "machine": machine(),
        "tokens_per_pair": round(float(prompts.lengths.mean()), 1),
        "tokens_before_the_document": round(float(np.mean([len(ids) for ids in prompts.before])), 1),
        "pairs_per_cpu_second": {name: round(len(pairs) / one, 2) for name, one in middle.items()},
        "ratio_cpu": round(middle["whole"] / middle["once"], 3),
        "largest_score_difference": float(np.abs(scores["once"] - scores["whole"]).max()),
        "spread_of_scores": float(np.ptp(scores["whole"])),
    }


if __name__ == "__main__":
    main()
