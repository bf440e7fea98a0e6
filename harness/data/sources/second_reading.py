"""A second, minimal reading of the published judgments. It shares no code with the first reading: it has its own code
to open files, divide lines and apply the declared rules. Both readings must have the same result."""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from adapters.errors import DataError
from harness.data.as_published import Grades
from harness.data.qrels import Qrels
from harness.data.sources.jsonl import CollectionFiles
from harness.data.texts import Texts

_NAMED = [
    re.compile(rf"[\W_]*(?:{name})[\W_]*", re.IGNORECASE).fullmatch
    for name in (
        r"(?:q|query|question|topic)[\W_]*(?:id|no|num|number)?",
        r"(?:d|doc|document|p|passage|paragraph|corpus|product|item|article)[\W_]*(?:id|no|num|number)?",
        r"(?:rel|relevan(?:ce|cy|t)|score|label|grade|judge?ment|rating|gain|qrel)"
        r"[\W_]*(?:score|label|grade|judge?ment)?",
    )
]
"""The possible names of the columns of query, document and grade."""


_BLANK = " \t\n\r\f\v"
_LONGEST_NAME = 100


class Judgment(NamedTuple):
    """A judgment as the source has it."""

    query: str
    document: str
    grade: int


def of_file(place: CollectionFiles, name: str) -> list[Judgment]:
    """Read the judgments of a file: by the names of its columns, if the first line has them; else as four columns with
    white space between them, as trec_eval and pytrec_eval read them; else as csv with tabs, as BEIR's loader reads it.

    A first line without a grade is a header. A line that begins with '#' is a comment, unless it is a judgment of a
    query with such an id.
    """
    with place.open(name) as stored:
        content = stored.read()
    written = _lines(gzip.decompress(content) if name.endswith(".gz") else content)
    if "".join(written).lstrip()[:1] in ("{", "["):
        return list(_of_json(written))
    lines = [line for line in written if line.strip() and not _is_comment(line)]
    for names in (_csv_row(lines[0]), _words(lines[0])) if lines else ():
        if (order := _order(names)) is not None:
            return list(_by_order(lines[1:], order, len(names)))
    three = _at_tabs(lines)
    rows = [_words(line) for line in lines]
    return _judgments(rows) if _is_trec(rows, three) else _judgments(three)


def _of_json(lines: Sequence[str]) -> Iterator[Judgment]:
    """Judgments from JSON: grades by query and document, or an object for each judgment."""
    try:
        rows = json.loads("\n".join(lines))
    except ValueError:
        rows = [json.loads(line) for line in lines if line.strip()]
    if isinstance(rows, dict) and all(isinstance(grades, dict) for grades in rows.values()):
        yield from of_mapping({q: {d.strip(): int(g) for d, g in grades.items()} for q, grades in rows.items()})
        return
    for row in rows if isinstance(rows, list) else [rows]:
        query, document, grade = ([*row.values()][at] for at in _order([*row]) or ())
        yield Judgment(str(query).strip(), str(document).strip(), int(grade))


@contextmanager
def reported(file: str) -> Iterator[None]:
    """Let a failure of the second reading be one line, like a difference.

    Raises:
        DataError: what the first reading could read, the second could not.
    """
    try:
        yield
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise DataError(
            f"{file}: only one of two readings can read the judgments ({reason[:200]}); nothing was kept, "
            "please report it with the file"
        ) from error


def of_mapping(judged: Mapping[str, Mapping[str, int]]) -> list[Judgment]:
    """The judgments that a library returns as grades of documents, by query."""
    return [Judgment(query, document, grade) for query in judged for document, grade in judged[query].items()]


def by_rules(judgments: Iterable[Judgment], allow: Sequence[str]) -> dict[str, dict[str, int]]:
    """The grades of documents, by query, after the declared rules were applied to ids and grades."""
    grades: dict[str, dict[str, int]] = {}
    for judgment in judgments:
        query, document = renamed(judgment.query, allow), renamed(judgment.document, allow)
        grade = max(judgment.grade, 0)
        of_query = grades.setdefault(query, {})
        of_query[document] = max(of_query.get(document, grade), grade)
    return grades


