"""Arrays in files. What a user would lose is a number that is read from another place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from adapters.array_file import ArrayFile
from adapters.sums import DamagedFile, NoChecksum, array_in, save_arrays

NUMBERS = np.arange(100, dtype=np.int32)


def test_what_is_appended_is_read_in_any_parts(tmp_path: Path) -> None:
    file = ArrayFile.temporary(np.int32, tmp_path)
    assert file[:].tolist() == file.mapped().tolist() == []
    file.append(NUMBERS[:60])
    assert file[50:70].tolist() == NUMBERS[50:60].tolist()
    file.append(NUMBERS[60:].astype(np.int64))
    assert (len(file), file[58:62].tolist(), file[5:5].tolist()) == (100, [58, 59, 60, 61], [])
    assert file.mapped().tolist() == NUMBERS.tolist()


def test_a_stored_array_is_found_in_its_file(tmp_path: Path) -> None:
    file = tmp_path / "f.npz"
    save_arrays(file, "key", {"one": NUMBERS[::-1], "two": NUMBERS})
    for name, expected in (("one", NUMBERS[::-1]), ("two", NUMBERS)):
        start, dtype, count = array_in(file, "key", name)
        assert ArrayFile(file.open("rb"), dtype, start, count)[10:20].tolist() == expected[10:20].tolist()


@pytest.mark.parametrize("at", range(0, 1200, 37))
def test_a_damaged_array_is_never_found(tmp_path: Path, at: int) -> None:
    file = tmp_path / "f.npz"
    save_arrays(file, "key", {"one": NUMBERS})
    content = bytearray(file.read_bytes())
    content[at % len(content)] ^= 4
    file.write_bytes(content)
    try:
        start, dtype, count = array_in(file, "key", "one")
    except DamagedFile:
        return
    assert np.frombuffer(content, dtype, count, start).tolist() == NUMBERS.tolist()


def test_an_array_of_another_key_or_without_a_checksum_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "f.npz"
    save_arrays(file, "key", {"one": NUMBERS})
    with pytest.raises(DamagedFile):
        array_in(file, "other", "one")
    np.savez(file, one=NUMBERS)
    with pytest.raises(NoChecksum):
        array_in(file, "key", "one")
