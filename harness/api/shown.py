"""What every answer of the Python interface has: tables as Markdown and HTML, and values that are looked up by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from adapters.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from reports.table import Table

T = TypeVar("T")
_SHOWN = 3
"""Names of a kind that a `repr` lists."""
_DIGITS = 6
"""Of a fingerprint that are enough to name a collection."""


class Shown:
    """An answer that can be printed. Values are fractions; tables show points (fractions x 100)."""

    @property
    def alarms(self) -> tuple[str, ...]:
        """Whatever should keep you from trusting a number, as the command line prints it."""
        return ()

    def tables(self) -> list[Table]:
        """The tables that the command line prints."""
        raise NotImplementedError

    def table(self) -> str:
        """The same tables in Markdown."""
        from reports.table import markdown

        return "\n".join(map(markdown, self.tables()))

    def _repr_html_(self) -> str:
        from reports.html import html_table
        from reports.table import Cell, Table

        alarms = tuple((Cell(alarm),) for alarm in self.alarms)
        shown = [*self.tables(), *([Table("Alarms", ("alarm",), alarms)] if alarms else [])]
        return "".join(map(html_table, shown))


def short(kind: str, *parts: str) -> str:
    """A `repr` of one line."""
    return f"{kind}({'; '.join(part for part in parts if part)})"


def listed(what: str, names: Iterable[str]) -> str:
    """How many there are, and the first few names."""
    known = list(names)
    shown = ", ".join(map(repr, known[:_SHOWN])) + (", ..." if len(known) > _SHOWN else "")
    return f"{plural(what, len(known))}: {shown}" if known else ""


def plural(what: str, count: int) -> str:
    """`1 alarm`, `2 alarms`, `no alarms`."""
    return f"{count or 'no'} {what}{'' if count == 1 else 's'}"


def chosen(what: str, asked: str | None, known: Mapping[str, T]) -> T:
    """The value of that name; without a name the only one.

    Raises:
        UsageError: there is no such name, or none was given and there are several.
    """
    if asked is None and len(known) == 1:
        return next(iter(known.values()))
    if asked is None:
        raise UsageError(f"name a {what}: {', '.join(known) or 'there is none'}")
    if asked not in known:
        raise UsageError(f"no {what} {str(asked)!r} here.{did_you_mean(str(asked), known)}")
    return known[asked]


def measure_of(asked: str | None, known: Sequence[str]) -> str:
    """A measure in any spelling, `ndcg@10` for `nDCG@10`; without one the only one.

    Raises:
        UsageError: it is no measure, or is not among those that were measured.
    """
    from harness.judging.compare.comparison import canonical

    return chosen("measure", None if asked is None else canonical(str(asked)), {name: name for name in known})


def named(what: str, asked: str | None, known: Sequence[tuple[str, Sequence[str], T]]) -> T:
    """The value of a name, or of the first digits of an id or a fingerprint; without a name the only one.

    Args:
        known: name, ids or fingerprints, and value of each.

    Raises:
        UsageError: there is none, or there are several.
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
