"""Reads a results store with a few queries, however large it is, and refuses rows that are inconsistent."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from adapters.errors import DataError
from harness.measuring.robustness.perturbations import PERTURBATIONS
from harness.measuring.robustness.perturbed import Perturbed
from harness.result import rows, sums
from harness.result.environment import machine
from harness.result.facts import CollectionFacts, Timing
from harness.result.result import Floats64
from harness.result.stored import Stored
from harness.result.typed import Unreadable, typed
from harness.sqlite_file import advice

T = TypeVar("T")
ALL = "true"
THESE = "{id} in (select value from json_each(?))"
"""A condition on the ids of the evaluations to read."""
_COLLECTIONS = """
select c.*, k.fingerprint as corpus, d.language as detected, d.collection is not null as sought, p.name as parallel,
    p.known_by as parallel_by, s.sum
from collection c
left join corpus k on k.collection = c.fingerprint
left join detected d on d.collection = c.fingerprint
left join parallel p on p.collection = c.fingerprint
left join checksum s on s.kind = 'collection' and s.id = c.fingerprint and s.part = ''
where c.fingerprint"""
_EVALUATIONS = """
select e.*, m.kind as mark, m.identity as current, marked.sum as mark_sum, s.sum
from evaluation e
left join collection c on c.fingerprint = e.collection
left join mark m on m.evaluation = e.id
left join checksum s on s.kind = 'evaluation' and s.id = e.id and s.part = ''
left join checksum marked on marked.kind = 'mark' and marked.id = e.id and marked.part = ''
where {which} order by e.updated, c.name, e.reranker is not null, e.id"""
_VALUES = """
select v.evaluation, v.measure, v.mean, v.per_query, v.questions, s.sum
from value v
left join checksum s on s.kind = 'value' and s.id = v.evaluation and s.part = v.measure
where """
_LOST = """
select s.id from checksum s left join evaluation e on e.id = s.id
where s.kind = 'evaluation' and e.id is null and """
"""Evaluations that have a checksum and no row, because a page of the file was lost."""


@dataclass(frozen=True)
class Read:
    """One evaluation from the store."""

    stored: Stored
    queries: tuple[str, ...]
    """The ids of the collection's queries."""
    values: dict[str, tuple[Floats64, tuple[str, ...]]] = field(default_factory=dict)
    """The values by measure, with the ids of the queries or questions; empty for an imported mean."""


@dataclass(frozen=True)
class _Fetched:
    """Evaluations of one state of the store, which still have to be checked."""

    rows: Sequence[rows.Row]
    read: Mapping[str, Read]
    means: Mapping[str, Mapping[str, float]]
    measured: Mapping[str, Sequence[str]]
    lost: Sequence[str]


