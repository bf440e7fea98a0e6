"""V15: all named faults of a set of queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from training.validating.faults.artefacts import artefacts
from training.validating.faults.background import Background
from training.validating.faults.copies import copies, phrase, repeated
from training.validating.faults.fault import KINDS, Fault
from training.validating.faults.forms import forms, one_form
from training.validating.faults.languages import across, other_language
from training.validating.faults.pairing import pairs
from training.validating.faults.reading import Reading
from training.validating.faults.wording import random_words, truncated
from training.validating.measured import LEAST, Name, ValidationRow
from training.validating.sets import Sets

_FOREIGN = "not read: the queries are in another language than the documents"


def measure(sets: Sets, corpus: Sequence[str] = ()) -> list[ValidationRow]:
    """One row for each kind of fault, with the share of the queries that have it. There is no distance and no floor.
    `parts`: `kind`, `found`, `blocks` and `line`, the fault in words.

    Args:
        corpus: the documents that show what the language is like. Default: those of the synthetic queries.
    """
    names = {kind: Name("V15", "named fault", kind, "share") for kind in KINDS}
    if len(sets.synthetic) < LEAST:
        note = f"not read: there are {len(sets.synthetic)} synthetic queries, but {LEAST} are needed"
        return [_row(names[kind], Fault(kind, None, line=note), sets) for kind in KINDS]
    background = Background.of(corpus or sets.synthetic.documents or (), sets.synthetic.language)
    return [_row(names[one.kind], one, sets) for one in faults(sets, background)]


def faults(sets: Sets, background: Background, real_background: Background | None = None) -> list[Fault]:
    """What each rule says of the synthetic queries, in the order of `KINDS`.

    Args:
        background: counts of the synthetic queries' corpus.
        real_background: counts of the real queries' corpus. Default: of their documents.
    """
    own = Reading(sets.synthetic, background, sets.synthetic.language)
    real = None
    if sets.real is not None and len(sets.real) >= LEAST:
        language = sets.real.language or sets.synthetic.language
        real = Reading(sets.real, real_background or Background.of(sets.real.documents or (), language), language)
    found = [repeated(own, real), other_language(own, real), copies(own, real), *_of_words(own, real, sets.seed)]
    found += [one_form(own, real), forms(own, real), phrase(own, real), artefacts(own, real)]
    by_kind = {one.kind: one for one in _independent(found)}
    return [by_kind[kind] for kind in KINDS]


def _of_words(own: Reading, real: Reading | None, seed: int) -> list[Fault]:
    """The rules that compare the words of queries with those of the documents."""
    if not across(own):
        return [pairs(own, real, seed), random_words(own, real, seed), truncated(own, real)]
    has_vectors = own.whole.document_vectors is not None
    first = pairs(own, real, seed) if has_vectors else Fault("pairs", None, line=_FOREIGN)
    return [first, *(Fault(kind, None, line=_FOREIGN) for kind in KINDS if kind in ("random words", "truncated"))]


def _independent(found: list[Fault]) -> list[Fault]:
    """Random words fit no document, so they are one fault and not two."""
    if any(one.kind == "random words" and one.found for one in found):
        return [replace(one, found=False) if one.kind in ("pairs", "truncated") else one for one in found]
    return found


def _row(name: Name, fault: Fault, sets: Sets) -> ValidationRow:
    levels = {sets.synthetic.name: fault.share}
    if sets.real is not None:
        levels[sets.real.name] = fault.real
    parts = {"kind": fault.kind, "found": fault.found, "blocks": fault.blocks, "line": fault.line}
    note = fault.line if fault.found or fault.share is None else ""
    return ValidationRow(name.id, name.name, name.statistic, name.unit, levels=levels, note=note, parts=parts)
