"""Writes the record of an adaptation. It is written anew after every event: a killed run leaves one that says how far
it came."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from harness.result.adaptation.record import AdaptationRecord
from harness.workspace import write_atomically


def write_record(record: AdaptationRecord, file: Path) -> None:
    """Replace the file in one step.

    Raises:
        ValueError: a number is not finite; the file is as it was.
        OSError: the disk is full; the file is as it was.
    """
    text = json_text(record)
    with write_atomically(file) as temporary:
        temporary.write_text(f"{text}\n", "utf-8")


def json_text(record: AdaptationRecord) -> str:
    """The text of its file.

    Raises:
        ValueError: a number is not finite.
    """
    return json.dumps(asdict(record), ensure_ascii=False, indent=1, allow_nan=False)
