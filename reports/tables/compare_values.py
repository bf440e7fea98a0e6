"""A comparison as plain values for JSON: fractions, with the ids and settings behind every number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict

from harness.judging.compare.comparison import Compared, ComparedSystems
from harness.judging.compare.paired import PairedValues
from harness.judging.compare.rows import Row
from harness.measuring.statistics.bootstrap import RESAMPLES
from harness.measuring.statistics.flips import FLIPS
from reports.view import PLAIN, View


def as_dict(comparison: ComparedSystems, view: View = PLAIN) -> dict[str, object]:
    """The comparison as plain values; None for NaN."""
    return {
        "baseline": comparison.baseline,
        "settings": {"flips": FLIPS, "resamples": RESAMPLES, "level": 0.95, "margin": comparison.margin},
        "measures": {
            measured.measure: {one.system: _compared(one) for one in measured.candidates}
            for measured in comparison.measures
        },
        **_workspaces(comparison),
        "notes": list(comparison.notes),
        "alarms": list(comparison.alarms),
        **({"display_names": {label: view.system(label) for label in _labels(comparison)}} if view.names else {}),
    }


def _workspaces(comparison: ComparedSystems) -> dict[str, object]:
    """The paths of the two workspaces of `--against`; empty for a comparison within one."""
    if comparison.workspaces is None:
        return {}
    baseline, candidates = map(str, comparison.workspaces)
    return {"workspaces": {"baseline": baseline, "candidates": candidates}}


def _labels(comparison: ComparedSystems) -> list[str]:
    own = (one.system for measured in comparison.measures for one in measured.candidates)
    return list(dict.fromkeys([comparison.baseline, *own]))


def _compared(one: Compared) -> dict[str, object]:
    return {
        "macro": _row(one.macro),
        "collections": _rows(one.collections),
        "groups": _rows(one.groups),
        "languages": _rows(one.languages),
        "seeds": _finite(asdict(one.seeds)) if one.seeds else None,
    }


def _rows(rows: Sequence[Row]) -> dict[str, object]:
    return {row.name: _row(row) for row in rows}


def _row(row: Row) -> dict[str, object]:
    plain: dict[str, object] = {
        "baseline": row.baseline,
        "candidate": row.candidate,
        "delta": row.difference.value,
        "interval": row.difference.interval,
        "p": row.difference.p,
        "adjusted_p": row.difference.adjusted_p,
        "family": row.difference.family,
        **asdict(row.effect),
        "both_zero": row.both_zero,
        "noise": row.noise,
        "same_candidates": row.same_candidates,
        "equivalence": asdict(row.equivalence) if row.equivalence else None,
        "evaluations": [_evaluations(part) for part in row.parts],
    }
    return _finite(plain)


def _evaluations(part: PairedValues) -> dict[str, object]:
    return {
        "collection": part.collection,
        "split": part.split,
        "language": part.language,
        "group": part.group,
        "fingerprint": part.fingerprint,
        "queries": len(part.queries),
        "baseline": part.baseline_id.split(","),
        "candidate": part.candidate_id.split(","),
    }


def _finite(values: dict[str, object]) -> dict[str, object]:
    return {key: _plain(value) for key, value in values.items()}


def _plain(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return _finite(value) if isinstance(value, dict) else value
