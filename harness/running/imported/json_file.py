"""Reads JSON files of other programs. Repeated keys, which Python's reader would drop, are refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from adapters.errors import DataError, class_of
from adapters.typed_file import decoded, foreign_json
from adapters.typed_values import Place
from harness.data.trec import RunLine
from harness.data.unpacked import UNREADABLE, content_of, reason_of, refuse_no_file


def json_object(path: Path) -> dict[str, object]:
    """Return the object in a JSON file.

    Raises:
        DataError: the file does not exist or is not a JSON object. The error names the line.
    """
    found = json_value(path)
    if not isinstance(found, dict):
        raise DataError(f"{path}: expected a JSON object with query ids as keys")
    return found


def json_value(path: Path) -> object:
    """Return the value in a JSON file.

    Raises:
        DataError: the file does not exist or is not JSON. The error names the line.
    """
    refuse_no_file(path)
    at = Place(str(path), error=DataError, advice="fetch or write it again", table="object")
    try:
        content = content_of(path)
    except UNREADABLE as error:
        kind = class_of(error, DataError)
        raise kind(f"{path}: cannot be read ({reason_of(error)}); fetch or write it again") from None
    return foreign_json(decoded(content, at), at)


def nested_lines(path: Path, results: object) -> Iterator[RunLine]:
    """Yield the scored documents of `{query: {document: score}}`.

    Raises:
        DataError: a value has another form. The error names the query and the document.
    """
    if not isinstance(results, Mapping):
        raise DataError(f"{path}: expected {{query: {{document: score}}}}")
    for query, scored in results.items():
        if not isinstance(scored, Mapping):
            raise DataError(f"{path}: query '{query}': expected {{document: score}}")
        for document, score in scored.items():
            one = RunLine(query, document, _number(score))
            if not abs(one.score) < float("inf"):
                raise DataError(f"{one.place(path)}: the score is {score!r}; a run needs finite numbers")
            yield one


def _number(score: object) -> float:
    if isinstance(score, bool) or not isinstance(score, int | float):
        return float("nan")
    try:
        return float(score)
    except OverflowError:
        return float("inf")
