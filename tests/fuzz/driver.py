"""Reads mutated files in processes with limits, and says of each: accepted, refused in one line, or failed."""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import re
import resource
import signal
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from io import StringIO
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any, Literal

from adapters.errors import HarnessError
from tests.fuzz import selftest
from tests.fuzz.kinds import Disagreement, Kind, all_kinds
from tests.fuzz.mutate import mutated

State = Literal["accepted", "refused", "failed"]
Task = tuple[str, int]
"""A kind, and the number of an input of it."""
SECONDS = 5
"""The longest processor time of one input."""
_WAIT = 60
"""The longest wall time of one input, for readers that wait."""
MEMORY = 1 << 30
"""What one process may take in addition to what the valid examples need, in bytes."""
_DEAD = 120.0
_REPORT = "please report"
"""What a refusal says when two readers of ours disagree. That is a defect, not a refusal."""


_OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class TooSlow(BaseException):
    """An input took too long. It is no `Exception`, so that a reader does not catch it."""


@dataclass(frozen=True)
class Outcome:
    """What became of one input."""

    kind: str
    number: int
    state: State
    compared: bool = False
    detail: str = ""


@dataclass
class Tally:
    """The counts of one kind."""

    accepted: int = 0
    refused: int = 0
    failed: int = 0
    compared: int = 0
    """Accepted inputs that an independent reader read too."""
    failures: list[Outcome] = field(default_factory=list)

    @property
    def inputs(self) -> int:
        """All inputs."""
        return self.accepted + self.refused + self.failed

    def add(self, outcome: Outcome) -> None:
        """Count an outcome."""
        setattr(self, outcome.state, getattr(self, outcome.state) + 1)
        self.compared += outcome.compared
        if outcome.state == "failed":
            self.failures.append(outcome)


def input_of(examples: Sequence[bytes], kind: Kind, seed: int, number: int) -> bytes:
    """Input `number` of a kind. The first inputs are the valid examples."""
    if number < len(examples):
        return examples[number]
    rng = Random(f"{kind.name}:{seed}:{number}")
    return mutated(rng.choice(examples), kind.form, rng)


def fuzz(
    tasks: Sequence[Task], seed: int, processes: int, tell: Callable[[Outcome], None] = lambda _: None
) -> dict[str, Tally]:
    """Read the inputs, in several processes. A process that dies or hangs is a failure of the input that it read."""
    tallies: dict[str, Tally] = {name: Tally() for name, _ in tasks}
    shares = [list(tasks[start::processes]) for start in range(processes)]
    workers = [_Worker(share, seed) for share in shares if share]
    while workers:
        for worker in list(workers):
            for outcome in worker.outcomes():
                tallies[outcome.kind].add(outcome)
                tell(outcome)
            if worker.done:
                workers.remove(worker)
    return tallies


class _Worker:
    """A process that reads some inputs, and is replaced when it dies."""

    def __init__(self, tasks: list[Task], seed: int) -> None:
        self._left, self._seed = tasks, seed
        self._waited = 0.0
        self._start()

    @property
    def done(self) -> bool:
        return not self._left

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, other = context.Pipe(duplex=False)
        self._process = context.Process(target=_work, args=(other, self._left, self._seed), daemon=True)
        self._process.start()
        other.close()

    def outcomes(self) -> Iterator[Outcome]:
        """The outcomes since the last call."""
        try:
            while self._left and self._connection.poll(0.05):
                outcome = self._connection.recv()
                self._left, self._waited = self._left[1:], 0.0
                yield outcome
            self._waited += 0.05
        except (EOFError, OSError):
            yield self._dead("the process died")
        if self._waited > _DEAD + SECONDS:
            yield self._dead(f"no answer for {_DEAD:.0f} seconds")
        if not self._left:
            self._process.join(10)

    def _dead(self, why: str) -> Outcome:
        self._process.kill()
        self._process.join()
        (name, number), self._left, self._waited = self._left[0], self._left[1:], 0.0
        if self._left:
            self._start()
        return Outcome(name, number, "failed", detail=f"{why} (exit code {self._process.exitcode})")


def _work(connection: Connection, tasks: Sequence[Task], seed: int) -> None:
    for signal_of_a_timer in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(signal_of_a_timer, _too_slow)
    os.environ["HF_HUB_OFFLINE"] = "1"
    with tempfile.TemporaryDirectory(dir=_fast()) as folder:
        reader = Reader(Path(folder), seed)
        for name, number in tasks:
            connection.send(reader.read(name, number))
    connection.close()


def _fast() -> str | None:
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def _too_slow(*_: object) -> None:
    raise TooSlow


