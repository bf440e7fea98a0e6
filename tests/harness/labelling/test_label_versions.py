"""Labels become a version of a collection whose numbers cannot be confused with those of another version."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapters.errors import DataError, UsageError
from adapters.sums import DamagedFile
from harness.data.label_names import NOT_BY_PEOPLE, other_versions, split_target
from harness.data.label_versions import judged, versions
from harness.data.sources import load
from harness.labelling.imports import ImportedLabels, import_labels
from harness.labelling.label_file import read_labels
from harness.measuring.crosscheck import check_judgments
from harness.result.recall import recall
from harness.result.store import Results
from harness.workspace import Workspace
from tests.fixtures import Command
from tests.tiny_collection import FIRST, QRELS, Place

HEAD = "query_id,document_id,grade\n"
REVERSE = "control:reverse"


def imported(place: Place, rows: str, target: str | None = None, **options: object) -> ImportedLabels:
    folder = place.path / "coll"
    if not folder.exists():
        place.beir()
    file = place.path / "labels.csv"
    file.write_text(rows if "grade" in rows else HEAD + rows, "utf-8")
    (found,) = import_labels(
        file, target or str(folder), place.workspace, lambda name: load(name, place.workspace), **options  # type: ignore[arg-type]
    )  # fmt: skip
    return found


def test_a_version_has_the_judgments_and_the_labels(place: Place) -> None:
    found = imported(place, "q2,d7,1\nq1,d8,0\nq1,d1,2\n", name="mine")
    assert (found.new, found.replaced, found.same, found.queries) == (2, 0, 1, 2)
    published, own = place.load(), place.load(f"{place.path / 'coll'}?labels=mine")
    assert judged(own) == {**judged(published), ("q2", "d7"): 1, ("q1", "d8"): 0}
    assert own.fingerprint != published.fingerprint and own.name == "coll?labels=mine"
    assert own.counts.judgments == published.counts.judgments + 2
    assert own.corpus is not None and own.queries.ids() == published.queries.ids()


def test_the_second_reading_has_the_same_labels(place: Place) -> None:
    imported(place, "q2,d7,1\nq3,d2,1\n", name="mine")
    own = place.load(f"{place.path / 'coll'}?labels=mine")
    assert own.published is not None
    check_judgments(own.qrels, own.published, own.queries.ids())


def test_who_gave_the_labels_is_part_of_the_identity_and_of_the_name(place: Place) -> None:
    people = imported(place, "q2,d7,1\n", name="people")
    judge = imported(place, "q2,d7,1\n", name="judge", by="judge:monot5")
    assert people.version.fingerprint != judge.version.fingerprint
    assert judge.collection == "coll?labels=judge (judge:monot5)"
    note = place.load(f"{place.path / 'coll'}?labels=judge").rules.note
    assert note is not None and "NOT ALL LABELS ARE BY PEOPLE" in note


def test_labels_on_top_of_a_version_keep_who_gave_the_earlier_ones(place: Place) -> None:
    imported(place, "q2,d7,1\n", name="one", by="judge:monot5")
    found = imported(place, "q3,d2,1\n", f"{place.path / 'coll'}?labels=one", name="two")
    own = place.load(f"{place.path / 'coll'}?labels=two")
    assert judged(own)["q2", "d7"] == judged(own)["q3", "d2"] == 1
    assert found.collection == "coll?labels=two (judge:monot5)" == own.name


def test_a_label_that_contradicts_a_judgment_is_refused_unless_it_replaces(place: Place) -> None:
    with pytest.raises(DataError, match=r"labels.csv:3: document 'd1' of query 'q1' is judged 2 in coll, and 0 here"):
        imported(place, "q2,d7,1\nq1,d1,0\n")
    found = imported(place, "q2,d7,1\nq1,d1,0\n", name="new", replace=True)
    assert (found.new, found.replaced) == (1, 1)
    assert judged(place.load(f"{place.path / 'coll'}?labels=new"))["q1", "d1"] == 0


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("q9,d1,1\n", "labels.csv:2: query 'q9' is not a judged query of coll"),
        ("q1,d1,2\nq1,d99,1\n", "labels.csv:3: document 'd99' is not in the corpus of coll"),
        ("q1,d2,1\nq1,d2,1\n", "labels.csv:3: document 'd2' of query 'q1' has a label in line 2 already"),
        ("q1,d2,x\n", "labels.csv:2: grade 'x' is not a whole number"),
        ("q1,d2,-1\n", "labels.csv:2: grade '-1' is not a whole number from 0 up"),
        ("q1,d2,\n", "no row has a grade"),
        ("q1,d1,2\n", "all 1 labels are in the judgments of coll already"),
        (",d2,1\n", "labels.csv:2: the id of the query or of the document is empty"),
        ("collection,query_id,document_id,grade\nother,q1,d2,1\n", "labels.csv:2: a label for 'other', but"),
    ],
)
def test_a_label_that_cannot_be_used_is_refused_by_its_line(place: Place, rows: str, message: str) -> None:
    with pytest.raises(DataError, match=message.replace("(", r"\(")):
        imported(place, rows)
    assert versions(place.workspace, place.load().fingerprint) == []


def test_a_name_means_one_version_for_ever(place: Place) -> None:
    imported(place, "q2,d7,1\n", name="mine")
    assert imported(place, "q2,d7,1\n", name="mine").version.name == "mine"
    with pytest.raises(UsageError, match="another label version 'mine'"):
        imported(place, "q2,d7,0\n", name="mine")
    with pytest.raises(DataError, match="are the label version 'mine' of coll already"):
        imported(place, "q2,d7,1\n", name="other")
    with pytest.raises(UsageError, match="cannot be called 'a b'"):
        imported(place, "q2,d8,1\n", name="a b")
    with pytest.raises(UsageError, match="labels are by 'people' or by 'judge:NAME'"):
        imported(place, "q2,d8,1\n", by="me")


def test_an_unknown_version_is_named_with_those_that_exist(place: Place) -> None:
    imported(place, "q2,d7,1\n", name="pool-1")
    with pytest.raises(UsageError, match=r"no label version 'pool-2'.*pool-1"):
        place.load(f"{place.path / 'coll'}?labels=pool-2")


def test_a_version_of_changed_judgments_is_not_used(place: Place) -> None:
    imported(place, "q2,d7,1\n", name="mine")
    with (place.path / "coll" / "qrels" / "test.tsv").open("a") as file:
        file.write("q4\td2\t1\n")
    with pytest.raises(UsageError, match="no label version 'mine'"):
        place.load(f"{place.path / 'coll'}?labels=mine")


def test_a_damaged_version_is_refused(place: Place) -> None:
    imported(place, "q2,d7,1\n", name="mine")
    (file,) = (place.workspace.path / "labels").glob("*/*.json")
    file.write_text(file.read_text().replace('"d7"', '"d8"'))
    with pytest.raises(DamagedFile, match="not what was written"):
        place.load(f"{place.path / 'coll'}?labels=mine")


def test_rankings_of_a_version_are_recalled_with_its_judgments(place: Place) -> None:
    imported(place, "q2,d7,1\n", name="mine")
    own = place.load(f"{place.path / 'coll'}?labels=mine")
    one, *_ = place.evaluations(own, rerankers=[REVERSE])
    found = recall(place.workspace, one.id)
    assert found.collection.fingerprint == own.fingerprint
    assert judged(found.collection) == judged(own)


def test_a_sample_of_a_version_is_recalled_too(place: Place) -> None:
    from harness.data.collection import sample_queries

    imported(place, "q2,d7,1\n", name="mine")
    own = sample_queries(place.load(f"{place.path / 'coll'}?labels=mine"), 2)
    one, *_ = place.evaluations(own)
    assert recall(place.workspace, one.id).collection.fingerprint == own.fingerprint


def test_a_result_of_a_version_is_reproduced_from_its_source(place: Place, command: Command) -> None:
    imported(place, "q2,d7,1\n", name="mine")
    own = place.load(f"{place.path / 'coll'}?labels=mine")
    one = place.evaluations(own, rerankers=["control:reverse"])[0]
    shown = command("reproduce", one.id, "--workspace", place.workspace.path)
    assert (shown.code, shown.err) == (0, shown.err) and "OK" in shown.out


def both_versions(place: Place) -> Workspace:
    imported(place, "q2,d7,1\nq3,d2,1\n", name="mine", by="judge:monot5")
    folder = place.path / "coll"
    for target in (str(folder), f"{folder}?labels=mine"):
        place.evaluations(place.load(target), rerankers=[REVERSE])
    return place.workspace


def test_two_versions_are_never_averaged(place: Place, command: Command) -> None:
    at = ("--workspace", both_versions(place).path)
    shown = command("report", "--out", place.path / "report", *at)
    assert "labels=mine" not in shown.out and "other label versions" in shown.err + shown.out
    compared = command("compare", FIRST, REVERSE, *at)
    assert "left out: other label versions, coll?labels=mine" in compared.out
    coll = place.path / "coll"
    refused = command("run", coll, f"{coll}?labels=mine", "--first-stage", FIRST, *at)
    assert refused.code == 2 and "run one version at a time" in refused.err


def test_a_judge_is_named_wherever_the_numbers_are(place: Place, command: Command, tmp_path: Path) -> None:
    at = ("--workspace", both_versions(place).path)
    name = "coll?labels=mine (judge:monot5)"
    run = command("run", f"{place.path / 'coll'}?labels=mine", "--first-stage", FIRST, "--depth", 5, *at)
    report = command("report", "--collection", name, "--out", tmp_path / "report", *at)
    compared = command("compare", FIRST, REVERSE, "--collection", name, *at)
    board = command("board", "--collection", name, "--out", tmp_path / "board", *at)
    assert [one.code for one in (run, report, compared, board)] == [0, 0, 0, 0]
    pages = [(tmp_path / page).read_text("utf-8") for page in ("report/report.md", "board/index.html")]
    assert all("judge:monot5" in text for text in (run.out, report.out, compared.out, *pages))
    for text in (run.out, report.out, compared.out, *pages):
        assert NOT_BY_PEOPLE in text


def test_numbers_with_labels_of_a_judge_are_marked_on_every_page(
    place: Place, command: Command, tmp_path: Path
) -> None:
    at = ("--workspace", both_versions(place).path)
    selected = "--collection", "coll?labels=mine"
    assert command("report", *selected, "--out", tmp_path / "report", *at).code == 0
    assert command("board", *selected, "--out", tmp_path / "board", *at).code == 0
    board = [file.read_text("utf-8") for file in (tmp_path / "board").glob("*.html")]
    assert len(board) >= 2, "the table and its costs"
    assert all(NOT_BY_PEOPLE in text for text in board)
    report = (tmp_path / "report" / "report.md").read_text("utf-8")
    captions = report.split("![")[1:]
    assert captions and all(f"{NOT_BY_PEOPLE}: coll?labels=mine" in text.replace("\\", "") for text in captions)
    tables = [file.read_text("utf-8") for file in (tmp_path / "report" / "tables").glob("*.csv")]
    assert any("⊖" in text.splitlines()[0] for text in tables)
    history = command("history", REVERSE, *selected, *at)
    assert f"{NOT_BY_PEOPLE}: coll?labels=mine (judge:monot5)." in history.out
    (point,) = json.loads(command("history", REVERSE, *selected, "--json", *at).out)
    assert point["notes"] == [f"{NOT_BY_PEOPLE}: coll?labels=mine (judge:monot5)."]


def test_a_comparison_of_versions_says_who_gave_the_labels(place: Place, command: Command) -> None:
    at = ("--workspace", both_versions(place).path)
    versions_of = place.path / "coll", f"{place.path / 'coll'}?labels=mine"
    assert NOT_BY_PEOPLE in command("judge", "diff", *versions_of, *at).out.replace("\n", " ")
    (note,) = json.loads(command("judge", "diff", *versions_of, "--json", *at).out)["notes"]
    assert note.endswith(f"{NOT_BY_PEOPLE}.")


@pytest.mark.parametrize("name", ["coll?labels=jm", "coll?labels=jm (judge:m)"])
def test_a_version_of_a_judge_is_selected_by_its_target_and_by_the_name_in_tables(
    place: Place, command: Command, name: str
) -> None:
    imported(place, "q2,d7,1\n", name="jm", by="judge:m")
    for target in (place.path / "coll", f"{place.path / 'coll'}?labels=jm"):
        run = command("run", target, "--first-stage", FIRST, "--reranker", REVERSE, "--depth", 5, "--workspace",
                      place.workspace.path)  # fmt: skip
        assert run.code == 0, run.err
    there = "--workspace", place.workspace.path
    for said in (
        command("report", "--collection", name, *there),
        command("compare", FIRST, REVERSE, "--collection", name, *there),
        command("judge", "export", FIRST, REVERSE, "--collection", name, "--out", place.path / "out", *there),
        command("board", "--collection", name, "--out", place.path / "board", *there),
    ):
        assert said.code == 0, said.err
    shown = command("report", "--collection", name, *there).out
    assert "judge:m" in shown and "other label versions" not in shown
    assert split_target(name) == ("coll", "jm")


def test_results_of_a_version_have_other_ids(place: Place) -> None:
    with Results(both_versions(place).results) as results:
        stored = list(results.all())
    assert len({one.id for one in stored}) == 4
    assert len({one.collection.fingerprint for one in stored}) == 2


def test_names_of_versions_are_read_from_the_end() -> None:
    assert split_target("./a?labels=x") == ("./a", "x") and split_target("./a") == ("./a", None)
    assert other_versions(["a?labels=1", "a", "a?labels=2", "b"]) == ["a?labels=1", "a?labels=2"]
    assert other_versions(["a?labels=1", "a?labels=2", "b"]) == ["a?labels=1"]


def test_a_file_with_another_layout_is_read(place: Place) -> None:
    page = "collection;query_id;document_id;grade;note\ncoll;q2;d7;1;\"two\nlines; and ''\"\ncoll;q3;d2;;\n"
    found = imported(place, page, name="spreadsheet")
    assert (found.new, found.without_grade) == (1, 1)
    qrels = place.path / "judged.qrels"
    qrels.write_text("q2 0 d7 1\nq4 0 d2 -2\n")
    (trec,) = import_labels(qrels, str(place.path / "coll"), place.workspace, lambda name: load(name, place.workspace))
    assert (trec.new, trec.below_zero) == (2, 1) and trec.version.name.startswith("people-")


@pytest.mark.parametrize("sign", ["sep=;\n", '\ufeff"sep=;"\r\n', "SEP=;\n"])
def test_the_line_that_excel_writes_for_the_divider_is_read(place: Place, sign: str) -> None:
    assert imported(place, sign + "query_id;document_id;grade\nq2;d7;1\n", name="excel").new == 1
    with pytest.raises(DataError, match=r"labels\.csv:4: grade 'x'"):
        imported(place, sign + "query_id;document_id;grade;text\nq2;d7;1;\nq2;d8;x;\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("query_id,document_id,grade,grade\nq2,d7,1,0\n", r"labels\.csv:1: the header has the column 'grade' twice"),
        ("query_id,grade,document_id,note,note\nq2,1,d7,,\n", r"labels\.csv:1: .* 'note' twice"),
        ("qid,docid,rel,qid,grade\n", r"labels\.csv:1: the header has two columns for the query"),
        ("qid,docid,rel,grade\n", r"labels\.csv:1: the header has two columns for the grade"),
        ("query_id,document_id,text,grade\nq2,d7,a, b,1\n", r"labels\.csv:2: 5 columns, more than the 4 of the header"),
        ("query_id,document_id,text,grade\nq2,d7,a, b,\n", r"labels\.csv:2: 5 columns, more than the 4"),
        ("query_id,document_id,grade\nq2,d7\n", r"labels\.csv:2: 2 columns, fewer than the 3 of the header"),
        ("sep=;\nq2;d7;grade\n", r"labels\.csv:2: no header; write collection,query_id,document_id,grade after"),
    ],
)
def test_columns_that_could_be_mistaken_are_refused_with_the_line(place: Place, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        imported(place, text)


@pytest.mark.parametrize("text", ["q2,d7,1\nq1,d8,0\n", "coll;q2;d7;1\n"])
def test_a_csv_file_without_a_header_is_said_to_lack_it(place: Place, text: str) -> None:
    place.beir()
    file = place.path / "bare.csv"
    file.write_text(text, "utf-8")
    with pytest.raises(DataError, match=r"bare\.csv:1: the header is missing; write the line (collection.)?query_id"):
        read_labels(file)


def test_new_grades_are_noted(place: Place) -> None:
    assert imported(place, "q2,d7,3\n", name="mine").note == "coll?labels=mine: its judgments had no grade 3 before"


def test_a_file_for_several_collections_says_which(place: Place) -> None:
    for name in ("a", "b"):
        place.beir(f"set/{name}", qrels=QRELS)
    file = place.path / "labels.csv"
    file.write_text("collection,query_id,document_id,grade\nset/a,q2,d7,1\nset/b,q2,d8,1\n")
    found = import_labels(file, str(place.path / "set"), place.workspace, lambda name: load(name, place.workspace))
    assert [one.collection.partition("?")[0] for one in found] == ["set/a", "set/b"]
    file.write_text(HEAD + "q2,d7,1\n")
    with pytest.raises(UsageError, match="does not say which of the 2 collections"):
        import_labels(file, str(place.path / "set"), place.workspace, lambda name: load(name, place.workspace))


def test_a_pair_has_one_label_whatever_name_its_collection_has_in_the_row(place: Place) -> None:
    imported(place, "q2,d7,1\n", name="mine")
    rows = "collection,query_id,document_id,grade\ncoll,q3,d2,1\ncoll?labels=mine,q3,d2,0\n"
    with pytest.raises(DataError, match=r"labels\.csv:3: document 'd2' of query 'q3' has a label in line 2 already"):
        imported(place, rows, f"{place.path / 'coll'}?labels=mine")


def test_rows_without_a_grade_are_counted_for_their_collection(place: Place) -> None:
    for name in ("a", "b"):
        place.beir(f"set/{name}", qrels=QRELS)
    file = place.path / "labels.csv"
    rows = "set/a,q2,d7,1\nset/a,q2,d8,\nset/a,q3,d8,\nset/b,q2,d8,1\n"
    file.write_text(f"collection,query_id,document_id,grade\n{rows}")
    found = import_labels(file, str(place.path / "set"), place.workspace, lambda name: load(name, place.workspace))
    assert [one.without_grade for one in found] == [2, 0]


def test_the_command_prints_the_target_of_the_version(place: Place, command: Command) -> None:
    place.beir()
    file = place.path / "labels.csv"
    file.write_text(HEAD + "q2,d7,1\n")
    options = ("--target", place.path / "coll", "--name", "mine", "--workspace", place.workspace.path)
    shown = command("judge", "import", file, *options)
    assert shown.code == 0 and "coll?labels=mine" in shown.out
    plain = json.loads(command("judge", "import", file, *options, "--json").out)
    assert plain[0]["version"]["name"] == "mine" and plain[0]["new"] == 1


def test_the_texts_that_results_of_a_version_need_are_not_forgotten(place: Place, command: Command) -> None:
    at = ("--workspace", both_versions(place).path)
    assert command("forget", "--collection", "coll", "--yes", *at).code == 0
    with Results(place.workspace.results) as results:
        stored = list(results.all())
    assert {one.collection.name for one in stored} == {"coll?labels=mine (judge:monot5)"}
    assert recall(place.workspace, stored[0].id).collection.counts.judgments == len(QRELS) + 2
    assert command("forget", "--collection", "coll?labels=mine (judge:monot5)", "--yes", *at).code == 0
    assert len(versions(place.workspace, place.load().fingerprint)) == 1
