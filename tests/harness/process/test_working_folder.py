"""Code runs only when it is asked for. Whoever runs the harness in a folder of downloads, of somebody else's code or of
a pull request would otherwise execute what lies there under the name of an optional package."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from adapters import tiny

ROOT = Path(__file__).parents[3]
SCRIPT = "import sys; sys.argv[0] = 'harness'; from harness.__main__ import main; main()"
OPTIONAL = ("accelerate", "deepspeed", "flash_attn", "kernels", "bitsandbytes", "tensorflow", "optree", "adapters")
"""Packages that libraries of models import if they find them, and the name of one of ours."""
STANDARD = ("json", "traceback", "typing_extensions", "torch", "transformers", "numpy")
"""Modules that are there, and may not be replaced. `python -m` itself imports a few others from the working folder."""


def as_module(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`python -m harness` in a folder, with the packages where they are."""
    return started([sys.executable, "-m", "harness"], folder, *arguments)


def as_script(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What pip's script `harness` does: the working folder is not on `sys.path`."""
    return started([sys.executable, "-P", "-c", SCRIPT], folder, *arguments)


def started(command: list[str], folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}
    return subprocess.run(
        [*command, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """A folder with code under the names of packages, and entry points of a package, each of which leaves a marker."""
    folder = tmp_path / "planted"
    folder.mkdir()
    mark = f"open({str(tmp_path / 'marker')!r}, 'a').write(__name__ + '\\n')\n"
    for name in (*OPTIONAL, *STANDARD, "evil_of_a_test"):
        (folder / f"{name}.py").write_text(f"{mark}def start(): pass\n")
    info = folder / "evil_of_a_test-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: evil_of_a_test\nVersion: 1.0\n")
    groups = ("torch.backends", "harness.adapters", "pandas_plotting_backends")
    (info / "entry_points.txt").write_text("".join(f"[{one}]\nevil = evil_of_a_test:start\n" for one in groups))
    (folder / "words.py").write_text(WORDS)
    return folder


WORDS = '''"""A reranker of the working folder, with a module of its own."""
import numpy as np
from helper_of_words import score_of

class Words:
    def score(self, queries, documents, pairs):
        return np.array([score_of(queries[q], documents[d]) for q, d in pairs], np.float32)
'''


def marks(folder: Path) -> str:
    marker = folder.parent / "marker"
    return marker.read_text() if marker.exists() else ""


@pytest.mark.parametrize("start", [as_module, as_script])
def test_a_run_with_a_model_executes_nothing_of_the_working_folder(planted: Path, start: object) -> None:
    model = tiny.cross_encoder(planted.parent / "model")
    rerank = ["--first-stage", "bm25", "--reranker", str(model), "--depth", "3", "--sample-queries", "3"]
    done = start(planted, "run", "demo/en", *rerank)  # type: ignore[operator]
    assert done.returncode == 0, done.stderr
    assert marks(planted) == ""


def test_a_comparison_with_sentence_transformers_executes_nothing_of_it(planted: Path) -> None:
    pytest.importorskip("sentence_transformers", reason="the reference needs the extra 'models'")
    model = tiny.cross_encoder(planted.parent / "model")
    done = as_module(planted, "check", str(model), "--reference", "sentence-transformers", "--pairs", "6")
    assert "sentence-transformers" in done.stdout, done.stderr
    assert marks(planted) == ""


def test_lists_and_help_execute_nothing_of_it(planted: Path) -> None:
    for arguments in (["--help"], ["list", "adapters"], ["doctor"]):
        assert as_module(planted, *arguments).returncode == 0
    assert marks(planted) == ""


def test_a_class_of_the_working_folder_runs_with_its_modules_and_replaces_none_of_a_library(planted: Path) -> None:
    (planted / "helper_of_words.py").write_text("def score_of(q, d): return len(set(q.split()) & set(d.split()))\n")
    rerank = ["--first-stage", "bm25", "--reranker", "words:Words", "--depth", "3", "--sample-queries", "3"]
    done = as_module(planted, "run", "demo/en", *rerank)
    assert done.returncode == 0, done.stderr
    assert not set(marks(planted).split()) & {*STANDARD, "adapters", "evil_of_a_test"}


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("def broken(:", 3, "SyntaxError"),
        ("raise KeyError('x')", 3, "words.py:1: KeyError: 'x'"),
        ("import a_missing_package_of_a_test", 6, "pip install a_missing_package_of_a_test"),
        ("Other = 1", 2, "the module 'words' has no 'Words'"),
    ],
)
def test_a_class_that_cannot_be_imported_is_one_line(planted: Path, text: str, code: int, message: str) -> None:
    (planted / "words.py").write_text(text)
    done = as_module(planted, "run", "demo/en", "--first-stage", "bm25", "--reranker", "words:Words")
    last = done.stderr.splitlines()[-1]
    assert (done.returncode, "Traceback" in done.stderr) == (code, False)
    assert message in last
    assert last.endswith(f"(exit {code})")


def test_asking_another_interpreter_for_its_versions_executes_nothing_of_it(planted: Path) -> None:
    code = "from adapters.own_code_client import versions_of; print(versions_of(sys.executable)['python'])"
    done = started([sys.executable, "-P", "-c", f"import sys; {code}"], planted)
    assert done.returncode == 0, done.stderr
    assert marks(planted) == ""
