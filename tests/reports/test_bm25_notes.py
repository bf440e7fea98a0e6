"""How BM25 stems is under every table of stored results that has it: whoever pastes a table pastes the note."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import api
from harness.judging.history import history
from harness.judging.why.stored import find
from harness.result.gathered import gathered
from leaderboards.board import board
from leaderboards.site import write_board
from reports.story import report, story
from reports.tables.history import history_table
from reports.what_was_run import collections_table, systems_table
from tests.sample_texts import undeclared
from tests.tiny_collection import Place

PLAIN = "tests.fake_adapters:Plain"
DETECTED = "BM25: German stemming (detected)"


@pytest.fixture
def stored(place: Place) -> Path:
    """BM25 and a reranker over it on a German folder that declares nothing."""
    place.evaluations(place.load(undeclared(place.path, "de")), rerankers=[PLAIN], first="bm25")
    return place.workspace.path


def test_every_table_of_a_report_says_it(stored: Path, place: Place) -> None:
    place.evaluations(place.load(undeclared(place.path, "en")), rerankers=[PLAIN], first="bm25")
    made = report(gathered(stored))
    line = "BM25 stems with the language of each collection: German (detected), English (detected)"
    assert len(made.tables) == 3
    assert all(line in table.notes for table in made.tables.values())
    assert line in systems_table(made.results).notes
    assert sum(line in getattr(part, "notes", ()) for part in story(made, "x")) >= 4
    languages = [row[2].text for row in collections_table(made.results).rows]
    assert sorted(languages) == ["de (detected)", "en (detected)"]


def test_a_comparison_and_a_why_page_say_it(stored: Path, place: Place) -> None:
    comparison = api.compare("bm25 (first stage)", PLAIN, workspace=stored)
    assert DETECTED in comparison.tables()[0].notes
    assert DETECTED in find(place.workspace, "bm25 (first stage)", PLAIN).notes


def test_a_history_says_it(stored: Path) -> None:
    assert DETECTED in history_table(history(stored, "bm25").points, "bm25").notes


def test_a_report_without_bm25_says_nothing_of_it(place: Place) -> None:
    place.evaluations(rerankers=[PLAIN])
    made = report(gathered(place.workspace.path))
    assert not any("BM25" in note for table in made.tables.values() for note in table.notes)


def test_the_pages_of_a_leaderboard_say_it(stored: Path, tmp_path: Path) -> None:
    write_board(board(stored), tmp_path / "site")
    saying = [page for page in (tmp_path / "site").rglob("*.html") if DETECTED in page.read_text("utf-8")]
    assert len(saying) == 4, "the table, the collection, and each of the two systems"
