"""A judged document that the corpus lacks stays in the ideal ranking: every number is trec_eval's on the judgments as
they were published, and a reader sees how many there are."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.errors import DataError
from harness.data.collection import Collection, Rules, sample_queries, with_queries
from harness.data.qrels import Missing, Qrels
from harness.data.sources import seen, stored
from harness.data.sources.agreement import differences
from harness.judging.gate.splits import relatives
from harness.judging.why.analysis import why
from harness.judging.why.difference import difference
from harness.judging.why.facing import ComparedSystem, PairedTexts
from harness.judging.why.headroom import headroom
from harness.judging.why.stored import find
from harness.measuring.controls import CONTROLS, control_scores, expected_random
from harness.measuring.judged import Judged
from harness.measuring.measures import parse
from harness.result.evaluation import Evaluation
from harness.result.facts import CollectionFacts, CountFacts
from harness.result.recall import recall
from reports.tables.run import comparison_tables
from reports.tables.run_values import as_dict
from reports.why import why_data
from tests.fixtures import Command
from tests.harness.measuring.test_judged import IDS, MEASURES, cases, judge, trec_eval
from tests.tiny_collection import FIRST, QRELS, QUERIES, Place, results_in

ALLOWED = 'allow = ["unknown-documents"]\n'
PUBLISHED = (*QRELS, ("q1", "gone1", 2), ("q1", "gone2", 0), ("q2", "gone3", 1), ("q3", "gone1", 1), ("q5", "gone4", 1))
ASKED = {**QUERIES, "q5": "what became of the tower"}
NAMES = ["nDCG", "nDCG@3", "nDCG@10", "AP", "AP@100", "RR@10", "P@5", "R@2", "R@100", "Success@1"]


def partial(place: Place, name: str = "coll", rules: str = ALLOWED) -> Collection:
    """A collection of which four judged documents are gone; of q5 nothing relevant is left."""
    return place.load(place.beir(name, queries=ASKED, qrels=PUBLISHED, rules=rules))


def by_trec_eval(evaluation: Evaluation) -> np.ndarray:
    """NAMES by pytrec_eval on the published judgments, float64 [measures, queries]."""
    qrels: dict[str, dict[str, int]] = {}
    for query, document, grade in PUBLISHED:
        qrels.setdefault(query, {})[document] = grade
    run, collection = evaluation.run, evaluation.collection
    ids = collection.queries.ids()
    found: list[dict[str, float]] = [{} for _ in ids]
    documents = collection.corpus.ids(run.documents)
    for query, document, score in zip(run.queries.tolist(), documents, run.scores.tolist(), strict=True):
        found[query][document] = score
    names = {"ndcg", "ndcg_cut.3,10", "map", "map_cut.100", "recip_rank", "P.5", "recall.2,100", "success.1"}
    keys = ["ndcg", "ndcg_cut_3", "ndcg_cut_10", "map", "map_cut_100", "recip_rank", "P_5", "recall_2", "recall_100"]
    rows = []
    for place, query in enumerate(ids):
        values = pytrec_eval.RelevanceEvaluator({query: qrels[query]}, names).evaluate({query: found[place]})
        rows.append([values[query][key] if query in values else 0.0 for key in [*keys, "success_1"]])
    return np.array(rows).T


@pytest.mark.parametrize("reranker", [None, "control:oracle", "control:reverse", "control:random"])
def test_every_measure_is_trec_evals_on_the_published_judgments(place: Place, reranker: str | None) -> None:
    evaluations = place.evaluations(
        partial(place), rerankers=[reranker] if reranker else [], measures=NAMES, depth=8, first="bm25"
    )
    ours = evaluations[-1]
    assert [str(measure) for measure in ours.measures] == NAMES
    np.testing.assert_allclose(ours.values, by_trec_eval(ours), rtol=0, atol=1e-9)


def test_a_query_whose_relevant_documents_are_all_missing_counts_as_zero(place: Place) -> None:
    collection = partial(place)
    (ours,) = place.evaluations(collection, measures=["nDCG@10", "R@100"], depth=8)
    row = collection.queries.ids().index("q5")
    assert ours.values[:, row].tolist() == [0.0, 0.0]
    assert len(ours.values[0]) == 5
    assert collection.counts.queries_without_relevant == 1


@settings(max_examples=150)
@given(cases, st.sets(st.sampled_from(IDS)))
def test_values_bounds_and_controls_hold_whichever_documents_are_missing(case: Any, gone: set[str]) -> None:
    runs = [{name: score for name, score in run.items() if name not in gone} for run, _ in case]
    qrels = [judgments for _, judgments in case]
    whole, scores, ids = judge(runs, qrels)
    lost = np.array([ids[row] in gone for row in whole.qrels.documents], bool)
    missing = Missing(
        whole.qrels.queries[lost],
        whole.qrels.grades[lost],
        tuple(ids[row] for row in whole.qrels.documents[lost]),
    )
    columns = (whole.qrels.queries, whole.qrels.documents, whole.qrels.grades)
    judged = Judged(whole.run, Qrels(*(column[~lost] for column in columns), missing), len(runs))
    expected = np.array([trec_eval(run, judgments) for run, judgments in zip(runs, qrels, strict=True)]).T
    np.testing.assert_allclose(judged.values(MEASURES, scores), expected, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(judged.values(MEASURES, scores), whole.values(MEASURES, scores))
    np.testing.assert_array_equal(judged.relevant, whole.relevant)
    np.testing.assert_array_equal(judged.judged_at(3, scores), whole.judged_at(3, scores))
    np.testing.assert_array_equal(expected_random(judged, MEASURES), expected_random(whole, MEASURES))
    for ours, theirs in zip(judged.bounds(MEASURES, scores), whole.bounds(MEASURES, scores), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    best = judged.values(MEASURES, judged.oracle())
    for name in CONTROLS:
        assert (judged.values(MEASURES, control_scores(name, judged)) <= best + 1e-12).all()


def test_no_order_reaches_what_the_corpus_lacks_and_the_ceiling_says_so(place: Place) -> None:
    (ours,) = place.evaluations(partial(place), measures=["nDCG@10", "R@100"], depth=8, first="bm25")
    ceiling = ours.ground.means()["oracle"]
    assert ceiling["nDCG@10"] < 0.8
    assert ceiling["R@100"] == pytest.approx((2 / 3 + 1 / 2 + 1 / 2 + 1 + 0) / 5)


def test_the_rule_has_to_be_declared(place: Place) -> None:
    with pytest.raises(
        DataError, match=r"document 'gone1' is not in corpus.jsonl; .* allow = \[\"unknown-documents\"\]"
    ):
        partial(place, rules="")


def test_they_are_counted_and_the_number_stands_under_the_table_and_in_every_report(
    place: Place, command: Command
) -> None:
    collection = partial(place)
    counts = collection.counts
    assert (counts.missing_judgments, counts.missing_documents, counts.judgments) == (5, 4, 11)
    assert counts.let_through == {"unknown-documents": 5}
    note = "4 judged documents (5 judgments) are not in the corpus; they count in the ideal ranking"
    ours, _ = place.evaluations(collection, rerankers=["control:random"], depth=8)
    assert any(note in one for one in comparison_tables(results_in([ours]))[0].notes)
    collections: Any = as_dict(results_in([ours]))["collections"]
    assert collections[0]["counts"]["missing_judgments"] == 5
    out = place.path / "report"
    assert command("report", "--out", out, "--workspace", place.workspace.path).code == 0
    assert note in (out / "report.md").read_text("utf-8")
    assert note in command("list", "collections", "--workspace", place.workspace.path).out
    assert note in command("show", ours.id, "--workspace", place.workspace.path).out
    board = place.path / "board"
    assert command("board", "--out", board, "--workspace", place.workspace.path).code == 0
    assert any(note in page.read_text("utf-8") for page in board.rglob("*.html"))
    compared = command("compare", FIRST, "control:random", "--workspace", place.workspace.path)
    assert note in compared.out, compared.err


def test_a_table_of_several_collections_names_the_one_that_lacks_documents(place: Place) -> None:
    whole = place.load(place.beir("whole"))
    evaluations = place.evaluations(partial(place), whole, depth=8)
    for table in comparison_tables(results_in(evaluations)):
        notes = [note for note in table.notes if "not in the corpus" in note]
        assert len(notes) == 1
        assert notes[0].startswith("coll: 4 judged documents")


def test_one_document_is_one_document(place: Place) -> None:
    collection = place.load(place.beir(qrels=[*QRELS, ("q2", "gone", 1)], rules=ALLOWED))
    (result,) = results_in(place.evaluations(collection))
    assert result.stored.collection.notes == [
        "coll: 1 judged document is not in the corpus; it counts in the ideal ranking"
    ]


def test_a_sample_keeps_the_missing_documents_of_its_queries(place: Place) -> None:
    collection = partial(place)
    ids = collection.queries.ids()
    for rows in ([0], [1, 4], [0, 2, 3]):
        part = with_queries(collection, np.array(rows, np.int64))
        named = {ids[row] for row in rows}
        wanted = sorted((q, d, g) for q, d, g in PUBLISHED if q in named and d.startswith("gone"))
        missing = part.qrels.missing
        asked = [part.queries.ids()[row] for row in missing.queries]
        assert sorted(zip(asked, missing.ids, missing.grades.tolist(), strict=True)) == wanted
        assert part.counts.missing_judgments == len(wanted)
        (ours,) = place.evaluations(part, measures=NAMES, depth=8, first="bm25")
        np.testing.assert_allclose(ours.values, by_trec_eval(ours), rtol=0, atol=1e-9)


RECORDED = {
    "plain": ("", QRELS, "cef9e2a18de8e0fcbe84b5c73aefe102"),
    "in vain": (ALLOWED, QRELS, "cef9e2a18de8e0fcbe84b5c73aefe102"),
}


@pytest.mark.parametrize("name", list(RECORDED))
def test_a_collection_that_lacks_no_document_has_the_fingerprint_that_it_always_had(place: Place, name: str) -> None:
    rules, qrels, fingerprint = RECORDED[name]
    collection = place.load(place.beir(qrels=qrels, rules=rules))
    assert collection.fingerprint == fingerprint
    assert sample_queries(collection, 2).fingerprint == "e12b37188e29053b9e7312f7c0ed98f1"


def test_the_demo_and_reranking_rows_have_the_fingerprints_that_they_always_had(place: Place) -> None:
    assert place.load("demo/en").fingerprint == "59d45ae1ef2e8c9b0d0d2678b28f984f"
    assert place.load("demo/th").fingerprint == "110452b5f1fa41fc8462b1bf42b6c7b7"
    assert place.load(place.reranking_rows()).fingerprint == "1200c942c913684ff203e41f87265aad"


def test_real_collections_have_the_fingerprints_that_they_always_had(place: Place, shared_data: Path) -> None:
    assert place.load(shared_data / "scifact").fingerprint == "7964f329fb550a4e48d7a40ee7001100"
    assert place.load(shared_data / "cranfield").fingerprint == "fc536175f5b6486819c7c47afa24b536"


def test_missing_documents_are_part_of_the_fingerprint(place: Place) -> None:
    def of(name: str, *more: tuple[str, str, int]) -> str:
        return place.load(place.beir(name, qrels=[*QRELS, *more], rules=ALLOWED)).fingerprint

    found = [of("a"), of("b", ("q1", "gone", 1)), of("c", ("q1", "gone", 2)), of("d", ("q2", "gone", 1))]
    found += [of("e", ("q1", "lost", 1)), of("f", ("q1", "gone", 1), ("q1", "lost", 1))]
    assert len(set(found)) == len(found)
    assert of("g", ("q1", "gone", 1)) == found[1]


def test_they_come_back_from_the_workspace(place: Place) -> None:
    first = partial(place)
    again = stored.read(
        place.workspace.collections / first.fingerprint,
        stored.description_in(place.workspace.collections / first.fingerprint),
    )
    assert again.qrels.missing.ids == first.qrels.missing.ids == ("gone1", "gone2", "gone3", "gone1", "gone4")
    assert again.qrels.missing.grades.tolist() == [2, 0, 1, 1, 1]
    assert again.counts == first.counts


def as_an_earlier_version_left_it(place: Place, folder: Path) -> Path:
    """The collection in the workspace with its judgments dropped, and an entry that says so."""
    collection = place.load(folder)
    dropped = place.load(place.beir("dropped", queries=QUERIES, qrels=QRELS))
    kept = place.workspace.collections / dropped.fingerprint
    marker = json.loads((kept / stored.MARKER).read_text("utf-8"))
    marker |= {"name": "coll", "rules": {**marker["rules"], "allow": ["unknown-documents"]}}
    marker["counts"]["let_through"] = {"unknown-documents": 5}
    for key in ("missing_judgments", "missing_documents", "shares"):
        del marker["counts"][key]
    del marker["published"], marker["sum"]
    (kept / stored.MARKER).write_text(json.dumps(marker), "utf-8")
    (kept / stored.PUBLISHED).unlink()
    for entry in (place.workspace.collections / "seen").glob("*.json"):
        entry.unlink()
    assert collection.fingerprint != dropped.fingerprint
    return kept


def test_what_an_earlier_version_stored_without_them_is_converted_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = place.beir(queries=QUERIES, qrels=[*QRELS, ("q1", "gone1", 2)], rules=ALLOWED)
    kept = as_an_earlier_version_left_it(place, folder)
    monkeypatch.setattr(seen, "look_up", lambda *_: stored.description_in(kept))
    assert place.load(folder).qrels.missing.ids == ("gone1",)


def test_what_an_earlier_version_read_is_read_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name of an entry says how it was read; those of an earlier version are never found."""
    folder = place.beir()
    monkeypatch.setattr(seen, "settled", lambda *_: True)
    monkeypatch.setattr(seen, "_READING", 1)
    place.load(folder)
    before = {entry.name for entry in (place.workspace.collections / "seen").iterdir()}
    monkeypatch.undo()
    monkeypatch.setattr(seen, "settled", lambda *_: True)
    place.load(folder)
    assert len({entry.name for entry in (place.workspace.collections / "seen").iterdir()} - before) == 1


