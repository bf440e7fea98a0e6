"""A verdict as others read it: CI sees the failing case, a page shows no markup of a model's name, JSON has it all."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from harness.judging.gate.gate import Gated
from harness.judging.gate.looks import Look, SystemRecord
from harness.judging.gate.policy import LookBudget, Policy
from harness.judging.gate.verdict import CheckpointCost, Findings
from reports.tables import gate as gated
from tests.harness.judging.gate.pairs import judged, paired

GOOD = [paired("a", 0.001, 3000), paired("b", 0.0, 3000)]


def found(*pairs: object, candidate: str = "new", policy: Policy = Policy(), **more: object) -> Gated:  # noqa: B008
    return Gated(judged(*pairs, policy=policy, **more), "gate", "old", candidate, "nDCG@10", policy)  # type: ignore[arg-type]


def look(release: str = "2.1", **more: object) -> Look:
    plain = Look(
        release,
        "gate",
        "s",
        ("c",),
        "nDCG@10",
        SystemRecord("old", ("a",)),
        SystemRecord("new", ("b",)),
        "p",
        "pass",
        0.01,
    )
    return replace(plain, **more)  # type: ignore[arg-type]


def cases(text: str) -> dict[str, str | None]:
    """Names of test cases and the type of what failed in them."""
    return {
        str(case.get("name")): next((failed.get("type") for failed in case), None)
        for case in ElementTree.fromstring(text).iter("testcase")
    }


def test_the_terminal_has_the_verdict_and_ten_lines_at_most() -> None:
    lines = gated.terminal(found(*(paired(f"c{i}", -0.2) for i in range(12)))).splitlines()
    assert lines[0].startswith("REFUSED: new against old, nDCG@10, for questions like these")
    assert len(lines) == 11


def test_a_look_is_told_with_the_budget() -> None:
    policy = Policy(looks=LookBudget("2.1", 5))
    one = replace(found(*GOOD, policy=policy), look=look(accepted=True), taken=2)
    assert f"[look 2 of 5 of release 2.1; {look().id}, accepted]" in gated.headline(one)


def test_a_pass_says_in_its_first_line_what_it_claims_and_what_it_does_not() -> None:
    policy = Policy(margin=0.03, looks=LookBudget("2.1", 5))
    pairs = [*(paired(code, 0.0, 600) for code in ("de", "es", "ru")), paired("th", 0.0, 90), paired("sw", 0.0, 90)]
    line = gated.headline(replace(found(*pairs, policy=policy), look=look(), taken=2))
    assert line.startswith(
        "PASS: new against old, nDCG@10, for questions like these not worse by 3.00 points on average, nor by 5 points "
        "in de, es, ru; not claimed: sw, th (about 270 queries needed) [look 2 of 5 of release 2.1"
    )


def test_a_verdict_that_is_no_pass_names_what_a_pass_would_have_claimed() -> None:
    pairs = [*(paired(code, 0.0, 400) for code in ("de", "es")), paired("th", -0.01, 400, spread=0.6)]
    one = found(*pairs, policy=Policy(margin=0.05))
    assert gated.headline(one).startswith(
        "INCONCLUSIVE: new against old, nDCG@10, for questions like these; claimed: de, es, th; not shown: th"
    )
    assert cases(gated.junit(one))["collection: th"] == "inconclusive"
    assert cases(gated.junit(one))["macro average"] is None
    assert "| not shown |" in gated.summary(one)


def test_a_verdict_without_a_test_is_about_this_split_only() -> None:
    same = found(paired("a", 0.0, 400, spread=0.0, candidate_id="x", baseline_id="x"))
    assert "for this split alone: the candidate is the anchor" in gated.headline(same)
    assert "for this split alone" in gated.headline(replace(found(*GOOD), tier="dev"))
    assert gated.as_dict(same)["estimand"] == "this split"
    assert gated.as_dict(found(*GOOD))["estimand"] == "questions like these"
    assert "nothing is claimed" in gated.headline(found(*GOOD, findings=Findings(("broken",))))


def test_json_has_the_claims_with_their_chances() -> None:
    document = gated.as_dict(found(*GOOD))
    assert [(one["name"], one["claimed"], one["sd_from"]) for one in document["claims"]] == [
        ("a", True, "[local] sd"),
        ("b", True, "[local] sd"),
    ]
    assert document["parts"][0]["shown"] and document["headline"] == gated.headline(found(*GOOD))


def test_looks_without_a_budget_tell_what_they_may_let_through() -> None:
    one = replace(found(*GOOD), look=look("unnamed"), taken=10)
    line = gated.headline(one)
    assert "look 10, no declared budget: up to 40 % probability that a loss of the margin passed" in line


def test_the_tier_dev_prints_figures_and_says_that_they_are_no_verdict() -> None:
    one = replace(found(paired("a", -0.2)), tier="dev")
    assert gated.headline(one).startswith("NO VERDICT (tier dev)")
    assert gated.as_dict(one)["verdict"] is None
    assert set(cases(gated.junit(one)).values()) == {None}


def test_json_has_every_figure_as_a_fraction() -> None:
    document = gated.as_dict(replace(found(*GOOD), look=look(), taken=1))
    assert (document["verdict"], document["look"], document["accepted"]) == ("pass", look().id, False)
    macro = document["macro"]
    assert macro["delta"] == pytest.approx(0.0005)
    assert macro["interval"][0] < 0.0005 < macro["interval"][1] and macro["anytime"] is None
    assert (macro["p"], macro["family"]) == (macro["adjusted_p"], 1)
    assert macro["queries"] == macro["questions"] == 6000
    assert [part["name"] for part in document["parts"]] == ["a", "b"]
    assert len(document["reasons"]) <= 10


@pytest.mark.parametrize(
    ("one", "failing"),
    [
        (found(*GOOD), {}),
        (found(paired("a", -0.05), paired("b", 0.06)), {"collection: a": "refused"}),
        (found(paired("a", -0.01, 9000, spread=0.01)), {"macro average": "refused"}),
        (found(paired("a", 0.0)), {"macro average": "inconclusive"}),
        (found(*GOOD, costs=[CheckpointCost("time", "s", 9.0, 5.0)]), {"cost: time": "refused"}),
        (found(*GOOD, costs=[CheckpointCost("memory", "MB", None, 5.0)]), {"cost: memory": "inconclusive"}),
        (found(*GOOD, findings=Findings(("broken",))), {"integrity": "invalid"}),
    ],
)
def test_junit_fails_the_case_that_is_the_reason(one: Gated, failing: dict[str, str]) -> None:
    text = gated.junit(one)
    assert {name: kind for name, kind in cases(text).items() if kind} == failing
    suite = ElementTree.fromstring(text)
    assert int(suite.get("failures") or 0) + int(suite.get("errors") or 0) == len(failing)
    assert int(suite.get("tests") or 0) == len(cases(text))


def test_names_with_markup_and_control_characters_stay_text() -> None:
    one = found(*GOOD, candidate="<b>&\x00\x1b[31m|*\ud800", findings=Findings(cautions=("<script>alert(1)</script>",)))
    suite = ElementTree.fromstring(gated.junit(one).encode("utf-8"))
    assert "<b>&" in str(suite.get("name"))
    text = gated.summary(one)
    assert "<script>" not in text
    assert "<b>" not in text


def test_the_summary_has_a_row_per_part() -> None:
    text = gated.summary(found(paired("a", -0.05), paired("b", 0.06)))
    assert text.startswith("## Gate: REFUSED: new against old")
    assert "| a |  | 400 | 50.00 | 45.00 | -5.00 |" in text
    assert "collapsed |" in text
