"""The gradient of a step in parts: what a user would lose is the loss of the step that was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from adapters import tiny
from adapters.models import open_folder
from tests.training.fitting import QUICK, KilledAfter, same_weights, some_examples
from training.encoded import Encoded, encode
from training.examples import Examples
from training.fit import fit, job
from training.losses import LOSSES
from training.scoring import parts_of
from training.settings import Loss, Machine, Settings
from training.stepping import optimizer_of, stepper
from training.student import Student, load_student

TIED = replace(some_examples(1).rows[0], query="no order here", scores=(1.0, 1.0, 1.0, 1.0))
"""It has no pair to learn from, so a mean of each part's own would weigh the others wrongly."""
EXAMPLES = Examples((*some_examples(7).rows, TIED))
PLAIN = Settings(queries=8, dropout=False, learning_rate=1e-3)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.cross_encoder(tmp_path_factory.mktemp("base") / "bert")


def loaded(base: Path, settings: Settings, parts: int = 1) -> tuple[Student, Encoded]:
    student = load_student(open_folder(str(base)), settings, Machine("cpu", gradient_accumulation=parts))
    return student, encode(EXAMPLES.rows, student.encoder)


@pytest.fixture(scope="module")
def precise(base: Path) -> tuple[Student, Encoded]:
    """A student that computes in float64: in float32 even other model calls give gradients that differ by 2e-6."""
    student, data = loaded(base, PLAIN)
    student.model.double()
    return student, data


def gradients(
    student: Student, data: Encoded, settings: Settings, parts: int
) -> tuple[dict[str, float], dict[str, torch.Tensor]]:
    """The row of the history and the gradients of one step over all examples."""
    found: dict[str, torch.Tensor] = {}

    class Keeps(torch.optim.SGD):
        def step(self, closure: Any = None) -> None:
            found.update({name: one.grad.clone() for name, one in student.trained.items() if one.grad is not None})

    optimizer = Keeps(student.trained.values(), lr=0.1)
    step = stepper(replace(student, parts=parts), optimizer, settings, 1)
    return step(0, data), found


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_has_the_gradient_of_the_whole_step(precise: tuple[Student, Encoded], name: str) -> None:
    settings = replace(PLAIN, loss=Loss(name, scale=0.3), clip=1e9)
    (whole, all_at_once), (row, in_parts) = (gradients(*precise, settings, parts) for parts in (1, 5))
    assert row == pytest.approx(whole, rel=1e-5, abs=1e-6)
    assert set(in_parts) == set(all_at_once)
    apart = torch.cat([(in_parts[key] - gradient).flatten() for key, gradient in all_at_once.items()]).norm()
    assert apart <= 1e-6 * torch.cat([gradient.flatten() for gradient in all_at_once.values()]).norm()


def test_a_run_in_parts_is_the_run_of_whole_steps(base: Path, tmp_path: Path) -> None:
    work = job(str(base), EXAMPLES, replace(PLAIN, queries=4, epochs=2, loss=Loss("mse")))
    whole = fit(work, tmp_path / "whole")
    parts = fit(work, tmp_path / "parts", Machine(gradient_accumulation=3))
    assert parts["run"] == whole["run"], "a setting of the machine"
    assert parts["loss"] == pytest.approx(whole["loss"], rel=1e-4)


def test_dropout_is_drawn_alike_in_both_passes(base: Path) -> None:
    """Otherwise the gradient would be that of another network than the one whose scores the loss has seen."""
    settings = replace(PLAIN, dropout=True, loss=Loss("mse"))
    student, data = loaded(base, settings, 3)
    seen: list[tuple[bool, list[float]]] = []
    logits = student.scorer.logits

    def watched(pairs: Any, rows: Any) -> torch.Tensor:
        found = logits(pairs, rows)
        seen.append((torch.is_grad_enabled(), found.tolist()))
        return found

    step = stepper(
        replace(student, scorer=replace(student.scorer, logits=watched)), optimizer_of(student, settings), settings, 1,
    )  # fmt: skip
    step(0, data)
    first, second = ([scores for graph, scores in seen if graph is wanted] for wanted in (False, True))
    assert first == second and first


def test_a_killed_run_in_parts_goes_on_to_the_same_result(base: Path, tmp_path: Path) -> None:
    work, machine = job(str(base), some_examples(), QUICK), Machine(resume_seconds=0, gradient_accumulation=2)
    fit(work, tmp_path / "whole", machine)
    with pytest.raises(KeyboardInterrupt):
        fit(work, tmp_path / "killed", machine, KilledAfter(3))
    fit(work, tmp_path / "killed", machine)
    assert same_weights(tmp_path / "whole", tmp_path / "killed")


def test_only_one_part_has_its_activations_in_memory(base: Path) -> None:
    peaks = []
    for parts in (1, 4):
        student, data = loaded(base, PLAIN, parts)
        step = stepper(student, optimizer_of(student, PLAIN), PLAIN, 1)
        with saved_for_backward() as peak:
            step(0, data)
        peaks.append(peak[0])
    assert peaks[1] < 0.4 * peaks[0]


@contextmanager
def saved_for_backward() -> Iterator[list[int]]:
    """The largest number of bytes that graphs hold at the same time, in a list of one."""
    peak, now = [0], [0]

    class Held:
        def __init__(self, tensor: torch.Tensor) -> None:
            self.tensor, self.bytes = tensor, tensor.numel() * tensor.element_size()
            now[0] += self.bytes
            peak[0] = max(peak[0], now[0])

        def __del__(self) -> None:
            now[0] -= self.bytes

    with torch.autograd.graph.saved_tensors_hooks(Held, lambda held: held.tensor):
        yield peak


@pytest.mark.parametrize("parts", [1, 2, 3, 7, 40])
def test_parts_have_every_pair_once_and_about_the_same_tokens(parts: int) -> None:
    lengths = np.random.default_rng(0).integers(5, 500, 32)
    found = parts_of(lengths, parts)
    assert sorted(np.concatenate(found).tolist()) == list(range(32)) and len(found) == min(parts, len(found))
    tokens = [int(lengths[part].sum()) for part in found]
    assert max(tokens) - min(tokens) <= 2 * lengths.max()


def test_a_process_without_pairs_has_one_empty_part() -> None:
    assert [part.tolist() for part in parts_of(np.zeros(0, np.int64), 4)] == [[]]
