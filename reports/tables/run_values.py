"""What a run measured as plain values for JSON, with every column and the names that the tables show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from harness.data.suites.table import PAIRED_MEASURE
from harness.result import export
from harness.result.evaluation import Evaluation
from harness.result.summary import OFFICIAL, has_official
from reports.columns import values
from reports.tables.run import lines, measured, names_of, summarised
from reports.view import PLAIN, View


def as_dict(evaluations: Sequence[Evaluation], skipped: Sequence[str] = (), view: View = PLAIN) -> dict[str, object]:
    """`harness.result.export.as_dict`, with the columns of `reports.columns` in every average, and the display name of
    every system that has one. Fractions."""
    document: dict[str, Any] = export.as_dict(evaluations, skipped)
    for measure in _measures(evaluations):
        own = [one for one in evaluations if measure == OFFICIAL or measure in names_of(one)]
        for label, line in lines(own, summarised(own, measure)).items():
            _figure(document, measure, label).update(values(line))
    if view.names:
        document["display_names"] = {label: view.system(label) for label in document["macro"]}
        for one in document["evaluations"]:
            one["display_name"] = view.system(one["system"])
    return document


def _measures(evaluations: Sequence[Evaluation]) -> Iterable[str]:
    return [*measured(evaluations), *([OFFICIAL] if has_official(evaluations) else [])]


def _figure(document: dict[str, Any], measure: str, label: str) -> dict[str, Any]:
    """Where the document has the average of a system."""
    if measure == OFFICIAL:
        found: dict[str, Any] = document["macro_official"][label]
    else:
        found = document["macro_paired" if measure == PAIRED_MEASURE else "macro"][label][measure]
    return found
