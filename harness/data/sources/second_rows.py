"""The second reading of reranking rows, in every form. It shares no code with the first reading."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

from harness.data.sources.second_reading import Judgment, renamed

_QUERIES = ("query", "anchor", "question", "query_text")
_QUERY_IDS = ("query_id", "qid", "query-id")
_IDS = (*_QUERY_IDS, "id", "_id")
_SIDES = (
    (0, ("negative", "neg", "negative_passages", "negatives")),
    (1, ("positive", "pos", "positive_passages", "positives")),
)
_TEXTS = ("docs", "documents", "passages", "passage", "document", "doc", "text", "response", "answer", "sentence2")
_LABELS = ("labels", "label", "scores", "score", "relevance")


def of_reranking_rows(path: Path, allow: Sequence[str]) -> list[Judgment]:
    """Read the judgments of a file of rows. Documents are the digests of the texts; positive texts have grade 1. If
    several lists have the same id, the first counts. Pairs and triplets of a query are combined."""
    lists: dict[str, list[tuple[str, int]]] = {}
    singles: dict[str, tuple[str, list[tuple[str, int]]]] = {}
    for number, row in _rows(path):
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
    positive = _first(row, _SIDES[1][1])
    texts = _as_list(_first(row, _TEXTS))
    labels = _first(row, _LABELS)
    if positive is None and labels is not None:
        yield from zip(texts, (int(label) for label in _as_list(labels)), strict=False)
        return
    listed = [text for text in texts if _text(text) not in set(map(_text, _as_list(positive)))]
    numbered = [row[name] for name in row if name.startswith("negative_") and name[9:].isdecimal()]
    for text in (*_as_list(_first(row, _SIDES[0][1])), *listed, *(text for one in numbered for text in _as_list(one))):
        yield text, 0
    for text in _as_list(positive):
        yield text, 1


def _is_single(row: Mapping[str, Any]) -> bool:
    positive, negative = (_first(row, names) for _, names in reversed(_SIDES))
    if positive is None:
        return not isinstance(_first(row, _LABELS), list | type(None))
    return isinstance(positive, str) and not isinstance(negative, list)


def _digest(text: Any) -> str:
    return blake2b(_text(text).strip().encode(), digest_size=16).hexdigest()


def _text(text: Any) -> str:
    if isinstance(text, dict):
        return f"{text.get('title') or ''} {text.get('text') or ''}".strip()
    return str(text)


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
    names = [name.strip().lower() for name in lines[0][1].split("\t")] if lines else []
    has_header = any(name in _QUERIES for name in names)
    columns = names if has_header else ["query", "positive", "negative"]
    for number, line in lines[has_header:]:
        row: dict[str, Any] = dict(zip(columns, line.split("\t"), strict=True))
        yield number, {name: float(text) if name in _LABELS else text for name, text in row.items()}
