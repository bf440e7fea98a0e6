"""Where the arms of an adaptation stand: their values on a tier, and their differences to the base."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from adapters.errors import UsageError
from harness.adaptation.record import Checkpoint, Record, Score
from harness.adaptation.vocabulary import BASE, KINDS, MACRO, TIERS, Tier
from harness.store import Results
from harness.summary import shares
from reports.plots.paired import Floats64, macro_intervals

Interval = tuple[float, float]
LATEST_FIRST: tuple[Tier, ...] = ("final", "gate", "dev")
"""The tiers of the target, as a reader trusts them."""
_ALIKE = 5e-5
"""Differences that print alike."""


@dataclass(frozen=True)
class Gain:
    """How far an arm is from the base. Fractions."""

    arm: str
    collection: str
    """`macro average` for all collections of the tier."""
    language: str | None
    delta: float
    interval: Interval | None
    """95 %, paired over queries; None where nobody kept what it takes."""
    queries: int

    @property
    def sure(self) -> int:
        """1 where the interval lies above zero, -1 where it lies below, else 0."""
        if self.interval is None:
            return 0
        return int(self.interval[0] > 0) - int(self.interval[1] < 0)


Gains = Mapping[tuple[str, str], Gain]
"""By arm and collection."""


def arms_in_order(record: Record) -> list[Checkpoint]:
    """As a reader asks: what there was, what was trained, what was merged."""
    return sorted(record.arms, key=lambda one: KINDS.index(one.kind))


def measured_tiers(record: Record) -> list[Tier]:
    """The tiers that have a score."""
    return [tier for tier in TIERS if record.scores_on(tier)]


def collections(record: Record, tier: Tier) -> dict[str, str | None]:
    """The collections of a tier and their languages, without the macro average; in the order of the record."""
    return {one.collection: one.language for (_, name), one in record.scores_on(tier).items() if name != MACRO}


def own_languages(languages: Mapping[str, str | None]) -> dict[str, str]:
    """The collections whose language no other one has, and so may be named by it."""
    times = Counter(languages.values())
    return {name: one for name, one in languages.items() if one is not None and times[one] == 1}


def deciding_tiers(record: Record) -> list[Tier]:
    """Where the base and another arm were measured: the final split; before it was touched, the gate and dev."""
    measured = {tier: {arm for arm, _ in record.scores_on(tier)} - {*record.outsiders} for tier in TIERS}
    found = [tier for tier in LATEST_FIRST if BASE in measured[tier] and len(measured[tier]) > 1]
    return found[:1] if found[:1] == ["final"] else found


def last_tier(record: Record, arm: str) -> Tier | None:
    """The last of those tiers on which an arm was measured."""
    return next((tier for tier in deciding_tiers(record) if arm in {name for name, _ in record.scores_on(tier)}), None)


def leader(record: Record) -> str | None:
    """The accepted arm, else the best one on dev that is not the base; None where nothing was measured."""
    if record.accepted is not None:
        return record.accepted
    found = record.scores_on("dev")
    known = [one.name for one in arms_in_order(record) if one.kind != BASE and (one.name, MACRO) in found]
    return max(known, key=lambda name: found[name, MACRO].value, default=None)


def gains(record: Record, tier: Tier, workspace: Path | None = None) -> Gains:
    """The differences to the base of everything that was measured on a tier.

    Args:
        workspace: where values of queries are kept. Without them the winner's average has the interval of its claim,
            and no other difference has one.
    """
    found = record.scores_on(tier)
    deltas = {
        key: Gain(key[0], key[1], one.language, one.value - found[BASE, key[1]].value, None, one.queries)
        for key, one in found.items()
        if key[0] != BASE and (BASE, key[1]) in found
    }
    known = _claimed(record, tier, deltas) | _resampled(found, workspace)
    return {key: replace(one, interval=known.get(key)) for key, one in deltas.items()}


def _claimed(record: Record, tier: Tier, deltas: Gains) -> dict[tuple[str, str], Interval]:
    """The interval of the claim against the base, where it is of the same difference."""
    return {
        (one.winner, MACRO): (one.low, one.high)
        for one in record.claims
        if tier == "final" and one.against == BASE and one.low is not None and one.high is not None
        if (own := deltas.get((one.winner, MACRO))) and abs(own.delta - one.delta) < _ALIKE
    }


def _resampled(found: Mapping[tuple[str, str], Score], workspace: Path | None) -> dict[tuple[str, str], Interval]:
    """Intervals from the values of queries. An average has one only where every collection has its values."""
    names = list(dict.fromkeys(name for _, name in found if name != MACRO))
    arms = [arm for arm in dict.fromkeys(arm for arm, _ in found) if arm != BASE]
    with ExitStack() as stack:
        store = _store(workspace, stack)
        if store is None:
            return {}
        rows = {(arm, name): _paired(store, found, arm, name) for arm in arms for name in names}
        votes = shares([_group(store, found.get((BASE, name))) for name in names])
    known = {key: row for key, row in rows.items() if row is not None}
    intervals: dict[tuple[str, str], Interval] = {}
    for name in names:
        intervals |= _of({(arm, name): [known[arm, name]] for arm in arms if (arm, name) in known}, None)
    whole = [arm for arm in arms if all((arm, name) in known for name in names)]
    return intervals | _of({(arm, MACRO): [known[arm, name] for name in names] for arm in whole}, votes)


def _of(rows: Mapping[tuple[str, str], Sequence[Floats64]], votes: Floats64 | None) -> dict[tuple[str, str], Interval]:
    """The interval of the average of every row; the rows have the same queries."""
    strata = [np.stack(column) for column in zip(*rows.values(), strict=True)]
    return {key: one for key, one in zip(rows, macro_intervals(strata, votes), strict=True) if _is(one)}


def _store(workspace: Path | None, stack: ExitStack) -> Results | None:
    file = None if workspace is None else workspace / "results.sqlite"
    return stack.enter_context(Results(file)) if file is not None and file.is_file() else None


def _paired(store: Results, found: Mapping[tuple[str, str], Score], arm: str, collection: str) -> Floats64 | None:
    """Per query, arm minus base; None where they are not both kept, or not on the same queries."""
    pair = [found.get((one, collection)) for one in (arm, BASE)]
    known = [(one.evaluation, one.measure) for one in pair if one is not None and one.evaluation]
    if len(known) < 2:
        return None
    try:
        (own, after), (others, before) = (store.per_query(id, measure) for id, measure in known)
    except UsageError:
        return None
    return after - before if own == others else None


def _group(store: Results, score: Score | None) -> str | None:
    """The group of a collection, whose members share one vote in an average."""
    try:
        stored = store.find(score.evaluation) if score is not None and score.evaluation else None
    except UsageError:
        return None
    group = None if stored is None else stored.collection.get("group")
    return None if group is None else str(group)


def _is(interval: Sequence[float]) -> bool:
    return bool(np.isfinite(interval).all())
