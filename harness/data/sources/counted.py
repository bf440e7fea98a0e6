"""Compare the published sizes of a suite's collection with what was converted."""

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
"""The rules that can make a size smaller than published."""


def differences(entry: SuiteCollection, converted: ConvertedSource, folder: Path, dirt: Dirt) -> list[str]:
    """The sizes that differ from the table by more than the rules explain, as `documents: 3, not 5183`."""
    given = converted.given
    sizes = {
        "queries": (len(open_texts(folder / QUERIES)), entry.counts.queries),
        "documents": (len(open_texts(folder / CORPUS)), entry.counts.documents),
        "relevant judgments": (int(np.count_nonzero(converted.qrels.all_grades)), entry.counts.relevant),
        "candidates": (len(given.documents) + converted.repeated_candidates if given else 0, entry.candidates or 0),
    }
    lost = {name: sum(dirt.counts.get(kind, 0) for kind in kinds) for name, kinds in _LOSSES.items()}
    return [
        f"{name}: {converted:,}, not {published:,}"
        for name, (converted, published) in sizes.items()
        if not 0 <= published - converted <= lost[name]
    ]
