"""What a comparison says can be traced to the values in the store, and is corrected for what was looked at."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from adapters.errors import DataError, UsageError
from harness.data.collection import Collection, sample_queries
from harness.judging.compare.comparison import ComparedSystems, canonical, compare, margin_of
from harness.measuring.paired_measures import PMRR
from harness.measuring.questions import questions_of
from harness.measuring.statistics.design import Design, Questions
from harness.measuring.statistics.difference import DesignPart, difference, differences
from harness.measuring.statistics.effects import effect
from harness.measuring.statistics.seeds import seed_effect
from harness.result.evaluation import Evaluation
from harness.result.facts import CollectionFacts
from harness.result.select import Wanted
from harness.result.store import Results
from tests.tiny_collection import FIRST, QRELS, Place

REVERSE, ORACLE = "control:reverse", "control:oracle"
RANDOM = [f"control:random?seed={seed}" for seed in range(3)]


def three(place: Place) -> list[Collection]:
    """Two forums of a group, and a collection by itself, in two languages."""
    rules = 'group = "forums"\nlanguage = "{}"'
    forum_a = place.load(place.beir("a", qrels=QRELS[:4], rules=rules.format("en")))
    forum_b = place.load(place.beir("b", qrels=QRELS[3:], rules=rules.format("sw")))
    own = place.load(place.beir("own", rules='language = "sw"'))
    return [forum_a, forum_b, own]


def compared(place: Place, *candidates: str, baseline: str = FIRST, **options: object) -> ComparedSystems:
    return compare(place.workspace.results, baseline, candidates, **options)  # type: ignore[arg-type]


def deltas(evaluations: Sequence[Evaluation], system: str) -> list[npt.NDArray[np.float64]]:
    first = {one.collection.name: one.values[0] for one in evaluations if one.system.reranker is None}
    return [
        one.values[0] - first[one.collection.name]
        for one in evaluations
        if one.system.name == system and one.system.reranker
    ]


def same(ours: object, theirs: object) -> bool:
    """Equal to the last digit, where what is no number equals itself."""
    return repr(ours) == repr(theirs)


def design(evaluations: Sequence[Evaluation], *weights: float) -> Design:
    """The collections, each once, with their questions; the first ones where there are fewer weights."""
    each = {one.collection.fingerprint: questions_of(one.collection) for one in evaluations}
    return Design(tuple(each.values())[: len(weights)], weights)


def parallel(place: Place, monkeypatch: pytest.MonkeyPatch, queries: int = 12) -> None:
    """The same questions in three languages: everything that was measured is of one set."""
    texts = {f"q{i}": f"which ferry {i}" for i in range(queries)}
    corpus = {f"d{i}": f"the ferry {i}" for i in range(queries)}
    qrels = [(name, f"d{i}", 1) for i, name in enumerate(texts)]
    monkeypatch.setattr(CollectionFacts, "questions", lambda _, ids: Questions("ferries", ids))
    loaded = [
        place.load(place.beir(name, corpus, {id: f"{text} {name}" for id, text in texts.items()}, qrels,
                              rules=f'language = "{name}"'))
        for name in ("de", "en", "sw")
    ]  # fmt: skip
    place.evaluations(*loaded, rerankers=[*RANDOM, ORACLE])


def test_every_figure_is_that_of_the_stored_values_per_query(place: Place) -> None:
    evaluations = place.evaluations(*three(place), rerankers=[REVERSE])
    (found,) = compared(place, REVERSE).measures[0].candidates
    strata = deltas(evaluations, REVERSE)
    whole = design(evaluations, 0.25, 0.25, 0.5)
    assert same(found.macro.difference, difference(whole, strata)) and found.macro.effect == effect(whole, strata)
    for place_of, row in enumerate(found.collections):
        own = whole.part([place_of]), [strata[place_of]]
        assert row.effect == effect(*own)
        assert (row.difference.value, row.difference.p) == (difference(*own).value, difference(*own).p)
    assert found.macro.candidate - found.macro.baseline == pytest.approx(found.macro.difference.value)
    assert [(row.name, len(row.parts)) for row in found.groups] == [("forums", 2)]
    assert found.groups[0].effect == effect(whole.part([0, 1]), strata[:2])
    assert [(row.name, len(row.parts)) for row in found.languages] == [("en", 1), ("sw", 2)]
    in_swahili = design(evaluations, 1, 1, 1).part([1, 2]), strata[1:]
    assert found.languages[1].effect == effect(*in_swahili)
    assert found.languages[1].difference.p == difference(*in_swahili).p
    ids = {one.id for one in evaluations}
    assert {part.candidate_id for row in found.collections for part in row.parts} <= ids


def test_p_values_are_corrected_over_collections_and_over_systems(place: Place) -> None:
    evaluations = place.evaluations(*three(place), rerankers=[REVERSE, ORACLE])
    whole = design(evaluations, 0.25, 0.25, 0.5)
    candidates = compared(place, REVERSE, ORACLE).measures[0].candidates
    for one, name in zip(candidates, (REVERSE, ORACLE), strict=True):
        own = [values[None] for values in deltas(evaluations, name)]
        (expected,) = differences(whole, own, [[DesignPart((place_of,), (1.0,)) for place_of in range(3)]])
        assert same(tuple(row.difference for row in one.collections), expected.local[0])
        assert {row.difference.family for row in one.collections} == {3}
    both = [np.stack(pair) for pair in zip(*(deltas(evaluations, name) for name in (REVERSE, ORACLE)), strict=True)]
    assert same([one.macro.difference for one in candidates], [one.macro for one in differences(whole, both)])
    assert {one.macro.difference.family for one in candidates} == {2}


def test_a_mark_of_a_collection_does_not_change_when_systems_are_added(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    parallel(place, monkeypatch)
    alone = compared(place, RANDOM[1], baseline=RANDOM[0]).measures[0].candidates[0]
    among = compared(place, ORACLE, RANDOM[2], RANDOM[1], baseline=RANDOM[0]).measures[0].candidates[-1]
    for ours, theirs in zip(among.collections + among.languages, alone.collections + alone.languages, strict=True):
        assert ours.difference == theirs.difference
    assert alone.macro.difference.family == 1 and among.macro.difference.family == 3
    assert among.macro.difference.interval == alone.macro.difference.interval
    assert among.macro.difference.adjusted_p > alone.macro.difference.adjusted_p


def test_a_question_in_three_languages_counts_once(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The languages are averaged by hand, and nothing else is tested."""
    parallel(place, monkeypatch)
    macro = compared(place, RANDOM[0]).measures[0].candidates[0].macro
    ids = macro.parts[0].queries
    assert all(part.queries == ids and part.questions.drawn_from == "ferries" for part in macro.parts)
    by_hand = np.mean([part.deltas for part in macro.parts], axis=0)
    expected = difference(Design((macro.parts[0].questions,)), [by_hand])
    found = macro.difference
    assert (found.p, found.value) == (expected.p, pytest.approx(expected.value))
    assert found.interval == pytest.approx(expected.interval)
    assert (macro.effect.questions, macro.effect.queries) == (12, 36)
    assert macro.effect.se == pytest.approx(np.std(by_hand, ddof=1) / np.sqrt(12))


