"""`harness judge diff` says which judgments differ and whether that changes the order of systems: a user would blame a
model for a new version of the labels."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import harness
from adapters.errors import DataError, UsageError
from harness.labelling.diff import JudgmentDiff
from harness.labelling.label_file import read_labels
from harness.measuring.statistics.design import Design, Questions
from harness.measuring.statistics.difference import differences
from tests.fixtures import Command
from tests.harness.judging.compare.test_unjudged_pairs import CORPUS, JUDGED, RANDOM, REVERSE, WIDE
from tests.tiny_collection import Place


def of_files(first: Path, second: Path) -> JudgmentDiff:
    return harness.judge_diff(first, second).found.judgments


def test_judgments_are_added_removed_and_regraded() -> None:
    found = JudgmentDiff({("q", "a"): 1, ("q", "b"): 0, ("q", "c"): 2}, {("q", "b"): 1, ("q", "c"): 2, ("r", "a"): 1})
    assert (found.added, found.removed, found.regraded) == ([("r", "a")], [("q", "a")], [("q", "b")])
    assert dict(found.changes) == {(0, 1): 1, (2, 2): 1} and found.agreement == 0.5
    assert found.bias == {"q": 0.5}


def test_kappa_is_that_of_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    drawn = np.random.default_rng(5).integers(0, 4, (2, 300))
    found = JudgmentDiff(*({("q", str(n)): int(grade) for n, grade in enumerate(row)} for row in drawn))
    assert found.kappa() == pytest.approx(metrics.cohen_kappa_score(*drawn))
    assert found.kappa(2) == pytest.approx(metrics.cohen_kappa_score(*(drawn >= 2)))


def test_kappa_of_a_single_grade_is_not_defined() -> None:
    assert np.isnan(JudgmentDiff({("q", "a"): 1}, {("q", "a"): 1}).kappa())
    assert np.isnan(JudgmentDiff({}, {}).kappa())


def test_rag25_has_the_published_figures(shared_data: Path) -> None:
    folder = shared_data / "judgments" / "rag25"
    if not folder.is_dir():
        pytest.skip("needs data: no RAG25 judgments")
    found = of_files(folder / "qrels.rag25.test.txt.gz", folder / "qrels.rag25.test-umbrela2.txt.gz")
    assert len(found.both) == 10_284 and not found.added and not found.removed
    assert (round(found.kappa(), 2), round(found.kappa(2), 2), round(found.agreement, 2)) == (0.23, 0.43, 0.44)
    bias = found.bias.values()
    assert (len(bias), round(min(bias), 1), round(max(bias), 1)) == (22, -0.5, 0.8)


def test_bright_has_the_published_figures(shared_data: Path) -> None:
    folder = shared_data / "judgments" / "bright-versions"
    if not folder.is_dir():
        pytest.skip("needs data: no BRIGHT judgments")
    sizes = {}
    for name in ("sustainable-living", "stackoverflow", "biology"):
        files = [folder / f"qrels.bright-{name}{version}.txt" for version in ("", ".fixed")]
        sizes[name] = sorted(len(read_labels(file).rows) for file in files)
        found = of_files(*files)
        assert len(found.second) - len(found.first) == len(found.added) - len(found.removed)
    assert sizes == {"sustainable-living": [576, 1073], "stackoverflow": [478, 580], "biology": [372, 393]}


def two_versions(place: Place) -> tuple[Path, Path]:
    """A collection with three systems, and labels with which the reversed list is best."""
    folder = place.beir("coll", CORPUS, WIDE, JUDGED, 'main_measure = "nDCG@3"')
    one, *_ = place.evaluations(place.load(folder), rerankers=[REVERSE, RANDOM], depth=8)
    order, ids = one.run.order(), one.collection.corpus.ids()
    last = [int(end) - 1 for end in one.run.offsets[1:]]
    rows = [(f"q{query}", ids[one.run.documents[order[at]]], 2) for query, at in enumerate(last)]
    file = place.path / "labels.csv"
    file.write_text("query_id,document_id,grade\n" + "".join(f"{q},{d},{g}\n" for q, d, g in rows))
    return folder, file


def test_systems_that_change_places_are_tested_by_the_one_rule(place: Place) -> None:
    folder, file = two_versions(place)
    harness.judge_import(file, folder, name="new", replace=True, workspace=place.workspace.path)
    found = harness.judge_diff(folder, f"{folder}?labels=new", workspace=place.workspace.path).found
    assert found.systems[0].system == REVERSE and found.systems[0].first_place > 1
    assert found.compared == 3 and found.measure == "nDCG@3" and found.queries == 6
    values = {one.system: one.values for one in found.systems}
    names = [one.system for one in found.systems]
    pairs = [(a, b) for at, a in enumerate(names) for b in names[at + 1 :]]
    deltas = np.stack([(values[b][1] - values[a][1]) - (values[b][0] - values[a][0]) for a, b in pairs])
    questions = Questions(place.load(folder).fingerprint, tuple(WIDE))
    expected = dict(zip(pairs, differences(Design((questions,)), [deltas]), strict=True))
    for one in found.pairs:
        assert repr(one.change) == repr(expected[one.a, one.b].macro) and one.change.family == 3
        assert one.first * one.second <= 0
    assert REVERSE in {name for one in found.pairs for name in (one.a, one.b)}


def test_systems_are_measured_as_a_run_measures_them(place: Place) -> None:
    folder, file = two_versions(place)
    harness.judge_import(file, folder, name="new", replace=True, workspace=place.workspace.path)
    own = place.load(f"{folder}?labels=new")
    again = {one.system.label: one.values[0].mean() for one in place.evaluations(own, rerankers=[REVERSE], depth=8)}
    found = harness.judge_diff(folder, f"{folder}?labels=new", workspace=place.workspace.path).found
    shown = {one.system: one.second for one in found.systems}
    assert {label: shown[label] for label in again} == again and len(shown) == 3


def test_files_of_judgments_are_compared_on_a_target(place: Place, command: Command) -> None:
    folder, file = two_versions(place)
    first = folder / "qrels" / "test.tsv"
    at = ("--workspace", place.workspace.path)
    shown = command("judge", "diff", first, file, "--target", folder, *at)
    assert shown.code == 0 and "pairs of systems change places" in shown.out
    plain = json.loads(command("judge", "diff", first, file, "--target", folder, *at, "--json").out)
    assert plain["judgments"] == [12, 6] and len(plain["systems"]) == 3
    alone = command("judge", "diff", first, file, *at)
    assert alone.code == 0 and "change places" not in alone.out


def test_queries_that_only_one_version_judges_are_left_out_and_counted(place: Place) -> None:
    folder, file = two_versions(place)
    file.write_text("query_id,document_id,grade\nq0,d01,1\n")
    found = harness.judge_diff(folder, file, folder, workspace=place.workspace.path).found
    assert (found.queries, found.left_out) == (1, 5)


def test_versions_of_different_collections_are_refused(place: Place) -> None:
    one, other = place.beir("one"), place.beir("other", qrels=[("q1", "d1", 1)])
    with pytest.raises(UsageError, match="judgments of different collections"):
        harness.judge_diff(one, other, workspace=place.workspace.path)


SHEET = "collection,query_id,document_id,grade\n"


def test_a_sheet_of_several_collections_is_compared_on_the_rows_of_the_target(place: Place) -> None:
    folder, _ = two_versions(place)
    file = place.path / "sheet.csv"
    file.write_text(f"{SHEET}coll,q0,d01,1\nother,q0,d01,0\nother,q1,d02,2\n")
    compared = harness.judge_diff(folder, file, workspace=place.workspace.path)
    assert compared.found.judgments.second == {("q0", "d01"): 1}
    assert f"left out: 2 labels of other in {file}" in compared.left_out
    qrels = place.path / "one.qrels"
    qrels.write_text("q0 0 d01 1\n")
    again = harness.judge_diff(qrels, file, folder, workspace=place.workspace.path)
    assert again.found.judgments.agreement == 1
    file.write_text(f"{SHEET}other,q0,d01,0\n")
    with pytest.raises(DataError, match=r"sheet\.csv: no label of coll, but of 'other'"):
        harness.judge_diff(folder, file, workspace=place.workspace.path)


def test_a_sheet_of_a_label_version_is_of_its_collection(place: Place) -> None:
    folder, file = two_versions(place)
    harness.judge_import(file, folder, name="new", replace=True, workspace=place.workspace.path)
    sheet = place.path / "sheet.csv"
    sheet.write_text(f"{SHEET}coll?labels=new,q0,d01,1\ncoll,q1,d02,1\n")
    found = harness.judge_diff(folder, sheet, workspace=place.workspace.path).found
    assert set(found.judgments.second) == {("q0", "d01"), ("q1", "d02")}


def test_files_of_several_collections_need_a_target(tmp_path: Path) -> None:
    one, other, both = (tmp_path / f"{name}.csv" for name in ("one", "other", "both"))
    one.write_text(f"{SHEET}a,q,d,1\n")
    other.write_text(f"{SHEET}b,q,d,0\n")
    both.write_text(f"{SHEET}a,q,d,1\nb,q,d,0\n")
    for first, second in ((one, other), (both, one), (one, both)):
        with pytest.raises(UsageError, match=r"labels of 2 collections \(.*\); name one with --target"):
            harness.judge_diff(first, second)
    assert of_files(one, one).agreement == 1


def test_a_pair_with_two_labels_is_no_version(tmp_path: Path) -> None:
    one = tmp_path / "one.csv"
    one.write_text(f"{SHEET}a,q,d,1\na?labels=new,q,d,0\n")
    with pytest.raises(DataError, match=r"one\.csv:3: document 'd' of query 'q' has a label in line 2 already"):
        harness.judge_diff(one, one)


def test_a_version_is_named_alone_with_its_target(place: Place) -> None:
    folder, file = two_versions(place)
    harness.judge_import(file, folder, name="new", replace=True, workspace=place.workspace.path)
    found = harness.judge_diff("new", folder, folder, workspace=place.workspace.path).found
    assert found.names[0] == "new" and found.judgments.removed and not found.judgments.added
