"""The formats of files with answers, recognised by their fields, and how a row of each becomes an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.citing.answers import Answer, CitedReference
from harness.citing.reading.expertqa import of_expertqa
from harness.citing.reading.rows import AnswerRow, RefusedRow, as_object, as_text
from harness.citing.reading.trec_rag import of_trec

Passages = Mapping[str, CitedReference]
"""Documents by id, for files that name documents without their texts."""


@dataclass(frozen=True)
class Format:
    """A format of answers."""

    name: str
    recognises: Callable[[Mapping[str, Any]], bool]
    read: Callable[[AnswerRow, Passages], list[Answer]]
    """The answers of a row, one or more. Raises `RefusedRow`."""
    keyed: bool = True
    """Whether rows have ids. Rows without ids are named by their number, if no row of the file has one."""


def of_own(row: AnswerRow, passages: Passages) -> list[Answer]:
    """A row of our own format, or of WebGLM-QA, which has no ids.

    Raises:
        RefusedRow: a field is missing or has another type, or a reference has no text.
    """
    listed = row.fields.get("references")
    if not isinstance(listed, list):
        raise RefusedRow("the field 'references' is missing or no list; write a list of texts or objects")
    references = tuple(_reference(one, at, passages) for at, one in enumerate(listed, 1))
    short = tuple(_ways(one, at) for at, one in enumerate(row.items("short_answers"), 1))
    return [
        Answer(
            row.identifier("id") or "", row.text("question", "query"), row.text("answer"), references, short,
            row.texts("sub_claims"), row.texts("long_answers"), row.optional_text("language"), row.where,
        )
    ]  # fmt: skip


def _reference(value: object, number: int, passages: Passages) -> CitedReference:
    """A text, an object with a text, or an object with the id of a passage."""
    if isinstance(value, str):
        return _with_text(CitedReference(value), number)
    fields = AnswerRow("", number, as_object(value, f"reference {number}"))
    id, text = fields.identifier("id", "_id", "docid") or "", fields.optional_text("text")
    known = passages.get(id)
    if text is None and known is not None:
        return known
    return _with_text(CitedReference(text or "", fields.optional_text("title") or "", id), number)


def _with_text(reference: CitedReference, number: int) -> CitedReference:
    if not reference.text.strip():
        raise RefusedRow(f"reference {number} has no text; add it, or give its passage")
    return reference


def _ways(value: object, number: int) -> tuple[str, ...]:
    """The ways to write a short answer: a list of texts, or one text."""
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list) or not value:
        raise RefusedRow(f"item {number} of 'short_answers' is no list of texts")
    return tuple(as_text(one, f"item {number} of 'short_answers'") for one in value)


def of_alce(row: AnswerRow, _: object = None) -> list[Answer]:
    """An item of ALCE's result files. Documents that were extracted (`sent`) are read as ALCE's eval.py reads them.

    Raises:
        RefusedRow: a field is missing or has another type.
    """
    if isinstance(row.fields.get("output"), list):
        raise RefusedRow("the field 'output' has several answers; write one item for each")
    documents = [AnswerRow("", at, as_object(one, f"document {at}")) for at, one in enumerate(row.items("docs"), 1)]
    references = tuple(_with_text(_document(one), one.number) for one in documents)
    pairs = [as_object(one, f"item {at} of 'qa_pairs'") for at, one in enumerate(row.items("qa_pairs"), 1)]
    short = tuple(_ways(one.get("short_answers"), at) for at, one in enumerate(pairs, 1))
    notes = [as_object(one, f"item {at} of 'annotations'") for at, one in enumerate(row.items("annotations"), 1)]
    long = tuple(as_text(one.get("long_answer"), "a 'long_answer'") for one in notes)
    alone = row.fields.get("answer")
    return [
        Answer(
            row.identifier("sample_id", "id") or "", row.text("question"), row.text("output"), references, short,
            row.texts("claims"), long or ((alone,) if isinstance(alone, str) else ()), None, row.where,
        )
    ]  # fmt: skip


def of_demonstration(row: AnswerRow, _: object = None) -> list[Answer]:
    """A demonstration of ALCE's prompts: the answer that people wrote, with its documents.

    Raises:
        RefusedRow: a field is missing or has another type.
    """
    documents = [AnswerRow("", at, as_object(one, f"document {at}")) for at, one in enumerate(row.items("docs"), 1)]
    references = tuple(_with_text(_document(one), one.number) for one in documents)
    return [Answer(row.identifier("id") or "", row.text("question"), row.text("answer"), references, where=row.where)]


def _document(fields: AnswerRow) -> CitedReference:
    return CitedReference(
        fields.text("sent", "text"), fields.optional_text("title") or "", fields.identifier("id") or ""
    )


def _has(*names: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda fields: all(name in fields for name in names)


def _is_trec(fields: Mapping[str, Any]) -> bool:
    return "references" in fields and any(isinstance(fields.get(name), list) for name in ("answer", "responses"))


FORMATS = (
    Format("ALCE", _has("output", "docs"), of_alce, keyed=False),
    Format("ALCE demonstrations", _has("question", "answer", "docs"), of_demonstration, keyed=False),
    Format("ExpertQA", lambda fields: isinstance(fields.get("answers"), dict), of_expertqa, keyed=False),
    Format("TREC RAG", _is_trec, of_trec),
    Format("answers", _has("id", "answer", "references"), of_own),
    Format("WebGLM-QA", _has("question", "answer", "references"), of_own, keyed=False),
)
"""Tried in this order."""
