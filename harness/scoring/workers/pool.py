"""An engine that divides chunks among processes."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.connection import wait
from typing import Any, Generic, Literal, TypeVar, cast

import numpy as np
import numpy.typing as npt

from adapters.embedding import EmbedderPart
from adapters.errors import UsageError, WorkerError
from adapters.protocols import Embedder, Floats, Integers, Reranker, Role, Scored
from adapters.spec import parse
from harness.progress import Reporter
from harness.scoring.engine import (
    IN_PROCESS,
    Adapter,
    AdapterSource,
    Embedded,
    Engine,
    PairChunk,
    TextChunk,
    stays_in_process,
)
from harness.scoring.workers.machine import automatic, core_groups, gpus
from harness.scoring.workers.messages import ChunkDone, ChunkFailed, Message, PartDone, WorkerWarned
from harness.scoring.workers.worker import Worker

Chunk = TypeVar("Chunk", PairChunk, TextChunk)
Workers = int | Literal["auto"]
"""A number of processes; `auto` is one for each GPU, or as many as cores and memory allow."""


def engine_of(workers: Workers, reporter: Reporter) -> Engine:
    """The engine for a number of processes; for 1 that of this process.

    Raises:
        UsageError: the number is below 1.
    """
    if workers != "auto" and workers < 1:
        raise UsageError(f"--workers {workers}: at least one process is needed")
    return IN_PROCESS if workers == 1 else WorkerPool(workers, reporter)


class WorkerPool:
    """Processes that are started when there is work for them, and kept until the pool is closed.

    Only this process writes to the ledger and to the stores. A worker whose process ends unexpectedly loses the batches
    that it did not send; another worker continues its chunk. While others live, it is not replaced.

    Args:
        workers: the number of processes.
        reporter: gets a line about a process that ended.
    """

    in_process = False

    def __init__(self, workers: Workers, reporter: Reporter) -> None:
        self._workers, self._reporter = workers, reporter
        self._idle: list[Worker] = []
        self._busy: dict[Worker, _Piece[Any]] = {}
        self._lost = 0
        self._sizes: dict[str, int] = {}
        self._warned: set[str] = set()

    def score(
        self, reranker: Reranker, source: AdapterSource | None, chunks: Iterable[PairChunk]
    ) -> Iterator[tuple[PairChunk, Scored]]:
        """Score the chunks, each in one of the processes."""
        if source is None or stays_in_process(reranker) or self._limit(source) == 1:
            spread = reranker if source is None else self.spread(reranker, source)
            yield from IN_PROCESS.score(spread, source, chunks)
            return
        for chunk, result in self.run(source, chunks):
            yield chunk, cast(Scored, result)

    def spread(self, adapter: Adapter, source: AdapterSource) -> Adapter:
        """The same adapter. If it is based on an embedder, its texts are embedded by the processes."""
        if not isinstance(adapter, EmbedderPart) or self._limit(source) == 1:
            return adapter
        return cast(Adapter, adapter.calling(SpreadOver(adapter.embedder, source, self)))

    def devices(self, reranker: Reranker, source: AdapterSource | None) -> int:
        """The number of GPUs that score at the same time; 1 without a GPU."""
        if source is None or stays_in_process(reranker):
            return 1
        return max(1, min(self._limit(source), gpus(parse(source.spec).options.get("device"))))

    def close(self) -> None:
        """End all processes."""
        for worker in self._busy:
            worker.end(at_once=True)
        for worker in self._idle:
            worker.connection.close()
        for worker in self._idle:
            worker.end(at_once=False)
        self._busy, self._idle = {}, []

    def run(self, source: AdapterSource, chunks: Iterable[Chunk]) -> Iterator[tuple[Chunk, Scored | Embedded]]:
        """Yield (chunk, result) as the results arrive. The rows of a result are those of the chunk.

        Raises:
            WorkerError: two processes ended unexpectedly at the same chunk.
        """
        if self._busy:  # a caller stopped in the middle of its chunks
            self.close()
        pieces = (_Piece.whole(chunk) for chunk in chunks)
        again: deque[_Piece[Chunk]] = deque()
        try:
            while self._hand_out(source, pieces, again):
                for ready in wait([worker.connection for worker in self._busy]):
                    worker = next(one for one in self._busy if one.connection is ready)
                    yield from self._heard(worker, again)
        finally:
            if self._busy:  # after an error, or if the caller wants no more
                self.close()

    def _hand_out(self, source: AdapterSource, pieces: Iterator[_Piece[Chunk]], again: deque[_Piece[Chunk]]) -> bool:
        """Give a piece to every worker that is free. Return whether any worker is busy."""
        limit = max(1, self._limit(source) - self._lost)
        while len(self._busy) < limit:
            piece = again.popleft() if again else next(pieces, None)
            if piece is None:
                break
            self._give(source, piece, again)
        return bool(self._busy)

    def _give(self, source: AdapterSource, piece: _Piece[Chunk], again: deque[_Piece[Chunk]]) -> None:
        if not self._idle:
            self._start(self._limit(source))
        worker = self._idle.pop(0)
        self._busy[worker] = piece
        try:
            worker.start(source, piece.left)
        except OSError:
            if not worker.served:  # it could not even begin
                self._ended(worker, again)
                return
            del self._busy[worker]
            again.appendleft(piece)
            self._reporter.note(f"worker {worker.number + 1} {worker.end(at_once=False)} while it had no work")

    def _start(self, size: int) -> None:
        """Start all workers that are missing at the same time, because each takes a while; at least one."""
        taken = {worker.number for worker in self._busy}
        free = [number for number in range(size) if number not in taken]
        groups, devices = core_groups(size), gpus()
        for number in free[: max(1, size - self._lost - len(taken))]:
            self._idle.append(Worker(number, groups[number], devices))

    def _heard(self, worker: Worker, again: deque[_Piece[Chunk]]) -> Iterator[tuple[Chunk, Scored | Embedded]]:
        piece: _Piece[Chunk] = self._busy[worker]
        try:
            message: Message = worker.receive()
        except (EOFError, OSError):
            self._ended(worker, again)
            return
        if isinstance(message, PartDone):
            yield piece.chunk, piece.arrived(message.result)
        elif isinstance(message, ChunkDone):
            worker.served = True
            self._idle.append(worker)
            del self._busy[worker]
        elif isinstance(message, ChunkFailed):
            raise message.error
        elif isinstance(message, WorkerWarned) and message.text not in self._warned:
            self._warned.add(message.text)
            warnings.warn(message.text, message.category, stacklevel=2)

    def _ended(self, worker: Worker, again: deque[_Piece[Chunk]]) -> None:
        piece = self._busy.pop(worker)
        how = worker.end(at_once=False)
        self._lost += 1
        rest = piece.rest()
        if not len(rest.left):
            self._reporter.note(f"worker {worker.number + 1} {how}; its work was finished")
            return
        if piece.deaths:
            raise WorkerError(
                f"a second process {how}, again at {rest.left}; what was scored before is kept: run again with fewer "
                "--workers if memory is short, or with --workers 1 to see where the model fails"
            )
        self._reporter.note(f"worker {worker.number + 1} {how}; another one continues with its {rest.left}")
        again.append(rest)

    def _limit(self, source: AdapterSource) -> int:
        if self._workers != "auto":
            return self._workers
        if source.spec not in self._sizes:
            self._sizes[source.spec] = automatic(source.spec)
            self._reporter.note(f"{source.spec}: {self._sizes[source.spec]} workers")
        return self._sizes[source.spec]


@dataclass
class _Piece(Generic[Chunk]):
    """What is left of a chunk, for one worker."""

    chunk: Chunk
    rows: Integers
    """Rows of the chunk that this worker has to do."""
    done: npt.NDArray[np.bool_] = field(repr=False)
    """For each of `rows`, whether its result has arrived."""
    deaths: int = 0
    """Workers that ended while they had the chunk."""

    @classmethod
    def whole(cls, chunk: Chunk) -> _Piece[Chunk]:
        return cls(chunk, np.arange(len(chunk)), np.zeros(len(chunk), bool))

    @property
    def left(self) -> Chunk:
        return self.chunk.some(self.rows)

    def arrived(self, result: Scored | Embedded) -> Scored | Embedded:
        """Mark the rows of a result. Return the result with rows of the chunk."""
        inside = result.rows[(result.rows >= 0) & (result.rows < len(self.rows))]
        self.done[inside] = True
        if len(inside) < len(result.rows):
            return replace(result, rows=np.full(len(result.rows), len(self.chunk)))  # refused by who checks the rows
        return replace(result, rows=self.rows[result.rows])

    def rest(self) -> _Piece[Chunk]:
        """The rows that have not arrived. They come in the same batches as before."""
        rows = self.rows[~self.done]
        return _Piece(self.chunk, rows, np.zeros(len(rows), bool), self.deaths + 1)


class SpreadOver:
    """An embedder whose vectors are computed by a pool. Everything else is that of the embedder."""

    def __init__(self, embedder: Embedder, source: AdapterSource, pool: WorkerPool) -> None:
        self._embedder, self._source, self._pool = embedder, source, pool

    def __getattr__(self, name: str) -> Any:
        return getattr(self._embedder, name)

    @property
    def name(self) -> str:
        return self._embedder.name

    @property
    def identity(self) -> Any:
        return self._embedder.identity

    def encode(self, texts: Sequence[str], role: Role) -> Floats:
        """Return float32 [len(texts), dim]; a few texts, embedded in this process."""
        return self._embedder.encode(texts, role)

    def spread(self, parts: Iterable[tuple[Integers, list[str]]], role: Role) -> Iterator[tuple[Integers, Floats]]:
        """Yield (rows, vectors) of all parts as they arrive."""
        chunks = (TextChunk(texts, role, rows) for rows, texts in parts)
        for chunk, result in self._pool.run(self._source, chunks):
            yield chunk.rows[result.rows], cast(Embedded, result).vectors
