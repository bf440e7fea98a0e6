"""The bounds of a difference over all labels of unjudged documents, and what labels of a language model say of runs.

    python benchmarks/unjudged.py --rag25 ../shared/data/judgments/rag25 --out benchmarks/results/unjudged.json

Bounds: small random lists against all labels, one by one; the time for 10,000 queries. RAG25: 22 topics whose 10,284
pairs have a grade of people and one of a language model. A run orders a topic's pairs by people's grade plus normal
noise; the strengths of the noise are in the result. The unit is a topic: its difference of two runs in nDCG@10.

- naive: the mean difference over 22 topics with the model's labels
- corrected: the model's labels on 22 topics, people's on some of them (`harness.corrected_mean`)
- the truth: the mean difference over 22 topics with people's labels
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from harness.data.qrels import Qrels
from harness.data.runs import Run
from harness.data.sources.judgments import sorted_qrels
from harness.labelling.label_file import read_labels
from harness.measuring.judged import Judged
from harness.measuring.measures import parse
from harness.measuring.statistics.corrected import corrected_mean
from harness.measuring.top_ranks import top_ranks
from harness.measuring.unjudged import bounds

Floats64 = npt.NDArray[np.float64]
LISTS, QUERIES, CUTOFF = 5000, 10_000, 10
NOISE = (0.5, 1.0, 1.5, 2.0, 3.0)
RUNS, TOPICS = 6, (6, 11)
"""Runs of each strength of noise; topics with people's labels."""


def by_hand(run: Run, grades: Mapping[int, int], cutoff: int) -> float:
    """nDCG of one query in plain Python."""
    ranked = sorted(zip(run.scores.tolist(), run.documents.tolist(), strict=True), reverse=True)
    gains = [grades.get(document, 0) for _, document in ranked][:cutoff]
    both = (gains, sorted(grades.values(), reverse=True)[:cutoff])
    dcg, ideal = (sum(gain / math.log2(rank + 2) for rank, gain in enumerate(one)) for one in both)
    return dcg / ideal if ideal else 0.0


def against_brute_force() -> dict[str, object]:
    """The largest deviation of a bound from the same bound over all labels, one by one."""
    drawn, largest, labels = np.random.default_rng(1), 0.0, 0
    for _ in range(LISTS):
        runs = [_run(drawn, 1, 7, int(drawn.integers(1, 7))) for _ in range(2)]
        judged = {int(d): int(drawn.integers(0, 3)) for d in drawn.permutation(7)[: drawn.integers(1, 6)]}
        qrels = _qrels([0] * len(judged), list(judged), list(judged.values()))
        cutoff = int(drawn.integers(1, 5))
        top = top_ranks(*runs, qrels, cutoff)
        unjudged, grades = top.documents[top.unjudged].tolist(), sorted({0, *judged.values()})
        tried = []
        for chosen in itertools.product(grades, repeat=len(unjudged)):
            all_of = {**judged, **dict(zip(unjudged, chosen, strict=True))}
            tried.append(by_hand(runs[1], all_of, cutoff) - by_hand(runs[0], all_of, cutoff))
        labels += len(tried)
        low, high = bounds(top.open_labels())
        largest = max(largest, abs(low[0] - min(tried)), abs(high[0] - max(tried)))
    return {"lists": LISTS, "labels": labels, "largest deviation": largest}


def speed() -> dict[str, object]:
    """Seconds for the bounds of many queries, from two runs and the judgments."""
    drawn = np.random.default_rng(0)
    a, b = (_run(drawn, QUERIES, 30, CUTOFF) for _ in range(2))
    judged = np.concatenate([drawn.permutation(30)[:20] for _ in range(QUERIES)])
    qrels = _qrels(np.repeat(np.arange(QUERIES), 20), judged, drawn.integers(0, 4, QUERIES * 20))
    start = time.perf_counter()
    labels = top_ranks(a, b, qrels, CUTOFF).open_labels()
    bounds(labels)
    seconds = time.perf_counter() - start
    return {"queries": QUERIES, "cutoff": CUTOFF, "unjudged per query": float(labels.counts.mean()), "seconds": seconds}


