"""V4: the wording of synthetic queries compared with real ones."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from training.validating.drawn import (
    FULL,
    Effort,
    Features,
    Levels,
    Role,
    halvings,
    measured_differences,
    measured_features,
    roles,
    rows_in,
)
from training.validating.language_model import LanguageModel, unseen, zipf_slope
from training.validating.measured import Name, ValidationRow
from training.validating.sequences import Sequences, sequences
from training.validating.sets import Sets

Against = Callable[[Sequences, Sequences], float]
"""A figure of some queries under a model of others."""


def measure(sets: Sets, effort: Effort = FULL) -> list[ValidationRow]:
    """Cross-entropy under a bigram and a unigram model of real queries, minus that of other real queries; the share of
    words that real queries do not have; the slope of Zipf's law.

    For a cross-entropy the real queries of one side are split again: a model is trained on one part, and both the other
    part and the measured queries are scored with it. Levels are figures under half of the real queries, or without real
    queries those of one half of a set under the other half. A lower figure than that of real queries is a difference
    too, because templates are easy to predict.
    """
    found = sequences(roles(sets))
    rows = [_entropy(sets, found, effort, unigram) for unigram in (False, True)]
    return [*rows, _unseen(sets, found, effort), _zipf(sets, found, effort)]


def excess(asked: Sequences, real: Sequences, *, unigram: bool = False) -> float:
    """Bits per token of queries minus that of real ones, under a model of other real queries."""
    training, held = real.halves
    model = LanguageModel(training)
    return model.cross_entropy(asked, unigram=unigram) - model.cross_entropy(held, unigram=unigram)


def _entropy(sets: Sets, found: Features[Sequences], effort: Effort, unigram: bool) -> ValidationRow:
    def cost(asked: Sequences, real: Sequences) -> float:
        return LanguageModel(real).cross_entropy(asked, unigram=unigram)

    kind = "unigram" if unigram else "bigram"
    return measured_features(
        Name("V4", f"cross-entropy, {kind} model", "difference from real", "bits per token"), sets, found,
        lambda a, b: abs(excess(a, b, unigram=unigram)), Sequences.take, _under_real(sets, found, cost),
        "Witten-Bell; levels are bits per token", effort=effort, repeats=False,
    )  # fmt: skip


def _unseen(sets: Sets, found: Features[Sequences], effort: Effort) -> ValidationRow:
    return measured_features(
        Name("V4", "words that real queries do not have", "OOV rate", "share"), sets, found, unseen, Sequences.take,
        _under_real(sets, found, unseen), effort=effort, repeats=False,
    )  # fmt: skip


def _zipf(sets: Sets, found: Features[Sequences], effort: Effort) -> ValidationRow:
    return measured_differences(
        Name("V4", "slope of Zipf's law", "difference", "log frequency per log rank"), sets, found, zipf_slope,
        Sequences.take, "levels at equal numbers of queries",
        {"frequencies": {one.name: _frequencies(found[role]) for role, one in roles(sets).items()}}, effort,
    )  # fmt: skip


def _under_real(sets: Sets, found: Features[Sequences], figure: Against) -> Levels:
    drawn = halvings(sets)
    if not drawn:
        return {one.name: _known(figure(*found[role].halves[::-1])) for role, one in roles(sets).items()}
    real = found["real"]

    def mean(role: Role) -> float | None:
        pairs = [(rows_in(one, role), one.second) for one in drawn]
        each = [figure(found[role].take(rows), real.take(second)) for rows, second in pairs if rows is not None]
        return _known(float(np.mean(each))) if each else None

    return {one.name: mean(role) for role, one in roles(sets).items()}


def _known(figure: float) -> float | None:
    return figure if math.isfinite(figure) else None


def _frequencies(one: Sequences) -> list[int]:
    """The frequencies of the most common words, in falling order, for a plot over ranks."""
    frequencies: list[int] = np.sort(one.counts[2:])[::-1][:1000].tolist()
    return [number for number in frequencies if number]
