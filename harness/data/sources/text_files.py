"""Read files of documents and queries in all supported forms. The first line shows the form of a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Literal

from adapters.errors import DataError
from harness.data.sources.dirt import Dirt
from harness.data.sources.jsonl import CollectionFiles, JsonLine, lines, records
from harness.data.sources.record_fields import documents_of, queries_of
from harness.data.sources.tab_columns import text_columns
from harness.data.sources.texts import Row
from harness.data.sources.trec_text import tagged_documents, tagged_topics, with_text, xml_topics

Form = Literal["json", "trec-documents", "trec-topics", "xml-topics", "tabs"]
_SIGNS: tuple[tuple[str, Form], ...] = (
    (r"[{\[]", "json"),
    (r"<DOC>", "trec-documents"),
    (r"<top>", "trec-topics"),
    (r"<\?xml|<topics?\b|<!--", "xml-topics"),
    (r"[^\t]*\t", "tabs"),
)
_Tagged = Callable[[Iterable[tuple[int, str]], str], Iterator[JsonLine]]
_DOCUMENTS: dict[Form | None, _Tagged] = {"tabs": text_columns, "trec-documents": tagged_documents}
_TOPICS: dict[Form | None, _Tagged] = {"trec-topics": tagged_topics, "xml-topics": xml_topics}
_KNOWN = "objects of JSON, id and text with a tab between them, or TREC's"


def form_of(place: CollectionFiles, name: str) -> Form | None:
    """The form of a file, by its first line; None for an unknown form and for an empty file.

    Raises:
        DataError: the file cannot be read.
    """
    first = next((line.lstrip(" ") for _, line in lines(place, name)), "")
    return next((form for sign, form in _SIGNS if re.match(sign, first, re.IGNORECASE)), None)


def read_documents(place: CollectionFiles, names: Sequence[str], dirt: Dirt) -> Iterator[Row]:
    """The documents of the files of a corpus, one file after the other.

    Raises:
        DataError: a file has an unknown form, or a document cannot be trusted; the message names file and line.
    """
    for name in names:
        file, form = place.label(name), form_of(place, name)
        if form not in (*_DOCUMENTS, "json", None):
            raise DataError(f"{file}:1: topics, not documents; write {_KNOWN} <DOC> elements")
        if form is None and any(True for _ in lines(place, name)):
            raise DataError(f"{file}:1: not a known form of a corpus; write {_KNOWN} <DOC> elements")
        found = _DOCUMENTS[form](lines(place, name), file) if form in _DOCUMENTS else records(place, name)
        for line, identifier, text in documents_of(found, dirt):
            yield (f"{file}:{line}" if len(names) > 1 and isinstance(line, int) else line), identifier, text


def read_queries(place: CollectionFiles, name: str, dirt: Dirt, field: str | None = None) -> Iterator[Row]:
    """The queries of a file.

    Args:
        field: the field of a topic or record that is the query. Default: its text, title or query.

    Raises:
        DataError: as `read_documents`, or a topic lacks the field.
    """
    file, form = place.label(name), form_of(place, name)
    if form == "trec-documents" or (form is None and any(True for _ in lines(place, name))):
        raise DataError(f"{file}:1: not a known form of queries; write {_KNOWN} <top> elements")
    if form in _TOPICS:
        found = with_text(_TOPICS[form](lines(place, name), file), field)
    else:
        found = text_columns(lines(place, name), file) if form == "tabs" else records(place, name)
        found = found if field is None else (_with_text(record, field) for record in found)
    yield from queries_of(found, dirt)


def _with_text(record: JsonLine, field: str) -> JsonLine:
    """The record with the declared field as its `text`."""
    return replace(record, fields={**record.fields, "text": record.text(field)})
