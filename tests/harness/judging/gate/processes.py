"""Gates in processes of their own, which wait or are killed where a test wants it."""

from __future__ import annotations

import importlib
import json
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from adapters.protocols import Floats, IndexPairs
from harness.judging.gate.policy import LookBudget, Policy
from tests.harness.judging.gate.fakes import FAKE, Reader, readable
from tests.tiny_collection import FIRST, Place

READER = f"{FAKE}:Reader"
_PATIENCE = 120
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["harness", "harness.judging.gate.gate", "tests.harness.judging.gate.processes"])


class Waiting(Reader):
    """A reader that says that it was asked, and waits until it may answer."""

    def __init__(self, *, asked: str, go: str, wrong: float = 0.04, seed: int = 0) -> None:
        super().__init__(wrong=wrong, seed=seed)
        self._asked, self._go = Path(asked), Path(go)

    def score(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Floats:
        self._asked.touch()
        until(self._go.exists)
        return super().score(queries, documents, pairs)


@dataclass(frozen=True)
class Started:
    """A gate that runs in another process."""

    process: BaseProcess
    candidate: str
    answer: Path

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    def end(self) -> dict[str, Any]:
        """What the gate answered, as its JSON; empty if it was killed before it answered."""
        self.process.join(_PATIENCE)
        assert self.process.exitcode is not None, "the gate does not end"
        return json.loads(self.answer.read_text("utf-8")) if self.answer.exists() else {}

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        self.process.join(_PATIENCE)


@dataclass
class Gates:
    """Starts gates over one readable collection, in one workspace. The release has a budget."""

    place: Place
    budget: int | None = 1
    started: list[Started] = field(default_factory=list)

    def start(self, candidate: str, die: str = "", **more: Any) -> Started:
        """Start a gate.

        Args:
            die: `module:function:before` or `:after`, where the process is killed.
        """
        if not (self.place.path / "coll").exists():
            readable(self.place)
        answer = self.place.path / f"answer-{len(self.started)}.json"
        policy = Policy(
            anchor=READER, depth=5, margin=0.15, targets=(str(self.place.path / "coll"),), first_stage=FIRST,
            looks=LookBudget("2.1", self.budget),
        )  # fmt: skip
        given = (candidate, policy, self.place.workspace.path, answer, die, more)
        process = _CONTEXT.Process(target=_gate, args=given)
        process.start()
        self.started.append(Started(process, candidate, answer))
        return self.started[-1]

    def run(self, candidate: str, die: str = "", **more: Any) -> dict[str, Any]:
        """Start a gate, and return its answer."""
        return self.start(candidate, die, **more).end()

    def waiting(self, name: str = "slow", **options: Any) -> tuple[Started, Path]:
        """Start a gate whose candidate waits, and return it as soon as it scores, with the file that lets it go on."""
        asked, go = (self.place.path / f"{name}-{word}" for word in ("asked", "go"))
        more = "".join(f"&{key}={value}" for key, value in options.items())
        started = self.start(f"{__name__}:Waiting?asked={asked}&go={go}{more}")
        until(lambda: asked.exists() or not started.process.is_alive())
        assert asked.exists(), started.end()
        return started, go

    def stop(self) -> None:
        """End what still runs."""
        for one in self.started:
            if one.process.is_alive():
                one.kill()


def until(is_so: Callable[[], bool]) -> None:
    """Wait for something that another process does."""
    end = time.monotonic() + _PATIENCE
    while not is_so():
        assert time.monotonic() < end, "another process does not go on"
        time.sleep(0.01)


def _gate(  # noqa: PLR0917
    candidate: str, policy: Policy, workspace: Path, answer: Path, die: str, more: Mapping[str, Any]
) -> None:
    import harness

    if die:
        _kill_at(*die.split(":"))
    try:
        found = harness.gate(candidate, policy, workspace=workspace, **more).as_dict()
    except harness.HarnessError as error:
        found = {"error": str(error)}
    answer.write_text(json.dumps(found), "utf-8")


def _kill_at(module: str, name: str, when: str) -> None:
    """Kill this process before or after the first call of a function."""
    *classes, last = name.split(".")
    owner: Any = importlib.import_module(module)
    for one in classes:
        owner = getattr(owner, one)
    real = getattr(owner, last)

    def killed(*arguments: Any, **named: Any) -> None:
        if when == "after":
            real(*arguments, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, last, killed)
