"""From the start of the process to the first scored pair: `harness run` beside sentence-transformers, in turn.

    python benchmarks/startup.py --model ./ms-marco-MiniLM-L12-v2 --rounds 5 --out startup.json

Ours is the whole command: options, collection, candidates, identity of the model (all its bytes are hashed in the first
round, later rounds find the digests in the workspace), weights, and one pair in the ledger. The peer is an import, a
`CrossEncoder` and one `predict`. Each round starts new processes with warm file caches; the figures are medians.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
QUERY, DOCUMENT = "when is low tide", "low tide is at noon"
OURS = """
import os, sys
from harness.scoring.ledger.store import Ledger
record = Ledger.record
def first(self, *arguments):
    record(self, *arguments)
    print("scored", len(arguments[4].score))
    sys.stdout.flush()
    os._exit(0)
Ledger.record = first
sys.argv = ["harness", *sys.argv[1:]]
from harness.cli import main
main()
"""
THEIRS = f"""
import sys
from sentence_transformers import CrossEncoder
model = CrossEncoder(sys.argv[1], device="cpu")
print("scored", len(model.predict([({QUERY!r}, {DOCUMENT!r})], show_progress_bar=False)))
"""


def seconds(command: Sequence[str]) -> tuple[float, float]:
    """Wall-clock and processor seconds of a process that scores a pair."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    env = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=env)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if "scored" not in done.stdout:
        raise SystemExit(f"no pair was scored: {done.stderr}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def commands(model: Path, folder: Path, number: int) -> dict[str, list[str]]:
    """What is compared. A round has a query of its own, so that its pair is not known."""
    target = folder / f"rows{number}.jsonl"
    row = {"query": f"{QUERY} {number}", "positive": [DOCUMENT], "negative": ["bread"]}
    target.write_text(json.dumps(row) + "\n", "utf-8")
    asked = ["run", str(target), "--first-stage", "given", "--reranker", str(model), "--workspace", str(folder / "ws")]
    return {
        "harness run": [sys.executable, "-c", OURS, *asked],
        "sentence-transformers": [sys.executable, "-c", THEIRS, str(model)],
        "import torch and transformers' models": [
            sys.executable, "-c", "import transformers.modeling_utils; print('scored')",
        ],
    }  # fmt: skip


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="the folder of a cross-encoder")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    options = parser.parse_args()
    found: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.rounds + 1):
            for name, command in commands(options.model.resolve(), Path(folder), number).items():
                figures = seconds(command)
                if number:  # the first round warms the file cache
                    found.setdefault(name, []).append(figures)
    medians = {
        name: {
            "seconds": statistics.median(wall for wall, _ in all_),
            "cpu_seconds": statistics.median(c for _, c in all_),
        }
        for name, all_ in found.items()
    }
    for name, one in medians.items():
        sys.stdout.write(f"{name:40}{one['seconds']:8.2f} s{one['cpu_seconds']:8.2f} s of a processor\n")
    if options.out:
        load = os.getloadavg()
        result = {"model": options.model.name, "rounds": options.rounds, "load_average": load, **medians}
        options.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
