"""Pairs per second of one process with one thread, of one process on all cores, and of several workers, in turn.

    python benchmarks/workers.py MODEL COLLECTION [--workers 2] [--queries 20] [--depth 50] [--rounds 3] [--out FILE]

MODEL is a cross-encoder and COLLECTION a folder; BM25 finds the candidates. Every run starts with an empty ledger. The
processes are started and have loaded the model before the time is taken, as in a long run. Ratios are to one process
with one thread. The scores of all ways have to be equal, to the bit.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from pathlib import Path

import torch

from harness.api.targets import collections_of
from harness.data.collection import sample_queries
from harness.progress import Silent
from harness.result.environment import machine
from harness.scoring.rerank import Reranked, rerank
from harness.scoring.retrieve import first_stage, retrieve
from harness.scoring.session import opened
from harness.scoring.system import ModelReranker
from harness.workspace import Workspace


def main() -> None:
    """Run all ways in turn, print speeds and ratios, compare the scores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("collection")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--queries", type=int, default=20)
    parser.add_argument("--depth", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    ways = {"one thread": (1, 1), f"side by side on {cores} cores": (1, cores)}
    ways[f"{options.workers} workers"] = (options.workers, cores)
    speeds: dict[str, list[float]] = {name: [] for name in ways}
    digests = set()
    for number in range(options.rounds):
        for name in list(ways)[:: 1 if number % 2 == 0 else -1]:
            done = measured(options, *ways[name])
            speeds[name].append(done.fresh / done.seconds)
            digests.add(done.run.digest)
    report(options, speeds, digests)


def measured(options: argparse.Namespace, workers: int, threads: int) -> Reranked:
    """Score a collection from an empty ledger, after a first collection that loads the models."""
    torch.set_num_threads(threads)
    stage_name = f"{options.model}{'&' if '?' in options.model else '?'}device=cpu"
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace.open(Path(folder))
        (whole,) = collections_of([options.collection], workspace)
        stage = ModelReranker(stage_name, workspace.cache)
        with opened(workspace, Silent(), workers) as session:
            for seed in (1, 0):
                some = sample_queries(whole, options.queries, seed)
                run = retrieve(some, first_stage("bm25", workspace), options.depth, session)
                done = rerank(some, run, stage.on(some), session, "scoring", stage.source(some))
    return done


def report(options: argparse.Namespace, speeds: dict[str, list[float]], digests: set[str]) -> None:
    """Print the medians, the ratios and whether all scores are equal."""
    medians = {name: statistics.median(values) for name, values in speeds.items()}
    base = next(iter(medians.values()))
    result = {
        "machine": machine(),
        "pairs": options.queries * options.depth,
        "pairs_per_second": medians,
        "ratios": {name: value / base for name, value in medians.items()},
        "rounds": speeds,
        "equal_bits": len(digests) == 1,
    }
    print(json.dumps(result, indent=1))
    if options.out:
        options.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
