"""Model calls are scheduled in this one place: which rows go together, in what order, and what comes back of them."""

from __future__ import annotations

import hashlib
import os
import sys
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from adapters.errors import HarnessError, ModelError, UsageError, class_of, is_out_of_memory, need
from adapters.protocols import Floats, IndexPairs, Integers, Scored

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
Calls = Callable[[Iterable[Integers], Callable[[Integers], Floats]], Iterator[tuple[Integers, Floats]]]
"""Makes the model calls of some batches, and yields (rows, scores) in the order of the batches."""

UNKNOWN_INPUT = 0
"""The input digest of an adapter that has none."""

DEVICE = "HARNESS_DEVICE"
"""The environment variable with the default device of a model. It is not part of a model's identity."""

_SHOWN = 60
_LONGEST_REASON = 300


class ModelInputs(Protocol):
    """The facts about a request's inputs that the scheduler needs. Arrays have one entry per row."""

    @property
    def lengths(self) -> Integers:
        """Tokens of the whole model input, after truncation."""
        ...

    @property
    def tokens(self) -> npt.NDArray[np.int32]:
        """Document tokens before truncation."""
        ...

    @property
    def kept(self) -> npt.NDArray[np.int32]:
        """Document tokens after truncation."""
        ...

    def inputs(self, rows: Integers) -> npt.NDArray[np.uint64]:
        """Digests of the model inputs of some rows."""
        ...


