"""Reads a results store with a few queries, however large it is, and refuses rows that are inconsistent."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from adapters.errors import DataError
from harness.result import rows
from harness.result.environment import machine
from harness.result.facts import CollectionFacts, Timing
from harness.result.result import Floats64
from harness.result.stored import Stored
from harness.result.typed import Unreadable, typed

ALL = "true"
THESE = "{id} in (select value from json_each(?))"
"""A condition on the ids of the evaluations to read."""
_COLLECTIONS = """
select c.*, k.fingerprint as corpus, d.language as detected, d.collection is not null as sought, p.name as parallel,
    p.known_by as parallel_by
from collection c
left join corpus k on k.collection = c.fingerprint
left join detected d on d.collection = c.fingerprint
left join parallel p on p.collection = c.fingerprint
where c.fingerprint"""
_EVALUATIONS = """
select e.*, m.kind as mark, m.identity as current
from evaluation e
left join collection c on c.fingerprint = e.collection
left join mark m on m.evaluation = e.id
where {which} order by e.updated, c.name, e.reranker is not null, e.id"""


@dataclass(frozen=True)
class Read:
    """One evaluation from the store."""

    stored: Stored
    queries: tuple[str, ...]
    """The ids of the collection's queries."""
    values: dict[str, tuple[Floats64, tuple[str, ...]]] = field(default_factory=dict)
    """The values by measure, with the ids of the queries or questions; empty for an imported mean."""


@dataclass(frozen=True)
class StoreReading:
    """Reads from an open database."""

    database: sqlite3.Connection
    path: Path

    def evaluations(self, which: str, arguments: Sequence[str] = (), *, values: bool = True) -> Iterator[Read]:
        """Yield evaluations, newest last. Means are always checked against their values.

        Args:
            which: `ALL`, or `THESE` with a JSON list of ids.
            values: also return the values per query. Default: True.

        Raises:
            DataError: something stored is inconsistent. The error names the evaluation.
        """
        with self._snapshot():
            found = self._rows(_EVALUATIONS.format(which=which.format(id="e.id")), arguments)
            read = dict(self._without_values(found, which, arguments))
            means = self._means(read, which, arguments, keep=values)
        for row in found:
            one = read[row["id"]]
            with self._named(row["id"]):
                if row["id"] not in means:
                    raise Unreadable("there are no values of any measure")
                stored = rows.by_now(one.stored, means[row["id"]], row["mark"], row["current"])
            yield Read(stored, one.queries, one.values)

    def timings(self, which: str = ALL, arguments: Sequence[str] = ()) -> dict[str, Timing]:
        """Return the times of evaluations on this machine, by id; without those that were not timed here.

        Raises:
            DataError: a time is not a number. The error names the evaluation.
        """
        found: dict[str, Timing] = {}
        here = f"where machine = ? and {which.format(id='evaluation')}"
        for id, *spent in self.database.execute(
            f"select evaluation, pairs, seconds from timing {here}", (machine(), *arguments)
        ):
            with self._named(id):
                before, (pairs, seconds) = found.get(id, Timing()), typed(tuple[int, float], spent, "timing")
                found[id] = Timing(before.pairs + pairs, before.seconds + seconds)
        for id, *took in self.database.execute(
            f"select evaluation, p50, p95, megabytes from latency {here}", (machine(), *arguments)
        ):
            with self._named(id):
                latency = typed(tuple[float, float, float | None], took, "latency")
                found[id] = replace(found.get(id, Timing()), latency=latency)
        return found

    def noise(self, evaluation: str, measure: str) -> float | None:
        """Return how much a mean changed when the evaluation was scored again, as a fraction; None if not measured.

        Raises:
            DataError: the stored value is not a number.
        """
        query = "select difference from noise where evaluation = ? and measure = ?"
        found = self.database.execute(query, (evaluation, measure)).fetchone()
        with self._named(evaluation):
            return None if found is None else typed(float, found[0], f"the noise of {measure}")

    def collection(self, fingerprint: str) -> CollectionFacts | None:
        """Return a collection; None if it is missing or cannot be read."""
        for row in self._rows(f"{_COLLECTIONS} = ?", (fingerprint,)):
            with suppress(Unreadable):
                return rows.collection_of(row)[0]
        return None

    def same(self, stored: Stored) -> Stored | None:
        """Return the stored evaluation with the same id, without its means; None if it is missing or cannot be read."""
        for row in self._rows("select * from evaluation where id = ?", (stored.id,)):
            with suppress(Unreadable):
                return rows.stored_of(row, stored.collection)
        return None

    def _rows(self, query: str, arguments: Sequence[str]) -> list[rows.Row]:
        cursor = self.database.cursor()
        cursor.row_factory = sqlite3.Row
        return cursor.execute(query, arguments).fetchall()

    def _without_values(
        self, found: Sequence[rows.Row], which: str, arguments: Sequence[str]
    ) -> Iterator[tuple[str, Read]]:
        wanted = f"{_COLLECTIONS} in (select collection from evaluation where {which.format(id='id')})"
        raw = {row["fingerprint"]: row for row in self._rows(wanted, arguments)}
        known: dict[str, tuple[CollectionFacts, tuple[str, ...]]] = {}
        for row in found:
            with self._named(row["id"]):
                place = row["collection"]
                if place not in raw:
                    raise Unreadable(f"its collection {place} is missing")
                if place not in known:
                    known[place] = rows.collection_of(raw[place])
                facts, queries = known[place]
                yield row["id"], Read(rows.stored_of(row, facts), queries)

    def _means(
        self, read: Mapping[str, Read], which: str, arguments: Sequence[str], *, keep: bool
    ) -> dict[str, dict[str, float]]:
        """Return the checked means by evaluation and measure. With `keep`, add the values to what was read."""
        means: dict[str, dict[str, float]] = {}
        query = "select evaluation, measure, mean, per_query, questions from value where "
        cursor = self.database.cursor()
        cursor.row_factory = sqlite3.Row
        for row in cursor.execute(query + which.format(id="evaluation"), arguments):
            one = read.get(row["evaluation"])
            with self._named(row["evaluation"]):
                if one is None:
                    raise Unreadable("there are values without an evaluation")
                mean, values, ids = rows.values_of(row, one.queries, imported=one.stored.imported)
            own = means.setdefault(row["evaluation"], {})
            if mean is not None:
                own[row["measure"]] = mean
            if keep:
                one.values[row["measure"]] = values, ids
        return means

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        """Let several queries see one state of the store, whatever other processes write."""
        self.database.execute("savepoint reading")  # may be inside a transaction
        try:
            yield
        finally:
            self.database.execute("release reading")

    @contextmanager
    def _named(self, evaluation: object) -> Iterator[None]:
        try:
            yield
        except Unreadable as error:
            raise DataError(
                f"{self.path}: evaluation {evaluation}: {error}; run it again, or move the file away"
            ) from None
