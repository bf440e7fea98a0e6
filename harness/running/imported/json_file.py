"""JSON files of others: read whole, with a repeated key refused, which Python's reader would drop."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from adapters.errors import DataError
from harness.data.trec import RunLine, opened


class _Twice(ValueError):
    """A key that one object has twice."""


def json_object(path: Path) -> dict[str, object]:
    """The object of a JSON file.

    Raises:
        DataError: no such file, or no JSON object in it; with the line where it breaks.
    """
    found = json_value(path)
    if not isinstance(found, dict):
        raise DataError(f"{path}: a JSON object was expected, with query ids as its keys")
    return found


def json_value(path: Path) -> object:
    """Whatever a JSON file holds.

    Raises:
        DataError: no such file, or no JSON in it; with the line where it breaks.
    """
    if not path.is_file():
        raise DataError(f"no file at {path}")
    try:
        with opened(path) as file:
            return json.loads(file.read().decode("utf-8-sig"), object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        raise DataError(f"{path}:{error.lineno}: not JSON ({error.msg}, column {error.colno})") from None
    except _Twice as error:
        raise DataError(f"{path}: the key '{error}' occurs twice in one object; write the file again") from None
    except RecursionError:
        raise DataError(f"{path}: nested too deep to be results") from None
    except (UnicodeDecodeError, EOFError, OSError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read ({error}); fetch or write the file again") from None


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


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        raise _Twice(next(key for key, _ in pairs if key in seen or seen.add(key)))  # type: ignore[func-returns-value]
    return found