def plan_batches(lengths: Integers, *, budget: int) -> list[Integers]:
    """Row numbers in batches, longest rows first, so that rows x longest row of a batch is at most `budget` tokens.

    A row longer than the budget is a batch of its own. Equal lengths keep their order. If the rows of the first k
    batches are left out and the rest is planned again, the remaining batches come out as before: a run that was killed
    continues with the same batches, and so with the same bits.
    """
    lengths = np.asarray(lengths, dtype=np.int64)
    order = np.argsort(-lengths, kind="stable")
    batches: list[Integers] = []
    start = 0
    while start < len(order):
        stop = start + max(1, budget // max(1, int(lengths[order[start]])))
        batches.append(order[start:stop])
        start = stop
    return batches


def default_budget(device: str) -> int:
    """Padded tokens per model call. On a CPU small calls are fastest, because their activations stay in the cache."""
    return 2048 if device == "cpu" else 32768


class MemoryWarning(UserWarning):
    """A model call did not fit into memory. Later calls are smaller."""


class CallBudget:
    """Padded tokens per model call. It is halved where memory is too small for a call.

    Args:
        tokens: to begin with; 0 runs every row by itself.
        name: of the model, for the warning.
        halved: gets every new budget.
    """

    def __init__(self, tokens: int, name: str = "the model", halved: Callable[[int], object] = int) -> None:
        self.tokens = tokens
        self._name, self._halved = name, halved

    def halve(self, padded: int) -> None:
        """Halve the budget after a call that did not fit, until it is below the tokens of that call.

        Args:
            padded: tokens of the call.
        """
        tokens = self.tokens // 2
        while tokens >= padded:
            tokens //= 2
        self.tokens = max(1, tokens)
        warnings.warn(
            f"{self._name}: out of memory in a call of {padded:,} tokens; from here on calls have at most "
            f"{self.tokens:,}",
            MemoryWarning,
            stacklevel=2,
        )
        self._halved(self.tokens)


class _TooLarge(Exception):
    """A call of several rows did not fit into memory."""

    def __init__(self, padded: int) -> None:
        super().__init__()
        self.padded = padded


Plan = Callable[[Integers, int], list[Integers]]
"""The rows of each call, from the rows that are left, ascending, and the budget."""


def calls_within(
    lengths: Integers,
    forward: Callable[[Integers], Floats],
    *,
    budget: CallBudget,
    calls: Calls,
    plan: Plan | None = None,
) -> Iterator[tuple[Integers, Floats]]:
    """Make the calls of all rows, and yield (rows, result) in the order of the plan.

    If a call of several rows does not fit into memory, the budget is halved, and the rows that are left are planned
    again with it. A run that is resumed with the halved budget makes the same calls.

    Args:
        lengths: tokens of each row.
        forward: the result of some rows.
        calls: makes the calls.
        plan: default: `plan_batches`.
    """

    def fitting(rows: Integers) -> Floats:
        try:
            return forward(rows)
        except Exception as error:
            if len(rows) == 1 or not is_out_of_memory(error):
                raise
        raise _TooLarge(len(rows) * int(lengths[rows].max()))  # after the error with its tensors is gone

    def by_length(rows: Integers, tokens: int) -> list[Integers]:
        return [rows[batch] for batch in plan_batches(lengths[rows], budget=tokens)]

    left = np.arange(len(lengths))
    while len(left):
        batches, done = (plan or by_length)(left, budget.tokens), 0
        try:
            for rows, result in calls(batches, fitting):
                yield rows, result
                done += 1
            return
        except _TooLarge as failed:
            padded = failed.padded
        left = np.sort(np.concatenate(batches[done:]))
        _release_memory()
        budget.halve(padded)


def _release_memory() -> None:
    """Let torch give back the GPU memory that it keeps for later calls."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def input_digest(ids: Sequence[int] | npt.NDArray[np.integer]) -> int:
    """64 bits of BLAKE2b over token ids as little-endian int32. Never 0, which means unknown."""
    raw = np.ascontiguousarray(ids, dtype="<i4").tobytes()
    return int.from_bytes(hashlib.blake2b(raw, digest_size=8).digest(), "little") or 1


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def named_device(device: str | None) -> str | None:
    """The given device, else the one in the variable HARNESS_DEVICE; None if neither is set."""
    return device or os.environ.get(DEVICE) or None


def pick_device(device: str | None) -> str:
    """The torch device to use: the given one, else the one in HARNESS_DEVICE, else a GPU if there is one, else the CPU.

    Raises:
        UsageError: torch does not know the device, or this machine does not have it.
    """
    torch = need("torch", "models", "running a model")
    named = named_device(device)
    if named is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(1, device=named)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).strip().splitlines()[0]
        asked, right = ("device", "device=cpu") if device else (DEVICE, f"{DEVICE}=cpu")
        raise UsageError(f"{asked}={named} cannot be used here: {reason}; leave it out, or write {right}") from None
    return named


def stream_batches(
    prepared: ModelInputs,
    forward: Callable[[Integers], Floats],
    *,
    budget: int | CallBudget,
    describe: Callable[[int], str],
    calls: Calls | None = None,
    plan: Plan | None = None,
) -> Iterator[Scored]:
    """Score all rows, batch by batch, and yield the batches in the order of the plan.

    Args:
        prepared: the inputs of all rows.
        forward: scores of some rows, shape [len(rows)].
        budget: padded tokens per call; 0 runs every row by itself.
        describe: names a row in an error.
        calls: makes the calls, for instance several at a time (`side_by_side`); None makes one after the other.
        plan: the rows of each call, in the order of the calls; default: `plan_batches`.

    Raises:
        ModelError: the model fails, or a score is not a finite number; the message names the first pair.
        EnvironmentFailure: memory is too small for the model and this pair.
    """

    def asked(rows: Integers) -> Floats:
        try:
            return forward(rows)
        except HarnessError:
            raise
        except Exception as error:  # each library raises its own classes
            reason = " ".join(str(error).split())[:_LONGEST_REASON] or type(error).__name__
            kind = class_of(error, ModelError)
            raise kind(f"{describe(int(rows[0]))}: the model fails: {reason}") from error

    limit = budget if isinstance(budget, CallBudget) else CallBudget(budget)
    for rows, scores in calls_within(prepared.lengths, asked, budget=limit, calls=calls or one_by_one, plan=plan):
        refuse_nonfinite(rows, scores, describe)
        yield Scored(rows, scores, prepared.tokens[rows], prepared.kept[rows], prepared.inputs(rows))


def one_by_one(batches: Iterable[Integers], forward: Callable[[Integers], Floats]) -> Iterator[tuple[Integers, Floats]]:
    """Make the calls one after the other."""
    for rows in batches:
        yield rows, np.asarray(forward(rows), dtype=np.float32)


def side_by_side(
    batches: Iterable[Integers],
    forward: Callable[[Integers], Floats],
    workers: int,
    ready: Callable[[], object] = bool,
) -> Iterator[tuple[Integers, Floats]]:
    """Make `workers` calls at a time, and yield their results in the order of the batches.

    Args:
        ready: called once in each worker before its first call.
    """
    pending: deque[tuple[Integers, Future[Floats]]] = deque()
    pool = ThreadPoolExecutor(workers, initializer=ready)
    try:
        for rows in batches:
            pending.append((rows, pool.submit(forward, rows)))
            if len(pending) > 2 * workers:
                first, result = pending.popleft()
                yield first, np.asarray(result.result(), dtype=np.float32)
        for rows, result in pending:
            yield rows, np.asarray(result.result(), dtype=np.float32)
    finally:
        pool.shutdown(cancel_futures=True)


def one_at_a_time(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """The function, called by one thread at a time."""
    lock = threading.Lock()

    def called(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        with lock:
            return function(*args, **kwargs)

    return called


def torch_calls(device: str) -> Calls:
    """How a torch model makes its calls: on a CPU in parallel, one single-threaded call per core, else one by one.

    No operator waits for the slowest core, and the scores do not depend on the number of cores.
    """
    if device != "cpu":
        return one_by_one
    torch = need("torch", "models", "running a model")

    def calls(batches: Iterable[Integers], forward: Callable[[Integers], Floats]) -> Iterator[tuple[Integers, Floats]]:
        threads = torch.get_num_threads()
        try:
            yield from side_by_side(batches, forward, threads, lambda: torch.set_num_threads(1))
        finally:
            torch.set_num_threads(threads)

    return calls


def refuse_nonfinite(rows: Integers, scores: Floats, describe: Callable[[int], str]) -> None:
    """Refuse scores that are NaN or infinite.

    Raises:
        ModelError: a score is not finite; the message names the first such row.
    """
    bad = np.flatnonzero(~np.isfinite(scores))
    if len(bad):
        raise ModelError(
            f"the score of {describe(int(rows[bad[0]]))} is {scores[bad[0]]}, not a number that can be ranked; "
            "check the weights, or use dtype=float32"
        )


def collect(stream: Iterator[Scored], count: int) -> Floats:
    """The scores of a whole stream in the order of the request, shape [count]."""
    scores = np.full(count, np.nan, dtype=np.float32)
    for scored in stream:
        scores[scored.rows] = scored.scores
    return scores


def describe_pairs(
    model: str, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs
) -> Callable[[int], str]:
    """A function that names a row of `pairs` in an error, with the model and both texts shortened."""

    def describe(row: int) -> str:
        query, document = queries[int(pairs[row, 0])], documents[int(pairs[row, 1])]
        return f"'{model}' for query {shortened(query)} and document {shortened(document)}"

    return describe


def shortened(text: str) -> str:
    """A text on one line, quoted, cut after 60 characters."""
    line = " ".join(text.split())
    return repr(line if len(line) <= _SHOWN else f"{line[: _SHOWN - 3]}...")
