"""Writes the record of an adaptation. The file is replaced after every event, so the record of a killed run shows how
far it got."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from harness.result.adaptation.record import AdaptationRecord
from harness.workspace import write_atomically


def write_record(record: AdaptationRecord, file: Path) -> None:
    """Replace the file in one step.

    Raises:
        ValueError: a number is not finite. The file is unchanged.
        OSError: the file cannot be written. It is unchanged.
    """
    text = json_text(record)
    with write_atomically(file) as temporary:
        temporary.write_text(f"{text}\n", "utf-8")


def json_text(record: AdaptationRecord) -> str:
    """Return the record as JSON.

    Raises:
        ValueError: a number is not finite.
    """
    return json.dumps(asdict(record), ensure_ascii=False, indent=1, allow_nan=False)
