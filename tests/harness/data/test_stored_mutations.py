"""Faults planted at random in every kind of stored file: each is noticed or harmless, none becomes a number."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from adapters.sums import _summed, array_in

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "stored_mutations.py"


@pytest.fixture
def mutations(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The benchmark as a module."""
    spec = importlib.util.spec_from_file_location("stored_mutations", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "stored_mutations", module)
    monkeypatch.setattr(sys, "path", list(sys.path))
    spec.loader.exec_module(module)
    monkeypatch.setattr(module.seen, "settled", module.seen.settled)
    return module


def test_no_fault_in_a_stored_file_is_served(mutations: ModuleType) -> None:
    found = mutations.run(len(mutations.KINDS) * len(mutations.FAULTS), seed=3)
    summary = mutations.summary(found)
    assert summary["bad"] == []
    assert {kind for kind, states in summary["by kind"].items() if states.get("noticed")} == set(mutations.KINDS)
    assert summary["by fault"]["swap"] == {"noticed": len(mutations.KINDS)}


def unverified(file: Path, key: str, name: str) -> tuple[int, np.dtype[np.int32], int]:
    """Where an array is, as `array_in` finds it, under whatever key the file has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("adapters.sums._parsed", lambda _: {name: _summed(file, key, name)[-1]})
        return array_in(file, key, name)


def test_a_fault_that_is_served_would_be_counted(mutations: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.terms.load_arrays", lambda file, *_: mutations.np.load(file))
    monkeypatch.setattr("adapters.terms.array_in", unverified)
    monkeypatch.setattr(mutations, "KINDS", {"terms": mutations.KINDS["terms"]})
    monkeypatch.setattr(mutations, "FAULTS", ("swap",))
    assert [one.state for one in mutations.run(1)] == ["served"]
