"""The result of a search for a merge: the looks, the curve of t with its bands, and the best of each language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.numbers import DASH, interval, points, signed, signed_interval
from reports.table import Cell, Table, markdown

_WIDTH = 41
"""Characters of a band."""


def page(result: Mapping[str, Any], out: Path) -> str:
    """The result as Markdown, with a drawing of the curve of t in `out` if there is one."""
    drawn = [f"![{name}]({name})" for name in _drawn(result, out)]
    parts = [f"# A search for a merge\n\n{result['answer']}", *drawn, *map(markdown, tables(result))]
    return "\n\n".join(parts)


def tables(result: Mapping[str, Any]) -> list[Table]:
    """The looks, the curve of t, and the best ingredient for each language."""
    found = [_looks(result)]
    if len(result["curve"]) > 2:
        found.append(_curve(result))
    if result["languages"]:
        found.append(_languages(result))
    return found


def _looks(result: Mapping[str, Any]) -> Table:
    best, winner = result["best_ingredient"], result["winner"]
    rows = [tuple(Cell(text, strong=one["name"] == winner) for text in _look(one, best)) for one in result["tried"]]
    looks, first = result["looks"], result["first_stage"]
    queries = sum(one["queries"] for one in result["dev"])
    return Table(
        f"{result['measure']} on {queries:,} queries of dev, {looks['taken']} of {looks['allowed']} looks",
        ("look", "checkpoint", "mean", "95 % interval", f"from {best}", "95 % interval"),
        tuple(rows),
        (
            f"first stage {first['spec']}: {points(first['value'])}",
            "the best was chosen on these queries, so its value is optimistic; intervals are paired, over questions",
        ),
        left=2,
    )


def _look(one: Mapping[str, Any], best: str) -> tuple[str, ...]:
    named = (str(one["number"]), one["name"])
    if "refused" in one:
        return (*named, f"refused: {one['refused']}", DASH, DASH, DASH)
    value = (points(one["value"]), interval((one["low"], one["high"])))
    if one["name"] == best:
        return (*named, *value, DASH, DASH)
    lead = one["lead"]
    return (*named, *value, signed(lead["delta"]), signed_interval((lead["low"], lead["high"])))


def _curve(result: Mapping[str, Any]) -> Table:
    along = _along(result)
    bounds = [value for one in along for value in _bounds(one["lead"])]
    least, most = min(0.0, *bounds), max(0.0, *bounds)
    rows = [(f"{one['t']:g}", _band(one["lead"], least, most), signed(one["lead"]["delta"])) for one in along]
    return Table(
        f"t from {along[0]['name']} (0) to {along[-1]['name']} (1)",
        (
            "t",
            f"points from {result['best_ingredient']}, {signed(least)} at the left, {signed(most)} at the right",
            "difference",
        ),
        tuple(tuple(map(Cell, row)) for row in rows),
        ("o is the difference, - its 95 % interval, | no difference",),
        left=2,
    )


def _along(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    by_name = {one["name"]: one for one in result["tried"]}
    return [{**by_name[one["name"]], "t": one["t"]} for one in result["curve"]]


def _bounds(lead: Mapping[str, Any]) -> tuple[float, float]:
    low, high = lead["low"], lead["high"]
    return (lead["delta"] if low is None else low, lead["delta"] if high is None else high)


def _band(lead: Mapping[str, Any], least: float, most: float) -> str:
    def place(value: float) -> int:
        return 0 if most == least else round((value - least) / (most - least) * (_WIDTH - 1))

    low, high = map(place, _bounds(lead))
    line = ["-" if low <= at <= high else " " for at in range(_WIDTH)]
    line[place(0.0)] = "|"
    line[place(lead["delta"])] = "o"
    return "".join(line).rstrip()


def _languages(result: Mapping[str, Any]) -> Table:
    names = list(result["languages"][0]["values"])
    rows = [
        (one["collection"], one["best"], *(points(one["values"][name]) for name in names))
        for one in result["languages"]
    ]  # fmt: skip
    return Table(
        "The best ingredient of each collection",
        ("collection", "best", *names),
        tuple(tuple(map(Cell, row)) for row in rows),
        ("a choice for a router, made on dev, and no single model",),
        left=2,
    )


def _drawn(result: Mapping[str, Any], out: Path) -> Sequence[str]:
    """The file of the drawing, if there is a curve."""
    if len(result["curve"]) < 3:
        return ()
    from reports.plots.curves import draw_curves
    from reports.plots.lines import PlotLine
    from reports.plots.plot import write

    along = _along(result)
    low, high = zip(*(_bounds(one["lead"]) for one in along), strict=True)
    line = PlotLine("merge", [one["t"] for one in along], [one["lead"]["delta"] for one in along], low, high)
    drawing = draw_curves(
        [line], title="Difference from the best ingredient", start=0.0, measure=f"{result['measure']}, difference",
        x_title=f"t, from {along[0]['name']} (0) to {along[-1]['name']} (1)",
    )  # fmt: skip
    return (write(drawing, out).svg.name,)
