"""Reads the record of an adaptation: as it was written, or not at all."""

from __future__ import annotations

from pathlib import Path

from adapters.errors import DataError
from harness.adaptation.record import Record
from harness.adaptation.typed_json import Place, read_object, typed
from harness.adaptation.vocabulary import ANCHOR, FILE, FIRST_STAGE, VERSION


def read_record(path: Path) -> Record:
    """Read a record, from its file or from the folder of the loop.

    Raises:
        DataError: it is not there, is damaged, contradicts itself, or is of another version.
    """
    file = path / FILE if path.is_dir() else path
    if not file.is_file():
        raise DataError(f"{file}: there is no record; `harness train adapt` writes one into its --out")
    content, top = read_object(file), Place(file)
    if content.get("version") != VERSION:
        raise DataError(f"{file}: 'version' is {content.get('version')!r}; this program reads {VERSION}")
    found: Record = typed(Record, content, top)
    _check_base(found, top)
    _check_arms(found, top)
    _check_scores(found, top)
    _check_accepted(found, top)
    return found


def _check_base(found: Record, top: Place) -> None:
    at = top.of("base").of("name")
    typed(str, found.base["name"] if "name" in found.base else at.damaged("is missing"), at)


def _check_arms(found: Record, top: Place) -> None:
    names = [one.name for one in found.arms]
    for number, name in enumerate(names):
        if name in names[:number]:
            top.of("arms").row(number).of("name").damaged(f"'{name}' is there twice")


def _check_scores(found: Record, top: Place) -> None:
    known = {*(one.name for one in found.arms), FIRST_STAGE, ANCHOR, *found.teacher_arms}
    seen = set()
    for number, one in enumerate(found.scores):
        at = top.of("scores").row(number)
        if one.arm not in known:
            at.of("arm").damaged(f"'{one.arm}' is no arm of this record")
        if (one.arm, one.tier, one.collection) in seen:
            at.damaged("is there twice")
        seen.add((one.arm, one.tier, one.collection))


def _check_accepted(found: Record, top: Place) -> None:
    at = top.of("accepted")
    if found.accepted is not None and found.accepted not in {one.name for one in found.arms}:
        at.damaged(f"'{found.accepted}' is no arm of this record")
    if (found.state == "accepted") != (found.accepted is not None):
        at.damaged(f"and the state '{found.state}' contradict each other")
