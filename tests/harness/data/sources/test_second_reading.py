"""The judgments are read twice by code that shares nothing: a defect of the first reading stops the conversion, and one
that comes later stops the run, whichever query it hits."""

from __future__ import annotations

import gzip
import importlib.util
import json
import math
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters.errors import DataError
from adapters.limits import HIGHEST_GRADE
from harness.data.as_published import AsPublished
from harness.data.collection import Collection, sample_queries
from harness.data.qrels import Qrels
from harness.data.sources import beir_folder, hub_rows, judgment_columns, judgments, second_reading, stored
from harness.data.sources.second_reading import Judgment, by_rules
from harness.measuring import crosscheck
from harness.measuring.crosscheck import check_judgments
from harness.workspace import Workspace
from tests import mirror_of_hub as hub
from tests.tiny_collection import Place

MANY = 60
"""Queries; far more than the 25 that pytrec_eval recomputes."""
Defect = Callable[[Qrels], Qrels]


def many(place: Place) -> Path:
    corpus = {f"d{n}": f"text number {n}" for n in range(MANY + 1)}
    queries = {f"q{n}": f"number {n}" for n in range(MANY)}
    rows = [(f"q{n}", f"d{n + step}", 2 - step) for n in range(MANY) for step in (0, 1)]
    return place.beir("many", corpus, queries, rows)


def unsampled() -> int:
    """A query that is not recomputed."""
    chosen = np.random.default_rng(0).permutation(MANY)[:25]
    return next(row for row in range(MANY) if row not in chosen)


def at(row: int, column: str, value: Callable[[int], int]) -> Defect:
    def defect(qrels: Qrels) -> Qrels:
        changed = getattr(qrels, column).copy()
        changed[row] = value(int(changed[row]))
        return replace(qrels, **{column: changed})

    return defect


def without(row: int) -> Defect:
    def defect(qrels: Qrels) -> Qrels:
        return Qrels(*(np.delete(getattr(qrels, name), row) for name in ("queries", "documents", "grades")))

    return defect


def shifted(qrels: Qrels) -> Qrels:
    return replace(qrels, documents=np.roll(qrels.documents, 2))


ROW = 2 * unsampled()
DEFECTS = {
    "a dropped judgment": without(ROW),
    "a changed grade": at(ROW, "grades", lambda grade: grade + 1),
    "a document's row that is another's": at(ROW, "documents", lambda row: row + 3),
    "rows that are all shifted": shifted,
    "a relevant judgment that became zero": at(ROW, "grades", lambda _: 0),
}


