"""The results store: every value and what it was made from, in one SQLite file. Imports no model library."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np

from adapters.errors import DataError, HarnessError, UsageError
from harness.data.suites.table import PAIRED_MEASURE
from harness.measuring.robustness.perturbed import Perturbed
from harness.result import rows, sums
from harness.result.database import closed_on_error, opened
from harness.result.environment import machine
from harness.result.facts import CollectionFacts, Timing
from harness.result.reading import ALL, THESE, Read, StoreReading
from harness.result.result import Result, made_now, result_of, results_of, results_of_means
from harness.result.rows import Row
from harness.result.schema import ADDED, COLUMNS, SCHEMA, SINCE_1, TABLES
from harness.result.stored import Stored
from harness.result.typed import Unreadable, parsed
from harness.sqlite_file import advice, error_of, is_damage, writing

if TYPE_CHECKING:
    from harness.result.evaluation import Evaluation
    from harness.result.means import Means

T = TypeVar("T")


class Results:
    """An open results store. A read-only file can be read.

    Raises:
        DataError: the file is not a results store, or was written by a newer version.
        EnvironmentFailure: the file cannot be opened, for instance because another process has locked it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._database, self._read_only = opened(path)
            self._reading = StoreReading(self._database, path)
            with closed_on_error(self._database):
                self._prepare()
        except (OSError, sqlite3.DatabaseError) as error:
            raise _unopened(path, error) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.ProgrammingError):
            raise error_of(self._path, error) from error

    def keep(self, evaluation: Evaluation) -> None:
        """Store an evaluation in one transaction. Measures that were stored before are kept."""
        self.write(self.made_of(evaluation))

    def made_of(self, evaluation: Evaluation) -> tuple[Result, ...]:
        """Return an evaluation as `keep` stores it, without storing it."""
        from harness.data.columns import corpus_fingerprint  # imports Arrow, which reading a store does not need

        collection = evaluation.collection
        known = self._reading.collection(collection.fingerprint)
        corpus = (known and known.corpus) or corpus_fingerprint(collection.corpus)
        return results_of(replace(evaluation, timing=None), corpus)

    def keep_means(self, found: Sequence[Means]) -> None:
        """Store imported means in one transaction. They have no values per query, so `per_query` is null."""
        made = made_now()
        self.write([result for means in found for result in results_of_means(means, made)])

    def write(self, results: Sequence[Result]) -> None:
        """Store results in one transaction. `results` returns the same values, and keeps other measures, the date and
        the command of an earlier evaluation of the same content. Pairs and seconds are added up; `keep_latency` stores
        latencies.

        Raises:
            ValueError: an evaluation has only p-MRR, so the queries of its collection are not known.
        """
        by_evaluation: dict[str, list[Result]] = {}
        for one in results:
            by_evaluation.setdefault(one.id, []).append(one)
        with self.transaction():
            for own in by_evaluation.values():
                stored = own[0].stored
                queries = _queries_of(own)
                self._keep_evaluation(replace(stored, collection=self._keep_collection(stored.collection, queries)))
                self._keep_timing(stored.id, own[0].timing)
                self._keep_values(own)
                self._keep_perturbed(stored.id, {(row.name, row.measure): row for one in own for row in one.perturbed})
                sums.keep(self._database, "evaluation", stored.id)

    @property
    def is_read_only(self) -> bool:
        """Whether the file can only be read."""
        return self._read_only

    def shrink(self) -> None:
        """Give the space of deleted rows back to the disk."""
        self._database.execute("vacuum")
        self._database.execute("pragma wal_checkpoint(truncate)").fetchall()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Write everything in the block or, if it fails, nothing. A transaction inside another one is part of it."""
        if self._database.in_transaction:
            yield
            return
        with writing(self._database):
            yield

    @contextmanager
    def unkept(self, results: Sequence[Result]) -> Iterator[None]:
        """Let the block read results as if they were stored. No other process sees them, and they are not stored."""
        self._database.execute("begin immediate")
        try:
            self.write(results)
            yield
        finally:
            if self._database.in_transaction:  # a full disk may have ended the transaction
                self._database.execute("rollback")

    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query, for other modules with tables in this file."""
        found: list[tuple[Any, ...]] = self._database.execute(query, values).fetchall()
        return found

    def looks(self, read: Callable[[Row], T]) -> list[T]:
        """Return the looks of the gate, ordered by time, each as `read` makes it of its row.

        Raises:
            DataError: a look is damaged or missing, so it may have spent from any budget.
        """
        return self._reading.looks(read)

    def keep_sum(self, kind: sums.Kind, id: str) -> None:
        """Store the checksum of rows that another module wrote, in the same transaction."""
        sums.keep(self._database, kind, id)

    def timing_of(self, id: str) -> Timing:
        """Return the time over all occasions on which this evaluation's pairs were scored on this machine."""
        return self._reading.timings(THESE, (json.dumps([id]),)).get(id, Timing())

    def find(self, id: str) -> Stored:
        """Return the evaluation with a complete id. `harness.result.select` looks up names and first digits.

        Raises:
            UsageError: no evaluation has this id.
            DataError: the stored evaluation is damaged or inconsistent.
        """
        found = next(self._these([id]), None)
        if found is None:
            raise UsageError(f"no evaluation has the id '{id}' in '{self._path.parent}'")
        return found.stored

    def all(self) -> Iterator[Stored]:
        """Yield every evaluation, newest last.

        Raises:
            DataError: a stored evaluation is damaged or inconsistent.
        """
        return (one.stored for one in self._reading.evaluations(ALL, values=False))

    def results(self, ids: Iterable[str] | None = None) -> list[Result]:
        """Return every measure of every evaluation with its values, in the order of `all`.

        Args:
            ids: the ids of the evaluations. Default: all.

        Raises:
            DataError: a stored evaluation is damaged or inconsistent.
        """
        which: tuple[str, tuple[str, ...]] = (ALL, ()) if ids is None else (THESE, (json.dumps(list(ids)),))
        read, timings = self._reading.evaluations(*which), self._reading.timings(*which)
        perturbed = self._reading.robustness(*which)
        return [
            result_of(
                one.stored, measure, *values, timings.get(one.stored.id, Timing()), perturbed.get(one.stored.id, ())
            )
            for one in read
            for measure, values in one.values.items()
        ]

    def queries(self, id: str) -> list[str]:
        """Return the ids of the queries of an evaluation."""
        return [query for one in self._these([id]) for query in one.queries]

    def result(self, id: str, measure: str) -> Result:
        """Return one measure of an evaluation with its values.

        Raises:
            UsageError: the measure was not measured, or only its mean was imported.
            DataError: the stored evaluation is damaged or inconsistent.
        """
        found = next((one for one in self.results([id]) if one.measure == measure), None)
        if found is None:
            raise UsageError(f"{id} has no stored values of {measure}")
        return found.with_values()

    def _these(self, ids: Iterable[str]) -> Iterator[Read]:
        return self._reading.evaluations(THESE, (json.dumps(list(ids)),))

    def keep_latency(self, evaluation: str, p50: float, p95: float, *, megabytes: float | None, queries: int) -> None:
        """Store the latency of an evaluation's reranker. It replaces an earlier one of the same machine."""
        row = (evaluation, machine(), p50, p95, megabytes, queries, datetime.now(UTC).isoformat(timespec="seconds"))
        with writing(self._database):
            self._forget_damaged_times(evaluation)
            self._insert("latency", row)
            sums.keep(self._database, "times", evaluation, machine())

    def mark(self, marks: Mapping[str, tuple[str, object]]) -> None:
        """Add alarms to stored evaluations.

        Args:
            marks: by id of the evaluation: the name of the alarm, and the current identity (None: the stored one).
        """
        with writing(self._database):
            for id, (kind, identity) in marks.items():
                self._insert("mark", (id, kind, identity and json.dumps(identity)))
                sums.keep(self._database, "mark", id)

    def noise(self, evaluation: str, measure: str) -> float | None:
        """Return how much the mean changed when the system was scored again, as a fraction; None if not measured."""
        return self._reading.noise(evaluation, measure)

    def keep_noise(self, evaluation: str, measure: str, difference: float) -> None:
        """Store the absolute difference of an evaluation that was scored again. It replaces an earlier one."""
        row = (evaluation, measure, abs(difference), datetime.now(UTC).isoformat(timespec="seconds"))
        with writing(self._database):
            self._insert("noise", row)
            sums.keep(self._database, "noise", evaluation, measure)

    def complete_sums(self) -> int:
        """Store the checksums that rows of earlier versions lack, and return how many. A read-only store stays as it
        is.

        Raises:
            DataError: something stored is damaged or inconsistent. Nothing is stored then.
        """
        if self._read_only:
            self._reading.check()
            return 0
        with writing(self._database):
            self._reading.check()
            return sums.complete(self._database)

    def _prepare(self) -> None:
        if self._version() == 0:
            self._make()
        if self._version() in range(1, SCHEMA):
            self._bring_up()
        if self._version() > SCHEMA:
            raise DataError(f"{self._path}: written by a newer rerank-harness; update, or name another --workspace")
        self._add()
        self._check_columns()
        if self._read_only:  # the tables above were created in memory
            self._database.execute("pragma query_only = on")

    def _version(self) -> int:
        return int(self._database.execute("pragma user_version").fetchone()[0])

    def _add(self) -> None:
        """Create the tables that the file lacks. If it has all, nothing is locked."""
        present = {row[0] for row in self._database.execute("select name from sqlite_master where type = 'table'")}
        if not present.issuperset(ADDED):
            with writing(self._database):
                for table, columns in ADDED.items():
                    self._database.execute(f"create table if not exists {table}({columns}) without rowid")

    def _check_columns(self) -> None:
        for table, columns in COLUMNS.items():
            present = {one[0] for one in self._database.execute(f"select * from {table} limit 0").description}
            if not present.issuperset(columns):
                raise DataError(f"{self._path}: damaged, the table {table} lacks a column; {advice(self._path)}")

    def _make(self) -> None:
        """Create the tables. If several processes open a new store, one creates them and the others wait."""
        with writing(self._database):
            if self._version() == 0:
                if self._database.execute("select 1 from sqlite_master").fetchone():
                    raise DataError(f"{self._path}: not a results store; name another --workspace")
                for statement in TABLES.split(";"):
                    self._database.execute(statement)
                self._database.execute(f"pragma user_version = {SCHEMA}")

    def _bring_up(self) -> None:
        """Update a file of version 1, which has p-MRR in the audit, or 2, which has no checksums."""
        with writing(self._database):
            if self._version() == 1:
                for statement in SINCE_1.split(";"):
                    self._database.execute(statement)
                for id, text in self._database.execute("select id, audit from evaluation").fetchall():
                    self._move_questions(id, text)
            self._database.execute(f"pragma user_version = {SCHEMA}")

    def _move_questions(self, id: str, text: object) -> None:
        """Move p-MRR from an audit to the values. An unreadable audit is unchanged, and refused when it is read."""
        with suppress(Unreadable):
            audit = parsed(text, "audit")
            if isinstance(audit, dict) and "p-MRR per question" in audit:
                each = audit.pop("p-MRR per question") or {}
                values = np.array(list(each.values()), np.float64)
                if each:
                    row = rows.paired_row(id, PAIRED_MEASURE, float(values.mean()), values, tuple(each))
                    self._insert("value", row)
                self._database.execute("update evaluation set audit = ? where id = ?", (json.dumps(audit), id))

    def _keep_collection(self, facts: CollectionFacts, queries: tuple[str, ...]) -> CollectionFacts:
        """Store a collection, and return its facts together with those that were stored before."""
        if sums.is_changed(self._database, "collection", facts.fingerprint):
            for table in ("corpus", "detected", "parallel"):
                self._database.execute(f"delete from {table} where collection = ?", (facts.fingerprint,))
        now = facts.after(self._reading.collection(facts.fingerprint))
        self._insert("collection", rows.collection_row(now, queries))
        if now.corpus is not None:
            self._insert("corpus", (now.fingerprint, now.corpus))
        if now.language_sought:
            self._insert("detected", (now.fingerprint, now.detected_language))
        if facts.parallel_by is not None:
            self._insert("parallel", (facts.fingerprint, facts.parallel, facts.parallel_by))
        sums.keep(self._database, "collection", facts.fingerprint)
        return now

    def _keep_evaluation(self, stored: Stored) -> None:
        self._insert("evaluation", rows.evaluation_row(stored.after(self._reading.same(stored))))

    def _keep_timing(self, id: str, timing: Timing) -> None:
        if timing.pairs:
            at = datetime.now(UTC).isoformat(timespec="seconds")
            self._forget_damaged_times(id)
            self._insert("timing", (id, machine(), timing.pairs, timing.seconds, at))
            sums.keep(self._database, "times", id, machine())

    def _forget_damaged_times(self, id: str) -> None:
        if sums.is_changed(self._database, "times", id, machine()):
            for table in ("timing", "latency"):
                self._database.execute(f"delete from {table} where evaluation = ? and machine = ?", (id, machine()))

    def _keep_values(self, results: Sequence[Result]) -> None:
        for one in results:
            self._insert("value", rows.value_row(one))
            sums.keep(self._database, "value", one.id, one.measure)

    def _keep_perturbed(self, id: str, perturbed: Mapping[tuple[str, str], Perturbed]) -> None:
        """Store values on perturbed texts. Those of other perturbations stay, if they are what was stored."""
        if perturbed:
            if sums.is_changed(self._database, "robustness", id):
                self._database.execute("delete from robustness where evaluation = ?", (id,))
            for one in perturbed.values():
                self._insert("robustness", rows.perturbed_row(id, one))
            sums.keep(self._database, "robustness", id)

    def _insert(self, table: str, row: Sequence[object]) -> None:
        self._database.execute(f"insert or replace into {table} values ({', '.join('?' * len(row))})", tuple(row))


def _queries_of(results: Sequence[Result]) -> tuple[str, ...]:
    """The ids of all queries, in their order. Each measure of citations may have some of them."""
    known = dict.fromkeys(id for one in results if one.measure != PAIRED_MEASURE for id in one.ids)
    if known or any(one.measure != PAIRED_MEASURE for one in results):
        return tuple(known)
    raise ValueError(f"{results[0].id} has only {PAIRED_MEASURE}; store it with a measure of its queries")


def _unopened(path: Path, error: OSError | sqlite3.DatabaseError) -> HarnessError:
    if isinstance(error, sqlite3.DatabaseError) and is_damage(error):
        return DataError(f"{path}: not a results store, or damaged ({' '.join(str(error).split())}); {advice(path)}")
    return error_of(path, error)
