"""Processor seconds of reading a results store of many systems and collections, which is made up.

    python benchmarks/reading.py [--systems 500] [--collections 60] [--queries 100] [--out FILE.json]

`all` reads every evaluation with its checked means, `gathered` every value too, as tables and boards take them. The
smallest of three rounds.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from report import make_store

from harness.result.environment import machine
from harness.result.gathered import gathered
from harness.result.store import Results


def everything(workspace: Path) -> int:
    """How many evaluations there are."""
    with Results(workspace / "results.sqlite") as results:
        return sum(1 for _ in results.all())


def seconds(read: Callable[[Path], object], workspace: Path) -> float:
    """Of the processor, the smallest of three."""
    taken = []
    for _ in range(3):
        started = time.process_time()
        read(workspace)
        taken.append(time.process_time() - started)
    return round(min(taken), 2)


def main() -> None:
    """Make a store, read it, print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("--systems", 500), ("--collections", 60), ("--queries", 100)):
        parser.add_argument(name, type=int, default=default)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        workspace = Path(name)
        make_store(workspace, chosen.systems, chosen.collections, chosen.queries)
        found = {
            "machine": machine(),
            "evaluations": everything(workspace),
            "queries": chosen.queries,
            "all": seconds(everything, workspace),
            "gathered": seconds(gathered, workspace),
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }
    print(json.dumps(found, indent=1))
    if chosen.out:
        chosen.out.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
