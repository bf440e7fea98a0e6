"""Tables of an adaptation: claims, looks, the data of its tasks, the timeline and the cost."""

from __future__ import annotations

from collections.abc import Sequence

from harness.numbers import probability, share, signed, signed_interval
from harness.result.adaptation.record import AdaptationRecord, TaskRow
from harness.result.adaptation.vocabulary import STAGES
from reports.table import Cell, Table
from reports.training.told import HYPHEN, correction, duration, joined

UNSTATED = "not stated"


def claims_table(record: AdaptationRecord) -> Table:
    """The claims that were tested on the final split, and whether they hold."""
    columns = ("claim", "winner", "against", "Δ", "95 %", "p", "adjusted p", "holds")
    rows = [
        (one.claim, one.winner, one.against, signed(one.delta), signed_interval((one.low, one.high)),
         probability(one.p), probability(one.adjusted_p), "yes" if one.holds else "no")
        for one in record.claims
    ]  # fmt: skip
    notes = (
        f"{record.measure} x 100 on the final split; interval and p: paired randomisation over questions",
        f"adjusted p: corrected over these {len(rows)} claims ({correction(one.p for one in record.claims)})",
    )
    return _table("claims", columns, rows, notes, left=3)


def looks_table(record: AdaptationRecord) -> Table:
    """The looks at the queries of each tier."""
    columns = ("look", "tier", "candidate", "anchor", "verdict", "better", "Δ", "interval", "alpha")
    rows = [
        (one.id, one.tier, one.candidate, one.anchor, one.verdict, "yes" if one.better else "no", signed(one.delta),
         signed_interval((one.low, one.high)), f"{one.alpha:.4g}")
        for one in record.looks
    ]  # fmt: skip
    notes = (
        f"{record.measure} x 100; alpha: the error level that the look spent; a look at dev spends none and decides "
        "nothing",
        "pass: no loss beyond the margin; better: a significant gain. A candidate is kept only if both hold",
    )
    return _table("looks", columns, rows, notes, left=6)


def tasks_table(record: AdaptationRecord) -> Table:
    """The data of every task and the teachers that scored it."""
    counted = ("queries", "removed as leak", "pairs", "examples")
    columns = ("task", "corpus", "profile", "teacher", "licence", "validation", *counted)
    teacher = joined([one.spec for one in record.teachers])
    licence = joined(list(dict.fromkeys(one.stated_licence or UNSTATED for one in record.teachers)))
    rows = [
        (one.name, one.corpus, one.profile, teacher, licence, _validated(one),
         *(f"{count:,}" for count in (one.queries, one.removed_as_leak, one.pairs, one.examples)))
        for one in record.tasks
    ]  # fmt: skip
    notes = (
        "removed as leak: synthetic queries that equal or resemble an evaluation query, not counted as queries; pairs: "
        "query-document pairs that the teacher scored",
        "validation: the queries compared with the real ones of dev; nothing was trained on a task that is left out",
    )
    return _table("tasks", columns, rows, notes, left=6)


def _validated(one: TaskRow) -> str:
    return f"{one.validated or HYPHEN}{', left out' if one.left_out else ''}"


def timeline_table(record: AdaptationRecord) -> Table:
    """The steps of the adaptation in order of time."""
    columns = ("stage", "name", "state", "what", "after", "took")
    rows = [
        (one.stage, one.name, one.state, one.detail, duration(one.at), duration(one.seconds))
        for one in sorted(record.timeline, key=lambda one: one.at)
    ]
    known = any(one.state == "known" for one in record.timeline)
    return _table("timeline", columns, rows, ("known: the result existed already",) if known else (), left=4)


def cost_table(record: AdaptationRecord) -> Table:
    """Seconds by stage."""
    own = {stage: [one for one in record.timeline if one.stage == stage] for stage in STAGES}
    whole = sum(one.seconds for one in record.timeline)
    rows = [
        (stage, f"{len(events):,}", duration(spent), share(spent / whole) if whole else HYPHEN)
        for stage, events in own.items()
        if events and (spent := sum(one.seconds for one in events)) >= 0
    ]
    notes = ("share: of the total time of all stages, without loading and waiting between them",)
    return _table("cost", ("stage", "times", "took", "share"), rows, notes, left=1)


def _table(
    title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]], notes: tuple[str, ...], *, left: int
) -> Table:
    return Table(title, columns, tuple(tuple(Cell(text) for text in row) for row in rows), notes, left=left)