def rag25(folder: Path) -> dict[str, object]:
    """What the model's labels say of differences between runs, against people's labels."""
    people, model = (_grades(folder / f"qrels.rag25.test{end}.txt.gz") for end in ("", "-umbrela2"))
    values = [_measured(_noisy(people, noise, seed), people, model) for noise in NOISE for seed in range(RUNS)]
    pairs = list(itertools.combinations(range(len(values)), 2))
    truth, naive = (np.array([values[b][at] - values[a][at] for a, b in pairs]) for at in (0, 1))
    found: dict[str, object] = {
        "pairs": sum(len(own) for own in people.values()), "topics": len(people), "noise": NOISE,
        "runs of each": RUNS, "pairs of runs": len(pairs), "naive": _naive(truth, naive),
    }  # fmt: skip
    return {**found, "corrected": {str(size): _corrected(truth, naive, size) for size in TOPICS}}


def _naive(truth: Floats64, naive: Floats64) -> dict[str, float]:
    means = truth.mean(axis=1), naive.mean(axis=1)
    half = 2.0796 * naive.std(axis=1, ddof=1) / math.sqrt(naive.shape[1])  # Student's t with 21 degrees of freedom
    covered = np.abs(means[1] - means[0]) <= half
    shrunk = float(means[1] @ means[0] / (means[0] @ means[0]))
    return {
        "same sign": float((np.sign(means[0]) == np.sign(means[1])).mean()), "coverage": float(covered.mean()),
        "mean absolute error": float(np.abs(means[1] - means[0]).mean()), "slope on people's differences": shrunk,
    }  # fmt: skip


def _corrected(truth: Floats64, naive: Floats64, size: int) -> dict[str, float]:
    drawn, rows = np.random.default_rng([2, size]), []
    for own, of_model in zip(truth, naive, strict=True):
        order = drawn.permutation(len(own))
        some, rest = order[:size], order[size:]
        found = corrected_mean(own[some], of_model[some], of_model[rest])
        target = own.mean()
        rows.append(
            (
                np.sign(found.value) == np.sign(target), found.low <= target <= found.high, abs(found.value - target),
                abs(found.labels_only - target), found.high - found.low, found.labels_high - found.labels_low,
            )
        )  # fmt: skip
    means = np.array(rows, np.float64).mean(axis=0).tolist()
    names = (
        "same sign", "coverage", "mean absolute error", "mean absolute error of people's labels alone",
        "width of the interval", "width with people's labels alone",
    )  # fmt: skip
    return dict(zip(names, means, strict=True))


def _grades(file: Path) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for row in read_labels(file).rows:
        found.setdefault(row.query, {})[row.document] = row.grade
    return found


def _noisy(people: Mapping[str, Mapping[str, int]], noise: float, seed: int) -> dict[str, Floats64]:
    drawn = np.random.default_rng([seed, int(10 * noise)])
    return {topic: np.array(list(own.values())) + drawn.normal(0, noise, len(own)) for topic, own in people.items()}


def _measured(
    scores: Mapping[str, Floats64], people: Mapping[str, Mapping[str, int]], model: Mapping[str, Mapping[str, int]]
) -> tuple[Floats64, Floats64]:
    """nDCG@10 of every topic by people's and by the model's labels."""
    found: tuple[list[float], list[float]] = ([], [])
    for topic, own in people.items():
        rows = np.arange(len(own), dtype=np.int32)
        run = Run(np.array([0, len(own)]), rows, scores[topic].astype(np.float32), rows)
        for values, grades in zip(found, (own, {name: model[topic][name] for name in own}), strict=True):
            qrels = _qrels([0] * len(rows), rows, list(grades.values()))
            values.append(float(Judged(run, qrels, 1).values([parse(f"nDCG@{CUTOFF}")])[0, 0]))
    return np.array(found[0]), np.array(found[1])


def _run(drawn: np.random.Generator, queries: int, documents: int, depth: int) -> Run:
    rows = np.concatenate([drawn.permutation(documents)[:depth] for _ in range(queries)]).astype(np.int32)
    scores = drawn.integers(0, 4, len(rows)) if queries == 1 else drawn.random(len(rows))
    return Run(np.arange(queries + 1) * depth, rows, scores.astype(np.float32), rows)


def _qrels(queries: npt.ArrayLike, documents: npt.ArrayLike, grades: npt.ArrayLike) -> Qrels:
    return sorted_qrels(*(np.asarray(one, np.int32) for one in (queries, documents, grades)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--rag25", type=Path, help="the folder with RAG25's judgments; without it that part is left out"
    )
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    found = {"brute force": against_brute_force(), "speed": speed()}
    if given.rag25:
        found["rag25"] = rag25(given.rag25)
    text = json.dumps(found, indent=1)
    print(text)
    if given.out:
        given.out.write_text(f"{text}\n", "utf-8")


if __name__ == "__main__":
    main()
