"""What the page says was measured is what was measured."""

from __future__ import annotations

import json
from pathlib import Path

from harness.numbers import interval, points, share, signed, signed_interval

ROOT = Path(__file__).parents[4]
MEASURED = json.loads((ROOT / "benchmarks/results/robustness.json").read_text("utf-8"))
PAGE = ROOT / "docs/robustness.md"
ROWS = {
    "the unrelated document as it is": "unrelated",
    "stuffing, any of three": "stuffing",
    "the query alone": "query-alone",
}


def shown(attack: dict[str, object]) -> str:
    return f"{share(attack['success'])} {interval(attack['interval'], share)}"  # type: ignore[arg-type]


def test_the_table_of_the_page_is_the_measured_one() -> None:
    text, scaled = PAGE.read_text("utf-8"), list(MEASURED["scale"].values())
    for row, name in ROWS.items():
        cells = " | ".join(shown(one["attacks"][name]) for one in (MEASURED["before"], *scaled))
        assert f"| {row} | {cells} |" in text
    changes = [one["minus before"] for one in scaled]
    values = " | ".join(map(points, (changes[0]["baseline"], *(one["candidate"] for one in changes))))
    assert f"| nDCG@10 of all {changes[0]['queries']} queries | {values} |" in text
    shifts = " | ".join(f"{signed(one['delta'])} {signed_interval(one['interval'])}" for one in changes)
    assert f"| its difference from before, in points | - | {shifts} |" in text


def test_the_peer_counts_the_same_successes() -> None:
    for one in MEASURED["scale"].values():
        for counts in one["referee"].values():
            assert counts["ours"] == counts["sentence-transformers"]
            assert counts["of"] == one["attacks"]["stuffing"]["queries"]


def test_no_text_was_trained_on_and_tested() -> None:
    assert MEASURED["texts shared with the test"] == 0