class Reader:
    """Reads inputs one after the other in a folder of its own."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder, self._seed = folder, seed
        self._kinds = {**all_kinds(), **selftest.KINDS}
        self._ready: dict[str, tuple[Path, Sequence[bytes]]] = {}

    def read(self, name: str, number: int) -> Outcome:
        """Read one input, within the limits of time and memory."""
        kind = self._kinds[name]
        file, examples = self._prepared(kind)
        _write(file, input_of(examples, kind, self._seed, number))
        with _quiet(), limited():
            state, compared, detail = classified(kind, file)
        if number < len(examples) and state != "accepted" and kind.sound:
            return Outcome(name, number, "failed", detail=f"a valid example is {state}: {detail}")
        return Outcome(name, number, state, compared, detail)

    def _prepared(self, kind: Kind) -> tuple[Path, Sequence[bytes]]:
        if kind.name not in self._ready:
            file = self._folder / kind.name / kind.file
            file.parent.mkdir(parents=True, exist_ok=True)
            with _quiet():
                examples = kind.examples(file.parent)
                for one in examples if kind.prepared else []:  # libraries are loaded before memory is limited
                    _write(file, one)
                    with suppress(HarnessError):
                        kind.read(file)
            self._ready[kind.name] = file, examples
        return self._ready[kind.name]


def _write(file: Path, content: bytes) -> None:
    file.unlink(missing_ok=True)  # another inode: stamps of files see that it is another file
    file.write_bytes(content)


def classified(kind: Kind, file: Path) -> tuple[State, bool, str]:
    """The state of a file, whether it was compared, and why it failed."""
    try:
        found = kind.read(file)
        compared = kind.compare is not None and kind.compare(file, found)
    except HarnessError as error:
        wrong = _what_is_wrong(str(error), kind, file)
        return ("refused", False, str(error)) if wrong is None else ("failed", False, f"{wrong}: {error!r}")
    except Disagreement as error:
        return "failed", False, f"read differently: {error}"
    except TooSlow:
        return "failed", False, f"took more than {SECONDS} seconds: {traceback.format_exc(limit=-3)}"
    except BaseException as error:
        return "failed", False, f"{type(error).__name__}: {''.join(traceback.format_exception(error, limit=-4))}"
    return "accepted", compared, ""


def _what_is_wrong(message: str, kind: Kind, file: Path) -> str | None:
    """Why a refusal is not one clear line that names the place; None if it is."""
    if _REPORT in message:
        return "two readers of ours disagree"
    if _OBEYED.search(message):
        return "the message is not one printable line"
    if len(message) > 4000:
        return "the message is longer than 4,000 characters"
    place = file.parent.name if kind.name.startswith("model") else file.name
    if kind.name != "spec" and not any(one in message for one in (file.name, place, str(file.parent))):
        return "the message does not name the file"
    return None


@contextmanager
def limited() -> Iterator[None]:
    """Limit the time and the additional memory of what is inside."""
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if Path("/proc/self/statm").exists() else 0
    before = resource.getrlimit(resource.RLIMIT_AS)
    if pages:
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY, before[1]))
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    signal.alarm(_WAIT)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(0)
        resource.setrlimit(resource.RLIMIT_AS, before)


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings(), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        warnings.simplefilter("ignore")
        yield


def usable(names: Sequence[str] = ()) -> dict[str, Kind]:
    """The named kinds (default: all) whose packages are installed."""
    kinds = all_kinds()
    chosen = {name: kinds[name] for name in names or kinds}
    return {name: one for name, one in chosen.items() if all(map(importlib.util.find_spec, one.needs))}


def tasks_of(kinds: Mapping[str, Kind], count: int) -> list[Task]:
    """`count` inputs in all, divided by the shares of the kinds, kind after kind; at least one of each example."""
    whole = sum(kind.share for kind in kinds.values())
    return [
        (name, number) for name, kind in kinds.items() for number in range(max(1, round(count * kind.share / whole)))
    ]


def save(failures: Sequence[Outcome], seed: int, out: Path) -> None:
    """Write the bytes and the details of the failures of one run."""
    kinds: Mapping[str, Any] = all_kinds()
    out.mkdir(parents=True, exist_ok=True)
    made: dict[str, Sequence[bytes]] = {}
    for one in failures:
        kind = kinds[one.kind]
        if one.kind not in made:
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / kind.file
                file.parent.mkdir(parents=True, exist_ok=True)
                made[one.kind] = kind.examples(file.parent)
        (out / f"{one.kind}-{one.number}.bin").write_bytes(input_of(made[one.kind], kind, seed, one.number))
        (out / f"{one.kind}-{one.number}.txt").write_text(one.detail, "utf-8", "backslashreplace")