def test_one_collection_is_its_own_average(place: Place) -> None:
    place.evaluations(rerankers=[ORACLE])
    (found,) = compared(place, ORACLE).measures[0].candidates
    assert (found.macro.name, found.macro.kind) == ("coll", "macro")
    assert found.macro.effect == found.collections[0].effect
    assert same(found.macro.difference, found.collections[0].difference)
    assert (found.groups, found.languages) == ((), ())


def test_queries_that_both_miss_are_counted(place: Place) -> None:
    nothing = place.load(place.beir(qrels=[*QRELS[:4], ("q3", "d3", 1), ("q4", "d8", 1)]))
    first, reverse = place.evaluations(nothing, rerankers=[REVERSE], depth=2)
    expected = int(((first.values[0] == 0) & (reverse.values[0] == 0)).sum())
    assert expected
    assert compared(place, REVERSE).measures[0].candidates[0].macro.both_zero == expected


def test_equivalence_is_tested_where_it_is_asked_for(place: Place) -> None:
    plain = [f"tests.fake_adapters:Plain?version={version}" for version in (1, 2)]
    place.evaluations(rerankers=[*plain, ORACLE])
    same, other = compared(place, plain[1], ORACLE, baseline=plain[0], margin=0.002).measures[0].candidates
    assert same.macro.equivalence is not None
    assert other.macro.equivalence is not None
    assert same.macro.equivalence.equivalent
    assert not other.macro.equivalence.equivalent
    assert compared(place, ORACLE).measures[0].candidates[0].macro.equivalence is None


