"""The page says for every named fault which queries have it, from which share on, and how often real queries do."""

from __future__ import annotations

from pathlib import Path

from training.validating.faults.fault import KINDS

PAGE = Path(__file__).parents[4] / "docs" / "validation.md"


def test_every_kind_has_a_row_with_its_limit_and_not_with_a_measurement() -> None:
    section = PAGE.read_text("utf-8").partition("## Named faults")[2].partition("The rows show")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if "|" in line]
    assert [row[0] for row in rows[2:]] == list(KINDS)
    for kind, what, limit, _ in rows[2:]:
        assert " " in what and not what[0].isdigit(), kind
        assert "%" in limit or limit.endswith("points more"), kind
