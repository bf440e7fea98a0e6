"""Where the arms of an adaptation stand: their values on a tier, and their differences to the base."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from adapters.errors import UsageError
from harness.measuring.statistics.difference import Difference
from harness.result.adaptation.record import AdaptationRecord, ArmRecord, Score
from harness.result.adaptation.vocabulary import BASE, KINDS, MACRO, TIERS, Tier
from harness.result.figure import COLLECTIONS, SYSTEMS, Figure, Selection, figures
from harness.result.store import Results
from harness.result.summary import EvaluatedMeasure, shares
from reports.training.told import correction

Interval = tuple[float, float]
LATEST_FIRST: tuple[Tier, ...] = ("final", "gate", "dev")
"""The tiers of the target, as a reader trusts them."""
_ALIKE = 5e-5
"""Differences that print alike."""


@dataclass(frozen=True)
class ArmGain:
    """How far an arm is from the base. Fractions."""

    arm: str
    collection: str
    """`macro average` for all collections of the tier."""
    language: str | None
    delta: float
    difference: Difference | None
    """With its interval and its test: an average is corrected over the arms, a collection over those of its arm. None
    where nobody kept what it takes."""
    queries: int

    @property
    def interval(self) -> Interval | None:
        """95 %; None where it is not known."""
        return Figure(difference=self.difference).delta_interval

    @property
    def sure(self) -> int:
        """1 where the difference is significant and above zero, -1 where it is below, else 0."""
        if self.difference is None or not self.difference.significant:
            return 0
        return 1 if self.difference.value > 0 else -1


Gains = Mapping[tuple[str, str], ArmGain]
"""By arm and collection."""


def arms_in_order(record: AdaptationRecord) -> list[ArmRecord]:
    """As a reader asks: what there was, what was trained, what was merged."""
    return sorted(record.arms, key=lambda one: KINDS.index(one.kind))


def measured_tiers(record: AdaptationRecord) -> list[Tier]:
    """The tiers that have a score."""
    return [tier for tier in TIERS if record.scores_on(tier)]


def collections(record: AdaptationRecord, tier: Tier) -> dict[str, str | None]:
    """The collections of a tier and their languages, without the macro average; in the order of the record."""
    return {one.collection: one.language for (_, name), one in record.scores_on(tier).items() if name != MACRO}


def own_languages(languages: Mapping[str, str | None]) -> dict[str, str]:
    """The collections whose language no other one has, and so may be named by it."""
    times = Counter(languages.values())
    return {name: one for name, one in languages.items() if one is not None and times[one] == 1}


def deciding_tiers(record: AdaptationRecord) -> list[Tier]:
    """Where the base and another arm were measured: the final split; before it was touched, the gate and dev."""
    measured = {tier: {arm for arm, _ in record.scores_on(tier)} - {*record.outsiders} for tier in TIERS}
    found = [tier for tier in LATEST_FIRST if BASE in measured[tier] and len(measured[tier]) > 1]
    return found[:1] if found[:1] == ["final"] else found


def last_tier(record: AdaptationRecord, arm: str) -> Tier | None:
    """The last of those tiers on which an arm was measured."""
    return next((tier for tier in deciding_tiers(record) if arm in {name for name, _ in record.scores_on(tier)}), None)


def leader(record: AdaptationRecord) -> str | None:
    """The accepted arm, else the best one on dev that is not the base; None where nothing was measured."""
    if record.accepted is not None:
        return record.accepted
    found = record.scores_on("dev")
    known = [one.name for one in arms_in_order(record) if one.kind != BASE and (one.name, MACRO) in found]
    return max(known, key=lambda name: found[name, MACRO].value, default=None)


def gains(record: AdaptationRecord, tier: Tier, workspace: Path | None = None) -> Gains:
    """The differences to the base of everything that was measured on a tier.

    Args:
        workspace: where values of queries are kept. Without them the winner's average has the interval of its claim,
            and no other difference has one.
    """
    found = record.scores_on(tier)
    deltas = {
        key: ArmGain(key[0], key[1], one.language, one.value - found[BASE, key[1]].value, None, one.queries)
        for key, one in found.items()
        if key[0] != BASE and (BASE, key[1]) in found
    }
    known = _claimed(record, tier, deltas) | _tested(found, workspace)
    return {key: replace(one, difference=known.get(key)) for key, one in deltas.items()}


def corrected(found: Iterable[ArmGain]) -> str:
    """What the p-values of gains were corrected over, in words. An only collection is the average."""
    tested = [(one.collection, one.difference) for one in found if one.difference is not None]
    whole = [one for name, one in tested if name == MACRO]
    parts = {name: one.family for name, one in tested if name != MACRO}
    lent = any(math.isnan(one.greater_p) for one in whole)
    said = ["the average as the claims are" if lent else f"the average over {whole[0].family} arms"] if whole else []
    if len(parts) > 1 or not whole:
        said += [f"a collection over the {max(parts.values())} of its arm"] if parts else []
    return f"p-values corrected by {correction(one.p for one in whole)}: {', '.join(said)}"


def _claimed(record: AdaptationRecord, tier: Tier, deltas: Gains) -> dict[tuple[str, str], Difference]:
    """What the claim against the base says, where it is of the same difference."""
    return {
        (one.winner, MACRO): Difference(
            one.delta, (one.low, one.high), _number(one.p), _number(one.adjusted_p), one.family, float("nan")
        )
        for one in record.claims
        if tier == "final" and one.against == BASE and one.low is not None and one.high is not None
        if (own := deltas.get((one.winner, MACRO))) and abs(own.delta - one.delta) < _ALIKE
    }


@dataclass(frozen=True)
class _Column:
    """As `harness.result.figure.FigureColumn`."""

    collections: tuple[str, ...]
    weights: tuple[float, ...]
    family: str


def _tested(found: Mapping[tuple[str, str], Score], workspace: Path | None) -> dict[tuple[str, str], Difference]:
    """From the values of queries. An average is tested only where every collection has its values."""
    names = list(dict.fromkeys(name for _, name in found if name != MACRO))
    arms = list(dict.fromkeys(arm for arm, _ in found))
    with ExitStack() as stack:
        store = _store(workspace, stack)
        if store is None or not names:
            return {}
        cells = {key: cell for key, one in found.items() if key[1] != MACRO and (cell := _kept(store, one)) is not None}
        votes = shares([_group(store, found.get((BASE, name))) for name in names])
    selection = Selection(arms, names, cells, lambda arm: None if arm == BASE else BASE)
    family = COLLECTIONS if len(names) > 1 else SYSTEMS  # an only collection is the average
    columns = [*(_Column((name,), (1.0,), family) for name in names),
               _Column(tuple(names), tuple(votes.tolist()), SYSTEMS)]  # fmt: skip
    places = [*names, MACRO]
    return {
        (arm, places[place]): one.difference
        for (arm, place), one in figures(selection, columns, ()).items()
        if one.difference is not None
    }


def _store(workspace: Path | None, stack: ExitStack) -> Results | None:
    file = None if workspace is None else workspace / "results.sqlite"
    return stack.enter_context(Results(file)) if file is not None and file.is_file() else None


def _kept(store: Results, score: Score) -> EvaluatedMeasure | None:
    """The values of an arm on a collection; None where they are not kept."""
    try:
        stored = store.find(score.evaluation) if score.evaluation else None
        ids, values = store.per_query(stored.id, score.measure) if stored is not None else ([], None)
    except UsageError:
        return None
    if stored is None or values is None:
        return None
    return EvaluatedMeasure(stored.collection.questions(tuple(ids)), values, stored.candidates)


def _group(store: Results, score: Score | None) -> str | None:
    """The group of a collection, whose members share one vote in an average."""
    try:
        stored = store.find(score.evaluation) if score is not None and score.evaluation else None
    except UsageError:
        return None
    return None if stored is None else stored.collection.group


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
