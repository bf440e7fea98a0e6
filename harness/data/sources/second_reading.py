"""A second, minimal reading of the published judgments. It shares no code with the first one: neither how files are
opened and lines divided, nor what the declared rules do. Both have to come to the same."""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import numpy as np

from adapters.errors import DataError
from harness.data.as_published import Grades
from harness.data.collection import Texts
from harness.data.qrels import Qrels
from harness.data.sources.jsonl import CollectionFiles

_NAMED = [
    re.compile(rf"[\W_]*(?:{name})[\W_]*", re.IGNORECASE).fullmatch
    for name in (
        r"(?:q|query|question|topic)[\W_]*(?:id|no|num|number)?",
        r"(?:d|doc|document|p|passage|paragraph|corpus|product|item|article)[\W_]*(?:id|no|num|number)?",
        r"(?:rel|relevan(?:ce|cy|t)|score|label|grade|judge?ment|rating|gain|qrel)"
        r"[\W_]*(?:score|label|grade|judge?ment)?",
    )
]
"""How the columns of query, document and grade are called."""


class Judgment(NamedTuple):
    """One judgment as the source has it."""

    query: str
    document: str
    grade: int


def of_file(place: CollectionFiles, name: str) -> list[Judgment]:
    """The judgments of a file: by the names of its columns, where its first line has them; else four columns at white
    space in every line, as trec_eval and pytrec_eval read them; else a csv file with tabs, as BEIR's loader reads it.
    A first line without a grade is a header."""
    with place.open(name) as stored:
        content = stored.read()
    lines = [line for line in _lines(gzip.decompress(content) if name.endswith(".gz") else content) if line.strip()]
    for names in (_csv_row(lines[0]), lines[0].split()) if lines else ():
        if (order := _order(names)) is not None:
            return list(_by_order(lines[1:], order, len(names)))
    three = _at_tabs(lines)
    rows = [line.split() for line in lines]
    return _judgments(rows) if _is_trec(rows, three) else _judgments(three)


def of_mapping(judged: Mapping[str, Mapping[str, int]]) -> list[Judgment]:
    """The judgments that a library hands out as grades of documents, by query."""
    return [Judgment(query, document, grade) for query in judged for document, grade in judged[query].items()]


def of_reranking_rows(path: Path, allow: Sequence[str]) -> list[Judgment]:
    """The judgments of a file of reranking rows: its texts by their digests, 1 for the positive ones. Of the rows with
    one id the first counts."""
    with gzip.open(path) if path.name.endswith(".gz") else path.open("rb") as file:
        lines = _lines(file.read())
    rows: dict[str, dict[str, list[str]]] = {}
    for number, line in enumerate(lines, 1):
        if line.strip():
            row = json.loads(line)
            rows.setdefault(_renamed(str(row.get("id", f"row-{number}")), allow), row)
    return [
        Judgment(query, blake2b(text.strip().encode(), digest_size=16).hexdigest(), grade)
        for query, row in rows.items()
        for grade, field in enumerate(("negative", "positive"))
        for text in row[field]
    ]


def by_rules(judgments: Iterable[Judgment], allow: Sequence[str]) -> dict[str, dict[str, int]]:
    """The grades of documents, by query, after what the declared rules do to ids and grades."""
    found: dict[str, dict[str, int]] = {}
    for one in judgments:
        query, document = _renamed(one.query, allow), _renamed(one.document, allow)
        grade = 0 if one.grade < 0 and "negative-grades" in allow else one.grade
        own = found.setdefault(query, {})
        own[document] = max(own.get(document, grade), grade)
    return found


def confirmed(found: Grades, allow: Sequence[str], qrels: Qrels, queries: Texts, corpus: Texts) -> Grades:
    """The judgments of the queries that a collection has, if the first reading has the same.

    Args:
        found: what the second reading gave, after the rules.
        qrels: what the first reading made of the source.

    Raises:
        DataError: a judgment differs; the message names its query and document.
    """
    ours, asked = _by_ids(qrels, queries, corpus), set(queries.ids())
    for query in [*ours, *(name for name in found if name not in ours)]:
        if query not in asked and "unknown-queries" in allow:
            continue
        if ours.get(query, {}) != found.get(query, {}):
            raise DataError(_difference(query, ours.get(query, {}), found.get(query, {})))
    return {query: found[query] for query in ours}