def test_a_number_of_an_earlier_version_that_left_them_out_is_not_explained_as_if_it_had_not(place: Place) -> None:
    folder = place.beir(queries=QUERIES, qrels=[*QRELS, ("q1", "gone1", 2)], rules=ALLOWED)
    plain = place.load(place.beir("plain"))
    (old,) = place.evaluations(plain)
    as_an_earlier_version_left_it(place, folder)
    with pytest.raises(DataError, match=r"left judged documents that the corpus lacks out .*; run again: "):
        recall(place.workspace, old.id)


def test_a_result_of_an_earlier_version_that_left_them_out_says_so() -> None:
    def noted(**known: Any) -> list[str]:
        counts = CountFacts(queries=4, judgments=8, **known)
        return CollectionFacts("coll", "test", "print", counts, Rules()).notes

    note = "4 judgments or candidates of missing documents were left out by an earlier version; run it again"
    assert noted(let_through={"unknown-documents": 4}) == [f"coll: {note}"]
    assert noted(let_through={}) == []
    assert noted(let_through={"unknown-documents": 4}, missing_judgments=0) == []


def test_sources_are_held_against_each_other_with_them(place: Place) -> None:
    first = partial(place, "a")
    other = place.load(place.beir("b", queries=ASKED, qrels=[*PUBLISHED[:-1], ("q5", "gone4", 2)], rules=ALLOWED))
    assert differences(first, other) == ("other grade, 1 times, first query 'q5', document 'gone4': 1 and 2",)


