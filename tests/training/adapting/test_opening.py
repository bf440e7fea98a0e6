"""The record of an adaptation begins with what was asked for, and names no secret."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.judging.gate.policy import Policy
from training.adapting import opening
from training.adapting.settings import AdaptationSettings
from training.adapting.targets import Tiers


def test_generator_teachers_and_policy_are_recorded_without_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    identified: Any = SimpleNamespace(identity=dict)
    monkeypatch.setattr(opening, "open_folder", lambda name: name)
    monkeypatch.setattr(opening, "Contents", lambda _: identified)
    settings = AdaptationSettings(
        "b", ("mine:T?api_key=planted",), ("c",), generator="chat:https://ada:planted@host/v1?model=m"
    )
    gate = SimpleNamespace(policy=Policy(anchor="mine:A?token=planted"), first_stage="bm25", measure="nDCG@10")
    record = opening.first_record(settings, cast(Tiers, SimpleNamespace(gate=gate)), tmp_path, {"wishes": "w"})
    assert record.generator == "chat:https://***@host/v1?model=m"
    assert [one.spec for one in record.teachers] == ["mine:T?api_key=***"]
    assert "planted" not in str(record)
