"""p-MRR says what mteb says, and what FollowIR means: whether a model follows when the instruction changes."""

from __future__ import annotations

import numpy as np
import pytest

from adapters.errors import DataError
from harness.data.runs import Run, build
from harness.measuring.paired_measures import changed_documents, p_mrr

Lists = dict[str, dict[str, float]]
IDS = [f"doc é{number}" for number in range(30)]


def run_of(lists: Lists) -> Run:
    offsets = np.cumsum([0, *map(len, lists.values())])
    documents = [IDS.index(name) for candidates in lists.values() for name in candidates]
    scores = [score for candidates in lists.values() for score in candidates.values()]
    return build(
        offsets, np.array(documents, np.int64), np.array(scores, np.float32), lambda rows: [IDS[r] for r in rows]
    )


def value(original: list[str], new: list[str], changed: list[str]) -> float:
    """p-MRR of one question whose candidates stand in these orders."""
    lists = {
        f"1{end}": {name: -rank for rank, name in enumerate(order)}
        for end, order in (("-og", original), ("-changed", new))
    }
    found = p_mrr(run_of(lists), list(lists), changed_documents({"1": changed}, IDS))
    assert (found.questions, found.missing) == (("1",), ())
    return float(found.values[0])


def test_a_document_that_became_irrelevant_and_sinks_is_worth_more_than_zero() -> None:
    assert value(IDS[:4], [*IDS[1:4], IDS[0]], [IDS[0]]) == pytest.approx(1 - 1 / 4)
    assert value(IDS[:4], [IDS[3], *IDS[:3]], [IDS[3]]) == pytest.approx(1 / 4 - 1)
    assert value(IDS[:4], IDS[:4], [IDS[1]]) == 0


def test_a_model_that_ignores_the_instruction_gets_nothing_and_loses_nothing() -> None:
    assert value(IDS, IDS, IDS[:9]) == 0


def test_the_value_of_a_question_is_the_mean_over_its_documents_and_a_repeated_one_counts_twice() -> None:
    new = [IDS[1], IDS[0], IDS[2]]
    up, down = value(IDS[:3], new, [IDS[1]]), value(IDS[:3], new, [IDS[0]])
    assert (up, down) == (-0.5, 0.5)
    assert value(IDS[:3], new, [IDS[0], IDS[0], IDS[1]]) == pytest.approx((2 * down + up) / 3)


def test_a_document_that_is_not_a_candidate_ranks_after_the_last_one() -> None:
    assert value(IDS[:3], IDS[1:4], [IDS[0]]) == pytest.approx(1 - 1 / 4)
    assert value(IDS[:3], IDS[:4], [IDS[9]]) == pytest.approx(1 - 4 / 5)
    assert value(IDS[:3], IDS[:4], ["not in the corpus"]) == pytest.approx(1 - 4 / 5)
    assert value([], [], [IDS[0]]) == 0


def test_a_question_without_its_other_half_is_named_and_not_counted_as_zero() -> None:
    lists = {"1-og": {IDS[0]: 1.0}, "2-changed": {IDS[0]: 1.0}, "3-og": {}, "3-changed": {IDS[0]: 1.0}}
    changed = changed_documents({"1": IDS[:1], "2": IDS[:1], "3": IDS[:1], "4": IDS[:1]}, IDS)
    found = p_mrr(run_of(lists), list(lists), {**changed, "3": []})
    assert (found.questions, len(found.values), found.missing) == ((), 0, ("1", "2", "3", "4"))


def test_a_score_that_is_not_finite_is_refused() -> None:
    run = run_of({"1-og": {IDS[0]: 1.0, IDS[1]: 2.0}, "1-changed": {IDS[0]: 1.0}})
    run.scores[1] = np.nan
    with pytest.raises(DataError, match="not finite"):
        p_mrr(run, ["1-og", "1-changed"], {"1": [0]})


def random_lists(generator: np.random.Generator) -> Lists:
    """Questions with lists of 0 to 20 candidates and many ties; some halves are missing."""
    halves = [f"{question}{end}" for question in range(25) for end in ("-og", "-changed") if generator.random() < 0.95]
    generator.shuffle(halves)
    return {
        half: {
            IDS[row]: float(generator.integers(-2, 4) / 2)
            for row in generator.permutation(30)[: generator.integers(21)]
        }
        for half in halves
    }


def test_every_value_is_that_of_mteb() -> None:
    metrics = pytest.importorskip("mteb._evaluators.retrieval_metrics", reason="extra 'mteb' is not installed")
    generator = np.random.default_rng(11)
    for _ in range(20):
        lists = random_lists(generator)
        named = {
            str(question): [[*IDS, "unknown"][row] for row in generator.integers(31, size=generator.integers(6))]
            for question in range(26)
        }
        found = p_mrr(run_of(lists), list(lists), changed_documents(named, IDS))
        halves = [{name: docs for name, docs in lists.items() if name.endswith(end)} for end in ("-og", "-changed")]
        assert found.values.mean() == pytest.approx(metrics.calculate_pmrr(*halves, named), abs=1e-9)
        each = [metrics.calculate_pmrr(*halves, {name: named[name]}) for name in found.questions[:5]]
        assert found.values[:5] == pytest.approx(each, abs=1e-9)
        assert {"25"} < set(found.missing)
