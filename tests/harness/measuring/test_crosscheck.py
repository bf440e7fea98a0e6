"""A wrong number does not leave the harness: trec_eval's own code is asked at run time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from adapters.errors import DataError
from harness.data.qrels import Qrels
from harness.data.runs import Run
from harness.measuring.controls import CONTROLS, control_scores
from harness.measuring.crosscheck import cross_check, trec_name
from harness.measuring.judged import Judged
from harness.measuring.measures import DEFINITIONS, Trec, parse

TEXTS = ["nDCG", "nDCG@10", "AP", "AP@1000", "RR", "RR@2", "RR@10", "P@5", "R@100", "Success@1"]
MEASURES = [parse(text) for text in TEXTS]
IDS = np.array([f"doc é{number}" for number in range(60)])


def document_ids(rows: npt.NDArray[np.int64]) -> list[str]:
    return list(map(str, IDS[rows]))


@pytest.fixture
def judged() -> Judged:
    """40 queries of 0 to 30 candidates with many ties and a few judgments; some queries have none at all."""
    generator = np.random.default_rng(5)
    widths = generator.integers(0, 31, 40)
    documents = np.concatenate([generator.choice(60, width, replace=False) for width in widths]).astype(np.int32)
    order = np.unique([id_.encode() for id_ in IDS], return_inverse=True)[1].astype(np.int32)
    scores = generator.integers(-2, 3, len(documents)).astype(np.float32)
    run = Run(np.cumsum([0, *widths]), documents, scores, order[documents])
    kept = generator.random((40, 60)) < 0.1
    kept[3] = False
    queries, rows = np.nonzero(kept)
    grades = generator.integers(0, 4, len(rows)).astype(np.int32)
    return Judged(run, Qrels(queries.astype(np.int32), rows.astype(np.int32), grades), 40)


@pytest.mark.parametrize("control", [None, *CONTROLS])
def test_right_values_pass_on_every_query(judged: Judged, control: str | None) -> None:
    scores = None if control is None else control_scores(control, judged)
    values = judged.values(MEASURES, scores)
    assert cross_check(judged, MEASURES, values, document_ids, scores=scores, sample=100) == 40


@pytest.mark.parametrize("row", range(len(MEASURES)))
def test_a_planted_wrong_value_is_caught_with_query_measure_and_both_values(judged: Judged, row: int) -> None:
    values = judged.values(MEASURES)
    values[row, 7] += 1e-6
    with pytest.raises(DataError, match=rf"query 'q7': {TEXTS[row]} is [0-9.e-]+ here and [0-9.e-]+ in trec_eval"):
        names = [f"q{query}" for query in range(40)]
        cross_check(judged, MEASURES, values, document_ids, query_ids=names, sample=40)


def test_a_value_that_is_not_a_number_is_caught(judged: Judged) -> None:
    values = judged.values(MEASURES)
    values[0, 7] = np.nan
    with pytest.raises(DataError, match="query 7: nDCG is nan here"):
        cross_check(judged, MEASURES, values, document_ids, sample=40)


def test_a_missing_query_must_have_the_value_zero(judged: Judged) -> None:
    values = judged.values(MEASURES)
    missing = int(np.argmin(np.diff(judged.run.offsets)))
    assert np.diff(judged.run.offsets)[missing] == 0
    values[0, missing] = 0.5
    with pytest.raises(DataError, match=rf"query {missing}: nDCG is 0\.5 here and 0\.0 in trec_eval"):
        cross_check(judged, MEASURES, values, document_ids, sample=40)


def test_ties_ordered_the_wrong_way_are_caught(judged: Judged) -> None:
    run = judged.run
    wrong = Judged(Run(run.offsets, run.documents, run.scores, run.tiebreaks.max() - run.tiebreaks), judged.qrels, 40)
    with pytest.raises(DataError, match="in trec_eval"):
        cross_check(wrong, MEASURES, wrong.values(MEASURES), document_ids)


def test_the_sample_is_the_same_every_time_and_moves_with_the_seed(judged: Judged) -> None:
    def asked(seed: int) -> list[int]:
        rows: list[int] = []

        def recording(wanted: npt.NDArray[np.int64]) -> list[str]:
            rows.extend(wanted.tolist())
            return document_ids(wanted)

        assert cross_check(judged, MEASURES, judged.values(MEASURES), recording, sample=10, seed=seed) == 10
        return rows

    assert asked(0) == asked(0)
    assert asked(0) != asked(1)


def test_names_are_those_of_trec_eval() -> None:
    checks = [(DEFINITIONS[measure.name].check, measure.cutoff) for measure in MEASURES]
    assert [trec_name(check, cutoff) for check, cutoff in checks if isinstance(check, Trec)] == (
        [
            "ndcg",
            "ndcg_cut.10",
            "map",
            "map_cut.1000",
            "recip_rank",
            "recip_rank",
            "recip_rank",
            "P.5",
            "recall.100",
            "success.1",
        ]
    )
