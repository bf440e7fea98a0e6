"""Cut the power at the n-th write, for n = 1, 2, 3, ...: what was reported as stored has to be there, and sound.

    python benchmarks/lost_writes.py [--battery stores] [--every 1] [--seeds 2] [--out FILE.json]

`strace` records the calls of a process. At each call that changes a file, some of the disks that a power cut may leave
are made (`tests/power_cuts.py`): one with only what was synchronised, one that also has all names, and others with a
random part of what was not synchronised.

- stores: a process stores pairs in the ledger, noise and looks in the results store, arrays, sealed files, vectors and
  folders, and reports each. On every disk, all that was reported has to be there, and nothing may be damaged.
- gate, fetch: the command is run again on every disk, and has to leave the same as one that was never cut.

It does not cover disks that report a write as done that they have not done, and file systems that lose what was
synchronised.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.kill_cases import CASES, Case
from tests.lost_writes import check, write
from tests.power_cuts import Call, Disk, Mode, recorded

EVERY = {"stores": 1, "gate": 8, "fetch": 1}
"""Which cuts are tried: a command takes seconds to run again."""


def main() -> int:
    """Cut, print what was found, and exit with 1 if anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--battery", choices=list(EVERY), action="append", help="only this battery; repeatable")
    parser.add_argument("--every", type=int, help="try only every n-th write")
    parser.add_argument("--seeds", type=int, default=2, help="random disks at each write")
    parser.add_argument("--out", type=Path, help="also write the counts, as JSON")
    parser.add_argument("--write", nargs=2, metavar=("BATTERY", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        name, folder = options.write
        CASES[name](Path(folder)).run() if name in CASES else write(Path(folder))
        return 0
    modes: list[tuple[Mode, int]] = [("synced", 0), ("names", 0), *(("some", seed) for seed in range(options.seeds))]
    found = {name: battery(name, options.every or EVERY[name], modes) for name in options.battery or EVERY}
    print(json.dumps(found, indent=1))
    if options.out:
        options.out.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    return int(any(one["different"] for one in found.values()))


def battery(name: str, every: int, modes: Sequence[tuple[Mode, int]]) -> dict[str, Any]:
    """Cut one process at every n-th write."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder).resolve()
        run = _of_stores(place) if name == "stores" else _of_command(CASES[name](place))
        made = recorded([sys.executable, __file__, "--write", name, str(place)], place / "log")
        counted, disks, different = 0, 0, []
        for number, disk, done in _cuts(made, place, every):
            counted += 1
            for mode, seed in modes:
                shutil.rmtree(place / "here")
                (place / "here").mkdir()
                disk.save(place / "here", mode, (seed, number))
                disks += 1
                if wrong := run(done):
                    different.append(f"{number} {mode} {seed}: {wrong}")
                    print(f"{name} {different[-1]}", file=sys.stderr, flush=True)
        return {"writes": number, "every": every, "cuts": counted, "disks": disks, "different": different}


def _cuts(made: Sequence[Call], place: Path, every: int) -> Iterator[tuple[int, Disk, int]]:
    """The number of a write, the disk after it, and how many things the process had reported as stored."""
    disk, reports = Disk(place / "here", place / "start"), str(place / "reports")
    number = done = 0
    for call in made:
        if call.name == "write" and any(str(path) == reports for _, path in call.files()):
            done += 1
        if disk.apply(call):
            number += 1
            if number % every == 0:
                yield number, disk, done


def _of_stores(place: Path) -> Callable[[int], str]:
    for name in ("here", "start"):
        (place / name).mkdir()

    def run(done: int) -> str:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                return check(place, done)
            except Exception as error:  # what the battery looks for
                return f"{type(error).__name__}: {error}"

    return run


def _of_command(case: Case) -> Callable[[int], str]:
    whole = case.whole
    shutil.rmtree(case.here)
    shutil.copytree(case.folder / "start", case.here)
    return lambda _: case.wrong_after_a_kill() or case.continued(whole)


if __name__ == "__main__":
    sys.exit(main())