def test_what_is_lost_to_them_is_lost_to_everybody(place: Place) -> None:
    collection = partial(place)
    (ours,) = place.evaluations(collection, depth=8, first="bm25")
    measure = parse("R@100")
    facing = PairedTexts(collection, measure, ComparedSystem(ours.run), ComparedSystem(ours.run))
    account = headroom(facing.a, facing.judged[0], measure)
    parts = account.value + account.misordered + account.truncated + account.not_retrieved + account.unreachable
    np.testing.assert_allclose(parts, 1.0, atol=1e-12)
    assert account.unreachable == pytest.approx([1 / 3, 1 / 2, 1 / 2, 0, 1])
    moved = difference(facing)
    np.testing.assert_allclose(np.bincount(moved.queries, moved.a.gains, 5), moved.a.values, atol=1e-12)


def test_the_page_that_explains_a_difference_counts_them(place: Place) -> None:
    first, other = place.evaluations(partial(place), rerankers=["control:random"], depth=8, first="bm25")
    found = find(place.workspace, first.id, other.id)
    data = why_data(found, why(found.facings), shown=5)
    assert (
        "coll: 4 judged documents (5 judgments) are not in the corpus; they count in the ideal ranking" in data["notes"]
    )
    assert [data["details"][str(row)]["missing"] for row in range(5)] == [1, 1, 1, 0, 1]


def test_queries_that_share_a_missing_document_alone_are_no_relatives(place: Place) -> None:
    collection = place.load(
        place.beir(qrels=[("q1", "d1", 1), ("q2", "d3", 1), ("q1", "gone", 1), ("q2", "gone", 1)], rules=ALLOWED)
    )
    assert relatives(collection).tolist() == [0, 1]


def test_a_collection_made_in_memory_is_checked_with_its_own_judgments(place: Place) -> None:
    (ours,) = place.evaluations(replace(partial(place), published=None), measures=NAMES, depth=8)
    np.testing.assert_allclose(ours.values, by_trec_eval(ours), rtol=0, atol=1e-9)