def _lines(content: bytes) -> list[str]:
    """Every line may begin with a byte order mark: files that were put together have several."""
    return [line.removeprefix("\ufeff") for line in content.decode().split("\n")]


def _order(names: Sequence[str]) -> tuple[int, ...] | None:
    """Where query, document and grade are, if each is the name of one column."""
    found = [[at for at, name in enumerate(names) if is_named(name)] for is_named in _NAMED]
    return tuple(places[0] for places in found) if all(len(places) == 1 for places in found) else None


def _by_order(lines: Iterable[str], order: Sequence[int], width: int) -> Iterator[Judgment]:
    for line in lines:
        tabs = _csv_row(line)
        for row in (tabs[:width] if not any(tabs[width:]) else [], line.split()):
            query, document, grade = (row[at] for at in order) if len(row) == width else ("", "", "")
            if query and document and _is_grade(grade):
                yield Judgment(query, document, int(grade))
                break


def _is_trec(rows: Sequence[Sequence[str]], three: Sequence[Sequence[str]]) -> bool:
    """Where every line could be three columns too, the second of the four has to be a number, as TREC's is, or U0."""
    if any(len(row) != 4 for row in rows):
        return False
    start = 0 if _is_grade(rows[0][-1]) else 1
    could_be_three = all(len(row) == 3 and all(row) for row in three) and all(
        _is_grade(row[-1]) for row in three[start:]
    )
    seconds = [row[1].lower() for row in rows[start:]]
    return not could_be_three or all(second == "u0" or second.removeprefix("q").isdecimal() for second in seconds)


def _at_tabs(lines: Sequence[str]) -> list[list[str]]:
    rows = [_csv_row(line) if "\t" in line else [] for line in lines]
    return [
        row[:3] if len(row) >= 3 and not any(row[3:]) else line.split() for row, line in zip(rows, lines, strict=True)
    ]


def _csv_row(line: str) -> list[str]:
    """Without white space around its columns; none where a quotation mark is left open."""
    ended = "\t".join(column.rstrip() for column in line.split("\t"))
    try:
        return [column.strip() for column in next(csv.reader([ended], delimiter="\t", strict=True))]
    except csv.Error:
        return []


def _judgments(rows: Sequence[Sequence[str]]) -> list[Judgment]:
    body = rows if rows and _is_grade(rows[0][-1]) else rows[1:]
    return [Judgment(row[0], row[-2], int(row[-1])) for row in body if len(row) > 2 and _is_grade(row[-1])]


def _is_grade(written: str) -> bool:
    return written.isascii() and written.lstrip("+-").isdecimal()


def _renamed(name: str, allow: Sequence[str]) -> str:
    if "white-space-ids" not in allow:
        return name
    return "".join("_" if sign.isspace() or sign == "\0" else sign for sign in name)


def _by_ids(qrels: Qrels, queries: Texts, corpus: Texts) -> dict[str, dict[str, int]]:
    ids = queries.ids()
    rows, inverse = np.unique(qrels.documents, return_inverse=True)
    names = corpus.ids(rows)
    documents = [*(names[place] for place in inverse.tolist()), *qrels.missing.ids]
    found: dict[str, dict[str, int]] = {}
    for query, document, grade in zip(qrels.all_queries.tolist(), documents, qrels.all_grades.tolist(), strict=True):
        found.setdefault(ids[query], {})[document] = grade
    return found


def _difference(query: str, ours: Mapping[str, int], theirs: Mapping[str, int]) -> str:
    document = next(name for name in [*theirs, *ours] if theirs.get(name) != ours.get(name))
    grades = [f"the grade {own[document]}" if document in own else "no grade" for own in (theirs, ours)]
    return (
        f"query '{query}': document '{document}' has {grades[0]} in the source, and {grades[1]} here; "
        "nothing was kept, please report it with the file of judgments"
    )
