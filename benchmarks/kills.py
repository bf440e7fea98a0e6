"""Kill `gate`, `adapt` and `fetch` at the n-th write, for n = 1, 2, 3, ..., and run them again after each kill.

    python benchmarks/kills.py [--verb gate] [--every 7] [--first 400] [--out FILE.json]

A write is an opened, renamed, removed or synchronised file, a folder, or a statement that changes a database. Then the
same is done in the middle of writes: the kernel kills the process when a file becomes larger than some bytes. The
command that is run again has to leave the same bytes as one that was never killed, with every look counted once.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.kill_cases import CASES, Case

SIZES = (1, 100, 1_000, 4_096, 10_000, 32_768, 65_536, 100_000, 150_000, 300_000, 1_000_000)
EVERY = {"gate": 1, "fetch": 1, "adapt": 25}
"""Which writes are tried: an adaptation makes thousands."""


def main() -> int:
    """Kill, print what was found, and exit with 1 if anything differed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--verb", choices=list(CASES), action="append", help="only this verb; repeatable")
    parser.add_argument("--every", type=int, help="try only every n-th write")
    parser.add_argument("--first", type=int, default=1, help="begin with this write")
    parser.add_argument("--out", type=Path, help="also write the counts, as JSON")
    options = parser.parse_args()
    found = {verb: _verb(verb, options.first, options.every or EVERY[verb]) for verb in options.verb or CASES}
    print(json.dumps(found, indent=1))
    if options.out:
        options.out.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    return int(any(one["different"] for one in found.values()))


def _verb(verb: str, first: int, every: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        one = CASES[verb](Path(folder))
        writes = one.writes
        at_writes = list(_killed(verb, "write", one.at_write, range(first, writes + 1, every)))
        sizes = [size for size in SIZES if size >= _smallest(one)]
        in_writes = list(_killed(verb, "size", one.at_size, sizes))
    return {
        "writes": writes, "first": first, "every": every,
        "killed at a write": len(at_writes), "killed in a write": len(in_writes),
        "different": [f"{number}: {line}" for number, line in (*at_writes, *in_writes) if line],
    }  # fmt: skip


def _smallest(one: Case) -> int:
    """The kernel also counts files that were there before."""
    return max((file.stat().st_size for file in (one.folder / "start").rglob("results.sqlite")), default=0)


def _killed(
    verb: str, word: str, kill: Callable[[int], str | None], numbers: Iterable[int]
) -> Iterator[tuple[int, str]]:
    """Every number with the difference that it made, until no kill comes."""
    for number in numbers:
        different = kill(number)
        if different is None:
            return
        print(f"{verb} {word} {number}: {different or 'the same'}", file=sys.stderr, flush=True)
        yield number, different


if __name__ == "__main__":
    sys.exit(main())
