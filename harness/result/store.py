"""The results store: every value with what made it, in one SQLite file. Opens at once; imports no model library."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from adapters.errors import DataError, UsageError
from harness.data.suites.table import PAIRED_MEASURE
from harness.result import rows
from harness.result.database import closed_on_error, opened
from harness.result.environment import machine
from harness.result.facts import CollectionFacts, Timing
from harness.result.reading import ALL, THESE, Read, StoreReading
from harness.result.result import Result, made_now, result_of, results_of, results_of_means
from harness.result.schema import ADDED, SCHEMA, SINCE_1, TABLES
from harness.result.stored import Stored
from harness.result.typed import Unreadable, parsed

if TYPE_CHECKING:
    from harness.result.evaluation import Evaluation
    from harness.result.means import Means


class Results:
    """An open store. One that cannot be written can still be read.

    Raises:
        DataError: the file is not a results store, or was written by a newer version.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._database, self._read_only = opened(path)
            self._reading = StoreReading(self._database, path)
            with closed_on_error(self._database):
                self._prepare()
        except sqlite3.DatabaseError as error:
            raise DataError(
                f"{path}: not a results store ({error}); move it away, or name another --workspace"
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.ProgrammingError):
            raise DataError(f"{self._path}: SQLite says '{error}'; move the file away, or mend it") from error

    def keep(self, evaluation: Evaluation) -> None:
        """Write an evaluation whole, or not at all. Measures that were stored before stay with the new ones."""
        from harness.data.columns import corpus_fingerprint  # with Arrow, which looking up does not need

        collection = evaluation.collection
        query = "select fingerprint from corpus where collection = ?"
        known = self._database.execute(query, (collection.fingerprint,)).fetchone()
        corpus = known[0] if known else corpus_fingerprint(collection.corpus)
        self.write(results_of(evaluation, made_now(), corpus))

    def keep_means(self, found: Sequence[Means]) -> None:
        """Write means that somebody else measured, all or none. They have no values per query, and nothing here makes
        any up: `per_query` is null."""
        made = made_now()
        self.write([result for means in found for result in results_of_means(means, made)])

    def write(self, results: Sequence[Result]) -> None:
        """Write results, all or none. `results` gives back the same values, with what an earlier evaluation of the same
        content had besides: other measures, its day and its command. Pairs and seconds are added to those of before;
        `keep_latency` keeps latencies.

        Raises:
            ValueError: an evaluation has p-MRR alone, so nothing says which queries its collection has.
        """
        by_evaluation: dict[str, list[Result]] = {}
        for one in results:
            by_evaluation.setdefault(one.id, []).append(one)
        with self._transaction():
            for own in by_evaluation.values():
                stored = own[0].stored
                queries = _queries_of(own)
                self._keep_evaluation(replace(stored, collection=self._keep_collection(stored.collection, queries)))
                self._keep_timing(stored.id, own[0].timing)
                self._keep_values(own)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("begin immediate")
        try:
            yield
            self._database.execute("commit")
        except BaseException:
            if self._database.in_transaction:  # a full disk may have ended it
                self._database.execute("rollback")
            raise

    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query, for others whose tables are in this file."""
        return self._database.execute(query, values).fetchall()

    def speed_of(self, id: str) -> float | None:
        """Pairs per second over every time that this evaluation's pairs were scored on this machine."""
        return self._timing(id).pairs_per_second

    def find(self, id: str) -> Stored:
        """The evaluation of a whole id; `harness.result.select` reads what people write.

        Raises:
            UsageError: there is none.
            DataError: what is stored of it cannot be trusted.
        """
        found = next(self._these([id]), None)
        if found is None:
            raise UsageError(f"no evaluation has the id '{id}' in '{self._path.parent}'")
        return found.stored

    def all(self) -> Iterator[Stored]:
        """Every evaluation, newest last.

        Raises:
            DataError: what is stored of one cannot be trusted.
        """
        return (one.stored for one in self._reading.evaluations(ALL, values=False))

    def results(self, ids: Iterable[str] | None = None) -> list[Result]:
        """Every measure of every evaluation with its values, in the order of `all`.

        Args:
            ids: of the evaluations; None for all.

        Raises:
            DataError: what is stored of one cannot be trusted.
        """
        read = self._reading.evaluations(ALL) if ids is None else self._these(ids)
        timings = self._reading.timings()
        return [
            result_of(one.stored, measure, *values, timings.get(one.stored.id, Timing()))
            for one in read
            for measure, values in one.values.items()
        ]

    def queries(self, id: str) -> list[str]:
        """The ids of the queries that an evaluation was made on."""
        return [query for one in self._these([id]) for query in one.queries]

    def per_query(self, id: str, measure: str) -> tuple[list[str], npt.NDArray[np.float64]]:
        """Query ids and the values of one measure, aligned; for p-MRR the questions in place of queries.

        Raises:
            UsageError: the measure was not measured, or only its mean was taken in.
            DataError: what is stored of the evaluation cannot be trusted.
        """
        found = next(self._these([id]), None)
        if found is None or measure not in found.values:
            raise UsageError(f"{id} has no stored values of {measure}")
        values, ids = found.values[measure]
        if found.stored.imported and measure in found.stored.means and not len(values):
            raise UsageError(
                f"{id} is an imported mean of {measure} without values per query, so it has no interval and no test"
            )
        return list(ids), values

    def _these(self, ids: Iterable[str]) -> Iterator[Read]:
        return self._reading.evaluations(THESE, (json.dumps(list(ids)),))

    def _timing(self, id: str) -> Timing:
        return self._reading.timings(THESE, (json.dumps([id]),)).get(id, Timing())

    def latency(self, evaluation: str) -> tuple[float, float, float | None] | None:
        """Median and 95th percentile of the seconds of a query on this machine, and MB; None where nobody timed it."""
        return self._timing(evaluation).latency

    def keep_latency(self, evaluation: str, p50: float, p95: float, *, megabytes: float | None, queries: int) -> None:
        """Keep what timing an evaluation's reranker gave; a later timing on the same machine replaces it."""
        row = (evaluation, machine(), p50, p95, megabytes, queries, datetime.now(UTC).isoformat(timespec="seconds"))
        self._insert("latency", row)

    def mark(self, marks: Mapping[str, tuple[str, object]]) -> None:
        """Keep the name of an alarm that an evaluation has from now on, and the identity that it has now (None: the one
        that it was stored with)."""
        rows = [(id, kind, identity and json.dumps(identity)) for id, (kind, identity) in marks.items()]
        self._database.executemany("insert or replace into mark values (?, ?, ?)", rows)

    def noise(self, evaluation: str, measure: str) -> float | None:
        """How far the mean moved when the same system was scored again, in fractions; None where nobody looked."""
        return self._reading.noise(evaluation, measure)

    def keep_noise(self, evaluation: str, measure: str, difference: float) -> None:
        """Keep the difference of an evaluation that was scored again, without its sign; a later one replaces it."""
        row = (evaluation, measure, abs(difference), datetime.now(UTC).isoformat(timespec="seconds"))
        self._insert("noise", row)

    def _prepare(self) -> None:
        if self._version() == 0:
            self._make()
        if self._version() == 1:
            self._bring_up()
        if self._version() > SCHEMA:
            raise DataError(f"{self._path}: written by a newer rerank-harness; update, or name another --workspace")
        for statement in ADDED.split(";"):
            self._database.execute(statement)
        if self._read_only:  # the tables above were made in memory
            self._database.execute("pragma query_only = on")

    def _version(self) -> int:
        return int(self._database.execute("pragma user_version").fetchone()[0])

    def _make(self) -> None:
        """Several processes may open a new store at once: one of them makes the tables, the others wait for it."""
        self._database.execute("begin immediate")
        if self._version() == 0:
            if self._database.execute("select 1 from sqlite_master").fetchone():
                raise DataError(f"{self._path}: not a results store; move it away, or name another --workspace")
            for statement in TABLES.split(";"):
                self._database.execute(statement)
            self._database.execute(f"pragma user_version = {SCHEMA}")
        self._database.execute("commit")

    def _bring_up(self) -> None:
        """From version 1, which kept p-MRR in the audit."""
        self._database.execute("begin immediate")
        if self._version() == 1:
            for statement in SINCE_1.split(";"):
                self._database.execute(statement)
            for id, text in self._database.execute("select id, audit from evaluation").fetchall():
                self._move_questions(id, text)
            self._database.execute("pragma user_version = 2")
        self._database.execute("commit")

    def _move_questions(self, id: str, text: object) -> None:
        """An audit that cannot be read stays as it is, and is refused when somebody reads it."""
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
        """What is known of the collection from now on."""
        now = facts.after(self._reading.collection(facts.fingerprint))
        self._insert("collection", rows.collection_row(now, queries))
        if now.corpus is not None:
            self._insert("corpus", (now.fingerprint, now.corpus))
        if now.language_sought:
            self._insert("detected", (now.fingerprint, now.detected_language))
        if facts.parallel_by is not None:
            self._insert("parallel", (facts.fingerprint, facts.parallel, facts.parallel_by))
        return now

    def _keep_evaluation(self, stored: Stored) -> None:
        self._insert("evaluation", rows.evaluation_row(stored.after(self._reading.same(stored))))

    def _keep_timing(self, id: str, timing: Timing) -> None:
        if timing.pairs:
            at = datetime.now(UTC).isoformat(timespec="seconds")
            self._insert("timing", (id, machine(), timing.pairs, timing.seconds, at))

    def _keep_values(self, results: Sequence[Result]) -> None:
        for one in results:
            self._insert("value", rows.value_row(one))

    def _insert(self, table: str, row: Sequence[object]) -> None:
        self._database.execute(f"insert or replace into {table} values ({', '.join('?' * len(row))})", tuple(row))


def _queries_of(results: Sequence[Result]) -> tuple[str, ...]:
    for one in results:
        if one.measure != PAIRED_MEASURE:
            return one.ids
    raise ValueError(f"{results[0].id} has {PAIRED_MEASURE} alone; write it with a measure of its queries")
