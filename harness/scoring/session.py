"""A session: an open workspace with its ledger, a reporter, and the engine that runs models."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from adapters.budgets import kept_in
from harness.progress import Reporter
from harness.scoring.engine import IN_PROCESS, Engine
from harness.scoring.ledger.store import Ledger
from harness.scoring.workers.pool import Workers, engine_of
from harness.workspace import Workspace


@dataclass(frozen=True)
class Session:
    """The workspace, ledger, reporter and engine that every step of a run needs."""

    workspace: Workspace
    ledger: Ledger
    reporter: Reporter
    engine: Engine = IN_PROCESS


@contextmanager
def opened(workspace: Workspace, reporter: Reporter, workers: Workers = 1) -> Iterator[Session]:
    """Open a session. Its ledger and its processes are closed at the end.

    Args:
        workers: the number of processes that score and embed, or `auto`. Default: 1, this process.

    Raises:
        UsageError: the number of processes is below 1.
    """
    engine = engine_of(workers, reporter)
    try:
        with kept_in(workspace.cache), Ledger(workspace.ledger) as ledger:
            yield Session(workspace, ledger, reporter, engine)
    finally:
        engine.close()
