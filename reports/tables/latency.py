"""The table of `harness latency`."""

from __future__ import annotations

from collections.abc import Sequence

from harness.checks.latency import Latency
from harness.numbers import DASH, count, decimal
from harness.result.environment import machine
from reports.table import Cell, Table


def latency_table(spec: str, found: Sequence[Latency]) -> Table:
    """One row per collection, in milliseconds."""
    rows = tuple(tuple(map(Cell, _row(one))) for one in found)
    columns = ("collection", "queries", "candidates", "p50 ms", "p95 ms", "peak MB", "kept with")
    notes = (
        f"the time for the candidates of one query, after a warm-up, on {machine()}",
        "an embedder takes the documents' vectors from its cache, as a service with an index does",
        "kept with: the evaluations of the same reranker, collection and depth that store it, for the plots of cost",
    )
    return Table(f"latency of {spec}", columns, rows, notes)


def _row(one: Latency) -> tuple[str, ...]:
    waited, kept = (decimal(1000 * one.p50), decimal(1000 * one.p95)), ", ".join(one.evaluations) or DASH
    return one.collection, count(one.queries), decimal(one.candidates), *waited, decimal(one.megabytes, 0), kept
