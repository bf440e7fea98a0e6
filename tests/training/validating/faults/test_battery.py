"""The page says what was measured: planted faults are named, and real queries are not accused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
MODES = ("alone", "with real queries")
MEASURED = json.loads((ROOT / "benchmarks/results/validation.json").read_text("utf-8"))["faults"]
CONTROL, NEEDS_REAL = "real held-out queries", "keywords where people ask"
LEAKED = "a tenth are evaluation queries"


@pytest.mark.parametrize("planted", MEASURED)
def test_the_page_has_the_measured_rates(planted: str) -> None:
    alone, compared = (MEASURED[planted][mode] for mode in MODES)
    key = "blocked" if planted == CONTROL else "named"
    shown = [f"{one[key]['hits']} of {one['draws']}" for one in (alone, compared)]
    if planted == NEEDS_REAL:
        shown[0] = "–"
    row = f"| {planted} | {shown[0]} | {shown[1]} | {compared['V6']['mean']:.2f} |"
    assert row in (ROOT / "docs/validation.md").read_text("utf-8")


@pytest.mark.parametrize("mode", MODES)
def test_faults_are_named_and_real_queries_are_not_accused(mode: str) -> None:
    assert MEASURED[CONTROL][mode]["blocked"]["share"] <= 0.05
    for planted, found in MEASURED.items():
        if planted != CONTROL and (planted, mode) != (NEEDS_REAL, "alone"):
            assert found[mode]["named"]["share"] >= 0.95, planted


SIGNS = json.loads((ROOT / "benchmarks/results/validation_signs.json").read_text("utf-8"))["faults"]


@pytest.mark.parametrize("planted", SIGNS)
def test_the_page_has_the_measured_signs(planted: str) -> None:
    page = (ROOT / "docs/validation.md").read_text("utf-8")
    cells = [f"{100 * one['share']:.0f}" if one["of"] >= 3 else "–" for one in SIGNS[planted].values()]
    assert f"| planted | {' | '.join(SIGNS[planted])} |" in page
    assert f"| {planted} | {' | '.join(cells)} |" in page


def test_the_verdict_blocks_what_is_named_and_no_real_queries() -> None:
    for planted, found in SIGNS.items():
        assert (found["blocked"]["share"] >= 0.95) == (planted not in (CONTROL, LEAKED)), planted
    assert SIGNS[CONTROL]["blocked"]["hits"] == SIGNS[CONTROL]["V15"]["hits"] == 0
    assert SIGNS[LEAKED]["V13"]["share"] >= 0.95, "its queries are removed, and the rest is usable"
