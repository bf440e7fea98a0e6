"""Training examples: a query, documents, and a teacher's score or a grade for each. One row per query."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from adapters.errors import DataError, UsageError, array_advice
from harness.workspace import write_atomically
from training.rows import RowFacts, digest_of, digests_of, facts_of

_LARGEST = sys.float_info.max
FIELDS = ("query", "documents", "scores", "ids", "task", "language", "source", "instruction")


@dataclass(frozen=True)
class Example:
    """One query and its documents."""

    query: str
    documents: tuple[str, ...]
    scores: tuple[float | None, ...]
    """A teacher's raw scores, or grades; None for a document without a score."""
    ids: tuple[str, ...] | None = None
    task: str | None = None
    language: str | None = None
    source: str | None = None
    instruction: str | None = None
    """What the query asks for, for a student whose prompt has an instruction; None for the student's own."""

    @property
    def is_labelled(self) -> bool:
        """Whether every document has a score."""
        return None not in self.scores


@dataclass(frozen=True)
class SourcePart:
    """A source of a mixture."""

    name: str
    examples: int
    drawn: int
    """The number of its examples in an epoch."""


@dataclass(frozen=True)
class Examples:
    """Examples that were read, in the order of their file."""

    rows: Sequence[Example]
    """In memory, or read when they are needed (`training.store`)."""
    rejected: Mapping[str, int] = field(default_factory=dict)
    """The number of rows and texts that were left out while reading, by reason."""
    parts: tuple[SourcePart, ...] = ()
    """The sources of a mixture, in the order of the rows; empty if an epoch has every example once."""

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def facts(self) -> RowFacts:
        """What a pass over the rows finds."""
        return facts_of(self.rows)

    @property
    def pairs(self) -> int:
        """The number of pairs of a query and a document."""
        return self.facts.pairs

    @cached_property
    def digest(self) -> str:
        """A digest of the queries, documents and scores in their order, as 32 hex digits."""
        return digest_of(digests_of(self.rows))

    def counts(self) -> dict[str, object]:
        """The entries of a manifest."""
        sources = {"sources": [asdict(part) for part in self.parts]} if self.parts else {}
        return {
            "examples": len(self),
            "pairs": self.pairs,
            "digest": self.digest,
            "rejected": dict(sorted(self.rejected.items())),
            **sources,
        }


def example_of(row: object, place: str) -> Example:
    """Check one row of our format.

    Args:
        row: a value from JSON or Parquet.
        place: `file:line`, with which every message begins.

    Raises:
        DataError: the row is not valid. The message names the place and what to do.
    """
    if not isinstance(row, dict):
        advice = array_advice("[" if isinstance(row, list) else "", place)
        raise DataError(f"{place}: expected an object with 'query', 'documents' and 'scores'; {advice}")
    for name in ("query", "documents", "scores"):
        if row.get(name) is None:
            raise DataError(f"{place}: the field '{name}' is missing; a row has {', '.join(FIELDS[:3])}")
    documents, scores = _texts(row["documents"], "documents", place), _scores(row["scores"], place)
    ids = None if row.get("ids") is None else _texts(row["ids"], "ids", place)
    _refuse(not isinstance(row["query"], str) or not row["query"].strip(), place, "the query is not a text")
    _refuse(not documents, place, "there is no document; leave such a query out")
    _refuse(len(scores) != len(documents), place, f"{len(documents)} documents have {len(scores)} scores")
    _refuse(ids is not None and len(ids) != len(documents), place, f"{len(documents)} documents have other ids")
    _refuse(len(set(documents)) != len(documents), place, "a document occurs twice; list each document once")
    named = {name: _name(row.get(name), name, place) for name in FIELDS[4:]}
    if not (named["instruction"] or "").strip():
        named["instruction"] = None
    return Example(row["query"], documents, scores, ids, **named)


def refuse_unlabelled(example: Example, place: str) -> None:
    """Refuse an example in which a document has no score.

    Raises:
        DataError: a score is null.
    """
    missing = sum(score is None for score in example.scores)
    if missing:
        raise DataError(
            f"{place}: {missing} of {len(example.scores)} documents have no score; let a teacher score them"
        )


def write_examples(path: Path, examples: Iterable[Example]) -> None:
    """Write examples as .jsonl or .parquet, by the ending of the path. The file appears when it is complete.

    Raises:
        UsageError: the path has another ending.
    """
    if path.suffix not in (".jsonl", ".parquet"):
        raise UsageError(f"{path}: name a file that ends in .jsonl or .parquet")
    with write_atomically(path) as temporary:
        if path.suffix == ".parquet":
            _write_parquet(temporary, examples)
        else:
            with temporary.open("w", encoding="utf-8") as out:
                out.writelines(f"{line}\n" for line in map(_line, examples))


def distinct(
    query: str, scored: Iterable[tuple[str, float]], place: str, **named: str | None
) -> tuple[Example, dict[str, int]]:
    """Make an example from texts that may repeat; the highest score of each text is kept.

    Raises:
        DataError: a score is not finite, or there is no document.
    """
    best: dict[str, float] = {}
    repeats = 0
    for text, score in scored:
        repeats += text in best
        best[text] = max(score, best.get(text, -math.inf)) if math.isfinite(score) else score
    row = {"query": query, "documents": list(best), "scores": list(best.values()), **named}
    return example_of(row, place), {"repeated documents": repeats} if repeats else {}


def _write_parquet(path: Path, examples: Iterable[Example]) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    texts, numbers = pa.list_(pa.string()), pa.list_(pa.float64())
    kinds = (pa.string(), texts, numbers, texts, *[pa.string()] * len(FIELDS[4:]))
    schema = pa.schema(list(zip(FIELDS, kinds, strict=True)))
    with parquet.ParquetWriter(path, schema) as writer:
        for block in _blocks(examples):
            writer.write_table(pa.Table.from_pylist([asdict(row) for row in block], schema=schema))


def _blocks(examples: Iterable[Example], size: int = 1024) -> Iterator[list[Example]]:
    block: list[Example] = []
    for example in examples:
        block.append(example)
        if len(block) == size:
            yield block
            block = []
    if block:
        yield block


def _line(example: Example) -> str:
    row = {name: value for name, value in asdict(example).items() if value is not None}
    return json.dumps(row, ensure_ascii=False, allow_nan=False)


def _texts(value: Any, name: str, place: str) -> tuple[str, ...]:
    _refuse(
        not isinstance(value, list) or not all(isinstance(one, str) for one in value),
        place,
        f"'{name}' has to be a list of texts",
    )
    return tuple(value)


def _scores(value: Any, place: str) -> tuple[float | None, ...]:
    _refuse(not isinstance(value, list), place, "'scores' has to be a list of numbers")
    for score in value:
        number = isinstance(score, int | float) and not isinstance(score, bool)
        _refuse(score is not None and not number, place, f"the score {score!r} is not a number")
        _refuse(
            number and not abs(score) <= _LARGEST, place, f"the score {score} is not finite; the teacher failed there"
        )
    return tuple(None if score is None else float(score) for score in value)


def _name(value: Any, name: str, place: str) -> str | None:
    _refuse(value is not None and not isinstance(value, str), place, f"'{name}' has to be a text")
    return None if value is None else str(value)


def _refuse(wrong: bool, place: str, reason: str) -> None:
    if wrong:
        raise DataError(f"{place}: {reason}")
