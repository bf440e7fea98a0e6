"""An alarm: something that should keep a reader from trusting a number, with a name that a machine can look up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.measuring.alarms.catalogue import HAZARDS

FEW = 0.01
"""Up to this share of the queries, candidates or lines an alarm is a remark; above it the number is not to be used."""
UNNAMED = "unnamed"
"""The name of alarms that an earlier version stored without one."""


@dataclass(frozen=True)
class Alarm:
    """One thing that was found. `str(alarm)` is its message."""

    name: str
    """A name of `HAZARDS`."""
    message: str
    measure: str | None = None
    """The measure that it is about; None where it is about all of them."""

    def __str__(self) -> str:
        return self.message

    @property
    def hard(self) -> bool:
        """Whether a number with it must not pass a gate."""
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
    """Whether a number with this alarm must not pass a gate. A name that is not known here is: a newer version may have
    stored it."""
    known = HAZARDS.get(name)
    return known is None or known.hard


def is_remark(name: str) -> bool:
    """Whether an alarm is printed as a remark."""
    known = HAZARDS.get(name)
    return name.startswith("few-") or (known is not None and known.remark)


def counted(name: str, count: int, of: int, message: str) -> list[Alarm]:
    """The alarm of something that was counted: none at 0, `few-NAME` up to `FEW`, above it NAME."""
    if not count:
        return []
    return [Alarm(name if count > FEW * of else f"few-{name}", message)]


def merged(before: Iterable[Alarm], found: Iterable[Alarm], measured: Iterable[str]) -> tuple[Alarm, ...]:
    """What was found, after the earlier alarms about measures that were not measured now."""
    now = {None, *measured}
    return (*(alarm for alarm in before if alarm.measure not in now), *found)
