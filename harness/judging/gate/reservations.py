"""Reservations: looks that running gates will take. They are made before anything is scored."""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import astuple, dataclass, replace
from pathlib import Path

from adapters.errors import HarnessError, UsageError
from adapters.sums import DamageWarning
from harness.judging.gate.holders import BEAT_SECONDS, STALE_SECONDS, Holder, this_process
from harness.judging.gate.policy import Policy, Tier
from harness.result.secrets import without_secrets
from harness.result.store import Results
from harness.result.typed import Unreadable, parsed, typed

UNNAMED = "unnamed"
"""The release of looks whose policy names no release."""
_YEAR_10000 = 253402300800
"""In seconds since 1970. Later times cannot be shown."""
_COLUMNS = "id, release, tier, collections, candidate, alpha, host, place, pid, started, at, beat"


class NoLookLeft(UsageError):
    """The budget of a release allows no further look. No figure is shown.

    Attributes:
        reserved: whether running gates have reserved what is left, so that a look may become free again.
    """

    def __init__(self, message: str, *, reserved: bool) -> None:
        super().__init__(message)
        self.reserved = reserved


@dataclass(frozen=True)
class LookRequest:
    """The look that a gate asks for."""

    policy: Policy
    tier: Tier
    collections: tuple[str, ...]
    """Fingerprints of the whole collections."""
    candidate: str
    """The name that the user gave, without secrets."""

    @classmethod
    def of(cls, policy: Policy, tier: Tier, collections: Sequence[str], candidate: str) -> LookRequest:
        """Return the request for a look at some collections."""
        return cls(policy, tier, tuple(collections), without_secrets(candidate))

    @property
    def release(self) -> str:
        """The release that the look belongs to."""
        return self.policy.looks.release or UNNAMED

    @property
    def alpha(self) -> float:
        """The alpha that the look will spend."""
        return self.policy.alpha_of(self.tier)


@dataclass(frozen=True)
class Reservation:
    """A look that a gate will take."""

    id: str
    release: str
    tier: str
    collections: tuple[str, ...]
    candidate: str
    alpha: float
    holder: Holder

    @classmethod
    def of(cls, request: LookRequest) -> Reservation:
        """Return a new reservation of this process."""
        made = secrets.token_hex(8)
        return cls(
            made, request.release, request.tier, request.collections, request.candidate, request.alpha, this_process()
        )

    def __str__(self) -> str:
        """Who has reserved the look, since when, and for which candidate."""
        ends = f", unless it shows no sign of life for {STALE_SECONDS / 60:.0f} minutes"
        return f"{self.holder} for {self.candidate}{ends if self.holder.is_elsewhere else ''}"


def reserved(results: Results, request: LookRequest) -> list[Reservation]:
    """Return the reservations of running gates that count together with a look, the earliest first."""
    now = time.time()
    return [one for _, one in _all(results) if one and _shares(one, request) and one.holder.is_running(now)]


def insert(results: Results, made: Reservation) -> None:
    """Store a reservation, and remove those whose gates have ended without showing a figure.

    A damaged reservation is removed with a warning. This frees no look: a gate that has lost its reservation counts its
    look only if the budget still allows it.
    """
    now = time.time()
    for id, one in _all(results):
        if one is None:
            place = results.rows("select file from pragma_database_list")[0][0]
            message = (
                f"{place}: the reservation {id} of a look is damaged and was removed; a gate that holds it asks again"
            )
            warnings.warn(message, DamageWarning, stacklevel=2)
        if one is None or not one.holder.is_running(now):
            remove(results, id)
    row = (
        made.id, made.release, made.tier, json.dumps(made.collections), made.candidate, made.alpha,
        *astuple(made.holder),
    )  # fmt: skip
    results.rows(f"insert into reservation({_COLUMNS}) values ({', '.join('?' * len(row))})", row)


def is_there(results: Results, made: Reservation) -> bool:
    """Whether a reservation is still stored as it was made."""
    kept = dict(_all(results)).get(made.id)
    return kept is not None and replace(kept, holder=made.holder) == made


def remove(results: Results, id: object) -> None:
    """Release a reservation."""
    results.rows("delete from reservation where id = ?", (id,))


@contextmanager
def renewed(store: Path, id: str) -> Iterator[None]:
    """Renew a reservation during the block, from a thread."""
    ended = threading.Event()

    def renew() -> None:
        while not ended.wait(BEAT_SECONDS):
            with suppress(sqlite3.Error, HarnessError, OSError), Results(store) as results:
                results.rows("update reservation set beat = ? where id = ?", (time.time(), id))

    thread = threading.Thread(target=renew, name="gate reservation", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _shares(one: Reservation, request: LookRequest) -> bool:
    same = (one.release, one.tier) == (request.release, request.tier)
    return same and not set(one.collections).isdisjoint(request.collections)


def _all(results: Results) -> list[tuple[object, Reservation | None]]:
    """Every reservation by its id, the earliest first; None for one that is damaged."""
    rows = results.rows(f"select {_COLUMNS} from reservation order by at, id")
    return [(row[0], _reservation(row)) for row in rows]


def _reservation(row: tuple[object, ...]) -> Reservation | None:
    values = dict(zip(_COLUMNS.split(", "), row, strict=True))
    try:
        values["collections"] = parsed(values["collections"], "collections")
        found = typed(Reservation, {**values, "holder": values}, "reservation")
    except Unreadable:
        return None
    return found if 0 <= found.alpha <= 1 and 0 <= found.holder.at < _YEAR_10000 else None
