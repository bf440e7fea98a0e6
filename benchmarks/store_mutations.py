"""What becomes of damaged stores: every mutation has to end in right figures or in one line.

    python benchmarks/store_mutations.py [--store 600] [--looks 1000] [--ledger 2000] [--seed 0] [--out FILE.json]

A mutation flips bytes, cuts the file, overwrites or exchanges pages, or changes rows through SQL. The results store is
then read as tables, boards and comparisons read it. The looks of the gate are read as a gate reads them: a look that is
missing is a wrong figure, because it would give its alpha back. The ledger is asked for every pair; a known pair has to
have its own score. Exits with 1 if a figure is wrong or an error is not one line.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from adapters.errors import HarnessError
from adapters.identity import text_digests
from harness.judging.gate import reservations
from harness.judging.gate.looks import Look, LookLog, SystemRecord
from harness.judging.gate.policy import LookBudget, Policy
from harness.judging.gate.reservations import LookRequest, NoLookLeft
from harness.result.gathered import view
from harness.result.store import Results
from harness.scoring.ledger.store import Entries, Ledger
from tests.stored_board import MadeCollection, MadeSystem, store

Mutation = Callable[[Path, random.Random], None]
Figures = Mapping[object, object]
SAME, LINE, FEWER = "right figures", "one line", "right figures, fewer of them"
WRONG, TRACEBACK = "wrong figures", "traceback"
QUERIES = text_digests(f"query {number}" for number in range(30))
DOCUMENTS = text_digests(f"document {number}" for number in range(100))
_SPENT = tuple(f"c{number}" for number in range(12))
"""Collections whose only look is spent."""
PAIRS = np.stack([np.arange(3000) // 100, np.arange(3000) % 100], axis=1)


def flipped(path: Path, chance: random.Random) -> None:
    """Change some bytes."""
    data = bytearray(path.read_bytes())
    for _ in range(chance.choice([1, 1, 3, 30])):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    path.write_bytes(data)


def cut(path: Path, chance: random.Random) -> None:
    """Cut the file."""
    with path.open("r+b") as file:
        file.truncate(chance.randrange(path.stat().st_size))


def _page_size(data: bytes) -> int:
    return int.from_bytes(data[16:18], "big") or 65536


def zeroed(path: Path, chance: random.Random) -> None:
    """Overwrite a page with zeros."""
    data = bytearray(path.read_bytes())
    size = _page_size(data)
    page = chance.randrange(len(data) // size)
    data[page * size : (page + 1) * size] = bytes(size)
    path.write_bytes(data)


def exchanged(path: Path, chance: random.Random) -> None:
    """Write a page in another's place, or exchange two."""
    data = bytearray(path.read_bytes())
    size = _page_size(data)
    one, other = (chance.randrange(1, len(data) // size) * size for _ in range(2))
    first, second = data[one : one + size], data[other : other + size]
    data[one : one + size] = second
    if chance.random() < 0.5:
        data[other : other + size] = first
    path.write_bytes(data)


def foreign_rows(path: Path, chance: random.Random) -> None:
    """Change, delete, copy or exchange rows, as other programs would."""
    with closing(sqlite3.connect(path)) as database, database:
        tables = [row[0] for row in database.execute("select name from sqlite_master where type = 'table'")]
        table = chance.choice([one for one in tables if database.execute(f"select 1 from {one}").fetchone()])
        columns = [row[1] for row in database.execute(f"pragma table_info({table})")]
        rows = database.execute(f"select * from {table}").fetchall()
        row, other, place = chance.choice(rows), chance.choice(rows), chance.randrange(len(columns))
        where = " and ".join(f"{column} is ?" for column in columns)
        kind = chance.choice(["change", "take", "delete", "null"])
        if kind == "delete":
            database.execute(f"delete from {table} where {where}", row)
            return
        value = {"change": _changed(row[place], chance), "take": other[place], "null": None}[kind]
        try:
            database.execute(f"update or replace {table} set {columns[place]} = ? where {where}", (value, *row))
        except sqlite3.IntegrityError:
            return


def _changed(value: object, chance: random.Random) -> object:
    if isinstance(value, bytes) and value:
        at = chance.randrange(len(value))
        return value[:at] + bytes([value[at] ^ 1 << chance.randrange(8)]) + value[at + 1 :]
    if isinstance(value, str) and value:
        at = chance.randrange(len(value))
        return value[:at] + chance.choice("aZ0\u00e9\x00") + value[at + 1 :]
    return chance.choice([0, -1, 7, 0.25, 1e300, "text", b"\xff"])


MUTATIONS: Sequence[Mutation] = (flipped, cut, zeroed, exchanged, foreign_rows)


def figures_of_store(workspace: Path) -> Figures:
    """Everything that tables, boards and comparisons show of a store."""
    found: dict[object, object] = {}
    for one in view(workspace, revisions=True).results:
        key = (one.id, one.measure)
        facts = (one.system, one.collection, one.stored.identity, one.stored.audit, one.stored.controls)
        found[key] = (one.value, one.values.tobytes(), one.ids, repr(facts))
        found |= {(*key, name): value for name, value in vars(one.timing).items() if value}
    with Results(workspace / "results.sqlite") as results:
        for stored in results.all():
            found[stored.id] = repr(stored)
            noise = {(stored.id, "noise", name): results.noise(stored.id, name) for name in stored.means}
            found |= {key: value for key, value in noise.items() if value is not None}
    return found


def figures_of_ledger(workspace: Path) -> Figures:
    """The known pairs of a ledger."""
    with warnings.catch_warnings(), Ledger(workspace / "ledger.sqlite") as ledger:
        warnings.simplefilter("ignore")
        found = {}
        for name in ("one", "other"):
            known, entries = ledger.known(ledger.scorer({"name": name}), QUERIES, DOCUMENTS, PAIRS)
            rows = zip(np.flatnonzero(known).tolist(), entries.score[known].tolist(), entries.kept[known], strict=True)
            found |= {(name, place): (score, int(kept)) for place, score, kept in rows}
    return found


def figures_of_looks(workspace: Path) -> Figures:
    """The looks, and whether a gate could reserve one of a budget that is spent."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        log = LookLog(workspace / "results.sqlite")
        return {"looks": repr(log.all()), **{name: _is_free(log, name) for name in _SPENT}}


def _is_free(log: LookLog, collection: str) -> bool:
    request = LookRequest.of(Policy(looks=LookBudget("1", 1)), "gate", [collection], "another")
    try:
        with log.reserved(request, log):
            return True
    except NoLookLeft:
        return False


def make_looks(workspace: Path) -> None:
    """A store of one look on each of some collections, and a reservation."""
    workspace.mkdir()
    log = LookLog(workspace / "results.sqlite")
    for number, collection in enumerate(_SPENT):
        sides = [SystemRecord(name, (f"{name}-{number}",), 0.5) for name in ("anchor", "candidate")]
        plain = {"measure": "nDCG@10", "policy": "p", "verdict": "pass", "figures": {"costs": [], "macro": 0.5}}
        log.keep(
            Look("1", "gate", f"s{number}", (collection,), anchor=sides[0], candidate=sides[1], alpha=0.05, **plain)
        )  # type: ignore[arg-type]
    with Results(workspace / "results.sqlite") as results:
        reservations.insert(results, reservations.Reservation.of(LookRequest.of(Policy(), "gate", ["free"], "running")))


def make_store(workspace: Path) -> None:
    """A store of a few pages, with times, noise and a mark, all with checksums."""
    systems = [MadeSystem(None, 0.4), *(MadeSystem(name, 0.5, speed=100.0) for name in "abcd")]
    store(workspace, systems, [MadeCollection(f"mine/{name}") for name in "xyz"])
    with Results(workspace / "results.sqlite") as results:
        for one in list(results.all())[:4]:
            results.keep_noise(one.id, next(iter(one.means)), 0.01)
            results.keep_latency(one.id, 0.1, 0.2, megabytes=None, queries=4)
        results.complete_sums()


def make_ledger(workspace: Path) -> None:
    """A ledger of two rerankers, in two parts per query."""
    workspace.mkdir()
    with Ledger(workspace / "ledger.sqlite") as ledger:
        for salt, name in enumerate(("one", "other")):
            for part in (PAIRS[::2], PAIRS[1::2]):
                entries = Entries.unknown(len(part))
                entries.score[:] = part[:, 0] * 100 + part[:, 1] + salt / 2
                entries.kept[:] = part[:, 1]
                ledger.record(ledger.scorer({"name": name}), QUERIES, DOCUMENTS, part, entries)


STORES: Mapping[str, tuple[Callable[[Path], None], Callable[[Path], Figures]]] = {
    "results": (make_store, figures_of_store),
    "looks": (make_looks, figures_of_looks),
    "ledger": (make_ledger, figures_of_ledger),
}
"""How each store is made and read."""


def outcome(read: Callable[[], Figures], sound: Figures) -> str:
    """What became of one mutation."""
    try:
        found = read()
    except HarnessError as error:
        return LINE if "\n" not in str(error) else TRACEBACK
    except Exception as error:
        return f"{TRACEBACK}: {type(error).__name__}"
    if found == sound:
        return SAME
    return FEWER if all(key in sound and sound[key] == value for key, value in found.items()) else WRONG


def battery(made: Path, read: Callable[[Path], Figures], count: int, seed: int) -> dict[str, dict[str, int]]:
    """Count the outcomes of `count` mutations by kind of mutation."""
    sound = read(made)
    found: dict[str, Counter[str]] = {mutation.__name__: Counter() for mutation in MUTATIONS}
    for number in range(count):
        mutation, chance = MUTATIONS[number % len(MUTATIONS)], random.Random(f"{seed}-{number}")
        with tempfile.TemporaryDirectory() as folder:
            for file in made.glob("*.sqlite"):
                Path(folder, file.name).write_bytes(file.read_bytes())
            (path,) = Path(folder).glob("*.sqlite")
            mutation(path, chance)
            found[mutation.__name__][outcome(lambda: read(Path(folder)), sound)] += 1
    return {name: dict(sorted(counts.items())) for name, counts in found.items()}


def failures(found: Mapping[str, Mapping[str, int]]) -> int:
    """The number of mutations that ended neither in right figures nor in one line."""
    return sum(count for counts in found.values() for name, count in counts.items() if name not in {SAME, LINE, FEWER})


def run(counts: Mapping[str, int], seed: int) -> dict[str, dict[str, dict[str, int]]]:
    """The batteries, each with a number of mutations.

    Args:
        counts: by the name of the battery.
    """
    found = {}
    with tempfile.TemporaryDirectory() as name:
        for part, count in counts.items():
            make, read = STORES[part]
            make(Path(name, part))
            found[part] = battery(Path(name, part), read, count, seed)
    return found


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("--store", 600), ("--looks", 1000), ("--ledger", 2000), ("--seed", 0)):
        parser.add_argument(name, type=int, default=default)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    found = run({"results": chosen.store, "looks": chosen.looks, "ledger": chosen.ledger}, chosen.seed)
    print(json.dumps(found, indent=1))
    if chosen.out:
        chosen.out.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    sys.exit(any(failures(one) for one in found.values()))


if __name__ == "__main__":
    main()
