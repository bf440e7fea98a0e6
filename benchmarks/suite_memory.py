"""Peak memory and seconds of taking a large collection of a suite through mteb's loader into the workspace.

    python benchmarks/suite_memory.py [--passages 1000000] [--shards 10] [--out FILE.json]

The collection is made up, in the format of mteb's datasets on the hub (Parquet), in a mirror folder of its own; the
loading runs in a process of its own, so that its peak is its own. Needs the extra `mteb`.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from harness.data.suites.targets import find
from harness.result.environment import machine

README = """---
configs:
- {config_name: corpus, data_files: [{split: corpus, path: "corpus/*.parquet"}]}
- {config_name: queries, data_files: [{split: queries, path: "queries/*.parquet"}]}
- {config_name: default, data_files: [{split: test, path: "qrels/*.parquet"}]}
---
"""
_CHILD = """
import json, resource, sys, time
from pathlib import Path
from harness.data.sources import Origin, load
from harness.workspace import Workspace
import mteb
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
started = time.perf_counter()
(found,) = load("beir/scifact", Workspace.open(Path(sys.argv[2])), origin=Origin("mteb", Path(sys.argv[1]), True))
print(json.dumps({
    "documents": len(found.corpus), "seconds": round(time.perf_counter() - started, 1),
    "peak_mb_after_importing_mteb": before,
    "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
}))
"""


def main() -> None:
    """Make the collection, load it twice, print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, default=1_000_000)
    parser.add_argument("--shards", type=int, default=10)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        mirror, workspace = Path(folder) / "mirror", Path(folder) / "workspace"
        size = write_collection(mirror, options.passages, options.shards)
        first, second = (_loaded(mirror, workspace) for _ in range(2))
    result = {"machine": machine(), "parquet_mb": round(size / 2**20), "first": first, "second": second}
    print(json.dumps(result, indent=1))
    if options.out:
        options.out.write_text(json.dumps(result, indent=1) + "\n")


def write_collection(mirror: Path, passages: int, shards: int) -> int:
    """Passages of some 50 words in Parquet shards; the bytes that were written."""
    (entry,) = find("beir/scifact")
    folder = mirror / "datasets" / entry.mteb.path / entry.mteb.revision
    draw = random.Random(0)
    words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(2, 9))) for _ in range(20_000)]
    (folder / "corpus").mkdir(parents=True)
    (folder / "README.md").write_text(README, "utf-8")
    for shard in range(shards):
        rows = range(shard * passages // shards, (shard + 1) * passages // shards)
        table = {
            "_id": [f"d{row}" for row in rows],
            "title": [" ".join(draw.choices(words, k=3)) for _ in rows],
            "text": [f"{row} " + " ".join(draw.choices(words, k=50)) for row in rows],
        }
        pq.write_table(pa.table(table), folder / "corpus" / f"{shard:03d}.parquet")
    for name, table in {
        "queries": {"_id": ["q1", "q2"], "text": ["one", "two"]},
        "qrels": {"query-id": ["q1", "q2"], "corpus-id": ["d1", "d2"], "score": [1, 1]},
    }.items():
        (folder / name).mkdir()
        pq.write_table(pa.table(table), folder / name / "0.parquet")
    return sum(file.stat().st_size for file in folder.rglob("*.parquet"))


def _loaded(mirror: Path, workspace: Path) -> dict[str, object]:
    command = [sys.executable, "-c", _CHILD, str(mirror), str(workspace)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    main()
