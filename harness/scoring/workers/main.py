"""The process of a worker: it opens adapters, runs chunks, and sends each batch as soon as it is computed."""

from __future__ import annotations

import os
import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from adapters.budgets import kept_in
from adapters.known_digests import keep_in
from harness.scoring.engine import AdapterSource, Key, PairChunk, TextChunk
from harness.scoring.workers.messages import ChunkDone, ChunkFailed, Message, PartDone, WorkerWarned, portable

_sending = threading.Lock()


def main(descriptor: int) -> None:
    """Run chunks until the other end closes the connection.

    Args:
        descriptor: of the connection to the process that started this one.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # after Ctrl-C the other process ends this one
    os.dup2(2, 1)  # standard output belongs to the results of the other process
    connection = Connection(descriptor)

    def warned(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
        builtin = next(one for one in category.__mro__ if one.__module__ == "builtins")  # others may not be importable
        _send(connection, WorkerWarned(str(message), builtin))

    warnings.showwarning = warned
    adapters = _Adapters()
    with suppress(EOFError, ConnectionError):  # the other process is gone
        while True:
            key, source, chunk = connection.recv()
            for message in _messages(adapters, key, source, chunk):
                _send(connection, message)


def _send(connection: Connection, message: Message) -> None:
    with _sending:  # models may warn from several threads
        connection.send(message)


def _messages(
    adapters: _Adapters, key: Key, source: AdapterSource | None, chunk: PairChunk | TextChunk
) -> Iterator[Message]:
    try:
        adapter = adapters.bound(key, source)
        with kept_in(adapters.cache(key)):
            for result in chunk.run(adapter):
                yield PartDone(result)
    except (Exception, KeyboardInterrupt) as error:
        yield ChunkFailed(portable(error))
    else:
        yield ChunkDone()


class _Adapters:
    """The adapters of this process. Sources with the same spec share one model, whatever they bind it to."""

    def __init__(self) -> None:
        self._sources: dict[Key, AdapterSource] = {}
        self._opened: dict[tuple[str, str], object] = {}
        self._bound: dict[Key, object] = {}

    def cache(self, key: Key) -> Path | None:
        """The folder of the workspace that holds how models are called."""
        return self._sources[key].setting.cache

    def bound(self, key: Key, source: AdapterSource | None) -> object:
        """The adapter of a source, which is sent only with its first chunk."""
        source = self._sources.setdefault(key, source) if source is not None else self._sources[key]
        if key not in self._bound:
            name = (source.part, source.spec)
            if source.setting.cache is not None:
                keep_in(source.setting.cache)
            if name not in self._opened:
                self._opened[name] = source.open()
            self._bound[key] = source.bound(self._opened[name])
        return self._bound[key]
