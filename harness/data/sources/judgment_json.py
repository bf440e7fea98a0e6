"""Judgments in JSON: `{query: {document: grade}}`, as in ranx, or one object per line, as in mteb's files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from adapters.errors import DataError
from harness.data.sources.jsonl import CollectionFiles, JsonLine, kind_of, lines, records
from harness.data.sources.judgment_columns import JudgmentLine
from harness.data.sources.judgment_header import order_of

_FORMS = 'write {"query": {"document": grade}}, or one object per line with query-id, corpus-id and score'


def json_judgments(place: CollectionFiles, name: str) -> Iterator[JudgmentLine] | None:
    """The judgments of a JSON file; None if the file is not JSON.

    Raises:
        DataError: the JSON is broken, or has another form.
    """
    first = next((line for _, line in lines(place, name)), "")
    if first.lstrip()[:1] not in ("{", "["):
        return None
    return _by_line(place, name) if _is_row(first) else _nested(place, name)


def _is_row(line: str) -> bool:
    try:
        value = json.loads(line)
    except ValueError:
        return line.lstrip().startswith("[")
    return not isinstance(value, dict) or not any(isinstance(grades, dict) for grades in value.values())


def _by_line(place: CollectionFiles, name: str) -> Iterator[JudgmentLine]:
    for record in records(place, name):
        names = list(record.fields)
        order = order_of(names)
        if order is None:
            raise DataError(f"{record.where}: fields {', '.join(names)[:200]}; {_FORMS}")
        query, document, grade = (record.fields[names[at]] for at in (order.query, order.document, order.grade))
        yield JudgmentLine(record.number, _id(record, query), _id(record, document), str(grade))


def _id(record: JsonLine, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise DataError(f"{record.where}: an id is {kind_of(value)}; write text or a whole number")
    return str(value).strip()


def _nested(place: CollectionFiles, name: str) -> Iterator[JudgmentLine]:
    file = place.label(name)
    try:
        content = json.loads("\n".join(line for _, line in lines(place, name)))
    except ValueError as error:
        raise DataError(f"{file}:1: not JSON ({error}); {_FORMS}") from None
    for query, grades in content.items():
        if not isinstance(grades, Mapping):
            raise DataError(f"{file}:1: query '{query}' has {kind_of(grades)}; {_FORMS}")
        for document, grade in grades.items():
            yield JudgmentLine(1, query.strip(), document.strip(), str(grade))
