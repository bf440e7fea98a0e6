"""The usual names of ids and texts of documents and queries in JSON: BEIR's, Anserini's, MS MARCO's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.errors import DataError
from harness.data.sources.dirt import Dirt
from harness.data.sources.jsonl import JsonLine
from harness.data.sources.source import join
from harness.data.sources.texts import Line, Row

DOCUMENT_IDS = ("_id", "id", "docid", "doc_id", "docno", "pid", "passage_id", "document_id", "corpus-id", "corpus_id")
DOCUMENT_TEXTS = ("text", "contents", "body", "passage", "segment", "content")
QUERY_IDS = ("_id", "id", "qid", "query_id", "query-id", "topic_id", "number")
QUERY_TEXTS = ("text", "query", "title", "question", "query_text", "contents")
_TITLE = "title"


@dataclass
class Fields:
    """Reads the records of one file. A file in which no record has a text is refused: the field has another name."""

    dirt: Dirt
    _first: JsonLine | None = None
    _has_text: bool = False

    def document(self, record: JsonLine) -> Row:
        """A document: title and text joined. A text that is null or missing is empty and counted.

        Raises:
            DataError: there is no id, or several fields could be the id or the text.
        """
        text = self._text(record, DOCUMENT_TEXTS)
        title = record.optional_text(_TITLE)
        self._note(record, text if title is None else title)
        if text is None:
            self.dirt.take("missing-texts")
        return _place(record), _identifier(record, _document_ids(record), self.dirt), join(title, text or "")

    def query(self, record: JsonLine) -> Row:
        """A query. A text that is null or missing is empty. Judged queries without a text are counted elsewhere.

        Raises:
            DataError: as `document`.
        """
        text = self._text(record, QUERY_TEXTS)
        self._note(record, text)
        return _place(record), _identifier(record, QUERY_IDS, self.dirt), text or ""

    def check(self) -> None:
        """Call this after the last record.

        Raises:
            DataError: no record had a text.
        """
        if self._first is not None and not self._has_text:
            fields = ", ".join(sorted(self._first.fields))[:200]
            raise DataError(f"{self._first.where}: no line has a text; name its field 'text' (fields: {fields})")

    def _text(self, record: JsonLine, names: tuple[str, ...]) -> str | None:
        name = record.first_or_only(names)
        return None if name is None else record.text(name)

    def _note(self, record: JsonLine, text: str | None) -> None:
        self._first = self._first or record
        self._has_text = self._has_text or text is not None


def documents_of(records: Iterator[JsonLine], dirt: Dirt) -> Iterator[Row]:
    """The documents of the records of one file.

    Raises:
        DataError: as `Fields`.
    """
    fields = Fields(dirt)
    yield from map(fields.document, records)
    fields.check()


def queries_of(records: Iterator[JsonLine], dirt: Dirt) -> Iterator[Row]:
    """The queries of the records of one file.

    Raises:
        DataError: as `Fields`.
    """
    fields = Fields(dirt)
    yield from map(fields.query, records)
    fields.check()


def _place(record: JsonLine) -> Line:
    return record.line if record.item is None else record.where


def _document_ids(record: JsonLine) -> tuple[str, ...]:
    """The possible names of the id. The passages of MS MARCO v2 have a `pid`, and the `docid` of their document."""
    return ("pid", "passage_id") if record.has("pid") and record.has("passage") else DOCUMENT_IDS


def _identifier(record: JsonLine, names: tuple[str, ...], dirt: Dirt) -> str:
    return record.identifier(record.first_or_only(names) or names[0], dirt)