def test_noise_is_shown_next_to_the_difference_only_if_every_part_has_it(place: Place) -> None:
    evaluations = place.evaluations(*three(place)[:2], rerankers=[REVERSE])
    (found,) = compared(place, REVERSE).measures[0].candidates
    assert found.macro.noise is None
    with Results(place.workspace.results) as results:
        results.keep_noise(evaluations[0].id, "nDCG@10", -0.02)
        results.keep_noise(evaluations[1].id, "nDCG@10", 0.01)
    (found,) = compared(place, REVERSE).measures[0].candidates
    assert [row.noise for row in found.collections] == [0.02, None]
    assert found.macro.noise is None
    with Results(place.workspace.results) as results:
        results.keep_noise(evaluations[2].id, "nDCG@10", 0.99)
        results.keep_noise(evaluations[3].id, "RR@10", 0.01)
    (found,) = compared(place, REVERSE).measures[0].candidates
    assert found.macro.noise == pytest.approx((0.02 + 0.99) / 2)
    assert found.collections[1].in_the_noise
    assert found.collections[0].in_the_noise == (abs(found.collections[0].difference.value) <= 0.02)


def test_seeds_are_one_system_with_the_spread_between_them(place: Place) -> None:
    evaluations = place.evaluations(*three(place), rerankers=RANDOM)
    (found,) = compared(place, "mine", groups=["mine=control:random*"]).measures[0].candidates
    by_collection = [
        np.stack([one.values[0] for one in evaluations if one.collection.name == name and one.system.reranker])
        for name in ("a", "b", "own")
    ]
    first = [one.values[0][None] for one in evaluations if one.system.reranker is None]
    whole = design(evaluations, 0.25, 0.25, 0.5)
    expected = seed_effect(whole, by_collection, first)
    assert found.seeds is not None
    assert (found.seeds.delta, found.seeds.interval) == (expected.delta, expected.interval)
    assert found.seeds.candidate_sd == expected.candidate_sd > 0
    mean = [values.mean(axis=0) - base[0] for values, base in zip(by_collection, first, strict=True)]
    assert found.macro.effect == effect(whole, mean) and same(found.macro.difference, difference(whole, mean))
    assert len(found.macro.parts[0].candidate_id.split(",")) == 3
    assert compared(place, RANDOM[0]).measures[0].candidates[0].seeds is None


def test_every_collection_is_compared_by_its_main_measure(place: Place) -> None:
    mine = place.load(place.beir("mine", rules='main_measure = "RR@10"', qrels=QRELS[:4]))
    place.evaluations(place.load(), mine, rerankers=[REVERSE])
    found = compared(place, REVERSE)
    assert [(one.measure, one.candidates[0].macro.name) for one in found.measures] == [
        ("nDCG@10", "coll"),
        ("RR@10", "mine"),
    ]


