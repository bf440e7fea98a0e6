"""The usual forms of a query with relevant and other texts: rows of mteb, sentence-transformers, FlagEmbedding and
Tevatron, triplets, and pairs or lists with labels."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from adapters.errors import DataError
from harness.data.sources.jsonl import JsonLine, kind_of
from harness.data.sources.source import join

QUERY = ("query", "anchor", "question", "query_text")
QUERY_IDS = ("query_id", "qid", "query-id")
IDS = ("id", "_id")
"""The id of the row. It is also that of the query if the row lists all texts of the query."""
POSITIVE = ("positive", "pos", "positive_passages", "positives")
NEGATIVE = ("negative", "neg", "negative_passages", "negatives")
_NUMBERED = re.compile(r"negative_\d+")
_LISTS = ("docs", "documents", "passages")
_TEXT = ("passage", "document", "doc", "text", "response", "answer", "sentence2")
_LABELS = ("labels", "label", "scores", "score", "relevance")
_SCORES = ("pos_scores", "neg_scores")
PROMPT = "prompt"
_FORMS = (
    "rows have 'query' with 'positive' and 'negative' (lists of texts), 'pos' and 'neg', 'positive_passages' and "
    "'negative_passages', 'passage' and 'label', or 'docs' and 'labels'"
)


@dataclass(frozen=True)
class Candidates:
    """The content of one row."""

    record: JsonLine
    query: str
    labels: tuple[tuple[str, float], ...]
    """Texts with their labels: 1 for positive and 0 for negative texts."""
    scores: tuple[float, ...] | None = None
    """A teacher's score of every text; None if the row has none."""
    listed: tuple[str, ...] | None = None
    """The candidates, if they are not the same as the texts with labels."""
    is_single: bool = False
    """Whether the row is a pair or a triplet, so that the query has other rows too."""
    is_one_sided: bool = False
    """Whether the row has only relevant texts, such as a pair without a label."""
    unused: tuple[str, ...] = ()
    """Fields that give neither labels nor texts, but that a model or a loss could use."""


def candidates_of(record: JsonLine) -> Candidates:
    """The query and the labelled texts of a row in any form.

    Raises:
        DataError: the form is unknown, or a field has the wrong type. The message names the line.
    """
    query = _query(record)
    if positive := record.only_one(POSITIVE):
        return _sided(record, query, positive)
    label = record.only_one(_LABELS)
    listed, text = record.only_one(_LISTS), record.only_one(_TEXT)
    if label and listed:
        return _labelled_list(record, query, listed, label)
    if label and text:
        labels = ((_joined(record, text, record.fields[text]), _number(record, label, record.fields[label])),)
        return Candidates(record, query, labels, is_single=True)
    return _sided(record, query, next((name for name in POSITIVE if name in record.fields), "positive"))


def _query(record: JsonLine) -> str:
    name = record.only_one(QUERY) or QUERY[0]
    if isinstance(record.fields.get(name), list):
        raise DataError(f"{record.where}: field '{name}' is a list; write one row for each query, with the same texts")
    return record.text(name)


def _sided(record: JsonLine, query: str, positive: str) -> Candidates:
    """Positive and negative texts. Instead of negatives sentence-transformers may have `documents`, all candidates."""
    if positive not in record.fields:
        raise DataError(f"{record.where}: field '{positive}' is missing; {_FORMS}")
    relevant = texts_of(record, positive)
    negative = record.only_one(NEGATIVE) or next((name for name in NEGATIVE if name in record.fields), None)
    listed = record.only_one(_LISTS)
    if negative and listed:
        raise DataError(
            f"{record.where}: the row has both '{negative}' and '{listed}'; put all candidates into one of them"
        )
    others = [*texts_of(record, negative or listed), *_numbered(record)]
    labels = [(text, 1.0) for text in relevant]
    labels += [(text, 0.0) for text in others if not (listed and text in relevant)]
    return Candidates(
        record,
        query,
        tuple(labels),
        scores=_scores(record, len(relevant), len(others)),
        listed=tuple(others) if listed else None,
        is_single=isinstance(record.fields[positive], str) and not isinstance(record.fields.get(negative or ""), list),
        is_one_sided=not (negative or listed or _numbered(record)),
        unused=tuple(name for name in (*_SCORES, PROMPT) if record.has(name)),
    )


def _numbered(record: JsonLine) -> list[str]:
    names = sorted((name for name in record.fields if _NUMBERED.fullmatch(name)), key=lambda name: int(name[9:]))
    return [text for name in names for text in texts_of(record, name)]


def _labelled_list(record: JsonLine, query: str, listed: str, label: str) -> Candidates:
    texts, labels = texts_of(record, listed), record.fields[label]
    if not isinstance(labels, list) or len(labels) != len(texts):
        size = f"{len(labels)} values" if isinstance(labels, list) else kind_of(labels)
        raise DataError(f"{record.where}: field '{label}' has {size} for {len(texts)} texts in '{listed}'")
    numbers = [_number(record, label, value) for value in labels]
    return Candidates(record, query, tuple(zip(texts, numbers, strict=True)))


def texts_of(record: JsonLine, name: str | None) -> list[str]:
    """The texts of a field: one text, or a list of texts or of objects with `text` and optionally `title`. [] for null.

    Raises:
        DataError: the field has something else.
    """
    if name is None or not record.has(name):
        return []
    value = record.fields[name]
    return [_joined(record, name, item) for item in (value if isinstance(value, list) else [value])]


def _joined(record: JsonLine, name: str, value: object) -> str:
    if isinstance(value, dict) and "text" in value:
        inner = replace(record, fields=value)
        return join(inner.optional_text("title"), inner.optional_text("text") or "")
    return replace(record, fields={name: value}).text(name)


def _scores(record: JsonLine, positive: int, negative: int) -> tuple[float, ...] | None:
    """FlagEmbedding's scores of a teacher; None if the row has none.

    Raises:
        DataError: only some texts have a score, or a score is not a number.
    """
    sides = [(name, size) for name, size in zip(_SCORES, (positive, negative), strict=True) if size]
    present = [record.has(name) for name, _ in sides]
    if not any(present):
        return None
    if not all(present):
        raise DataError(
            f"{record.where}: the row has only one of 'pos_scores' and 'neg_scores'; write both, or neither"
        )
    return tuple(score for name, size in sides for score in _of_side(record, name, size))


def _of_side(record: JsonLine, name: str, size: int) -> Iterator[float]:
    values = record.fields[name]
    if not isinstance(values, list):
        raise DataError(f"{record.where}: '{name}' is not a list; write a list of numbers")
    if len(values) != size:
        side = name.removesuffix("_scores")
        raise DataError(f"{record.where}: {size} texts in '{side}' have {len(values)} scores in '{name}'")
    return (_number(record, name, value) for value in values)


def _number(record: JsonLine, name: str, value: object) -> float:
    try:
        number = float(value) if isinstance(value, int | float) else math.nan
    except OverflowError:
        raise DataError(f"{record.where}: '{name}' has a number of more than 300 digits; write small numbers") from None
    if not math.isfinite(number):
        raise DataError(f"{record.where}: '{name}' has {kind_of(value)} that is not a finite number; write numbers")
    return number


def names_of(fields: Sequence[str]) -> bool:
    """Whether the names of columns are those of rows."""
    return bool({*fields} & {*QUERY}) and bool({*fields} & {*POSITIVE, *_TEXT})
