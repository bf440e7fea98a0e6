"""Evaluations that look like those of a suite's collections, made of a tiny one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from harness.data.suites.targets import SuiteCollection
from harness.result.evaluation import Evaluation
from harness.scoring.retrieve import ModelStage
from harness.scoring.system import MadeOf, ModelReranker, System

NOWHERE = Path("nowhere")


def as_of(evaluation: Evaluation, entry: SuiteCollection, lower: float = 0.0) -> Evaluation:
    """The evaluation as if it were of the suite's collection; its values a share lower, so that no two are equal."""
    collection = replace(
        evaluation.collection,
        name=entry.target,
        split=entry.mteb.split,
        language=entry.language,
        fingerprint=f"{evaluation.collection.fingerprint}-{entry.target}",
    )
    ground = replace(evaluation.ground, collection=collection)
    return replace(evaluation, ground=ground, values=evaluation.values * (1 - lower), made_of=_made(evaluation, entry))


def by_reranker(evaluation: Evaluation, spec: str, weights: str | None = None) -> Evaluation:
    """The evaluation as if this reranker had made it."""
    system = System(evaluation.system.first_stage, evaluation.system.depth, ModelReranker(spec, NOWHERE))
    identity = {"adapter": "cross-encoder", **({"weights": weights} if weights else {})}
    content = {**evaluation.made_of.content, "reranker": identity}
    return replace(evaluation, system=system, made_of=MadeOf(content))


def by_first_stage(evaluation: Evaluation, spec: str, depth: int = 100) -> Evaluation:
    """The evaluation as if its candidates were of this first stage."""
    return replace(evaluation, system=System(ModelStage(spec, NOWHERE), depth, evaluation.system.reranker))


def _made(evaluation: Evaluation, entry: SuiteCollection) -> MadeOf:
    return MadeOf({**evaluation.made_of.content, "collection": entry.target})
