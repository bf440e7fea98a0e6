"""The table of a check says which trial failed, and what would have been OK."""

from __future__ import annotations

import json

from harness.checks.check import Checked, Noise
from harness.checks.invariance import InvarianceFinding
from harness.checks.shift import Shift
from harness.measuring.alarms.alarm import Alarm
from reports.table import markdown
from reports.tables.check import checked_dict, checked_table

MOVED = Shift(pairs=40, largest=0.25, mean=0.01, relative=0.5, turned=0.02, tops=1, queries=4, gain=-0.015)
FOUND = Checked(
    "mine",
    ("one", "two", "three", "four"),
    4,
    40,
    (
        InvarianceFinding("alone", "broken", MOVED, "", Alarm("batch-dependent", "it moves")),
        InvarianceFinding("precision", "not possible", note="no option dtype"),
    ),
    (Noise("abc", "nDCG@10", 0.0123),),
)


def test_the_table_has_a_row_for_each_trial_and_the_worst_verdict_on_top() -> None:
    text = markdown(checked_table(FOUND))
    assert "check of mine: broken (40 pairs, 4 queries of one, two, three and 1 more)" in text
    assert "| **alone** |" in text
    assert "| **2.00** | **1 of 4** | **-1.50** | **broken** |" in text
    assert "| precision | no option dtype | - | - | - | - | - | - | - | not possible |" in text
    assert "nDCG@10 changes by at most 1.230 points; stored as the noise of 1 evaluation" in text
    assert "OK up to 1e-4" in text


def test_json_has_fractions_and_names() -> None:
    found = json.loads(json.dumps(checked_dict(FOUND)))
    assert found["verdict"] == "broken"
    assert found["trials"][0]["shift"]["gain"] == -0.015
    assert found["trials"][1]["shift"] is None
    assert found["alarms"] == [{"name": "batch-dependent", "message": "it moves"}]
