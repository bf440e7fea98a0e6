"""Bounds under continuous looking. What a user would lose is the meaning of every early stop: a bound that is left by
the true mean more often than it says refuses good candidates and lets bad ones pass."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from harness.measuring.statistics.anytime import (
    BETS,
    HEADROOM_BETS,
    SHARES,
    Either,
    Evidence,
    averaged,
    balanced,
    evidence,
    headroom_evidence,
    macro_evidence,
    wealth,
)
from harness.measuring.statistics.design import Design, Questions
from tests.harness.measuring.statistics.designs import alone, ids, of, parallel

ALPHA = 0.1


def ever_left(outcomes: dict[float, float], steps: int, alpha: float) -> float:
    """The exact probability that the lower bound of a law with two values is ever above its mean."""
    (win, chance), (loss, _) = outcomes.items()
    mean = sum(value * share for value, share in outcomes.items())
    alive = {0: 1.0}
    left = 0.0
    for step in range(1, steps + 1):
        after: dict[int, float] = {}
        for wins, mass in alive.items():
            for more, share in ((1, chance), (0, 1 - chance)):
                after[wins + more] = after.get(wins + more, 0.0) + mass * share
        alive = {}
        for wins, mass in after.items():
            seen = np.repeat([win, loss], [wins, step - wins])
            if evidence(seen).against(mean) >= math.log(1 / alpha):
                left += mass
            else:
                alive[wins] = mass
    return left


@pytest.mark.parametrize("chance", [0.02, 0.2, 0.5, 0.9])
def test_the_true_mean_is_left_no_more_often_than_promised_however_often_one_looks(chance: float) -> None:
    assert ever_left({1.0: chance, -1.0: 1 - chance}, 120, ALPHA) <= ALPHA
    assert ever_left({0.2: chance, -0.05: 1 - chance}, 120, ALPHA) <= ALPHA


def test_the_expected_wealth_of_every_bet_is_at_most_what_the_mean_allows() -> None:
    values, law = np.array([-1.0, -0.1, 0.0, 0.6]), np.array([0.2, 0.3, 0.4, 0.1])
    for size in (1, 3):
        draws = list(itertools.product(range(4), repeat=size))
        expected = sum(math.prod(law[list(draw)]) * np.exp(wealth(values[list(draw)], 0.7)) for draw in draws)
        assert (expected <= np.exp(BETS * 0.7 * size * (values @ law)) + 1e-12).all()
        assert expected == pytest.approx((1 + BETS * 0.7 * (values @ law)) ** size), "the wealth is a martingale's"


def test_evidence_of_several_collections_speaks_of_their_weighted_mean_alone() -> None:
    """Whatever the single means are, as long as the weighted mean is the claimed one: nothing is expected to grow."""
    weights, sizes = np.array([0.5, 0.3, 0.2]), (2, 1, 2)
    every, reach = balanced(alone(*sizes, weights=weights.tolist()))
    stakes = every[[0, 2, 3]]
    assert every == pytest.approx(np.repeat(stakes, sizes))
    assert stakes * sizes == pytest.approx(reach * weights), "an unbalanced stake leaves one collection's mean in"
    for means in ([0.4, -0.5, -0.25], [0.0, 0.0, 0.0], [-0.3, 0.5, 0.0]):
        assert np.dot(weights, means) == pytest.approx(0)
        grown = math.prod(
            (1 + BETS * stake * mean) ** size for stake, mean, size in zip(stakes, means, sizes, strict=True)
        )
        assert (grown <= 1 + 1e-12).all()


def test_a_question_in_several_languages_is_one_draw() -> None:
    """Its stake is bet once, on the average of its differences: copies of a language bring no evidence."""
    deltas = np.random.default_rng(4).choice([-0.5, 0.0, 1.0], 40)
    one, ten = (macro_evidence(parallel(count, 40), [deltas] * count) for count in (1, 10))
    assert ten.bound(ALPHA) == pytest.approx(one.bound(ALPHA)) == pytest.approx(evidence(deltas).bound(ALPHA))
    assert macro_evidence(of(*[deltas] * 10), [deltas] * 10).bound(ALPHA) > one.bound(ALPHA) + 0.05


def test_languages_of_other_weights_bet_what_a_question_weighs_in_them() -> None:
    design = Design((Questions("set", ids(4)), Questions("set", ids(4)[:2])), [1, 3])
    deltas = [np.array([0.4, 0.0, -0.2, 0.1]), np.array([1.0, -1.0])]
    share = np.array([0.25 / 4 + 0.75 / 2] * 2 + [0.25 / 4] * 2)
    stakes, reach = balanced(design)
    assert stakes == pytest.approx(share / share.max()) and reach == pytest.approx(1 / share.max())
    own = np.array([0.25 / 4 * 0.4 + 0.75 / 2, -0.75 / 2, -0.25 / 4 * 0.2, 0.25 / 4 * 0.1]) / share
    assert macro_evidence(design, deltas).logs == pytest.approx(SHARES + wealth(own, stakes))


@pytest.mark.parametrize("languages", [1, 5])
def test_questions_asked_in_several_languages_leave_the_mean_as_seldom_as_promised(languages: int) -> None:
    """Correlated languages, looked at after every block; counted as queries they would leave it far more often."""
    generator, left, counted = np.random.default_rng(languages), 0, 0
    for _ in range(200):
        question = generator.choice([-1.0, 0.0, 1.0], 200)
        sizes = (10, 25, 50, 100, 200)
        left += any(macro_evidence(parallel(languages, size), [question[:size]] * languages).bound(ALPHA) > 0
                    for size in sizes)  # fmt: skip
        counted += any(macro_evidence(alone(*[size] * languages), [question[:size]] * languages).bound(ALPHA) > 0
                       for size in sizes)  # fmt: skip
    assert left / 200 <= ALPHA
    assert languages == 1 or counted / 200 > ALPHA


@pytest.mark.parametrize("seed", range(3))
def test_the_interval_of_the_macro_mean_holds_at_every_block_at_once(seed: int) -> None:
    generator = np.random.default_rng(seed)
    weights, means = np.array([0.5, 0.25, 0.25]), np.array([-0.1, 0.2, 0.0])
    left = 0
    for _ in range(150):
        values = [generator.choice([-1, 0, 1], 64, p=[0.25 - m / 2, 0.5, 0.25 + m / 2]) for m in means]
        bounds = []
        for size in (4, 8, 16, 32, 64):
            seen, design = [own[:size].astype(float) for own in values], alone(*[size] * 3, weights=weights.tolist())
            bounds.append((macro_evidence(design, seen).bound(ALPHA / 2),
                           -macro_evidence(design, [-own for own in seen]).bound(ALPHA / 2)))  # fmt: skip
        left += any(not low <= weights @ means <= high for low, high in bounds)
    assert left / 150 <= ALPHA


def test_the_bound_is_where_the_evidence_reaches_its_level() -> None:
    values = [np.tile([0.2, 0.0, 0.4], 40), np.tile([0.1, -0.3], 30)]
    found = macro_evidence(of(*values, weights=[0.6, 0.4]), values)
    for alpha in (0.3, 0.05, 0.001):
        assert found.against(found.bound(alpha)) == pytest.approx(math.log(1 / alpha), abs=1e-6)
    assert found.bound(0.3) > found.bound(0.05) > found.bound(0.001), "the surer, the wider"


def test_nothing_seen_bounds_nothing() -> None:
    assert evidence(np.empty(0)).bound(0.05) == -1
    assert evidence(np.zeros(1)).bound(0.05) == -1


def test_more_queries_bring_the_bound_to_the_mean() -> None:
    bounds = [evidence(np.tile([0.5, -0.1, 0.0, 0.0], repeats)).bound(0.05) for repeats in (10, 100, 1000, 10_000)]
    assert bounds == sorted(bounds)
    assert 0.09 < bounds[-1] < 0.1


def test_the_order_of_the_queries_does_not_matter() -> None:
    values = np.random.default_rng(0).uniform(-1, 1, 50)
    assert evidence(values).bound(0.05) == pytest.approx(evidence(values[::-1]).bound(0.05), abs=1e-12)


def test_it_is_never_weaker_than_the_empirical_bernstein_bound() -> None:
    """The published form: exp(bet x sum - psi(bet) x sum of squares), psi(b) = -log(1 - b) - b, prediction 0."""
    generator = np.random.default_rng(1)
    for spread in (0.05, 0.15, 0.6):
        values = np.clip(generator.normal(0.02, spread, 400), -1, 1)
        psi = -np.log1p(-BETS) - BETS
        published = Evidence(SHARES + BETS * values.sum() - psi * (values**2).sum(), BETS * len(values))
        assert evidence(values).bound(0.05) >= published.bound(0.05)


def test_a_small_part_of_the_first_wealth_is_all_that_a_stopped_stake_keeps() -> None:
    one, other = evidence(np.full(20, 0.3)), evidence(np.full(20, -0.3))
    both = averaged([one, other], of=4)
    assert math.exp(both.against(0)) == pytest.approx((math.exp(one.against(0)) + math.exp(other.against(0))) / 4)


@pytest.mark.parametrize("value", [1.5, -1.01, float("nan"), float("inf")])
def test_a_value_that_no_bound_allows_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="lie in"):
        wealth(np.array([0.0, value]))


def test_rounding_is_no_such_value() -> None:
    assert np.isfinite(wealth(np.array([1 + 1e-15, -1 - 1e-15]))).all()


LAWS = {
    "losses follow the headroom": ([0.9, 0.4, 0.05], [-0.5, 0.0, 0.05], [0.2, 0.3, 0.5]),
    "the few questions with headroom win it all": ([1.0, 0.02], [1.0, -0.06], [0.05, 0.95]),
    "they lose it all": ([0.05, 0.0, 1.0], [-0.95, 0.0, 0.04], [0.06, 0.9, 0.04]),
    "no headroom": ([0.0, 0.0], [-1.0, 0.0], [0.03, 0.97]),
    "all of it": ([1.0, 1.0], [1.0, -1.0], [0.5, 0.5]),
}
"""Headroom, difference and probability of each kind of question."""


@pytest.mark.parametrize("name", LAWS)
def test_the_expected_wealth_of_a_question_and_its_partner_is_at_most_what_the_mean_allows(name: str) -> None:
    """Exactly, over all pairs of kinds; and no wealth is ever below 0, whatever the headroom."""
    room, delta, law = map(np.array, LAWS[name])
    expected = np.zeros(len(HEADROOM_BETS))
    for scored, partner in itertools.product(range(len(law)), repeat=2):
        found = headroom_evidence(alone(1), [delta[[scored]]], [room[[scored]]], [room[[partner]]])
        assert np.isfinite(found.logs).all()
        expected += law[scored] * law[partner] * np.exp(found.logs) * len(HEADROOM_BETS)
    assert (expected <= np.exp(-HEADROOM_BETS * (delta @ law)) + 1e-12).all()


@pytest.mark.parametrize("name", LAWS)
def test_evidence_from_the_headroom_errs_no_more_often_than_promised_however_often_one_looks(name: str) -> None:
    """The true mean is the one that is tested, and every draw is a look."""
    room, delta, law = map(np.array, LAWS[name])
    generator, size, left = np.random.default_rng(7), 60, 0
    for _ in range(200):
        kinds = generator.choice(len(law), 2 * size, p=law)
        seen = [
            headroom_evidence(alone(n), [delta[kinds[:n]]], [room[kinds[:n]]], [room[kinds[-n:]]])
            for n in range(1, size + 1)
        ]
        left += any(one.against(float(-(delta @ law))) >= math.log(1 / ALPHA) for one in seen)
    assert left <= 200 * ALPHA + 2 * math.sqrt(200 * ALPHA)


def test_known_headroom_shows_a_small_loss_with_half_of_the_questions() -> None:
    """Without it a gain of 1 in some question that was not asked can never be excluded quickly."""
    lost, room, wanted = np.full(300, -0.03), np.full(300, 0.1), math.log(100)
    seen = [headroom_evidence(alone(n), [lost[:n]], [room[:n]], [room[:n]]).against(0.005) for n in (120, 240)]
    assert seen[0] >= wanted
    assert evidence(-lost[:200]).against(0.005) < wanted <= evidence(-lost[:280]).against(0.005)


def test_headroom_in_several_languages_is_that_of_their_average() -> None:
    design, one = parallel(2, 2), np.array([0.2, 0.6])
    two = [np.array([0.0, 0.2]), np.array([0.4, 1.0])]
    found = headroom_evidence(design, [np.zeros(2)] * 2, two, two)
    assert np.allclose(found.logs, headroom_evidence(alone(2), [np.zeros(2)], [one], [one]).logs)
    assert np.array_equal(found.reach, 2 * HEADROOM_BETS)


def test_a_gain_above_the_headroom_is_refused() -> None:
    with pytest.raises(ValueError, match="above the headroom"):
        headroom_evidence(alone(1), [np.array([0.3])], [np.array([0.2])], [np.array([0.2])])


def test_several_kinds_of_evidence_share_one_alpha() -> None:
    strong, weak = evidence(np.full(100, 0.3)), evidence(np.full(100, 0.1))
    both = Either((weak, strong))
    assert both.against(0.0) == pytest.approx(strong.against(0.0) - math.log(2))
    assert both.bound(ALPHA) == strong.bound(ALPHA / 2)
    assert both.against(both.bound(ALPHA)) == pytest.approx(math.log(1 / ALPHA))
