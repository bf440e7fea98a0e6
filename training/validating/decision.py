"""Decide from the measures whether a set of synthetic queries may be used, with or without a warning.

A validation does not accept an adaptation. It can only stop a set that cannot help, before a student is trained.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from harness.result.adaptation.vocabulary import Validity
from training.validating.conformance import IN_THE_SET
from training.validating.measured import ValidationRow

LEAST_CONFORMANCE = 0.95
"""V14: the smallest share of queries that keep to the profile."""
SUSPICIOUS = 0.9
"""V6: the AUC of the classifier of synthetic and real queries above which a student can learn the difference."""
ACCEPTANCE = "Only the utility ablation (V12) together with the regression gate accepts an adaptation."


@dataclass(frozen=True)
class ValidationDecision:
    """The state, with a line for each reason."""

    state: Validity
    reasons: tuple[str, ...] = ()
    """Reasons for blocking come first."""

    def as_dict(self) -> dict[str, Any]:
        """The values for JSON."""
        return asdict(self) | {"acceptance": ACCEPTANCE}


def decide(rows: Sequence[ValidationRow]) -> ValidationDecision:
    """Blocked if evaluation queries are left in the set (V13), the set has a named fault (V15), less than 95 % of its
    queries keep to the given profile (V14), or the teacher does not lead the student on real judgments (V11).

    Warned for all other findings, including measures without a value. A difference from real queries is no fault by
    itself: sets that differ have improved students.
    """
    blocks = [*_left_in(rows), *_named(rows, blocks=True), *_conformance(rows), *_teacher(rows)]
    warnings = [
        *_removed(rows), *_named(rows, blocks=False), *_rejected(rows), *_separable(rows), *_differences(rows),
        *_not_measured(rows),
    ]  # fmt: skip
    state: Validity = "blocked" if blocks else "warned" if warnings else "usable"
    return ValidationDecision(state, (*blocks, *warnings))


def _of(rows: Sequence[ValidationRow], id: str) -> list[ValidationRow]:
    return [row for row in rows if row.id == id]


def _left_in(rows: Sequence[ValidationRow]) -> Iterator[str]:
    for row in _of(rows, "V13"):
        if row.value:
            yield f"V13: {row.value:,.0f} evaluation queries are in the set; --out writes it without them"


def _named(rows: Sequence[ValidationRow], *, blocks: bool) -> Iterator[str]:
    for row in _of(rows, "V15"):
        if row.parts.get("found") and row.parts["blocks"] == blocks:
            yield f"V15: {row.parts['line']}"


def _conformance(rows: Sequence[ValidationRow]) -> Iterator[str]:
    share = _share(rows, IN_THE_SET)
    if share is not None and share < LEAST_CONFORMANCE:
        yield f"V14: {share:.1%} of the queries keep to the profile; {LEAST_CONFORMANCE:.0%} is needed"


def _rejected(rows: Sequence[ValidationRow]) -> Iterator[str]:
    """The parser has removed these queries, so they say something about the generator, and nothing about the set."""
    share = conforming(rows)
    if share is not None and share < LEAST_CONFORMANCE:
        yield f"V14: {1 - share:.1%} of what the generator wrote was rejected"


def conforming(rows: Sequence[ValidationRow]) -> float | None:
    """The share of the generator's queries that the parser accepted; None if it is not known."""
    return _share(rows, "accepted")


def _share(rows: Sequence[ValidationRow], statistic: str) -> float | None:
    return next((row.levels.get("synthetic") for row in _of(rows, "V14") if row.statistic == statistic), None)


def _teacher(rows: Sequence[ValidationRow]) -> Iterator[str]:
    if any(row.parts.get("leads") is False for row in _of(rows, "V11")):
        yield "V11: the teacher is not ahead of the student on real judgments, so its labels teach a student nothing"


