"""A full disk is named: a user would lose the hours in which he looks for the disk that has to be freed."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from adapters import full_disk
from adapters.array_file import ArrayFile
from adapters.atomic import new_folder, write_atomically
from adapters.full_disk import full_message, naming_full_disk

LARGE = 1 << 20


def plainly(file: Path) -> None:
    file.write_bytes(bytes(LARGE))


def with_arrow(file: Path) -> None:
    import pyarrow as pa

    with pa.OSFile(str(file), "wb") as out:
        out.write(bytes(LARGE))


def with_numpy(file: Path) -> None:
    with file.open("wb") as out:
        np.save(out, np.zeros(LARGE))


def with_safetensors(file: Path) -> None:
    save = pytest.importorskip("safetensors.numpy").save_file
    save({"a": np.zeros(LARGE)}, file)


@pytest.fixture
def little_space() -> Iterator[None]:
    """No file may have more than 64 KiB. The system then refuses a write as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("little_space")
@pytest.mark.parametrize("write", [plainly, with_arrow, with_numpy, with_safetensors])
def test_whatever_library_writes_a_file_the_error_names_it(tmp_path: Path, write: object) -> None:
    file = tmp_path / "kept"
    with pytest.raises(OSError) as caught, write_atomically(file) as unfinished:
        write(unfinished)  # type: ignore[operator]
    assert caught.value.errno in {*full_disk.FULL, errno.EIO} and caught.value.filename == str(file)


@pytest.mark.usefixtures("little_space")
@pytest.mark.parametrize("write", [plainly, with_arrow, with_numpy, with_safetensors])
def test_an_error_in_a_new_folder_names_the_folder(tmp_path: Path, write: object) -> None:
    with pytest.raises(OSError) as caught, new_folder(tmp_path / "kept") as unfinished:
        write(unfinished / "file")  # type: ignore[operator]
    assert caught.value.errno in {*full_disk.FULL, errno.EIO} and caught.value.filename == str(tmp_path / "kept")


@pytest.mark.usefixtures("little_space")
def test_a_temporary_file_is_named_by_its_folder(tmp_path: Path) -> None:
    numbers = ArrayFile.temporary(np.int64, tmp_path)
    with pytest.raises(OSError, match=str(tmp_path)):
        numbers.append(np.zeros(LARGE))
        numbers[:1]


def test_a_write_that_fails_without_a_number_counts_where_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = OSError("1048576 requested and 4096 written")
    with pytest.raises(OSError) as other, naming_full_disk(tmp_path / "file"):
        raise error
    assert (other.value.errno, other.value.filename) == (errno.EIO, str(tmp_path / "file"))
    monkeypatch.setattr(full_disk, "has_no_space", lambda _: True)
    with pytest.raises(OSError) as caught, naming_full_disk(tmp_path / "file"):
        raise error
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(tmp_path / "file"))


@pytest.mark.parametrize("error", [OSError(errno.EACCES, "Permission denied"), ValueError("wrong"), KeyError("a")])
def test_other_errors_stay_what_they_are(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(type(error)) as caught, naming_full_disk(tmp_path / "file"):
        raise error
    assert caught.value is error and getattr(error, "filename", None) is None


def test_the_line_says_which_disk_to_free(tmp_path: Path) -> None:
    said = full_message(str(tmp_path / "file"), "No space left on device")
    assert said == (
        f"{tmp_path}/file: the disk is full (No space left on device); finished work is kept; free some space on the "
        f"disk of {tmp_path} and run the same command again"
    )
    assert f"the disk of {tmp_path} and" in full_message(str(tmp_path), "No space left on device")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_output_that_cannot_be_written_is_called_standard_output(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "harness", "--help"],
            env=os.environ | {"HARNESS_WORKSPACE": str(tmp_path)},
            cwd=Path(__file__).parents[2],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 6 and "standard output" in done.stderr and "the disk is full" in done.stderr
