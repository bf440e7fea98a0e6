"""The results of a run as plain values for JSON, with all columns and display names."""

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
    """The document of `harness.result.export.as_dict`, with the columns of `reports.columns` in every average and with
    display names. Fractions."""
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
    """The part of the document with the average of a system."""
    if measure == OFFICIAL:
        average: dict[str, Any] = document["macro_official"][label]
    else:
        average = document["macro_paired" if measure == PAIRED_MEASURE else "macro"][label][measure]
    return average
