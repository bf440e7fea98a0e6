"""The log of looks at the gate's queries, in the results store: the alpha spent, the verdict, and what was accepted.

A look is reserved before anything is scored, and counted in the transaction that stores its figures, before they are
shown. The reservation only saves work: whatever happened to it, a look is counted only if the budget allows it.

Every look has a checksum. Where a look is damaged or missing, it is not known what it spent, so no look is counted and
none is shown until the file is restored.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapters.errors import DataError, UsageError
from adapters.identity import digest
from harness.judging.gate import reservations
from harness.judging.gate.budget import check
from harness.judging.gate.claims import PartClaim, read_claims
from harness.judging.gate.policy import Policy, Tier
from harness.judging.gate.reservations import LookRequest, NoLookLeft, Reservation
from harness.judging.gate.verdict import MEMORY
from harness.result.result import Result
from harness.result.rows import Row
from harness.result.secrets import public_values, without_secrets
from harness.result.store import Results
from harness.result.typed import Unreadable, parsed, typed

_COLUMNS = (
    "id", "at", "release", "tier", "split", "collections", "measure", "anchor", "candidate", "policy", "verdict",
    "alpha", "accepted", "figures",
)  # fmt: skip


@dataclass(frozen=True)
class SystemRecord:
    """A system at the time of a look."""

    name: str
    """The name that the user gave. A path may contain another model by now."""
    evaluations: tuple[str, ...]
    """Ids, which are digests of everything that the numbers depend on."""
    macro: float | None = None

    @property
    def digest(self) -> str:
        """A digest of the evaluations. Equal content on equal queries has an equal digest."""
        return digest({"evaluations": sorted(self.evaluations)})[:12]


@dataclass(frozen=True)
class Look:
    """One look at the gate's queries."""

    release: str
    tier: str
    split: str
    """Digest of the queries and candidates that were looked at."""
    collections: tuple[str, ...]
    """Fingerprints of the whole collections of these queries. Looks that share a collection share a budget."""
    measure: str
    anchor: SystemRecord
    candidate: SystemRecord
    policy: str
    verdict: str
    alpha: float
    """The alpha that the look spent; 0 if no figure was shown."""
    figures: Mapping[str, Any] = field(default_factory=dict)
    accepted: bool = False
    at: str = ""

    @property
    def id(self) -> str:
        """The id. Looks with the same candidate, anchor and policy on the same queries have the same id."""
        return "look-" + digest({
            "release": self.release, "tier": self.tier, "split": self.split, "measure": self.measure,
            "anchor": self.anchor.digest, "candidate": self.candidate.digest, "policy": self.policy,
        })[:12]  # fmt: skip


class LookLog:
    """The looks of a workspace."""

    def __init__(self, results: Path) -> None:
        self._path = results
        with Results(results):  # creates or updates the tables
            pass

    def keep(self, look: Look) -> Look:
        """Store a look that needs no budget. If it was taken before, it spends nothing again and keeps its time.

        Raises:
            DataError: a stored look is damaged or missing.
        """
        with Results(self._path) as results, results.transaction():
            _all(results)
            _insert(results, look)
        return self.find(look.id)

    @contextmanager
    def reserved(self, request: LookRequest, known: LookLog) -> Iterator[Reservation | None]:
        """Reserve a look for the block, in one transaction. If the block ends without `take`, it is released.

        Yields the reservation; None on the tier dev, and if no look is left but the candidate was looked at before:
        the same look again spends nothing.

        Args:
            known: the log of the workspace that has the anchor. Its looks and reservations count too.

        Raises:
            NoLookLeft: the looks of the release are spent or reserved.
            DataError: the store can only be read, or a stored look is damaged or missing.
        """
        made = None if request.tier == "dev" else self._reserve(request, known)
        if made is None:
            yield None
            return
        try:
            with reservations.renewed(self._path, made.id):
                yield made
        finally:
            with Results(self._path) as results:
                reservations.remove(results, made.id)

    def take(
        self, look: Look, request: LookRequest, known: LookLog, reserved: Reservation | None, figures: Sequence[Result]
    ) -> Look:
        """Count a look and store its figures, in one transaction. Afterwards the figures may be shown.

        Args:
            reserved: what `reserved` yielded.
            figures: the results that the look shows.

        Raises:
            NoLookLeft: the look needs a budget, and there is none.
            DataError: a stored look is damaged or missing.
        """
        elsewhere = self._elsewhere(known, request)
        with Results(self._path) as results, results.transaction():
            counted = _counted(results, request).plus(elsewhere)
            free = look.alpha == 0 or look.id in {one.id for one in counted.spent}
            if not free and (reserved is None or not reservations.is_there(results, reserved)):
                check(request, counted.spent, counted.running)
            _insert(results, look)
            results.write(figures)
            if reserved is not None:
                reservations.remove(results, reserved.id)
        return self.find(look.id)

    def all(self) -> list[Look]:
        """Return every look, ordered by time.

        Raises:
            DataError: a stored look is damaged or missing.
        """
        with Results(self._path) as results:
            return _all(results)

    def find(self, prefix: str) -> Look:
        """Return the look whose id begins with `prefix`.

        Raises:
            UsageError: no look matches, or several do.
        """
        found = [look for look in self.all() if look.id.startswith(prefix)]
        if len(found) != 1:
            problem = f"could be {', '.join(look.id for look in found[:5])}" if found else "matches no look here"
            raise UsageError(f"'{prefix}' {problem}; `harness list looks` lists them")
        return found[0]

    def spent(self, policy: Policy, tier: Tier, collections: Sequence[str]) -> list[Look]:
        """Return the looks of the policy's release that spent from the same queries, on the same tier."""
        return _spent(self.all(), LookRequest.of(policy, tier, collections, ""))

    def claims(self, id: str) -> tuple[PartClaim, ...]:
        """Return the claims that were made when a look was taken first; empty if it was not taken, or by an earlier
        version."""
        return next((read_claims(look.figures) for look in self.all() if look.id == id), ())

    def best(self, split: str, measure: str) -> SystemRecord | None:
        """Return the accepted system with the highest macro average on these queries; None if there is none. The anchor
        of an accepted system also counts as accepted; otherwise the first pass could lose a margin unnoticed."""
        systems = [
            system
            for look in self.all()
            if look.accepted and look.split == split and look.measure == measure
            for system in (look.anchor, look.candidate)
            if system.macro is not None
        ]
        return max(systems, key=lambda one: one.macro or 0.0, default=None)

    def memory(self, evaluations: Sequence[str]) -> float | None:
        """Return the peak memory in MB that an earlier look measured for the same evaluations; None if none did."""
        wanted = SystemRecord("", tuple(evaluations)).digest
        costs = [cost for look in self.all() if look.candidate.digest == wanted for cost in look.figures["costs"]]
        return max((cost["value"] for cost in costs if cost["name"] == MEMORY and cost["value"]), default=None)

    def accepted(self) -> list[str]:
        """Return the names of all accepted systems."""
        return list(dict.fromkeys(look.candidate.name for look in self.all() if look.accepted))

    def _reserve(self, request: LookRequest, known: LookLog) -> Reservation | None:
        made, elsewhere = Reservation.of(request), self._elsewhere(known, request)
        with Results(self._path) as results:
            if results.is_read_only:
                raise DataError(f"{self._path} can only be read, so no look can be counted; name another --workspace")
            with results.transaction():
                counted = _counted(results, request).plus(elsewhere)
                try:
                    check(request, counted.spent, counted.running)
                except NoLookLeft:
                    if any(look.candidate.name == request.candidate for look in counted.spent):
                        return None
                    raise
                reservations.insert(results, made)
        return made

    def _elsewhere(self, known: LookLog, request: LookRequest) -> _Counted:
        """Return what counts in the workspace that has the anchor, if it is another one."""
        if known._path == self._path:
            return _Counted()
        with Results(known._path) as results:
            return _counted(results, request)


