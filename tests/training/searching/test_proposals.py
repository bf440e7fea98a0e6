"""What a search tries next: it finds a known best within its looks, and tries nothing twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from training.searching.proposals import Proposal, Search, among_many, between_two, orders

Value = Callable[[Proposal], float]


def followed(search: Search, value: Value, looks: int) -> list[Proposal]:
    """The proposals of a search that is closed when the looks are spent."""
    tried: list[Proposal] = []
    proposal = next(search, None)
    while proposal is not None and len(tried) < looks:
        tried.append(proposal)
        try:
            proposal = search.send(value(proposal))
        except StopIteration:
            break
    assert len({one.name for one in tried}) == len(tried)
    return tried


def best(tried: Sequence[Proposal], value: Value) -> Proposal:
    return max(tried, key=value)


@pytest.mark.parametrize("peak", [0.0, 0.1, 0.3, 0.5, 0.62, 0.9, 1.0])
def test_the_best_t_of_a_curve_with_one_peak_is_found(peak: float) -> None:
    def value(one: Proposal) -> float:
        assert one.t is not None and len(one.t) == 1
        return 1 - (one.t[0] - peak) ** 2

    ends = [1 - peak**2, 1 - (1 - peak) ** 2]
    tried = followed(between_two(ends, layers=0, looks=12), value, 12)
    points = [0.0, 1.0, *(one.t[0] for one in tried if one.t)]
    assert min(abs(t - peak) for t in points) <= 1 / 32 and len(tried) <= 12


def test_a_flat_curve_ends_by_itself() -> None:
    assert len(followed(between_two([0.5, 0.5], layers=3, looks=1000), lambda _: 0.5, 1000)) < 60


def test_a_t_that_changes_over_the_layers_is_found() -> None:
    wanted = (0.25, 0.5, 1.0)

    def value(one: Proposal) -> float:
        anchors = (one.t or ()) * (3 if len(one.t or ()) == 1 else 1)
        return -sum(abs(t - goal) for t, goal in zip(anchors, wanted, strict=True))

    tried = followed(between_two([-1.75, -1.25], layers=3, looks=40), value, 40)
    assert best(tried, value).t == wanted
    assert all(abs(sum(own) - 1) < 1e-9 for one in tried for own in zip(*one.weights, strict=True))


def test_all_orders_of_a_short_chain_are_tried_once_best_first() -> None:
    assert orders([2, 0, 1]) == [(2, 0, 1), (2, 1, 0), (0, 1, 2)]
    assert len(orders(range(4))) == 12
    assert orders([4, 3, 2, 1, 0]) == [(4, 3, 2, 1, 0)]


def test_the_best_order_is_kept_for_the_weights() -> None:
    def value(one: Proposal) -> float:
        return (one.order[:3] == (0, 1, 2)) + one.weights[-1][0]

    tried = followed(among_many([0.1, 0.2, 0.3], ordered=True, looks=10), value, 10)
    assert [one.order for one in tried[:3]] == [(2, 1, 0), (2, 0, 1), (1, 0, 2)]
    assert {one.phase for one in tried[:3]} == {"order"} and tried[3].phase == "weights"


def test_a_bad_ingredient_is_left_out() -> None:
    def value(one: Proposal) -> float:
        return -dict(zip(one.order, one.weights, strict=True)).get(1, (0.0,))[0]

    tried = followed(among_many([0.2, 0.1, 0.2], ordered=False, looks=20), value, 20)
    assert 1 not in best(tried, value).order


def test_orders_take_at_most_half_of_the_looks() -> None:
    tried = followed(among_many([0.4, 0.3, 0.2, 0.1], ordered=True, looks=8), lambda _: 0.0, 8)
    assert [one.phase for one in tried].count("order") == 4
