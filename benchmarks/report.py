"""Seconds and peak memory of `harness report` over a store of many systems and collections, which is made up.

    python benchmarks/report.py [--systems 30] [--collections 60] [--queries 1000] [--no-plots] [--out FILE.json]

The collections have the names of the suites, so that marks, groups and languages are those of real reports; values are
drawn. The report runs in a process of its own, so that its peak is its own.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from harness.data.suites.table import SuiteCollection
from harness.data.suites.targets import suites
from harness.result.environment import machine
from harness.result.store import Results

Floats64 = npt.NDArray[np.float64]
FIRST = "bm25"
_CHILD = """
import json, resource, sys, time
started = time.perf_counter()
{without}
sys.argv = ["harness", "report", "--workspace", sys.argv[1], "--out", sys.argv[2], "--format", "csv", *sys.argv[3:]]
from harness.cli import main
try:
    main()
except SystemExit as left:
    assert not left.code, left.code
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
sys.stdout.flush()
print("\\n" + json.dumps({{"seconds": round(time.perf_counter() - started, 1), "peak_mib": peak}}))
"""
_NO_PLOTS = "import adapters.errors, reports.plots\ndef none(*_): return []\nreports.plots.write_plots = none"


def make_store(workspace: Path, systems: int, collections: int, queries: int, seed: int = 0) -> None:
    """A results store with a first stage and so many rerankers over it, `queries` values each."""
    workspace.mkdir(parents=True, exist_ok=True)
    file = workspace / "results.sqlite"
    Results(file).__exit__(None, None, None)
    database = sqlite3.connect(file)
    generator = np.random.default_rng(seed)
    strength = generator.normal(0.03, 0.03, systems)
    with database:
        for number, entry in enumerate(_entries(collections)):
            _insert(database, "collection", _collection(number, entry, queries))
            ease = generator.beta(2, 2, queries)
            for system in range(systems + 1):
                shift = strength[system - 1] if system else 0.0
                values = ease if not system else np.clip(ease + generator.normal(shift, 0.12, queries), 0, 1)
                _insert(database, "evaluation", _evaluation(number, system, float(values.mean()), entry))
                id = _id(number, system)
                row = {"evaluation": id, "measure": entry.main_measure, "mean": float(values.mean())}
                _insert(database, "value", {**row, "per_query": values.astype("<f8").tobytes()})
                timing = {"evaluation": id, "machine": machine(), "pairs": 100 * queries, "seconds": 50.0, "at": _AT}
                _insert(database, "timing", timing)
    database.close()


_AT = "2026-01-01T00:00:00+00:00"


def _entries(count: int) -> Iterator[SuiteCollection]:
    known = [one for suite in suites().values() for one in suite.collections if one.main_measure == "nDCG@10"]
    yield from (known * (1 + count // len(known)))[:count]


def _collection(number: int, entry: SuiteCollection, queries: int) -> dict[str, object]:
    counts = {"documents": entry.counts.documents, "queries": queries, "judgments": entry.counts.relevant}
    rules = {"main_measure": entry.main_measure, "note": None}
    return {
        "fingerprint": f"{number:032x}", "name": entry.target, "split": entry.mteb.split, "language": entry.language,
        "counts": json.dumps(counts), "rules": json.dumps(rules),
        "queries": json.dumps([f"q{query}" for query in range(queries)]), "grouped": entry.group,
    }  # fmt: skip


def _evaluation(number: int, system: int, value: float, entry: SuiteCollection) -> dict[str, object]:
    measure = entry.main_measure
    audit = {"candidates": 100_000, "alarms": [], "ties": {measure: [value, value]}, "tokens": None}
    environment = {"python": "3.11", "machine": machine(), "packages": {"torch": "2.2"}}
    return {
        "id": _id(number, system), "collection": f"{number:032x}", "first_stage": FIRST,
        "reranker": f"someone/reranker-{system:02d}" if system else None, "depth": 100, "candidates": f"c{number}",
        "identity": json.dumps({"retriever": {"k": 1}, "reranker": {"weights": f"w{system}"} if system else None}),
        "audit": json.dumps(audit), "controls": json.dumps({"chance": {measure: 0.1}, "oracle": {measure: 0.95}}),
        "environment": json.dumps(environment), "command": f"harness run {entry.suite}", "created": _AT,
        "updated": _AT,
    }  # fmt: skip


def _id(number: int, system: int) -> str:
    return f"{number:06x}{system:06x}"


def _insert(database: sqlite3.Connection, table: str, row: dict[str, object]) -> None:
    marks = ", ".join("?" * len(row))
    database.execute(f"insert into {table} ({', '.join(row)}) values ({marks})", tuple(row.values()))


def measured(folder: Path, *, plots: bool, options: tuple[str, ...] = ()) -> dict[str, object]:
    """Seconds and peak of one report, and what it weighs."""
    code = _CHILD.format(without="" if plots else _NO_PLOTS)
    out = folder / "report"
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder / "workspace"), str(out), *options],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr)
    found = dict(json.loads(done.stdout.splitlines()[-1]))
    return {**found, "html_mib": round((out / "report.html").stat().st_size / 2**20, 2)}


def main() -> None:
    """Measure with and without intervals in every cell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("--systems", 30), ("--collections", 60), ("--queries", 1000)):
        parser.add_argument(name, type=int, default=default)
    parser.add_argument("--no-plots", action="store_true")
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_store(folder / "workspace", chosen.systems, chosen.collections, chosen.queries)
        plots = not chosen.no_plots
        found = {
            "machine": machine(),
            "cells": chosen.systems * chosen.collections,
            "queries": chosen.queries,
            "plots": plots,
            "report": measured(folder, plots=plots),
            "report --intervals": measured(folder, plots=plots, options=("--intervals",)),
        }
    print(json.dumps(found, indent=1))
    if chosen.out:
        chosen.out.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
