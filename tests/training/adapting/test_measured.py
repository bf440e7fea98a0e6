"""What the page says an adaptation measured is what it measured."""

from __future__ import annotations

import json
from pathlib import Path

from harness.numbers import points, signed, signed_interval

ROOT = Path(__file__).parents[3]
RESULT = json.loads((ROOT / "benchmarks/results/adaptation_mlqa.json").read_text("utf-8"))
CURVES = json.loads((ROOT / "benchmarks/results/adaptation_curves.json").read_text("utf-8"))
SEARCH = json.loads((ROOT / "benchmarks/results/merge_search_mlqa.json").read_text("utf-8"))
PAGE = (ROOT / "benchmarks/README.md").read_text("utf-8")
MACRO = "macro average"
LANGUAGES = ("ar", "de", "en", "es", "hi", "vi", "zh")


def cells(arm: str) -> str:
    """The figures of an arm: dev, gate and final, and final in each language."""
    found = {(one["tier"], one["collection"]): one["value"] for one in RESULT["scores"] if one["arm"] == arm}
    macro = [points(found.get((tier, MACRO)), 1) for tier in ("dev", "gate", "final")]
    return " | ".join([*macro, *(points(found.get(("final", f"mlqa/{one}")), 1) for one in LANGUAGES)])


def test_every_arm_of_the_table_has_its_figures() -> None:
    arms = dict.fromkeys(one["arm"] for one in RESULT["scores"])
    same = {one["name"] for one in RESULT["arms"] if one["same_as"]}
    assert [arm for arm in arms if arm not in same and f"| {cells(arm)} |" not in PAGE] == []


def test_every_claim_is_on_the_page() -> None:
    shown = [f"{signed(one['delta'])} {signed_interval((one['low'], one['high']))}" for one in RESULT["claims"]]
    assert [one for one in shown if one not in PAGE] == []


def test_the_curves_are_on_the_page() -> None:
    rows = [
        f"| {queries} | {' | '.join(points(value, 1) for _, value in values)} |"
        for queries, values in CURVES["nDCG@10 by queries"].items()
    ]
    assert [row for row in rows if row not in PAGE] == []


def test_the_best_of_the_search_is_on_the_page() -> None:
    tried = SEARCH["tried"]
    assert len(tried) == SEARCH["looks"]["taken"] == 12
    assert f"has {points(max(one['value'] for one in tried))};" in PAGE
