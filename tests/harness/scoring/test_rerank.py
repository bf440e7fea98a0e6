"""Every pair is scored once, ever; what a user would lose otherwise is money, or the right to add the numbers up."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from adapters import tiny
from adapters.batching import MemoryWarning
from adapters.budgets import CallRecord, model_key, recorded, save_record
from adapters.cross_encoder import CrossEncoder
from adapters.errors import ModelError
from adapters.pair_inputs import Padding
from adapters.score_head import ScoreHead
from adapters.spec import open_reranker
from harness.data.collection import Collection
from harness.data.runs import Run
from harness.data.trec import write_run
from harness.scoring import rerank as module
from harness.scoring.rerank import Reranked, rerank
from harness.scoring.retrieve import first_stage, retrieve
from tests.fake_adapters import asked, score_of
from tests.tiny_collection import CORPUS, FIRST, QUERIES, Place

ROOT = Path(__file__).parents[3]
FAKE = "tests.fake_adapters"
PAIRS = 18
"""Different pairs among the 20 candidates of depth 5: two documents have the same text."""


def scored(place: Place, collection: Collection, spec: str, depth: int = 5, first: str = FIRST) -> Reranked:
    with place.session() as session:
        run = retrieve(collection, first_stage(first, place.workspace), depth, session)
        return rerank(collection, run, open_reranker(f"{FAKE}:{spec}"), session, "coll: model")


def ledger_count(place: Place) -> int:
    with place.session() as session:
        return sum(scorer.pairs for scorer in session.ledger.scorers())


def test_every_candidate_gets_the_score_of_its_own_texts(place: Place) -> None:
    collection = place.load()
    done = scored(place, collection, "Plain")
    queries, documents = collection.queries.take(done.run.queries), collection.corpus.take(done.run.documents)
    expected = [score_of(query, document) for query, document in zip(queries, documents, strict=True)]
    assert done.run.scores.tolist() == np.array(expected, np.float32).tolist()


@pytest.mark.parametrize("kind", ["Plain", "Streaming"])
def test_equal_texts_are_one_pair_for_the_model(place: Place, kind: str) -> None:
    twice = place.beir("twice", queries=QUERIES | {"q5": QUERIES["q2"]}, qrels=[(q, "d3", 1) for q in [*QUERIES, "q5"]])
    log = place.log()
    done = scored(place, place.load(twice), f"{kind}?log={log}", depth=8)
    assert len(done.run) == 5 * 8
    assert len(asked(log)) == len(set(asked(log))) == done.fresh == len(QUERIES) * (len(CORPUS) - 1)


def test_a_plain_score_method_and_a_stream_give_the_same(place: Place) -> None:
    collection = place.load()
    plain = scored(place, collection, "Plain")
    streamed = scored(Place(place.path, type(place.workspace).open(place.path / "other")), collection, "Streaming")
    assert plain.run.digest == streamed.run.digest
    assert (plain.entries.tokens < 0).all()
    assert (streamed.entries.tokens > 0).all()


def test_the_second_run_asks_no_model(place: Place) -> None:
    collection, log = place.load(), place.log()
    first = scored(place, collection, f"Plain?log={log}")
    before = asked(log)
    again = scored(place, collection, f"Plain?log={log}")
    assert (first.fresh, again.fresh) == (PAIRS, 0)
    assert asked(log) == before
    assert again.run.digest == first.run.digest


def test_a_deeper_run_pays_for_the_new_pairs_only(place: Place) -> None:
    collection, log = place.load(), place.log()
    scored(place, collection, f"Streaming?log={log}", depth=2)
    shallow = asked(log)
    deeper = scored(place, collection, f"Streaming?log={log}", depth=5)
    assert deeper.fresh == len(asked(log)) - len(shallow) == PAIRS - 7
    assert len(set(asked(log))) == len(asked(log))


def test_another_first_stage_or_collection_pays_nothing_for_known_texts(place: Place) -> None:
    log = place.log()
    scored(place, place.load(), f"Plain?log={log}", depth=8)
    before = asked(log)
    renamed = {f"other-{key}": text for key, text in list(CORPUS.items())[2:]}
    ask = {"x": QUERIES["q1"]}
    other = place.load(place.beir("other", renamed, ask, [("x", "other-d4", 1)]))
    done = scored(place, other, f"Plain?log={log}", depth=4, first=f"{FIRST}?power=3")
    assert (done.fresh, asked(log)) == (0, before)


def test_another_identity_pays_again(place: Place) -> None:
    collection = place.load()
    scored(place, collection, "Plain")
    assert scored(place, collection, "Plain?version=2").fresh == PAIRS


def test_blocks_change_neither_scores_nor_costs(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    collection, log = place.load(), place.log()
    whole = scored(Place(place.path, type(place.workspace).open(place.path / "other")), collection, "Streaming")
    monkeypatch.setattr(module, "BLOCK", 3)
    blocks = scored(place, collection, f"Streaming?log={log}")
    assert blocks.run.digest == whole.run.digest
    assert np.array_equal(blocks.entries.tokens, whole.entries.tokens)
    assert len(asked(log)) == len(set(asked(log))) == PAIRS


def test_a_run_without_candidates_is_reranked_to_nothing(place: Place) -> None:
    ask = {"q1": "ferry"}
    collection = place.load(place.beir("none", {"d1": "mill"}, ask, [("q1", "d1", 1)]))
    with place.session() as session:
        run = retrieve(collection, first_stage(FIRST, place.workspace), 1, session)
        empty = Run(np.zeros(2, np.int64), run.documents[:0], run.scores[:0], run.tiebreaks[:0])
        done = rerank(collection, empty, open_reranker(f"{FAKE}:Plain"), session, "none")
    assert (len(done.run), done.fresh) == (0, 0)


BROKEN = {
    "TooFew": "TooFew returned scores of shape (17,) for 18 pairs",
    "Dropping": "coll: model: 2 pairs came back without a score",
    "Repeating": "coll: model: a pair came back twice",
    "Straying": "coll: model: scores came for pairs that were not requested",
    "Overflowing": "coll: model: 1 scores are not finite, first for query ",
}


@pytest.mark.parametrize(("kind", "said"), BROKEN.items())
def test_a_model_that_breaks_the_protocol_is_refused_in_one_line(place: Place, kind: str, said: str) -> None:
    with pytest.raises(ModelError) as caught:
        scored(place, place.load(), kind)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


def test_no_score_of_a_batch_with_nan_is_remembered_and_those_before_it_are(place: Place) -> None:
    log = place.log()
    with pytest.raises(ModelError, match="no score of this batch was kept"):
        scored(place, place.load(), f"Overflowing?log={log}")
    assert "winter" in "".join(asked(log)[-2:])
    assert ledger_count(place) == len(asked(log)) - 2 > 0


def test_a_line_break_in_a_text_does_not_break_the_error(place: Place) -> None:
    collection = place.load(place.beir("lines", {"d1": "in\nwinter"}, {"q1": "in\nwinter"}, [("q1", "d1", 1)]))
    with pytest.raises(ModelError) as caught:
        scored(place, collection, "Overflowing")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("death", "error"), [("error", RuntimeError), ("interrupt", KeyboardInterrupt)])
def test_what_was_scored_before_a_failure_is_never_scored_again(
    place: Place, death: str, error: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    collection, log = place.load(), place.log()
    options = f"Streaming?log={log}&lives=4&death={death}"
    model = open_reranker(f"{FAKE}:{options}")
    monkeypatch.setattr(module, "_FLUSH_SECONDS", 1e9)
    with place.session() as session:
        run = retrieve(collection, first_stage(FIRST, place.workspace), 5, session)
        with pytest.raises(error):
            rerank(collection, run, model, session, "coll: model")
    assert len(asked(log)) == ledger_count(place) == 8
    resumed = scored(place, collection, f"Streaming?log={log}")
    assert resumed.fresh == PAIRS - 8
    assert len(set(asked(log))) == len(asked(log)) == PAIRS


def test_a_killed_process_loses_at_most_the_batch_in_flight(place: Place) -> None:
    folder, log = place.beir(), place.log()

    def run(workspace: Path, out: Path, *more: str) -> subprocess.CompletedProcess[str]:
        options = "&".join([f"log={log}", *more])
        command = [sys.executable, "-m", "harness", "run", str(folder), "--first-stage", FIRST, "--depth", "5"]
        command += ["--reranker", f"{FAKE}:Streaming?{options}", "--workspace", str(workspace), "--out", str(out)]
        command += ["--skip-probe"]  # its pairs would be among those that the model was asked for
        return subprocess.run(
            command, capture_output=True, text=True, cwd=ROOT, check=False, env={**os.environ, "COLUMNS": "200"}
        )

    killed = run(place.workspace.path, place.path / "killed", "lives=4", "death=kill")
    assert killed.returncode == -9, killed.stderr
    assert ledger_count(place) == len(asked(log)) == 8
    resumed = run(place.workspace.path, place.path / "resumed")
    assert resumed.returncode == 0, resumed.stderr
    assert len(set(asked(log))) == len(asked(log)) == PAIRS
    whole = run(place.path / "fresh", place.path / "whole")
    assert whole.returncode == 0, whole.stderr
    ours, theirs = (sorted((place.path / name / "runs").iterdir()) for name in ("resumed", "whole"))
    assert [file.read_bytes() for file in ours] == [file.read_bytes() for file in theirs]
    assert len(ours) == 2


def test_a_resumed_cross_encoder_gives_the_same_bits(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("transformers")
    folder = tiny.cross_encoder(place.path / "model", seed=1)
    corpus = CORPUS | {f"x{n}": " ".join(["the ferry and the mill"] * n) for n in range(1, 12)}
    collection = place.load(place.beir("long", corpus))
    stream = CrossEncoder.stream

    def dying(self: CrossEncoder, *request: object) -> object:
        for number, batch in enumerate(stream(self, *request)):  # type: ignore[arg-type]
            if number == 3:
                raise RuntimeError("the card fell off")
            yield batch

    def files(where: Place) -> bytes:
        with where.session() as session:
            run = retrieve(collection, first_stage(FIRST, where.workspace), 15, session)
            done = rerank(collection, run, open_reranker(f"{folder}?batch_tokens=256&device=cpu"), session, "long")
        write_run(where.path / "out.trec", done.run, collection, "x")
        return (where.path / "out.trec").read_bytes()

    with monkeypatch.context() as patched, pytest.raises(RuntimeError, match="fell off"):
        patched.setattr(CrossEncoder, "stream", dying)
        files(place)
    kept = ledger_count(place)
    assert 0 < kept < 60
    other = Place(place.path, type(place.workspace).open(place.path / "other"))
    assert files(place) == files(other)
    assert ledger_count(place) == ledger_count(other) > kept


@pytest.mark.parametrize("most", [10_000, 150], ids=["a recorded budget", "a budget that is halved on the way"])
def test_a_resumed_run_uses_the_recorded_path_and_budget(
    place: Place, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("transformers")
    folder = tiny.cross_encoder(place.path / "model", seed=1)
    corpus = CORPUS | {f"x{n}": " ".join(["the ferry and the mill"] * n) for n in range(1, 12)}
    collection, identity = place.load(place.beir("long", corpus)), CrossEncoder(str(folder)).identity
    record = CallRecord(model_key(identity), "cpu", "plain", 256)
    logits, made = ScoreHead.logits, list[tuple[int, int]]()

    def heavy(self: ScoreHead, sequences: list[tuple[np.ndarray, np.ndarray]], padding: Padding) -> np.ndarray:
        longest = max(len(ids) for ids, _ in sequences)
        if len(sequences) > 1 and len(sequences) * longest > most:
            raise RuntimeError("CUDA out of memory")
        made.append((len(sequences), longest))
        assert self.packed is None
        return logits(self, sequences, padding)

    def scores(where: Place) -> bytes:
        with where.session() as session:
            run = retrieve(collection, first_stage(FIRST, where.workspace), 15, session)
            reranker = open_reranker(f"{folder}?device=cpu")
            reranker.score(["a"], ["b"], np.array([[0, 0]]))  # probes of the model
            monkeypatch.setattr(ScoreHead, "logits", heavy)
            try:
                return rerank(collection, run, reranker, session, "long").run.scores.tobytes()
            finally:
                monkeypatch.setattr(ScoreHead, "logits", logits)

    stream = CrossEncoder.stream

    def dying(self: CrossEncoder, *request: object) -> object:
        for number, batch in enumerate(stream(self, *request)):  # type: ignore[arg-type]
            if number == 6:
                raise KeyboardInterrupt
            yield batch

    places = [Place(place.path, type(place.workspace).open(place.path / name)) for name in ("whole", "resumed")]
    for one in places:
        save_record(one.workspace.cache / "calls", record)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MemoryWarning)
        whole, calls = scores(places[0]), sorted(made)
        made.clear()
        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(CrossEncoder, "stream", dying)
            scores(places[1])
        assert 0 < ledger_count(places[1]) < 60
        assert scores(places[1]) == whole
    assert max(rows for rows, _ in calls) > 1
    assert set(calls) <= set(made)
    (kept,) = recorded(places[1].workspace.cache, identity)
    assert kept == replace(record, batch_tokens=256 if most > 256 else 128)
    assert recorded(places[0].workspace.cache, identity) == (kept,)
