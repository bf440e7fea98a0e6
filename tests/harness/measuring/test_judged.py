"""The number is trec_eval's number, with its ties known and every query counted."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.errors import DataError
from harness.data.qrels import Qrels
from harness.data.runs import Run
from harness.measuring import ranking
from harness.measuring.judged import Judged
from harness.measuring.measures import parse
from harness.measuring.ranking import lookup, ranks

RunDict = dict[str, float]
QrelsDict = dict[str, int]
MEASURES = [
    parse(text)
    for text in [
        "nDCG",
        "nDCG@1",
        "nDCG@3",
        "nDCG@10",
        "AP",
        "AP@2",
        "AP@100",
        "RR",
        "RR@2",
        "RR@10",
        "P@1",
        "P@5",
        "R@2",
        "R@100",
        "Success@1",
        "Success@3",
    ]
]
IDS = ["d1", "d10", "d2", "d", "D1", "é", "e", "ü", "z", "文", "文書", "𝄞", "\ufffd", "~"]


def judge(runs: list[RunDict], qrels: list[QrelsDict]) -> tuple[Judged, np.ndarray, list[str]]:
    """Judged candidates, their float64 scores and the corpus ids."""
    ids = sorted({document for part in [*runs, *qrels] for document in part}, key=lambda id_: (len(id_), id_[::-1]))
    row = {document: number for number, document in enumerate(ids)}
    candidates = [document for run in runs for document in run]
    order = np.unique(np.array([document.encode() for document in candidates], dtype=bytes), return_inverse=True)[1]
    triples = sorted((query, row[d], grade) for query, part in enumerate(qrels) for d, grade in part.items())
    columns = np.array(triples, dtype=np.int32).reshape(-1, 3).T
    scores = np.array([score for run in runs for score in run.values()], dtype=np.float64)
    run = Run(
        np.cumsum([0, *map(len, runs)]),
        np.array([row[document] for document in candidates], dtype=np.int32),
        scores.astype(np.float32),
        order.astype(np.int32),
    )
    return Judged(run, Qrels(*columns), len(runs)), scores, ids


def trec_eval(run: RunDict, qrels: QrelsDict) -> list[float]:
    """MEASURES by pytrec_eval; RR@k from the uncut value."""
    if not run or not qrels:
        return [0.0] * len(MEASURES)
    names = {"ndcg", "map", "recip_rank", "ndcg_cut.1,3,10", "map_cut.2,100", "P.1,5", "recall.2,100", "success.1,3"}
    found = pytrec_eval.RelevanceEvaluator({"q": qrels}, names).evaluate({"q": run})["q"]
    family = {"nDCG": "ndcg_cut", "AP": "map_cut", "P": "P", "R": "recall", "Success": "success"}
    uncut = {"nDCG": "ndcg", "AP": "map"}
    values = []
    for measure in MEASURES:
        if measure.name == "RR":
            value = found["recip_rank"]
            values.append(value if measure.cutoff is None or value >= 1 / measure.cutoff else 0.0)
        elif measure.cutoff is None:
            values.append(found[uncut[measure.name]])
        else:
            values.append(found[f"{family[measure.name]}_{measure.cutoff}"])
    return values


scores_with_ties = st.sampled_from([-0.0, 0.0, 1.0, 0.1, 0.1 + 1e-9, -2.5, 7.0, 1e-30, -1e30])
runs_of_one = st.dictionaries(st.sampled_from(IDS), scores_with_ties, max_size=len(IDS))
qrels_of_one = st.dictionaries(st.sampled_from(IDS), st.integers(0, 3), max_size=len(IDS))
cases = st.lists(st.tuples(runs_of_one, qrels_of_one), min_size=1, max_size=5)


@settings(max_examples=200, deadline=None)
@given(cases)
def test_every_value_is_trec_evals_with_ties_zeros_grades_and_missing_queries(
    case: list[tuple[RunDict, QrelsDict]],
) -> None:
    runs, qrels = [run for run, _ in case], [judgments for _, judgments in case]
    judged, scores, _ = judge(runs, qrels)
    expected = np.array([trec_eval(run, judgments) for run, judgments in case]).T
    np.testing.assert_allclose(judged.values(MEASURES, scores), expected, rtol=0, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(IDS[:5]), st.sampled_from([0.0, -0.0, 1.0]), min_size=1), qrels_of_one)
def test_bounds_are_the_extremes_over_all_tie_orders(run: RunDict, qrels: QrelsDict) -> None:
    judged, scores, _ = judge([run], [qrels])
    tied_orders = [order for order in itertools.permutations(range(len(run))) if _descends(scores[list(order)])]
    values = np.array([judged.values(MEASURES, -np.argsort(order))[:, 0] for order in tied_orders])
    worst, best = judged.bounds(MEASURES, scores)
    np.testing.assert_allclose(worst[:, 0], values.min(axis=0), rtol=0, atol=1e-12)
    np.testing.assert_allclose(best[:, 0], values.max(axis=0), rtol=0, atol=1e-12)


def _descends(scores: np.ndarray) -> bool:
    return bool((np.diff(scores) <= 0).all())


@settings(max_examples=60, deadline=None)
@given(cases)
def test_bounds_enclose_the_value_and_the_oracle_is_the_ceiling(case: list[tuple[RunDict, QrelsDict]]) -> None:
    judged, scores, _ = judge([run for run, _ in case], [judgments for _, judgments in case])
    values, (worst, best) = judged.values(MEASURES, scores), judged.bounds(MEASURES, scores)
    assert (worst <= values + 1e-12).all()
    assert (values <= best + 1e-12).all()
    assert (best <= judged.values(MEASURES, judged.oracle()) + 1e-12).all()


def test_without_ties_there_is_no_tie_span() -> None:
    judged, scores, _ = judge([{"a": 3.0, "b": 2.0, "c": 1.0}], [{"b": 1, "c": 2}])
    worst, best = judged.bounds(MEASURES, scores)
    np.testing.assert_array_equal(worst, best)
    np.testing.assert_array_equal(judged.values(MEASURES, scores), best)


def test_a_constant_scorer_gets_the_value_of_the_tie_rule_not_of_the_candidate_order() -> None:
    run, qrels = {"apositive": 0.5, "negative1": 0.5, "negative2": 0.5}, {"apositive": 1}
    judged, _, _ = judge([run], [qrels])
    measures = [parse("RR@10"), parse("nDCG@10")]
    worst, best = judged.bounds(measures)
    assert judged.values(measures)[:, 0] == pytest.approx([1 / 3, 0.5])
    assert worst[:, 0] == pytest.approx([1 / 3, 0.5])
    assert best[:, 0] == pytest.approx([1.0, 1.0])


def test_minus_zero_is_tied_with_zero() -> None:
    judged, _, _ = judge([{"a": 0.0, "b": -0.0}], [{"b": 1}])
    assert judged.values([parse("RR")]) == pytest.approx(np.ones((1, 1)))


def test_the_ideal_comes_from_the_full_qrels_not_from_the_candidates() -> None:
    judged, _, _ = judge([{"a": 1.0}], [{"a": 1, "missed": 3, "missed too": 2}])
    ideal = 3 + 2 / np.log2(3) + 1 / 2
    assert judged.values([parse("nDCG@10"), parse("R@10")])[:, 0] == pytest.approx([1 / ideal, 1 / 3])
    assert judged.relevant.tolist() == [3]


def test_a_query_without_candidates_or_without_relevant_documents_counts_as_zero() -> None:
    judged, _, _ = judge([{"a": 1.0}, {}, {"a": 1.0}, {"a": 1.0}], [{"a": 1}, {"a": 1}, {"a": 0}, {}])
    assert judged.values([parse("nDCG@10")]).tolist() == [[1.0, 0.0, 0.0, 0.0]]


def test_grades_of_candidates_tell_unjudged_from_not_relevant() -> None:
    judged, _, _ = judge([{"a": 3.0, "b": 2.0, "c": 1.0}], [{"a": 0, "c": 2, "elsewhere": 1}])
    assert judged.grades.tolist() == [0, -1, 2]
    assert judged.oracle().tolist() == [0.0, 0.0, 2.0]


def test_judged_at_is_the_judged_share_of_the_top() -> None:
    judged, _, _ = judge([{"a": 3.0, "b": 2.0, "c": 1.0}, {}], [{"a": 0, "c": 2}, {"a": 1}])
    assert judged.judged_at(1).tolist() == [1.0, 0.0]
    assert judged.judged_at(2).tolist() == [0.5, 0.0]
    assert judged.judged_at(10) == pytest.approx([2 / 3, 0.0])
    assert judged.judged_at(1, np.array([1.0, 2.0, 0.0])).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
def test_a_score_that_is_not_finite_is_refused_with_its_query_and_document(bad: float) -> None:
    judged, _, _ = judge([{"a": 1.0}, {"a": 1.0, "b": 2.0}], [{"a": 1}, {"b": 1}])
    with pytest.raises(
        DataError, match=r"1 scores are not finite \(first: (nan|inf|-inf) for query 1, document row 1\)"
    ):
        judged.values(MEASURES, np.array([1.0, 2.0, bad]))


def test_scores_of_another_length_are_refused() -> None:
    judged, _, _ = judge([{"a": 1.0, "b": 2.0}], [{"a": 1}])
    with pytest.raises(DataError, match="1 scores for 2 candidates"):
        judged.values(MEASURES, np.ones(1))


def test_a_run_of_another_split_is_refused() -> None:
    judged, _, _ = judge([{"a": 1.0}, {"a": 2.0}], [{"a": 1}, {"a": 1}])
    with pytest.raises(DataError, match="the run has 2 queries, the split 3"):
        Judged(judged.run, judged.qrels, 3)
    alone = Run(judged.run.offsets[:2], judged.run.documents[:1], judged.run.scores[:1], judged.run.tiebreaks[:1])
    with pytest.raises(DataError, match="judge query 1"):
        Judged(alone, judged.qrels, 1)


@pytest.mark.parametrize("cells", [1, 7, 1 << 19])
def test_the_size_of_the_blocks_changes_nothing(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "_CELLS", cells)
    generator = np.random.default_rng(3)
    ids = [f"d{number}" for number in range(40)]
    runs: list[RunDict] = []
    qrels: list[QrelsDict] = []
    for depth in (0, 1, 33, 8, 0, 40, 17):
        chosen = generator.choice(ids, depth, replace=False).tolist()
        runs.append({document: float(generator.integers(6)) for document in chosen})
        qrels.append({document: int(generator.integers(4)) for document in generator.choice(ids, 12, replace=False)})
    judged, scores, corpus = judge(runs, qrels)
    expected = np.array([trec_eval(run, judgments) for run, judgments in zip(runs, qrels, strict=True)]).T
    np.testing.assert_allclose(judged.values(MEASURES, scores), expected, rtol=0, atol=1e-12)
    wanted = [
        qrels[query].get(corpus[row], -1) for query, row in zip(judged.run.queries, judged.run.documents, strict=True)
    ]
    assert judged.grades.tolist() == wanted


def test_ranks_order_by_score_then_by_id_descending() -> None:
    judged, _, _ = judge([{"d1": 1.0, "d10": 1.0, "é": 1.0, "z": 2.0, "Z": 1.0}], [{}])
    assert ranks(judged.run).tolist() == [4, 3, 2, 1, 5]


def test_a_document_is_looked_up_in_its_own_query_only() -> None:
    judged, _, ids = judge([{"a": 1.0}, {"b": 1.0}], [{}, {}])
    documents = np.array([ids.index("a"), ids.index("b"), ids.index("a"), ids.index("b")])
    assert lookup(judged.run, np.array([0, 0, 1, 1]), documents).tolist() == [0, -1, -1, 1]
