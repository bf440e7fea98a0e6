"""The page of `harness why`: one HTML file that needs no server and no network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from adapters.errors import UsageError, class_of
from harness.judging.why.analysis import Why
from harness.judging.why.stored import Found
from harness.numbers import count, signed, signed_interval
from harness.result.select import depth_of
from harness.result.stored import Stored
from harness.workspace import write_atomically
from reports.one_file import filled
from reports.table import Cell, Table
from reports.why_data import page_data


def why_data(found: Found, why: Why, shown: int) -> dict[str, Any]:
    """The content of the page as plain JSON. Values are fractions.

    Args:
        found: the stored evaluations of both systems.
        why: the analysis.
        shown: the number of queries whose documents are included: those that moved most.
    """
    return {
        "a": {"name": found.a, "ids": [one.id for one, _ in found.evaluations]},
        "b": {"name": found.b, "ids": [one.id for _, one in found.evaluations]},
        "stages": list(dict.fromkeys(_stage(one) for pair in found.evaluations for one in pair)),
        "notes": list(found.notes),
        **page_data(why, shown),
    }


def summary(data: Mapping[str, Any]) -> dict[str, Any]:
    """The page without queries and documents: the figures of all queries and of groups."""
    left_out = ("queries", "details", "documents", "limits")
    return {key: value for key, value in data.items() if key not in left_out}


def groups_table(data: Mapping[str, Any]) -> Table:
    """The groups of queries, those that explain most first. The title is the headline of the page."""
    columns = ("queries", "number", "B - A", "95 % interval", "all others", "could be chance")
    rows = tuple(tuple(map(Cell, _group(one))) for one in data["groups"])
    notes = (
        f"A: {data['a']['name']}; B: {data['b']['name']}",
        f"{', '.join(data['measures'])} x 100, means of B minus A; groups overlap",
        *data["notes"],
    )
    return Table(str(data["headline"]), columns, rows, notes)


def page(data: Mapping[str, Any]) -> str:
    """The page as HTML."""
    texts = {"title": f"{data['a']['name']} against {data['b']['name']}", "headline": str(data["headline"])}
    return filled("why", data, **texts, a=str(data["a"]["name"]), b=str(data["b"]["name"]))


def write_page(data: Mapping[str, Any], out: Path) -> None:
    """Write the page atomically.

    Raises:
        UsageError: the file cannot be written.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with write_atomically(out) as unfinished:
            unfinished.write_text(page(data), "utf-8", "replace")
    except OSError as error:
        raise class_of(error, UsageError)(f"--out {out}: no file can be written there ({error.strerror})") from None


def _group(one: Mapping[str, Any]) -> tuple[str, ...]:
    figures = signed(one["mean"]), signed_interval(one["interval"]), signed(one["rest"])
    return one["phrase"], count(one["queries"]), *figures, "" if one["stands_out"] else "yes"


def _stage(stored: Stored) -> str:
    depth = depth_of(stored)
    return stored.first_stage if depth is None else f"{stored.first_stage}, depth {depth}"
