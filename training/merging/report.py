"""The report of a merge, tensor by tensor: angles, norms, and the case of the method that was used."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from training.merging.combine import TensorReading
from training.merging.methods import Solution
from training.merging.plan import Step

_ROWS = 20


@dataclass(frozen=True)
class TensorReport:
    """One tensor of the output. Figures are None if they have no meaning (a buffer, a zero tensor)."""

    name: str
    path: str
    """The case that was used: slerp, linear: cosine above 0.9995, copied: ..., ties, ..."""
    elements: int
    angle: float | None = None
    """The largest angle between two of the tensors, or of their differences to the base, in degrees."""
    cosine: float | None = None
    """The cosine of that angle."""
    norm_ratio: float | None = None
    """The second norm over the first; for more than two, the largest over the smallest."""
    norm_kept: float | None = None
    """The norm of the result over the mean norm of the inputs, weighted by the coefficients."""


@dataclass(frozen=True)
class MergeReport:
    """The report of a whole merge."""

    method: str
    of: str
    """What the angles are between: the weights, or the differences to the base."""
    tensors: tuple[TensorReport, ...]
    notes: tuple[str, ...]
    """Remarks: routers of experts, differences of configuration, tensors kept from the base."""

    @property
    def paths(self) -> dict[str, int]:
        """The number of tensors by case, most frequent first."""
        return dict(
            Counter(
                tensor.path.split(": ")[0] if "copied" in tensor.path else tensor.path for tensor in self.tensors
            ).most_common()
        )

    @property
    def elements(self) -> dict[str, int]:
        """The number of elements by case."""
        return {
            path: sum(tensor.elements for tensor in self.tensors if tensor.path.startswith(path)) for path in self.paths
        }

    def as_dict(self) -> dict[str, object]:
        """The content of merge-report.json. Numbers are rounded to the precision of float32 sums."""
        return {
            "method": self.method, "angles_of": self.of, "tensors_by_path": self.paths,
            "elements_by_path": self.elements, "angle_quantiles": self.quantiles(), "notes": list(self.notes),
            "tensors": [_rounded(asdict(tensor)) for tensor in self.tensors],
        }  # fmt: skip

    def quantiles(self) -> dict[str, float]:
        """The smallest, the quartiles and the largest of the tensors' angles, in degrees."""
        angles = [tensor.angle for tensor in self.tensors if tensor.angle is not None]
        if not angles:
            return {}
        found = np.quantile(angles, [0, 0.25, 0.5, 0.75, 1])
        return {
            name: round(float(v), 4) for name, v in zip(("min", "25 %", "median", "75 %", "max"), found, strict=True)
        }

    def markdown(self) -> str:
        """The counts, the angles, and the tensors with the largest angles."""
        lines = [f"# Merge by {self.method}", "", *(f"- {note}" for note in self.notes), *([""] if self.notes else [])]
        lines += ["| way | tensors | elements |", "|:--|--:|--:|"]
        lines += [f"| {path} | {count:,} | {self.elements[path]:,} |" for path, count in self.paths.items()]
        if quantiles := self.quantiles():
            listed = ", ".join(f"{name} {value:.3f}" for name, value in quantiles.items())
            lines += ["", f"Angles between {self.of}, in degrees: {listed}.", ""]
            lines += [*self._widest()]
        return "\n".join(lines) + "\n"

    def _widest(self) -> list[str]:
        with_angle = sorted((one for one in self.tensors if one.angle is not None), key=lambda one: -(one.angle or 0))
        rows = [
            f"The {min(_ROWS, len(with_angle))} widest of {len(with_angle):,}; the others are in merge-report.json.",
            "",
        ]
        rows += ["| tensor | way | angle | norm ratio | norm kept |", "|:--|:--|--:|--:|--:|"]
        for one in with_angle[:_ROWS]:
            rows.append(
                f"| {one.name} | {one.path} | {one.angle:.3f} | {_number(one.norm_ratio)} | {_number(one.norm_kept)} |"
            )
        return rows


def tensor_report(step: Step, seen: TensorReading | None, solution: Solution | None, path: str) -> TensorReport:
    """The report of one tensor."""
    if seen is None:
        return TensorReport(step.key, path, step.home.size)
    norms = np.sqrt(np.diag(seen.products))
    cosine = _least_cosine(seen, norms)
    return TensorReport(
        step.key, path, step.home.size,
        None if cosine is None else math.degrees(math.acos(cosine)), cosine, _ratio(norms),
        None if solution is None else _kept(seen, norms, solution),
    )  # fmt: skip


def _least_cosine(seen: TensorReading, norms: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float | None:
    live = np.flatnonzero(norms > 0)
    if len(live) < 2:
        return None
    cosines = seen.products[np.ix_(live, live)] / np.outer(norms[live], norms[live])
    return float(np.clip(cosines[np.triu_indices(len(live), 1)].min(), -1, 1))


def _ratio(norms: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float | None:
    if len(norms) == 2:
        return float(norms[1] / norms[0]) if norms[0] > 0 else None
    return float(norms.max() / norms.min()) if len(norms) > 1 and norms.min() > 0 else None


def _kept(seen: TensorReading, norms: np.ndarray[tuple[int], np.dtype[np.float64]], solution: Solution) -> float | None:
    weights = np.abs(solution.coefficients)
    mean = weights @ norms / weights.sum() if weights.any() else 0.0
    square = float(solution.coefficients @ seen.products @ solution.coefficients)
    return float(math.sqrt(max(0.0, square)) / mean) if mean > 0 else None


def _rounded(tensor: Mapping[str, object]) -> dict[str, object]:
    return {key: float(f"{value:.7g}") if isinstance(value, float) else value for key, value in tensor.items()}


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def notes_on(routers: Sequence[str], kept: Sequence[str], dropped: Sequence[str]) -> list[str]:
    """Remarks on routers, kept tensors and dropped tensors."""
    notes = []
    if routers:
        notes.append(
            f"MoE routers were merged ({len(routers)}, the first is {routers[0]}): this only makes sense for "
            f"checkpoints trained from one start, because experts have no order"
        )
    if kept:
        notes.append(f"copied from the base: {', '.join(kept[:5])}{' ...' if len(kept) > 5 else ''}")
    if dropped:
        notes.append(f"not written, because loading ties it to another tensor: {', '.join(dropped)}")
    return notes
