"""A session: an open workspace with its ledger, and a reporter."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from harness.progress import Reporter
from harness.scoring.ledger.store import Ledger
from harness.workspace import Workspace


@dataclass(frozen=True)
class Session:
    """The workspace, ledger and reporter that every step of a run needs."""

    workspace: Workspace
    ledger: Ledger
    reporter: Reporter


@contextmanager
def opened(workspace: Workspace, reporter: Reporter) -> Iterator[Session]:
    """Open a session. Its ledger is closed at the end."""
    with Ledger(workspace.ledger) as ledger:
        yield Session(workspace, ledger, reporter)
