"""The page tells what was asked, decided, claimed and spent, for people who never saw the run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from adapters.errors import MissingExtra
from reports.training import pictures as module
from reports.training.page import write
from tests.reports.test_html import read
from tests.reports.training.made import begun, made, record, taught

NASTY = '<b>$a_b$ | "x" ' + "长" * 40


@pytest.fixture(autouse=True)
def _no_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plots have tests of their own, and cost seconds."""
    monkeypatch.setattr(module, "_drawings", lambda *_: [None] * 5)


def text(tmp: Path, values: dict[str, Any]) -> str:
    return write(record(tmp, values), tmp / "out").markdown.read_text("utf-8")


def test_the_story_is_told_in_the_order_of_the_questions(tmp_path: Path) -> None:
    page = write(record(tmp_path, made()), tmp_path / "out")
    chapters = re.findall(r"^## (.*)$", page.markdown.read_text("utf-8"), re.M)
    assert chapters == [
        "What was decided", "What is claimed, and what is not", "The arms", "Pictures", "Data and licences",
        "What it cost", "Looks and timeline",
    ]  # fmt: skip
    assert re.findall(r"<h2[^>]*>(.*?)</h2>", page.html.read_text("utf-8")) == chapters


def test_claims_that_hold_and_those_that_do_not_stand_apart(tmp_path: Path) -> None:
    page = text(tmp_path, made())
    assert "adaptation: slerp is ahead of base by 5.8 points" in page
    claimed, failed = page.split("\nClaimed:")[1].split("Not claimed:")
    assert "ahead of base" in claimed and "merging" not in claimed
    assert "cannot be distinguished from union" in failed.split("**claims**")[0]


def test_nothing_is_claimed_that_does_not_hold(tmp_path: Path) -> None:
    stored = made()
    for one in stored["claims"]:
        one["holds"] = False
    page = text(tmp_path, stored)
    assert "Nothing is claimed." in page and "\nClaimed:" not in page
    assert "no difference was tested on the final split" in text(tmp_path, made() | {"claims": []})


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("refused", "Nothing was accepted: no arm was shown to be better. The base stays."),
        ("inconclusive", "there were too few queries to decide. The base stays."),
        ("invalid", "the measurements are not valid. The base stays."),
        ("running", "Nothing is decided yet"),
    ],
)
def test_a_loop_that_accepted_nothing_says_so_first(tmp_path: Path, state: str, said: str) -> None:
    page = text(tmp_path, made() | {"state": state, "accepted": None, "reasons": ["because"]})
    decided = page.split("## What was decided")[1].split("##")[0]
    assert said in decided and "- because" in decided and "Accepted" not in decided


def test_the_terms_of_every_teacher_are_listed(tmp_path: Path) -> None:
    silent: dict[str, Any] = {"spec": "org/silent", "licence": "unknown", "training_sets": None}
    page = text(tmp_path, taught(made(), silent))
    assert "org/teacher: licence apache-2.0; trained on MS MARCO, NQ and HotpotQA" in page
    assert "bm25: licence mit; trained on nothing" in text(
        tmp_path, made() | {"teachers": [{"spec": "bm25", "licence": "mit", "training_sets": []}]}
    )
    assert (
        "org/silent: licence not stated, so find it out before you share a checkpoint; training sets not stated" in page
    )


def test_the_cost_is_listed_by_stage(tmp_path: Path) -> None:
    cost = text(tmp_path, made()).split("## What it cost")[1]
    assert "12 min 46 s" in cost and "| teach | 2 | 3 min 12 s |" in cost


def test_a_loop_that_has_just_begun_has_a_page(tmp_path: Path) -> None:
    page = text(tmp_path, made() | begun() | {"state": "running", "accepted": None})
    assert "Nothing is decided yet" in page and "nothing was measured yet" in page and "No look was taken." in page


def test_a_plot_that_cannot_be_drawn_is_listed_with_its_reason(tmp_path: Path) -> None:
    assert "No plot of source against target: no collection of the source domain" in text(tmp_path, made(source=False))


def test_without_matplotlib_the_page_is_written_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> None:
        raise MissingExtra("a plot needs the package 'matplotlib'")

    monkeypatch.setattr(module, "_drawings", missing)
    assert "No plots: a plot needs the package 'matplotlib'." in text(tmp_path, made())


def test_no_name_becomes_markup(tmp_path: Path) -> None:
    stored = made() | {"name": NASTY, "reasons": [NASTY]}
    stored["arms"][0]["refused"] = [NASTY]
    page = write(record(tmp_path, stored), tmp_path / "out")
    html = page.html.read_text("utf-8")
    assert "<b>" not in html and not {"script", "link", "b"} & {tag for tag, _ in read(html).tags}
    assert "<b>" not in page.markdown.read_text("utf-8")


def test_the_same_record_gives_the_same_bytes(tmp_path: Path) -> None:
    first = write(record(tmp_path, made()), tmp_path / "out")
    before = [first.markdown.read_bytes(), first.html.read_bytes()]
    again = write(record(tmp_path, made()), tmp_path / "out")
    assert before == [again.markdown.read_bytes(), again.html.read_bytes()]
