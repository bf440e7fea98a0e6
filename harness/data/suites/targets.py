"""The suites by name, and what a target such as `beir/scifact` or `mteb/AlloprofReranking` means."""

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
"""The head of a target that names a task as mteb does."""


def suites() -> dict[str, Suite]:
    """Every suite, by name.

    Raises:
        DataError: a table cannot be trusted.
    """
    return {name: _suite(name) for name in suite_names()}


def is_suite_target(target: str) -> bool:
    """Whether `find` is to be asked: the target begins with the name of a suite or with `mteb/`. Reads no table."""
    head, slash, _ = target.partition("/")
    return head in suite_names() or (head == MTEB and bool(slash))


def find(target: str) -> list[SuiteCollection]:
    """The collections of a target, in the order of the table: a suite (`beir`), a collection or a group of one
    (`beir/scifact`, `beir/cqadupstack`), or a task of mteb with all of its splits and subsets or one of them
    (`mteb/WikipediaRerankingMultilingual`, `mteb/WikipediaRerankingMultilingual/de`).

    Raises:
        UsageError: there is none of that name; the message has the nearest ones.
    """
    head, _, rest = target.partition("/")
    if head == MTEB:
        return _of_task(rest)
    if head not in suite_names():
        raise UsageError(f"no suite '{head}'.{_nearest(target)} Available: {', '.join(suite_names())}.")
    return _of_suite(_suite(head), rest, target)


def _of_suite(suite: Suite, name: str, target: str) -> list[SuiteCollection]:
    found = [one for one in suite.collections if name in ("", one.name, one.group)]
    if not found:
        known = dict.fromkeys([*suite.parts, *(one.name for one in suite.collections)])
        raise UsageError(f"no collection '{target}'.{did_you_mean(target, _under(suite.name, known))}")
    return found


def _of_task(rest: str) -> list[SuiteCollection]:
    task, _, part = rest.partition("/")
    everything = [one for suite in suites().values() for one in suite.collections]
    of_task = [one for one in everything if one.mteb.task == task]
    if not of_task:
        known = dict.fromkeys(one.mteb.task for one in everything)
        raise UsageError(f"no task '{task}' of mteb in any suite.{did_you_mean(task, known)}")
    found = [one for one in of_task if part in ("", one.mteb.split, one.mteb.subset)]
    if not found:
        parts = {one.mteb.split for one in of_task} | {one.mteb.subset for one in of_task}
        raise UsageError(f"no split or subset '{part}' of {task}.{did_you_mean(part, parts)}")
    return found


def _nearest(target: str) -> str:
    collections = [one for suite in suites().values() for one in suite.collections]
    same_name = [one.target for one in collections if target in (one.name, one.mteb.task)]
    near = same_name or difflib.get_close_matches(
        target, [*suite_names(), *(one.target for one in collections)], cutoff=0.5
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
        raise DataError(f"{file}: its name is '{suite.name}'; a suite has the name of its file")
    return suite
