"""Read mutated files of all kinds: `python -m tests.fuzz --kind all --count 100000 --seed 1`."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from tests.fuzz.driver import Outcome, Tally, fuzz, save, tasks_of, usable


def main() -> int:
    options = _options()
    kinds = usable([] if options.kind == "all" else options.kind.split(","))
    began, done = time.monotonic(), Counter[str]()

    def tell(outcome: Outcome) -> None:
        done["inputs"] += 1
        if outcome.state == "failed":
            done["failed"] += 1
            sys.stderr.write(f"{outcome.kind} {outcome.number}: {outcome.detail.strip().splitlines()[-1][:300]}\n")
        if done["inputs"] % 1000 == 0:
            sys.stderr.write(f"{done['inputs']:,} inputs, {done['failed']} failed, {time.monotonic() - began:.0f} s\n")

    tallies = fuzz(tasks_of(kinds, options.count), options.seed, options.processes, tell)
    failures = [one for tally in tallies.values() for one in tally.failures]
    if options.out:
        save(failures, options.seed, options.out)
    if options.json:
        options.json.write_text(json.dumps(recorded(tallies, options.seed), indent=1) + "\n", "utf-8")
    for name, tally in tallies.items():
        counts = f"{tally.inputs:>7,} {tally.accepted:>7,} {tally.compared:>7,} {tally.refused:>7,} {tally.failed:>6,}"
        sys.stdout.write(f"{name:<24}{counts}\n")
    return 1 if failures else 0


def recorded(tallies: Mapping[str, Tally], seed: int) -> dict[str, object]:
    """The counts of a run, to be kept."""
    rows = {
        name: {
            "inputs": one.inputs, "accepted": one.accepted, "compared": one.compared, "refused": one.refused,
            "failed": one.failed,
        }
        for name, one in tallies.items()
    }  # fmt: skip
    total = {
        key: sum(getattr(one, key) for one in tallies.values())
        for key in ("inputs", "accepted", "compared", "refused", "failed")
    }
    return {"seed": seed, "total": total, "kinds": rows}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--kind", default="all", help="a kind, several with commas, or all")
    parser.add_argument("--count", type=int, default=2000, help="inputs of all kinds together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, help="write the inputs that failed to this folder")
    parser.add_argument("--json", type=Path, help="write the counts to this file")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
