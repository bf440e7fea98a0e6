"""An alarm: a reason not to trust a number, with a name from the catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.measuring.alarms.catalogue import HAZARDS

FEW = 0.01
"""Up to this share of the queries, candidates or lines an alarm is a remark; above it the number should not be used."""
UNNAMED = "unnamed"
"""The name of alarms that an earlier version stored without a name."""


@dataclass(frozen=True)
class Alarm:
    """One alarm. `str(alarm)` is its message."""

    name: str
    """A name of `HAZARDS`."""
    message: str
    measure: str | None = None
    """The measure that it is about; None if it is about all measures."""

    def __str__(self) -> str:
        return self.message

    @property
    def hard(self) -> bool:
        """Whether a number with this alarm must not pass a gate."""
        return is_hard(self.name)

    @property
    def named(self) -> str:
        """Message and name, as tables print it."""
        return self.message if self.name == UNNAMED else f"{self.message} [{self.name}]"

    def as_dict(self) -> dict[str, str]:
        """For JSON."""
        about = {} if self.measure is None else {"measure": self.measure}
        return {"name": self.name, "message": self.message, **about}


def is_hard(name: str) -> bool:
    """Whether a number with this alarm must not pass a gate. This is true for unknown names, which a newer version may
    have stored."""
    known = HAZARDS.get(name)
    return known is None or known.hard


def is_remark(name: str) -> bool:
    """Whether an alarm is printed as a remark."""
    known = HAZARDS.get(name)
    return name.startswith("few-") or (known is not None and known.remark)


def counted(name: str, count: int, of: int, message: str) -> list[Alarm]:
    """The alarm for a count: none at 0, `few-NAME` up to the share `FEW`, NAME above it."""
    if not count:
        return []
    return [Alarm(name if count > FEW * of else f"few-{name}", message)]


def merged(before: Iterable[Alarm], found: Iterable[Alarm], measured: Iterable[str]) -> tuple[Alarm, ...]:
    """Combine new alarms with earlier ones. Of the earlier alarms only those about other measures are kept."""
    now = {None, *measured}
    return (*(alarm for alarm in before if alarm.measure not in now), *found)
