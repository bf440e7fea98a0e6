"""docs/citations.md is true: a user would learn another metric than the one that is computed."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest

from harness.citing.alce import alce
from harness.citing.answers import Answer, CitedReference
from harness.citing.asking import Verdicts, answered
from harness.citing.causes import RECALL_CAUSES, precision_causes, recall_causes
from harness.citing.controls import LAWS
from harness.citing.correctness import str_em, token_f1
from harness.citing.metric import AnswerScore, cited_of, scored
from harness.citing.parsing import parsed
from harness.citing.refine import REFINERS, refine
from harness.citing.sentences import nltk_sentences
from harness.citing.support import SupportRules
from harness.citing.waterfall import SWITCHES
from harness.cli.cite import cite
from tests.cited_answers import Table

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/citations.md").read_text("utf-8")
DATES = ("9 January 2007", "29 June 2007")


def table(header: str) -> list[list[str]]:
    """The rows below a header."""
    lines = PAGE[PAGE.index(header) :].split("\n\n")[0].split("\n")[2:]
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines if line.startswith("|")]


DOCUMENTS = tuple(CitedReference(text) for _, text in table("| number | document |"))
EXAMPLES = table("| answer | recall |")


class Dates(Table):
    """The judge of the page."""

    def __init__(self) -> None:
        super().__init__(grades=(0.0, 0.5, 1.0))

    def value(self, premise: str, claim: str) -> float:
        wanted = [date for date in DATES if date in claim]
        has = [date for date in wanted if date in premise]
        documents = sum(own.text in premise for own in DOCUMENTS)
        return 0.0 if not has or documents > 3 else 1.0 if has == wanted else 0.5


def score(text: str) -> AnswerScore:
    one = parsed(Answer("q", "When?", text, DOCUMENTS))
    return answered([scored(one, cited_of(one), SupportRules.of(Dates()))], Verdicts(Dates()))[0]


def shown(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.4f}".rstrip("0").rstrip(".")


@pytest.mark.parametrize("row", EXAMPLES, ids=[row[0] for row in EXAMPLES])
def test_every_number_of_the_worked_examples(row: list[str]) -> None:
    text, *expected = row
    found, answer = score(text), Answer("q", "When?", text, DOCUMENTS)
    theirs = answered([alce(answer, nltk_sentences(), SupportRules.of(Dates()))], Verdicts(Dates()))[0]
    values = [
        found.recall, found.precision, found.f1, found.weighted_precision, found.weighted_recall,
        theirs.recall, theirs.precision,
    ]  # fmt: skip
    assert [shown(value) for value in values] == expected


def test_the_first_example_is_redundant_and_joint_as_described() -> None:
    [one] = score(EXAMPLES[0][0]).statements
    assert one.weighed.full == ((1,), (2,), (5,), (3, 4)) and one.weighed.redundant == 4


def test_the_example_of_causes() -> None:
    [text] = re.findall(r"^For `(It was announced .*?)` recall is 0.5", PAGE, re.MULTILINE)
    found = score(text)
    assert recall_causes(found)["uncited"] == 1 - found.recall == 0.5
    assert (precision_causes(found) or {})["irrelevant"] == 1 - found.precision == 0.5


def test_the_example_of_correctness() -> None:
    text = "It was sold from 29 June 2007."
    assert str_em(text, [["29 June 2007", "June 29, 2007"], ["Cupertino"]]) == 0.5
    assert f"{token_f1(text, ['Sold in June 2007']):.4f}" == "0.5455"


def test_causes_switches_and_controls_are_all_on_the_page_in_their_order() -> None:
    for names in (RECALL_CAUSES, list(SWITCHES)):
        places = [PAGE.index(f"`{name}`") for name in names]
        assert all(places)
    order = re.findall(r"`(\w+)`", PAGE[PAGE.index("in this order: `text`") :].split(". ")[0])
    assert order == list(SWITCHES)
    assert all(f"`{name}`" in PAGE[PAGE.index("## Controls") :] for name in LAWS)


def test_the_table_of_formulas_is_the_measured_one_and_ours_breaks_no_law() -> None:
    stored = json.loads((ROOT / "benchmarks/results/citation_controls.json").read_text("utf-8"))
    broken = stored["answers_that_break_a_law"]
    assert not any(broken["ours"].values()) and stored["answers"] == 2000
    expected = [[law, *(str(broken[formula][law] or "holds") for formula in broken)] for law in LAWS]
    assert table("| law | ours |") == expected


def test_the_refined_example_is_what_refining_gives() -> None:
    before, after = re.findall(r"`(It was announced[^`]*)`", PAGE[PAGE.index("## Refine") : PAGE.index("## The page")])
    one = parsed(Answer("q", "When?", before, DOCUMENTS))
    [found] = answered([refine(one, None, SupportRules.of(Dates()))], Verdicts(Dates()))
    assert found.after.answer.text == after


def test_every_command_is_on_the_page() -> None:
    verbs = {str(one.name) for one in cite.registered_commands} - {"evaluate"}
    assert verbs == set(re.findall(r"^\| `harness cite ([a-z]+)", PAGE, re.MULTILINE)) - {"ANSWERS"}


def test_every_way_to_refine_is_on_the_page() -> None:
    assert all(f"`{way}`" in PAGE or f"--only {way}" in PAGE for way in REFINERS if way != "refine")
