"""Several processes make one training run: what a user would lose is the result of one process."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from adapters import tiny
from adapters.errors import UsageError
from tests.training.fitting import KilledAfter, some_examples, tensors
from training.examples import Examples, write_examples
from training.fit import fit, job
from training.ranks import ALONE, Ranks, _device, ranks_here
from training.settings import Loss, Machine, Settings

STARTED = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "harness", "train", "fit")
TIED = replace(some_examples(1).rows[0], query="no order here", scores=(1.0, 1.0, 1.0, 1.0))
"""It has no pair to learn from, so a mean of each process's own would weigh the others wrongly."""
NO_GRADIENT = ("key.bias", "classifier.bias")
"""What moves all scores of a query alike has a gradient of 0 but for rounding, of which Adam makes whole steps."""


def without_dropout(folder: Path) -> Path:
    """Two processes draw other dropout than one."""
    base = tiny.cross_encoder(folder)
    config = json.loads((base / "config.json").read_text())
    config |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    (base / "config.json").write_text(json.dumps(config))
    return base


def test_two_processes_go_on_from_a_kill_to_the_weights_of_one(tmp_path: Path) -> None:
    base = without_dropout(tmp_path / "base")
    write_examples(tmp_path / "mined.jsonl", [*some_examples(5).rows, TIED])
    what = [
        "--base", base, "--data", tmp_path / "mined.jsonl", "--lr", 1e-3, "--batch-queries", 2, "--device", "cpu",
        "--out", tmp_path / "two", "--json",
    ]  # fmt: skip
    settings = Settings(Loss("hinge"), learning_rate=1e-3, queries=2)
    work = job(str(base), Examples((*some_examples(5).rows, TIED)), settings)
    with pytest.raises(KeyboardInterrupt):
        fit(work, tmp_path / "two", Machine(resume_seconds=0), KilledAfter(1))
    assert (tmp_path / "two.steps" / ".state").is_dir()
    said = subprocess.run(
        [sys.executable, *STARTED, *map(str, what)], capture_output=True, text=True, timeout=300, check=False
    )
    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout)["steps"] == 3, "one process alone reports"
    alone = fit(work, tmp_path / "one")
    together = json.loads((tmp_path / "two" / "manifest.json").read_text())
    assert together["run"] == alone["run"]
    assert not (tmp_path / "two.steps").exists()
    one, two = tensors(tmp_path / "one"), tensors(tmp_path / "two")
    assert set(one) == set(two)
    for name in one:
        if not name.endswith(NO_GRADIENT):
            torch.testing.assert_close(one[name], two[name], rtol=0, atol=1e-5, msg=name)


@pytest.mark.parametrize("world", [2, 3, 5])
def test_every_pair_of_a_step_is_scored_by_one_process_and_all_have_as_much_to_do(world: int) -> None:
    lengths = np.random.default_rng(0).integers(5, 500, 64)
    shares = [Ranks(rank, world).share(lengths) for rank in range(world)]
    assert sorted(np.concatenate(shares).tolist()) == list(range(64))
    tokens = [int(lengths[share].sum()) for share in shares]
    assert max(tokens) - min(tokens) <= lengths.max()


def test_processes_draw_their_own_dropout_and_the_first_that_of_one_process() -> None:
    assert Ranks(0, 2).seed_offset == ALONE.seed_offset != Ranks(1, 2).seed_offset


def test_more_processes_than_queries_are_refused() -> None:
    with pytest.raises(UsageError, match="a step of 2 queries is too small for 4 processes"):
        Ranks(0, 4).check(2)
    Ranks(0, 4).check(4)


def test_a_process_knows_its_place_from_what_torchrun_sets() -> None:
    assert ranks_here({}) == ranks_here({"RANK": "3"}) == ALONE
    assert ranks_here({"RANK": "1", "WORLD_SIZE": "2"}) == Ranks(1, 2)
    for wrong in ({"WORLD_SIZE": "2"}, {"RANK": "2", "WORLD_SIZE": "2"}, {"RANK": "x", "WORLD_SIZE": "2"}):
        with pytest.raises(UsageError, match="torchrun"):
            ranks_here(wrong)


def test_one_device_for_all_processes_is_refused() -> None:
    with pytest.raises(UsageError, match="--device cuda:1 cannot be used; leave it out"):
        _device(torch, "cuda:1")


def test_a_process_without_a_pair_takes_part_all_the_same() -> None:
    share = Ranks(2, 3).share(np.array([7, 9]))
    assert share.tolist() == []
    scores = ALONE.together(torch.zeros(0), share, 2)
    assert scores.tolist() == [0, 0] and scores.requires_grad
