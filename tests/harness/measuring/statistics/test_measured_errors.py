"""What the page says about the errors of the rule is what was measured."""

from __future__ import annotations

import json
from pathlib import Path

from harness.numbers import share

ROOT = Path(__file__).parents[4]
RESULT = json.loads((ROOT / "benchmarks/results/significance.json").read_text("utf-8"))
PAGE = (ROOT / "docs/significance.md").read_text("utf-8")
KINDS = ("symmetric", "skewed", "very skewed")


def test_levels_and_coverages_of_the_page_are_measured() -> None:
    rows = [row.split(" | ")[0].removeprefix("| ") for row in PAGE.splitlines() if row.count(" %, ") == 3]
    assert len(rows) == 8
    for name in rows:
        found = [RESULT[kind]["one difference"][name] for kind in KINDS]
        cells = " | ".join(f"{share(one['level'])}, {share(one['coverage'])}" for one in found)
        assert f"| {name} | {cells} |" in PAGE


def test_false_marks_of_the_page_are_measured() -> None:
    rows = [
        row.split(" | ")[0].removeprefix("| ") for row in PAGE.splitlines() if row.startswith("| 10 ") and ": " in row
    ]
    assert len(rows) == 6
    for row in rows:
        group, _, name = row.partition(": ")
        found = [RESULT[kind][group][f"{name}, 0 of 10 differ"] for kind in KINDS]
        assert f"| {row} | {' | '.join(share(one['any false mark']) for one in found)} |" in PAGE
