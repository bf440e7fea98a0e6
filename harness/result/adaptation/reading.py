"""Reads the record of an adaptation. A damaged record is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from adapters.errors import DataError, UsageError
from adapters.typed_file import read_json
from adapters.typed_values import Place, typed
from adapters.typed_words import shown
from harness.result.adaptation.record import AdaptationRecord
from harness.result.adaptation.vocabulary import ANCHOR, FILE, FIRST_STAGE, VERSION

_ADVICE = "the file is damaged or not a record of this version"


def read_record(path: Path) -> AdaptationRecord:
    """Read a record, from its file or from the folder of the run.

    Raises:
        UsageError: there is no record.
        DataError: the record is damaged, inconsistent, or of another version.
    """
    file = path / FILE if path.is_dir() else path
    if not file.is_file():
        raise UsageError(f"{file}: no such record; `harness train adapt` writes one into its --out")
    content = read_json(file, dict, error=DataError, advice=_ADVICE)
    top = Place(str(file), error=DataError, advice=_ADVICE, table="object", complete=True)
    version = content.get("version")
    if version not in (1, VERSION) or isinstance(version, bool):
        raise DataError(f"{file}: version: {shown(version)} is not allowed; this program reads 1 and {VERSION}")
    found = typed(AdaptationRecord, _of_now(content) if version == 1 else content, top)
    _check_base(found, top)
    _check_arms(found, top)
    _check_scores(found, top)
    _check_accepted(found, top)
    return _without_claims_of_singles(found)


def _of_now(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record of version 1 in today's format. Its claims have only p-values that Holm's method corrected."""
    claims = content.get("claims")
    if not isinstance(claims, list):
        return {**content, "version": VERSION}
    moved = [_claim_of_now(one, len(claims)) if isinstance(one, dict) and "p" in one else one for one in claims]
    return {**content, "claims": moved, "version": VERSION}


def _claim_of_now(claim: Mapping[str, Any], family: int) -> dict[str, Any]:
    return {**claim, "p": None, "adjusted_p": claim["p"], "family": family}


def _without_claims_of_singles(found: AdaptationRecord) -> AdaptationRecord:
    """Withdraw what earlier versions claimed about merging for an arm that is no merge."""
    singles = {one.name: one.twin for one in found.arms if one.twin is not None}
    claims = tuple(
        replace(one, holds=False, told=f"{one.told}; but {one.winner} is {singles[one.winner]}, so it is no merge")
        if one.claim == "merging" and one.holds and one.winner in singles else one
        for one in found.claims
    )  # fmt: skip
    if claims == found.claims:
        return found
    names = tuple(f"merging helped: {name} is " for name in singles)
    kept = (one for one in found.reasons if not one.startswith(names))
    return replace(found, claims=claims, reasons=(*kept, "merging is not claimed: an arm that is a single is no merge"))


def _check_base(found: AdaptationRecord, top: Place) -> None:
    at = top.key("base").key("name")
    typed(str, found.base["name"] if "name" in found.base else at.refuse("is missing"), at)


def _check_arms(found: AdaptationRecord, top: Place) -> None:
    names = [one.name for one in found.arms]
    for number, name in enumerate(names):
        if name in names[:number]:
            top.key("arms").row(number).key("name").refuse(f"'{name}' occurs twice")


def _check_scores(found: AdaptationRecord, top: Place) -> None:
    known = {*(one.name for one in found.arms), FIRST_STAGE, ANCHOR, *found.teacher_arms}
    seen = set()
    for number, one in enumerate(found.scores):
        at = top.key("scores").row(number)
        if one.arm not in known:
            at.key("arm").refuse(f"'{one.arm}' is not an arm of this record")
        if (one.arm, one.tier, one.collection) in seen:
            at.refuse("occurs twice")
        seen.add((one.arm, one.tier, one.collection))


def _check_accepted(found: AdaptationRecord, top: Place) -> None:
    at = top.key("accepted")
    if found.accepted is not None and found.accepted not in {one.name for one in found.arms}:
        at.refuse(f"'{found.accepted}' is not an arm of this record")
    if (found.state == "accepted") != (found.accepted is not None):
        at.refuse(f"contradicts the state '{found.state}'")
