"""Answers of teachers that compare two documents, through the ledger: no two documents are compared twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from adapters.errors import ModelError
from adapters.identity import Digests, text_digests
from adapters.protocols import Identity, IndexPairs, Integers
from harness.data.collection import Collection
from harness.scoring.ledger.store import Entries, Ledger
from harness.scoring.session import Session
from training.teaching.blend import Scores
from training.teaching.teachers import ComparingTeacher

_AT_ONCE = 64
"""Comparisons in one call of a teacher."""
_ENOUGH = 20
"""Answers after which a teacher that mostly cannot be read is stopped."""
_SHOWN = 60


@dataclass(frozen=True)
class ComparisonQuestions:
    """Which of two documents answers a query better? Rows of a collection, int64 [questions]."""

    collection: Collection
    queries: Integers
    firsts: Integers
    """The documents that are shown first."""
    seconds: Integers

    def __len__(self) -> int:
        return len(self.queries)

    def texts(self, rows: Integers) -> tuple[list[str], list[str], list[str]]:
        """The texts of some questions."""
        corpus = self.collection.corpus
        asked = [self.collection.queries[int(row)] for row in self.queries[rows]]
        return asked, list(corpus.take(self.firsts[rows])), list(corpus.take(self.seconds[rows]))

    def keys(self) -> tuple[Digests, Digests]:
        """The digests of the query, and of the two documents in their order."""
        corpus = self.collection.corpus.digests
        both = np.concatenate([corpus[self.firsts], corpus[self.seconds]], axis=1)
        return self.collection.queries.digests[self.queries], text_digests(row.tobytes().hex() for row in both)


@dataclass(frozen=True)
class Answers:
    """The preferences of a teacher."""

    values: Scores
    """float64 [questions]: 1 for the first document, 0 for the second, or a probability; NaN for an answer that could
    not be read."""
    fresh: int
    """Questions that were asked now; the others were in the ledger."""


def compared_identity(teacher: ComparingTeacher) -> Identity:
    """What the answers of a teacher depend on, apart from the texts."""
    return {"comparison": 1, "compare": dict(teacher.identity)}


def unanswered(teacher: ComparingTeacher, questions: ComparisonQuestions, ledger: Ledger) -> Integers:
    """The questions that are not in the ledger, each text once."""
    scorer = ledger.scorer(dict(compared_identity(teacher)))
    queries, documents = questions.keys()
    known, _ = ledger.known(scorer, queries, documents, _pairs(len(questions)))
    rows = np.flatnonzero(~known)
    words = np.ascontiguousarray(np.concatenate([queries[rows], documents[rows]], axis=1)).view("V32").ravel()
    return np.sort(rows[np.unique(words, return_index=True)[1]])


def answers(teacher: ComparingTeacher, questions: ComparisonQuestions, session: Session) -> Answers:
    """Ask what is not in the ledger, and record every answer as it comes.

    An answer that cannot be read is not recorded, so another run asks again.

    Raises:
        ModelError: more than half of the answers cannot be read, or the teacher breaks the protocol.
    """
    ledger, keys = session.ledger, questions.keys()
    scorer = ledger.scorer(dict(compared_identity(teacher)))
    missing = unanswered(teacher, questions, ledger)
    unread, read = 0, len(questions) - len(missing)
    with session.reporter.stage(f"teacher {teacher.spec}", len(missing)) as advance:
        for row, value in _asked(teacher, questions, missing):
            if value is None:
                unread += 1
                if unread + read >= _ENOUGH:
                    _refuse(teacher, unread, unread + read)
            else:
                read += 1
                query, documents = (key[row : row + 1] for key in keys)
                ledger.record(scorer, query, documents, _pairs(1), _entry(value))
            advance(1)
    if len(missing):
        _refuse(teacher, unread, unread + read)
        ledger.compact(scorer)
    known, entries = ledger.known(scorer, *keys, _pairs(len(questions)))
    return Answers(np.where(known, entries.score.astype(np.float64), np.nan), len(missing))


def _asked(
    teacher: ComparingTeacher, questions: ComparisonQuestions, rows: Integers
) -> Iterator[tuple[int, float | None]]:
    """The rows of questions with their preferences, as they come."""
    for start in range(0, len(rows), _AT_ONCE):
        some, count = rows[start : start + _AT_ONCE].tolist(), 0
        for value in teacher.comparer.compare(*questions.texts(np.array(some))):
            if count == len(some) or not (value is None or 0 <= value <= 1):
                raise ModelError(f"{teacher.spec}: {len(some)} comparisons need one preference from 0 to 1 each")
            yield some[count], value
            count += 1
        if count < len(some):
            raise ModelError(f"{teacher.spec} gave {count} preferences for {len(some)} comparisons")


def _refuse(teacher: ComparingTeacher, unread: int, asked: int) -> None:
    if 2 * unread > asked:
        last = getattr(teacher.comparer, "last_unread", None)
        shown = "" if last is None else f"; the last was {' '.join(str(last).split())[:_SHOWN]!r}"
        raise ModelError(
            f"{teacher.spec}: {unread} of {asked} answers cannot be read{shown}; use another model or ?prompt=FILE"
        )


def _entry(value: float) -> Entries:
    entries = Entries.unknown(1)
    entries.score[0] = value
    return entries


def _pairs(count: int) -> IndexPairs:
    return np.stack([np.arange(count), np.arange(count)], axis=1)
