"""The log of looks at the gate's queries, in the results store: the alpha spent, the verdict, and what was accepted."""

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
"""The release of looks whose policy names no release."""


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
        """Store a look. If it was taken before, it spends nothing again and keeps its time."""
        stamped = datetime.now(UTC).isoformat(timespec="microseconds")  # looks are ordered by time
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
        """Return every look, ordered by time."""
        with Results(self._path) as results:
            rows = results.rows(f"select {', '.join(_COLUMNS)} from look order by at, id")
        return [_look(dict(zip(_COLUMNS, row, strict=True))) for row in rows]

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
        release = policy.looks.release or UNNAMED
        return [
            look
            for look in self.all()
            if look.release == release and look.tier == tier and look.alpha and set(look.collections) & set(collections)
        ]

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


def limit(policy: Policy, tier: Tier) -> int | None:
    """Return the number of looks that a release has; None if it is not declared."""
    return {"dev": None, "gate": policy.looks.budget, "final": 1 if policy.looks.release else None}[tier]


def is_spent(policy: Policy, tier: Tier, looks: Sequence[Look]) -> bool:
    """Whether another look would spend more than the release has. Earlier looks count with the alpha that they spent,
    even if the budget is raised later."""
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
