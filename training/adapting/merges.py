"""The merges that an adaptation proposes: linear soup, chain of slerps, curve between two checkpoints, greedy soup,
and the merge of bags.

The greedy soup is that of model soups (Wortsman et al. 2022, arXiv 2203.05482): ingredients are tried in the order of
their values, and each is kept if the mean with it is not worse. The chain is `sequential_slerp` of
`training.merging.methods`. Bags are merged by `multislerp`, as in BOOM (arXiv 2602.05787), with equal weights.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from adapters.errors import DataError, ModelError, UsageError
from adapters.typed_file import read_json
from harness.numbers import points
from harness.result.adaptation.record import ArmRecord
from harness.result.adaptation.vocabulary import Kind
from training.adapting.checkpoint import folder_of
from training.merging.merge import REPORT, merge
from training.merging.recipe import Input, Recipe, Settings

Value = Callable[[ArmRecord], float]


Weights = Mapping[str, float]
EQUAL: Weights = {}
SOUND = "sound"
"""The end of the names of merges whose parts dev found no worse than stage 1."""


def linear(parts: Sequence[ArmRecord], out: Path, name: str = "linear", weights: Weights = EQUAL) -> ArmRecord:
    """The mean of the weights. With one part, the result is this part under the new name, and nothing is written.

    Args:
        out: the folder of the run.
        name: the name of the arm. Default: linear.
        weights: of parts by name. A part that is not named has weight 1.

    Raises:
        ModelError: a part was refused, or the parts cannot be merged.
        UsageError: there is no part, or the merge's folder is not this merge.
    """
    return _merged(name, "linear", "linear", parts, out, weights=weights)


def sequential(parts: Sequence[ArmRecord], out: Path, name: str = "slerp", weights: Weights = EQUAL) -> ArmRecord:
    """The chain m_1 = v_1, m_k = slerp(m_(k-1), v_k) at t = w_k / (w_1 + ... + w_k), in the order of the parts. With
    equal weights t is 1/k. Arguments and errors are those of `linear`."""
    return _merged(name, "slerp", "sequential_slerp", parts, out, weights=weights)


def bagged(parts: Sequence[ArmRecord], out: Path) -> ArmRecord:
    """The mean direction of the bags, with their mean length: `multislerp` with equal weights. With one part, the
    result is this part. Raises the errors of `linear`."""
    return _merged("bagged", "bagged", "multislerp", parts, out)


def slerp(first: ArmRecord, second: ArmRecord, t: float, out: Path) -> ArmRecord:
    """The point `t` on the arc from the first (0) to the second (1). Raises the errors of `linear`.

    Raises:
        UsageError: `t` is outside 0..1.
    """
    if not 0 <= t <= 1:
        raise UsageError(f"t = {t:g} is not between two checkpoints; take 0 to 1")
    return _merged(f"t-{t:g}", "curve", "slerp", [first, second], out, {"t": t}, t)


@dataclass(frozen=True)
class GreedyStep:
    """One ingredient that was tried for the greedy soup."""

    ingredient: str
    trial: ArmRecord
    """The soup with it."""
    value: float
    before: float
    """The value of the soup without it."""

    @property
    def kept(self) -> bool:
        """Whether the soup with it is not worse."""
        return self.value >= self.before

    def __str__(self) -> str:
        did = "kept" if self.kept else "left out"
        return f"{self.ingredient} {did}: {points(self.value)} with it, {points(self.before)} without"


def greedy(
    parts: Sequence[ArmRecord], value_of: Value, out: Path, first: float, weights: Weights = EQUAL
) -> tuple[ArmRecord, list[GreedyStep]]:
    """The greedy soup and its steps. If only the first part is kept, the soup is this part.

    Args:
        parts: the parts, best first.
        value_of: gives the dev value of a trial soup; called once for each part except the first.
        first: the dev value of the first part.
        weights: as for `linear`.

    Raises:
        ModelError, UsageError: see `linear`; a value that is NaN is a ModelError.
    """
    sound(parts)
    best, kept, steps, value = parts[0], [parts[0]], list[GreedyStep](), _number(first, parts[0])
    for place, part in enumerate(parts[1:], 2):
        trial = _merged(f"greedy-trial-{place}", "greedy", "linear", [*kept, part], out, weights=weights)
        step = GreedyStep(part.name, trial, _number(value_of(trial), trial), value)
        steps.append(step)
        if step.kept:
            best, value = trial, step.value
            kept.append(part)
    return ArmRecord("greedy", "greedy", best.path, tuple(one.name for one in kept)), steps


def sound(parts: Sequence[ArmRecord]) -> None:
    """Refuse to merge checkpoints that the integrity check refused.

    Raises:
        ModelError: a part was refused.
        UsageError: there is no part.
    """
    if not parts:
        raise UsageError("there is no checkpoint to merge; every single was refused, or none was trained")
    for part in parts:
        if part.refused:
            raise ModelError(f"{part.name} was refused ({part.refused[0]}); it cannot be merged")


@dataclass(frozen=True)
class Facts:
    """Facts about a merge's tensors."""

    tensors: int
    """The number of merged tensors; buffers are not merged."""
    slerped: float
    """The share that slerp merged along the arc."""
    as_linear: float
    """The share for which slerp falls back to linear, because the tensors are nearly parallel."""
    median_angle: float | None
    """The median angle between the weights, in degrees."""

    def __str__(self) -> str:
        angle = "" if self.median_angle is None else f"; median angle {self.median_angle:.2f} degrees"
        if not self.slerped and not self.as_linear:
            return f"{self.tensors:,} tensors{angle}"
        return (
            f"{self.slerped:.0%} of {self.tensors:,} tensors slerped, {self.as_linear:.0%} fell back to linear{angle}"
        )


