"""JSON files of others: read whole, with a key that stands twice refused, which Python's reader would drop."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from adapters.errors import DataError
from adapters.typed_file import decoded, parsed_json
from adapters.typed_values import Place
from harness.data.trec import RunLine, opened


def json_object(path: Path) -> dict[str, object]:
    """The object of a JSON file.

    Raises:
        DataError: no such file, or no JSON object in it; with the line where it breaks.
    """
    if not path.is_file():
        raise DataError(f"no file at {path}")
    at = Place(str(path), error=DataError, advice="fetch or write it again", table="object")
    try:
        with opened(path) as file:
            content = file.read()
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read ({error}); fetch or write it again") from None
    found = parsed_json(decoded(content, at), at)
    if not isinstance(found, dict):
        raise DataError(f"{path}: a JSON object was expected, with query ids as its keys")
    return found


def nested_lines(path: Path, results: object) -> Iterator[RunLine]:
    """The scored documents of `{query: {document: score}}`.

    Raises:
        DataError: naming the query and the document that are something else.
    """
    if not isinstance(results, Mapping):
        raise DataError(f"{path}: {{query: {{document: score}}}} was expected")
    for query, scored in results.items():
        if not isinstance(scored, Mapping):
            raise DataError(f"{path}: query '{query}' has no object {{document: score}}")
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
