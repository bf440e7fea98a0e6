"""Judgments in JSON: `{query: {document: grade}}`, as in ranx, or one object per line, as in mteb's files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from adapters.errors import DataError
from adapters.json_text import BROKEN, DECODER, RepeatedKey, reason
from harness.data.sources.jsonl import CollectionFiles, JsonLine, kind_of, lines, records
from harness.data.sources.judgment_columns import JudgmentLine
from harness.data.sources.judgment_header import order_of

_TOKEN = re.compile(r'("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}]')
_FORMS = 'write {"query": {"document": grade}}, or one object per line with query-id, corpus-id and score'


def json_judgments(place: CollectionFiles, name: str) -> Iterator[JudgmentLine] | None:
    """The judgments of a JSON file; None if the file is not JSON.

    Raises:
        DataError: the JSON is broken or nested too deeply, a key occurs twice in an object, or it has another form.
    """
    first = next((line for _, line in lines(place, name)), "")
    if first.lstrip()[:1] not in ("{", "["):
        return None
    return _by_line(place, name) if _is_row(first) else _nested(place, name)


def _is_row(line: str) -> bool:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
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
    for query, grades in _object(place, name, file).items():
        if not isinstance(grades, Mapping):
            raise DataError(f"{file}:1: query '{query}' has {kind_of(grades)}; {_FORMS}")
        for document, grade in grades.items():
            yield JudgmentLine(1, query.strip(), document.strip(), str(grade))


def _object(place: CollectionFiles, name: str, file: str) -> dict[str, object]:
    numbered = list(lines(place, name))
    text = "\n".join(line for _, line in numbered)
    try:
        found: dict[str, object] = DECODER.decode(text)
    except RepeatedKey as error:
        raise DataError(f"{file}:{numbered[_line_of_repeated(text)][0]}: {error}") from None
    except json.JSONDecodeError as error:
        at = f"column {error.colno}: {error.msg}"
        raise DataError(f"{file}:{numbered[error.lineno - 1][0]}: not JSON ({at}); {_FORMS}") from None
    except BROKEN as error:
        raise DataError(f"{file}:1: {reason(error)}; {_FORMS}") from None
    return found


def _line_of_repeated(text: str) -> int:
    """The index of the line in which a key occurs for the second time in its object. Called only for such a text."""
    open_objects: list[set[str]] = []
    for found in _TOKEN.finditer(text):
        token = found[0]
        if token in "{}":
            open_objects = [*open_objects, set()] if token == "{" else open_objects[:-1]
        elif found[1] is not None:
            key = json.loads(found[1])
            if key in open_objects[-1]:
                return text.count("\n", 0, found.start())
            open_objects[-1].add(key)
    return 0
