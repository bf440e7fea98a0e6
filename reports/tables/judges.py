"""Tables of judges that were compared with people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from harness.labelling.agreement import AgreementFigure, JudgedClaims, as_numbers
from harness.labelling.calibrate import Calibrated
from harness.labelling.labelled import Labelled
from harness.numbers import count, decimal, interval
from reports.table import Cell, Table

_MAIN = ("accuracy", "kappa", "weighted kappa", "supported: balanced accuracy", "supported: kappa", "AUC", "ECE")
_HEADS = ("accuracy", "kappa", "weighted kappa", "balanced accuracy", "kappa (supported)", "AUC", "ECE")
_GROUP = ("accuracy", "weighted kappa", "AUC", "ECE")


def judge_tables(labelled: Labelled, found: Sequence[Calibrated]) -> list[Table]:
    """Agreement with people, precision and recall of each grade, and the same by language and length."""
    return [agreement_table(labelled, found), grades_table(found), *_groups_table(found)]


def agreement_table(labelled: Labelled, found: Sequence[Calibrated]) -> Table:
    """One row per judge."""
    rows = tuple(
        (Cell(one.spec), Cell(_number(one.calibration.threshold)), *_cells(one.verdicts.figures, _MAIN))
        for one in found
    )
    half = len(found[0].verdicts) if found else 0
    return Table(
        f"judges and people: {labelled.name}, {len(labelled):,} claims in {len(labelled.claims):,} rows",
        ("judge", "threshold", *_HEADS),
        rows,
        (*_notes(labelled, half), *dict.fromkeys(remark for one in found for remark in one.remarks)),
    )


def grades_table(found: Sequence[Calibrated]) -> Table:
    """One row per judge and grade."""
    rows = tuple(
        (
            Cell(one.spec), Cell(f"{grade:g}"), Cell(count(int((one.verdicts.truth == place).sum()))),
            Cell(count(int((one.verdicts.given == place).sum()))),
            *_cells(one.verdicts.figures, (f"precision {grade:g}", f"recall {grade:g}")),
        )
        for one in found
        for place, grade in enumerate(one.verdicts.grades)
    )  # fmt: skip
    columns = ("judge", "grade", "by people", "by the judge", "precision", "recall")
    return Table("precision and recall of each grade", columns, rows, left=2)


def judges_dict(labelled: Labelled, found: Sequence[Calibrated]) -> dict[str, Any]:
    """Everything for JSON. Figures are lists of value, low and high; null is unknown."""
    return {
        "data": {
            "name": labelled.name, "digest": labelled.digest, "claims": len(labelled), "rows": len(labelled.claims),
            "left_out": dict(labelled.left_out),
        },
        "judges": [_judge(one) for one in found],
    }  # fmt: skip


def _judge(one: Calibrated) -> dict[str, Any]:
    verdicts = one.verdicts
    return {
        "spec": one.spec, "name": one.name, "identity": one.calibration.judge,
        "threshold": one.calibration.threshold, "cuts": list(one.cuts),
        "logistic": {"slope": one.calibration.slope, "intercept": one.calibration.intercept},
        "claims": len(verdicts), "grades": list(verdicts.grades), "figures": as_numbers(verdicts.figures),
        "reliability": [{"probability": p, "supported": s, "claims": n} for p, s, n in verdicts.reliability],
        "groups": {name: _group(part) for name, part in one.groups.items()},
        "judged_now": one.judgments.fresh, "truncated": one.judgments.truncated, "counted": one.judgments.counted,
        "asked_again": dict(one.judgments.asked_again), "remarks": list(one.remarks),
    }  # fmt: skip


def _group(part: JudgedClaims) -> dict[str, Any]:
    return {"claims": len(part), "figures": as_numbers(part.figures)}


def _groups_table(found: Sequence[Calibrated]) -> list[Table]:
    rows = tuple(
        (Cell(one.spec), Cell(name), Cell(count(len(part))), *_cells(part.figures, _GROUP))
        for one in found
        for name, part in one.groups.items()
    )
    notes = ("groups with fewer than 20 claims are left out",)
    return [Table("by language and length", ("judge", "group", "claims", *_GROUP), rows, notes, left=2)] if rows else []


def _notes(labelled: Labelled, half: int) -> list[str]:
    notes = [
        f"thresholds are fitted on {len(labelled) - half:,} claims, unless a judge has its own, and all figures are of "
        f"the other {half:,}, with 95 % intervals",
        "accuracy, kappa and weighted kappa (squared differences) compare grades; balanced accuracy, kappa (supported) "
        "and AUC full support with the rest; ECE compares the judge's probability with the share of supported claims",
    ]
    notes += [f"left out: {number:,} claims: {reason}" for reason, number in labelled.left_out.items()]
    return notes


def _cells(figures: Mapping[str, AgreementFigure], names: Sequence[str]) -> list[Cell]:
    return [Cell(_shown(figures[name])) for name in names]


def _shown(figure: AgreementFigure) -> str:
    between = "" if np.isnan(figure.low) else f" {interval((figure.low, figure.high), _number)}"
    return f"{_number(figure.value)}{between}"


def _number(value: float) -> str:
    return decimal(value, 3)
