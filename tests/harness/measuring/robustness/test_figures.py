"""The figures of robustness, against counts by hand and against other implementations."""

from __future__ import annotations

import numpy as np
import pytest

from harness.measuring.robustness.figures import Examined, attack_figure, invariance_figures, more_success
from harness.measuring.robustness.perturbed import ANY, RELEVANT, Perturbed
from harness.measuring.statistics.design import Design, Questions
from harness.measuring.statistics.difference import differences
from harness.measuring.statistics.proportion import wilson


def row(name: str, measure: str, values: list[float], version: int = 1) -> Perturbed:
    ids = tuple(f"q{place}" for place in range(len(values)))
    return Perturbed(name, measure, version, ids, np.array(values), len(values), len(values))


def examined(*rows: Perturbed, parallel: str = "one", **values: list[float]) -> Examined:
    known = {name.replace("_", "@"): np.array(own) for name, own in values.items()}
    return Examined(Questions(parallel, rows[0].ids), {(one.name, one.measure): one for one in rows}, known)


def attack(name: str, relevant: list[float], over: list[float] | None = None, version: int = 1) -> list[Perturbed]:
    return [row(name, RELEVANT, relevant, version), row(name, ANY, over or relevant, version)]


def test_an_equal_score_is_a_success_and_is_counted() -> None:
    figure = attack_figure("query-alone", [examined(*attack("query-alone", [-1, 0, 0, 2.5], [-2, -1, 0, 1]))])
    assert figure is not None
    assert (figure.success, figure.over_all, figure.ties) == (0.75, 0.5, 2)
    assert figure.interval == wilson(0.75, 4)


def test_a_family_succeeds_where_any_of_its_attacks_does() -> None:
    rows = [*attack("stuffing-start", [1, -1, -1]), *attack("stuffing-end", [-1, 1, -1])]
    assert attack_figure("stuffing", [examined(*rows)]) is None, "one of its attacks was not measured"
    whole = examined(*rows, *attack("stuffing-repeated", [-3, -3, -3]))
    figure = attack_figure("stuffing", [whole])
    assert figure is not None and figure.success == pytest.approx(2 / 3)


def test_a_question_in_two_languages_is_one_draw() -> None:
    sides = [examined(*attack("empty", values), parallel="set") for values in ([1, -1, -1, -1], [1, 1, -1, -1])]
    figure = attack_figure("empty", sides)
    assert figure is not None
    assert (figure.queries, figure.questions, figure.success) == (8, 4, 0.375)
    assert figure.interval == wilson(0.375, 4)


def test_values_of_an_earlier_definition_are_not_used() -> None:
    assert attack_figure("empty", [examined(*attack("empty", [1, 1], version=0))]) is None


def test_the_difference_of_two_systems_is_by_the_one_rule() -> None:
    theirs, ours = [1.0] * 12 + [-1.0] * 12, [-1.0] * 24
    found = more_success("empty", [examined(*attack("empty", theirs))], [examined(*attack("empty", ours))])
    assert found is not None and found.value == pytest.approx(-0.5) and found.significant
    assert more_success("empty", [examined(*attack("empty", theirs[:5]))], [examined(*attack("empty", ours))]) is None


def test_invariances_are_corrected_over_each_other() -> None:
    rng = np.random.default_rng(0)
    original = rng.uniform(size=40)
    changed = {name: np.clip(original - rng.uniform(0, 0.1, 40), 0, 1) for name in ("typos", "lower", "upper")}
    rows = [row(name, "nDCG@10", own.tolist()) for name, own in changed.items()]
    found = invariance_figures("nDCG@10", [examined(*rows, nDCG_10=original.tolist())])
    design = Design((Questions("one", rows[0].ids),))
    expected = differences(design, [np.stack(list(changed.values())) - original])
    assert [one.difference for one in found] == [one.macro for one in expected]
    assert found[0].difference.family == 3
    assert found[0].perturbed - found[0].original == pytest.approx(found[0].difference.value)


@pytest.mark.parametrize(("hits", "of"), [(0, 300), (7, 300), (30, 300), (300, 300), (1, 3)])
@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_the_interval_of_wilson_is_that_of_scipy(hits: int, of: int, level: float) -> None:
    stats = pytest.importorskip("scipy.stats")
    peer = stats.binomtest(hits, of).proportion_ci(level, "wilson")
    assert wilson(hits / of, of, level) == pytest.approx((peer.low, peer.high), abs=1e-12)


def test_without_draws_a_share_can_be_anything() -> None:
    assert wilson(0.0, 0) == (0.0, 1.0)
