"""Rows of ExpertQA: an answer for each system, whose claims hold the texts of the cited pages and what experts say."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from harness.citing.answers import Answer, CitedReference
from harness.citing.marks import marks_of
from harness.citing.reading.rows import AnswerRow, RefusedRow, as_object, as_text

_EVIDENCE = re.compile(r"\[(\d{1,4})\]\s*(\S*)\s*(.*)", re.DOTALL)


def of_expertqa(row: AnswerRow, _: object = None) -> list[Answer]:
    """The answers of a row, one for each system, with the id `row number/system`. What experts said of each claim is
    kept in `people`.

    Raises:
        RefusedRow: a field is missing, or a page that the answer cites has no text, as in the answers of systems that
            give addresses only.
    """
    answers = as_object(row.fields["answers"], "the field 'answers'")
    if not answers:
        raise RefusedRow("the field 'answers' is empty; it has an answer for each system")
    return [_of_system(row, system, AnswerRow("", 0, as_object(one, system))) for system, one in answers.items()]


def _of_system(row: AnswerRow, system: str, fields: AnswerRow) -> Answer:
    text = fields.text("answer_string")
    claims = [as_object(one, f"claim {at}") for at, one in enumerate(fields.items("claims"), 1)]
    references = _references(fields.texts("attribution"), claims)
    cited = {number for mark in marks_of(text, len(references)) for number in mark.ids}
    bare = next((at for at, one in enumerate(references, 1) if at in cited and not one.text.strip()), None)
    if bare is not None:
        raise RefusedRow(f"{system}: page [{bare}] is cited and the row has no text of it, only its address")
    people = {"claims": [{key: value for key, value in one.items() if key != "evidence"} for one in claims]}
    for kept, one in zip(people["claims"], claims, strict=True):
        kept["evidence"] = [number for number, *_ in map(_evidence, one.get("evidence") or [])]
    return Answer(
        f"{row.number}/{system}", row.text("question"), text, references, language=None, where=row.where, people=people
    )


def _references(attribution: Sequence[str], claims: Sequence[Mapping[str, Any]]) -> tuple[CitedReference, ...]:
    """The pages in the order of their numbers, each with the longest text that any claim has of it."""
    found = dict[int, CitedReference]()
    every = [*attribution, *(one for claim in claims for one in claim.get("evidence") or [])]
    for number, address, text in map(_evidence, every):
        if number not in found or len(text) > len(found[number].text):
            found[number] = CitedReference(text, id=address)
    return tuple(found.get(number, CitedReference("")) for number in range(1, max(found, default=0) + 1))


def _evidence(value: object) -> tuple[int, str, str]:
    found = _EVIDENCE.match(as_text(value, "a piece of evidence"))
    if found is None:
        raise RefusedRow(f"a piece of evidence does not begin with its number in brackets: {str(value)[:60]!r}")
    return int(found[1]), found[2], found[3].strip()
