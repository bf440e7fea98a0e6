"""Per-query measures from integer-coded arrays: ours beside pytrec_eval, which needs dictionaries of strings.

Both sides start from the same arrays and end with the same values, interleaved in one process:

    python benchmarks/measures.py --queries 10000 --depth 100 --out measures.json
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytrec_eval

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.data.qrels import Qrels
from harness.data.runs import Run
from harness.measuring.judged import Judged
from harness.measuring.measures import parse

MEASURES = ("nDCG@10", "AP@100", "R@100", "RR@10")
THEIRS = {"nDCG@10": "ndcg_cut_10", "AP@100": "map_cut_100", "R@100": "recall_100", "RR@10": "recip_rank"}
JUDGED = 10
CORPUS = 1_000_000


@dataclass(frozen=True)
class Task:
    """One synthetic task: ids are decimal strings, scores have many ties."""

    run: Run
    qrels: Qrels
    queries: int
    depth: int
    document_ids: list[str]
    """The id of every row of the run."""
    qrels_dict: dict[str, dict[str, int]]


def make(queries: int, depth: int, seed: int) -> Task:
    """10 judgments per query with grades 0 to 3, of which 7 are candidates."""
    generator = np.random.default_rng(seed)
    documents = np.stack([generator.choice(CORPUS, depth + JUDGED, replace=False) for _ in range(queries)])
    judged = np.sort(documents[:, depth - 7 : depth + 3], axis=1).astype(np.int32)
    candidates = generator.permuted(documents[:, :depth], axis=1).astype(np.int32).ravel()
    grades = generator.integers(0, 4, judged.size).astype(np.int32)
    scores = np.round(generator.normal(size=candidates.size), 2).astype(np.float32)
    ids = np.array([str(row) for row in range(CORPUS)])
    order = np.empty(CORPUS, dtype=np.int32)
    order[np.argsort(ids, kind="stable")] = np.arange(CORPUS, dtype=np.int32)
    rows = np.repeat(np.arange(queries, dtype=np.int32), JUDGED)
    qrels_dict: dict[str, dict[str, int]] = {f"q{query}": {} for query in range(queries)}
    for query, document, grade in zip(rows.tolist(), judged.ravel().tolist(), grades.tolist(), strict=True):
        qrels_dict[f"q{query}"][str(document)] = grade
    return Task(
        Run(np.arange(queries + 1) * depth, candidates, scores, order[candidates]),
        Qrels(rows, judged.ravel(), grades),
        queries,
        depth,
        ids[candidates].tolist(),
        qrels_dict,
    )


def ours(task: Task) -> npt.NDArray[np.float64]:
    """Join the judgments to the candidates, then measure."""
    return Judged(task.run, task.qrels, task.queries).values([parse(name) for name in MEASURES])


def theirs(task: Task) -> npt.NDArray[np.float64]:
    """Build the dictionaries, then evaluate. RR@10 is the uncut value where that is at least 1/10."""
    scores, ids, depth = task.run.scores.tolist(), task.document_ids, task.depth
    run = {
        f"q{query}": dict(zip(ids[start : start + depth], scores[start : start + depth], strict=True))
        for query, start in enumerate(range(0, len(ids), depth))
    }
    evaluator = pytrec_eval.RelevanceEvaluator(
        task.qrels_dict, {"ndcg_cut.10", "map_cut.100", "recall.100", "recip_rank"}
    )
    found = evaluator.evaluate(run)
    values = np.array([[found[f"q{query}"][THEIRS[name]] for query in range(task.queries)] for name in MEASURES])
    values[-1, values[-1] < 0.1] = 0.0
    return values


def seconds(function: Callable[[Task], object], task: Task) -> float:
    """Wall-clock time of one call."""
    start = time.perf_counter()
    function(task)
    return time.perf_counter() - start


def compare(queries: int, depth: int, rounds: int, seed: int) -> dict[str, object]:
    """Medians of interleaved rounds, their ratio, the largest difference of a value."""
    task = make(queries, depth, seed)
    judged, parsed = Judged(task.run, task.qrels, task.queries), [parse(name) for name in MEASURES]
    difference = float(np.abs(judged.values(parsed) - theirs(task)).max())
    times: dict[str, list[float]] = {"ours": [], "next_system": [], "pytrec_eval": []}
    for _ in range(rounds):
        times["ours"].append(seconds(ours, task))
        times["next_system"].append(seconds(lambda _: judged.values(parsed), task))
        times["pytrec_eval"].append(seconds(theirs, task))
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    return {
        "queries": queries,
        "depth": depth,
        "rounds": rounds,
        "measures": list(MEASURES),
        "seconds": medians,
        "ratio": medians["pytrec_eval"] / medians["ours"],
        "ratio_next_system": medians["pytrec_eval"] / medians["next_system"],
        "max_difference": difference,
        "equal": difference <= 1e-12,
    }


def main() -> int:
    """Print the comparison; exit 1 if the values differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=int, default=10_000)
    parser.add_argument("--depth", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="also write the result here, as JSON")
    options = parser.parse_args()
    result = compare(options.queries, options.depth, options.rounds, options.seed)
    text = json.dumps(result, indent=2) + "\n"
    sys.stdout.write(text)
    if options.out is not None:
        options.out.write_text(text, encoding="utf-8")
    return 0 if result["equal"] else 1


if __name__ == "__main__":
    sys.exit(main())
