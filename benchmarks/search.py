"""Exact search of stored vectors beside the bare matrix product, in turn, in one process with the same threads.

    python benchmarks/search.py --documents 250000 --dim 1024 --queries 500 --out search.json

Ours opens the store on the disk (its pages are in the file cache), looks the texts up, reads and verifies every vector,
and gives the best rows with exact scores. The product only multiplies vectors that lie in memory: in one call, as
`queries @ corpus.T`, and in blocks of 4,096 rows into one buffer, which is the fastest way found and what ours does
inside. Nothing is selected from it. Private memory is that of ours alone, measured in a process without the corpus.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from adapters.dense import nearest
from adapters.identity import Digests
from adapters.protocols import Floats
from adapters.vectors import VectorStore

KEY, SHARD, BLOCK = "0" * 32, 20_000, 4096


def vectors(count: int, dim: int, seed: int) -> Floats:
    """Random vectors of length 1."""
    made = np.random.default_rng(seed).standard_normal((count, dim), dtype=np.float32)
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    return made


def digests(count: int) -> Digests:
    """As those of different texts."""
    return np.random.default_rng(1).integers(0, 2**64, (count, 2), np.uint64)


def filled(folder: Path, options: argparse.Namespace) -> None:
    """A store on the disk, in shards as a run writes them."""
    store, names = VectorStore(folder, KEY), digests(options.documents)
    for start in range(0, options.documents, SHARD):
        some = names[start : start + SHARD]
        store.append(some, vectors(len(some), options.dim, start + 2))


def searched(folder: Path, options: argparse.Namespace) -> None:
    """What is measured."""
    queries = vectors(options.queries, options.dim, 0)
    nearest(queries, VectorStore(folder, KEY), digests(options.documents), options.depth)


def whole_product(queries: Floats, corpus: Floats) -> None:
    """One call."""
    _ = queries @ corpus.T


def block_product(queries: Floats, corpus: Floats) -> None:
    """Blocks into one buffer."""
    out = np.empty((len(queries), BLOCK), np.float32)
    for start in range(0, len(corpus), BLOCK):
        part = corpus[start : start + BLOCK]
        np.matmul(queries, part.T, out=out[:, : len(part)])


def timed(action: Callable[[], None]) -> tuple[float, float]:
    """Wall-clock and processor seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - wall, time.process_time() - cpu


def private_mb() -> float:
    """Memory of this process that no file backs, in MB."""
    status = Path("/proc/self/status").read_text("ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon:")) / 1024


def memory(folder: Path, options: argparse.Namespace) -> dict[str, float]:
    """The highest private memory of a search beyond what the process had before, sampled every 5 ms."""
    import threading

    before, seen, ended = private_mb(), [0.0], threading.Event()

    def watch() -> None:
        while not ended.wait(0.005):
            seen.append(private_mb())

    thread = threading.Thread(target=watch)
    thread.start()
    searched(folder, options)
    ended.set()
    thread.join()
    return {"private_mb_before": before, "private_mb_of_the_search": max(seen) - before}


def flags() -> list[str]:
    """The flags of the processor that change how fast a product is."""
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    found = next((line for line in lines if line.startswith("flags")), "").split()
    return [flag for flag in found if flag.startswith(("avx", "amx", "fma"))]


def measured(folder: Path, options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Medians of rounds, in turn."""
    queries = vectors(options.queries, options.dim, 0)
    starts = range(0, options.documents, SHARD)
    corpus = np.concatenate([vectors(min(SHARD, options.documents - at), options.dim, at + 2) for at in starts])
    actions: dict[str, Callable[[], None]] = {
        "search": lambda: searched(folder, options),
        "product in one call": lambda: whole_product(queries, corpus),
        "product in blocks": lambda: block_product(queries, corpus),
    }
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in actions}
    for number in range(options.rounds + 1):
        for name, action in actions.items():
            figures = timed(action)
            if number:  # the first round warms up
                found[name].append(figures)
    return {
        name: {"seconds": statistics.median(w for w, _ in all_), "cpu_seconds": statistics.median(c for _, c in all_)}
        for name, all_ in found.items()
    }


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("documents", 250_000), ("dim", 1024), ("queries", 500), ("depth", 100), ("rounds", 5)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--folder", type=Path, help="where to write the store (default: a temporary folder)")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    parser.add_argument("--memory", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory:
        sys.stdout.write(json.dumps(memory(options.memory, options)))
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        filled(Path(folder), options)
        figures = measured(Path(folder), options)
        again = [sys.executable, *sys.argv, "--memory", folder]
        peak = json.loads(subprocess.run(again, check=True, capture_output=True, text=True).stdout)
    report(options, figures, peak)


def report(options: argparse.Namespace, figures: dict[str, dict[str, float]], peak: dict[str, float]) -> None:
    """Print the figures, and write them."""
    ours = figures["search"]
    for name, one in figures.items():
        shares = f"{one['seconds'] / ours['seconds']:6.0%} wall {one['cpu_seconds'] / ours['cpu_seconds']:6.0%} cpu"
        sys.stdout.write(f"{name:24}{one['seconds']:8.2f} s{one['cpu_seconds']:8.2f} cpu s{shares}\n")
    sys.stdout.write(f"private memory of the search: {peak['private_mb_of_the_search']:.0f} MB\n")
    if options.out:
        made_of = {name: getattr(options, name) for name in ("documents", "dim", "queries", "depth", "rounds")}
        machine = {
            "threads": os.environ.get("OMP_NUM_THREADS"), "load_average": os.getloadavg(), "flags": flags(),
            "numpy": np.__version__,
        }  # fmt: skip
        options.out.write_text(json.dumps({**made_of, **machine, **figures, **peak}, indent=2) + "\n")


if __name__ == "__main__":
    main()
