"""The estimated cost of a run as a table."""

from __future__ import annotations

from harness.result.stemming import shown_language
from harness.scoring.costs.plan import DIMENSION, Amounts, CollectionCost, RunPlan, rounded
from reports.table import Cell, Table

_GIGABYTE = 1e9


def planning_table(plan: RunPlan) -> Table:
    """One row per collection and a total. Hours are shown for models whose speed is known."""
    timed = _timed(plan)
    columns = ("collection", "language", "queries", "documents", "pairs", "million tokens", "texts GB", "vectors GB")
    rows = [_row(plan, cost.name, _language(cost), cost.amounts, timed) for cost in plan.costs]
    rows.append(_row(plan, "total", "", plan.total, timed))
    return Table(f"what it costs: {_title(plan)}", (*columns, *timed), tuple(rows), tuple(_notes(plan)), left=2)


def _title(plan: RunPlan) -> str:
    count = len(plan.costs)
    scope = f"{count} collection{'' if count == 1 else 's'}, depth {plan.depth}"
    return f"{scope}, {rounded(plan.total.pairs)} pairs for each reranker"


def _timed(plan: RunPlan) -> dict[str, str | None]:
    """The columns of hours: the reranker by title, None for the first stage."""
    timed: dict[str, str | None] = {}
    if plan.search_rate and plan.total.text_tokens:
        timed[f"hours, {plan.first_stage} (first stage)" if plan.first_stage else "hours, first stage"] = None
    return timed | {f"hours, {name}": name for name in plan.rerankers if plan.hours(name) is not None}


def _row(plan: RunPlan, name: str, language: str, amounts: Amounts, timed: dict[str, str | None]) -> tuple[Cell, ...]:
    counts = [f"{count:,}" for count in (amounts.queries, amounts.documents, amounts.pairs)]
    sizes = [f"{amounts.pair_tokens / 1e6:,.1f}", _gigabytes(amounts.text_bytes), _gigabytes(amounts.vector_bytes)]
    hours = [plan.hours(of, amounts) if of else plan.search_hours(amounts) for of in timed.values()]
    return tuple(Cell(text) for text in (name, language, *counts, *sizes, *map(_hours, hours)))


def _language(cost: CollectionCost) -> str:
    return shown_language(*((None, cost.language) if cost.is_detected else (cost.language, None)))


def _notes(plan: RunPlan) -> list[str]:
    unknown = [name for name in plan.rerankers if plan.hours(name) is None]
    notes = [
        plan.warning,
        "pairs and tokens are those of one reranker; pairs that are in the ledger cost nothing",
        "tokens are estimated from average lengths by script, before any truncation; tokenizers differ by half, and "
        "for the scripts of India by a factor of three to five",
        f"texts and vectors: what the workspace will hold; vectors of {DIMENSION} numbers, 4 bytes each",
        f"the speed of {', '.join(unknown)} is unknown" if unknown else None,
        "hours: on this machine" if _timed(plan) else None,
    ]
    return [note for note in notes if note]


def _gigabytes(count: int) -> str:
    if not count:
        return "-"
    return f"{count / _GIGABYTE:,.2f}" if count >= _GIGABYTE / 200 else "< 0.01"


def _hours(hours: float | None) -> str:
    if hours is None:
        return "-"
    return f"{hours:,.2f}" if hours >= 0.005 or not hours else "< 0.01"
