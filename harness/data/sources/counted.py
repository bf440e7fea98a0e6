"""The published sizes of a suite's collection against what was converted."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from harness.data.columns import open_texts
from harness.data.sources.dirt import Dirt
from harness.data.sources.source import CORPUS, QUERIES, ConvertedSource
from harness.data.suites.table import SuiteCollection

_LOSSES = {
    "queries": ("unknown-queries", "duplicate-ids"),
    "documents": ("duplicate-ids",),
    "relevant judgments": (
        "unknown-queries",
        "repeated-judgments",
        "contradicting-labels",
        "negative-grades",
    ),
    "candidates": ("unknown-documents",),
}
"""What may be fewer than published when a declared rule let dirt through."""


def differences(entry: SuiteCollection, converted: ConvertedSource, folder: Path, dirt: Dirt) -> list[str]:
    """Each size that differs from the table by more than the rules let through, as `documents: 3, not 5183`."""
    given = converted.given
    found = {
        "queries": (len(open_texts(folder / QUERIES)), entry.counts.queries),
        "documents": (len(open_texts(folder / CORPUS)), entry.counts.documents),
        "relevant judgments": (int(np.count_nonzero(converted.qrels.all_grades)), entry.counts.relevant),
        "candidates": (len(given.documents) + converted.repeated_candidates if given else 0, entry.candidates or 0),
    }
    lost = {name: sum(dirt.counts.get(kind, 0) for kind in kinds) for name, kinds in _LOSSES.items()}
    return [
        f"{name}: {there:,}, not {published:,}"
        for name, (there, published) in found.items()
        if not 0 <= published - there <= lost[name]
    ]
