"""Which measures V1 to V15 have a sign on planted faults of queries, and how often they have one on real queries.

    python benchmarks/validation_signs.py DATA WORK.jsonl [--rounds 24] [--embedder MODEL] [--out FILE.json]

The faults, collections and draws are those of `validation.py`, always with the real queries of the other half of the
topics, which are the evaluation queries of V13. Here every measure is taken that queries alone can decide: not V11 (the
teacher) and V12. With `--embedder`, V5, V7 and V10 are measured in the collections of VECTOR_CELLS.

A round is one draw of each fault and collection, of the control CONTROLS. WORK.jsonl keeps finished draws, and the
folder WORK.workspace vectors; the same command goes on, and unfinished rounds count with what they have.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from planted.queries import CELLS, CONTROL, LEAKED, PLANTS, Cell, Draw, Planting, leaked, lines, read, real
from planted.signs import BLOCKED, MEASURES, Ground

from harness.progress import Silent
from harness.result.environment import machine
from harness.scoring.session import Session, opened
from harness.workspace import Workspace
from training.validating.calibration import wilson
from training.validating.sets import Sets

CONTROLS, FEWEST = 3, 3
"""Draws of the control in a round, and the smallest number of draws that the table shows."""
ORDER = sorted(CELLS, key=lambda name: (len(CELLS) - CELLS.index(name)) * 4 % 9)
"""The collections in turn, so that the first ones differ in kind and language."""
VECTOR_CELLS = ("xquad/en", "mlqa-dev-r/en")
PLANTED = {CONTROL: real, **{name: change for name, (change, _, _) in PLANTS.items()}, LEAKED: leaked}
Part = dict[str, Any]


@dataclass(frozen=True)
class Battery:
    """Where the data and the finished draws are."""

    data: Path
    work: Path
    session: Session
    embedder: str | None

    def draw(self, rounds: int) -> None:
        """Take the draws that are not in the file."""
        known = {_key(one) for one in finished(self.work)}
        grounds = [Ground(read(self.data, name), self.data / name, self.session, self.embedder) for name in ORDER]
        for plant, ground, number in _wanted(grounds, rounds):
            for kind in ("texts", *(["vectors"] if self.embedder and ground.cell.name in VECTOR_CELLS else [])):
                part = {"fault": plant, "collection": ground.cell.name, "number": number, "kind": kind}
                if _key(part) not in known:
                    sets, others = _drawn(ground.cell, plant, number)
                    signs = ground.by_texts(sets, others) if kind == "texts" else ground.by_vectors(sets)
                    with self.work.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(part | {"signs": signs}, ensure_ascii=False) + "\n")


def finished(work: Path) -> list[Part]:
    """The draws in the file."""
    return lines(work) if work.exists() else []


def _wanted(grounds: Sequence[Ground], rounds: int) -> Iterator[tuple[str, Ground, int]]:
    for turn, ground, plant in product(range(rounds), grounds, PLANTED):
        each = CONTROLS if plant == CONTROL else 1
        yield from ((plant, ground, turn * each + more) for more in range(each))


def _key(part: Part) -> tuple[object, ...]:
    return tuple(part[name] for name in ("fault", "collection", "number", "kind"))


def _drawn(cell: Cell, plant: str, number: int) -> tuple[Sets, list[str]]:
    """The sets of a draw, and the queries of the other half of the topics."""
    draw: Draw = np.random.default_rng([CELLS.index(cell.name), number, *plant.encode()])
    own, other = cell.halves(draw)
    sets = Sets(
        PLANTED[plant](Planting(cell, draw.permutation(own).tolist(), draw, other)), seed=int(draw.integers(1 << 30))
    )
    shown = real(Planting(cell, draw.permutation(other).tolist(), draw))
    return replace(sets, real=replace(shown, name="real")), [cell.queries[row].text for row in other]


def summary(parts: Sequence[Part]) -> dict[str, Any]:
    """For each fault and measure: in how many draws it has a sign, of those in which it has a figure."""
    return {
        plant: {name: _rate([one["signs"] for one in parts if one["fault"] == plant], name)
                for name in (*MEASURES, BLOCKED)}
        for plant in PLANTED
    }  # fmt: skip


def _rate(signs: Sequence[Mapping[str, bool]], name: str) -> dict[str, Any]:
    there = [one[name] for one in signs if name in one]
    share = sum(there) / max(1, len(there))
    return {
        "hits": sum(there),
        "of": len(there),
        "share": share,
        "interval": wilson(sum(there), len(there)) if there else None,
    }


def table(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The rows of the table in docs/validation.md: how many of 100 draws have a sign."""
    return [f"| {plant} | {' | '.join(map(_shown, rates.values()))} |" for plant, rates in found.items()]


def _shown(rate: Mapping[str, Any]) -> str:
    return f"{100 * rate['share']:.0f}" if rate["of"] >= FEWEST else "–"


def main() -> None:
    """Draw, plant and measure; the same command goes on after a kill."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--rounds", type=int, default=24, help="0: only summarise the finished draws")
    parser.add_argument("--embedder")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with opened(Workspace.open(options.work.with_suffix(".workspace")), Silent()) as session:
        Battery(options.data, options.work, session, options.embedder).draw(options.rounds)
    found = summary(finished(options.work))
    print(*table(found), sep="\n")
    if options.out:
        options.out.write_text(json.dumps({"machine": machine(), "faults": found}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
