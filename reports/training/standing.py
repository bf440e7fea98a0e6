"""The values of an adaptation's arms on a tier, and their differences to the base."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from harness.measuring.statistics.difference import Difference
from harness.measuring.votes import shares
from harness.result.adaptation.record import AdaptationRecord, ArmRecord, Score
from harness.result.adaptation.vocabulary import BASE, KINDS, MACRO, TIERS, Tier
from harness.result.figure import COLLECTIONS, SYSTEMS, Figure, Selection, figures
from harness.result.result import Result
from harness.result.store import Results
from reports.training.told import correction

Interval = tuple[float, float]
LATEST_FIRST: tuple[Tier, ...] = ("final", "gate", "dev")
"""The tiers of the target, the most reliable first."""
_ALIKE = 5e-5
"""Values closer than this print alike."""


@dataclass(frozen=True)
class ArmGain:
    """The difference between an arm and the base. Fractions."""

    arm: str
    collection: str
    """`macro average` for all collections of the tier."""
    language: str | None
    delta: float
    difference: Difference | None
    """The difference with its interval and test. An average is corrected over the arms, a collection over the
    collections of its arm. None if the values of queries are not stored."""
    queries: int

    @property
    def interval(self) -> Interval | None:
        """The 95 % interval; None if it is unknown."""
        return Figure(difference=self.difference).delta_interval

    @property
    def sure(self) -> int:
        """1 for a significant gain, -1 for a significant loss, otherwise 0."""
        if self.difference is None or not self.difference.significant:
            return 0
        return 1 if self.difference.value > 0 else -1


Gains = Mapping[tuple[str, str], ArmGain]
"""By arm and collection."""


def arms_in_order(record: AdaptationRecord) -> list[ArmRecord]:
    """The arms in the order of the tables: the base, trained arms, merged arms."""
    return sorted(record.arms, key=lambda one: KINDS.index(one.kind))


def measured_tiers(record: AdaptationRecord) -> list[Tier]:
    """The tiers with scores."""
    return [tier for tier in TIERS if record.scores_on(tier)]


def collections(record: AdaptationRecord, tier: Tier) -> dict[str, str | None]:
    """The languages of the collections of a tier by name, in the order of the record, without the macro average."""
    return {one.collection: one.language for (_, name), one in record.scores_on(tier).items() if name != MACRO}


def own_languages(languages: Mapping[str, str | None]) -> dict[str, str]:
    """The collections that can be named by their language, because no other collection has it."""
    times = Counter(languages.values())
    return {name: one for name, one in languages.items() if one is not None and times[one] == 1}


def deciding_tiers(record: AdaptationRecord) -> list[Tier]:
    """The tiers on which the base and another arm were measured: final alone, or gate and dev if final was not used."""
    measured = {tier: {arm for arm, _ in record.scores_on(tier)} - {*record.outsiders} for tier in TIERS}
    tiers = [tier for tier in LATEST_FIRST if BASE in measured[tier] and len(measured[tier]) > 1]
    return tiers[:1] if tiers[:1] == ["final"] else tiers


def last_tier(record: AdaptationRecord, arm: str) -> Tier | None:
    """The first of `deciding_tiers` on which an arm was measured; None if there is none."""
    return next((tier for tier in deciding_tiers(record) if arm in {name for name, _ in record.scores_on(tier)}), None)


def leader(record: AdaptationRecord) -> str | None:
    """The accepted arm, or the best arm on dev other than the base; None if nothing was measured."""
    if record.accepted is not None:
        return record.accepted
    scores = record.scores_on("dev")
    arms = [one.name for one in arms_in_order(record) if one.kind != BASE and (one.name, MACRO) in scores]
    return max(arms, key=lambda name: scores[name, MACRO].value, default=None)


def gains(record: AdaptationRecord, tier: Tier, workspace: Path | None = None) -> Gains:
    """The differences to the base of all arms on a tier.

    Args:
        record: the record of the adaptation.
        tier: the tier.
        workspace: the workspace with the values of queries. Default: None. Then the winner's average has the interval
            of its claim, and no other difference has an interval.
    """
    scores = record.scores_on(tier)
    deltas = {
        key: ArmGain(key[0], key[1], one.language, one.value - scores[BASE, key[1]].value, None, one.queries)
        for key, one in scores.items()
        if key[0] != BASE and (BASE, key[1]) in scores
    }
    differences = _claimed(record, tier, deltas) | _tested(scores, workspace)
    return {key: replace(one, difference=differences.get(key)) for key, one in deltas.items()}


def corrected(found: Iterable[ArmGain]) -> str:
    """A phrase with what the p-values of the gains were corrected over. A single collection counts as the average."""
    tested = [(one.collection, one.difference) for one in found if one.difference is not None]
    whole = [one for name, one in tested if name == MACRO]
    parts = {name: one.family for name, one in tested if name != MACRO}
    from_claim = any(math.isnan(one.greater_p) for one in whole)
    over = (
        ["the average with the claims" if from_claim else f"the average over {whole[0].family} arms"] if whole else []
    )
    if len(parts) > 1 or not whole:
        over += [f"a collection over the {max(parts.values())} of its arm"] if parts else []
    return f"p-values corrected by {correction(one.p for one in whole)}: {', '.join(over)}"


def _claimed(record: AdaptationRecord, tier: Tier, deltas: Gains) -> dict[tuple[str, str], Difference]:
    """The difference in the claim against the base, if it is the same as the one in the scores."""
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
    """See `harness.result.figure.FigureColumn`."""

    collections: tuple[str, ...]
    weights: tuple[float, ...]
    family: str


def _tested(scores: Mapping[tuple[str, str], Score], workspace: Path | None) -> dict[tuple[str, str], Difference]:
    """Differences tested on the values of queries. An average is tested only if all collections have their values."""
    names = list(dict.fromkeys(name for _, name in scores if name != MACRO))
    arms = list(dict.fromkeys(arm for arm, _ in scores))
    with ExitStack() as stack:
        store = _store(workspace, stack)
        if store is None or not names:
            return {}
        cells = {
            key: cell for key, one in scores.items() if key[1] != MACRO and (cell := _stored(store, one)) is not None
        }
    bases = [cells.get((BASE, name)) for name in names]
    votes = shares([one.collection.group if one else None for one in bases])
    selection = Selection(arms, names, cells, lambda arm: None if arm == BASE else BASE)
    family = COLLECTIONS if len(names) > 1 else SYSTEMS  # a single collection is the average
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


def _stored(store: Results, score: Score) -> Result | None:
    """The values of an arm on a collection; None if they are not stored."""
    found = store.results([score.evaluation]) if score.evaluation else []
    return next((one for one in found if one.measure == score.measure and len(one.values)), None)


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
