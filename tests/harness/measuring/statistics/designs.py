"""Designs and differences for tests: collections with questions of their own, and parallel sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple

import numpy as np
import pytest

from harness.measuring.statistics.design import Design, Floats64, Questions
from harness.measuring.statistics.difference import Difference


def ids(size: int) -> tuple[str, ...]:
    return tuple(f"q{number}" for number in range(size))


def alone(*sizes: int, weights: Sequence[float] | None = None) -> Design:
    """Collections that share no question."""
    return Design(tuple(Questions(f"collection {place}", ids(size)) for place, size in enumerate(sizes)), weights)


def of(*values: Floats64, weights: Sequence[float] | None = None) -> Design:
    """Collections that share no question, with as many queries as there are values."""
    return alone(*(np.shape(own)[-1] for own in values), weights=weights)


def parallel(languages: int, size: int) -> Design:
    """One set whose questions are all asked in every language."""
    return Design((Questions("set", ids(size)),) * languages)


def like_ndcg(generator: np.random.Generator, size: int, mean: float = 0.0) -> Floats64:
    """Half of the differences exactly 0, the others heavy-tailed."""
    values: Floats64 = np.where(generator.random(size) < 0.5, 0.0, generator.laplace(2 * mean, 0.15, size))
    return np.clip(values, -1, 1)


def numbers(found: Difference) -> list[float]:
    return [found.value, *found.interval, *astuple(found)[2:]]


def same(one: Difference, other: Difference) -> None:
    assert numbers(one) == pytest.approx(numbers(other), abs=1e-12, nan_ok=True)


def several(seed: int, design: Design, means: Sequence[float]) -> list[list[Floats64]]:
    generator = np.random.default_rng(seed)
    return [[like_ndcg(generator, len(one.ids), mean) for one in design.collections] for mean in means]


def stacked(rows: Sequence[Sequence[Floats64]]) -> list[Floats64]:
    return [np.stack(column) for column in zip(*rows, strict=True)]
