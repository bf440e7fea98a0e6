"""The suites by name, and the collections of a target such as `beir/scifact` or `mteb/AlloprofReranking`."""

from __future__ import annotations

import difflib
import importlib.resources
from collections.abc import Iterable
from functools import cache

from adapters.errors import DataError, UsageError, did_you_mean
from harness.data.suites.table import (
    PAIRED_MEASURE,
    AverageCharacters,
    BeirName,
    MtebName,
    Suite,
    SuiteCollection,
    SuiteCounts,
    read_suite,
)

__all__ = [
    "MTEB",
    "PAIRED_MEASURE",
    "AverageCharacters",
    "BeirName",
    "MtebName",
    "Suite",
    "SuiteCollection",
    "SuiteCounts",
    "find",
    "is_suite_target",
    "suite_names",
    "suites",
]

MTEB = "mteb"
"""The prefix of a target that is a task of mteb."""


def suites() -> dict[str, Suite]:
    """Every suite, by name.

    Raises:
        DataError: a table is not valid.
    """
    return {name: _suite(name) for name in suite_names()}


def is_suite_target(target: str) -> bool:
    """Whether a target is one for `find`: it begins with the name of a suite or with `mteb/`. Reads no table."""
    head, slash, _ = target.partition("/")
    return head in suite_names() or (head == MTEB and bool(slash))


def find(target: str) -> list[SuiteCollection]:
    """Return the collections of a target, in the order of the table.

    A target is a suite (`beir`), a collection or a group of a suite (`beir/scifact`, `beir/cqadupstack`), or a task of
    mteb with all of its splits and subsets or one of them (`mteb/WikipediaRerankingMultilingual`,
    `mteb/WikipediaRerankingMultilingual/de`).

    Raises:
        UsageError: the target is unknown; the message names similar ones.
    """
    head, _, rest = target.partition("/")
    if head == MTEB:
        return _of_task(rest)
    if head not in suite_names():
        raise UsageError(f"no suite '{head}'.{_nearest(target)} Available: {', '.join(suite_names())}.")
    return _of_suite(_suite(head), rest, target)


def _of_suite(suite: Suite, name: str, target: str) -> list[SuiteCollection]:
    found = [each for each in suite.collections if name in ("", each.name, each.group)]
    if not found:
        known = dict.fromkeys([*suite.parts, *(each.name for each in suite.collections)])
        raise UsageError(f"no collection '{target}'.{did_you_mean(target, _under(suite.name, known))}")
    return found


def _of_task(rest: str) -> list[SuiteCollection]:
    task, _, part = rest.partition("/")
    entries = [entry for suite in suites().values() for entry in suite.collections]
    of_task = [entry for entry in entries if entry.mteb.task == task]
    if not of_task:
        known = dict.fromkeys(entry.mteb.task for entry in entries)
        raise UsageError(f"no task '{task}' of mteb in any suite.{did_you_mean(task, known)}")
    found = [entry for entry in of_task if part in ("", entry.mteb.split, entry.mteb.subset)]
    if not found:
        parts = {entry.mteb.split for entry in of_task} | {entry.mteb.subset for entry in of_task}
        raise UsageError(f"no split or subset '{part}' of {task}.{did_you_mean(part, parts)}")
    return found


def _nearest(target: str) -> str:
    entries = [entry for suite in suites().values() for entry in suite.collections]
    same_name = [entry.target for entry in entries if target in (entry.name, entry.mteb.task)]
    near = same_name or difflib.get_close_matches(
        target, [*suite_names(), *(entry.target for entry in entries)], cutoff=0.5
    )
    return f" Did you mean {', '.join(near[:3])}?" if near else ""


def _under(suite: str, names: Iterable[str]) -> list[str]:
    return [f"{suite}/{name}" for name in names]


@cache
def suite_names() -> tuple[str, ...]:
    """The names of all suites. Reads no table."""
    tables = importlib.resources.files("harness.data").joinpath("suites").iterdir()
    return tuple(sorted(table.name.removesuffix(".toml") for table in tables if table.name.endswith(".toml")))


@cache
def _suite(name: str) -> Suite:
    file = f"suites/{name}.toml"
    table = importlib.resources.files("harness.data").joinpath(file)
    suite = read_suite(table.read_text("utf-8"), file)
    if suite.name != name:
        raise DataError(f"{file}: its name is '{suite.name}'; a suite must have the name of its file")
    return suite
