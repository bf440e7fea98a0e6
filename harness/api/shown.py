"""What the results of all calls have in common: tables as Markdown and HTML, and values looked up by name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from adapters.errors import UsageError, did_you_mean
from harness.numbers import plural

if TYPE_CHECKING:
    from reports.table import Table

T = TypeVar("T")
_SHOWN = 3
"""How many names of a kind a `repr` lists."""
_DIGITS = 6
"""The fewest digits of an id or a fingerprint that name something."""


class Shown(ABC):
    """A result that can be printed. Values are fractions; tables show points (fractions x 100)."""

    @property
    def alarms(self) -> tuple[str, ...]:
        """The alarms, as the command line prints them: whatever should keep you from trusting a number."""
        return ()

    @abstractmethod
    def tables(self) -> list[Table]:
        """Return the tables that the command line prints."""

    def table(self) -> str:
        """Return the tables as Markdown."""
        from reports.table import markdown

        return "\n".join(map(markdown, self.tables()))

    def _repr_html_(self) -> str:
        from reports.html import html_table
        from reports.table import Cell, Table

        alarms = tuple((Cell(alarm),) for alarm in self.alarms)
        shown = [*self.tables(), *([Table("Alarms", ("alarm",), alarms)] if alarms else [])]
        return "".join(map(html_table, shown))


def short(kind: str, *parts: str) -> str:
    """Return a `repr` of one line."""
    return f"{kind}({'; '.join(part for part in parts if part)})"


def listed(what: str, names: Iterable[str]) -> str:
    """Return the number of names and the first few of them."""
    known = list(names)
    shown = ", ".join(map(repr, known[:_SHOWN])) + (", ..." if len(known) > _SHOWN else "")
    return f"{plural(what, len(known))}: {shown}" if known else ""


def chosen(what: str, asked: str | None, known: Mapping[str, T]) -> T:
    """Return the value with a name; without a name, the only value.

    Raises:
        UsageError: the name is unknown, or no name was given and there are several values.
    """
    if asked is None and len(known) == 1:
        return next(iter(known.values()))
    if asked is None:
        raise UsageError(f"name a {what}: {', '.join(known) or 'there are none'}")
    if asked not in known:
        raise UsageError(f"no {what} {str(asked)!r} here.{did_you_mean(str(asked), known)}")
    return known[asked]


def measure_of(asked: str | None, known: Sequence[str]) -> str:
    """Return a measure given in any spelling, such as `ndcg@10` for `nDCG@10`; without a name, the only measure.

    Raises:
        UsageError: the measure is unknown, or was not measured.
    """
    from harness.judging.compare.comparison import canonical

    return chosen("measure", None if asked is None else canonical(str(asked)), {name: name for name in known})


def named(what: str, asked: str | None, known: Sequence[tuple[str, Sequence[str], T]]) -> T:
    """Return the value with a name, or with the first digits of an id or a fingerprint; without a name, the only one.

    Args:
        known: the name, the ids or fingerprints, and the value of each.

    Raises:
        UsageError: no value matches, or several do.
    """
    found = [one for one in known if asked == one[0]]
    if not found and len(str(asked)) >= _DIGITS:
        found = [one for one in known if any(id.startswith(str(asked)) for id in one[1])]
    if len(found) == 1:
        return found[0][2]
    if found:
        digits = ", ".join(ids[0][:12] for _, ids, _ in found if ids)
        raise UsageError(f"{len(found)} {what}s are named {asked!r}; give the first digits of one: {digits}")
    if asked is None and len(known) > 1:
        raise UsageError(f"name a {what}: {', '.join(dict.fromkeys(name for name, _, _ in known))}")
    return chosen(what, asked, {name: value for name, _, value in known})
