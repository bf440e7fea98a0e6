"""The results store: every value with what made it, in one SQLite file. Opens at once; imports no model library."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from adapters.errors import DataError, UsageError
from harness.data.known_parallel import known_by_name
from harness.data.suites.table import PAIRED_MEASURE
from harness.measuring.alarms.alarm import merged
from harness.measuring.alarms.catalogue import HAZARDS
from harness.result.database import closed_on_error, opened
from harness.result.environment import command_line, environment, machine
from harness.result.known_wrong import known_by_now
from harness.result.origin import stored_identity
from harness.result.schema import ADDED, SCHEMA, SINCE_1, TABLES
from harness.result.secrets import public
from harness.result.stored import Stored

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
        self._known_ids: dict[str, tuple[str, ...]] = {}
        try:
            self._database, self._read_only = opened(path)
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
        """Write an evaluation whole, or not at all. Measures that were stored before stay beside the new ones."""
        with self._transaction():
            self._keep_collection(evaluation)
            self._keep_evaluation(evaluation)
            self._keep_values(evaluation)

    def keep_means(self, found: Sequence[Means]) -> None:
        """Write means that somebody else measured, all or none. They have no values per query, and nothing here makes
        any up: `per_query` is null."""
        with self._transaction():
            for means in found:
                self._keep_means(means)

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
        asked = (id, machine())
        query = "select sum(pairs), sum(seconds) from timing where evaluation = ? and machine = ?"
        pairs, seconds = self._database.execute(query, asked).fetchone()
        return pairs / seconds if seconds else None

    def find(self, id: str) -> Stored:
        """The evaluation of a whole id; `harness.result.select` reads what people write.

        Raises:
            UsageError: there is none.
        """
        for one in self._stored("where e.id = ?", (id,)):
            return one
        raise UsageError(f"no evaluation has the id '{id}' in '{self._path.parent}'")

    def all(self) -> Iterator[Stored]:
        """Every evaluation, newest last."""
        return self._stored("order by e.updated, c.name, e.reranker is not null, e.id", ())

    def queries(self, id: str) -> list[str]:
        """The ids of the queries that an evaluation was made on."""
        query = """select c.queries from evaluation e join collection c on c.fingerprint = e.collection
                   where e.id = ?"""
        return list(json.loads(self._database.execute(query, (id,)).fetchone()[0]))

    def per_query(self, id: str, measure: str) -> tuple[list[str], npt.NDArray[np.float64]]:
        """Query ids and the values of one measure, aligned; for p-MRR the questions in place of queries.

        Raises:
            UsageError: the measure was not measured, or only its mean was taken in.
        """
        query = """select coalesce(v.questions, c.queries), v.per_query
                   from value v
                   join evaluation e on e.id = v.evaluation join collection c on c.fingerprint = e.collection
                   where v.evaluation = ? and v.measure = ?"""
        found = self._database.execute(query, (id, measure)).fetchone()
        if found is None:
            raise UsageError(f"{id} has no stored values of {measure}")
        if found[1] is None:
            raise UsageError(
                f"{id} is an imported mean of {measure} without values per query, so it has no interval and no test"
            )
        return json.loads(found[0]), np.frombuffer(found[1], "<f8")

    def values(self, id: str) -> dict[str, npt.NDArray[np.float64]]:
        """The values per query of every measure of an evaluation, without the ids; none where only a mean was taken
        in."""
        found = self._database.execute("select measure, per_query from value where evaluation = ?", (id,))
        return {measure: np.frombuffer(blob or b"", "<f8") for measure, blob in found}

    def asked(self, id: str) -> dict[str, tuple[str, ...]]:
        """What the values of every measure of an evaluation belong to: the ids of its queries, for p-MRR those of its
        questions. Evaluations of one collection share them."""
        query = """select v.measure, coalesce(v.questions, c.queries)
                   from value v
                   join evaluation e on e.id = v.evaluation join collection c on c.fingerprint = e.collection
                   where v.evaluation = ?"""
        return {measure: self._ids(text) for measure, text in self._database.execute(query, (id,))}

    def _ids(self, text: str) -> tuple[str, ...]:
        if text not in self._known_ids:
            self._known_ids[text] = tuple(json.loads(text))
        return self._known_ids[text]

    def latency(self, evaluation: str) -> tuple[float, float, float | None] | None:
        """Median and 95th percentile of the seconds of a query on this machine, and MB; None where nobody timed it."""
        query = "select p50, p95, megabytes from latency where evaluation = ? and machine = ?"
        found = self._database.execute(query, (evaluation, machine())).fetchone()
        return None if found is None else (found[0], found[1], found[2])

    def keep_latency(self, evaluation: str, p50: float, p95: float, *, megabytes: float | None, queries: int) -> None:
        """Keep what timing an evaluation's reranker gave; a later timing on the same machine replaces it."""
        row = (evaluation, machine(), p50, p95, megabytes, queries, datetime.now(UTC).isoformat(timespec="seconds"))
        self._database.execute(f"insert or replace into latency values ({_marks(row)})", row)

    def mark(self, marks: Mapping[str, tuple[str, object]]) -> None:
        """Keep the name of an alarm that an evaluation has from now on, and the identity that it has now (None: the one
        that it was stored with)."""
        rows = [(id, kind, identity and json.dumps(identity)) for id, (kind, identity) in marks.items()]
        self._database.executemany("insert or replace into mark values (?, ?, ?)", rows)

    def noise(self, evaluation: str, measure: str) -> float | None:
        """How far the mean moved when the same system was scored again, in fractions; None where nobody looked."""
        query = "select difference from noise where evaluation = ? and measure = ?"
        found = self._database.execute(query, (evaluation, measure)).fetchone()
        return None if found is None else float(found[0])

    def keep_noise(self, evaluation: str, measure: str, difference: float) -> None:
        """Keep the difference of an evaluation that was scored again, without its sign; a later one replaces it."""
        row = (evaluation, measure, abs(difference), datetime.now(UTC).isoformat(timespec="seconds"))
        self._database.execute(f"insert or replace into noise values ({_marks(row)})", row)

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
            audits = self._database.execute("select id, audit from evaluation").fetchall()
            for id, audit in audits:
                questions = json.loads(audit).get("p-MRR per question")
                if questions:
                    self._keep_value(id, PAIRED_MEASURE, np.array(list(questions.values())), list(questions))
            self._database.execute("update evaluation set audit = json_remove(audit, '$.\"p-MRR per question\"')")
            self._database.execute("pragma user_version = 2")
        self._database.execute("commit")

    def _keep_collection(self, evaluation: Evaluation) -> None:
        collection = evaluation.collection
        row = (
            collection.fingerprint, collection.name, collection.split, collection.language, collection.sampled_from,
            json.dumps(asdict(collection.counts)), json.dumps(asdict(collection.rules)),
            json.dumps(collection.queries.ids(), ensure_ascii=False), collection.part_of, collection.group,
        )  # fmt: skip
        self._database.execute(f"insert or replace into collection values ({_marks(row)})", row)
        known, name = "select 1 from corpus where collection = ?", collection.fingerprint
        if not self._database.execute(known, (name,)).fetchone():
            from harness.data.columns import corpus_fingerprint  # with Arrow, which looking up does not need

            self._database.execute("insert into corpus values (?, ?)", (name, corpus_fingerprint(collection.corpus)))
        if collection.language is None and collection.language_sought:
            found = (collection.fingerprint, collection.detected_language)
            self._database.execute("insert or replace into detected values (?, ?)", found)
        if collection.parallel_by is not None:  # a part of a set that is measured alone may not know of the others
            known_set = (collection.fingerprint, collection.parallel, collection.parallel_by)
            self._database.execute("insert or replace into parallel values (?, ?, ?)", known_set)

    def _keep_evaluation(self, evaluation: Evaluation) -> None:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        system = evaluation.system
        row = (
            evaluation.id, evaluation.collection.fingerprint, system.first_stage.name,
            system.reranker.name if system.reranker else None, system.depth, evaluation.run.candidates,
            json.dumps(stored_identity(evaluation.made_of.content)), json.dumps(self._audited(evaluation)),
            json.dumps(evaluation.ground.means()), json.dumps(environment()), command_line(), now, now,
        )  # fmt: skip
        self._database.execute(
            f"""insert into evaluation values ({_marks(row)}) on conflict(id) do update set
                audit = json_set(excluded.audit, '$.ties', json_patch(
                    coalesce(json_extract(evaluation.audit, '$.ties'), '{{}}'),
                    json_extract(excluded.audit, '$.ties'))),
                controls = json_patch(evaluation.controls, excluded.controls), updated = excluded.updated""",
            row,
        )
        if evaluation.fresh:
            timing = (evaluation.id, machine(), evaluation.fresh, evaluation.seconds, now)
            self._database.execute(f"insert into timing values ({_marks(timing)})", timing)

    def _audited(self, evaluation: Evaluation) -> dict[str, object]:
        """The audit, with alarms of measures that were stored before and not measured now."""
        query = "select json_extract(audit, '$.alarms') from evaluation where id = ?"
        before = self._database.execute(query, (evaluation.id,)).fetchone() or (None,)
        measured = [*map(str, evaluation.measures), PAIRED_MEASURE]
        return evaluation.audited | {"alarms": merged(json.loads(before[0] or "[]"), evaluation.alarms, measured)}

    def _keep_values(self, evaluation: Evaluation) -> None:
        for measure, values in zip(evaluation.measures, evaluation.values, strict=True):
            self._keep_value(evaluation.id, str(measure), values)
        if evaluation.paired is not None:
            self._keep_value(evaluation.id, PAIRED_MEASURE, evaluation.paired.values, evaluation.paired.questions)

    def _keep_value(
        self, id: str, measure: str, values: npt.NDArray[np.float64], questions: Sequence[str] | None = None
    ) -> None:
        mean = float(np.mean(values)) if len(values) else None
        asked = None if questions is None else json.dumps(list(questions), ensure_ascii=False)
        row = (id, measure, mean, values.astype("<f8").tobytes(), asked)
        self._database.execute(f"insert or replace into value values ({_marks(row)})", row)

    def _keep_means(self, means: Means) -> None:
        now, entry = datetime.now(UTC).isoformat(timespec="seconds"), means.entry
        collection = (
            means.fingerprint, entry.target, entry.mteb.split, entry.language, None, json.dumps(means.counts),
            json.dumps(means.rules), "[]", None, entry.group,
        )  # fmt: skip
        self._database.execute(f"insert or replace into collection values ({_marks(collection)})", collection)
        id = means.made_of.id
        row = (
            id, means.fingerprint, means.first_stage, means.reranker, means.depth, means.candidates,
            json.dumps(stored_identity(means.made_of.content)), "{}", "{}", "{}", command_line(), now, now,
        )  # fmt: skip
        self._database.execute(
            f"insert into evaluation values ({_marks(row)}) on conflict(id) do update set updated = excluded.updated",
            row,
        )
        for measure, mean in means.values.items():
            self._database.execute("insert or replace into value values (?, ?, ?, null, null)", (id, measure, mean))

    def _stored(self, tail: str, values: Sequence[str]) -> Iterator[Stored]:
        query = f"""select e.*, c.name, c.split, c.language, c.sampled_from, c.counts, c.rules,
                    c.part_of, c.grouped, k.fingerprint as corpus, m.kind as mark, m.identity as current,
                    d.language as detected, d.collection is not null as sought,
                    p.name as parallel, p.known_by as parallel_by from evaluation e
                    join collection c on c.fingerprint = e.collection
                    left join corpus k on k.collection = e.collection
                    left join mark m on m.evaluation = e.id
                    left join detected d on d.collection = e.collection
                    left join parallel p on p.collection = e.collection {tail}"""
        with closing(self._database.cursor()) as cursor:
            cursor.row_factory = sqlite3.Row
            for row in cursor.execute(query, values).fetchall():
                yield self._row(row)

    def _row(self, row: sqlite3.Row) -> Stored:
        values = "select measure, mean from value where evaluation = ? and mean is not null"
        means = dict(self._database.execute(values, (row["id"],)))
        collection = {key: row[key] for key in ("name", "split", "language", "sampled_from", "part_of", "corpus")}
        collection |= {"fingerprint": row["collection"], "group": row["grouped"], "counts": json.loads(row["counts"])}
        collection |= {"detected_language": row["detected"], "language_sought": bool(row["sought"])}
        rules = json.loads(row["rules"])
        collection |= {"parallel": row["parallel"], "parallel_by": row["parallel_by"]}
        collection |= {} if row["parallel_by"] else known_by_name(row["name"], rules)
        parsed = {key: json.loads(row[key]) for key in ("identity", "audit", "controls", "environment")}
        place = (row["reranker"] or row["first_stage"], row["name"], row["split"])
        parsed["audit"]["alarms"] = known_by_now(parsed["audit"].get("alarms"), parsed["identity"], *place, means)
        if row["mark"]:
            alarm = {"name": row["mark"], "message": f"{HAZARDS[row['mark']].meaning}; run it again"}
            parsed["audit"]["alarms"] = [*parsed["audit"]["alarms"], alarm]
            parsed["identity"] = json.loads(row["current"] or row["identity"])
        plain = {
            key: row[key]
            for key in ("id", "first_stage", "reranker", "depth", "candidates", "command", "created", "updated")
        }
        plain["command"] = public(row["command"])  # older releases stored it as it was typed
        return Stored(collection=collection | {"rules": rules}, means=means, **parsed, **plain)


def _marks(row: Sequence[object]) -> str:
    return ", ".join("?" * len(row))
