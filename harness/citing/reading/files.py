"""A file of answers: its format is recognised, bad rows are counted and named, and ids are held apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from adapters.errors import DataError
from harness.citing.answers import Answer, CitedReference
from harness.citing.reading.formats import FORMATS, Format, Passages
from harness.citing.reading.rows import AnswerRow, BadRow, RefusedRow, rows_of
from harness.data.sources.record_fields import DOCUMENT_IDS, DOCUMENT_TEXTS


@dataclass(frozen=True)
class AnswerFile:
    """What was read from a file."""

    path: Path
    format: str
    answers: tuple[Answer, ...]
    bad: tuple[BadRow, ...]
    """The rows that are not used, in the order of the file."""


def read_answers(path: Path, passages: Passages | None = None) -> AnswerFile:
    """Read a file of answers in any of `FORMATS`.

    Args:
        passages: documents by id, for TREC's files, which have no texts.

    Raises:
        UsageError: there is no such file.
        DataError: the file has no row that can be used, or no known format.
    """
    rows = list(rows_of(path))
    form = _format_of(rows, path)
    found, bad = list[Answer](), [row for row in rows if isinstance(row, BadRow)]
    for row in rows:
        if isinstance(row, AnswerRow):
            try:
                found += _read(row, form, passages or {})
            except RefusedRow as error:
                bad.append(BadRow(row.where, str(error)))
    answers, repeated = _apart(_named(found, form))
    order = {row.where: at for at, row in enumerate(rows)}
    bad = sorted([*bad, *repeated], key=lambda one: order[one.where])
    if not answers:
        raise DataError(f"{path}: no row of {len(rows):,} can be used; the first: {bad[0]}")
    return AnswerFile(path, form.name, answers, tuple(bad))


def _format_of(rows: list[AnswerRow | BadRow], path: Path) -> Format:
    """The first format that recognises any row, in the order of the rows."""
    for row in rows:
        form = next((one for one in FORMATS if isinstance(row, AnswerRow) and one.recognises(row.fields)), None)
        if form is not None:
            return form
    first = next((row for row in rows if isinstance(row, AnswerRow)), None)
    known = ", ".join(form.name for form in FORMATS)
    if first is None:
        raise DataError(f"{path}: no row can be read; the first: {rows[0]}" if rows else f"{path}: the file is empty")
    fields = ", ".join(first.fields)[:200]
    raise DataError(f"{first.where}: the fields ({fields}) are of no known format ({known}); write 'id', 'question', "
                    "'answer' and 'references'")  # fmt: skip


def _read(row: AnswerRow, form: Format, passages: Passages) -> list[Answer]:
    if not form.recognises(row.fields):
        fields = ", ".join(row.fields)[:200] or "none"
        raise RefusedRow(f"the fields ({fields}) are not those of the rows before, which are of the format {form.name}")
    return form.read(row, passages)


def _named(answers: list[Answer], form: Format) -> list[Answer]:
    """Name answers by their places if the format has no ids and no answer has one."""
    if form.keyed or any(one.id for one in answers):
        return answers
    return [replace(one, id=str(at)) for at, one in enumerate(answers, 1)]


def _apart(answers: list[Answer]) -> tuple[tuple[Answer, ...], list[BadRow]]:
    """The answers whose id no other answer has, and the others as bad rows: nothing says which of them is right."""
    times = Counter(one.id for one in answers)
    bad = [
        BadRow(one.where, f"the id {one.id!r} occurs {times[one.id]} times; give every answer its own")
        if one.id
        else BadRow(one.where, "there is no id; give every answer its own")
        for one in answers
        if times[one.id] > 1 or not one.id
    ]
    return tuple(one for one in answers if times[one.id] == 1 and one.id), bad


def read_passages(path: Path) -> Mapping[str, CitedReference]:
    """Read documents by id from JSON lines, such as MS MARCO V2.1's segments: an id, a text, a title if there is one.

    Raises:
        UsageError: there is no such file.
        DataError: a row has no id or no text, or an id occurs twice.
    """
    found = dict[str, CitedReference]()
    for row in rows_of(path):
        if isinstance(row, BadRow):
            raise DataError(str(row))
        try:
            id, text = row.identifier(*DOCUMENT_IDS), row.text(*DOCUMENT_TEXTS)
            title = row.optional_text("title") or ""
        except RefusedRow as error:
            raise DataError(f"{row.where}: {error}") from None
        if id is None or id in found:
            what = "there is no id" if id is None else f"the id {id!r} occurs twice"
            raise DataError(f"{row.where}: {what}; give every passage its own")
        found[id] = CitedReference(text, title, id)
    return found
