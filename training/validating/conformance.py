"""V14: the share of queries that keep to a profile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from adapters.errors import DataError
from adapters.typed_file import read_object
from adapters.typed_values import Count, typed
from training.synthesis.parser import REASONS, AnswerParser
from training.synthesis.profiles import Profile
from training.validating.measured import Name, ValidationRow
from training.validating.sets import Sets

KINDS: Mapping[str, tuple[str, ...]] = {
    "accepted": REASONS,
    "parsed": ("grammar", "refusal", "empty"),
    "in the language": ("wrong script", "wrong language"),
    "in the length window": ("too short", "too long"),
    "in the form": ("wrong form",),
    "no copy": ("echo", "copies the document", "copies a stretch", "overlaps too much"),
    "as many as wanted, and different": ("surplus", "duplicate"),
}
"""Demands on queries, with the reasons of the parser that violate them."""
IN_THE_SET = "in the set"
"""The row about the queries themselves, whoever wrote them."""
_ADVICE = "run `train synthesize` again"
_FILES = ("conformance.json", "manifest.json")


def measure(
    sets: Sets, conformance: Mapping[str, Any] | None = None, profile: Profile | None = None
) -> list[ValidationRow]:
    """The share of the generator's queries that keep to its profile, as a whole and for each demand; and with a profile
    the share of the set's queries that keep to it, whoever wrote them.

    A query is rejected for the first reason that is found, so a query that violates two demands counts against only one
    of them. There is no comparison with real queries, so rows have only levels. `parts` has the shares by reason.

    Args:
        conformance: the counts of `train synthesize`. None for queries that it did not write gives one row that says
            so, unless there is a profile.
        profile: the profile that the queries of the set are checked against, each with its document if it has one.

    Raises:
        DataError: the counts are not valid.
    """
    checked = [] if profile is None else [_checked(sets, profile)]
    if conformance is None and checked:
        return checked
    return [*_written(sets, conformance), *checked]


def _checked(sets: Sets, profile: Profile) -> ValidationRow:
    parser, own = AnswerParser(profile), sets.synthetic
    documents = own.documents or ("",) * len(own)
    found = Counter(parser.reason(text, document) for text, document in zip(own.texts, documents, strict=True))
    kept, rejected = found.pop(None, 0), {reason: count / len(own) for reason, count in found.most_common() if reason}
    kinds = ", ".join(f"{reason} {share:.0%}" for reason, share in rejected.items())
    note = f"{kept:,} of {len(own):,} queries keep to the profile {profile.name}{f'; {kinds}' if kinds else ''}"
    share = kept / len(own) if len(own) else None
    return _row(Name("V14", "conformance", IN_THE_SET, "share"), share, sets, note, {"rejected": rejected})


def _written(sets: Sets, conformance: Mapping[str, Any] | None) -> list[ValidationRow]:
    names = {kind: Name("V14", "conformance", kind, "share") for kind in KINDS}
    if conformance is None:
        return [
            _row(names["accepted"], None, sets, "not written by `train synthesize`: unknown; check them with --profile")
        ]
    counts = typed(_Counts, conformance, "conformance", error=DataError, advice=_ADVICE)
    rejected, came = counts.rejected, counts.accepted + sum(counts.rejected.values())
    note = f"{counts.accepted:,} of {came:,} written queries; {counts.missing:,} are missing"
    parts = {"rejected": {reason: number / came for reason, number in rejected.items()} if came else {}, "came": came}
    shares = {kind: 1 - sum(rejected.get(one, 0) for one in reasons) / came if came else None
              for kind, reasons in KINDS.items()}  # fmt: skip
    return [
        _row(name, shares[kind], sets, note if kind == "accepted" else "", parts if kind == "accepted" else {})
        for kind, name in names.items()
    ]


def conformance_of(folder: Path) -> dict[str, Any] | None:
    """The counts of `train synthesize` in a folder; None for a folder that it did not write.

    Raises:
        DataError: the file cannot be read.
    """
    for name in _FILES:
        file = folder / name
        if not file.is_file():
            continue
        read = read_object(file, advice=_ADVICE)
        found = read.get("conformance", {}) if name == "manifest.json" else read
        if not isinstance(found, dict):
            raise DataError(f"{file}: no counts of accepted and rejected queries; {_ADVICE}")
        if found:
            return found
    return None


def _row(
    name: Name, share: float | None, sets: Sets, note: str, parts: Mapping[str, Any] | None = None
) -> ValidationRow:
    levels = {sets.synthetic.name: share}
    return ValidationRow(name.id, name.name, name.statistic, name.unit, levels=levels, note=note, parts=parts or {})


@dataclass(frozen=True)
class _Counts:
    """The counts of `train synthesize`."""

    open_keys: ClassVar[bool] = True
    accepted: Count
    rejected: Mapping[Literal[REASONS], Count]  # type: ignore[valid-type]
    missing: Count = 0
