"""Tables of the arms and of their gains over the base."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from harness.numbers import points, signed, signed_interval
from harness.result.adaptation.record import AdaptationRecord, ArmRecord, Score
from harness.result.adaptation.vocabulary import ANCHOR, BASE, FIRST_STAGE, MACRO, TIERS, Tier
from reports import marks, rule
from reports.table import Cell, Kind, Table
from reports.training.standing import (
    ArmGain,
    Gains,
    arms_in_order,
    collections,
    corrected,
    deciding_tiers,
    gains,
    measured_tiers,
    own_languages,
)
from reports.training.told import HYPHEN, joined, made_of, value

ACCEPTED = "✓"
_NOTES = {
    ACCEPTED: "accepted",
    marks.BETTER: "above the base: the corrected p-value is at most 0.05",
    marks.WORSE: "below the base, likewise",
}
_WITH_INTERVALS = 4
"""With more columns, only the average shows its interval."""


def arms_table(record: AdaptationRecord) -> Table:
    """A row per arm, a column per tier. The first rows are the first stage and the teacher, which are not arms."""
    tiers = measured_tiers(record)
    found = {tier: record.scores_on(tier) for tier in tiers}
    best = {tier: _best(record, found[tier]) for tier in tiers}
    rows: list[tuple[Cell, ...]] = []
    for name, made in _outsiders(record):
        rows.append((Cell(name), Cell(made), *(Cell(value(found[tier].get((name, MACRO)))) for tier in tiers)))
    for arm in arms_in_order(record):
        cells = [_cell(found[tier].get((arm.name, MACRO)), best[tier]) for tier in tiers]
        rows.append((_named(record, arm.name), Cell(made_of(record, arm)), *cells))
    return Table(
        f"arms: {record.measure}", ("arm", "made of", *tiers), tuple(rows), tuple(_arm_notes(record, tiers)), left=2,
        kinds=_kinds(record), footnotes=marks.footnotes(rows, (), _NOTES),
    )  # fmt: skip


def gain_tables(record: AdaptationRecord, workspace: Path | None = None) -> list[Table]:
    """The gains of all arms over the base, on the deciding tiers and on the source domain, which shows forgetting."""
    made = [(tier, gains(record, tier, workspace)) for tier in (*deciding_tiers(record), "source")]
    return [_gain_table(record, tier, found) for tier, found in made if found]


def column_names(languages: Mapping[str, str | None]) -> dict[str, str]:
    """The headings of collections: the language if no other collection has it, otherwise the name."""
    own = own_languages(languages)
    return {name: own.get(name, name) for name in languages}


def _gain_table(record: AdaptationRecord, tier: Tier, found: Gains) -> Table:
    names = column_names(collections(record, tier))
    wanted = [MACRO, *names] if len(names) > 1 else list(names)
    arms = [*record.outsiders, *(one.name for one in arms_in_order(record) if one.name != BASE)]
    rows = [
        (_named(record, arm), *(_gain(found.get((arm, name)), name == MACRO or len(wanted) <= _WITH_INTERVALS)
                                for name in wanted))
        for arm in arms
        if any((arm, name) in found for name in wanted)
    ]  # fmt: skip
    return Table(
        f"differences to the base: {record.measure}, {tier}",
        ("arm", *(names.get(name, name) for name in wanted)),
        tuple(rows),
        tuple(_gain_notes(record, found)),
        footnotes=marks.footnotes(rows, (), _NOTES),
    )


def _gain(gain: ArmGain | None, with_interval: bool) -> Cell:
    if gain is None:
        return Cell(HYPHEN)
    mark = {1: (marks.BETTER,), -1: (marks.WORSE,)}.get(gain.sure, ())
    interval = f" {signed_interval(gain.interval)}" if with_interval and gain.interval else ""
    return Cell(signed(gain.delta) + interval, marks=mark)


def _gain_notes(record: AdaptationRecord, found: Gains) -> Iterator[str]:
    yield f"{record.measure} x 100, minus the value of the base on the same candidates"
    if any(one.interval for one in found.values()):
        yield "[low, high]: 95 % interval of the difference"
    tested = [one for one in found.values() if one.difference is not None]
    if tested:
        yield f"differences to the base: {rule.TEST}; {corrected(tested)}"
        yield rule.UNIT
    if len(tested) < len(found):
        yield "a difference without an interval is not tested: the workspace does not have the values of its queries"


def _named(record: AdaptationRecord, arm: str) -> Cell:
    return Cell(arm, marks=(ACCEPTED,) if arm == record.accepted else ())


def _outsiders(record: AdaptationRecord) -> Iterator[tuple[str, str]]:
    anchors = dict.fromkeys(one.anchor for one in record.looks)
    made = {FIRST_STAGE: f"{record.first_stage}, top {record.depth}", ANCHOR: joined(list(anchors))}
    made |= {name: one.spec for name, one in record.teacher_arms.items()}
    yield from ((name, made[name]) for name in record.outsiders)


def _kinds(record: AdaptationRecord) -> tuple[Kind, ...]:
    outside: list[Kind] = ["first stage" if name == FIRST_STAGE else "system" for name, _ in _outsiders(record)]
    inside: list[Kind] = ["system"] * len(record.arms)
    return (*outside, *inside)


def _cell(score: Score | None, best: Sequence[str]) -> Cell:
    place = best.index(points(score.value)) if score and points(score.value) in best else None
    return Cell(value(score), strong=place == 0, second=place == 1)


def _best(record: AdaptationRecord, found: Mapping[tuple[str, str], Score]) -> list[str]:
    """The two highest values of arms as printed; empty with fewer than two different values."""
    values = [found[arm.name, MACRO].value for arm in record.arms if (arm.name, MACRO) in found]
    printed = list(dict.fromkeys(points(one) for one in sorted(values, reverse=True)))
    return printed[:2] if len(printed) > 1 else []


def _arm_notes(record: AdaptationRecord, tiers: Sequence[Tier]) -> Iterator[str]:
    if not tiers:
        yield "nothing was measured yet"
        return
    yield (
        f"{record.measure} x 100; [low, high]: 95 % bootstrap interval over queries; bold: the best arm of its column, "
        "underlined: the second best"
    )
    for tier in tiers:
        names = collections(record, tier)
        scope = f"macro average of {len(names)} collections" if len(names) > 1 else joined(list(names))
        yield f"{tier}: {scope}, {_queries(record, tier)}{_measures(record, tier)}"
    if missing := [tier for tier in TIERS if tier not in tiers]:
        yield f"not measured: {joined(missing)}"
    once = "; the final split was used only once" if "final" in tiers else ""
    yield f"the best on dev was chosen among many, so its value is optimistic{once}"
    yield from _merged(record.arms)


def _queries(record: AdaptationRecord, tier: Tier) -> str:
    counts = {one.queries for (_, name), one in record.scores_on(tier).items() if name == MACRO}
    return f"{max(counts):,} queries" if counts else "without an average"


def _measures(record: AdaptationRecord, tier: Tier) -> str:
    """The measures of a tier if they are not the record's."""
    own = dict.fromkeys(one.measure for (_, name), one in record.scores_on(tier).items() if name != MACRO)
    return "" if list(own) in ([record.measure], []) else f", measured by {joined(list(own))}"


def _merged(arms: Sequence[ArmRecord]) -> Iterator[str]:
    """The parts of merges of three or more checkpoints, each list once."""
    lists: dict[tuple[str, ...], list[str]] = {}
    for arm in arms:
        if len(arm.parts) > 2:
            lists.setdefault(arm.parts, []).append(arm.name)
    yield from (f"{joined(names)}: of {joined(list(parts))}" for parts, names in lists.items())
