"""What an evaluator made of a fault: refused, warned, or silent, and whether its values are right."""

from __future__ import annotations

import logging
import math
import os
import re
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from planted.case import NDCG, Values

CLOSE = 0.0005
"""Half of what a table with one decimal of points shows; some peers round to five decimals."""
_ANSI = re.compile("\x1b\\[[0-9;]*m")
_NOISE = re.compile(r"it/s|s/it|examples/s|\d%\||\r")


class NotApplicableError(Exception):
    """The fault cannot be planted for this evaluator; the message says why."""


@dataclass(frozen=True)
class Verdict:
    """One cell of the table. Values are fractions."""

    word: str
    """`refused`, `warned`, `harmless`, `wrong`, or `-`."""
    said: tuple[str, ...] = ()
    """The error, the warnings, or why the fault does not apply."""
    values: Values = field(default_factory=dict)
    right: Values = field(default_factory=dict)
    names: bool | None = None
    """Whether the error of a refused model names its folder; None where there is none."""

    @property
    def worst(self) -> str | None:
        """The measure that is most wrong; nDCG@10 where that is wrong at all."""
        off = {name: self._off(name) for name in self.values if self._off(name) > CLOSE}
        return NDCG if NDCG in off else max(off, key=off.__getitem__, default=None)

    def _off(self, name: str) -> float:
        return abs(self.values[name] - self.right[name]) if math.isfinite(self.values[name]) else math.inf

    def cell(self, right: float | None = None) -> str:
        """The cell in points, wrong silent values in bold. `right` is the right nDCG@10 that the row shows."""
        if self.word in {"refused", "-"} or self.worst is None:
            return self.word
        named = "" if self.worst == NDCG else f"{self.worst.split('@')[0]} "
        value = f"{named}{100 * self.values[self.worst]:.1f}"
        other = named or right is None or abs(self.right[self.worst] - right) > CLOSE
        aside = f" for {100 * self.right[self.worst]:.1f}" if other else ""
        return f"warned ({value}{aside})" if self.word == "warned" else f"**{value}**{aside}"

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        found: dict[str, object] = {"verdict": self.word if self.word != "wrong" else "silent, wrong"}
        found |= {"said": [_shortened(line) for line in self.said]} if self.said else {}
        found |= {"one_line": all("\n" not in line for line in self.said)} if self.word == "refused" else {}
        found |= {"names_the_file": self.names} if self.names is not None else {}
        found |= {"values": self.values, "right": self.right} if self.values else {}
        if self.worst:
            found["wrong_by_points"] = round(100 * (self.values[self.worst] - self.right[self.worst]), 3)
        return found


def judged(action: Callable[[], tuple[Values, Values]], usual: frozenset[str], place: Path | None = None) -> Verdict:
    """Run `action`, which gives the values and the right ones. What it says even where nothing is planted (`usual`) is
    no warning. The folder of a model is below `place`."""
    said: list[str] = []
    try:
        with _listening(said):
            values, right = action()
    except NotApplicableError as reason:
        return Verdict("-", (str(reason),))
    except Exception as error:
        names = None if place is None else str(place) in str(error)
        return Verdict("refused", (f"{type(error).__name__}: {str(error).strip() or 'no message'}",), names=names)
    new = tuple(dict.fromkeys(line for line in said if normal(line) not in usual))
    off = Verdict("", new, values, right).worst
    return Verdict("warned" if new else "wrong" if off else "harmless", new, values, right)


def usual(action: Callable[[], object]) -> frozenset[str]:
    """What is said where nothing is planted; nothing where the control does not apply."""
    said: list[str] = []
    with _listening(said), suppress(NotApplicableError):
        action()
    return frozenset(map(normal, said))


def normal(line: str) -> str:
    """A message without what changes from call to call."""
    return re.sub(r"/\S+|\d+", "#", _ANSI.sub("", line))


@contextmanager
def _listening(said: list[str]) -> Iterator[None]:
    """Everything that a user would see: warnings, log records from WARNING on, and both streams, also from C."""
    handler = _Handler(said)
    root = logging.getLogger()
    root.addHandler(handler)
    with warnings.catch_warnings(record=True) as caught, _streams(said):
        warnings.simplefilter("always")
        try:
            yield
        finally:
            root.removeHandler(handler)
            said += [f"{one.category.__name__}: {one.message}" for one in caught if not _is_noise(one)]


def _is_noise(one: warnings.WarningMessage) -> bool:
    return issubclass(one.category, DeprecationWarning | PendingDeprecationWarning | FutureWarning | ResourceWarning)


class _Handler(logging.Handler):
    def __init__(self, said: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._said = said

    def emit(self, record: logging.LogRecord) -> None:
        self._said.append(f"{record.name}: {record.getMessage()}")


@contextmanager
def _streams(said: list[str]) -> Iterator[None]:
    kept = [os.dup(number) for number in (1, 2)]
    with tempfile.TemporaryFile("w+", errors="replace") as file:
        _flush()
        for number in (1, 2):
            os.dup2(file.fileno(), number)
        try:
            yield
        finally:
            _flush()
            for number, copy in zip((1, 2), kept, strict=True):
                os.dup2(copy, number)
                os.close(copy)
            file.seek(0)
            said += [line.strip() for line in file if line.strip() and not _NOISE.search(line)]


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()


def _shortened(line: str) -> str:
    text = " ".join(re.sub(r"/\S*/", "", _ANSI.sub("", line)).split())
    return text if len(text) <= 300 else f"{text[:297]}..."
