"""What a pass claims: a language that nobody could test must not look tested, and the choice must not know the data."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.judging.compare.paired import PairedValues, weights
from harness.judging.gate.claims import TOGETHER, PartClaim, claimed, claims_of, read_claims
from harness.judging.gate.expected import chances, not_claimed
from harness.judging.gate.local import asked
from harness.judging.gate.policy import Local, LookBudget, Policy
from harness.judging.gate.spread import Spreads
from tests.harness.judging.gate.pairs import judged, paired

CODES = ["de", "en", "es", "fi", "fr", "hi", "ja", "ru", "sw", "th", "zh"]
WIDE = Policy(margin=0.03)


def claims(*pairs: PairedValues, policy: Policy = WIDE, **spreads: float) -> tuple[PartClaim, ...]:
    """The claims, with standard deviations of earlier gates by the name of the collection."""
    by_key = {one.fingerprint: spreads[one.collection] for one in pairs if one.collection in spreads}
    return claims_of(asked(pairs), weights(pairs), policy, "gate", spreads=by_key)


def names(found: tuple[PartClaim, ...]) -> list[str]:
    return [one.name for one in claimed(found)]


ELEVEN = [paired(code, 0.0, 150) for code in CODES]


def test_parts_are_claimed_by_descending_chance_while_their_product_is_80_percent() -> None:
    found = claims(*ELEVEN, **dict.fromkeys(CODES, 0.11) | {"th": 0.3, "sw": 0.25})
    assert [one.name for one in found][-2:] == ["sw", "th"], "the largest chance first"
    assert set(CODES) - set(names(found)) == {"sw", "th"}
    assert math.prod(one.chance for one in claimed(found)) >= TOGETHER
    assert math.prod(one.chance for one in found[:10]) < TOGETHER


def test_equal_chances_are_ordered_by_name_whatever_the_order_of_the_collections() -> None:
    assert names(claims(*ELEVEN)) == names(claims(*reversed(ELEVEN))) == ["de", "en"]  # .92^2 = .85, .92^3 = .78


def test_no_part_is_claimed_where_each_has_too_small_a_chance() -> None:
    assert names(claims(*ELEVEN, **dict.fromkeys(CODES, 0.3))) == []


def test_a_policy_can_claim_every_part() -> None:
    found = claims(*ELEVEN, policy=Policy(local=Local(weak="inconclusive")))
    assert len(names(found)) == 11


def test_a_budget_of_looks_leaves_each_part_a_smaller_chance() -> None:
    one, five = claims(*ELEVEN), claims(*ELEVEN, policy=Policy(looks=LookBudget("1", 5)))
    assert five[0].chance < one[0].chance


def test_claims_do_not_depend_on_the_differences() -> None:
    fallen = [paired(code, -0.2, 150, spread=0.5) for code in CODES]
    assert claims(*fallen) == claims(*ELEVEN)


def test_the_spread_of_earlier_gates_is_used_where_there_is_one_and_named() -> None:
    found = {one.name: one for one in claims(*ELEVEN, th=0.11)}
    assert (found["th"].sd, found["th"].sd_from) == (0.11, "earlier gates")
    assert (found["de"].sd, found["de"].sd_from) == (0.2, "[local] sd")


def test_a_language_of_several_collections_is_a_part_of_its_own() -> None:
    pairs = [paired(f"{name}/{code}", 0.0, 100, language=code) for name in "ab" for code in ("de", "th")]
    found = {(one.kind, one.name): one for one in claims(*pairs)}
    assert found["language", "th"].questions == 200
    assert found["language", "th"].chance > found["collection", "a/th"].chance


def test_the_rest_is_named_with_the_number_of_queries_that_would_be_enough() -> None:
    found = claims(*ELEVEN, **dict.fromkeys(CODES, 0.11) | {"th": 0.3, "sw": 0.3})
    assert not_claimed(found) == "not claimed: sw, th (about 500 queries needed)"
    enough = [paired(code, 0.0, found[-1].needed) for code in CODES]
    assert len(names(claims(*enough, **dict.fromkeys(CODES, 0.3)))) == 11


def test_the_chances_are_printed_with_where_the_spread_is_from() -> None:
    first, sd, last = chances(claims(*ELEVEN), WIDE, "gate", Spreads("old"))
    assert first.startswith(
        "chance that an equal candidate is shown not to lose 5 points (alpha 0.05): de 92 % (sd .20)"
    )
    assert sd == "sd: .20 from [local] sd; no earlier gate against old measured these parts"
    assert last.startswith("a pass claims de, en (together 85 %); not claimed: es, fi, fr")
    some = claims(*ELEVEN, th=0.11)
    assert chances(some, WIDE, "gate", Spreads("old", 3, {"th": 0.11}))[1].startswith(
        "sd: the median of 3 earlier gates against old, and .20 from [local] sd for de, en"
    )


def test_a_claimed_part_that_is_not_shown_makes_the_verdict_inconclusive() -> None:
    pairs = [*(paired(code, 0.0, 400) for code in CODES[:4]), paired("th", -0.01, 400, spread=0.6)]
    found = judged(*pairs, policy=WIDE)
    assert found.state == "inconclusive"
    assert found.reasons[0].startswith("a loss of 5 points is not excluded in claimed parts: th (-5.9")
    assert [one.name for one in found.not_shown] == ["th"]


def test_a_part_that_is_not_claimed_does_not_prevent_a_pass_unless_it_collapsed() -> None:
    rest = [paired(code, 0.0, 400) for code in CODES[:4]]
    found = judged(*rest, paired("th", -0.01, 60, spread=0.3), policy=WIDE)
    assert (found.state, found.not_shown) == ("pass", [])
    assert not next(one for one in found.parts if one.name == "th").claimed
    assert judged(*rest, paired("th", -0.2, 60, spread=0.3), policy=WIDE).state == "refused"


def test_every_claimed_part_is_tested_at_the_alpha_of_the_look() -> None:
    """No correction over parts: a pass needs all of them."""
    pairs = [paired(code, 0.0, 400) for code in CODES]
    one, five = judged(*pairs, policy=WIDE), judged(*pairs, policy=Policy(margin=0.03, looks=LookBudget("1", 5)))
    assert one.parts[0].bound == pytest.approx(-1.6487 * 0.1 / 20, rel=1e-2)
    assert five.parts[0].bound == pytest.approx(-2.336 * 0.1 / 20, rel=1e-2)


def test_stored_claims_are_read_again_and_old_looks_have_none() -> None:
    found = judged(*ELEVEN, policy=WIDE)
    assert read_claims(found.as_dict()) == found.claims
    assert read_claims({"parts": []}) == ()


def test_a_claimed_language_that_loses_five_points_rarely_passes() -> None:
    """Fixed seeds, 200 releases; it passed in 45 % before parts were claimed."""
    generator, passed = np.random.default_rng(7), 0
    policy = Policy(margin=0.03, local=Local(sd=0.15))
    for _ in range(200):
        pairs = [
            _drawn(code, np.clip(generator.laplace(-0.05 * (code == "de"), 0.3 / 2**0.5, 150), -1, 1))
            for code in CODES[:5]
        ]
        found = judged(*pairs, policy=policy)
        assert "de" in names(found.claims)
        passed += found.state == "pass"
    assert passed / 200 <= 0.05


def test_an_equal_candidate_passes_as_often_as_its_chances_say() -> None:
    generator, passed = np.random.default_rng(8), 0
    for _ in range(100):
        pairs = [_drawn(code, np.clip(generator.normal(0, 0.15, 150), -1, 1)) for code in CODES]
        found = judged(*pairs, policy=Policy(margin=0.03, local=Local(sd=0.15)))
        assert len(names(found.claims)) == 11
        passed += found.state == "pass"
    assert passed >= 80


def _drawn(name: str, values: np.ndarray) -> PairedValues:
    made = paired(name, 0.0, len(values))
    return PairedValues(**{**made.__dict__, "candidate": made.baseline + values})