@dataclass(frozen=True)
class _Counted:
    """What counts against the budget of a look."""

    spent: tuple[Look, ...] = ()
    running: tuple[Reservation, ...] = ()
    """The reservations of running gates."""

    def plus(self, other: _Counted) -> _Counted:
        """Add what counts in another workspace, because a new workspace does not make queries new."""
        looks = {look.id: look for look in (*self.spent, *other.spent)}
        return _Counted(tuple(looks.values()), (*self.running, *other.running))


def _counted(results: Results, request: LookRequest) -> _Counted:
    return _Counted(tuple(_spent(_all(results), request)), tuple(reservations.reserved(results, request)))


def _spent(looks: Sequence[Look], request: LookRequest) -> list[Look]:
    asked = request.release, request.tier
    return [
        look
        for look in looks
        if (look.release, look.tier) == asked and look.alpha and set(look.collections) & set(request.collections)
    ]


def _insert(results: Results, look: Look) -> None:
    stamped = datetime.now(UTC).isoformat(timespec="microseconds")  # looks are ordered by time
    row = (
        look.id, stamped, look.release, look.tier, look.split, json.dumps(look.collections), look.measure,
        _json(look.anchor), _json(look.candidate), look.policy, look.verdict, look.alpha, int(look.accepted),
        json.dumps(public_values(look.figures), ensure_ascii=False),
    )  # fmt: skip
    marks = ", ".join("?" * len(row))
    results.rows(
        f"""insert into look({", ".join(_COLUMNS)}) values ({marks}) on conflict(id) do update set
            verdict = excluded.verdict, figures = excluded.figures, alpha = max(look.alpha, excluded.alpha),
            accepted = max(look.accepted, excluded.accepted)""",
        row,
    )
    results.keep_sum("look", look.id)


def _all(results: Results) -> list[Look]:
    return results.looks(_look)


def _json(system: SystemRecord) -> str:
    made = {"name": without_secrets(system.name), "evaluations": system.evaluations, "macro": system.macro}
    return json.dumps(made, ensure_ascii=False)


def _look(row: Row) -> Look:
    """The look in a row. Its id proves everything that it is made of, even without a checksum.

    Raises:
        Unreadable: a value is missing or wrong.
    """
    plain = {key: row[key] for key in ("release", "tier", "split", "measure", "policy", "verdict", "alpha", "at")}
    parts = {key: parsed(row[key], key) for key in ("collections", "anchor", "candidate", "figures")}
    look = typed(Look, {**plain, **parts, "accepted": bool(row["accepted"])}, "look")
    if look.id != row["id"] or not 0 <= look.alpha <= 1 or row["accepted"] not in {0, 1} or not _is_time(look.at):
        raise Unreadable("it is not what was stored")
    return look


def _is_time(text: str) -> bool:
    try:
        return bool(datetime.fromisoformat(text))
    except ValueError:
        return False
