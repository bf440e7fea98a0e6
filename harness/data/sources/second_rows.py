"""The second reading of reranking rows, in every form. It shares no code with the first reading."""

from __future__ import annotations

import csv
import gzip
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

from harness.data.sources.second_reading import Judgment, renamed

_QUERIES = ("query", "anchor", "question", "query_text", "sentence1")
_QUERY_IDS = ("query_id", "qid")
_IDS = (*_QUERY_IDS, "id", "_id")
_KIND = {
    **dict.fromkeys(("pos", "positive", "positives"), 1),
    **dict.fromkeys(("neg", "negs", "negative", "negatives"), 0),
}
_OF = ("passage", "document", "doc", "text", "answer", "response", "sentence", "context", "ctx")
_LISTS = ("docs", "documents", "passages")
_TEXTS = ("passage", "document", "doc", "text", "response", "answer", "sentence2")
_LABELS = (
    *("labels", "label", "scores", "score", "relevance", "relevance_label", "relevance_score", "is_relevant"),
    *("is_duplicate", "similarity", "similarity_score", "teacher_score", "teacher_scores"),
)


def of_reranking_rows(path: Path, allow: Sequence[str]) -> list[Judgment]:
    """Read the judgments of a file of rows. Documents are the digests of the texts; positive texts have grade 1. If
    several lists have the same id, the first counts. Pairs and triplets of a query are combined."""
    lists: dict[str, list[tuple[str, int]]] = {}
    singles: dict[str, tuple[str, list[tuple[str, int]]]] = {}
    for number, written in _rows(path):
        row = _named(written)
        single = _is_single(row)
        identifier = None if "pos" in row else _first(row, _QUERY_IDS if single else _IDS)
        name = f"row-{number}" if identifier is None else renamed(str(identifier), allow)
        pairs = [(_digest(text), grade) for text, grade in _labels(row)]
        if single:
            key = str(_first(row, _QUERIES)) if identifier is None else name
            singles.setdefault(key, (name, []))[1].extend(pairs)
        else:
            lists.setdefault(name, pairs)
    found = [*lists.items(), *singles.values()]
    return [Judgment(query, text, grade) for query, pairs in found for text, grade in pairs]


def _labels(row: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    positive, listed, text = _side(row, 1), _first(row, _LISTS), _first(row, _TEXTS)
    labels, negatives = _first(row, _LABELS), _negatives(row)
    if labels is not None and negatives is None and (positive is None or listed is None):
        named = next((one for one in (listed, positive, text) if one is not None), _numbered(row, "document"))
        yield from zip(_as_list(named), (int(label) for label in _as_list(labels)), strict=False)
        return
    relevant = _as_list(text if positive is None else positive)
    candidates = [one for one in _as_list(listed) if _text(one) not in set(map(_text, relevant))]
    for other in (*(negatives or ()), *candidates):
        yield other, 0
    for one in relevant:
        yield one, 1


def _negatives(row: Mapping[str, Any]) -> list[Any] | None:
    """The texts that are not relevant; None if the row has no field for them."""
    sides, numbered = _sides(row, 0), _numbered(row, "negative")
    return None if not sides and not numbered else [*(text for side in sides for text in _as_list(side)), *numbered]


def _side(row: Mapping[str, Any], grade: int) -> Any:
    """The content of the first field for texts with a grade, such as `pos`, `negatives` or `hard_negative_passages`."""
    return next(iter(_sides(row, grade)), None)


def _sides(row: Mapping[str, Any], grade: int) -> list[Any]:
    return [row[name] for name in row if _grade(name) == grade and not _is_null(row[name])]


def _grade(name: str) -> int | None:
    """The grade of the texts in a field; None for another field."""
    first, *more = name.removeprefix("hard_").split("_")
    if len(more) > 1 or (more and more[0].removesuffix("s") not in _OF) or (name[:5] == "hard_" and first[0] != "n"):
        return None
    return _KIND.get(first)


def _numbered(row: Mapping[str, Any], stem: str) -> list[Any]:
    found = []
    for name in row:
        start = name.rstrip("0123456789")
        base = start.removesuffix("_")
        if start != name and (base == stem if stem == "document" else _grade(base) == 0):
            found.append((int(name[len(start) :]), name))
    return [text for _, name in sorted(found) for text in _as_list(row[name])]


def _is_single(row: Mapping[str, Any]) -> bool:
    positive = _side(row, 1)
    if _first(row, _LABELS) is not None and _negatives(row) is None and _first(row, _LISTS) is None:
        return not isinstance(_first(row, _LABELS), list)
    if positive is None and _negatives(row) is not None:
        positive = _first(row, _TEXTS)
    return isinstance(positive, str) and not any(isinstance(negative, list) for negative in _sides(row, 0))


def _digest(text: Any) -> str:
    return blake2b(_text(text).strip().encode(), digest_size=16).hexdigest()


def _text(text: Any) -> str:
    if isinstance(text, dict):
        return f"{text.get('title') or ''} {text.get('text') or ''}".strip()
    return str(text)


def _named(row: Mapping[str, Any]) -> dict[str, Any]:
    """The values by the names in lower case, with `_` between words. Of two equal names the one with a value counts."""
    return {_name(name): value for name, value in sorted(row.items(), key=lambda item: not _is_null(item[1]))}


def _name(written: str) -> str:
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", written).replace("-", " ").split()
    return "_".join(words).lower()


def _first(row: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((row[name] for name in names if not _is_null(row.get(name))), None)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if _is_null(value) else [value]


def _is_null(value: Any) -> bool:
    """Whether a value is null, or NaN, which data frames write for it."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    name = path.name.removesuffix(".gz")
    if name.endswith(".parquet"):
        from pyarrow import parquet

        yield from enumerate(parquet.read_table(path).to_pylist(), 1)
        return
    with gzip.open(path) if path.name.endswith(".gz") else path.open("rb") as file:
        content = file.read().decode()
    lines = [line.removeprefix("\ufeff") for line in content.split("\n")]
    if name.endswith(".tsv"):
        yield from _columns([(number, line.rstrip("\r")) for number, line in enumerate(lines, 1) if line.strip()])
    elif content.lstrip("\ufeff \r\n\t").startswith("["):
        yield from enumerate(json.loads(content.lstrip("\ufeff")), 1)
    else:
        yield from ((number, json.loads(line)) for number, line in enumerate(lines, 1) if line.strip())


def _columns(lines: Sequence[tuple[int, str]]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    names = [_name(_without_quotes(name)) for name in lines[0][1].split("\t")] if lines else []
    has_header = any(name in _QUERIES for name in names)
    columns = names if has_header else ["query", "positive", "negative"]
    for number, line in lines[has_header:]:
        written = map(_without_quotes, line.split("\t")) if has_header else line.split("\t")
        row: dict[str, Any] = dict(zip(columns, written, strict=True))
        yield number, {name: float(text) if name in _LABELS else text for name, text in row.items()}


def _without_quotes(column: str) -> str:
    """A column of csv as csv reads it, if it is in quotation marks as a whole."""
    text = column.strip()
    inner = text[1:-1].replace('""', "") if len(text) > 1 else '"'
    is_quoted = text[:1] == text[-1:] == '"' and '"' not in inner
    return next(csv.reader([text])).pop() if is_quoted else column