@dataclass(frozen=True)
class _Merged:
    """A tensor in the report of a merge."""

    open_keys: ClassVar[bool] = True
    path: str
    """The way in which the tensor was merged."""


@dataclass(frozen=True)
class _Report:
    """The keys that are read from the report of a merge."""

    open_keys: ClassVar[bool] = True
    tensors: tuple[_Merged, ...]
    angle_quantiles: Mapping[str, float]


def facts(one: ArmRecord) -> Facts | None:
    """The facts of a merge; None for a checkpoint that is not a merge."""
    file = Path(one.path) / f"{REPORT}.json"
    if not one.parts or not file.is_file():
        return None
    report = read_json(file, _Report, error=DataError, advice=f"delete the folder {file.parent} and run again")
    ways = Counter(tensor.path for tensor in report.tensors)
    merged = sum(count for way, count in ways.items() if way != "copied: from the base")
    fallen = sum(count for way, count in ways.items() if way.startswith("linear: "))
    return Facts(merged, ways["slerp"] / max(1, merged), fallen / max(1, merged), report.angle_quantiles.get("median"))


def _merged(  # noqa: PLR0917
    name: str, kind: Kind, method: str, parts: Sequence[ArmRecord], out: Path,
    settings: Settings | None = None, t: float | None = None, *, weights: Weights = EQUAL,
) -> ArmRecord:  # fmt: skip
    sound(parts)
    names = tuple(part.name for part in parts)
    if len(parts) == 1:
        return ArmRecord(name, kind, parts[0].path, names, t)
    folder = folder_of(out, name)
    folder.parent.mkdir(parents=True, exist_ok=True)
    arc = method == "slerp"
    inputs = tuple(Input(part.path, {} if arc else {"weight": weights.get(part.name, 1.0)}) for part in parts)
    merge(Recipe(method, inputs, parts[0].path if arc else None, (settings,) if settings else ()), folder)
    return ArmRecord(name, kind, str(folder), names, t)


def _number(value: float, one: ArmRecord) -> float:
    if math.isnan(value):
        raise ModelError(f"{one.name}: its value is NaN, so it cannot be compared")
    return value
