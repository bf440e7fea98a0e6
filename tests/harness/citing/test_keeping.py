"""Citation measures in the store: a user would lose the comparison of two systems' answers, or mix two judges."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import harness
from harness.api import cite
from harness.api.citing import CitationReport
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
