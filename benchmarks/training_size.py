"""Peak memory of training on many examples, and the seconds before its first step.

    python benchmarks/training_size.py [--rows 100000 1000000] [--documents 8] [--steps 5] [--out FILE.json]

The rows are made up: a query and documents of 8 to 16 words each, as JSONL. A tiny cross-encoder with random weights
trains a few steps on them. Each size runs twice in a process of its own, so that its peak is its own: the first time
the rows are read and stored, the second time the store is used. `--in-memory` reads them into memory instead.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from harness.result.environment import machine

_CHILD = """
import json, resource, sys, time
from contextlib import contextmanager
from pathlib import Path
started = time.perf_counter()
import torch
from harness.progress import Silent
from training.fit import fit, job
from training.settings import Loss, Settings
from training.sources import read_examples
torch.set_num_threads(1)
file, base, store, out, steps = sys.argv[1:]
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
class Timed(Silent):
    times = []
    @contextmanager
    def stage(self, title, total):
        yield lambda steps: self.times.append(time.perf_counter())
settings = Settings(Loss("mse"), max_steps=int(steps), queries=8, max_length=128)
import transformers
before, begun = peak(), time.perf_counter()
examples = read_examples(Path(file), store=Path(store) if store else None)
work = job(base, examples, settings)
identity = examples.digest
read, at = peak(), time.perf_counter()
manifest = fit(work, Path(out), reporter=Timed())
print(json.dumps({
    "rows": len(examples), "pairs": examples.pairs, "digest": identity, "weights": manifest["weights"],
    "seconds_reading": round(at - begun, 1), "seconds_to_the_first_step": round(Timed.times[1] - at, 1),
    "seconds_of_a_later_step": round((Timed.times[-1] - Timed.times[1]) / max(1, len(Timed.times) - 2), 2),
    "peak_mb_after_imports": before, "peak_mb_after_reading": read, "peak_mb": peak(),
}))
"""


def main() -> None:
    """Train on each size twice, print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--documents", type=int, default=8)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--once", action="store_true", help="without the second run, which uses the store")
    parser.add_argument("--in-memory", action="store_true")
    parser.add_argument("--folder", type=Path, help="where the files are made. Default: that of temporary files.")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    from adapters import tiny

    names, sizes = ("first",) if options.once else ("first", "again"), []
    for rows in options.rows:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            here = Path(folder)
            file, base = write_rows(here / "rows.jsonl", rows, options.documents), tiny.cross_encoder(here / "base")
            store = "" if options.in_memory else str(here / "store")
            runs = [_trained(file, base, store, here / name, options.steps) for name in names]
            sizes.append({"jsonl_mb": file.stat().st_size >> 20, **dict(zip(names, runs, strict=True))})
            print(json.dumps(sizes[-1], indent=1), flush=True)
    result = {"machine": machine(), "in_memory": options.in_memory, "sizes": sizes}
    if options.out:
        options.out.write_text(json.dumps(result, indent=1) + "\n")


def write_rows(file: Path, rows: int, documents: int) -> Path:
    """Examples with made-up sentences and random scores. Every text begins with the numbers of its row and place."""
    draw = random.Random(0)
    words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(2, 9))) for _ in range(20_000)]
    sentences = [" ".join(draw.choices(words, k=draw.randint(8, 16))) for _ in range(50_021)]
    scores = [f"{draw.random():.6f}" for _ in range(50_021)]
    with file.open("w", encoding="utf-8") as out:
        for number in range(rows):
            places = [(number * (documents + 1) + place) % len(sentences) for place in range(documents + 1)]
            query, *texts = (f'"{number} {place} {sentences[place]}"' for place in places)
            given = ", ".join(scores[place] for place in places[1:])
            out.write(f'{{"query": {query}, "documents": [{", ".join(texts)}], "scores": [{given}]}}\n')
    return file


def _trained(file: Path, base: Path, store: str, out: Path, steps: int) -> dict[str, Any]:
    command = [sys.executable, "-c", _CHILD, str(file), str(base), store, str(out), str(steps)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    main()