def test_a_named_measure_is_compared_where_it_is_stored_and_the_rest_is_named(place: Place) -> None:
    collections = three(place)
    place.evaluations(*collections[:2], rerankers=[REVERSE], measures=["nDCG@10", "RR@10"])
    place.evaluations(collections[2], rerankers=[REVERSE])
    found = compared(place, REVERSE, measures=["rr@10"])
    assert [one.measure for one in found.measures] == ["RR@10"]
    assert [row.name for row in found.measures[0].candidates[0].collections] == ["a", "b"]
    assert any(note.startswith("left out, because no RR@10 is stored: own (") for note in found.notes)
    with pytest.raises(UsageError, match=r"no P@5 is stored for a \(.*; --measure can name what all have: nDCG@10"):
        compared(place, REVERSE, measures=["P@5"])
    with pytest.raises(UsageError, match="unknown measure 'NDCGG'"):
        compared(place, REVERSE, measures=["NDCGG"])


def test_a_sample_and_a_declared_note_and_an_alarm_are_passed_on(place: Place) -> None:
    whole = place.load(place.beir(rules='note = "half of it is invented"'))
    constant = "tests.fake_adapters:Constant"
    place.evaluations(sample_queries(whole, 3), rerankers=[constant])
    found = compared(place, constant)
    assert found.notes == ("coll: a sample of 3 of its 4 queries", "half of it is invented")
    assert any(alarm.startswith(f"coll: {constant}: ") for alarm in found.alarms)


def test_other_candidates_are_refused_or_marked(place: Place) -> None:
    place.evaluations(rerankers=[REVERSE], depth=5)
    place.evaluations(rerankers=[ORACLE], depth=2)
    with pytest.raises(DataError, match="--unpaired-first-stages"):
        compared(place, ORACLE, baseline=REVERSE)
    found = compared(place, ORACLE, baseline=REVERSE, unpaired=True)
    assert not found.measures[0].candidates[0].macro.same_candidates


def test_a_store_that_is_not_there_or_too_new_is_one_clear_line(place: Place, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no results in"):
        compare(tmp_path / "none.sqlite", "a", ["b"])
    assert not (tmp_path / "none.sqlite").exists()
    place.evaluations(rerankers=[REVERSE])
    database = sqlite3.connect(place.workspace.results)
    database.execute("pragma user_version = 99")
    database.close()
    with pytest.raises(DataError, match="written by a newer rerank-harness"):
        compared(place, REVERSE)


@pytest.mark.parametrize("points", [0.0, -1.0, 100.0, float("nan"), float("inf")])
def test_a_margin_that_means_nothing_is_refused(points: float) -> None:
    with pytest.raises(UsageError, match="above 0 and below 100"):
        margin_of(points)


def test_a_margin_is_given_in_points() -> None:
    assert margin_of(0.2) == pytest.approx(0.002)
    assert margin_of(None) is None


def test_measures_are_named_as_the_store_names_them() -> None:
    assert [canonical(name) for name in ("ndcg@10", "mrr@10", "P-mrr")] == ["nDCG@10", "RR@10", "p-MRR"]


def test_only_the_collections_that_were_asked_for_are_compared(place: Place) -> None:
    place.evaluations(*three(place), rerankers=[REVERSE])
    found = compared(place, REVERSE, wanted=Wanted(["own", "a"]))
    assert [row.name for row in found.measures[0].candidates[0].collections] == ["a", "own"]


def test_p_mrr_is_compared_question_by_question(place: Place) -> None:
    first, oracle = place.evaluations(rerankers=[ORACLE])
    with Results(place.workspace.results) as results:
        results.keep(replace(first, paired=PMRR(("x", "y", "z"), np.array([0.0, -0.5, 0.25]), ())))
        results.keep(replace(oracle, paired=PMRR(("x", "y", "z"), np.array([0.0, 0.5, 0.5]), ())))
    (row,) = compared(place, ORACLE, measures=["p-mrr"]).measures[0].candidates[0].collections
    assert row.parts[0].queries == ("x", "y", "z")
    assert row.parts[0].deltas.tolist() == [0.0, 1.0, 0.25]
    assert row.both_zero is None
