"""Every way out has an exit code, and 1 means only that a check or a gate said no. A job would otherwise reject a good
checkpoint because a package is broken or a disk is full."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.errors import DataError, EnvironmentFailure, HarnessError, ModelError, UsageError
from harness.api import measuring
from tests.fixtures import Command
from tests.skips import OPTIONAL
from tests.tiny_collection import FIRST, Place

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "exit-codes.md"


def flags(place: Place) -> list[object]:
    return ["--first-stage", FIRST, "--depth", 5, "--workspace", place.workspace.path]


def fails(error: BaseException) -> Callable[..., object]:
    def raised(*_: object, **__: object) -> object:
        raise error

    return raised


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("x"), 2),
        (ModelError("x"), 3),
        (DataError("x"), 5),
        (EnvironmentFailure("x"), 6),
        (OSError(28, "No space left on device"), 6),
        (PermissionError(13, "Permission denied"), 6),
        (ConnectionError("no route"), 6),
        (MemoryError(), 6),
        (sqlite3.OperationalError("database or disk is full"), 6),
        (sqlite3.DatabaseError("database disk image is malformed"), 70),
        (ModuleNotFoundError("No module named 'x'", name="x"), 6),
        (ImportError("libcudart.so.12: cannot open shared object file", name="torch._C"), 6),
        (ImportError("cannot import name 'run'", name="harness.cli"), 70),
        (HarnessError("x"), 70),
        (RuntimeError("x"), 70),
        (RecursionError("x"), 70),
        (SystemExit(0), 70),
        (SystemExit(1), 70),
        (SystemExit("some library gives up"), 70),
        (KeyboardInterrupt(), 130),
    ],
    ids=repr,
)
def test_every_error_has_its_code(
    place: Place, command: Command, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int
) -> None:
    monkeypatch.setattr(measuring, "experiment", fails(error))
    said = command("run", place.beir(), *flags(place))
    assert (said.code, said.out) == (code, "")
    assert said.err.splitlines()[-1].endswith(f"(exit {code})")
    assert ("Traceback" in said.err) == (code == 70 and not isinstance(error, HarnessError))


def test_an_error_while_an_error_is_reported_is_a_defect(
    place: Place, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Unspeakable(UsageError):
        def __str__(self) -> str:
            raise ValueError("no text")

    monkeypatch.setattr(measuring, "experiment", fails(Unspeakable()))
    assert command("run", place.beir(), *flags(place)).code == 70


def asked(folder: Path, *arguments: str, line: str = "", path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The command in a shell, with another folder before the packages."""
    where = os.pathsep.join(map(str, [*([path] if path else []), ROOT]))
    command = ["bash", "-c", f'"$@" {line}', "bash", sys.executable, "-m", "harness", *arguments]
    environment = {**os.environ, "PYTHONPATH": where, "HF_HUB_OFFLINE": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason=f"{OPTIONAL}: a system with /dev/full")
@pytest.mark.parametrize("line", ["> /dev/full", "> /dev/full 2> /dev/full", ">&- 2>&-"])
def test_output_that_cannot_be_written_is_no_verdict(tmp_path: Path, line: str) -> None:
    assert asked(tmp_path, "list", "adapters", line=line).returncode in {0, 6}
    assert asked(tmp_path, "list", "nothing", line=line).returncode == 2


@pytest.mark.parametrize(
    ("package", "text"),
    [
        ("torch", "raise RuntimeError('CUDA')"),
        ("torch", "raise OSError('libcudart.so.12: cannot open shared object file')"),
        ("transformers", "import nowhere_of_a_test"),
    ],
)
def test_a_library_of_models_that_cannot_be_imported_is_no_verdict(tmp_path: Path, package: str, text: str) -> None:
    from adapters import tiny

    model = tiny.cross_encoder(tmp_path / "model")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / f"{package}.py").write_text(f"{text}\n")
    rerank = ["--first-stage", "bm25", "--reranker", str(model), "--depth", "3", "--sample-queries", "3"]
    done = asked(tmp_path, "run", "demo/en", *rerank, path=tmp_path / "broken")
    assert (done.returncode, "Traceback" in done.stderr) == (6, False), done.stderr
    assert package in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("package", ["typer", "msgspec", "numpy"])
@pytest.mark.parametrize(
    "text", ["raise RuntimeError('broken')", "import nowhere_of_a_test", "raise ImportError('so')"]
)
def test_a_core_package_that_cannot_be_imported_is_no_verdict(tmp_path: Path, package: str, text: str) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / f"{package}.py").write_text(f"{text}\n")
    done = asked(tmp_path, "list", "results", path=tmp_path / "broken")
    assert (done.returncode, done.stderr.count("\n")) == (6, 1), done.stderr


def test_a_module_of_ours_that_cannot_be_imported_is_a_defect(tmp_path: Path) -> None:
    code = (
        "import sys, types; sys.modules['harness.cli.keys'] = types.ModuleType('harness.cli.keys')\n"
        "from harness.__main__ import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, "Traceback" in done.stderr) == (70, True)


def test_the_page_lists_every_code() -> None:
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", PAGE.read_text("utf-8"), re.MULTILINE)}
    assert listed == {0, 1, 2, 3, 4, 5, 6, 70, 130}
