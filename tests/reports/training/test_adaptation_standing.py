"""A difference to the base is paired over the same queries, or says that nobody can tell."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.measuring.statistics.design import Design
from harness.measuring.statistics.difference import Difference, difference
from harness.result.adaptation.vocabulary import MACRO
from harness.result.result import Result
from reports.training.standing import deciding_tiers, gains, last_tier, leader
from tests.reports.training.kept import kept
from tests.reports.training.made import made, record
from tests.tiny_collection import Place


def by_hand(
    results: dict[tuple[str, str], Result], names: tuple[str, ...], weights: list[float] | None = None
) -> Difference:
    """The union minus the base, not corrected."""
    pairs = [(results["union", name], results["base", name]) for name in names]
    return difference(
        Design(tuple(one.questions for one, _ in pairs), weights), [a.values - b.values for a, b in pairs]
    )


def test_intervals_are_those_of_the_paired_values_of_queries(place: Place, tmp_path: Path) -> None:
    stored, results = kept(place)
    found = gains(record(tmp_path, stored), "final", place.workspace.path)
    moved = [results["union", name].values - results["base", name].values for name in ("de", "sw")]
    assert found["union", "de"].delta == pytest.approx(moved[0].mean())
    assert found["union", "de"].difference.p == by_hand(results, ("de",)).p  # type: ignore[union-attr]
    assert found["union", MACRO].delta == pytest.approx(np.mean([one.mean() for one in moved]))
    assert found["union", MACRO].interval == pytest.approx(by_hand(results, ("de", "sw")).interval)
    tested = [found["union", name].difference for name in ("de", "sw", MACRO)]
    assert [one and one.family for one in tested] == [2, 2, 2], "two collections of an arm; two arms on average"


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
    assert found["union", "de"].difference is None and found["union", MACRO].difference is None
    assert found["slerp", MACRO].difference is not None and found["union", "sw"].difference is not None


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
    names = ("de", "sw", "other")
    found = gains(record(tmp_path, stored), "final", place.workspace.path)
    assert found["union", MACRO].interval == pytest.approx(by_hand(results, names, [0.25, 0.25, 0.5]).interval)
    assert found["union", MACRO].interval != pytest.approx(by_hand(results, names).interval)


def test_every_collection_is_paired_by_its_own_measure(place: Place, tmp_path: Path) -> None:
    stored, _ = kept(place)
    for one in stored["scores"]:
        one["measure"] = "RR@10" if one["collection"] == "de" else one["measure"]
    found = gains(record(tmp_path, stored), "final", place.workspace.path)
    assert found["union", "de"].difference is None, "that measure was not stored"
    assert found["union", "sw"].difference is not None
    assert found["union", MACRO].difference is None, "an average over the rest would be another number"


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
