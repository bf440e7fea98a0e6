"""Whose fault an error is. A CI job reads it from the exit code: what it should do next depends on whether the model,
the data or the machine is to blame."""

from __future__ import annotations

import errno
import os
import sqlite3
import sys
import urllib.error
from pathlib import Path

import pytest

from adapters.errors import (
    DataError,
    EnvironmentFailure,
    HarnessError,
    MissingExtra,
    ModelError,
    UsageError,
    class_of,
    class_of_fetch,
    damaged,
    need,
)
from harness import exiting


def of_sqlite(statement: str, file: Path) -> sqlite3.Error:
    with pytest.raises(sqlite3.Error) as caught:
        database = sqlite3.connect(file)
        try:
            database.execute(statement)
        finally:
            database.close()
    return caught.value


def classes(kind: type[HarnessError]) -> list[type[HarnessError]]:
    return [kind, *(found for inner in kind.__subclasses__() for found in classes(inner))]


def test_every_class_has_its_exit_code_and_none_has_1() -> None:
    codes = {kind.exit_code for kind in classes(HarnessError)}
    assert codes == {2, 3, 5, 6, 70}
    assert (UsageError.exit_code, ModelError.exit_code, DataError.exit_code) == (2, 3, 5)
    assert EnvironmentFailure.exit_code == MissingExtra.exit_code == exiting.ENVIRONMENT == 6
    assert HarnessError.exit_code == exiting.DEFECT == 70


@pytest.mark.parametrize("name", ["EACCES", "EPERM", "EROFS", "ENOSPC", "EDQUOT", "EIO", "EMFILE", "ENOMEM"])
def test_what_the_system_refuses_is_a_failure_of_the_machine(name: str) -> None:
    number = getattr(errno, name)
    assert class_of(OSError(number, os.strerror(number)), DataError) is EnvironmentFailure


@pytest.mark.parametrize(
    "error", [FileNotFoundError(2, "no"), IsADirectoryError(21, "no"), EOFError(), ValueError("x"), OSError("cut off")]
)
def test_what_a_file_is_or_lacks_is_no_failure_of_the_machine(error: Exception) -> None:
    assert class_of(error, DataError) is DataError


@pytest.mark.parametrize(
    "error", [ConnectionResetError(), TimeoutError(), MemoryError(), urllib.error.URLError("no route")]
)
def test_no_connection_and_no_memory_are_failures_of_the_machine(error: Exception) -> None:
    assert class_of(error, ModelError) is EnvironmentFailure


def test_a_full_accelerator_is_a_failure_of_the_machine() -> None:
    torch = pytest.importorskip("torch", reason="torch needs the extra 'models'")
    assert class_of(torch.OutOfMemoryError("CUDA out of memory"), ModelError) is EnvironmentFailure


def test_the_cause_of_an_error_counts() -> None:
    error = RuntimeError("the library says something else")
    error.__cause__ = ConnectionError("no route")
    assert class_of(error, DataError) is EnvironmentFailure


def test_a_database_that_is_none_is_bad_data_and_one_that_cannot_be_opened_is_not(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"no database " * 100)
    assert class_of(of_sqlite("select * from t", tmp_path / "text"), DataError) is DataError
    assert class_of(of_sqlite("select * from t", tmp_path / "new"), DataError) is DataError
    assert class_of(of_sqlite("select 1 from t", tmp_path / "none" / "x"), DataError) is EnvironmentFailure


def test_a_hub_without_the_model_is_told_from_a_hub_that_does_not_answer() -> None:
    hub = pytest.importorskip("huggingface_hub.errors", reason="the hub's client needs the extra 'models'")
    absent = hub.RepositoryNotFoundError.__new__(hub.RepositoryNotFoundError)
    gated = hub.GatedRepoError.__new__(hub.GatedRepoError)
    assert class_of_fetch(absent, ModelError) is ModelError
    assert class_of_fetch(hub.HFValidationError("no name"), ModelError) is ModelError
    for error in (gated, hub.LocalEntryNotFoundError("offline"), OSError("no route")):
        assert class_of_fetch(error, ModelError) is EnvironmentFailure


def test_a_file_that_may_not_be_read_is_not_called_damaged() -> None:
    assert str(damaged("f", OSError(13, "Permission denied"), "delete it")) == (
        "f: cannot be read ([Errno 13] Permission denied)"
    )
    assert str(damaged("f", ValueError("odd"), "delete it")) == "f: damaged (odd); delete it"


@pytest.mark.parametrize("line", ["raise RuntimeError('a wrong version of CUDA')", "import a_missing_module_of_a_test"])
def test_a_broken_package_is_named_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    (tmp_path / "broken_package_of_a_test.py").write_text(f"{line}\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        EnvironmentFailure, match=r"is installed but cannot be imported .*pip install --force-reinstall"
    ):
        need("broken_package_of_a_test", "models", "a test")
    assert "broken_package_of_a_test" not in sys.modules


def test_a_package_that_is_not_there_is_named_with_its_extra() -> None:
    with pytest.raises(
        MissingExtra, match=r"a test needs the package 'nowhere_of_a_test': pip install 'rerank-harness\["
    ):
        need("nowhere_of_a_test.inner", "models", "a test")
