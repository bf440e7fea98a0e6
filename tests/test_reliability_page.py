"""The page on reliability shows the results of the batteries as they were measured."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.store_mutations import failures

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "reliability.md").read_text("utf-8")


def result(name: str) -> Any:
    return json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text("utf-8"))


def row(name: str, count: int, failed: int, long: str, short: str) -> str:
    return f"| {name} | {count:,} | {count - failed:,} | {failed:,} | `python {long}` | `{short}` |"


def rows() -> Iterator[str]:
    """The rows of the table, from the files of results."""
    files = result("stored_mutations")
    short = "tests/harness/data/test_stored_mutations.py"
    yield row("faults in files", files["mutations"], len(files["bad"]), "benchmarks/stored_mutations.py", short)
    stores = result("store_mutations")
    for part, name in (("results", "damaged results store"), ("looks", "damaged looks"), ("ledger", "damaged ledger")):
        count = sum(number for counts in stores[part].values() for number in counts.values())
        long, short = "benchmarks/store_mutations.py", "tests/test_store_mutations.py"
        yield row(name, count, failures(stores[part]), long, short)
    for verb, parts in result("kills").items():
        each = parts if isinstance(parts, list) else [parts]
        count = sum(one["killed at a write"] + one.get("killed in a write", 0) for one in each)
        failed = sum(len(one["different"]) for one in each)
        yield row(f"kills of `{verb}`", count, failed, f"benchmarks/kills.py --verb {verb}", "tests/test_kills.py")
    for part, found in result("lost_writes").items():
        name = "power cuts of the stores" if part == "stores" else f"power cuts of `{part}`"
        long, short = f"benchmarks/lost_writes.py --battery {part}", "tests/test_lost_writes.py"
        yield row(name, found["disks"], len(found["different"]), long, short)
    fuzz = result("fuzz")["total"]
    yield row("malformed files", fuzz["inputs"], fuzz["failed"], "-m tests.fuzz --kind all", "tests/fuzz/test_fuzz.py")


def test_the_table_of_batteries_is_that_of_the_results() -> None:
    shown = [line for line in PAGE.splitlines() if "| `python " in line]
    assert shown == list(rows())


@pytest.mark.parametrize("line", list(rows()))
def test_every_battery_has_a_short_and_a_long_form(line: str) -> None:
    *_, long, short, _ = (cell.strip(" `") for cell in line.split("|"))
    script = long.split()[1]
    assert (ROOT / ("tests/fuzz/__main__.py" if script == "-m" else script)).is_file() and (ROOT / short).is_file()


def test_every_folder_and_database_of_a_workspace_is_on_the_page() -> None:
    from harness.workspace import Workspace

    for name, path in vars(Workspace(Path("w"))).items():
        assert name == "path" or f"`{path.relative_to('w')}" in PAGE, name
