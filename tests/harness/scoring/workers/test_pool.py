"""Several processes score like one; otherwise their numbers could not be compared, or a killed one would lose pairs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from adapters.budgets import recorded
from adapters.errors import ModelError, UsageError, WorkerError
from adapters.spec import open_reranker
from harness.data.collection import Collection
from harness.progress import Silent
from harness.scoring import engine
from harness.scoring.rerank import Reranked, rerank
from harness.scoring.retrieve import first_stage, retrieve
from harness.scoring.session import Session, opened
from harness.scoring.system import ModelReranker
from harness.scoring.workers import pool
from tests.fake_adapters import asked
from tests.tiny_collection import FIRST, Place

ROOT = Path(__file__).parents[4]
FAKE = "tests.fake_workers"


class Notes(Silent):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, text: str) -> None:
        self.lines.append(text)


@contextmanager
def session_of(place: Place, notes: Notes, workers: int = 2) -> Iterator[Session]:
    with opened(place.workspace, notes, workers) as session:
        yield session


def scored(session: Session, collection: Collection, spec: str) -> Reranked:
    stage = ModelReranker(spec, session.workspace.cache)
    run = retrieve(collection, first_stage(FIRST, session.workspace), 8, session)
    return rerank(collection, run, stage.on(collection), session, "coll: model", stage.source(collection))


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_SMALLEST", 6)


@pytest.fixture
def expected(place: Place, small_chunks: None) -> Reranked:  # noqa: ARG001
    other = Place(place.path, type(place.workspace).open(place.path / "alone"))
    with other.session() as session:
        return scored(session, other.load(), f"{FAKE}:Mortal?folder={place.path}")


def same(one: Reranked, other: Reranked) -> bool:
    return one.run.digest == other.run.digest and np.array_equal(one.entries.tokens, other.entries.tokens)


@pytest.mark.parametrize("deaths", [0, 1])
def test_a_killed_worker_costs_no_score(place: Place, expected: Reranked, deaths: int) -> None:
    notes, log = Notes(), place.log()
    with session_of(place, notes) as session:
        done = scored(session, place.load(), f"{FAKE}:Mortal?folder={place.path}&log={log}&deaths={deaths}")
    assert same(done, expected)
    assert len(asked(log)) == len(set(asked(log))) == done.fresh, "no pair was scored twice"
    lines = [line for line in notes.lines if line.startswith("worker ")]
    assert len(lines) == deaths
    assert all("was ended by SIGKILL" in line and "another one continues with its" in line for line in lines)


def test_a_killed_worker_costs_no_vector(place: Place) -> None:
    corpus = {f"d{number}": f"{'a' * (number % 7)}{'e' * (number % 5)} {number}" for number in range(600)}
    collection = place.load(place.beir("many", corpus, {"q1": "aaaa e"}, [("q1", "d1", 1)]))
    spec, notes = f"{FAKE}:letters?folder={place.path}", Notes()
    with session_of(place, notes) as session:
        two = retrieve(collection, first_stage(f"{spec}&deaths=1", session.workspace), 50, session)
    other = type(place.workspace).open(place.path / "other")
    with opened(other, Silent()) as session:
        one = retrieve(collection, first_stage(spec, other), 50, session)
    assert one.digest == two.digest
    (line,) = [line for line in notes.lines if line.startswith("worker ")]
    assert "was ended by SIGKILL" in line
    assert "another one continues with its" in line
    assert "texts, the first" in line


def test_a_chunk_that_ends_two_workers_is_named_and_the_rest_is_kept(place: Place, expected: Reranked) -> None:
    collection, log = place.load(), place.log()
    with (
        session_of(place, Notes()) as session,
        pytest.raises(WorkerError, match=r"a second process .*again at .* of query '.*fewer --workers") as caught,
    ):
        scored(session, collection, f"{FAKE}:Mortal?folder={place.path}&log={log}&deaths=99")
    assert "\n" not in str(caught.value)
    kept = len(asked(log))
    assert kept > 0
    with session_of(place, Notes(), workers=1) as session:
        again = scored(session, collection, f"{FAKE}:Mortal?folder={place.path}")
    assert same(again, expected)
    assert again.fresh == expected.fresh - kept


def test_errors_and_warnings_are_those_of_one_process(place: Place) -> None:
    collection = place.load()
    with session_of(place, Notes()) as session:
        with pytest.raises(ModelError, match=r"^'.*': the weights are damaged$"):
            scored(session, collection, f"{FAKE}:Failing?how=model")
        with pytest.raises(RuntimeError, match="Odd: very odd"):
            scored(session, collection, f"{FAKE}:Failing?how=odd")
        with pytest.warns(FutureWarning, match="the model is old") as caught:
            scored(session, collection, f"{FAKE}:Failing?how=warning")
    assert len(caught) == 1, "a warning of several workers is shown once"


def test_workers_halve_one_budget_where_memory_is_too_small(place: Place, expected: Reranked) -> None:
    collection, spec = place.load(), f"{FAKE}:Heavy?most=12"
    with session_of(place, Notes()) as session, pytest.warns(UserWarning, match="'heavy': out of memory"):
        done = scored(session, collection, spec)
    assert np.array_equal(done.run.scores, expected.run.scores)
    (record,) = recorded(place.workspace.cache, {"adapter": "heavy", "weights": "many"})
    assert record.batch_tokens == 8
    with session_of(place, Notes(), workers=1) as session:  # a warning would be an error
        session.ledger.forget([scorer.identity for scorer in session.ledger.scorers()])
        assert same(scored(session, collection, spec), done)


def test_no_process_is_started_for_what_is_known_or_cheap(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    collection = place.load()
    with place.session() as session:
        known = scored(session, collection, "tests.fake_adapters:Plain")
    monkeypatch.setattr(subprocess, "Popen", None)
    with session_of(place, Notes()) as session:
        assert scored(session, collection, "tests.fake_adapters:Plain").fresh == 0
        assert scored(session, collection, "bm25").fresh == known.fresh
        run = retrieve(collection, first_stage(FIRST, session.workspace), 8, session)
        assert rerank(collection, run, open_reranker("tests.fake_adapters:Plain?version=2"), session, "made here").fresh


def test_a_time_is_counted_on_every_gpu_that_works(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    collection = place.load()
    monkeypatch.setattr(pool, "gpus", lambda device=None: 0 if device else 2)
    with session_of(place, Notes(), workers=3) as session:
        for spec, devices in {f"{FAKE}:Failing?how=odd": 2, "bm25": 1}.items():
            stage = ModelReranker(spec, session.workspace.cache)
            assert session.engine.devices(stage.on(collection), stage.source(collection)) == devices


def test_no_processes_are_refused(place: Place) -> None:
    with pytest.raises(UsageError, match="--workers 0: at least one"), session_of(place, Notes(), workers=0):
        pass


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_no_worker_outlives_the_run_and_its_scores_are_kept(
    place: Place, expected: Reranked, sent: signal.Signals, code: int
) -> None:
    folder, log, collection = place.path / "pids", place.log(), place.load()
    folder.mkdir()
    command = [sys.executable, "-m", "harness", "run", str(place.path / "coll"), "--first-stage", FIRST, "--depth", "8"]
    command += ["--reranker", f"{FAKE}:Waiting?folder={folder}&log={log}", "--workers", "2", "--skip-probe"]
    command += ["--workspace", str(place.workspace.path)]
    running = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, process_group=0)
    until(lambda: any(folder.glob("pid-*")) or running.poll() is not None)
    assert running.poll() is None, running.communicate()
    time.sleep(0)
    os.kill(running.pid, sent) if sent == signal.SIGKILL else os.killpg(running.pid, sent)
    _, said = running.communicate()
    assert running.returncode == code, said
    workers = [int(file.name.removeprefix("pid-")) for file in folder.glob("pid-*")]
    until(lambda: not any(map(is_alive, workers)))
    with session_of(place, Notes(), workers=1) as session:
        resumed = scored(session, collection, f"{FAKE}:Mortal?folder={place.path}")
    assert same(resumed, expected)


def until(condition: object) -> None:
    for _ in range(6000):
        if condition():  # type: ignore[operator]
            return
        time.sleep(0.02)
    raise AssertionError("nothing happened for two minutes")


def is_alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:1]
    except FileNotFoundError:
        return False
