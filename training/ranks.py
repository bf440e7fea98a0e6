"""One training run on several processes, as torchrun or accelerate start them: one process for each GPU.

The pairs of a step are distributed over the ranks. Each rank scores its pairs, receives the scores of all others, and
computes the loss over the whole step. So each loss is the same as in a single process, whatever it averages over. Each
rank backpropagates through its own pairs, and the sum over the ranks is the gradient of the step.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from adapters.errors import UsageError, need
from adapters.protocols import Integers
from training.settings import Machine

if TYPE_CHECKING:
    from torch import Tensor, nn

_APART = 7_368_787
"""The distance between the seeds of two ranks, so that they draw different dropout."""
_PATIENCE = timedelta(hours=6)
"""How long a process waits for the others: the first one evaluates on dev while they wait."""


@dataclass(frozen=True)
class Ranks:
    """The rank of this process, and the number of processes in its run."""

    rank: int = 0
    world: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process writes and reports; the others only compute."""
        return self.rank == 0

    @property
    def seed_offset(self) -> int:
        """The number that this process adds to the seed of a step."""
        return self.rank * _APART

    def check(self, queries: int) -> None:
        """Refuse a run with more processes than queries per step.

        Raises:
            UsageError: a step has fewer queries than there are processes.
        """
        if queries < self.world:
            raise UsageError(
                f"a step of {queries} queries is too small for {self.world} processes; start at most {queries}, "
                "or raise the queries per step (--batch-queries)"
            )

    def share(self, lengths: Integers) -> Integers:
        """The indices of this rank's pairs among those of a step. Pairs are sorted by length and dealt in turn, so that
        all ranks have equal work."""
        order = np.argsort(-lengths, kind="stable").astype(np.int64)
        return np.sort(order[self.rank :: self.world])

    def together(self, scores: Tensor, places: Integers, count: int) -> Tensor:
        """The scores of all ranks, [count], detached from their graph and with a gradient of their own."""
        torch = need("torch", "models", "training")
        whole = torch.zeros(count, dtype=scores.dtype, device=scores.device)
        whole[torch.from_numpy(places).to(scores.device)] = scores.detach()
        if self.world > 1:
            _distributed().all_reduce(whole)
        found: Tensor = whole.requires_grad_()
        return found

    def sum_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Sum the gradients over all ranks. A gradient that no rank has stays None, so the optimizer skips its
        parameter, as in a single process."""
        if self.world == 1:
            return
        torch, distributed = need("torch", "models", "training"), _distributed()
        device = parameters[0].device
        used = torch.tensor([one.grad is not None for one in parameters], dtype=torch.float32, device=device)
        distributed.all_reduce(used)
        kept = [one for one, count in zip(parameters, used.tolist(), strict=True) if count]
        for parameter in kept:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        for work in [distributed.all_reduce(one.grad, async_op=True) for one in kept]:
            work.wait()

    def from_first(self, value: float) -> float:
        """The value that the first rank gave, on all ranks."""
        if self.world == 1:
            return value
        torch = need("torch", "models", "training")
        device = "cpu" if _distributed().get_backend() == "gloo" else torch.cuda.current_device()
        found = torch.tensor([value], dtype=torch.float64, device=device)
        _distributed().broadcast(found, src=0)
        return float(found)

    def wait(self) -> None:
        """Wait for all ranks."""
        if self.world > 1:
            _distributed().barrier()


ALONE = Ranks()


def ranks_here(environment: Mapping[str, str] = os.environ) -> Ranks:
    """The rank of this process, from the environment variables that torchrun and accelerate set; `ALONE` without them.

    Raises:
        UsageError: the variables are not valid.
    """
    if environment.get("WORLD_SIZE", "1") == "1":
        return ALONE
    try:
        ranks = Ranks(int(environment["RANK"]), int(environment["WORLD_SIZE"]))
    except (KeyError, ValueError):
        raise UsageError(
            "WORLD_SIZE is set, but RANK and WORLD_SIZE are not both numbers; start several processes with torchrun"
        ) from None
    if not 0 <= ranks.rank < ranks.world:
        raise UsageError(
            f"RANK {ranks.rank} is not below WORLD_SIZE {ranks.world}; start several processes with torchrun"
        )
    return ranks


@contextmanager
def joined(machine: Machine) -> Iterator[tuple[Ranks, Machine]]:
    """Connect to the other processes of this run, and give the machine with this rank's device. A single process
    connects to nothing.

    Raises:
        UsageError: there is no GPU for this process, or `device` names a single GPU.
    """
    ranks = ranks_here()
    if ranks.world == 1:
        yield ranks, machine
        return
    device = _device(need("torch", "models", "training"), machine.device)
    distributed = _distributed()
    backend = "gloo" if device == "cpu" else "nccl"
    distributed.init_process_group(backend, rank=ranks.rank, world_size=ranks.world, timeout=_PATIENCE)
    yield ranks, replace(machine, device=device)
    distributed.destroy_process_group()  # after an error the process ends anyway, and others may wait forever


def _device(torch: Any, device: str | None) -> str:
    if device not in (None, "cpu", "cuda"):
        raise UsageError(f"each process has its own device, so --device {device} cannot be used; leave it out")
    if device == "cpu" or (device is None and not torch.cuda.is_available()):
        return "cpu"
    local, gpus = int(os.environ.get("LOCAL_RANK", os.environ["RANK"])), int(torch.cuda.device_count())
    if local >= gpus:
        raise UsageError(f"process {local} has no GPU; start only {gpus} processes, one per GPU, or add --device cpu")
    torch.cuda.set_device(local)
    return f"cuda:{local}"


def _distributed() -> Any:
    return need("torch.distributed", "models", "training on several processes")