def confirmed(found: Grades, allow: Sequence[str], qrels: Qrels, queries: Texts, corpus: Texts) -> Grades:
    """Return the judgments of the collection's queries, if the first reading has the same.

    Args:
        found: the second reading, after the rules.
        qrels: the first reading.

    Raises:
        DataError: a judgment differs; the message names its query and document.
    """
    ours, known = _by_ids(qrels, queries, corpus), set(queries.ids())
    for query in [*ours, *(name for name in found if name not in ours)]:
        if query not in known and "unknown-queries" in allow:
            continue
        if ours.get(query, {}) != found.get(query, {}):
            raise DataError(_difference(query, ours.get(query, {}), found.get(query, {})))
    return {query: found[query] for query in ours}


def _lines(content: bytes) -> list[str]:
    """The lines without byte order marks. Concatenated files have several."""
    return [line.removeprefix("\ufeff") for line in content.decode().split("\n")]


def _order(names: Sequence[str]) -> tuple[int, ...] | None:
    """The positions of query, document and grade; None unless each is the name of exactly one column."""
    short = [(at, name) for at, name in enumerate(names) if len(name) < _LONGEST_NAME]
    found = [[at for at, name in short if is_named(name)] for is_named in _NAMED]
    return tuple(places[0] for places in found) if all(len(places) == 1 for places in found) else None


def _by_order(lines: Iterable[str], order: Sequence[int], width: int) -> Iterator[Judgment]:
    for line in lines:
        tabs = _csv_row(line)
        for row in (tabs[:width] if not any(tabs[width:]) else [], _words(line)):
            query, document, grade = (row[at] for at in order) if len(row) == width else ("", "", "")
            if query and document and _is_grade(grade):
                yield Judgment(query, document, _whole(grade))
                break


def _is_trec(rows: Sequence[Sequence[str]], three: Sequence[Sequence[str]]) -> bool:
    """Whether all lines have TREC's four columns. If they could also be three columns, the second of the four has to be
    a number or U0, as in TREC's files."""
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
        row[:3] if len(row) >= 3 and not any(row[3:]) else _words(line) for row, line in zip(rows, lines, strict=True)
    ]


def _words(line: str) -> list[str]:
    return [word.decode() for word in line.encode().split()]  # bytes are divided at ASCII white space only


def _csv_row(line: str) -> list[str]:
    """The stripped columns of a line; [] if a quotation mark is not closed."""
    ended = "\t".join(column.rstrip(_BLANK) for column in line.split("\t"))
    try:
        return [column.strip(_BLANK) for column in next(csv.reader([ended], delimiter="\t", strict=True))]
    except csv.Error:
        return []


def _judgments(rows: Sequence[Sequence[str]]) -> list[Judgment]:
    body = rows if rows and _is_grade(rows[0][-1]) else rows[1:]
    return [Judgment(row[0], row[-2], _whole(row[-1])) for row in body if len(row) > 2 and _is_grade(row[-1])]


def _is_grade(written: str) -> bool:
    """Whether a text is a whole number, also as a float such as 1.0."""
    whole, _, rest = written.partition(".")
    return written.isascii() and whole.lstrip("+-").isdecimal() and not rest.strip("0")


def _whole(grade: str) -> int:
    digits = grade.split(".")[0].lstrip("+-0")
    return -1 if grade.startswith("-") and digits else int(digits or 0)


def _is_comment(line: str) -> bool:
    words = _words(line)
    if not line.startswith("#"):
        return False
    if words[0] == "#":
        is_trec = len(words) == 4 and words[1].lower().lstrip("qu").strip("0") == ""
        columns = [column for column in _csv_row(line) if column]
        return not (_is_grade(words[-1]) and (is_trec or (len(columns) == 3 and columns[0] == "#")))
    is_judgment = len(words) in (3, 4) and _is_grade(words[-1])
    return not is_judgment and _order(words) is None and _order(_csv_row(line)) is None


def renamed(name: str, allow: Sequence[str]) -> str:
    """An id after the declared rules were applied."""
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
    grades = [f"the grade {side[document]}" if document in side else "no grade" for side in (theirs, ours)]
    return (
        f"query '{query}': document '{document}' has {grades[0]} in the source, and {grades[1]} here; "
        "nothing was kept, please report it with the file of judgments"
    )
