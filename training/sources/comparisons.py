"""Rows with comparisons of two documents in place of scores, such as the votes of language models."""

from __future__ import annotations

from typing import Any

from adapters.errors import DataError
from harness.data.sources.jsonl import JsonLine
from training.examples import Example, example_of
from training.sources.bradley_terry import Comparison, groups, strengths

FIELD = "comparisons"


def is_compared(record: JsonLine) -> bool:
    """Whether a row has comparisons."""
    return record.fields.get(FIELD) is not None


def compared(record: JsonLine) -> Example:
    """The example of a row. Its scores are the strengths of the documents; see `bradley_terry`.

    Raises:
        DataError: the row has scores as well, a comparison is not valid, or the documents are not connected by
            comparisons.
    """
    where, fields = record.where, dict(record.fields)
    if fields.get("scores") is not None:
        raise DataError(f"{where}: the row has scores and comparisons; leave out one of them")
    documents = fields.get("documents")
    number = len(documents) if isinstance(documents, list) else 0
    listed = fields.pop(FIELD)
    if not isinstance(listed, list) or not listed:
        raise DataError(f"{where}: the field '{FIELD}' is not a list with entries")
    found = [_comparison(one, number, f"{where}: {FIELD}[{place}]") for place, one in enumerate(listed)]
    _refuse_groups(number, found, where)
    return example_of({**fields, "scores": strengths(number, found).tolist()}, where)


def _comparison(value: Any, documents: int, where: str) -> Comparison:
    shape = isinstance(value, list) and len(value) in {2, 3}
    places = value[:2] if shape else []
    if not shape or any(isinstance(one, bool) or not isinstance(one, int) for one in places):
        raise DataError(f"{where}: expected [better, worse] or [first, second, probability], with places from 0")
    if not all(0 <= one < documents for one in places) or places[0] == places[1]:
        raise DataError(f"{where}: {places[0]} and {places[1]} are not two of the {documents} documents, from 0 on")
    better = value[2] if len(value) == 3 else 1.0
    if isinstance(better, bool) or not isinstance(better, int | float) or not 0 <= better <= 1:
        raise DataError(f"{where}: {better!r} is not a probability from 0 to 1")
    return places[0], places[1], float(better)


def _refuse_groups(documents: int, found: list[Comparison], where: str) -> None:
    parts = groups(documents, found)
    if len(parts) > 1:
        alone = min(parts, key=lambda part: (len(part), min(part)))
        named = ", ".join(map(str, sorted(alone)[:3]))
        raise DataError(
            f"{where}: no comparison connects the documents {named} with the others, so their strengths cannot be "
            "compared; add comparisons, or leave these documents out"
        )
