"""Which queries explain the difference: a user would lose the first place to look, or look where nothing is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.judging.why import analysis
from harness.judging.why.analysis import Why, why
from harness.judging.why.difference import difference
from harness.judging.why.facing import PairedTexts
from harness.judging.why.groups import groups
from harness.judging.why.headline import explanation, headline, phrase
from harness.judging.why.labels import QueryLabel, labels
from harness.measuring.questions import questions_of
from harness.measuring.statistics.design import Design, Questions
from harness.measuring.statistics.difference import difference as by_the_rule


def analysed(facings: list[PairedTexts]) -> Why:
    return why(facings)


def label(name: str, members: np.ndarray, **more: bool) -> QueryLabel:
    return QueryLabel(name, "yes", f"with {name}", members, **more)


def even(size: int) -> np.ndarray:
    return np.full(size, 1 / size)


def test_the_planted_failure_is_named_in_the_first_line(planted: list[PairedTexts]) -> None:
    found = analysed(planted)
    said = headline(found)
    assert "B loses" in said
    assert "in Thai (th) with relevant documents truncated by B (40 of 120) explain" in said
    first = found.groups[0]
    assert {found.labels[place].dimension for place in first.labels} == {
        "language",
        "relevant documents truncated by B",
    }
    assert first.stands_out and first.mean < -0.2 and abs(first.rest) < 0.1


def test_the_gain_of_the_mended_system_is_named_as_well(planted: list[PairedTexts]) -> None:
    turned = [replace(one, a=one.b, b=one.a) for one in planted]
    assert "B gains" in headline(analysed(turned))
    assert "in Thai (th) with relevant documents truncated by A (40 of 120)" in headline(analysed(turned))


def test_what_a_group_adds_and_what_the_rest_adds_is_the_whole(planted: list[PairedTexts]) -> None:
    found = analysed(planted)
    assert found.groups
    for group in found.groups:
        members = np.all([found.labels[place].queries for place in group.labels], axis=0)
        share = float(found.weights[members].sum())
        assert group.queries == members.sum()
        assert group.contribution == pytest.approx(found.weights[members] @ found.deltas[members], abs=1e-12)
        assert group.contribution + (1 - share) * group.rest == pytest.approx(found.delta, abs=1e-12)


def test_the_whole_is_tested_by_the_one_rule(planted: list[PairedTexts]) -> None:
    found = analysed(planted)
    collections = tuple(questions_of(one.collection) for one in planted)
    expected = by_the_rule(Design(collections), [one.deltas for one in found.differences])
    assert found.tested == expected and found.interval == expected.interval
    assert found.decided == expected.significant and not found.interval[0] <= 0 <= found.interval[1]


def test_a_question_in_two_languages_is_one_draw(planted: list[PairedTexts], monkeypatch: pytest.MonkeyPatch) -> None:
    """The averages over the languages are tested, as by hand."""
    ids = tuple(f"q{place}" for place in range(60))
    monkeypatch.setattr(analysis, "questions_of", lambda _: Questions("set", ids))
    found = analysed(planted)
    by_hand = by_the_rule(
        Design((Questions("set", ids),)), [np.mean([one.deltas for one in found.differences], axis=0)]
    )
    assert (found.questions, len(found.deltas)) == (60, 120)
    assert found.tested.p == by_hand.p and found.interval == pytest.approx(by_hand.interval)


def test_every_collection_has_one_vote(planted: list[PairedTexts]) -> None:
    """English 60 queries, Thai 60; with Thai twice as heavy per query the headline would say another number."""
    found = analysed(planted)
    means = [float(difference(one).deltas.mean()) for one in planted]
    assert found.delta == pytest.approx(np.mean(means), abs=1e-12)


def test_equal_systems_are_said_to_be_equal(planted: list[PairedTexts]) -> None:
    same = [replace(one, b=one.a) for one in planted]
    assert headline(analysed(same)) == "A and B have the same nDCG@10 for every query."
    assert explanation(analysed(same)) is None


def test_noise_alone_has_no_explanation(planted: list[PairedTexts]) -> None:
    found = labels(planted, [difference(one) for one in planted])
    generator = np.random.default_rng(5)
    alarms = 0
    for _ in range(60):
        deltas = generator.choice([0, 0, 0.37, -0.37, 0.63, -0.63, 1, -1], 120)
        alarms += any(group.stands_out for group in groups(found, deltas, even(120), 0.0) if not group.outcome)
    assert alarms <= 6


def test_three_wild_queries_are_not_the_explanation_of_a_broad_loss() -> None:
    generator = np.random.default_rng(0)
    broad, few = np.arange(200) < 80, np.arange(200) >= 197
    deltas = np.where(broad, -0.3, 0.0) + generator.normal(0, 0.2, 200) - 0.2 * few
    best, *_ = groups([label("few", few), label("broad", broad)], deltas, even(200), -1.0)
    assert best.labels == (1,)


def test_two_labels_come_first_only_where_they_say_more_than_one() -> None:
    generator = np.random.default_rng(0)
    thai, cut, long = (generator.random(400) < 0.5 for _ in range(3))
    found = [label("thai", thai), label("cut", cut), label("long", long)]
    noise = generator.normal(0, 0.1, 400)
    assert groups(found, noise - 0.5 * (thai & cut), even(400), -1.0)[0].labels == (0, 1)
    assert groups(found, noise - 0.5 * thai, even(400), -1.0)[0].labels == (0,)


def test_a_second_label_that_only_leaves_out_one_query_is_not_named() -> None:
    thai, most = np.arange(200) < 100, np.arange(200) != 0
    deltas = np.where(thai, -0.5, 0.0) + np.random.default_rng(0).normal(0, 0.3, 200)
    deltas[0] = -0.2
    found = groups(
        [label("thai", thai), label("most", most), label("few", np.arange(200) > 150)], deltas, even(200), -1.0
    )
    assert found[0].labels == (0,) and all(len(group.labels) == 1 for group in found)


def test_where_as_own_result_can_only_fall_is_never_the_explanation() -> None:
    """Two equal systems with independent errors: where A is right B loses, where A is wrong B gains."""
    generator = np.random.default_rng(0)
    a, b = generator.random((2, 300)) < 0.5
    found = [label("A at rank 1", a, outcome=True), label("long", generator.random(300) < 0.5)]
    best, last = groups(found, (b * 1.0 - a), even(300), 0.0)
    assert (best.labels, last.labels) == ((1,), (0,))
    assert last.stands_out and last.outcome


def test_the_same_queries_are_one_group_that_says_why() -> None:
    members = np.arange(100) < 30
    found = [label("thai", members), label("script", members), label("cut", members, truncation=True)]
    (best, rest) = groups([*found, label("others", ~members)], np.where(members, -0.5, 0.0), even(100), -1.0)
    assert (best.labels, best.also) == ((0, 2), (1,))
    assert phrase(best, found) == "with thai and with cut"
    assert rest.labels == (3,)


def test_a_group_that_leans_the_other_way_does_not_explain() -> None:
    generator = np.random.default_rng(0)
    up = np.arange(300) < 60
    deltas = np.where(up, 0.9, -0.5) + generator.normal(0, 0.01, 300)
    found = [label("up", up), label("down", ~up)]
    assert [group.labels for group in groups(found, deltas, even(300), -1.0)] == [(1,), (0,)]
    assert [group.labels for group in groups(found, -deltas, even(300), 1.0)] == [(1,), (0,)]
    assert [group.labels for group in groups(found, deltas, even(300), 0.0)] == [(0,), (1,)]  # what moved more


def test_few_queries_have_no_groups() -> None:
    assert groups([label("half", np.arange(4) < 2)], np.array([1.0, 1, 0, 0]), even(4), 1.0) == []


def test_labels_cover_what_is_asked_about(planted: list[PairedTexts]) -> None:
    short = replace(planted[1], collection=replace(planted[1].collection, language=None))
    found = labels([planted[0], short], [difference(one) for one in (planted[0], short)])
    dimensions = {one.dimension for one in found}
    assert {"language", "script", "collection", "query length", "document length", "first relevant in A"} <= dimensions
    assert {"relevant documents truncated by B", "candidates truncated by B"} <= dimensions
    assert [one.value for one in found if one.dimension == "language"] == ["English (en)"]
    lengths = [one.queries for one in found if one.dimension == "query length"]
    assert np.sum(lengths, axis=0).tolist() == [1] * 120


def test_what_both_truncated_alike_is_said_once(planted: list[PairedTexts]) -> None:
    alike = [replace(one, a=replace(one.a, kept=one.b.kept)) for one in planted]
    dimensions = {one.dimension for one in labels(alike, [difference(one) for one in alike])}
    assert "relevant documents truncated" in dimensions and "relevant documents truncated by B" not in dimensions


def test_what_only_one_system_cut_is_the_mechanism(planted: list[PairedTexts]) -> None:
    """Where both cut alike, truncation explains nothing by itself and is not put into the name of a group."""
    alike = [replace(one, a=replace(one.a, kept=one.b.kept)) for one in planted]
    for facings, expected in ((planted, True), (alike, False)):
        found = labels(facings, [difference(one) for one in facings])
        cuts = [one for one in found if "truncated" in one.dimension and one.value != "no"]
        assert cuts and all(one.truncation == expected for one in cuts)
        assert not any(one.truncation for one in found if one not in cuts)
