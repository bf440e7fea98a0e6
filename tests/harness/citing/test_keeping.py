"""Citation measures in the store: a user would lose the comparison of two systems' answers, or mix two judges."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import harness
from harness.api import cite
from harness.api.citing import CitationReport
from harness.judging.history import history
from harness.result.store import Results
from tests.fixtures import Command

pytest.importorskip("sentencex")
TEXTS = [f"Fact {n} is that number {n} is called n{n}." for n in range(8)]


def answers(place: Path, name: str, marks: str, rows: int = 8, **more: object) -> Path:
    """Answers of which every second one has the marks, and the others are right."""
    lines = [
        {"id": f"q{n}", "question": f"What is {n}?", "references": [TEXTS[n], "Something else."],
         "answer": f"Number {n} is called n{n} {marks if n % 2 else '[1]'}.".replace(" .", "."), **more}
        for n in range(rows)
    ]  # fmt: skip
    file = place / f"{name}.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return file


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return tmp_path / "w"


def cited(tmp_path: Path, name: str, marks: str, judge: str = "lexical") -> CitationReport:
    return cite(answers(tmp_path, name, marks), judge, questions="facts", workspace=tmp_path / "w")


def test_the_measures_of_two_systems_are_compared_question_by_question(tmp_path: Path, work: Path) -> None:
    cited(tmp_path, "good", "[1]")
    cited(tmp_path, "bad", "[2]")
    found = harness.compare("good", "bad", measures="citation-recall", workspace=work)
    assert found.value("bad", measure="citation-recall") == 0.5
    assert found.difference("bad", measure="citation-recall").value == -0.5


def test_questions_without_a_value_on_one_side_are_left_out_and_counted(
    tmp_path: Path, work: Path, command: Command
) -> None:
    cited(tmp_path, "good", "[1]")
    cited(tmp_path, "silent", "")
    said = command("compare", "good", "silent", "--measure", "citation-precision", "--workspace", work)
    assert said.code == 0, said.err
    assert "4 queries; 4 are left out, which a system has no value of" in said.out


def test_no_mean_is_over_two_judges_or_two_settings_of_one(tmp_path: Path, work: Path, command: Command) -> None:
    for file in (answers(tmp_path, "good", "[1]"), answers(tmp_path, "bad", "[2]")):
        cite(file, "lexical", questions="facts", workspace=work)
        cite(file, "lexical", questions="facts", most=2, graded=True, workspace=work)
        cite(file, "lexical", questions="facts", need_judge="tests.fake_judges:Sometimes", workspace=work)
    names = ("facts by lexical", "facts by lexical, most 2, graded", "facts by lexical, need by sometimes")
    assert command("report", "--out", tmp_path / "rep", "--workspace", work).code == 0
    report = (tmp_path / "rep" / "report.md").read_text("utf-8")
    averages = report.split("macro average of 3 collections**")[1].split("\n\n")[1].splitlines()[2:]
    assert len(averages) == 6
    assert all(line.split("|")[3].strip().startswith("-") for line in averages)
    said = command("history", "good", "--workspace", work).out
    assert "average of 1 collection" in said
    assert "average of 3" not in said
    listed = command("list", "--workspace", work).out
    assert all(name in shown for name in names for shown in (report, listed))
    assert all(name.removeprefix("facts") in said for name in names)
    refused = command("compare", "good", "bad", "--workspace", work)
    assert refused.code == 2
    assert all(name.removeprefix("facts") in refused.err for name in names)
    stage = next(part for part in refused.err.split("'") if "most 2" in part)
    for choice in (("--first-stage", stage), ("--collection", names[1])):
        one = command("compare", "good", "bad", "--measure", "citation-F1", *choice, "--workspace", work)
        assert one.code == 0, one.err
        assert names[1] in one.out


def test_a_value_has_the_same_interval_on_the_screen_and_in_a_report(tmp_path: Path, work: Path) -> None:
    found = cited(tmp_path, "good", "[2]")
    cited(tmp_path, "silent", "")
    for measure in ("citation-F1", "citation-recall", "citation-precision"):
        (shown,) = history(work, "good", measure).points
        assert found.interval(measure) == shown.interval


def test_values_of_two_judges_are_never_in_one_column(tmp_path: Path, work: Path) -> None:
    cited(tmp_path, "one", "[1]")
    cited(tmp_path, "one", "[1]", "tests.fake_judges:Sometimes")
    columns = {one.collection for one in harness.results(workspace=work).itertuples()}
    assert columns == {"facts by lexical", "facts by sometimes"}


@pytest.mark.parametrize(
    "verb",
    [("report", "--out", "rep"), ("board", "--out", "site"), ("list",), ("doctor",), ("export", "--csv", "all.csv"),
     ("history", "good"), ("export", "--csv", "each.csv", "--per-query")],
)  # fmt: skip
def test_commands_that_show_the_store_show_citation_measures(
    tmp_path: Path, work: Path, command: Command, verb: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    cited(tmp_path, "good", "[1]")
    cited(tmp_path, "bad", "[2]")
    monkeypatch.chdir(tmp_path)
    said = command(*verb, "--workspace", work)
    assert said.code == 0, said.err
    written = {"report": "rep/report.md", "board": "site/index.html", "export": verb[-1]}.get(verb[0])
    text = (tmp_path / written).read_text("utf-8") if written and written != "--per-query" else said.out
    assert verb[0] == "doctor" or verb[-1] == "--per-query" or "citation-" in text


@pytest.mark.parametrize("verb", [("reproduce",), ("submit",), ("why",)])
def test_commands_that_need_a_ranking_say_so_in_one_line(
    tmp_path: Path, work: Path, command: Command, verb: tuple[str, ...]
) -> None:
    id = cited(tmp_path, "good", "[1]").id
    cited(tmp_path, "bad", "[2]")
    more: dict[str, tuple[object, ...]] = {
        "reproduce": (id,),
        "submit": ("good", "--out", tmp_path / "s"),
        "why": ("good", "bad", "--out", tmp_path / "p"),
    }
    said = command(*verb, *more[verb[0]], "--workspace", work)
    assert said.code in (2, 5)
    assert len(said.err.strip().splitlines()) == 1


def test_the_same_answers_are_one_result(tmp_path: Path, work: Path) -> None:
    first, second = cited(tmp_path, "one", "[1]"), cited(tmp_path, "one", "[1]")
    assert first.id == second.id
    assert len({one.id for one in harness.results(workspace=work).itertuples()}) == 1


def test_the_details_of_a_result_name_no_controls_that_it_does_not_have(
    tmp_path: Path, work: Path, command: Command
) -> None:
    said = command("show", cited(tmp_path, "one", "[1]").id, "--workspace", work)
    assert said.code == 0, said.err
    assert "\ncontrols" not in said.out


def test_the_questions_of_a_collection_are_those_with_a_value_of_any_measure(tmp_path: Path, work: Path) -> None:
    rows = (
        {"id": "a", "answer": "A NaN is here [1].", "short_answers": [["here"]]},
        {"id": "b", "answer": "Bees dance [1]."},
        {"id": "c", "answer": "Bees dance.", "short_answers": [["bees"]]},
    )
    file = tmp_path / "some.jsonl"
    more = {"question": "Why?", "references": ["Bees dance."]}
    file.write_text("".join(json.dumps({**more, **one}) + "\n" for one in rows), "utf-8")
    cite(file, "tests.fake_judges:Sometimes", workspace=work)
    with Results(work / "results.sqlite") as results:
        [stored] = results.all()
        values = {one.measure: one.ids for one in results.results()}
        queries = results.queries(stored.id)
    assert values["STR-EM"] == ("a", "c")
    assert values["citation-recall"] == ("b", "c")
    assert stored.collection.counts.queries == 3
    assert sorted(queries) == ["a", "b", "c"]
