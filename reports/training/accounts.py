"""Tables that account for an adaptation: claims, looks, the data of its tasks, what was done when and for how long."""

from __future__ import annotations

from collections.abc import Sequence

from harness.result.adaptation.record import Record
from harness.result.adaptation.vocabulary import STAGES
from reports.numbers import bracketed, probability, signed
from reports.table import Cell, Table
from reports.training.told import HYPHEN, correction, duration, joined

UNSTATED = "not stated"


def claims_table(record: Record) -> Table:
    """What was tested on the final split, and whether it holds."""
    columns = ("claim", "winner", "against", "Δ", "95 %", "p", "adjusted p", "holds")
    rows = [
        (one.claim, one.winner, one.against, signed(one.delta), _interval(one.low, one.high),
         probability(one.p), probability(one.adjusted_p), "yes" if one.holds else "no")
        for one in record.claims
    ]  # fmt: skip
    notes = (
        f"{record.measure} x 100 on the final split; interval and p: paired randomisation over questions",
        f"adjusted p: corrected over these {len(rows)} claims ({correction(one.p for one in record.claims)})",
    )
    return _table("claims", columns, rows, notes, left=3)


def looks_table(record: Record) -> Table:
    """Every look at the queries of a tier, as the ledger of looks has it."""
    columns = ("look", "tier", "candidate", "anchor", "verdict", "better", "Δ", "interval", "alpha")
    rows = [
        (one.id, one.tier, one.candidate, one.anchor, one.verdict, "yes" if one.better else "no", signed(one.delta),
         _interval(one.low, one.high), f"{one.alpha:.4g}")
        for one in record.looks
    ]  # fmt: skip
    notes = (
        f"{record.measure} x 100; alpha: what the look spent; a look at dev spends nothing and decides nothing",
        "pass: no loss beyond the margin; better: a gain beyond chance. A candidate is kept only if it is both",
    )
    return _table("looks", columns, rows, notes, left=6)


def tasks_table(record: Record) -> Table:
    """The data of every task, and who labelled it."""
    counted = ("queries", "removed as leak", "pairs", "examples")
    columns = ("task", "corpus", "profile", "teacher", "licence", "validation", *counted)
    teacher = joined([one.spec for one in record.teachers])
    licence = joined(list(dict.fromkeys(one.stated_licence or UNSTATED for one in record.teachers)))
    rows = [
        (one.name, one.corpus, one.profile, teacher, licence, one.validated or HYPHEN,
         *(f"{count:,}" for count in (one.queries, one.removed_as_leak, one.pairs, one.examples)))
        for one in record.tasks
    ]  # fmt: skip
    notes = (
        "removed as leak: a synthetic query that is, exactly or nearly, an evaluation query; it is not among the "
        "queries; pairs: what the teacher scored",
        "validation: the queries beside the real ones of dev; it stops nothing here, the gate decides",
    )
    return _table("tasks", columns, rows, notes, left=6)


def timeline_table(record: Record) -> Table:
    """What was done, in the order of time."""
    columns = ("stage", "name", "state", "what", "after", "took")
    rows = [
        (one.stage, one.name, one.state, one.detail, duration(one.at), duration(one.seconds))
        for one in sorted(record.timeline, key=lambda one: one.at)
    ]
    known = any(one.state == "known" for one in record.timeline)
    return _table("timeline", columns, rows, ("known: it was there already",) if known else (), left=4)


def cost_table(record: Record) -> Table:
    """Seconds by stage."""
    own = {stage: [one for one in record.timeline if one.stage == stage] for stage in STAGES}
    whole = sum(one.seconds for one in record.timeline)
    rows = [
        (stage, f"{len(events):,}", duration(spent), f"{spent / whole:.1%}" if whole else HYPHEN)
        for stage, events in own.items()
        if events and (spent := sum(one.seconds for one in events)) >= 0
    ]
    notes = ("share: of the time that stages took; loading and waiting between them is not in it",)
    return _table("cost", ("stage", "times", "took", "share"), rows, notes, left=1)


def _interval(low: float | None, high: float | None) -> str:
    return HYPHEN if low is None or high is None else bracketed((low, high), signed)


def _table(
    title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]], notes: tuple[str, ...], *, left: int
) -> Table:
    return Table(title, columns, tuple(tuple(Cell(text) for text in row) for row in rows), notes, left=left)
