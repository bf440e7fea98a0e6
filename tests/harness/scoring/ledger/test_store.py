"""What a user would lose if the pair ledger broke: paid scores, or the right to believe them."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
import warnings
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.errors import DataError, DiskFull, EnvironmentFailure, ModelError
from adapters.identity import Digests, digest, text_digests
from adapters.protocols import IndexPairs
from harness.scoring.ledger.records import checksum
from harness.scoring.ledger.schema import SCHEMA_VERSION
from harness.scoring.ledger.store import RECORD, Entries, Ledger, LedgerWarning

ROOT = Path(__file__).resolve().parents[4]
IDENTITY = {"weights": "w", "max_length": 512}
QUERIES = text_digests(f"query {number}" for number in range(12))
DOCUMENTS = text_digests(f"document {number}" for number in range(40))
ALL = np.stack(np.meshgrid(np.arange(12), np.arange(40), indexing="ij"), axis=-1).reshape(-1, 2)


def made(pairs: IndexPairs, salt: float = 0.0) -> Entries:
    """Entries that follow from the pair."""
    value = pairs[:, 0] * 1000 + pairs[:, 1]
    return Entries(
        np.sin(value + salt).astype(np.float32),
        (value % 500).astype(np.int32),
        (value % 300).astype(np.int32),
        value.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15),
    )


def fill(ledger: Ledger, pairs: IndexPairs = ALL, salt: float = 0.0) -> int:
    scorer = ledger.scorer(IDENTITY)
    ledger.record(scorer, QUERIES, DOCUMENTS, pairs, made(pairs, salt))
    return scorer


def same(ours: Entries, theirs: Entries) -> bool:
    return all(getattr(ours, name).tobytes() == getattr(theirs, name).tobytes() for name in vars(ours))


def assert_all_known(ledger: Ledger, pairs: IndexPairs = ALL) -> None:
    known, entries = ledger.known(ledger.scorer(IDENTITY), QUERIES, DOCUMENTS, pairs)
    assert known.all()
    assert same(entries, made(pairs))


@contextmanager
def raw(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path)) as connection:
        yield connection
        connection.commit()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "workspace" / "ledger.sqlite"


# Children: this file run as a program imports once, and forks a life for every line that it reads. ----------------


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def live(path: str, chunk: int, compact_every: int, order: int) -> None:
    """Score what is missing, chunk by chunk, and report after each chunk how much is flushed."""
    say("born")
    with Ledger(Path(path)) as ledger:
        scorer = ledger.scorer(IDENTITY)
        pairs = np.random.default_rng(order).permutation(ALL)
        known, _ = ledger.known(scorer, QUERIES, DOCUMENTS, pairs)
        flushed, missing = int(known.sum()), pairs[~known]
        for number, first in enumerate(range(0, len(missing), chunk), 1):
            flushed += len(missing[first : first + chunk])
            fill(ledger, missing[first : first + chunk])
            say(f"flushed {flushed}")
            if number % compact_every == 0:
                ledger.compact(scorer)


def serve() -> None:
    for line in sys.stdin:
        path, *numbers = line.rstrip("\n").split("\t")
        pid = os.fork()
        if not pid:
            live(path, *map(int, numbers))
            os._exit(0)
        say(f"pid {pid}")
        say(f"end {os.waitpid(pid, 0)[1]}")


@contextmanager
def server() -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, __file__]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        yield process
        stream(process.stdin).close()


def stream(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe


class Life:
    """One child from its birth to its end; `flushed` is the last count that it reported."""

    def __init__(self, parent: subprocess.Popen[str], path: Path, chunk: int, compact_every: int, order: int) -> None:
        self.output = stream(parent.stdout)
        self.said: dict[str, int] = {}
        stream(parent.stdin).write(f"{path}\t{chunk}\t{compact_every}\t{order}\n")
        stream(parent.stdin).flush()

    @property
    def flushed(self) -> int:
        return self.said.get("flushed", -1)

    @property
    def status(self) -> int | None:
        return self.said.get("end")

    def read(self) -> None:
        word, *rest = self.output.readline().split()
        self.said[word] = int(rest[0]) if rest else 1

    def until(self, flushed: int) -> None:
        while self.status is None and not ({"born", "pid"} <= self.said.keys() and self.flushed >= flushed):
            self.read()

    def finish(self) -> None:
        while self.status is None:
            self.read()

    def kill(self) -> None:
        if self.status is None:
            with suppress(ProcessLookupError):  # it came to its end by itself
                os.kill(self.said["pid"], signal.SIGKILL)
        self.finish()


def test_a_kill_loses_no_flushed_pair(path: Path) -> None:
    with server() as parent:
        kill_and_resume(parent, path, kills=40)


def kill_and_resume(parent: subprocess.Popen[str], path: Path, kills: int) -> None:
    chance = random.Random(20)
    killed = ledgers = 0
    while killed < kills:
        ledgers += 1
        ledger_path, flushed = path.with_name(f"ledger-{ledgers}.sqlite"), 0
        while flushed < len(ALL) and killed < kills:
            life = Life(parent, ledger_path, chance.choice([1, 3, 7, 20]), chance.choice([2, 5, 1000]), killed)
            life.until(flushed + chance.choice([-1000, 1, 10, 40]))
            time.sleep(chance.random() * 0.006)
            life.kill()
            killed += life.status == signal.SIGKILL
            flushed = max(flushed, life.flushed)
            assert_flushed_pairs_are_kept(ledger_path, flushed)
        last = Life(parent, ledger_path, 50, 1, 0)
        last.finish()
        assert last.status == 0
        assert_same_as_uninterrupted(ledger_path)


def assert_flushed_pairs_are_kept(path: Path, flushed: int) -> None:
    with Ledger(path) as ledger:
        scorer = ledger.scorer(IDENTITY)
        known, entries = ledger.known(scorer, QUERIES, DOCUMENTS, ALL)
        assert known.sum() >= flushed
        true = made(ALL)
        for name in vars(true):
            assert getattr(entries, name)[known].tobytes() == getattr(true, name)[known].tobytes()
        assert ledger.count(scorer) == known.sum() == ledger.payload_bytes() / RECORD.itemsize  # nothing is double
        assert ledger.verify().ok


def assert_same_as_uninterrupted(path: Path) -> None:
    with Ledger(path) as resumed, Ledger(path.with_name(f"whole-{path.name}")) as whole:
        fill(whole)
        assert_all_known(resumed)
        answers = [ledger.known(ledger.scorer(IDENTITY), QUERIES, DOCUMENTS, ALL) for ledger in (resumed, whole)]
        assert same(answers[0][1], answers[1][1])
        assert resumed.payload_bytes() == whole.payload_bytes()


def test_two_processes_at_once_lose_nothing_and_make_nothing_double(path: Path) -> None:
    with server() as one, server() as other:
        lives = [Life(parent, path, 3, 7, order) for order, parent in enumerate((one, other))]
        for life in lives:
            life.finish()
            assert life.status == 0
    with Ledger(path) as ledger:
        assert_all_known(ledger)
        scorer = ledger.scorer(IDENTITY)
        ledger.compact(scorer)
        assert ledger.count(scorer) == len(ALL) == ledger.payload_bytes() / RECORD.itemsize
        assert_all_known(ledger)
        assert ledger.verify().ok


# What is known --------------------------------------------------------------------------------------------------


def test_a_pair_that_was_never_scored_is_unknown(path: Path) -> None:
    with Ledger(path) as ledger:
        scorer = fill(ledger, ALL[:100])
        known, entries = ledger.known(scorer, QUERIES, DOCUMENTS, ALL)
    assert known[:100].all()
    assert not known[100:].any()
    assert np.isnan(entries.score[100:]).all()
    assert (entries.tokens[100:] == -1).all() and (entries.kept[100:] == -1).all() and (entries.input[100:] == 0).all()


def test_the_ledger_outlives_the_process_that_wrote_it(path: Path) -> None:
    with Ledger(path) as ledger:
        fill(ledger)
    with Ledger(path) as ledger:
        assert_all_known(ledger)


def test_a_look_up_answers_in_the_order_of_the_question_with_repeats(path: Path) -> None:
    asked = np.random.default_rng(0).choice(ALL, 2000)
    with Ledger(path) as ledger:
        fill(ledger, np.random.default_rng(1).permutation(ALL))
        assert_all_known(ledger, asked)


def test_the_texts_decide_and_not_their_positions(path: Path) -> None:
    """Another collection that holds the same texts elsewhere pays nothing."""
    with Ledger(path) as ledger:
        scorer = fill(ledger)
        turned = np.stack([11 - ALL[:, 0], 39 - ALL[:, 1]], axis=1)
        known, entries = ledger.known(scorer, QUERIES[::-1], DOCUMENTS[::-1], turned)
    assert known.all()
    assert same(entries, made(ALL))


def test_two_queries_of_the_same_text_share_their_scores(path: Path) -> None:
    queries = text_digests(["same", "other", "same"])
    pairs = np.array([[0, 0], [2, 1], [2, 0], [1, 0]])
    with Ledger(path) as ledger:
        scorer = ledger.scorer(IDENTITY)
        ledger.record(scorer, queries, DOCUMENTS, pairs, made(pairs))
        known, entries = ledger.known(scorer, queries, DOCUMENTS, np.array([[2, 0], [0, 1], [1, 0], [1, 1]]))
        assert ledger.count(scorer) == 3
    assert known.tolist() == [True, True, True, False]
    assert entries.score[:3].tolist() == made(np.array([[0, 0], [2, 1], [1, 0]])).score.tolist()


def test_the_same_document_keeps_one_score_for_each_query(path: Path) -> None:
    pairs = np.array([[0, 5], [1, 5], [2, 5]])
    with Ledger(path) as ledger:
        fill(ledger, pairs)
        assert_all_known(ledger, pairs)


def test_documents_that_share_half_of_their_digest_are_distinguished(path: Path) -> None:
    documents: Digests = np.array([[7, 1], [7, 2], [8, 1], [7, 3]], np.uint64)
    pairs = np.array([[0, 0], [0, 1], [0, 2]])
    with Ledger(path) as ledger:
        scorer = ledger.scorer(IDENTITY)
        ledger.record(scorer, QUERIES, documents, pairs, made(pairs))
        known, entries = ledger.known(scorer, QUERIES, documents, np.array([[0, 3], [0, 2], [0, 1], [0, 0]]))
    assert known.tolist() == [False, True, True, True]
    assert entries.score[1:].tolist() == made(pairs).score[::-1].tolist()


def test_two_rerankers_never_share_a_score(path: Path) -> None:
    with Ledger(path) as ledger:
        first, second = ledger.scorer(IDENTITY), ledger.scorer({**IDENTITY, "max_length": 256})
        fill(ledger)
        assert first != second
        assert not ledger.known(second, QUERIES, DOCUMENTS, ALL)[0].any()
        ledger.record(second, QUERIES, DOCUMENTS, ALL, made(ALL, salt=1.0))
        ledger.compact(second)
        assert_all_known(ledger)
        assert same(ledger.known(second, QUERIES, DOCUMENTS, ALL)[1], made(ALL, salt=1.0))
        assert {(found.id, found.identity, found.pairs) for found in ledger.scorers()} == {
            (first, digest(IDENTITY), len(ALL)),
            (second, digest({**IDENTITY, "max_length": 256}), len(ALL)),
        }


def test_the_first_score_of_a_pair_stays(path: Path) -> None:
    twice = np.concatenate([ALL[:3], ALL[:3]])
    with Ledger(path) as ledger:
        scorer = ledger.scorer(IDENTITY)
        first = made(twice)
        first.score[3:] = 99.0
        ledger.record(scorer, QUERIES, DOCUMENTS, twice, first)
        fill(ledger, ALL, salt=5.0)
        assert_all_known(ledger, ALL[:3])
        ledger.compact(scorer)
        assert_all_known(ledger, ALL[:3])
        assert ledger.count(scorer) == len(ALL)


def test_a_score_comes_back_bit_for_bit(path: Path) -> None:
    odd = np.array([-0.0, 1e-45, 3.4e38, 0.1, np.nextafter(np.float32(0.1), np.float32(1))], np.float32)
    pairs = ALL[:5]
    with Ledger(path) as ledger:
        scorer = ledger.scorer(IDENTITY)
        entries = Entries.unknown(5)
        entries.score[:] = odd
        ledger.record(scorer, QUERIES, DOCUMENTS, pairs, entries)
        assert ledger.known(scorer, QUERIES, DOCUMENTS, pairs)[1].score.tobytes() == odd.tobytes()


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_a_score_that_is_not_finite_is_refused_and_nothing_is_recorded(path: Path, broken: float) -> None:
    with Ledger(path) as ledger:
        entries = made(ALL)
        entries.score[7] = broken
        with pytest.raises(ModelError, match="pair 7"):
            ledger.record(ledger.scorer(IDENTITY), QUERIES, DOCUMENTS, ALL, entries)
        assert ledger.count(ledger.scorer(IDENTITY)) == 0


def test_nothing_asked_and_nothing_recorded_are_fine(path: Path) -> None:
    none = np.empty((0, 2), np.int64)
    with Ledger(path) as ledger:
        scorer = fill(ledger, none)
        known, entries = ledger.known(scorer, QUERIES, DOCUMENTS, none)
        ledger.compact(scorer)
        assert len(known) == len(entries.score) == ledger.count(scorer) == 0


def test_compacting_changes_no_answer_and_does_nothing_twice(path: Path) -> None:
    with Ledger(path) as ledger:
        shuffled = np.random.default_rng(3).permutation(ALL)
        for first in range(0, len(shuffled), 30):
            scorer = fill(ledger, shuffled[first : first + 30])
        ledger.compact(scorer)
        assert ledger.verify().rows == len(QUERIES)
        assert_all_known(ledger)
        before = path.with_name("ledger.sqlite-wal").stat().st_size
        ledger.compact(scorer)
        assert path.with_name("ledger.sqlite-wal").stat().st_size == before
        assert ledger.count(scorer) == len(ALL)


Call = tuple[str, int, list[tuple[int, int]]]
CALLS = st.tuples(
    st.sampled_from(["record", "compact", "reopen"]),
    st.integers(0, 1),
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), max_size=12),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calls=st.lists(CALLS, max_size=10))
def test_any_history_answers_as_a_dict_would(tmp_path_factory: pytest.TempPathFactory, calls: list[Call]) -> None:
    path = tmp_path_factory.mktemp("model") / "ledger.sqlite"
    queries, documents = text_digests("aabc"), text_digests("vwxyv")
    names: tuple[str, str] = ("aabc", "vwxyv")
    model: dict[tuple[int, str, str], np.float32] = {}
    ledger = Ledger(path)
    for time_of_call, (action, scorer, rows) in enumerate(calls):
        number = ledger.scorer({"scorer": scorer})
        if action == "record":
            pairs = np.array(rows, np.int64).reshape(-1, 2)
            entries = made(pairs, salt=time_of_call)
            ledger.record(number, queries, documents, pairs, entries)
            for (query, document), score in zip(rows, entries.score, strict=True):
                model.setdefault((scorer, names[0][query], names[1][document]), score)
        elif action == "compact":
            ledger.compact(number)
        else:
            ledger.close()
            ledger = Ledger(path)
    every = np.stack(np.meshgrid(np.arange(4), np.arange(5)), axis=-1).reshape(-1, 2)
    for scorer in (0, 1):
        number = ledger.scorer({"scorer": scorer})
        known, entries = ledger.known(number, queries, documents, every)
        expected = [model.get((scorer, names[0][q], names[1][d])) for q, d in every]
        assert known.tolist() == [score is not None for score in expected]
        assert entries.score[known].tolist() == [score for score in expected if score is not None]
        assert ledger.count(number) == sum(key[0] == scorer for key in model)
    ledger.close()


# Damage ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", ["substr(pairs, 1, 50)", "zeroblob(length(pairs))", "substr(pairs, 1, 36)"])
def test_a_torn_row_is_set_aside_and_never_read(path: Path, damage: str) -> None:
    with Ledger(path) as ledger:
        scorer = fill(ledger)
    torn = QUERIES[3].tobytes()
    with raw(path) as connection:
        connection.execute(f"UPDATE part SET pairs = {damage} WHERE query = ?", (torn,))
    with Ledger(path) as ledger:
        assert ledger.verify().bad_rows == 1
        with pytest.warns(LedgerWarning, match="1 rows are not what was written"):
            known, _ = ledger.known(scorer, QUERIES, DOCUMENTS, ALL)
        assert (known == (ALL[:, 0] != 3)).all()
        assert ledger.verify().ok and ledger.verify().set_aside == 1
        missing = ALL[~known]
        ledger.record(scorer, QUERIES, DOCUMENTS, missing, made(missing))
        assert_all_known(ledger)
    with raw(path) as connection:
        assert connection.execute("SELECT query FROM set_aside").fetchall() == [(torn,)]


def with_former_checksums(path: Path) -> None:
    """As earlier versions wrote them: without the key."""
    with raw(path) as connection:
        for scorer, query, part, pairs in connection.execute("SELECT scorer, query, part, pairs FROM part").fetchall():
            row = (zlib.crc32(pairs), scorer, query, part)
            connection.execute("UPDATE part SET checksum = ? WHERE scorer = ? AND query = ? AND part = ?", row)
        connection.execute("PRAGMA user_version = 1")


@pytest.mark.parametrize(
    "exchange",
    [
        "UPDATE part SET query = (SELECT max(query) FROM part) || x'00' WHERE query = ?1",
        "UPDATE part SET (pairs, checksum) = (SELECT pairs, checksum FROM part WHERE query != ?1) WHERE query = ?1",
        "UPDATE part SET scorer = 7 WHERE query = ?1",
    ],
)
def test_pairs_that_lie_under_another_key_are_never_read(path: Path, exchange: str) -> None:
    with Ledger(path) as ledger:
        scorer = fill(ledger)
    with raw(path) as connection:
        connection.execute(exchange, (QUERIES[3].tobytes(),))
    with Ledger(path) as ledger:
        assert ledger.verify().bad_rows == 1
        with warnings.catch_warnings(record=True):
            warnings.simplefilter("always")
            known, entries = ledger.known(scorer, QUERIES, DOCUMENTS, ALL)
            assert not ledger.known(7, QUERIES, DOCUMENTS, ALL)[0].any()
        assert (known == (ALL[:, 0] != 3)).all()
        assert entries.score[known].tobytes() == made(ALL).score[known].tobytes()


def test_records_of_earlier_versions_are_read_and_get_a_checksum_of_their_key(path: Path) -> None:
    with Ledger(path) as ledger:
        scorer = fill(ledger)
    with_former_checksums(path)
    with Ledger(path) as ledger:
        assert ledger.verify().ok
        assert_all_known(ledger, ALL[ALL[:, 0] == 3])
    with raw(path) as connection:
        rows = connection.execute("SELECT scorer, query, pairs, checksum FROM part").fetchall()
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    assert sum(known == checksum(number, query, pairs) for number, query, pairs, known in rows) == 1
    assert sum(known == zlib.crc32(pairs) for _, _, pairs, known in rows) == len(QUERIES) - 1
    with Ledger(path) as ledger:
        ledger.compact(scorer)
        assert_all_known(ledger)


def test_records_of_earlier_versions_are_read_where_nothing_can_be_written(path: Path) -> None:
    with Ledger(path) as ledger:
        fill(ledger)
    with_former_checksums(path)
    with Ledger(path) as ledger, raw(path) as other:
        other.execute("BEGIN IMMEDIATE")
        scorer = ledger.scorer(IDENTITY)
        ledger._file.connection.execute("PRAGMA busy_timeout = 0")
        known, _ = ledger.known(scorer, QUERIES, DOCUMENTS, ALL)
        assert known.all()


def test_pairs_that_get_another_identity_stay_sound(path: Path) -> None:
    now = {**IDENTITY, "max_length": 256}
    with Ledger(path) as ledger:
        old = fill(ledger)
        assert ledger.rekey(IDENTITY, now) == len(ALL)
        assert ledger.verify().ok and ledger.count(old) == 0
        known, entries = ledger.known(ledger.scorer(now), QUERIES, DOCUMENTS, ALL)
    assert known.all() and same(entries, made(ALL))


def full(ledger: Ledger) -> None:
    """Let the file grow no more."""
    connection = ledger._file.connection
    connection.execute(f"PRAGMA max_page_count = {connection.execute('PRAGMA page_count').fetchone()[0]}")


def large(number: int) -> tuple[Digests, Digests, IndexPairs]:
    """More pairs than fit into the free space of a page."""
    queries = text_digests(f"{number}-{query}" for query in range(200))
    return queries, DOCUMENTS, np.stack([np.arange(8000) // 40, np.arange(8000) % 40], axis=1)


def test_on_a_full_disk_pairs_are_known_until_the_end_and_the_error_comes_there(path: Path) -> None:
    with Ledger(path) as ledger:
        fill(ledger)
    with pytest.raises(DiskFull, match=r"the disk is full .*what was stored before is complete; free some space"):  # noqa: SIM117
        with Ledger(path) as ledger:
            full(ledger)
            scorer = ledger.scorer(IDENTITY)
            for number in range(2):
                ledger.record(scorer, *large(number), made(large(number)[2]))
            for number in range(2):
                assert same(ledger.known(scorer, *large(number))[1], made(large(number)[2]))
            ledger.compact(scorer)
            assert ledger.unsaved is not None
    with Ledger(path) as ledger:
        assert_all_known(ledger)
        assert not ledger.known(scorer, *large(0))[0].any()


def test_pairs_that_waited_for_space_are_stored_when_there_is_some(path: Path) -> None:
    with Ledger(path) as ledger:
        full(ledger)
        scorer = ledger.scorer(IDENTITY)
        ledger.record(scorer, *large(0), made(large(0)[2]))
        assert ledger.unsaved is not None
        ledger._file.connection.execute("PRAGMA max_page_count = 1000000")
        ledger.record(scorer, *large(1), made(large(1)[2]))
        assert ledger.unsaved is None
    with Ledger(path) as ledger:
        assert ledger.known(scorer, *large(0))[0].all() and ledger.known(scorer, *large(1))[0].all()
        assert [one.id for one in ledger.scorers()] == [scorer]


def test_compacting_sets_a_torn_row_aside_instead_of_merging_it(path: Path) -> None:
    with Ledger(path) as ledger:
        fill(ledger, ALL[::2])
        scorer = fill(ledger, ALL[1::2])
    with raw(path) as connection:
        connection.execute(
            "UPDATE part SET checksum = checksum + 1 WHERE query = ? AND part = 1", (QUERIES[0].tobytes(),)
        )
    with Ledger(path) as ledger:
        with pytest.warns(LedgerWarning):
            ledger.compact(scorer)
        known, _ = ledger.known(scorer, QUERIES, DOCUMENTS, ALL)
        assert ledger.verify().set_aside == 1
    lost = (ALL[:, 0] == 0) & (np.arange(len(ALL)) % 2 == 1)
    assert (known == ~lost).all()


def big(path: Path) -> tuple[int, Digests, Digests, IndexPairs]:
    """A ledger of more than a hundred pages."""
    queries = text_digests(f"q{number}" for number in range(600))
    documents = text_digests(f"d{number}" for number in range(80))
    pairs = np.stack([np.arange(48_000) // 80, np.arange(48_000) % 80], axis=1)
    with Ledger(path) as ledger:
        scorer = ledger.scorer(IDENTITY)
        ledger.record(scorer, queries, documents, pairs, made(pairs))
    return scorer, queries, documents, pairs


def assert_salvaged(path: Path, store: tuple[int, Digests, Digests, IndexPairs], at_least: float) -> None:
    """Most pairs are still known with the right values, the rest is unknown, and the damaged file is kept."""
    scorer, queries, documents, pairs = store
    damaged = path.read_bytes()
    with pytest.warns(LedgerWarning, match=r"recovered, the damaged file is kept as ledger\.damaged-1\.sqlite") as said:
        ledger = Ledger(path)
        known, entries = ledger.known(scorer, queries, documents, pairs)
    with ledger:
        assert f"({known.sum()} pairs)" in str(said[0].message)
        assert at_least <= known.mean() < 1.0
        assert entries.score[known].tobytes() == made(pairs).score[known].tobytes()
        assert path.with_name("ledger.damaged-1.sqlite").read_bytes() == damaged
        missing = pairs[~known]
        ledger.record(ledger.scorer(IDENTITY), queries, documents, missing, made(missing))
    with Ledger(path) as ledger:
        assert ledger.known(ledger.scorer(IDENTITY), queries, documents, pairs)[0].all()
        assert ledger.verify().ok


def test_a_truncated_file_is_salvaged_and_kept(path: Path) -> None:
    store = big(path)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size * 2 // 3)
    assert_salvaged(path, store, at_least=0.5)


def test_pages_that_were_overwritten_lose_themselves_only(path: Path) -> None:
    store = big(path)
    page = 16384
    with path.open("r+b") as file:
        for number in (30, 31, 70):
            file.seek(number * page)
            file.write(b"\xa5" * page)
    assert_salvaged(path, store, at_least=0.95)


@pytest.mark.parametrize("content", [b"", b"these are not the bytes you are looking for\n" * 500])
def test_a_file_that_is_no_database_is_kept_and_replaced(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.warns(LedgerWarning, match="0 rows"):
        ledger = Ledger(path)
    with ledger:
        fill(ledger)
        assert_all_known(ledger)
    assert path.with_name("ledger.damaged-1.sqlite").read_bytes() == content


def test_what_was_only_in_the_write_ahead_log_is_salvaged_and_the_log_is_kept(path: Path, tmp_path: Path) -> None:
    scorer, queries, documents, pairs = big(path)
    with Ledger(path) as ledger:
        fill(ledger)
        for suffix in ("", "-wal"):  # what a machine leaves behind that lost its power
            (tmp_path / f"left.sqlite{suffix}").write_bytes(path.with_name(f"ledger.sqlite{suffix}").read_bytes())
    left, log = tmp_path / "left.sqlite", (tmp_path / "left.sqlite-wal").read_bytes()
    with left.open("r+b") as file:
        file.truncate(left.stat().st_size * 2 // 3)
    with Ledger(left) as ledger:
        with pytest.warns(LedgerWarning, match="was damaged"):
            known, _ = ledger.known(scorer, queries, documents, pairs)
        assert 0.5 < known.mean() < 1.0
        known, entries = ledger.known(scorer, QUERIES, DOCUMENTS, ALL)  # SQLite cannot reach below a lost inner page
        assert known.mean() > 0.5
        assert entries.score[known].tobytes() == made(ALL).score[known].tobytes()
    assert (tmp_path / "left.damaged-1.sqlite-wal").read_bytes() == log


def test_a_log_without_its_file_is_kept_and_not_replayed_into_a_new_ledger(path: Path) -> None:
    path.parent.mkdir()
    path.with_name("ledger.sqlite-wal").write_bytes(b"an old log")
    with Ledger(path) as ledger:
        fill(ledger)
        assert_all_known(ledger)
    assert path.with_name("ledger.damaged-1.sqlite-wal").read_bytes() == b"an old log"


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match="name a folder that can be written"):
        Ledger(tmp_path / "file" / "ledger.sqlite")


def test_a_salvage_that_was_killed_before_its_last_step_is_finished(path: Path) -> None:
    with Ledger(path) as ledger:
        fill(ledger)
    path.rename(path.with_name("ledger.salvaged.sqlite"))
    path.write_bytes(b"damaged, and already kept elsewhere")
    with Ledger(path) as ledger:
        assert_all_known(ledger)


def test_a_damaged_file_is_not_replaced_under_another_process(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.scoring.ledger.file._PATIENCE_SECONDS", 0.1)
    with Ledger(path):
        path.with_name("other.lock").symlink_to("ledger.lock")
        other = path.with_name("other.sqlite")
        other.write_bytes(b"damaged" * 1000)
        with pytest.raises(EnvironmentFailure, match="another process has it open"):
            Ledger(other)
        assert other.read_bytes() == b"damaged" * 1000


def test_a_newer_ledger_is_refused_and_left_alone(path: Path) -> None:
    with Ledger(path) as ledger:
        fill(ledger)
    with raw(path) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    before = zlib.crc32(path.read_bytes())
    with pytest.raises(DataError, match="newer version"):
        Ledger(path)
    assert zlib.crc32(path.read_bytes()) == before


def test_another_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    with raw(tmp_path / "mine.sqlite") as connection:
        connection.execute("CREATE TABLE precious(x)")
    with pytest.raises(DataError, match="not a pair ledger"):
        Ledger(tmp_path / "mine.sqlite")
    with raw(tmp_path / "mine.sqlite") as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("precious",)]


def test_the_ledger_needs_neither_arrow_nor_torch() -> None:
    program = "import sys, harness.scoring.ledger.store; print({'pyarrow', 'torch', 'transformers'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


if __name__ == "__main__":
    serve()