@pytest.mark.parametrize("name", list(DEFECTS))
def test_a_defect_of_the_first_reading_stops_the_conversion_whichever_query_it_hits(
    place: Place, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    read = judgments.resolved
    monkeypatch.setattr(beir_folder, "resolved", lambda *arguments: DEFECTS[name](read(*arguments)))
    with pytest.raises(DataError) as caught:
        place.load(many(place))
    message = str(caught.value)
    assert message.startswith("many: query 'q")
    assert " in the source, and " in message
    assert "\n" not in message
    assert list(place.workspace.collections.iterdir()) == [], "nothing is kept"


def test_columns_that_are_divided_wrongly_stop_the_conversion(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = place.beir()
    (folder / "qrels" / "test.tsv").write_text("q1\t0 d1  2\nq2 0\td3 1\n", "utf-8")
    monkeypatch.setattr(judgment_columns, "_readings", lambda line: {3: [line.split()[0], "d6", line.split()[-1]]})
    with pytest.raises(DataError, match="query 'q1': document 'd1' has the grade 2 in the source, and no grade here"):
        place.load(folder)


@pytest.mark.parametrize("name", ["a dropped judgment", "a changed grade", "a relevant judgment that became zero"])
def test_a_defect_after_the_conversion_stops_the_run_whichever_query_it_hits(place: Place, name: str) -> None:
    collection = place.load(many(place))
    broken = replace(collection, qrels=DEFECTS[name](collection.qrels))
    with pytest.raises(DataError, match=rf"query 'q{unsampled()}': [12] judgments \(grades [0-9, ]+\) here and 2 judg"):
        place.evaluations(broken, depth=5)


@pytest.mark.parametrize("name", ["a document's row that is another's", "rows that are all shifted"])
def test_pytrec_eval_is_asked_with_the_published_judgments_not_with_ours(
    place: Place, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Grades alone do not show it; the values of the queries that are recomputed do."""
    monkeypatch.setitem(
        DEFECTS, "a document's row that is another's", at(2 * _sampled(), "documents", lambda row: row + 3)
    )
    collection = place.load(many(place))
    broken = replace(collection, qrels=DEFECTS[name](collection.qrels))
    with pytest.raises(DataError, match=r"query 'q\d+': nDCG@10 is .* here and .* in trec_eval"):
        place.evaluations(broken, depth=5, first="bm25")


def _sampled() -> int:
    return int(np.random.default_rng(0).permutation(MANY)[0])


def test_the_second_reading_is_kept_with_its_digest_and_is_not_trusted_once_it_was_changed(place: Place) -> None:
    collection = place.load()
    assert collection.published is not None
    assert collection.published.of(["q2", "q4"]) == {"q2": {"d3": 1}, "q4": {"d8": 1}}
    assert collection.published.of(["nobody"]) == {"nobody": {}}
    file = collection.published.file
    file.write_bytes(file.read_bytes().replace(b"d3", b"d4"))
    with pytest.raises(DataError, match=r"published\.arrow: it is not what was written"):
        AsPublished(file, collection.published.digest).of(["q2"])
    file.unlink()
    with pytest.raises(DataError, match=r"published\.arrow: it cannot be read"):
        AsPublished(file, collection.published.digest).of(["q2"])


def test_grades_are_compared_in_a_moment_for_all_queries(place: Place) -> None:
    collection = place.load(many(place))
    assert collection.published is not None
    check_judgments(collection.qrels, collection.published, collection.queries.ids())
    nothing = Qrels(*(getattr(collection.qrels, name)[:0] for name in ("queries", "documents", "grades")))
    with pytest.raises(DataError, match=r"query 'q0': 0 judgments here and 2 judgments \(grades 2, 1\) in the source"):
        check_judgments(nothing, collection.published, collection.queries.ids())


def test_what_reads_second_shares_no_code_with_what_reads_first() -> None:
    """It may know how a place is opened, and the values that both make; nothing that reads or rules."""
    source = Path(second_reading.__file__).read_text("utf-8")
    for module in ("judgments", "judgment_columns", "dirt", "hub_rows", "reranking_rows", "texts"):
        assert f"harness.data.sources.{module} " not in source
    assert "from harness.data.sources.jsonl import CollectionFiles\n" in source


RULES = [
    ([("q", "d", -2), ("q", "e", 1)], ("negative-grades",), {"q": {"d": 0, "e": 1}}),
    ([("q", "d", 1), ("q", "d", 3), ("q", "d", 0)], ("contradicting-labels",), {"q": {"d": 3}}),
    ([("q", "d", 1), ("q", "d", 1)], ("repeated-judgments",), {"q": {"d": 1}}),
    ([("q 1", "d\u3000x\0", 1)], ("white-space-ids",), {"q_1": {"d_x_": 1}}),
    ([("q", "d", -1), ("q", "d", -2)], ("negative-grades", "contradicting-labels"), {"q": {"d": 0}}),
    ([("q", "d", -1)], (), {"q": {"d": 0}}),
]


@pytest.mark.parametrize(("rows", "allow", "wanted"), RULES)
def test_the_rules_are_stated_again(rows: list[tuple[str, str, int]], allow: tuple[str, ...], wanted: object) -> None:
    assert by_rules([Judgment(*row) for row in rows], allow) == wanted


ALL_RULES = ("unknown-documents", "unknown-queries", "repeated-judgments", "contradicting-labels", "negative-grades",
             "white-space-ids")  # fmt: skip
DIRTY = ("query-id\tcorpus-id\tscore\nq1\td 1\t2\nq1\td 1\t2\nq1\td2\t-1\nq1\tgone one\t3\nq2\td3\t1\nq2\td3\t0\n"
         "q9\td2\t1\n")  # fmt: skip


def test_every_rule_at_once_comes_to_the_same(session: Any) -> None:
    corpus = [{"_id": name, "text": name} for name in ("d 1", "d2", "d3")]
    folder = session.beir(corpus=corpus, qrels=DIRTY, rules=f"allow = {list(ALL_RULES)}")
    collection: Collection = session.load(folder)
    assert collection.published is not None
    wanted = {"q1": {"d_1": 2, "d2": 0, "gone_one": 3}, "q2": {"d3": 1}}
    assert collection.published.of(["q1", "q2"]) == wanted


@pytest.mark.parametrize(
    ("rule", "spoiled"),
    [
        ("negative-grades", lambda *given: abs(int(given[1]))),
        ("contradicting-labels", lambda *given: min(int(given[1]), 0)),
    ],
)
def test_a_rule_that_the_first_reading_applies_wrongly_is_caught(
    session: Any, monkeypatch: pytest.MonkeyPatch, rule: str, spoiled: Any
) -> None:
    qrels = {"negative-grades": "q1 d1 -2\nq2 d3 1\n", "contradicting-labels": "q1 d1 0\nq1 d1 3\nq2 d3 1\n"}[rule]
    monkeypatch.setattr(judgments._Reader, "_grade", spoiled)
    message = session.refused(DataError, session.beir(qrels=qrels, rules=f'allow = ["{rule}", "repeated-judgments"]'))
    assert message.startswith("coll: query 'q1': document 'd1' has the grade ")


@pytest.mark.parametrize("kind", ["plain", "gzipped", "zipped", "with a byte order mark"])
def test_a_file_is_read_wherever_it_lies(session: Any, kind: str) -> None:
    folder: Path = session.beir()
    file = folder / "qrels" / "test.tsv"
    if kind == "gzipped":
        file.with_name("test.tsv.gz").write_bytes(gzip.compress(file.read_bytes()))
        file.unlink()
    if kind == "with a byte order mark":
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    if kind == "zipped":
        with zipfile.ZipFile(session.path / "coll.zip", "w") as archive:
            for one in folder.rglob("*"):
                archive.write(one, one.relative_to(session.path))
        folder = session.path / "coll.zip"
    collection = session.load(folder)
    assert collection.published.of(["q1", "q2"]) == {"q1": {"d1": 2, "d2": 0}, "q2": {"d3": 1}}


def test_reranking_rows_are_read_again_too(session: Any) -> None:
    rows = [
        {"query": "x", "positive": [" p ", "p"], "negative": ["n"]},
        {"id": "two words", "query": "y", "positive": ["n"], "negative": ["n", "p"]},
        {"id": "two words", "query": "y", "positive": ["p"], "negative": []},
        {"query": "z", "positive": [], "negative": []},
    ]
    allow = ["contradicting-labels", "duplicate-ids", "white-space-ids"]
    collection = session.load(session.rows(rows), rules=session.rules(f"allow = {json.dumps(allow)}"))
    names = dict(zip(collection.corpus, collection.corpus.ids(), strict=True))
    wanted = {"row-1": {names["p"]: 1, names["n"]: 0}, "two_words": {names["n"]: 1, names["p"]: 0}}
    assert collection.published.of(collection.queries.ids()) == wanted


def test_a_library_is_asked_for_what_it_hands_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if importlib.util.find_spec("mteb") is None:
        pytest.skip("mteb is not installed")
    from tests.harness.data.sources.test_mteb_task import read, written

    place: Any = type("Mine", (), {"mirror": tmp_path / "mirror", "workspace": Workspace.open(tmp_path / "w")})
    entry = written(place, hub.entry_of("beir/scifact"))
    collection = read(place, entry)
    assert collection.published is not None
    assert collection.published.of(["q1", "q2"]) == {"q1": {"d1": 2, "d2": 0}, "q2": {"d3": 1}}
    resolve = hub_rows.resolved
    monkeypatch.setattr(hub_rows, "resolved", lambda *arguments: at(0, "grades", lambda g: g + 1)(resolve(*arguments)))
    place.workspace = Workspace.open(tmp_path / "other")
    with pytest.raises(DataError, match="beir/scifact: query 'q2': document 'd3' has the grade 1 in the source, and"):
        read(place, entry)


def test_the_file_of_another_source_with_the_same_judgments_is_used(session: Any) -> None:
    """Two sources of one collection share a folder; each states its own rules, and both come to the same."""
    plain = session.load(session.beir("plain", qrels="q1 d1 2\nq1 d2 0\nq2 d3 1\n"))
    ruled = session.load(
        session.beir("ruled", qrels="q1 d1 2\nq1 d2 -1\nq2 d3 1\n", rules='allow = ["negative-grades"]')
    )
    assert plain.fingerprint == ruled.fingerprint
    assert (
        ruled.published.file
        == plain.published.file
        == session.workspace.collections / plain.fingerprint / stored.PUBLISHED
    )
    assert ruled.published.of(["q1"]) == {"q1": {"d1": 2, "d2": 0}}


def test_the_queries_of_a_sample_are_asked_for_by_their_ids(place: Place) -> None:
    (ours,) = place.evaluations(sample_queries(place.load(many(place)), 9), depth=5)
    assert ours.values.shape == (1, 9)


def test_the_check_of_a_run_names_the_query_by_its_id(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crosscheck, "_reference", lambda *_: 2.0)
    with pytest.raises(DataError, match=r"query 'q1': nDCG@10 is .* here and 2\.0 in trec_eval"):
        place.evaluations(place.load())


ROWS: dict[str, dict[str, Any]] = {
    "null positives": {"positive": None, "negative": ["b", "c"]},
    "NaN for null, as data frames write it": {"positive": math.nan, "negative": ["b", "c"]},
    "an empty list among numbered negatives": {"positive": "a", "negative_1": "b", "negative_2": []},
    "a list among numbered negatives": {"positive": "a", "negative_1": ["b", "c"]},
}


@pytest.mark.parametrize("form", ROWS)
def test_rows_with_missing_texts_are_read_alike_by_both_readings(form: str, place: Place) -> None:
    rows = [{"query": "one", **ROWS[form]}, {"query": "two", "positive": ["a"], "negative": ["b"]}]
    file = place.path / "rows.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    assert len(place.load(file).queries) == 2


@pytest.mark.parametrize("name", ["s'core", "sco-re", "score[[[", "[" * 200_000 + "score"])
def test_a_header_is_known_to_both_readings_or_to_none(name: str, place: Place) -> None:
    """The last name takes no time either: a pattern that tries every division of it would take hours."""
    folder = place.beir()
    (folder / "qrels" / "test.tsv").write_text(f"query-id\tcorpus-id\t{name}\nq1\td1\t1\n", "utf-8")
    assert place.load(folder).counts.judgments == 1


def test_a_failure_of_the_second_reading_is_one_line(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second_reading, "_whole", {}.__getitem__)
    with pytest.raises(
        DataError, match=r"test\.tsv: only one of two readings can read the judgments .*please report it"
    ):
        place.load()


@pytest.mark.parametrize("zeros", [1, 19, 20, 60, 5000])
def test_leading_zeros_do_not_change_a_grade(zeros: int, place: Place) -> None:
    folder = place.beir(qrels=[("q1", "d1", f"{'0' * zeros}3"), ("q1", "d2", f"-{'0' * zeros}3")])  # type: ignore[list-item]
    assert place.load(folder).qrels.grades.tolist() == [3, 0]


def test_the_highest_grade_is_read_and_a_higher_one_is_refused(place: Place) -> None:
    assert place.load(place.beir("a", qrels=[("q1", "d1", HIGHEST_GRADE)])).qrels.grades.tolist() == [HIGHEST_GRADE]
    with pytest.raises(DataError, match=r"test\.tsv:2: grade '1000001' is above 1,000,000"):
        place.load(place.beir("b", qrels=[("q1", "d1", HIGHEST_GRADE + 1)]))
