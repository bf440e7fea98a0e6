"""One store with everything that the rule of significance has to do with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness.data.collection import Collection, sample_queries
from harness.data.suites.targets import find
from harness.measuring.paired_measures import PMRR
from harness.result.evaluation import Evaluation
from harness.result.means import Means
from harness.result.origin import ImportOrigin, marked
from harness.result.store import Results
from tests.suite_evaluations import by_reranker
from tests.tiny_collection import FIRST, Place

BASE = f"{FIRST} (first stage)"
IMPORTED = marked("published")
SCIFACT = find("beir/scifact")[0]
FORUMS = "forums"
PAIRED_ON = ("beir/scifact", "mine/sampled")
"""The collections that have p-MRR too."""
WORDS = ("ferry", "bread", "tide", "mill", "harbour", "winter", "noon", "master", "low", "sold", "rests", "nine")


def collections(place: Place) -> list[Collection]:
    """A parallel set in two languages, a suite with a group of two, and a sample."""

    def loaded(folder: str, queries: int, prefix: str = "q") -> Collection:
        texts = {f"{prefix}{n}": f"{folder} {WORDS[n]}" for n in range(queries)}
        return place.load(
            place.beir(folder, queries=texts, qrels=[(q, f"d{1 + n % 8}", 1) for n, q in enumerate(texts)])
        )

    towns = [
        replace(loaded(code, 12), name=f"towns/{code}", language=code, parallel="towns", parallel_by="declared")
        for code in ("de", "en")
    ]
    forums = [replace(loaded(name, 11), name=f"beir/{name}", group=FORUMS) for name in ("birds", "boats")]
    scifact = replace(loaded("facts", 10), name=SCIFACT.target, split=SCIFACT.mteb.split)
    return [*towns, *forums, scifact, replace(sample_queries(loaded("many", 12), 9), name="mine/sampled")]


def evaluated(place: Place, systems: int) -> list[Evaluation]:
    """The first stage and as many systems, from much worse to much better, on all collections."""
    firsts = place.evaluations(*collections(place), depth=8)
    made = [_paired(one, 0) for one in firsts]
    for number in range(1, systems + 1):
        made += [_paired(_made(one, number, systems), number) for one in firsts]
    return made


def keep(place: Place, evaluations: list[Evaluation]) -> None:
    """In the store, and an imported mean with them."""
    origin = ImportOrigin("mean", "mteb-results", "SciFact.json", "00" * 16, "mteb 2")
    with Results(place.workspace.results) as results:
        for one in evaluations:
            results.keep(one)
        results.keep_means([Means(SCIFACT, FIRST, IMPORTED, 8, origin, {"nDCG@10": 0.99}, SCIFACT.mteb.revision)])


def _made(first: Evaluation, number: int, systems: int) -> Evaluation:
    draw = np.random.default_rng([number, *first.collection.name.encode()])
    shift = 0.4 * (number - systems / 2) / systems
    values = np.clip(first.values + draw.normal(shift, 0.1, first.values.shape), 0, 1)
    return replace(by_reranker(first, f"made-{number:02d}", f"weights-{number}"), values=values)


def _paired(one: Evaluation, number: int) -> Evaluation:
    if one.collection.name not in PAIRED_ON:
        return one
    values = np.random.default_rng([7, number]).normal(number / 100, 0.1, 8) if number else np.zeros(8)
    return replace(one, paired=PMRR(tuple(f"{n}" for n in range(8)), np.clip(values, -1, 1), ()))
