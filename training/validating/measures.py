"""Run all measures of a validation. A measure that lacks something gives a row that says what to add."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from harness.data.collection import Collection
from harness.scoring.session import Session
from training.synthesis.profiles import Profile, load_profile
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
from training.validating.faults import find
from training.validating.faults.background import read_evenly
from training.validating.measured import ValidationRow
from training.validating.sets import Sets
from training.validating.settings import ValidationSettings
from training.validating.topics import with_topics
from training.validating.vectors import embedded

_VECTORS = ("V5", "V7", "V10")


@dataclass(frozen=True)
class Asks:
    """The names of missing inputs in notes."""

    real: str = "--real"
    embedder: str = "--embedder"
    teacher: str = "--teacher"
    student: str = "--student"


@dataclass(frozen=True)
class Case:
    """The inputs of a validation."""

    sets: Sets
    """The compared sets, without evaluation queries and without vectors."""
    corpus: Collection
    real: Collection | None
    """The real collection with its judgments, for V11."""
    cleaned: Mapping[str, Any]
    """The manifest of the stage that removed evaluation queries, with the facts of synthesis."""
    settings: ValidationSettings
    kept: bool
    """Whether the set without evaluation queries is written."""
    asks: Asks = field(default_factory=Asks)
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    """Notes for measures that are taken elsewhere, by id. Their rows have the note and do not affect the decision."""


def measures(case: Case, session: Session) -> Iterator[ValidationRow]:
    """V1 to V11 and V13 to V15, in that order."""
    sets = with_topics(embedded(case.sets, case.settings.embedder, case.corpus, session))
    turns: tuple[Callable[[], Sequence[ValidationRow]], ...] = (
        lambda: length.measure(sets, *_window(case.cleaned)),
        lambda: overlap.measure(sets),
        lambda: form.measure(sets),
        lambda: realism.measure(sets),
        lambda: distance.measure(sets),
        lambda: classifier.measure(sets),
        lambda: coverage.measure(sets),
        lambda: diversity.measure(sets),
        lambda: difficulty.measure(sets, case.corpus, case.settings.stages, session, depth=case.settings.depth),
        lambda: _similarity(sets, case, session),
        lambda: _teacher(sets, case, session),
        lambda: leak_rows(case.cleaned, kept=case.kept),
        lambda: conformance.measure(sets, case.cleaned.get("conformance"), _profile(case.settings)),
        lambda: find.measure(sets, read_evenly(case.corpus.corpus)),
    )
    with session.reporter.stage("measures", len(turns)) as advance:
        for turn in turns:
            yield from (_hinted(row, case) for row in turn())
            advance(1)


def leak_rows(cleaned: Mapping[str, Any], *, kept: bool) -> list[ValidationRow]:
    """V13: the number of evaluation queries in the set, and the shares of evaluation documents in the corpus."""
    removed = int(cleaned["removed"])
    nothing = not cleaned["known_texts"]
    note = f"{removed:,} of {cleaned['asked']:,} removed, {cleaned['removed_exactly']:,} of them word for word"
    if by_vectors := ", ".join(map(_smallest, cleaned.get("cosines", ()))):
        note = f"{note}; found by vectors from a cosine of {by_vectors}"
    if nothing:
        note = "the workspace has no evaluation queries, so there was no search"
    parts = {name: cleaned[name] for name in ("removed", "removed_exactly", "known_texts", "collections", "unseen")}
    parts["cosines"] = cleaned.get("cosines", [])
    shared = cleaned["shared_documents"] or []
    return [
        ValidationRow(
            "V13", "leak", "evaluation queries in the set", "queries", note=note, parts=parts,
            value=None if nothing else 0.0 if kept else float(removed),
        ),
        ValidationRow(
            "V13", "leak", "evaluation documents in the corpus", "share", parts={"shared": shared},
            note="for information only: an adapted student has seen these documents",
            levels={one["collection"]: one["share"] for one in shared},
        ),
    ]  # fmt: skip


def _smallest(pair: Mapping[str, Any]) -> str:
    """A smallest cosine with its languages, such as `0.95 (en)` or `0.88 (de, of en)`; none if both
    are unknown."""
    asked, known = pair["asked"], pair["known"]
    languages = known if asked == known else f"{asked or 'unknown'}, of {known or 'unknown'}"
    return f"{pair['cosine']:.2f}" + (f" ({languages})" if languages else "")


def _window(cleaned: Mapping[str, Any]) -> tuple[tuple[int, int] | None, str]:
    """The window of lengths of the profile, with its unit; None if the queries have no profile."""
    profile = cleaned.get("profile_settings")
    if not profile:
        return None, "words"
    return (int(profile["shortest"]), int(profile["longest"])), str(profile["unit"])


def _profile(settings: ValidationSettings) -> Profile | None:
    return None if settings.profile is None else load_profile(settings.profile)


def _similarity(sets: Sets, case: Case, session: Session) -> list[ValidationRow]:
    if case.settings.embedder is None:
        return similarity.measure(sets)
    return similarity.measure(sets, case.corpus, case.settings.embedder, session, depth=case.settings.depth)


def _teacher(_: Sets, case: Case, session: Session) -> list[ValidationRow]:
    settings = case.settings
    if case.real is None or not settings.teachers:
        return [ValidationRow("V11", "teacher on real judgments", "nDCG@10", "share")]
    return teacher.measure(
        case.real, settings.teachers, settings.stages[0], session,
        student=settings.student, depth=settings.depth, max_length=settings.max_length,
    )  # fmt: skip


def _hinted(row: ValidationRow, case: Case) -> ValidationRow:
    """The row with a note about missing inputs."""
    if row.id in case.elsewhere:
        return replace(row, note=case.elsewhere[row.id])
    settings, asks = case.settings, case.asks
    lacks = (
        (asks.real, case.sets.real is None and row.id not in ("V13", "V14", "V15")),
        (asks.embedder, settings.embedder is None and row.id in _VECTORS),
        (asks.teacher, not settings.teachers and row.id == "V11"),
        (asks.student, settings.student is None and row.id == "V11" and "student" in row.statistic),
    )
    missing = [what for what, is_lacking in lacks if is_lacking]
    if row.value is not None or not missing:
        return row
    return replace(row, note="; ".join(filter(None, (f"needs {' and '.join(missing)}", row.note))))
