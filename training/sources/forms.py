"""Rows in the formats of FlagEmbedding, Tevatron and mteb, triplets, and pairs or lists with labels or scores."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from adapters.errors import DataError
from adapters.known_digests import known_digest
from harness.data.sources.jsonl import JsonLine
from harness.data.sources.row_files import row_records
from harness.data.sources.row_forms import Candidates, candidates_of, has_margins, taught_scores
from harness.data.sources.row_names import PROMPT, refuse_other_labels, refuse_scores_of_texts, refuse_unread_numbers
from training.examples import FIELDS, Example, distinct, example_of, refuse_unlabelled
from training.opened import Found, OpenedSource
from training.sources.comparisons import FIELD, compared, is_compared
from training.sources.grouping import Groups, RowPart
from training.sources.scales import Scales

OURS = ("documents", "scores")
"""The fields that mark a row of our format."""
_VERSION = 3
_QUERY_ID = re.compile(r"\d+|[qQ]\d+")
_TEXT_ID = re.compile(r"\d+|[dDpP]\d+|msmarco_\w+(#\S*)?")
"""Ids as MS MARCO writes them in its triples: 1185869, D1650436, msmarco_passage_00_4874."""


def read(path: Path) -> OpenedSource:
    """One example per row. Pairs with a label or score are joined to one example per query, after all others. Relevant
    texts have grade 1 and others 0, unless the row has a teacher's scores, or comparisons of its documents.

    Raises:
        DataError: a row has errors, or has ids instead of texts; the message names file and line.
    """
    name = path.name.removesuffix(".gz")
    return OpenedSource(
        {"version": _VERSION, "file": known_digest(path), "ending": Path(name).suffix}, _examples([path])
    )


def of_files(paths: Iterable[Path], identity: str) -> OpenedSource:
    """As `read`, for the files of one data set, which are read one after another."""
    return OpenedSource({"version": _VERSION, "files": identity}, _examples(paths))


def _examples(paths: Iterable[Path]) -> Found:
    groups, scales = Groups(), Scales()
    for record in (record for path in paths for record in row_records(path)):
        if is_compared(record) or _is_ours(record):
            refuse_other_labels(record, (*FIELDS, FIELD))
            example = compared(record) if is_compared(record) else _ours(record)
            scales.given(record.where, [score for score in example.scores if score is not None])
            yield example, {}
            continue
        row = candidates_of(record)
        _refuse_ids(row)
        part = _part(row, scales)
        if row.is_single and len(row.labels) == 1 and not row.is_one_sided:
            groups.add(part)
        else:
            yield _example([part])
    for parts in groups:
        yield _example(parts)


def _is_ours(record: JsonLine) -> bool:
    return all(name in record.fields for name in OURS) or not set(record.fields) - {"query", *OURS}


def _ours(record: JsonLine) -> Example:
    example = example_of(record.fields, record.where)
    refuse_unlabelled(example, record.where)
    return example


def _part(row: Candidates, scales: Scales) -> RowPart:
    return RowPart(row.query, _instruction(row), tuple(_scored(row, scales)), row.record.where)


def _example(parts: list[RowPart]) -> tuple[Example, dict[str, int]]:
    scored = [pair for part in parts for pair in part.scored]
    return distinct(parts[0].query, scored, parts[0].where, instruction=parts[0].instruction)


def _instruction(row: Candidates) -> str | None:
    """The instruction of a row, which FlagEmbedding calls a prompt; None if it is empty."""
    given = (row.record.optional_text(name) for name in ("instruction", PROMPT))
    return next((text for text in given if text and text.strip()), None)


def _refuse_ids(row: Candidates) -> None:
    """Refuse a row that has an id in place of the query and of every text, as in MS MARCO's triples of ids."""
    texts = [text for text, _ in row.labels]
    if texts and _QUERY_ID.fullmatch(row.query.strip()) and all(_TEXT_ID.fullmatch(text.strip()) for text in texts):
        raise DataError(
            f"{row.record.where}: '{row.query}' and '{texts[0]}' are ids, not texts, as in MS MARCO's qidpidtriples; "
            "replace them by the texts of queries.tsv and collection.tsv, or use a folder in BEIR's layout"
        )


def _scored(row: Candidates, scales: Scales) -> list[tuple[str, float]]:
    """The texts with a teacher's scores, or with their grades if there are none."""
    texts, scores = [text for text, _ in row.labels], taught_scores(row)
    labels, where = [label for _, label in row.labels], row.record.where
    if row.is_graded or scores is not None:
        scales.given(where, labels if scores is None else list(scores), are_margins=has_margins(row))
    else:
        refuse_scores_of_texts(row.record)
        refuse_unread_numbers(row.record, is_one_sided=False)
        scales.made(where, is_one_sided=row.is_one_sided)
    both = {text for text, label in row.labels if label == 1} & {text for text, label in row.labels if label == 0}
    if row.is_single and both and scores is None:
        raise DataError(f"{where}: the relevant text and the other text are the same; leave the line out")
    return list(zip(texts, labels if scores is None else scores, strict=True))
