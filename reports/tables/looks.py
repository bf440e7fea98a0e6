"""The stored looks at dev and at the gate."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from harness.judging.gate.looks import LookLog, SystemRecord

LOOK = "look-"
"""The prefix of the id of every look."""
LOOK_COLUMNS = ("id", "at", "release", "tier", "anchor", "candidate", "verdict", "alpha", "accepted")


def look_rows(store: Path) -> Iterator[tuple[str, ...]]:
    """One row per look, the newest last."""
    for one in LookLog(store).all() if store.is_file() else ():
        yield (
            one.id, datetime.fromisoformat(one.at).isoformat(timespec="seconds"), one.release, one.tier,
            one.anchor.name, one.candidate.name, one.verdict, f"{one.alpha:.4g}", "yes" if one.accepted else "",
        )  # fmt: skip


def look_details(id: str, store: Path) -> dict[str, object]:
    """All stored data of a look, with the ids of its evaluations.

    Raises:
        UsageError: the id is unknown or ambiguous.
    """
    one = LookLog(store).find(id)
    return {
        "id": one.id, "at": one.at, "release": one.release, "tier": one.tier, "verdict": one.verdict,
        "accepted": one.accepted, "alpha": one.alpha, "measure": one.measure, "split": one.split,
        "collections": list(one.collections), "policy": one.policy, "anchor": _system(one.anchor),
        "candidate": _system(one.candidate), "figures": dict(one.figures),
    }  # fmt: skip


def _system(one: SystemRecord) -> dict[str, object]:
    return {"name": one.name, "macro": one.macro, "evaluations": list(one.evaluations)}
