"""The packages that Python finds are those of this program. AdapterHub's package on PyPI is called `adapters` too: pip
writes both into one folder, and a user would see a traceback, or a job that reads it as "refused"."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness import installation
from harness.checks.doctor import examine, exit_code_of
from harness.workspace import Workspace

ROOT = Path(__file__).parents[3]
THEIR_INIT = '__version__ = "1.3.0"\nfrom adapters.configuration.adapter_config import MultiTaskConfig\n'
THEIR_FILES = {"composition.py": "", "model_mixin.py": "", "loading.py": "", "configuration/__init__.py": ""}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the five packages, as in `site-packages`."""
    folder = tmp_path_factory.mktemp("site")
    for name in installation.PACKAGES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "sample"))
    return folder


@pytest.fixture
def site(packages: Path, tmp_path: Path) -> Path:
    """The same, to be changed: only `adapters` is a copy."""
    site = tmp_path / "site"
    site.mkdir()
    for name in installation.PACKAGES:
        if name == "adapters":
            shutil.copytree(packages / name, site / name)
        else:
            shutil.copytree(packages / name, site / name, copy_function=os.link)
    return site


def asked(site: Path, *arguments: str, before: Path | None = None) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(map(str, [*([before] if before else []), site]))
    return subprocess.run(
        [sys.executable, "-m", "harness", *arguments], cwd=site.parent, env={**os.environ, "PYTHONPATH": path},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (6, "", 1), done.stderr
    return done.stderr


def test_ours_alone_are_found(site: Path) -> None:
    assert asked(site, "list", "adapters").returncode == 0


def test_adapterhub_installed_over_ours_is_one_line(site: Path) -> None:
    write(site / "adapters", {**THEIR_FILES, "__init__.py": THEIR_INIT})
    assert "AdapterHub" in one_line(asked(site, "list", "adapters"))


def test_adapterhub_installed_before_ours_is_one_line(site: Path) -> None:
    """Ours work, but `pip uninstall adapters` would remove files of ours."""
    write(site / "adapters", {"composition.py": ""})
    assert "an environment of its own" in one_line(asked(site, "run", "demo"))


def test_the_record_that_pip_keeps_is_enough(site: Path) -> None:
    (site / "adapters-1.3.0.dist-info").mkdir()
    assert "adapters-1.3.0.dist-info" in one_line(asked(site, "--help"))


def test_a_package_with_a_longer_name_is_none_of_that(site: Path) -> None:
    (site / "adapters_of_others-1.3.0.dist-info").mkdir()
    assert asked(site, "list", "adapters").returncode == 0


@pytest.mark.parametrize("name", ["adapters", "reports", "training"])
def test_another_package_earlier_on_the_path_is_one_line(site: Path, tmp_path: Path, name: str) -> None:
    write(tmp_path / "other" / name, {"__init__.py": "raise RuntimeError\n"})
    assert f"'import {name}' finds" in one_line(asked(site, "list", "adapters", before=tmp_path / "other"))


def test_a_missing_file_of_ours_is_one_line(site: Path) -> None:
    """What `pip uninstall adapters` leaves behind."""
    (site / "adapters" / "errors.py").unlink()
    assert "pip install --force-reinstall rerank-harness" in one_line(asked(site, "list", "adapters"))


def test_python_says_it_too(site: Path) -> None:
    write(site / "adapters", {**THEIR_FILES, "__init__.py": THEIR_INIT})
    code = "import harness\ntry: harness.run\nexcept ImportError as error: print(error)"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], env={**os.environ, "PYTHONPATH": str(site)}, cwd=site.parent,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "AdapterHub" in done.stdout


def test_the_doctor_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from harness.checks import doctor

    workspace = Workspace(tmp_path / "none")
    monkeypatch.setattr(doctor, "problem", lambda: "pip mixed files")
    (found,) = [one for one in examine(workspace) if one.subject == "packages of this program"]
    assert (found.state, exit_code_of([found])) == ("broken", 6)
    monkeypatch.setattr(doctor, "problem", lambda: None)
    monkeypatch.setattr(doctor, "adapterhub", lambda: Path("elsewhere/adapters"))
    (found,) = [one for one in examine(workspace) if one.subject == "packages of this program"]
    assert (found.state, exit_code_of([found])) == ("warning", 0)


def test_no_file_of_ours_has_a_name_by_which_adapterhub_is_recognised() -> None:
    assert installation.problem() is None
