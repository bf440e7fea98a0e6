"""Every measure of a validation in its turn. One that lacks something is a row that says what to name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from harness.data.collection import Collection
from harness.scoring.session import Session
from training.validating import (
    classifier,
    conformance,
    coverage,
    difficulty,
    distance,
    diversity,
    form,
    length,
    overlap,
    realism,
    similarity,
    teacher,
)
from training.validating.measured import ValidationRow
from training.validating.sets import Sets
from training.validating.settings import ValidationSettings
from training.validating.vectors import embedded

_VECTORS = ("V5", "V7", "V10")


@dataclass(frozen=True)
class Asks:
    """What a row that lacks something asks its reader for."""

    real: str = "--real"
    embedder: str = "--embedder"
    teacher: str = "--teacher"
    student: str = "--student"


@dataclass(frozen=True)
class Case:
    """What is held against what."""

    sets: Sets
    """Without evaluation queries, without vectors."""
    corpus: Collection
    real: Collection | None
    """For V11, with its judgments."""
    cleaned: Mapping[str, Any]
    """The manifest of the stage that took evaluation queries out, with the facts of synthesis."""
    wishes: ValidationSettings
    kept: bool
    """Whether the set without evaluation queries is the one that is kept."""
    asks: Asks = field(default_factory=Asks)
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    """Measures that are taken elsewhere, by id, and where. Their rows say so, and are no part of the decision."""


def measures(case: Case, session: Session) -> Iterator[ValidationRow]:
    """V1 to V11, V13 and V14, in that order."""
    sets = embedded(case.sets, case.wishes.embedder, case.corpus, session)
    turns: tuple[Callable[[], Sequence[ValidationRow]], ...] = (
        lambda: length.measure(sets, *_window(case.cleaned)),
        lambda: overlap.measure(sets),
        lambda: form.measure(sets),
        lambda: realism.measure(sets),
        lambda: distance.measure(sets),
        lambda: classifier.measure(sets),
        lambda: coverage.measure(sets),
        lambda: diversity.measure(sets),
        lambda: difficulty.measure(sets, case.corpus, case.wishes.stages, session, depth=case.wishes.depth),
        lambda: _similarity(sets, case, session),
        lambda: _teacher(sets, case, session),
        lambda: leak_rows(case.cleaned, kept=case.kept),
        lambda: conformance.measure(sets, case.cleaned.get("conformance")),
    )
    with session.reporter.stage("measures", len(turns)) as advance:
        for turn in turns:
            yield from (_hinted(row, case) for row in turn())
            advance(1)


def leak_rows(cleaned: Mapping[str, Any], *, kept: bool) -> list[ValidationRow]:
    """V13: evaluation queries that stand in the set, and evaluation documents that stand in the corpus."""
    removed = int(cleaned["removed"])
    nothing = not cleaned["known_texts"]
    told = f"{removed:,} of {cleaned['asked']:,} taken out, {cleaned['removed_exactly']:,} of them word for word"
    if nothing:
        told = "the workspace knows no evaluation query, so none was looked for"
    parts = {name: cleaned[name] for name in ("removed", "removed_exactly", "known_texts", "collections", "unseen")}
    shared = cleaned["shared_documents"] or []
    return [
        ValidationRow(
            "V13", "leak", "evaluation queries in the set", "queries", note=told, parts=parts,
            value=None if nothing else 0.0 if kept else float(removed),
        ),
        ValidationRow(
            "V13", "leak", "evaluation documents in the corpus", "share", parts={"shared": shared},
            note="declared, not judged: an adapted student has seen these documents",
            levels={one["collection"]: one["share"] for one in shared},
        ),
    ]  # fmt: skip


def _window(cleaned: Mapping[str, Any]) -> tuple[tuple[int, int] | None, str]:
    """The length that the prompt profile wants, where the queries come with one."""
    profile = cleaned.get("profile_settings")
    if not profile:
        return None, "words"
    return (int(profile["shortest"]), int(profile["longest"])), str(profile["unit"])


def _similarity(sets: Sets, case: Case, session: Session) -> list[ValidationRow]:
    if case.wishes.embedder is None:
        return similarity.measure(sets)
    return similarity.measure(sets, case.corpus, case.wishes.embedder, session, depth=case.wishes.depth)


def _teacher(_: Sets, case: Case, session: Session) -> list[ValidationRow]:
    wishes = case.wishes
    if case.real is None or not wishes.teachers:
        return [ValidationRow("V11", "teacher on real judgments", "nDCG@10", "share")]
    return teacher.measure(
        case.real, wishes.teachers, wishes.stages[0], session,
        student=wishes.student, depth=wishes.depth, max_length=wishes.max_length,
    )  # fmt: skip


def _hinted(row: ValidationRow, case: Case) -> ValidationRow:
    """The row, with what it lacks."""
    if row.id in case.elsewhere:
        return replace(row, note=case.elsewhere[row.id])
    wishes, asks = case.wishes, case.asks
    lacks = (
        (asks.real, case.sets.real is None and row.id not in ("V13", "V14")),
        (asks.embedder, wishes.embedder is None and row.id in _VECTORS),
        (asks.teacher, not wishes.teachers and row.id == "V11"),
        (asks.student, wishes.student is None and row.id == "V11" and "student" in row.statistic),
    )
    missing = [what for what, is_lacking in lacks if is_lacking]
    if row.value is not None or not missing:
        return row
    return replace(row, note="; ".join(filter(None, (f"needs {' and '.join(missing)}", row.note))))
