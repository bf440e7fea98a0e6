"""The page defines each named fault with the limit that the code has. A user would lose the reason for a block."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from training.validating.faults import artefacts, copies, forms, languages, pairing, wording
from training.validating.faults.fault import KINDS

PAGE = (Path(__file__).parents[4] / "docs/validation.md").read_text("utf-8")
HEAD = "| kind | the queries that have it | limit | of real queries at most |"


def percent(share: float) -> str:
    return f"{100 * share:.0f} %"


LIMITS: Mapping[str, str] = {
    "repeated": percent(copies.REPEATED),
    "language": percent(languages.LIMIT),
    "copied": percent(copies.COPIED),
    "pairs": f"below {percent(pairing.CHANCE)}",
    "random words": f"below {percent(wording.DISORDER)}",
    "one form": percent(forms.ONE),
    "form": f"{100 * forms.MORE:.0f} points more",
    "phrase": percent(copies.PHRASE),
    "truncated": f"{percent(wording.CUT)}, in scripts without spaces {percent(wording.CUT_UNSPACED)}",
    "artefacts": percent(artefacts.LIMIT),
}
PARTS: Mapping[str, tuple[str, ...]] = {
    "repeated": ("80 % of the trigrams",),
    "copied": (percent(copies.WHOLE), f"{copies.LEAST['words']} words or {copies.LEAST['characters']} characters"),
    "phrase": (f"{copies.IN_COMMON['words']} words or {copies.IN_COMMON['characters']} characters",),
    "truncated": ("no mark", "part of a word", "ends no clause"),
}
"""What the definition has to say."""


def rows() -> dict[str, tuple[str, str, str]]:
    """Definition, limit and figure of real queries by kind."""
    lines = PAGE[PAGE.index(HEAD) :].split("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {kind: (what, limit, usual) for kind, what, limit, usual in cells}


def test_the_page_defines_every_kind_once_in_the_order_of_the_report() -> None:
    assert tuple(rows()) == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_has_the_limit_of_the_code(kind: str) -> None:
    what, limit, _ = rows()[kind]
    assert limit == LIMITS[kind]
    assert all(part in what for part in PARTS.get(kind, ())), what
    assert not re.match(r"\d+ of \d+", what), "a definition, and not a result"
