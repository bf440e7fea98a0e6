"""What was reported as stored survives a power cut; `benchmarks/lost_writes.py` cuts at every write."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.lost_writes import battery
from tests.power_cuts import Call, Disk, calls, is_possible, recorded
from tests.skips import OPTIONAL

ROOT = Path(__file__).parent.parent
traced = pytest.mark.skipif(not is_possible(), reason=f"{OPTIONAL}: strace, and permission to trace")


def cuts(folder: Path, program: str, mode: str) -> list[object]:
    """The content of the file `name` after a cut at every write of a program that replaces it; None if it is gone."""
    for one in (folder / "here", folder / "start"):
        one.mkdir()
        (one / "name").write_text("old")
    code = f"import os; from pathlib import Path; file = Path({str(folder / 'here' / 'name')!r})\n{program}"
    made = recorded([sys.executable, "-c", code], folder / "log")
    disk, found = Disk(folder / "here", folder / "start"), list[object]()
    for call in made:
        if disk.apply(call):
            left = folder / f"left-{len(found)}"
            left.mkdir()
            disk.save(left, mode, len(found))  # type: ignore[arg-type]
            found.append((left / "name").read_text() if (left / "name").exists() else None)
    return found


CARELESS = "new = file.with_name('new'); new.write_text('new'); new.replace(file)"
CAREFUL = "from adapters.atomic import write_atomically\nwith write_atomically(file) as new: new.write_text('new')"


@traced
@pytest.mark.parametrize(("mode", "last"), [("synced", "old"), ("names", "")])
def test_a_file_that_was_only_renamed_is_lost_or_empty(tmp_path: Path, mode: str, last: str) -> None:
    assert cuts(tmp_path, CARELESS, mode)[-1] == last


@traced
@pytest.mark.parametrize("mode", ["synced", "names", "some"])
def test_a_file_that_was_written_atomically_is_the_old_or_the_new_one(
    tmp_path: Path, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    found = cuts(tmp_path, CAREFUL, mode)
    assert set(found) == {"old", "new"} and found[-1] == "new"


@traced
def test_everything_that_was_reported_as_stored_is_there_after_a_cut() -> None:
    found = battery("stores", 40, [("synced", 0), ("some", 1)])
    assert found["different"] == [] and found["cuts"] > 5


def test_calls_of_threads_are_read_in_the_order_in_which_they_end(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(
        '1 write(3<\\x2f\\x61>, "\\x62" <unfinished ...>\n'
        "2 fsync(3<\\x2f\\x61>)                  = 0\n"
        "1 <... write resumed>, 1)               = 1\n"
        '1 unlink("\\x2f\\x61")                  = -1 ENOENT (No such file or directory)\n'
    )
    assert [one.name for one in calls(log)] == ["fsync", "write"]
    assert list(calls(log))[1].texts() == [b"b"]


def test_a_call_that_cannot_be_replayed_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    path = "".join(f"\\x{byte:02x}" for byte in bytes(tmp_path / "a"))
    with pytest.raises(ValueError, match="does not know the call writev"):
        Disk(tmp_path, tmp_path).apply(Call("writev", f"3<{path}>", 1))
