"""Quality against depth: the first stage's best candidates at each depth, ordered by stored scores. No model is called,
so only depths that were scored are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.data.runs import Run
from harness.measuring.measures import Measure
from harness.measuring.statistics.bootstrap import value_interval
from harness.measuring.statistics.design import Design
from harness.result.gathered import Grid
from harness.result.keys import CollectionKey, SystemKey
from harness.result.recall import Recalled
from harness.result.result import Result
from harness.workspace import Workspace
from reports.plots.kept import judged, kept, ordinary
from reports.plots.labels import counted, system_labels
from reports.plots.lines import PlotLine, draw_lines, name_ends
from reports.plots.paired import GridPairs, limited
from reports.plots.plot import Drawing, file_name
from reports.plots.style import INK, MUTED, headed, sheet, style

Floats64 = npt.NDArray[np.float64]
DEPTHS = (10, 20, 50, 100, 200)
SYSTEMS = 5


@dataclass(frozen=True, eq=False)
class Sweep:
    """One system at several depths, over the same collections at each. Fractions."""

    system: SystemKey
    depths: tuple[int, ...]
    values: tuple[float, ...]
    intervals: tuple[tuple[float, float], ...]
    first_stage: float
    ceilings: tuple[float, ...]
    """The value of a perfect order of the candidates at each depth."""
    collections: tuple[CollectionKey, ...]


def cut_by_first_stage(recalled: Recalled, depth: int) -> Run:
    """The system's run over the best `depth` candidates of the first stage, with trec_eval's rule for ties."""
    candidates = recalled.candidates
    order = candidates.order()
    rank = np.arange(len(order)) - candidates.offsets[:-1].repeat(np.diff(candidates.offsets))
    rows = np.sort(order[rank < depth])
    counts = np.bincount(candidates.queries[rows], minlength=len(candidates.offsets) - 1)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Run(offsets, candidates.documents[rows], recalled.run.scores[rows], candidates.tiebreaks[rows])


def sweep(grid: Grid, system: SystemKey, workspace: Workspace) -> Sweep | None:
    """The values of a system at each depth up to its own, over the collections with stored scores. None if there are
    none, or if the first stage has no order."""
    measure = ordinary(grid.measure)
    recalled = [] if measure is None else [
        (cell, found) for cell in grid.row(system) if cell and (found := _recalled(cell, workspace))
    ]  # fmt: skip
    depths = tuple(sorted({*(one for one in DEPTHS if one < system.depth), system.depth}))
    if measure is None or not recalled or len(depths) < 2:
        return None
    values = [[_values(found, depth, measure) for _, found in recalled] for depth in depths]  # depth, collection
    weights = grid.weights([cell.collection for cell, _ in recalled])
    design = Design(tuple(cell.questions for cell, _ in recalled), weights)
    return Sweep(
        system,
        depths,
        tuple(_mean([own for own, _ in row], weights) for row in values),
        tuple(value_interval(design, [own for own, _ in row]) for row in values),
        _mean([judged(found, found.candidates).values([measure])[0] for _, found in recalled], weights),
        tuple(_mean([ceiling for _, ceiling in row], weights) for row in values),
        tuple(cell.collection for cell, _ in recalled),
    )


def _recalled(cell: Result, workspace: Workspace) -> Recalled | None:
    retriever = cell.stored.identity.get("retriever")
    return None if isinstance(retriever, dict) and retriever.get("given") else kept(cell, workspace)


def _values(recalled: Recalled, depth: int, measure: Measure) -> tuple[Floats64, Floats64]:
    found = judged(recalled, cut_by_first_stage(recalled, depth))
    return found.values([measure])[0], found.values([measure], found.oracle())[0]


def _mean(strata: Sequence[Floats64], weights: Floats64) -> float:
    return float(np.average([np.mean(one) for one in strata], weights=weights))


def draw_depth(pairs: GridPairs, workspace: Path) -> Drawing | None:
    """A line per system. None if nothing was reranked or no scores are stored."""
    grid, opened = pairs.grid, Workspace(workspace)
    systems, left = limited(pairs.systems, SYSTEMS)
    found = [one for system in systems if (one := sweep(grid, system, opened))]
    if not found:
        return None
    most = max(found, key=lambda one: len(one.collections)).collections
    sweeps = [one for one in found if one.collections == most]  # averages over other collections are not comparable
    left += (
        f" Left out: {counted(len(found) - len(sweeps), 'system')} with other collections." if sweeps != found else ""
    )
    title = f"Quality against depth, {grid.measure}"
    with style():
        figure = headed(_figure(grid.measure, sweeps), title)
    caption = (
        f"{grid.measure} in points when only the first candidates of the first stage are reranked, mean of "
        f"{counted(len(most), 'collection')}, with 95 % intervals. Computed from stored scores. Dashed: the "
        f"first stage; dotted: a perfect order of the same candidates.{left}"
    )
    return Drawing(file_name("depth", grid.measure), title, caption, figure)


def _figure(measure: str, sweeps: Sequence[Sweep]) -> Any:
    labels = system_labels([one.system for one in sweeps])
    lines = [
        PlotLine(
            labels[one.system], one.depths, one.values, [i[0] for i in one.intervals], [i[1] for i in one.intervals]
        )
        for one in sweeps
    ]
    figure = sheet(7.4, 4.2)
    axis = figure.subplots()
    axis.set_xscale("log")
    draw_lines(axis, lines, band=len(lines) <= 2)
    stages = {(one.system.first_stage, one.system.depth): one for one in sweeps}
    for one in stages.values():
        _references(axis, one)
    ticks = sorted({depth for one in sweeps for depth in one.depths})
    axis.set_xticks(ticks, [str(tick) for tick in ticks])
    axis.minorticks_off()
    axis.grid(axis="y")
    axis.set_xlabel("candidates reranked per query")
    axis.set_ylabel(f"{measure}, points")
    axis.margins(y=0.08)
    name_ends(axis, lines)
    return figure


def _references(axis: Any, one: Sweep) -> None:
    axis.axhline(100 * one.first_stage, color=INK, linewidth=1, linestyle=(0, (4, 3)), zorder=1, gid="first stage")
    axis.annotate("first stage", (0.005, 100 * one.first_stage), (0, 3), xycoords=axis.get_yaxis_transform(),
                  textcoords="offset points", fontsize=8, color=INK)  # fmt: skip
    ceilings = [100 * value for value in one.ceilings]
    axis.plot(one.depths, ceilings, color=MUTED, linewidth=1, linestyle=(0, (1, 2)), zorder=1, gid="ceiling")
    axis.annotate("ceiling", (one.depths[0], ceilings[0]), (2, 5), textcoords="offset points", fontsize=8, color=MUTED)
