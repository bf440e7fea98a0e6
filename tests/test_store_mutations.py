"""Damaged stores end in right figures or in one line; `benchmarks/store_mutations.py` tries many more."""

from __future__ import annotations

import pytest

from benchmarks.store_mutations import FEWER, LINE, SAME, TRACEBACK, WRONG, failures, outcome, run


@pytest.mark.filterwarnings("ignore")
def test_a_damaged_store_is_never_read_as_if_it_were_whole() -> None:
    found = run({"results": 60, "looks": 60, "ledger": 60}, seed=1)
    assert {name: failures(one) for name, one in found.items()} == {"results": 0, "looks": 0, "ledger": 0}
    counted = [outcome for one in found.values() for counts in one.values() for outcome in counts]
    assert {SAME, LINE, FEWER} >= set(counted) >= {SAME, LINE}


def test_the_battery_tells_wrong_figures_from_fewer() -> None:
    sound = {"a": 1, "b": 2}

    def broken() -> dict[object, object]:
        raise KeyError

    assert outcome(lambda: {"a": 1, "b": 2}, sound) == SAME
    assert outcome(lambda: {"a": 1}, sound) == FEWER
    assert outcome(lambda: {"a": 1, "b": 3}, sound) == WRONG
    assert outcome(lambda: {"a": 1, "b": 2, "c": 3}, sound) == WRONG
    assert outcome(broken, sound).startswith(TRACEBACK)
    assert failures({"cut": {SAME: 3, WRONG: 1, f"{TRACEBACK}: KeyError": 2}}) == 3
