"""How often planted faults of synthetic queries are named, and how often real held-out queries are accused.

    python benchmarks/validation.py DATA WORK.jsonl [--draws 24] [--out FILE.json]

DATA holds the collections xquad/<language>, mlqa-dev-r/<language> and scifact in BEIR's layout. Each draw takes a
random half of the topics (the articles of XQuAD and MLQA, the abstracts of SciFact) and at most 200 of its queries, and
plants a fault in them. The control plants nothing. The rules of V15 read the set once alone, as the default call does,
and once with the real queries of the other half of the topics, and V6 too. WORK.jsonl keeps finished parts; the same
command goes on.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from planted.queries import CELLS, CONTROL, PLANTS, SIZE, Cell, Draw, Planting, lines, read, real

from harness.result.environment import machine
from training.validating import classifier
from training.validating.calibration import wilson
from training.validating.decision import SUSPICIOUS
from training.validating.faults.find import faults
from training.validating.measured import LEAST
from training.validating.sets import QuerySet, Sets
from training.validating.topics import with_topics

MODES = ("alone", "with real queries")
Part = dict[str, Any]


def battery(cells: Sequence[Cell], draws: int, seed: int, work: Path) -> list[Part]:
    """For each fault, collection and mode: how often each kind was named. Parts in the file are not repeated."""
    found = lines(work) if work.exists() else []
    known = {_key(one) for one in found}
    for mode in MODES:
        for plant in (CONTROL, *PLANTS):
            for number, cell in enumerate(cells):
                part = {"fault": plant, "collection": cell.name, "mode": mode, "draws": draws, "seed": seed}
                if _key(part) not in known:
                    part |= _counted(plant, cell, draws, [seed, number], mode == MODES[1])
                    found.append(part)
                    with work.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(part, ensure_ascii=False) + "\n")
    return [one for one in found if (one["draws"], one["seed"]) == (draws, seed)]


def _key(part: Part) -> tuple[object, ...]:
    return tuple(part[name] for name in ("fault", "collection", "mode", "draws", "seed"))


def _counted(plant: str, cell: Cell, draws: int, seed: Sequence[int], compared: bool) -> Part:
    change, kinds, _ = PLANTS.get(plant, (real, (), False))
    draw = np.random.default_rng([*seed, *plant.encode(), compared])
    named, blocked, found, size = 0, 0, Counter[str](), 0
    separated, above, areas = 0, 0, list[float]()
    for _ in range(draws):
        sets = _drawn(cell, change, draw, compared)
        there = [one for one in faults(sets, cell.background, cell.background) if one.found]
        found.update(one.kind for one in there)
        named += any(one.kind in kinds for one in there)
        blocked += any(one.blocks for one in there)
        size += len(sets.synthetic)
        if compared:
            (row,) = classifier.measure(with_topics(sets), enough=LEAST)
            if row.value is not None:
                areas.append(row.value)
                separated += row.value > SUSPICIOUS
                above += bool(row.above_floor)
    v6 = (
        {"V6": {"separated": separated, "above": above, "of": len(areas), "mean": float(np.mean(areas))}}
        if areas
        else {}
    )
    return {"named": named, "blocked": blocked, "kinds": dict(found), "queries": round(size / draws), **v6}


def _drawn(cell: Cell, change: Callable[[Planting], QuerySet], draw: Draw, compared: bool) -> Sets:
    own, other = cell.halves(draw)
    if not compared and len(own) < SIZE:
        own = own + other
    sets = Sets(change(Planting(cell, draw.permutation(own).tolist(), draw)), seed=int(draw.integers(1 << 30)))
    if not compared:
        return sets
    shown = real(Planting(cell, draw.permutation(other).tolist(), draw))
    return replace(sets, real=replace(shown, name="real"))


def summary(parts: Sequence[Part]) -> dict[str, Any]:
    """The rates of each fault over all collections, by mode."""
    return {
        plant: {mode: _totals([one for one in parts if (one["fault"], one["mode"]) == (plant, mode)]) for mode in MODES}
        for plant in (CONTROL, *PLANTS)
    }


def _totals(parts: Sequence[Part]) -> dict[str, Any]:
    draws = sum(one["draws"] for one in parts)
    kinds = sum((Counter(one["kinds"]) for one in parts), Counter[str]())
    total: dict[str, Any] = {"draws": draws}
    for key in ("named", "blocked"):
        hits = sum(one[key] for one in parts)
        total[key] = {"hits": hits, "share": hits / max(1, draws), "interval": wilson(hits, draws)}
    measured = [one["V6"] for one in parts if "V6" in one]
    if measured:
        of = sum(one["of"] for one in measured)
        total["V6"] = {
            name: {"share": hits / of, "interval": wilson(hits, of)}
            for name in ("separated", "above") for hits in [sum(one[name] for one in measured)]
        } | {"mean": sum(one["mean"] * one["of"] for one in measured) / of}  # fmt: skip
    low = {one["collection"]: one["named"] / one["draws"] for one in parts if one["named"] < 0.95 * one["draws"]}
    return {**total, "kinds": {kind: count / max(1, draws) for kind, count in kinds.most_common()}, "below 95 %": low}


def table(found: Mapping[str, Any]) -> list[str]:
    """The rows of the table in docs/validation.md."""
    rows = []
    for plant, modes in found.items():
        alone, compared = (modes[mode] for mode in MODES)
        key = "blocked" if plant == CONTROL else "named"
        shown = [f"{one[key]['hits']} of {one['draws']}" for one in (alone, compared)]
        if PLANTS.get(plant, (real, (), False))[2]:
            shown[0] = "–"
        rows.append(f"| {plant} | {shown[0]} | {shown[1]} | {compared['V6']['mean']:.2f} |")
    return rows


def main() -> None:
    """Draw, plant and read; the same command goes on after a kill."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--draws", type=int, default=24, help="draws for each fault and collection")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    began = time.monotonic()
    parts = battery([read(options.data, name) for name in CELLS], options.draws, options.seed, options.work)
    result = {
        "machine": machine(), "draws": options.draws, "seed": options.seed, "faults": summary(parts), "parts": parts,
        "seconds": round(time.monotonic() - began),
    }  # fmt: skip
    print(*table(result["faults"]), sep="\n")
    if options.out:
        options.out.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
