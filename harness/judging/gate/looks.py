"""Every look at the gate's queries, in the results store: what it spent, what it said, what was accepted after it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapters.errors import UsageError
from adapters.identity import digest
from harness.judging.gate.policy import Policy, Tier
from harness.judging.gate.verdict import MEMORY
from harness.result.secrets import public_values, without_secrets
from harness.result.store import Results

_SMALL = 1e-9
_COLUMNS = (
    "id", "at", "release", "tier", "split", "collections", "measure", "anchor", "candidate", "policy", "verdict",
    "alpha", "accepted", "figures",
)  # fmt: skip
UNNAMED = "unnamed"
"""The release of looks whose policy names none."""


@dataclass(frozen=True)
class SystemRecord:
    """A system as a look saw it."""

    name: str
    """As the user named it; a path may hold another model by now."""
    evaluations: tuple[str, ...]
    """Ids, which are digests of everything that made the numbers."""
    macro: float | None = None

    @property
    def digest(self) -> str:
        """Equal content on equal queries, equal digest."""
        return digest({"evaluations": sorted(self.evaluations)})[:12]


@dataclass(frozen=True)
class Look:
    """One look."""

    release: str
    tier: str
    split: str
    """Digest of the queries and candidates that were looked at."""
    collections: tuple[str, ...]
    """Fingerprints of the whole collections that they are of: looks that share one spend from one budget."""
    measure: str
    anchor: SystemRecord
    candidate: SystemRecord
    policy: str
    verdict: str
    alpha: float
    """What it spent; 0 where no figure was shown."""
    figures: Mapping[str, Any] = field(default_factory=dict)
    accepted: bool = False
    at: str = ""

    @property
    def id(self) -> str:
        """The same candidate, anchor and policy on the same queries is the same look, however often it is taken."""
        return "look-" + digest({
            "release": self.release, "tier": self.tier, "split": self.split, "measure": self.measure,
            "anchor": self.anchor.digest, "candidate": self.candidate.digest, "policy": self.policy,
        })[:12]  # fmt: skip


class LookLog:
    """The looks of a workspace."""

    def __init__(self, results: Path) -> None:
        self._path = results
        with Results(results):  # makes or brings up the tables
            pass

    def keep(self, look: Look) -> Look:
        """Append a look. One that was taken before spends nothing again and keeps its time."""
        stamped = datetime.now(UTC).isoformat(timespec="microseconds")  # looks are read in their order
        row = (
            look.id, stamped, look.release, look.tier, look.split, json.dumps(look.collections), look.measure,
            _json(look.anchor), _json(look.candidate), look.policy, look.verdict, look.alpha, int(look.accepted),
            json.dumps(public_values(look.figures), ensure_ascii=False),
        )  # fmt: skip
        marks = ", ".join("?" * len(row))
        with Results(self._path) as results:
            results.rows(
                f"""insert into look({", ".join(_COLUMNS)}) values ({marks}) on conflict(id) do update set
                    verdict = excluded.verdict, figures = excluded.figures, alpha = max(look.alpha, excluded.alpha),
                    accepted = max(look.accepted, excluded.accepted)""",
                row,
            )
        return self.find(look.id)

    def all(self) -> list[Look]:
        """Every look, in the order of time."""
        with Results(self._path) as results:
            rows = results.rows(f"select {', '.join(_COLUMNS)} from look order by at, id")
        return [_look(dict(zip(_COLUMNS, row, strict=True))) for row in rows]

    def find(self, prefix: str) -> Look:
        """The look whose id begins with `prefix`.

        Raises:
            UsageError: none does, or several do.
        """
        found = [look for look in self.all() if look.id.startswith(prefix)]
        if len(found) != 1:
            told = f"could be {', '.join(look.id for look in found[:5])}" if found else "is no look of this workspace"
            raise UsageError(f"'{prefix}' {told}; `harness list looks` names them")
        return found[0]

    def spent(self, policy: Policy, tier: Tier, collections: Sequence[str]) -> list[Look]:
        """The looks of the policy's release that have spent from the same queries: at the gate those of its tier, at
        the end the final ones."""
        release = policy.looks.release or UNNAMED
        return [
            look
            for look in self.all()
            if look.release == release and look.tier == tier and look.alpha and set(look.collections) & set(collections)
        ]

    def best(self, split: str, measure: str) -> SystemRecord | None:
        """The accepted system with the highest macro average on these queries. What was accepted against an anchor
        makes the anchor an accepted system too: otherwise the first pass could lose a margin that nobody counts."""
        systems = [
            system
            for look in self.all()
            if look.accepted and look.split == split and look.measure == measure
            for system in (look.anchor, look.candidate)
            if system.macro is not None
        ]
        return max(systems, key=lambda one: one.macro or 0.0, default=None)

    def memory(self, evaluations: Sequence[str]) -> float | None:
        """What an earlier look measured when it scored this very candidate, in MB."""
        wanted = SystemRecord("", tuple(evaluations)).digest
        costs = [cost for look in self.all() if look.candidate.digest == wanted for cost in look.figures["costs"]]
        return max((cost["value"] for cost in costs if cost["name"] == MEMORY and cost["value"]), default=None)

    def accepted(self) -> list[str]:
        """The names of all systems that were ever accepted."""
        return list(dict.fromkeys(look.candidate.name for look in self.all() if look.accepted))


def limit(policy: Policy, tier: Tier) -> int | None:
    """How many looks a release has; None where nobody declared it."""
    return {"dev": None, "gate": policy.looks.budget, "final": 1 if policy.looks.release else None}[tier]


def is_spent(policy: Policy, tier: Tier, looks: Sequence[Look]) -> bool:
    """Whether another look would spend more than the release has. What a look has spent stays spent when the budget is
    raised later."""
    allowed = limit(policy, tier)
    if allowed is None:
        return False
    spent = sum(look.alpha for look in looks)
    return len(looks) >= allowed or spent + policy.alpha_of(tier) > policy.alpha + _SMALL


def _json(system: SystemRecord) -> str:
    made = {"name": without_secrets(system.name), "evaluations": system.evaluations, "macro": system.macro}
    return json.dumps(made, ensure_ascii=False)


def _look(row: Mapping[str, Any]) -> Look:
    anchor, candidate = (_system(json.loads(row[side])) for side in ("anchor", "candidate"))
    plain = {key: row[key] for key in ("release", "tier", "split", "measure", "policy", "verdict", "alpha", "at")}
    return Look(
        collections=tuple(json.loads(row["collections"])), anchor=anchor, candidate=candidate,
        figures=json.loads(row["figures"]), accepted=bool(row["accepted"]), **plain,
    )  # fmt: skip


def _system(found: Mapping[str, Any]) -> SystemRecord:
    return SystemRecord(found["name"], tuple(found["evaluations"]), found["macro"])
