"""The page of a set of answers: a user would lose which mark is wrong, or run what an answer contains."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.citing.answers import Answer, CitedReference
from harness.citing.asking import Verdicts
from harness.citing.evaluation import CitationEvaluation, evaluated
from harness.citing.reading.files import AnswerFile
from harness.citing.support import SupportRules
from reports.citation_page import SHOWN, citation_page, write_citation_page
from tests.cited_answers import Facts

pytest.importorskip("sentencex")
DOCUMENTS = ("fact1", "fact2", "fact3 <b>bold</b>")


def page(*texts: str, question: str = "Why?") -> CitationEvaluation:
    references = tuple(map(CitedReference, DOCUMENTS))
    answers = tuple(Answer(f"q{at}", question, text, references) for at, text in enumerate(texts))
    judge = Facts()
    file = AnswerFile(Path("mine.jsonl"), "answers", answers, ())
    return evaluated(file, Verdicts(judge), SupportRules.of(judge), with_controls=False)


def marks(html: str) -> list[tuple[str, str]]:
    answers = html.partition("<article")[2]
    return re.findall(r'<b class="m (\w+)" title="[^"]*">([^<]*)</b>', answers)


def test_every_mark_has_the_colour_of_what_the_judge_said() -> None:
    html = citation_page(page("It is fact1 [1][2]. It is fact1 and fact2 [1]. It is fact3 [9]."))
    assert marks(html) == [("relevant", "[1]"), ("irrelevant", "[2]"), ("partly", "[1]"), ("invalid", "[9]")]


def test_every_statement_shows_its_support() -> None:
    html = citation_page(page("It is fact1 [1]. It is fact1 and fact2 [1]. It is fact3. It is fact2 [1]."))
    shown = re.findall(r'<span class="s (\w+)" title', html.partition("<article")[2])
    assert shown == ["supported", "half", "uncited", "unsupported"]


def test_texts_are_shown_and_not_run() -> None:
    html = citation_page(page("<script>alert(1)</script> is fact1 [1].\u202e", question="<img src=x>"))
    assert "<script" not in html
    assert "<img src=x" not in html
    assert "\u202e" not in html
    assert "&lt;b&gt;bold&lt;/b&gt;" in html


def test_the_whole_text_of_an_answer_is_on_the_page() -> None:
    text = "  One is fact1 [1]\n\n- two, [2] and fact2.  【3】 three"
    html = citation_page(page(text)).partition('<p class="text" dir="auto">')[2].partition("</p>")[0]
    assert re.sub(r"<[^>]*>", "", html.replace("<br>", "\n")) == text


def test_the_answers_with_the_lowest_values_come_first_and_the_rest_is_counted() -> None:
    html = citation_page(page(*["It is fact1 [1]."] * SHOWN, "It is fact1 [2]."))
    assert html.count("<article") == SHOWN
    assert f"{SHOWN} of {SHOWN + 1} answers" in html
    assert marks(html)[0] == ("irrelevant", "[2]")


def test_the_causes_are_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    write_citation_page(page("It is fact1 [2].", ""), tmp_path)
    assert (tmp_path / "plots" / "causes.svg").is_file()
    html = (tmp_path / "index.html").read_text("utf-8")
    assert "data:image/svg+xml;base64," in html
    assert "an empty answer" in html