@dataclass(frozen=True)
class StoreReading:
    """Reads from an open database."""

    database: sqlite3.Connection
    path: Path

    def evaluations(self, which: str, arguments: Sequence[str] = (), *, values: bool = True) -> Iterator[Read]:
        """Return evaluations, newest last. Means are always checked against their values.

        Args:
            which: `ALL`, or `THESE` with a JSON list of ids.
            values: also return the values per query. Default: True.

        Raises:
            DataError: something stored is inconsistent. The error names the evaluation.
        """
        with self._snapshot():
            found = self._fetched(which, arguments, values=values)
        return self._checked(found)

    def _fetched(self, which: str, arguments: Sequence[str], *, values: bool) -> _Fetched:
        found = self._rows(_EVALUATIONS.format(which=which.format(id="e.id")), arguments)
        read = dict(self._without_values(found, which, arguments))
        means, measured = self._means(read, which, arguments, keep=values)
        lost = self._rows(_LOST + which.format(id="s.id"), arguments)
        return _Fetched(found, read, means, measured, [row["id"] for row in lost])

    def _checked(self, fetched: _Fetched) -> Iterator[Read]:
        for row in fetched.rows:
            id = row["id"]
            one = fetched.read[id]
            try:
                if id not in fetched.means:
                    raise Unreadable("there are no values of any measure")
                stored = rows.by_now(one.stored, fetched.means[id], row["mark"], row["current"])
                _check_evaluation(row, fetched.measured[id])
            except Unreadable as error:
                raise self._refusal(id, error) from None
            yield Read(stored, one.queries, one.values)
        for id in fetched.lost:
            raise self._refusal(id, Unreadable("it was stored and is missing"))

    def check(self) -> None:
        """Read everything that has checksums, except the content of looks.

        Raises:
            DataError: something stored is damaged or inconsistent.
        """
        for evaluation in self._checked(self._fetched(ALL, (), values=False)):
            for measure in evaluation.stored.means:
                self.noise(evaluation.stored.id, measure)
        self.timings()
        self.robustness()
        self.looks(dict)

    def looks(self, read: Callable[[rows.Row], T]) -> list[T]:
        """Return the looks of the gate, ordered by time. One look that cannot be trusted stops all: it may have spent
        from any budget.

        Args:
            read: returns a look from its row; raises `Unreadable` if a value is missing or wrong.

        Raises:
            DataError: a look is damaged or missing. The error names it.
        """
        with self._snapshot():
            found, changed = self._rows("select * from look order by at, id", ()), sums.changed(self.database, "look")
        for id in changed:
            raise self._lost_look(id, Unreadable("it is not what was stored"))
        looks = []
        for row in found:
            try:
                looks.append(read(row))
            except Unreadable as error:
                raise self._lost_look(row["id"], error) from None
        return looks

    def timings(self, which: str = ALL, arguments: Sequence[str] = ()) -> dict[str, Timing]:
        """Return the times of evaluations on this machine, by id; without those that were not timed here.

        Raises:
            DataError: a time is not a number. The error names the evaluation.
        """
        found: dict[str, Timing] = {}
        present: dict[str, int] = {}
        here = f"where machine = ? and {which.format(id='evaluation')}"
        query = f"select evaluation, pairs, seconds from timing {here}"
        for row in self.database.execute(query, (machine(), *arguments)):
            with self._named(id := row[0]):
                before, (pairs, seconds) = found.get(id, Timing()), typed(tuple[int, float], row[1:], "timing")
                found[id] = Timing(before.pairs + pairs, before.seconds + seconds)
            present[id] = present.get(id, 0) + sums.of_row(row)
        query = f"select evaluation, p50, p95, megabytes from latency {here}"
        for row in self.database.execute(query, (machine(), *arguments)):
            with self._named(id := row[0]):
                latency = typed(tuple[float, float, float | None], row[1:], "latency")
                found[id] = replace(found.get(id, Timing()), latency=latency)
            present[id] = present.get(id, 0) + sums.of_row(row)
        self._check_times(present, which, arguments)
        return found

    def _check_times(self, present: Mapping[str, int], which: str, arguments: Sequence[str]) -> None:
        query = f"select id, sum from checksum where kind = 'times' and part = ? and {which.format(id='id')}"
        for id, known in self.database.execute(query, (machine(), *arguments)):
            if not sums.is_same(known, present.get(id, 0)):
                with self._named(id):
                    raise Unreadable("its times are not what was stored")

    def robustness(self, which: str = ALL, arguments: Sequence[str] = ()) -> dict[str, tuple[Perturbed, ...]]:
        """Return the values on perturbed texts, by id of the evaluation; without those that have none.

        Raises:
            DataError: a row cannot be read, or is not what was stored. The error names the evaluation.
        """
        found: dict[str, list[Perturbed]] = {}
        present: dict[str, int] = {}
        query = f"select * from robustness where {which.format(id='evaluation')}"
        for row in self.database.execute(query, arguments):
            with self._named(id := row[0]):
                found.setdefault(id, []).append(rows.perturbed_of(row[1:]))
            present[id] = present.get(id, 0) + sums.of_row(row)
        query = f"select id, sum from checksum where kind = 'robustness' and {which.format(id='id')}"
        for id, known in self.database.execute(query, arguments):
            if not sums.is_same(known, present.get(id, 0)):
                with self._named(id):
                    raise Unreadable("its robustness is not what was stored")
        return {id: tuple(sorted(own, key=_declared)) for id, own in found.items()}

    def noise(self, evaluation: str, measure: str) -> float | None:
        """Return how much a mean changed when the evaluation was scored again, as a fraction; None if not measured.

        Raises:
            DataError: the stored value is not a number.
        """
        query = "select difference from noise where evaluation = ? and measure = ?"
        found = self.database.execute(query, (evaluation, measure)).fetchone()
        with self._named(evaluation):
            noise = None if found is None else typed(float, found[0], f"the noise of {measure}")
            if sums.is_changed(self.database, "noise", evaluation, measure):
                raise Unreadable(f"the noise of {measure} is not what was stored")
            return noise

    def collection(self, fingerprint: str) -> CollectionFacts | None:
        """Return a collection; None if it is missing, damaged or cannot be read."""
        for row in self._rows(f"{_COLLECTIONS} = ?", (fingerprint,)):
            with suppress(Unreadable):
                return _collection_of(row)[0]
        return None

    def same(self, stored: Stored) -> Stored | None:
        """Return the stored evaluation with the same id, without its means; None if it is missing, damaged or cannot be
        read."""
        if sums.is_changed(self.database, "evaluation", stored.id):
            return None
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
        seen: set[object] = set()
        for row in found:
            try:
                if row["id"] in seen:
                    raise Unreadable("it is stored twice")
                seen.add(row["id"])
                place = row["collection"]
                if place not in raw:
                    raise Unreadable(f"its collection {place} is missing")
                if place not in known:
                    known[place] = _collection_of(raw[place])
                facts, queries = known[place]
                yield row["id"], Read(rows.stored_of(row, facts), queries)
            except Unreadable as error:
                raise self._refusal(row["id"], error) from None

    def _means(
        self, read: Mapping[str, Read], which: str, arguments: Sequence[str], *, keep: bool
    ) -> tuple[dict[str, dict[str, float]], dict[str, list[str]]]:
        """Return the checked means by evaluation and measure, and the measures of each evaluation. With `keep`, add the
        values to what was read."""
        means: dict[str, dict[str, float]] = {}
        measured: dict[str, list[str]] = {}
        cursor = self.database.cursor()
        cursor.row_factory = sqlite3.Row
        for row in cursor.execute(_VALUES + which.format(id="v.evaluation"), arguments):
            id = row["evaluation"]
            try:
                if id not in read:
                    raise Unreadable("there are values without an evaluation")
                one = read[id]
                mean, values, ids = rows.values_of(row, one.queries, imported=one.stored.imported)
                if row["sum"] is not None and row["sum"] != sums.of_value(*row[:5]):
                    raise Unreadable(f"the values of {row['measure']} are not what was stored")
            except Unreadable as error:
                raise self._refusal(id, error) from None
            measured.setdefault(id, []).append(row["measure"])
            own = means.setdefault(id, {})
            if mean is not None:
                own[row["measure"]] = mean
            if keep:
                one.values[row["measure"]] = values, ids
        return means, measured

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        """Let several queries see one state of the store, whatever other processes write."""
        self.database.execute("savepoint reading")  # may be inside a transaction
        try:
            yield
        finally:
            if self.database.in_transaction:  # SQLite ends it where the file is damaged
                self.database.execute("release reading")

    @contextmanager
    def _named(self, evaluation: object) -> Iterator[None]:
        try:
            yield
        except Unreadable as error:
            raise self._refusal(evaluation, error) from None

    def _lost_look(self, look: object, error: Unreadable) -> DataError:
        cure = f"restore {self.path.name} from a copy, or start a release with new queries in another --workspace"
        return DataError(f"{self.path}: {look}: {error}, so it counts against every budget; {cure}")

    def _refusal(self, evaluation: object, error: Unreadable) -> DataError:
        return DataError(f"{self.path}: evaluation {evaluation}: {error}; run it again, or {advice(self.path)}")


def _declared(one: Perturbed) -> tuple[int, str]:
    """Where a perturbation comes in tables: in the order of the definitions."""
    names = list(PERTURBATIONS)
    return names.index(one.name) if one.name in names else len(names), one.name


def _collection_of(row: rows.Row) -> tuple[CollectionFacts, tuple[str, ...]]:
    found = rows.collection_of(row)
    *own, known = _cells(row)
    if known is not None and known != sums.of_collection(own):
        raise Unreadable("its collection is not what was stored")
    return found


def _check_evaluation(row: rows.Row, measures: Sequence[str]) -> None:
    *own, mark, current, mark_sum, known = _cells(row)
    if known is not None and known != sums.of_evaluation(own, measures):
        raise Unreadable("it is not what was stored")
    if mark_sum is not None and mark_sum != sums.of_row((row["id"], mark, current)):
        raise Unreadable("its mark is not what was stored")


def _cells(row: Any) -> tuple[Any, ...]:
    return tuple(row)  # a row of SQLite iterates over its values, not over its keys
