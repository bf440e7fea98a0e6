"""The pair ledger beside a plain SQLite table with one row per pair, in the same run.

    python benchmarks/ledger.py --pairs 1000000 --out ledger.json

Both stores get the same pairs in the same order and answer the same look-ups in another, random order. Every step runs
in a process of its own, so that its peak memory is its own; making the inputs is not timed. The ledger keeps 36 bytes a
pair (digest, score, token counts, input digest), the plain table 20 (key and score).
"""

from __future__ import annotations

import argparse
import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from adapters.identity import Digests
from adapters.protocols import IndexPairs
from harness.scoring.ledger.store import Entries, Ledger

DEPTH = 100
CHUNK = 100_000
ROWS_PER_COMMIT = 1000
PAYLOAD_BYTES = {"ledger": 36, "row per pair": 20}
IDENTITY = {"kind": "benchmark"}
Request = tuple[Digests, Digests, IndexPairs]
Step = Callable[[Path, Request], None]


def request(pairs: int) -> Request:
    """Queries with 100 candidates each, in the order in which a harness scores them."""
    random = np.random.default_rng(1)
    queries = random.integers(0, 2**64, (-(-pairs // DEPTH), 2), np.uint64)
    documents = random.integers(0, 2**64, (max(pairs // 4, DEPTH), 2), np.uint64)
    rows = np.arange(pairs)
    # A step of 7919 through the documents: the candidates of a query differ, and documents are shared by queries.
    return queries, documents, np.stack([rows // DEPTH, rows * 7919 % len(documents)], axis=1)


def shuffled(made: Request) -> Request:
    """The same pairs in a random order."""
    queries, documents, pairs = made
    return queries, documents, pairs[np.random.default_rng(2).permutation(len(pairs))]


def scores(made: Request) -> np.ndarray:
    """A score that follows from the pair, so that a look-up can be checked."""
    pairs = made[2]
    return ((pairs[:, 0] * 31 + pairs[:, 1] * 17) % 10007).astype(np.float32) / 7


def ledger_insert(path: Path, made: Request) -> None:
    """Record chunk by chunk, one transaction each."""
    queries, documents, pairs = made
    score = scores(made)
    with Ledger(path) as ledger:
        scorer = ledger.scorer(IDENTITY)
        for first in range(0, len(pairs), CHUNK):
            part = score[first : first + CHUNK]
            tokens = np.full(len(part), 120, np.int32)
            entries = Entries(part, tokens, tokens, np.arange(len(part), dtype=np.uint64))
            ledger.record(scorer, queries, documents, pairs[first : first + CHUNK], entries)


def ledger_look_up(path: Path, made: Request) -> None:
    """One call for everything."""
    with Ledger(path) as ledger:
        known, entries = ledger.known(ledger.scorer(IDENTITY), *made)
    if not known.all() or not np.array_equal(entries.score, scores(made)):
        raise SystemExit("the ledger gave back other scores than it was given")


def row_keys(made: Request) -> list[bytes]:
    """16 bytes a pair, as a table of single pairs would be keyed; mixing them is not what is compared here."""
    queries, documents, pairs = made
    mixed = queries[pairs[:, 0]] * np.uint64(0x9E3779B97F4A7C15) ^ documents[pairs[:, 1]]
    packed = mixed.tobytes()
    return [packed[start : start + 16] for start in range(0, len(packed), 16)]


def rows_insert(path: Path, made: Request) -> None:
    """A row per pair, a commit per thousand."""
    rows = list(zip(row_keys(made), scores(made).tolist(), strict=True))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("CREATE TABLE score(pair BLOB PRIMARY KEY, score REAL) WITHOUT ROWID")
        for first in range(0, len(rows), ROWS_PER_COMMIT):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT OR IGNORE INTO score VALUES (?, ?)", rows[first : first + ROWS_PER_COMMIT])
            connection.execute("COMMIT")


def rows_look_up(path: Path, made: Request) -> None:
    """A prepared look-up per pair."""
    sql = "SELECT score FROM score WHERE pair = ?"
    with closing(sqlite3.connect(path)) as connection:
        found = [connection.execute(sql, (key,)).fetchone()[0] for key in row_keys(made)]
    if not np.array_equal(np.array(found, np.float32), scores(made)):
        raise SystemExit("the table gave back other scores than it was given")


STEPS: dict[str, dict[str, Step]] = {
    "ledger": {"insert": ledger_insert, "look_up": ledger_look_up},
    "row per pair": {"insert": rows_insert, "look_up": rows_look_up},
}


def run_step(store: str, step: str, path: Path, pairs: int) -> dict[str, float]:
    """Seconds of one step, and the memory it needed beyond its inputs."""
    made = request(pairs)
    made = shuffled(made) if step == "look_up" else made
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    STEPS[store][step](path, made)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"seconds": seconds, "peak_mb": peak / 1024, "peak_beyond_inputs_mb": (peak - before) / 1024}


def measured(store: str, folder: Path, pairs: int) -> dict[str, float]:
    """Both steps of one store, each in a fresh process."""
    path = folder / f"{store.replace(' ', '_')}.sqlite"
    figures: dict[str, float] = {}
    for step in STEPS[store]:
        command = [sys.executable, __file__, "--pairs", str(pairs), "--step", store, step, str(path)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        figures |= {f"{step}_{name}": value for name, value in json.loads(done.stdout).items()}
    figures["bytes_per_pair"] = path.stat().st_size / pairs
    figures["bytes_per_payload_byte"] = figures["bytes_per_pair"] / PAYLOAD_BYTES[store]
    return figures


def table(results: dict[str, dict[str, float]]) -> str:
    """Rows are figures, columns the two stores and the row-per-pair figure over the ledger's."""
    ours, theirs = results.values()
    lines = [f"{'':32}{'ledger':>12}{'row per pair':>14}{'ratio':>8}"]
    lines += [f"{name:32}{ours[name]:12.3f}{theirs[name]:14.3f}{_ratio(theirs[name], ours[name]):>8}" for name in ours]
    return "\n".join(lines)


def _ratio(theirs: float, ours: float) -> str:
    return f"{theirs / ours:.1f}x" if ours else "-"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="where to write the stores (default: a temporary folder)")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    parser.add_argument("--step", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        store, step, path = options.step
        sys.stdout.write(json.dumps(run_step(store, step, Path(path), options.pairs)))
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        results = {store: measured(store, Path(folder), options.pairs) for store in STEPS}
        with Ledger(Path(folder) / "ledger.sqlite") as ledger:
            payload = ledger.payload_bytes() / options.pairs
    sys.stdout.write(f"{options.pairs} pairs, payload {payload:.1f} bytes a pair\n{table(results)}\n")
    if options.out:
        options.out.write_text(
            json.dumps({"pairs": options.pairs, "payload_bytes_per_pair": payload, **results}, indent=2)
        )


if __name__ == "__main__":
    main()