def _overlapping(rows: Sequence[ValidationRow]) -> str:
    """In words, that synthetic queries overlap significantly more with their documents than real ones."""
    row = next((row for row in _of(rows, "V2") if _higher(row)), None)
    if row is None:
        return ""
    own, real = row.levels["synthetic"], row.levels["real"]
    statistic = row.name.split(": ")[-1]
    return f", and synthetic ones overlap more with their documents ({statistic} {own:.0%} against {real:.0%})"


def _higher(row: ValidationRow) -> bool:
    own, real = row.levels.get("synthetic"), row.levels.get("real")
    return own is not None and real is not None and own > real and row.above_floor is True


def _auc(rows: Sequence[ValidationRow]) -> float | None:
    return next((row.value for row in _of(rows, "V6") if row.value is not None), None)


def _removed(rows: Sequence[ValidationRow]) -> Iterator[str]:
    for row in _of(rows, "V13"):
        removed, unseen = row.parts.get("removed", 0), row.parts.get("unseen", ())
        if removed and not row.value:
            yield f"V13: {removed:,} evaluation queries were among the synthetic ones and were removed"
        if unseen:
            yield f"V13: results are stored on {', '.join(unseen)}, but their queries are not in the workspace"


def _separable(rows: Sequence[ValidationRow]) -> Iterator[str]:
    auc = _auc(rows)
    if auc is not None and auc > SUSPICIOUS:
        yield f"V6: a classifier separates synthetic from real queries (AUC {auc:.2f}){_overlapping(rows)}"


def _differences(rows: Sequence[ValidationRow]) -> Iterator[str]:
    far = _ids(row for row in rows if beyond_scale(row))
    above = _ids(row for row in rows if row.above_floor and row.id not in far)
    if far:
        yield f"as far from real queries as another domain's: {', '.join(far)}"
    if above:
        yield f"further from real queries than halves of those are from each other: {', '.join(above)}"


_ALONE = ("V13", "V14", "V15")
"""Measures without a comparison with real queries."""
Verdict = Literal["same", "differs", "far", "fault", "told", "unknown"]


def verdict(row: ValidationRow) -> Verdict:
    """The verdict on a row. `same`: not above the floor. `far`: at least as far as another domain. `differs`: between
    the two. `fault`: a named fault (V15). `told`: a figure without a floor. `unknown`: no figure."""
    if row.parts.get("found"):
        return "fault"
    if row.value is None:
        return "told" if row.id in _ALONE and any(level is not None for level in row.levels.values()) else "unknown"
    if row.above_floor is None:
        return "told"
    return "far" if beyond_scale(row) else "differs" if row.above_floor else "same"


def beyond_scale(row: ValidationRow) -> bool:
    """Whether the value is above its floor and at least the scale. A scale within the floor does not count, because
    then the measure cannot distinguish the other domain."""
    if not row.above_floor or row.value is None or row.scale is None or row.floor_high is None:
        return False
    return row.value >= row.scale > row.floor_high


def _not_measured(rows: Sequence[ValidationRow]) -> Iterator[str]:
    known = {row.id for row in rows if row.value is not None or verdict(row) in ("told", "fault")}
    if missing := [id for id in _ids(rows) if id not in known]:
        yield f"not compared with real queries, or not measured: {', '.join(missing)}"
    for note, kinds in _unread(rows).items():
        yield f"V15: not read: {', '.join(kinds)} ({note})"


def _unread(rows: Sequence[ValidationRow]) -> dict[str, list[str]]:
    """The kinds of faults that were not looked for, by the reason. `form` needs real queries, like the other
    measures."""
    unread: dict[str, list[str]] = {}
    for row in _of(rows, "V15"):
        kind = row.statistic
        if row.note and not any(level is not None for level in row.levels.values()) and kind != "form":
            unread.setdefault(row.note.removeprefix("not read: "), []).append(kind)
    return unread


def _ids(rows: Iterator[ValidationRow] | Sequence[ValidationRow]) -> list[str]:
    return list(dict.fromkeys(row.id for row in rows))
