"""A difference to the base is paired over the same queries, or says that nobody can tell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.adaptation.vocabulary import MACRO
from harness.gathered import Result
from harness.questions import questions_of_stored
from harness.statistics.design import Design
from harness.statistics.difference import Difference, Part, differences
from harness.store import Results
from reports.training.standing import Gains, deciding_tiers, gains, last_tier, leader
from tests.reports.training.kept import kept
from tests.reports.training.made import made, record
from tests.tiny_collection import Place


def test_intervals_are_those_of_the_paired_values_of_queries(place: Place, tmp_path: Path) -> None:
    stored, results = kept(place)
    found = gains(record(tmp_path, stored), "final", place.workspace.path)
    moved = [results["union", name].values - results["base", name].values for name in ("de", "sw")]
    assert found["union", "de"].delta == pytest.approx(moved[0].mean())
    assert found["union", MACRO].delta == pytest.approx(np.mean([one.mean() for one in moved]))
    for one, by_hand in _by_hand(place, results, ("de", "sw"), found).items():
        assert _numbers(one) == pytest.approx(_numbers(by_hand)), "macro: two arms; collections: those of one arm"


def _by_hand(
    place: Place, results: dict[tuple[str, str], Result], names: tuple[str, ...], found: Gains, weights: Any = None
) -> dict[Difference, Difference]:
    """The rule applied to the values of the store, beside what is shown; every arm is tested with the others."""
    with Results(place.workspace.path / "results.sqlite") as store:
        ids = {name: store.per_query(results["base", name].id, "nDCG@10")[0] for name in names}
    design = Design(
        tuple(questions_of_stored(results["base", name].stored.collection, ids[name]) for name in names), weights
    )
    arms = ("union", "slerp")
    rows = [np.stack([results[arm, name].values - results["base", name].values for arm in arms]) for name in names]
    tested = differences(design, rows, [[Part((place,), (1.0,)) for place in range(len(names))]])
    pairs = {}
    for arm, own in zip(arms, tested, strict=True):
        for name, one in zip((MACRO, *names), (own.macro, *own.local[0]), strict=True):
            shown = found[arm, name].difference
            assert shown is not None
            pairs[shown] = one
    return pairs


def _numbers(one: Difference) -> list[float]:
    return [one.value, *one.interval, one.p, one.adjusted_p, one.family, one.greater_p]


def test_the_mark_of_a_collection_does_not_change_when_arms_are_added(place: Place, tmp_path: Path) -> None:
    stored, _ = kept(place)
    whole = gains(record(tmp_path, stored), "final", place.workspace.path)
    stored["scores"] = [one for one in stored["scores"] if one["arm"] != "slerp"]
    few = gains(record(tmp_path, stored), "final", place.workspace.path)
    for name in ("de", "sw"):
        one, two = (found["union", name].difference for found in (few, whole))
        assert one is not None and two is not None and _numbers(one) == pytest.approx(_numbers(two))
    one, two = (found["union", MACRO].difference for found in (few, whole))
    assert one is not None and two is not None and (one.family, two.family) == (1, 2)


def test_the_only_collection_of_a_tier_is_corrected_over_the_arms(place: Place, tmp_path: Path) -> None:
    stored, _ = kept(place)
    stored["scores"] = [one for one in stored["scores"] if one["collection"] == "de"]
    found = gains(record(tmp_path, stored), "final", place.workspace.path)
    assert found["union", "de"].difference == found["union", MACRO].difference
    assert found["union", "de"].difference is not None and found["union", "de"].difference.family == 2


def test_without_the_values_of_queries_no_interval_is_made_up(place: Place, tmp_path: Path) -> None:
    stored, _ = kept(place)
    read = record(tmp_path, stored)
    for workspace in (None, tmp_path / "nowhere"):
        assert {one.interval for one in gains(read, "final", workspace).values()} == {None}
    assert not (tmp_path / "nowhere").exists()


def test_values_of_other_queries_are_not_paired(place: Place, tmp_path: Path) -> None:
    stored, results = kept(place)
    assert len(results["base", "sw"].values) != len(results["base", "de"].values)
    (moved,) = [one for one in stored["scores"] if (one["arm"], one["collection"]) == ("union", "de")]
    moved["evaluation"] = results["union", "sw"].id
    found = gains(record(tmp_path, stored), "final", place.workspace.path)
    assert found["union", "de"].interval is None and found["union", MACRO].interval is None
    assert found["slerp", MACRO].interval is not None and found["union", "sw"].interval is not None


def test_the_claim_lends_its_interval_to_the_same_difference_only(tmp_path: Path) -> None:
    stored = made()
    same = gains(record(tmp_path, stored), "final")["slerp", MACRO]
    claim = next(one for one in stored["claims"] if one["against"] == "base")
    assert same.interval is None, "the claim is of another difference"
    claim["delta"] = same.delta
    found = gains(record(tmp_path, stored), "final")
    assert found["slerp", MACRO].interval == (claim["low"], claim["high"])
    assert found["slerp", MACRO].sure == 1 and found["union", MACRO].sure == 0
    assert all(one.interval is None for one in gains(record(tmp_path, stored), "dev").values())


def test_the_one_collection_of_a_tier_is_its_average(tmp_path: Path) -> None:
    found = record(tmp_path, made()).scores_on("source")
    assert found["base", MACRO].value == found["base", "msmarco"].value


def test_two_collections_without_an_average_have_none(tmp_path: Path) -> None:
    stored = made()
    stored["scores"] = [one for one in stored["scores"] if one["collection"] != MACRO]
    assert ("slerp", MACRO) not in record(tmp_path, stored).scores_on("final")


def test_members_of_a_group_share_one_vote_in_the_interval_too(place: Place, tmp_path: Path) -> None:
    stored, results = kept(place, grouped=True)
    found = gains(record(tmp_path, stored), "final", place.workspace.path)
    names = ("de", "sw", "other")
    for one, by_hand in _by_hand(place, results, names, found, [0.25, 0.25, 0.5]).items():
        assert _numbers(one) == pytest.approx(_numbers(by_hand))


def test_every_collection_is_paired_by_its_own_measure(place: Place, tmp_path: Path) -> None:
    stored, _ = kept(place)
    for one in stored["scores"]:
        one["measure"] = "RR@10" if one["collection"] == "de" else one["measure"]
    found = gains(record(tmp_path, stored), "final", place.workspace.path)
    assert found["union", "de"].interval is None, "that measure was not stored"
    assert found["union", "sw"].interval is not None
    assert found["union", MACRO].interval is None, "an average over the rest would be another number"


def test_the_final_split_decides_and_until_then_gate_and_dev(tmp_path: Path) -> None:
    stored = made()
    assert deciding_tiers(record(tmp_path, stored)) == ["final"]
    stored["scores"] = [one for one in stored["scores"] if one["tier"] != "final"]
    read = record(tmp_path, stored)
    assert deciding_tiers(read) == ["gate", "dev"]
    assert (last_tier(read, "slerp"), last_tier(read, "union"), last_tier(read, "nobody")) == ("gate", "dev", None)
    stored["scores"] = [one for one in stored["scores"] if one["tier"] == "source"]
    assert deciding_tiers(record(tmp_path, stored)) == []


def test_without_an_accepted_arm_the_best_on_dev_is_shown_and_never_the_base(tmp_path: Path) -> None:
    stored = made(state="refused", accepted=None)
    scores = {
        one["arm"]: one["value"] for one in stored["scores"] if (one["tier"], one["collection"]) == ("dev", MACRO)
    }
    arms = {arm: value for arm, value in scores.items() if arm not in ("teacher", "first stage", "base")}
    assert leader(record(tmp_path, stored)) == max(arms, key=lambda arm: arms[arm])
    for one in stored["scores"]:
        one["value"] = 0.99 if one["arm"] == "base" else one["value"]
    assert leader(record(tmp_path, stored)) != "base"
