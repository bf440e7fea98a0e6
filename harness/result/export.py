"""Writes the rankings of evaluations as TREC run files, for other programs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from harness.data.trec import write_run
from harness.result.evaluation import Evaluation


def write_runs(folder: Path, evaluations: Iterable[Evaluation]) -> None:
    """Write `<collection>.<system>.<id>.trec` for each evaluation."""
    folder.mkdir(parents=True, exist_ok=True)
    for one in evaluations:
        name = f"{_slug(one.collection.name)}.{_slug(one.system.label)}.{one.id}.trec"
        write_run(folder / name, one.run, one.collection, one.id)


def _slug(text: str) -> str:
    # File systems limit names in bytes: with 60 bytes each, two names and an id fit.
    return re.sub(r"[^\w.-]+", "-", text).encode()[-60:].decode(errors="ignore").strip("-")
