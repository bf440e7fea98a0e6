"""The usual forms of a query with relevant and other texts: rows of mteb, sentence-transformers, FlagEmbedding and
Tevatron, triplets, and pairs or lists with labels."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from adapters.errors import DataError
from harness.data.sources.jsonl import JsonLine, kind_of
from harness.data.sources.row_names import (
    LABELS,
    LISTS,
    PROMPT,
    QUERY,
    SCORES,
    TEXT,
    negative_names,
    normalised,
    numbered_names,
    positive_names,
    refuse_gaps,
    refuse_null_label,
    refuse_unread_numbers,
    refuse_unread_texts,
)
from harness.data.sources.source import join

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
    taught: str | None = None
    """A field with numbers that are not the labels; see `taught_scores`."""
    listed: tuple[str, ...] | None = None
    """The candidates, if they are not the same as the texts with labels."""
    is_single: bool = False
    """Whether the row is a pair or a triplet, so that the query has other rows too."""
    is_one_sided: bool = False
    """Whether the row has only relevant texts, such as a pair without a label."""
    is_graded: bool = False
    """Whether the labels are numbers of the row, not 1 and 0 for its positive and negative texts."""
    unused: tuple[str, ...] = ()
    """Fields that give neither labels nor texts, but that a model or a loss could use."""


def candidates_of(record: JsonLine) -> Candidates:
    """The query and the labelled texts of a row in any form.

    Raises:
        DataError: the form is unknown, or a field has the wrong type. The message names the line.
    """
    record = normalised(record)
    query, label = _query(record), record.only_one(LABELS)
    listed, text = record.only_one(LISTS), record.only_one(TEXT)
    relevant = positive_names(list(record.fields))
    positive, negatives = record.only_one(relevant), _has_negatives(record)
    refuse_unread_texts(record)
    if label and not listed:
        refuse_gaps(record, label)
    if not label and not negatives and not (positive and listed):
        refuse_null_label(record)
    if positive and (listed or negatives or not label):
        return _sided(record, query, positive, label)
    if text and (negatives or not (label or listed)):
        return _sided(record, query, text, label)
    if label and not negatives:
        return _labelled(record, query, listed or positive or text, label)
    return _sided(record, query, next((name for name in relevant if name in record.fields), "positive"))


def _has_negatives(record: JsonLine) -> bool:
    return any(record.has(name) for name in negative_names(list(record.fields))) or bool(_numbered(record))


def _labelled(record: JsonLine, query: str, name: str | None, label: str) -> Candidates:
    """A pair or a list with labels, whatever its texts are called: sentence-transformers also writes pairs and lists
    with labels under `positive`, or `document_1`, `document_2`, ..."""
    if name is None and (numbered := _numbered(record, documents=True)):
        return _labelled_list(record, query, "document_1, ...", numbered, label)
    if name is None:
        return _sided(record, query, "positive")
    if isinstance(record.fields[name], list):
        return _labelled_list(record, query, name, texts_of(record, name), label)
    labels = ((_joined(record, name, record.fields[name]), _number(record, label, record.fields[label])),)
    return Candidates(record, query, labels, is_single=True, is_graded=True)


def _query(record: JsonLine) -> str:
    name = record.only_one(QUERY) or QUERY[0]
    if isinstance(record.fields.get(name), list):
        raise DataError(f"{record.where}: field '{name}' is a list; write one row for each query, with the same texts")
    return record.text(name)


def _sided(record: JsonLine, query: str, positive: str, label: str | None = None) -> Candidates:
    """Positive and negative texts. Instead of negatives sentence-transformers may have `documents`, all candidates.

    Args:
        label: a field with numbers besides the labels, if there is one.
    """
    if positive not in record.fields:
        raise DataError(f"{record.where}: field '{positive}' is missing; {_FORMS}")
    relevant = texts_of(record, positive)
    sides = [name for name in negative_names(list(record.fields)) if name in record.fields]
    found = [name for name in sides if record.has(name)]
    negative = next(iter(found or sides), None)
    if len(found) > 1 and label:
        raise DataError(
            f"{record.where}: the texts of '{found[0]}' and '{found[1]}' cannot be matched with the numbers of "
            f"'{label}'; put all into '{found[0]}', in the order of the numbers"
        )
    listed = record.only_one(LISTS)
    if negative and listed:
        raise DataError(
            f"{record.where}: the row has both '{negative}' and '{listed}'; put all candidates into one of them"
        )
    numbered = _numbered(record)
    others = [text for name in (*found, listed) for text in texts_of(record, name)] + numbered
    is_one_sided = not (negative or listed or numbered)
    if not (record.has(negative or "") or listed or numbered):
        refuse_unread_numbers(record, is_one_sided=True)
    labels = [(text, 1.0) for text in relevant]
    labels += [(text, 0.0) for text in others if not (listed and text in relevant)]
    return Candidates(
        record,
        query,
        tuple(labels),
        scores=_scores(record, len(relevant), len(others)),
        taught=label,
        listed=tuple(others) if listed else None,
        is_single=isinstance(record.fields[positive], str)
        and not any(isinstance(record.fields[name], list) for name in sides),
        is_one_sided=is_one_sided,
        unused=tuple(name for name in (*SCORES, PROMPT, label) if name and record.has(name)),
    )


def _numbered(record: JsonLine, *, documents: bool = False) -> list[str]:
    names = numbered_names(list(record.fields), documents=documents)
    return [text for name in names for text in texts_of(record, name)]


def taught_scores(row: Candidates) -> tuple[float, ...] | None:
    """A teacher's score of each text; None if the row has none. sentence-transformers writes one number for each text,
    or the margins by which the positive text is ahead of each other text. With margins the positive text has 0, and
    only differences have a meaning.

    Raises:
        DataError: the numbers are neither.
    """
    if row.scores is not None or row.taught is None:
        return row.scores
    record, name, texts = row.record, row.taught, len(row.labels)
    numbers = [_number(record, name, one) for one in _given(row)]
    if len(numbers) == texts:
        return tuple(numbers)
    if len(numbers) == texts - 1 and [label for _, label in row.labels].count(1.0) == 1:
        return (0.0, *(-margin for margin in numbers))
    raise DataError(
        f"{record.where}: field '{name}' has {len(numbers)} numbers for {texts} texts; write one for each text, or one "
        "margin for each negative text, or remove the field"
    )


def has_margins(row: Candidates) -> bool:
    """Whether the numbers of a row are margins, of which there is none for the positive text."""
    return row.scores is None and row.taught is not None and len(_given(row)) < len(row.labels)


def _given(row: Candidates) -> list[object]:
    given = row.record.fields[str(row.taught)]
    return given if isinstance(given, list) else [given]


def _labelled_list(record: JsonLine, query: str, listed: str, texts: list[str], label: str) -> Candidates:
    labels = record.fields[label]
    if not isinstance(labels, list) or len(labels) != len(texts):
        size = f"{len(labels)} values" if isinstance(labels, list) else kind_of(labels)
        raise DataError(f"{record.where}: field '{label}' has {size} for {len(texts)} texts in '{listed}'")
    numbers = [_number(record, label, value) for value in labels]
    return Candidates(record, query, tuple(zip(texts, numbers, strict=True)), is_graded=True)


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
    sides = [(name, size) for name, size in zip(SCORES, (positive, negative), strict=True) if size]
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
