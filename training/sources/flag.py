"""FlagEmbedding's format: 'query', 'pos' and 'neg', with a teacher's 'pos_scores' and 'neg_scores' or without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from adapters.errors import DataError
from training.examples import Example, distinct
from training.sources.rows import lines, parsed

_GRADES = {"pos": 1.0, "neg": 0.0}


def read(path: Path) -> Iterator[tuple[Example, dict[str, int]]]:
    """One example per line. Without scores, 'pos' has grade 1 and 'neg' grade 0.

    Raises:
        DataError: with file and line.
    """
    for place, line in lines(path):
        row = parsed(line, place)
        if not isinstance(row, dict) or not isinstance(row.get("query"), str):
            raise DataError(f"{place}: expected an object with 'query', 'pos' and 'neg'")
        _refuse_half_scored(row, place)
        scored = [pair for side in _GRADES for pair in _side(row, side, place)]
        yield distinct(row["query"], scored, place)


def _side(row: dict[str, Any], side: str, place: str) -> list[tuple[str, float]]:
    texts, scores = row.get(side) or [], row.get(f"{side}_scores")
    if not isinstance(texts, list) or (scores is not None and not isinstance(scores, list)):
        raise DataError(f"{place}: '{side}' and '{side}_scores' have to be lists")
    if scores is None:
        return [(text, _GRADES[side]) for text in texts]
    if len(scores) != len(texts):
        raise DataError(f"{place}: {len(texts)} texts in '{side}' have {len(scores)} scores in '{side}_scores'")
    if not all(isinstance(score, int | float) and not isinstance(score, bool) for score in scores):
        raise DataError(f"{place}: '{side}_scores' has something that is not a number; let a teacher score it")
    return [(text, float(score)) for text, score in zip(texts, scores, strict=True)]


def _refuse_half_scored(row: dict[str, Any], place: str) -> None:
    scored = [row.get(f"{side}_scores") is not None for side in _GRADES if row.get(side)]
    if len(set(scored)) > 1:
        raise DataError(f"{place}: only one of 'pos_scores' and 'neg_scores' is there; grades and scores do not mix")
