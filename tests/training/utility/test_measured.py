"""What the page says was measured is what was measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.numbers import interval, points, signed, signed_interval

ROOT = Path(__file__).parents[3]
EXPERIMENTS = json.loads((ROOT / "benchmarks/results/utility.json").read_text("utf-8"))["experiments"]


def rows(name: str) -> list[str]:
    """The rows of the page for an experiment."""
    result = EXPERIMENTS[name]
    found = [f"| {name}: base | {points(result['arms']['base']['value'])} | - | - |"]
    for arm, one in result["arms"].items():
        if gain := one["gain"]:
            over_seeds = signed_interval(gain["seeds_interval"])
            found.append(f"| {name}: {arm} | {points(one['value'])} | {signed(gain['delta'])} | {over_seeds} |")
    ratio = result["ratio"]
    if ratio["value"] is not None:
        within = interval(ratio["seeds_interval"], lambda end: f"{end:.2f}")
        found.append(f"| {name}: U | {ratio['value']:.2f} | {result['answer']} | {within} |")
    return found


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_the_table_of_the_page_is_the_measured_one(name: str) -> None:
    page = (ROOT / "docs/utility.md").read_text("utf-8")
    assert [row for row in rows(name) if row not in page] == []


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_shuffled_labels_teach_nothing(name: str) -> None:
    gain = EXPERIMENTS[name]["arms"]["f"]["gain"]
    if name.endswith("/new"):  # a random head can hardly lose
        assert gain["seeds_interval"][0] < 0 and gain["adjusted_p"] > 0.05
    else:
        assert gain["delta"] < 0
