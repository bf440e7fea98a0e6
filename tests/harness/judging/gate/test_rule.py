"""The rule: where one of these does not hold, a regression is released, or a good checkpoint is lost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.judging.compare.paired import weights
from harness.judging.gate.local import local, p_worse
from harness.judging.gate.policy import Local, LookBudget, Policy
from harness.judging.gate.reasons import at_least
from harness.judging.gate.rule import decide
from harness.judging.gate.verdict import CheckpointCost, Findings
from harness.measuring.statistics.design import Design
from harness.measuring.statistics.difference import difference
from tests.harness.judging.gate.pairs import judged, paired
from tests.harness.judging.gate.plans import questions

FIFTEEN = [f"c{i}" for i in range(15)]


def test_an_equal_candidate_with_enough_queries_passes() -> None:
    found = judged(*(paired(name, 0.0) for name in FIFTEEN))
    assert found.state == "pass"
    assert not found.better
    assert found.macro is not None
    assert found.macro.lower == pytest.approx(-1.645 * 0.1 / np.sqrt(6000), rel=1e-2)


def test_a_loss_of_twice_the_margin_is_refused() -> None:
    found = judged(*(paired(name, -0.01) for name in FIFTEEN))
    assert found.state == "refused"
    assert "certainly worse by the margin of 0.50 or more: -1.00 points" in found.reasons[0]


def test_a_loss_that_is_significant_but_within_the_margin_passes() -> None:
    found = judged(*(paired(name, -0.0028, spread=0.05) for name in FIFTEEN))
    assert found.macro is not None
    assert found.macro.upper < 0  # certainly worse than the anchor, and certainly not by the margin
    assert found.state == "pass"


def test_an_interval_that_holds_the_margin_is_inconclusive_and_says_how_many_queries_would_decide() -> None:
    found = judged(paired("a", -0.001), paired("b", 0.001))
    assert found.state == "inconclusive"
    assert "a loss of the margin is not excluded" in found.reasons[0]
    assert "needs about 1,700 more queries" in found.reasons[1]  # (1.645 + .842)^2 x .1^2 / .005^2 = 2,473, less 800
    assert "that would be a pass" in found.reasons[1]
    assert any("detects a true difference of 0.88 points" in line for line in found.reasons)


def test_a_point_estimate_below_the_margin_is_not_sent_for_more_queries_to_pass() -> None:
    found = judged(paired("a", -0.007))
    assert found.state == "inconclusive"
    assert "that would be a refusal" in found.reasons[1]


def test_a_collapsed_collection_is_refused_though_the_macro_average_rises() -> None:
    pairs = [*(paired(name, 0.005) for name in FIFTEEN), paired("fiqa", -0.05)]
    found = judged(*pairs)
    assert decide(pairs, weights(pairs), Policy(), 0.05) == "pass"
    assert found.state == "refused"
    assert found.reasons[0].startswith("collection fiqa lost 5.00 points")
    assert [one.name for one in found.parts if one.collapsed] == ["fiqa"]


def test_a_certain_drop_that_is_small_is_no_collapse() -> None:
    found = judged(*(paired(name, 0.0) for name in FIFTEEN), paired("big", -0.015, 5000, spread=0.05))
    (big,) = [one for one in found.parts if one.name == "big"]
    assert big.adjusted < 0.001
    assert found.state == "pass"


def test_a_large_drop_that_is_not_certain_is_no_collapse() -> None:
    found = judged(*(paired(name, 0.0) for name in FIFTEEN), paired("noisy", -0.025, 20, spread=0.2))
    assert not any(one.collapsed for one in found.parts)


def test_small_collections_may_drop_deeper() -> None:
    drop = -0.025
    small, large = paired("small", drop, 150, spread=0.05), paired("large", drop, 400, spread=0.05)
    parts = local([small, large], weights([small, large]), Policy())
    assert [one.collapsed for one in parts] == [False, True]


def test_a_noisy_small_collection_is_not_refused_for_its_noise() -> None:
    """50 queries cannot exclude a drop of 5 points for an equal candidate; that is only reported."""
    found = judged(
        *(paired(name, 0.0) for name in FIFTEEN), paired("covid", 0.0, 50, spread=0.2), policy=Policy(margin=0.02)
    )
    assert found.state == "pass"
    assert any("too few queries to exclude a drop of 5 points: covid" in line for line in found.reasons)


def test_a_certain_drop_that_may_be_deep_is_refused_before_it_reaches_the_small_limit() -> None:
    pairs = [paired("a", -0.029, 150, spread=0.12)]
    assert local(pairs, weights(pairs), Policy())[0].collapsed
    lax = Policy(local=Local(hard_bound=0.5))
    assert not local(pairs, weights(pairs), lax)[0].collapsed


def test_more_collections_make_a_single_drop_less_certain() -> None:
    fallen = paired("a", -0.03, 400, spread=0.28)  # p is near .016
    alone = local([fallen], np.ones(1), Policy())
    among = [fallen, *(paired(name, 0.0) for name in FIFTEEN)]
    assert alone[0].collapsed
    assert not local(among, weights(among), Policy())[0].collapsed


def test_a_language_that_falls_everywhere_a_little_is_seen_as_a_language() -> None:
    thai = [paired(f"{name}/th", -0.028, 60, spread=0.09, language="th") for name in "abcd"]
    others = [paired(f"{name}/{code}", 0.0, 60, language=code) for name in "abcd" for code in ("de", "en")]
    found = judged(*thai, *others)
    assert not any(one.collapsed for one in found.parts if one.kind == "collection")
    assert [one.name for one in found.parts if one.kind == "language"] == ["de", "en", "th"]
    assert found.reasons[0].startswith("language th lost 2.80 points")


def test_one_language_alone_is_not_tested_twice() -> None:
    pairs = [paired(name, 0.0, language="en") for name in "ab"]
    assert [one.kind for one in local(pairs, weights(pairs), Policy())] == ["collection", "collection"]


def test_a_handful_of_queries_proves_no_drop() -> None:
    assert p_worse(Design((questions("a", 4),)), [np.array([-0.5, -0.5, 0.0, 0.0])]) >= 0.25
    few = np.array([-0.30, -0.31, -0.30])
    assert p_worse(Design((questions("a", 3),)), [few]) == 0.125  # t alone would say .0001
    languages = Design(tuple(questions(name, 3, "set") for name in "abcd"))
    assert p_worse(languages, [few] * 4) == 0.125, "three questions, in however many languages"


def test_fewer_queries_than_the_policy_asks_for_pass_nothing() -> None:
    found = judged(paired("a", 0.0, 20, spread=0.0))
    assert found.state == "inconclusive"
    assert found.reasons[0] == "20 queries are too few; the policy requires 30 or more"
    assert judged(paired("a", 0.0, 30, spread=0.0)).state == "pass"


def test_a_single_query_is_an_answer_and_no_crash() -> None:
    found = judged(paired("a", 0.0, 400), paired("b", 0.0, 1))
    assert found.state == "inconclusive"
    assert "a collection with a single query has no bound" in found.reasons[0]


def test_integrity_comes_first_and_shows_no_figure() -> None:
    found = judged(paired("a", 0.2), findings=Findings(hard=("a: other candidates",)))
    assert (found.state, found.reasons, found.macro) == ("invalid", ("a: other candidates",), None)


def test_a_candidate_over_its_costs_is_refused_and_an_unmeasured_one_is_open() -> None:
    dear = CheckpointCost("time", "s per 1,000 pairs", 13.0, 12.0)
    found = judged(paired("a", 0.05), costs=[dear])
    assert (found.state, found.reasons[0]) == ("refused", "time: 13 s per 1,000 pairs, over the limit of 12")
    unknown = judged(paired("a", 0.05), costs=[replace(dear, value=None)])
    assert unknown.state == "inconclusive"
    assert judged(paired("a", 0.05), costs=[replace(dear, limit=None)]).state == "pass"


def test_a_margin_within_the_noise_of_the_same_checkpoint_passes_nothing() -> None:
    assert judged(paired("a", 0.05, noise=0.003)).state == "inconclusive"
    assert judged(paired("a", 0.05, noise=0.002)).state == "pass"


def test_every_look_of_a_budget_needs_a_wider_interval() -> None:
    pairs = [paired(name, 0.0, 100) for name in FIFTEEN]
    one = judged(*pairs)
    five = judged(*pairs, policy=Policy(looks=LookBudget("1", 5)))
    assert one.macro is not None
    assert five.macro is not None
    assert five.macro.alpha == pytest.approx(0.01)
    assert (one.state, five.state) == ("pass", "inconclusive")
    assert five.macro.lower < one.macro.lower
    assert five.macro.upper == one.macro.upper  # to refuse needs no correction: it costs no false pass
    final = judged(*pairs, policy=Policy(looks=LookBudget("1", 5)), tier="final")
    assert final.state == "pass"


def test_a_better_candidate_is_reported_and_sent_to_the_final_split() -> None:
    found = judged(*(paired(name, 0.01) for name in FIFTEEN))
    assert found.better
    assert any("confirm it with --tier final" in line for line in found.reasons)
    assert not judged(*(paired(name, 0.0005) for name in FIFTEEN)).better


def test_better_is_never_said_where_the_printed_interval_holds_zero() -> None:
    """A one-sided p below 5 % is not enough: the interval is two-sided."""
    found = judged(*(paired(name, 0.0024) for name in FIFTEEN))
    assert found.macro is not None
    assert found.macro.difference.greater_p <= found.macro.alpha < found.macro.difference.p
    assert found.macro.difference.interval[0] < 0 < found.macro.difference.value
    assert found.state == "pass" and not found.better


def test_a_look_of_a_budget_needs_more_to_be_called_better() -> None:
    pairs = [paired(name, 0.003) for name in FIFTEEN]
    assert judged(*pairs).better
    many = judged(*pairs, policy=Policy(margin=0.02, looks=LookBudget("1", 50)))
    assert many.macro is not None and many.state == "pass"
    assert many.macro.difference.significant and not many.better


def test_the_printed_difference_is_that_of_the_one_rule() -> None:
    pairs = [paired("a", 0.004), paired("b", -0.002, 100)]
    found = judged(*pairs)
    assert found.macro is not None
    design = Design(tuple(one.questions for one in pairs))
    assert found.macro.difference == difference(design, [one.deltas for one in pairs])
    low, high = found.macro.difference.interval
    assert any(f"95 % interval [{100 * low:+.2f}, {100 * high:+.2f}]" in line for line in found.reasons)


LANGUAGES = [paired(f"x/{code}", 0.0, 300, language=code, of="x") for code in ("de", "en", "sw", "th")]


def test_ten_languages_of_one_question_are_no_ten_queries() -> None:
    """The same differences in four languages say as much as in one."""
    one, four = judged(LANGUAGES[0]), judged(*LANGUAGES)
    assert one.macro is not None and four.macro is not None
    assert (four.macro.queries, four.macro.questions) == (1200, 300)
    for figure in ("lower", "upper", "detectable"):
        assert getattr(four.macro, figure) == pytest.approx(getattr(one.macro, figure))
    assert four.macro.difference.interval == pytest.approx(one.macro.difference.interval)
    assert one.state == four.state == "inconclusive"


def test_what_is_needed_is_given_in_questions_if_the_languages_share_them() -> None:
    found = judged(*LANGUAGES)
    assert "needs about 2,200 more questions, each in all its languages" in found.reasons[1]  # 2,473, less 300
    assert any("with 1,200 queries of 300 questions this look detects" in line for line in found.reasons)


def test_the_policy_asks_for_questions() -> None:
    few = [replace(one, questions=replace(one.questions, ids=one.questions.ids[:8]),
                   baseline=one.baseline[:8], candidate=one.baseline[:8]) for one in LANGUAGES]  # fmt: skip
    found = judged(*few)
    assert found.reasons[0] == "32 queries of 8 questions are too few; the policy requires 30 or more"


def test_a_tail_in_four_languages_is_one_tail() -> None:
    """Four questions that fall in four languages are four, which chance can do."""
    values = np.zeros(300)
    values[:4] = -0.6
    found = judged(*(replace(one, candidate=one.baseline + values) for one in LANGUAGES), policy=Policy(margin=0.1))
    assert not any("lost more than" in line for line in found.reasons)
    values[:5] = -0.6
    found = judged(*(replace(one, candidate=one.baseline + values) for one in LANGUAGES), policy=Policy(margin=0.1))
    assert any("5 of 300 questions lost more than 50 points, 0 gained as much" in line for line in found.reasons)


def test_the_anchor_itself_passes_and_it_says_that_nothing_was_tested() -> None:
    found = judged(paired("a", 0.0, 5, spread=0.0, candidate_id="same", baseline_id="same"))
    assert found.state == "pass"
    assert "nothing was tested" in found.reasons[0]


def test_a_heavier_tail_is_reported_and_does_not_decide() -> None:
    values = np.zeros(1000)
    values[:20], values[20:500] = -0.6, 0.03
    one = replace(paired("a", 0.0, 1000), candidate=0.7 + values, baseline=np.full(1000, 0.7))
    found = judged(one, policy=Policy(margin=0.02))
    assert found.state == "pass"
    assert any("20 of 1,000 queries lost more than 50 points, 0 gained as much" in line for line in found.reasons)


def test_a_reader_gets_ten_lines_at_most() -> None:
    found = judged(*(paired(name, -0.1) for name in FIFTEEN), findings=Findings(cautions=("x",) * 9))
    assert len(found.reasons) == 10
    assert found.reasons[-1] == "and 9 more"


def test_a_verdict_is_plain_json_values() -> None:
    found = judged(paired("a", 0.0, 400), paired("b", 0.0, 1)).as_dict()
    assert found["macro"]["lower"] is None
    assert found["parts"][0]["kind"] == "collection"


def test_the_binomial_tail_is_exact_and_does_not_grow_slow() -> None:
    assert at_least(9, 10) == pytest.approx(11 / 1024)
    assert at_least(0, 0) == 1
    assert at_least(1600, 3000) == pytest.approx(0.000138, rel=0.02)


def test_verdicts_are_the_same_every_time() -> None:
    pairs = [paired(name, 0.004) for name in FIFTEEN]
    assert judged(*pairs) == judged(*pairs)
