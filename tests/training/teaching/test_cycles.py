"""Which documents are compared. What a user would lose: answers that were paid for and say nothing."""

from __future__ import annotations

import numpy as np
import pytest

from training.sources.bradley_terry import groups
from training.teaching.cycles import most, neighbours


def keys(cycles: int, documents: int, seed: int = 0) -> list[np.ndarray]:
    return list(np.random.default_rng(seed).integers(0, 2**63, (cycles, documents)).astype(np.uint64))


@pytest.mark.parametrize("documents", [2, 3, 4, 7, 16, 100])
@pytest.mark.parametrize("cycles", [1, 2, 5])
def test_every_document_is_connected_and_no_pair_is_named_twice(documents: int, cycles: int) -> None:
    pairs = neighbours(keys(cycles, documents))
    assert len(groups(documents, [(a, b, 1.0) for a, b in pairs.tolist()])) == 1
    assert len({frozenset(pair) for pair in pairs.tolist()}) == len(pairs) <= most(documents, cycles)
    assert (pairs[:, 0] < pairs[:, 1]).all()


def test_a_document_is_in_twice_as_many_comparisons_as_there_are_cycles() -> None:
    pairs = neighbours(keys(2, 100))
    degrees = np.bincount(pairs.ravel(), minlength=100)
    assert degrees.max() == 4
    assert degrees.mean() > 3.8
    assert len(neighbours(keys(1, 100))) == 100


def test_few_documents_are_compared_each_with_each_at_most() -> None:
    assert neighbours(keys(9, 2)).tolist() == [[0, 1]]
    assert neighbours(keys(1, 3)).tolist() == [[0, 1], [0, 2], [1, 2]]


def test_a_document_alone_is_not_compared() -> None:
    assert neighbours(keys(2, 1)).tolist() == []
