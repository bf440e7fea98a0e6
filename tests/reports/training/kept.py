"""A record whose arms are evaluated in a store, so that differences can be paired over queries."""

from __future__ import annotations

from typing import Any

from harness.data.collection import Collection
from harness.result.gathered import gathered
from harness.result.result import Result
from tests.reports.training.made import made
from tests.tiny_collection import CORPUS, Place

ARMS = {"tests.fake_adapters:Plain": "base", "control:oracle": "union", "control:random": "slerp"}


def kept(place: Place, *, grouped: bool = False) -> tuple[dict[str, Any], dict[tuple[str, str], Result]]:
    """A record of three arms on two collections of the workspace, and their results by arm and collection.

    Args:
        grouped: the two are a group, and there is a third.
    """
    rules = 'group = "a"' if grouped else ""
    loaded = [_loaded(place, "de", 20, rules), _loaded(place, "sw", 14, rules)]
    if grouped:
        loaded.append(_loaded(place, "other", 9))
    place.evaluations(*loaded, rerankers=list(ARMS))
    found = {
        (ARMS[one.system.label], one.collection.name): one
        for one in gathered(place.workspace.path)
        if one.system.label in ARMS and one.measure == "nDCG@10"
    }
    scores = [
        {"arm": arm, "tier": "final", "collection": name, "language": name, "measure": "nDCG@10",
         "value": one.value, "low": None, "high": None, "queries": one.collection.queries, "evaluation": one.id}
        for (arm, name), one in found.items()
    ]  # fmt: skip
    for arm in ARMS.values():
        own = [one for one in scores if one["arm"] == arm]
        value = sum(float(str(one["value"])) for one in own) / len(own)
        scores.append({**own[0], "collection": "macro average", "language": None, "value": value, "evaluation": None})
    return made(scores=scores, claims=[]), found


def _loaded(place: Place, name: str, size: int, rules: str = "") -> Collection:
    """A collection with enough questions for an interval; each has one relevant document."""
    texts = list(CORPUS.values())
    queries = {f"q{number}": f"{name} {number} {texts[number % len(texts)]}" for number in range(size)}
    qrels = [(f"q{number}", f"d{number % len(texts) + 1}", 1) for number in range(size)]
    return place.load(place.beir(name, queries=queries, qrels=qrels, rules=rules))
