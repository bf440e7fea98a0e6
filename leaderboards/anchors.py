"""Published numbers compared with measured ones: a quick check of an installation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np

from harness.data.sources.stored import DRIFTED
from harness.data.suites.targets import suites
from harness.result.evaluation import Evaluation
from leaderboards.published import OwnNumber, Published, comparable, published
from reports.model_name import model_name
from reports.numbers import points
from reports.suite_entry import entry_of, is_drifted
from reports.table import Cell, Table


@dataclass(frozen=True)
class PublishedAnchor:
    """A published number and our own."""

    system: str
    ours: OwnNumber
    row: Published

    @property
    def reason(self) -> str | None:
        """Why the two cannot be compared; None if they can."""
        return comparable(self.ours, self.row)


def anchors(evaluations: Sequence[Evaluation]) -> list[PublishedAnchor]:
    """All published numbers of the measured models on the same collection, or on a suite or group that was measured
    whole.

    If the published measure was not measured, the collection's main measure is shown instead, with a mark.
    """
    found = []
    for group in _by_system(evaluations):
        first = next(iter(group.values()))
        name = model_name(first.system.name)
        for row in published():
            if name and row.model == name.name and row.collections and set(row.collections) <= set(group):
                ours = _together([group[target] for target in row.collections], row)
                found.append(PublishedAnchor(first.system.label, ours, row))
    return found


def anchors_table(
    found: Sequence[PublishedAnchor], name: Callable[[str], str] = str, bm25: Sequence[str] = ()
) -> Table:
    """A table of published and measured numbers. Differences are shown only for comparable numbers.

    Args:
        found: the pairs of numbers.
        name: returns the display name for a label. Default: the label.
        bm25: notes on how BM25 stems. Default: none.
    """
    reasons = list(dict.fromkeys(anchor.reason for anchor in found if anchor.reason))
    marks = {reason: f"[{number}]" for number, reason in enumerate(reasons, 1)}
    columns = ("collection", "system", "measure", "published", "measured", "difference", "evaluator")
    rows = tuple(_row(anchor, marks, name) for anchor in found)
    notes = (
        "values x 100; published numbers and their sources: leaderboards/published",
        "[n]: no difference, because the two numbers cannot be compared",
        *(f"{mark} {reason}" for reason, mark in marks.items()),
        *bm25,
    )
    return Table("published and measured", columns, rows, notes, left=3)


def measured(evaluation: Evaluation, measure: str) -> OwnNumber | None:
    """A value of an evaluation with its details; None if the collection belongs to no suite.

    If the measure was not measured, this is the value of the collection's main measure, or of the first one.
    """
    entry = entry_of(evaluation.collection)
    if entry is None:
        return None
    names = [str(one) for one in evaluation.measures]
    named = next(name for name in (measure, entry.main_measure, names[0]) if name in names)
    name = model_name(evaluation.system.name)
    return OwnNumber(
        model=name.name if name else "",
        model_revision=(name.commit if name else None) or "",
        suite=entry.suite,
        collection=entry.name,
        split=evaluation.collection.split,
        task=entry.mteb.task,
        measure=named,
        value=float(np.mean(evaluation.values[names.index(named)])),
        dataset_revision=entry.mteb.revision,
        first_stage=_first_stage(evaluation),
        altered=_altered(evaluation),
    )


def _by_system(evaluations: Sequence[Evaluation]) -> list[dict[str, Evaluation]]:
    groups: dict[tuple[str, str, int], dict[str, Evaluation]] = {}
    for evaluation in evaluations:
        system = evaluation.system
        entry = entry_of(evaluation.collection)
        if entry is not None:
            key = (system.label, system.first_stage.name, system.depth)
            groups.setdefault(key, {})[entry.target] = evaluation
    return list(groups.values())


def _together(evaluations: Sequence[Evaluation], row: Published) -> OwnNumber:
    values = [value for one in evaluations if (value := measured(one, row.measure)) is not None]
    if not row.is_average:
        return values[0]
    mean = _macro({f"{value.suite}/{value.collection}": value.value for value in values}, row.suite)
    altered = next((value.altered for value in values if value.altered), "")
    return replace(values[0], collection=row.collection, value=mean, altered=altered)


def _macro(values: dict[str, float], suite: str) -> float:
    """The mean over the measured parts of the suite; each part is the mean over its collections."""
    parts = [[values[one.target] for one in part if one.target in values] for part in suites()[suite].parts.values()]
    return fmean(fmean(part) for part in parts if part)


def _first_stage(evaluation: Evaluation) -> str:
    system = evaluation.system
    if system.reranker is None:
        return ""
    text = system.first_stage.name
    if text == "given":
        return text
    name = model_name(text)
    return f"{text if name is None or '?' in text else name.name} top-{system.depth}"


def _altered(evaluation: Evaluation) -> str:
    collection = evaluation.collection
    if collection.sampled_from:
        return f"a sample of {len(collection.queries):,} of {collection.sampled_from:,} queries"
    return f"on data that differ from the suite's ({DRIFTED})" if is_drifted(collection) else ""


def _row(anchor: PublishedAnchor, marks: dict[str, str], name: Callable[[str], str]) -> tuple[Cell, ...]:
    ours, row, mark = anchor.ours, anchor.row, marks.get(anchor.reason or "", "")
    difference = f"{100 * (ours.value - row.value):+z.2f}"
    texts = (
        row.target, name(anchor.system), row.measure, f"{points(row.value)}{mark}", points(ours.value),
        "" if mark else difference, row.evaluator or "not stated",
    )  # fmt: skip
    return tuple(Cell(text) for text in texts)
