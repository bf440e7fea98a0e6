"""V14: how many of the queries that a generator wrote keep to its profile."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from adapters.errors import DataError
from training.synthesis.parser import REASONS
from training.validating.measured import Name, ValidationRow
from training.validating.sets import Sets

KINDS: Mapping[str, tuple[str, ...]] = {
    "accepted": REASONS,
    "parsed": ("grammar", "refusal", "empty"),
    "in the language": ("wrong script", "wrong language"),
    "in the length window": ("too short", "too long"),
    "no copy": ("echo", "copies the document", "overlaps too much"),
    "as many as wanted, and different": ("surplus", "duplicate"),
}
"""What can be kept to, and the reasons of the parser that break it."""
_FILES = ("conformance.json", "manifest.json")


def measure(sets: Sets, conformance: Mapping[str, Any] | None = None) -> list[ValidationRow]:
    """The share of the queries that came which keep to the profile: to all of it, and to each demand.

    A query is rejected for the first reason that is found, so the demands that are looked at later are judged on fewer
    queries than their share says: what breaks two demands counts against one. There is nothing real to compare with:
    rows have levels only. `parts` has the shares by reason.

    Args:
        conformance: as `train synthesize` writes it; none, for queries that it did not write: one row that says so.

    Raises:
        DataError: the counts do not make sense.
    """
    names = {kind: Name("V14", "conformance", kind, "share") for kind in KINDS}
    if conformance is None:
        return [_row(names["accepted"], None, sets, "not written by `train synthesize`: unknown")]
    accepted, rejected = _counts(conformance)
    came = accepted + sum(rejected.values())
    told = f"{accepted:,} of {came:,} that came; {int(conformance.get('missing', 0)):,} never came"
    parts = {"rejected": {reason: number / came for reason, number in rejected.items()} if came else {}, "came": came}
    shares = {kind: 1 - sum(rejected.get(one, 0) for one in reasons) / came if came else None
              for kind, reasons in KINDS.items()}  # fmt: skip
    return [
        _row(name, shares[kind], sets, told if kind == "accepted" else "", parts if kind == "accepted" else {})
        for kind, name in names.items()
    ]


def conformance_of(folder: Path) -> dict[str, Any] | None:
    """What `train synthesize` wrote about the queries of a folder; None for a folder that it did not write.

    Raises:
        DataError: the file cannot be read.
    """
    for name in _FILES:
        file = folder / name
        if not file.is_file():
            continue
        try:
            read = json.loads(file.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(f"{file}: cannot be read as JSON ({error})") from None
        found = read.get("conformance", {}) if isinstance(read, dict) and name == "manifest.json" else read
        if not isinstance(found, dict):
            raise DataError(f"{file}: no counts of accepted and rejected queries; run `train synthesize` again")
        if found:
            return found
    return None


def _row(
    name: Name, share: float | None, sets: Sets, note: str, parts: Mapping[str, Any] | None = None
) -> ValidationRow:
    levels = {sets.synthetic.name: share}
    return ValidationRow(name.id, name.name, name.statistic, name.unit, levels=levels, note=note, parts=parts or {})


def _counts(conformance: Mapping[str, Any]) -> tuple[int, dict[str, int]]:
    accepted, rejected = conformance.get("accepted"), conformance.get("rejected")
    numbers = [accepted, *rejected.values()] if isinstance(rejected, dict) else [None]
    if not all(isinstance(number, int) and number >= 0 for number in numbers):
        raise DataError("conformance: 'accepted' and 'rejected' have to be counts; run `train synthesize` again")
    unknown = sorted(set(rejected) - set(REASONS)) if isinstance(rejected, dict) else []
    if unknown:
        raise DataError(f"conformance: unknown reason '{unknown[0]}'; run `train synthesize` again")
    return int(accepted or 0), dict(rejected or {})
