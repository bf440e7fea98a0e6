"""V13 by letters. A user would lose that evaluation queries stay out of the training data if a letter is changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from training.validating.alike import CONTAINED, alike, containing
from training.validating.confusables import plain

ROOT = Path(__file__).parents[3]
KNOWN = "When was the bridge of the old town built by the engineers?"


def how(text: str, known: str = KNOWN) -> str | None:
    """How a text matches the known query."""
    return next((one.how for one in alike([text], [known], 0.8)), None)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Whеn wаs thе bridgе of thе old town built by thе еnginееrs?", "exact"),
        ("\u200b".join(KNOWN), "exact"),
        ("Whén was the bridge of the ôld town built by the engineers", "exact"),
        (f"please answer this: {KNOWN} thanks in advance for your help", "contained"),
        ("Whan was the bridge of the old toen biilt by the engineers?", "contained"),
        ("the old town built by the engineers was when the bridge of", "contained"),
        ("When was the bridge of the old town built by the engineer?", "trigrams"),
        ("When was the church of the new city closed for the summer?", None),
        ("Who paid for the bridge of the old town?", None),
    ],
)
def test_a_disguised_query_is_found(text: str, found: str | None) -> None:
    assert how(text) == found


def test_questions_of_one_form_differ_in_their_numbers() -> None:
    known = "how many people lived in the city of the council in 1901"
    assert how(f"so tell me please {known} and why", known) == "contained"
    assert how(f"so tell me please {known.replace('1901', '1911')} and why", known) is None


def test_a_short_query_is_not_looked_for_inside_of_others() -> None:
    assert how("what is the oldest castle near the river", "the castle") is None


def test_the_share_is_that_of_the_known_text() -> None:
    known = plain(KNOWN)
    (found,) = containing([f"{known} and so on and on and on for a long time"], [known])
    assert CONTAINED <= found.similarity < 1
    assert list(containing([], [known])) == list(containing([known], [])) == []


def test_a_text_in_another_script_stays_as_it_is_apart_from_look_alikes() -> None:
    first, second = "Когда был построен мост через реку?", "Когда был построен собор на площади?"
    assert how(first, first) == "exact"
    assert how(second, first) is None
    assert plain("Größe, 大きさ") == "große 大きさ".replace("ß", "ss")


def test_the_table_of_the_page_is_the_measured_one() -> None:
    measured = json.loads((ROOT / "benchmarks/results/leaks.json").read_text("utf-8"))["languages"]
    page = (ROOT / "docs/validation.md").read_text("utf-8")
    for kind in measured["en"]["found"]:
        shares = " | ".join(f"{100 * measured[one]['found'][kind]['share']:.1f} %" for one in ("en", "de"))
        assert f"| {kind} | {shares} |" in page
    for one in ("en", "de"):
        assert measured[one]["innocent"]["hits"] == 0
        assert f"{100 * measured[one]['innocent, same paragraphs']['share']:.1f} %" in page
