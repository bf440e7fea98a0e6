"""What is lost where: a user would lose the certainty that every lost point is put down to one cause, and once."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from harness.judging.why.facing import ComparedSystem, PairedTexts
from harness.judging.why.headroom import Headroom, headroom, joined
from tests.harness.judging.why.test_difference import MEASURES, random_facing


def parts(found: Headroom) -> np.ndarray:
    return np.array([getattr(found, field.name) for field in fields(Headroom)])


def with_tokens(side: ComparedSystem, generator: np.random.Generator) -> ComparedSystem:
    tokens = generator.integers(-1, 5, len(side.run)).astype(np.int32)
    return replace(side, tokens=tokens, kept=np.minimum(tokens, generator.integers(0, 5, len(tokens))).astype(np.int32))


@given(st.integers(0, 10_000), st.sampled_from(MEASURES))
def test_the_parts_sum_to_the_loss_for_every_query(seed: int, measure: str) -> None:
    facing = random_facing(seed, measure)
    for side, judged in zip(facing.sides, facing.judged, strict=True):
        found = headroom(with_tokens(side, np.random.default_rng(seed)), judged, facing.measure)
        assert np.allclose(parts(found)[1:].sum(axis=0), 1 - found.value, rtol=0, atol=1e-12)
        assert (parts(found) >= 0).all()
        assert np.array_equal(found.value, judged.values([facing.measure])[0])


def test_what_was_truncated_away_is_not_called_misordered(planted: list[PairedTexts]) -> None:
    thai = planted[1]
    a, b = (headroom(side, judged, thai.measure) for side, judged in zip(thai.sides, thai.judged, strict=True))
    assert not a.truncated.any()
    assert b.truncated.mean() > 0.2
    assert b.not_retrieved.max() == 0
    cut = thai.b.lost[thai.b.run.documents == np.repeat(np.arange(60), 10)] >= 0.5
    assert not b.truncated[~cut].any()
    assert not b.misordered[cut & (b.value == 1)].any()


def test_unknown_tokens_are_not_called_truncated(planted: list[PairedTexts]) -> None:
    thai = planted[1]
    for tokens in (None, np.full(len(thai.b.run), -1, np.int32)):
        unknown = replace(thai.b, tokens=tokens, kept=tokens)
        assert np.isnan(unknown.lost).all()
        assert not headroom(unknown, thai.judged[1], thai.measure).truncated.any()


def test_a_document_that_was_not_retrieved_is_no_fault_of_the_order() -> None:
    facing = random_facing(5, "R@2")
    found = headroom(facing.a, facing.judged[0], facing.measure)
    empty = np.diff(facing.a.run.offsets) == 0
    assert empty.any() or found.not_retrieved.any()
    assert not found.misordered[empty].any()


def test_what_no_system_can_reach_is_counted_separately() -> None:
    """P@3 of a query with one relevant document cannot pass a third: no system lost the other two."""
    facing = random_facing(5, "P@3")
    relevant = facing.judged[0].relevant
    found = headroom(facing.a, facing.judged[0], facing.measure)
    assert np.allclose(found.unreachable, 1 - np.minimum(relevant, 3) / 3)


def test_means_sum_to_one_too(planted: list[PairedTexts]) -> None:
    both = joined([headroom(one.b, one.judged[1], one.measure) for one in planted])
    weights = np.full(120, 1 / 120)
    assert abs(sum(both.mean(weights).values()) - 1) < 1e-12
