"""One training run on several processes, as torchrun or accelerate start them: one process for each GPU.

The pairs of a step are dealt over the ranks. Every rank scores its own, all scores meet on every rank, and the loss is
computed there over the whole step. So every loss is the one of a single process, whatever its mean runs over. Each rank
sends its part of the gradient back through its own pairs, and the sum of all is the gradient of the step.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from adapters.errors import UsageError, need
from adapters.protocols import Integers
from training.settings import Machine

if TYPE_CHECKING:
    from torch import Tensor, nn

_APART = 7_368_787
"""Between the seeds of two ranks: they draw different dropout."""


@dataclass(frozen=True)
class Ranks:
    """This process among those of its run."""

    rank: int = 0
    world: int = 1

    @property
    def is_first(self) -> bool:
        """Whether it writes and reports; the others only compute."""
        return self.rank == 0

    @property
    def seed_offset(self) -> int:
        """What this process adds to the seed of a step."""
        return self.rank * _APART

    def check(self, queries: int) -> None:
        """Refuse a run in which a process would have nothing to do.

        Raises:
            UsageError: a step has fewer queries than there are processes.
        """
        if queries < self.world:
            raise UsageError(
                f"a step of {queries} queries is too small for {self.world} processes; start at most {queries}, "
                "or raise the queries per step (--batch-queries)"
            )

    def share(self, lengths: Integers) -> Integers:
        """The places of this rank's pairs among those of a step: every so manieth by length, so that all have as much
        to do."""
        order = np.argsort(-lengths, kind="stable").astype(np.int64)
        return np.sort(order[self.rank :: self.world])

    def together(self, scores: Tensor, places: Integers, count: int) -> Tensor:
        """The scores of all ranks, [count], cut off from what computed them, and ready for a gradient."""
        torch = need("torch", "models", "training")
        whole = torch.zeros(count, dtype=scores.dtype, device=scores.device)
        whole[torch.from_numpy(places).to(scores.device)] = scores.detach()
        if self.world > 1:
            _distributed().all_reduce(whole)
        found: Tensor = whole.requires_grad_()
        return found

    def sum_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Add up the gradients of all ranks. One that no rank has stays away, so the optimizer leaves its parameter
        alone, as it does in one process."""
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

    def wait(self) -> None:
        """Until all ranks are here."""
        if self.world > 1:
            _distributed().barrier()


ALONE = Ranks()


def ranks_here(environment: Mapping[str, str] = os.environ) -> Ranks:
    """Which process this is, from the variables that torchrun and accelerate set. Without them it is alone.

    Raises:
        UsageError: the variables make no sense.
    """
    if environment.get("WORLD_SIZE", "1") == "1":
        return ALONE
    try:
        found = Ranks(int(environment["RANK"]), int(environment["WORLD_SIZE"]))
    except (KeyError, ValueError):
        raise UsageError(
            "WORLD_SIZE is set, and RANK and WORLD_SIZE are not two numbers; start several processes with torchrun"
        ) from None
    if not 0 <= found.rank < found.world:
        raise UsageError(f"RANK {found.rank} is not one of {found.world}; start several processes with torchrun")
    return found


@contextmanager
def joined(machine: Machine) -> Iterator[tuple[Ranks, Machine]]:
    """Meet the other processes of this run; the machine is then this rank's own device. Alone, nothing happens.

    Raises:
        UsageError: there is no GPU for this process, or the device is a single one.
    """
    ranks = ranks_here()
    if ranks.world == 1:
        yield ranks, machine
        return
    device = _device(need("torch", "models", "training"), machine.device)
    distributed = _distributed()
    distributed.init_process_group("gloo" if device == "cpu" else "nccl", rank=ranks.rank, world_size=ranks.world)
    yield ranks, replace(machine, device=device)
    distributed.destroy_process_group()  # after an error the process ends anyway, and others may wait forever


def _device(torch: Any, asked: str | None) -> str:
    if asked not in (None, "cpu", "cuda"):
        raise UsageError(f"every process has its own device, so --device {asked} cannot be used; leave it out")
    if asked == "cpu" or (asked is None and not torch.cuda.is_available()):
        return "cpu"
    local, found = int(os.environ.get("LOCAL_RANK", os.environ["RANK"])), int(torch.cuda.device_count())
    if local >= found:
        raise UsageError(f"process {local} has no GPU, there are {found}; start {found}, or add --device cpu")
    torch.cuda.set_device(local)
    return f"cuda:{local}"


def _distributed() -> Any:
    return need("torch.distributed", "models", "training on several processes")
