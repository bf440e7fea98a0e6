"""Rows in the formats of FlagEmbedding, Tevatron and mteb, triplets, and pairs or lists with labels or scores."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from adapters.errors import DataError
from harness.data.sources.jsonl import JsonLine
from harness.data.sources.row_files import row_records
from harness.data.sources.row_forms import Candidates, candidates_of
from training.examples import Example, distinct, example_of, refuse_unlabelled
from training.sources.comparisons import compared, is_compared

OURS = ("documents", "scores")
"""The fields that mark a row of our format."""
_PROMPT = "prompt"
_QUERY_ID = re.compile(r"\d+|[qQ]\d+")
_TEXT_ID = re.compile(r"\d+|[dDpP]\d+|msmarco_\w+(#\S*)?")
"""Ids as MS MARCO writes them in its triples: 1185869, D1650436, msmarco_passage_00_4874."""

Found = Iterator[tuple[Example, dict[str, int]]]


def read(path: Path) -> Found:
    """One example per row. Pairs with a label or score are joined to one example per query, after all others. Relevant
    texts have grade 1 and others 0, unless the row has a teacher's scores, or comparisons of its documents.

    Raises:
        DataError: a row has errors, has ids instead of texts, or a prompt; the message names file and line.
    """
    pairs: dict[str, list[Candidates]] = {}
    for record in row_records(path):
        if is_compared(record):
            yield compared(record), {}
            continue
        if _is_ours(record):
            yield _ours(record), {}
            continue
        row = candidates_of(record)
        _refuse_ids(row)
        _refuse_prompt(row)
        if row.is_single and len(row.labels) == 1 and not row.is_one_sided:
            pairs.setdefault(row.query, []).append(row)
        else:
            yield _example([row])
    for rows in pairs.values():
        yield _example(rows)


def _is_ours(record: JsonLine) -> bool:
    return all(name in record.fields for name in OURS) or not set(record.fields) - {"query", *OURS}


def _ours(record: JsonLine) -> Example:
    example = example_of(record.fields, record.where)
    refuse_unlabelled(example, record.where)
    return example


def _example(rows: Iterable[Candidates]) -> tuple[Example, dict[str, int]]:
    rows = list(rows)
    scored = [pair for row in rows for pair in _scored(row)]
    return distinct(rows[0].query, scored, rows[0].record.where)


def _refuse_ids(row: Candidates) -> None:
    """Refuse a row that has an id in place of the query and of every text, as in MS MARCO's triples of ids."""
    texts = [text for text, _ in row.labels]
    if _QUERY_ID.fullmatch(row.query.strip()) and all(_TEXT_ID.fullmatch(text.strip()) for text in texts):
        raise DataError(
            f"{row.record.where}: '{row.query}' and '{texts[0]}' are ids, not texts, as in MS MARCO's qidpidtriples; "
            "replace them by the texts of queries.tsv and collection.tsv, or use a folder in BEIR's layout"
        )


def _refuse_prompt(row: Candidates) -> None:
    """Refuse FlagEmbedding's instruction of a row, which no student here would read."""
    prompt = row.record.fields.get(_PROMPT)
    if isinstance(prompt, str) and prompt.strip():
        raise DataError(
            f"{row.record.where}: the field '{_PROMPT}' has an instruction, which training does not put before the "
            f"texts; remove the field from every row (jq -c 'del(.{_PROMPT})' FILE), or put it into the query"
        )


def _scored(row: Candidates) -> list[tuple[str, float]]:
    """The texts with a teacher's scores, or with their grades if there are none."""
    texts = [text for text, _ in row.labels]
    labels = [label for _, label in row.labels]
    both = {text for text, label in row.labels if label == 1} & {text for text, label in row.labels if label == 0}
    if row.is_single and both and row.scores is None:
        raise DataError(f"{row.record.where}: the relevant text and the other text are the same; leave the line out")
    return list(zip(texts, labels if row.scores is None else row.scores, strict=True))
