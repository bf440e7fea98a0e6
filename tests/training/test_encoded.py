"""Examples that are tokenised step by step: the inputs and the plan are those of all examples together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from adapters import tiny
from adapters.models import open_folder
from adapters.protocols import IndexPairs
from tests.training.fitting import QUICK, some_examples
from training.batches import Batches, Rows, StepPlan
from training.encoded import Encoder, Stream, encode, one_ahead
from training.settings import Machine
from training.student import load_student

ROWS = some_examples(60).rows


class Counting:
    """An encoder that counts the pairs that it makes."""

    def __init__(self, encoder: Encoder) -> None:
        self.max_length, self._encoder, self.pairs = encoder.max_length, encoder, 0

    def encode(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> object:
        self.pairs += len(pairs)
        return self._encoder.encode(queries, documents, pairs)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    base = tiny.cross_encoder(tmp_path_factory.mktemp("base") / "bert")
    return load_student(open_folder(str(base)), QUICK, Machine(device="cpu")).encoder


def test_the_inputs_of_a_step_are_those_of_all_examples_together(encoder: Encoder) -> None:
    whole, stream = encode(ROWS, encoder), Stream(ROWS, encoder)
    step = np.array([7, 3, 41])
    data, rows = stream.read(step), whole.rows(step)
    assert (data.pairs.lengths == whole.pairs.lengths[rows]).all() and (data.scores == whole.scores[rows]).all()
    assert (data.pairs.inputs(np.arange(len(rows))) == whole.pairs.inputs(rows)).all()
    assert (stream.mean_lengths(np.arange(60)) == whole.mean_lengths).all()


def test_the_plan_is_that_of_known_lengths_and_what_was_not_asked_for_is_not_tokenised(encoder: Encoder) -> None:
    counting = Counting(encoder)
    stream, lengths = Stream(ROWS, counting), encode(ROWS, encoder).mean_lengths
    batches = Batches(own=60, queries=4, window=2)
    known, asked = StepPlan(batches, 40, lengths.take), StepPlan(batches, 40, stream.mean_lengths)
    assert (asked[3] == known[3]).all()
    assert counting.pairs == 2 * 4 * 4, "one window"
    assert all((one == other).all() for one, other in zip(asked, known, strict=True))
    assert counting.pairs == 60 * 4, "each example once"


def test_the_order_of_an_epoch_is_the_documented_one() -> None:
    lengths = np.random.default_rng(1).integers(5, 90, 100)
    for batches in (Batches(100, queries=8, window=3, seed=4), Batches(80, 20, 0.3, queries=8, window=3)):
        for number in range(2):
            steps = by_hand(batches, number, lengths)
            assert [step.tolist() for step in batches.epoch(number, lengths.take)] == steps


def by_hand(batches: Batches, number: int, lengths: Rows) -> list[list[int]]:
    """Shuffle, sort within windows of many batches, cut into batches, shuffle the batches."""
    rng = np.random.default_rng((batches.seed, number))
    drawn = rng.permutation(batches.replayed)[: batches.drawn] + batches.own if batches.drawn else np.empty(0, int)
    if batches.drawn > batches.replayed:
        more = rng.permutation(batches.replayed)[: batches.drawn - batches.replayed] + batches.own
        drawn = np.concatenate([drawn, more])
    members = rng.permutation(np.concatenate([np.arange(batches.own), drawn]).astype(int)).tolist()
    size = batches.queries * batches.window
    windows = [sorted(members[start : start + size], key=lambda one: lengths[one]) for start in range(0, 999, size)]
    flat = [one for window in windows for one in window]
    cut = [flat[start : start + batches.queries] for start in range(0, len(flat), batches.queries)]
    return [cut[place] for place in rng.permutation(len(cut))]


def test_what_is_made_ahead_comes_in_order_and_an_error_comes_in_its_place() -> None:
    def items() -> Iterator[int]:
        yield from range(3)
        raise ValueError("the fourth")

    seen = []
    with pytest.raises(ValueError, match="the fourth"):
        for item in one_ahead(items()):
            seen.append(item)  # noqa: PERF402
    assert seen == [0, 1, 2]


def test_a_stream_reads_from_disk_what_it_reads_from_memory(encoder: Encoder, tmp_path: Path) -> None:
    from training.store import stored

    rows = stored(tmp_path, "name", ((row, {}) for row in ROWS))
    on_disk, in_memory = (Stream(one, encoder).read(np.array([5, 1])) for one in (rows, ROWS))
    assert (on_disk.pairs.inputs(np.arange(8)) == in_memory.pairs.inputs(np.arange(8))).all()
    assert (on_disk.scores == in_memory.scores).all()
