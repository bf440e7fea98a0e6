"""Readers who did not write this project understand its words: no picture of our own, and no word used oddly."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("adapters", "harness", "training", "reports", "leaderboards")
ODD = re.compile(r"\b(told|aloud|anew|crumb|zoo|wing|trap)\b|\bso many\b|\b(beside|stands)\b", re.IGNORECASE)
KEPT = (
    "leaderboards.beside",  # a module
    "reports.training.told",
    ".told",  # a key of the record of an adaptation
    "told=",
    "told: str",
    '"told"',  # a verdict in validation.json
    "`told`",
)
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "benchmarks" / "README.md"])
FILES = [
    file
    for package in PACKAGES
    for pattern in ("*.py", "*.html", "*.js", "*.css")
    for file in sorted((ROOT / package).rglob(pattern))
]


def odd_lines(file: Path) -> list[str]:
    """The lines of a file with a word that is used oddly."""
    found = []
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        plain = line
        for kept in KEPT:
            plain = plain.replace(kept, "")
        if ODD.search(plain):
            found.append(f"{file.relative_to(ROOT)}:{number}: {line.strip()}")
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_code_and_messages_have_no_odd_words(package: str) -> None:
    lines = [line for file in FILES if file.is_relative_to(ROOT / package) for line in odd_lines(file)]
    assert lines == []


def test_pages_have_no_odd_words() -> None:
    assert [line for page in PAGES for line in odd_lines(page)] == []


def test_the_words_are_found_and_others_are_not() -> None:
    assert all(
        ODD.search(line) for line in ("it is told anew", "a file beside it", "So many queries", "what stands there")
    )
    assert not any(ODD.search(line) for line in ("a standard error", "besides", "it understands", "a window"))
