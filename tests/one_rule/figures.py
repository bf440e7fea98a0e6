"""The figures that each verb prints of a store, read back and named alike."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.numbers import probability
from harness.result.evaluation import Evaluation
from reports.tables.run_values import as_dict
from tests.fixtures import Command
from tests.one_rule.store import BASE
from tests.tiny_collection import results_in

SYSTEMS, FEW = 60, 7
MEASURES = ("nDCG@10", "p-MRR")
MACRO = ""
KEYS = ("value", "interval", "delta", "delta_interval", "p", "adjusted_p", "family")
Key = tuple[str, str, str]
"""Measure, system, and what it is on: a collection, a suite, a group, or `MACRO`."""
Figures = dict[Key, dict[str, Any]]


@dataclass(frozen=True)
class Kept:
    """A store, and the run that filled it."""

    workspace: Path
    evaluations: list[Evaluation]

    @property
    def rerankers(self) -> list[str]:
        """Without the imported one."""
        return [name for name in dict.fromkeys(one.system.label for one in self.evaluations) if name != BASE]


def of_run(evaluations: list[Evaluation]) -> Figures:
    said: Any = json.loads(json.dumps(as_dict(results_in(evaluations)), allow_nan=False))
    names = {one["fingerprint"]: one["name"] for one in said["collections"]}
    found: Figures = {}
    for one in said["evaluations"]:
        for measure, figure in {**one["measures"], **one.get("paired", {})}.items():
            found[measure, one["system"], names[one["collection"]]] = figure
    for macro in (said["macro"], said["macro_paired"]):
        found |= {(measure, name, MACRO): one for name, own in macro.items() for measure, one in own.items()}
    return found


def of_report(command: Command, workspace: Path) -> tuple[Figures, Figures]:
    """By collection and by language."""
    said = json.loads(command("report", "--intervals", "--json", "--workspace", workspace).out)
    found: dict[str, Figures] = {"collection": {}, "language": {}}
    for table in said["tables"]:
        for one in table["rows"]:
            within = one["suite"] or ""
            whole = f"{within}/{one['column']}".strip("/")
            on = MACRO if not within and one["average"] else within if one["average"] else whole
            found[table["by"]][table["measure"], one["system"], on] = one
    return found["collection"], found["language"]


def of_comparison(said: Any, kind: str) -> Figures:
    """One kind of rows of the JSON of `harness compare`, named as a run names them."""
    found: Figures = {}
    for measure, systems in said["measures"].items():
        for system, own in systems.items():
            for name, one in ({MACRO: own[kind]} if kind == "macro" else own[kind]).items():
                found[measure, system, name] = {
                    "value": one["candidate"], "delta": one["delta"], "delta_interval": one["interval"],
                    "p": one["p"], "adjusted_p": one["adjusted_p"], "family": one["family"],
                }  # fmt: skip
    return found


def compared(command: Command, kept: Kept, *systems: str) -> Any:
    said = [
        json.loads(command("compare", BASE, *systems, "--measure", one, "--json", "--workspace", kept.workspace).out)
        for one in MEASURES
    ]
    return {"measures": {name: one["measures"][name] for name, one in zip(MEASURES, said, strict=True)}}


def assert_same(ours: Mapping[str, Any], theirs: Mapping[str, Any], where: object, *leave_out: str) -> None:
    for key in KEYS:
        if key in leave_out or key not in ours or key not in theirs:
            continue
        expected = theirs[key]
        assert ours[key] == (None if expected is None else pytest.approx(expected, rel=1e-9, abs=1e-12)), (where, key)


def significant(figure: Mapping[str, Any]) -> bool:
    return figure["adjusted_p"] is not None and figure["adjusted_p"] <= 0.05


def printed_by_compare(one: Mapping[str, Any]) -> Iterator[str]:
    yield signed(one["delta"]) + ("*" if significant(one) else "")
    yield bracketed(one["delta_interval"])
    yield probability(one["p"])
    yield probability(one["adjusted_p"])


def unsigned(value: float) -> str:
    return f"{100 * value:.2f}"


def signed(value: float) -> str:
    return f"{100 * value:+z.2f}"


def bracketed(interval: tuple[float, float] | None) -> str:
    return "-" if interval is None else f"[{signed(interval[0])}, {signed(interval[1])}]"


def marked(one: Mapping[str, Any]) -> str:
    return signed(one["delta"]) + (("↑" if one["delta"] > 0 else "↓") if significant(one) else "")
