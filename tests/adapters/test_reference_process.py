"""The process that asks sentence-transformers leaves nothing behind, and takes nothing from where it is started."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from adapters import reference, tiny
from adapters.reference import NoReference, ReferenceCall, reference_scores

fcntl = pytest.importorskip("fcntl", reason="locks tell when a process is gone")
pytest.importorskip("sentence_transformers", reason="the reference needs the extra 'models'")

PAIRS = np.array([[0, 0]])
SLOW = """
import fcntl, os, pathlib, time
here = pathlib.Path(__file__).parent
lock = open(here / "lock", "w")
fcntl.flock(lock, fcntl.LOCK_EX)
(here / "started").write_text("")
os.write(2, b"started\\n")
time.sleep(60)
(here / "lived on").write_text("")
"""
"""A sentence-transformers that takes a minute to load, and holds a lock as long as its process lives."""
ASK = """
import sys, numpy
from adapters.reference import ReferenceCall, reference_scores
reference_scores(ReferenceCall("CrossEncoder", sys.argv[1], None), ["a secret"], ["b"], numpy.array([[0, 0]]))
"""
ROOT = Path(__file__).parents[2]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return tiny.cross_encoder(tmp_path / "model", seed=3)


@pytest.fixture
def slow(tmp_path: Path) -> Path:
    """A folder with a slow sentence-transformers, for PYTHONPATH."""
    folder = tmp_path / "slow"
    folder.mkdir()
    (folder / "sentence_transformers.py").write_text(SLOW)
    return folder


def wait_for_the_end(folder: Path) -> None:
    """Return when the process that holds the lock is gone."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
    assert not (folder / "lived on").exists(), "the process computed on"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL, signal.SIGINT])
def test_it_ends_with_the_run_and_no_text_stays_on_the_disk(
    tmp_path: Path, model: Path, slow: Path, how: signal.Signals
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(slow), str(ROOT)]), "TMPDIR": str(temporary)}
    run = subprocess.Popen([sys.executable, "-c", ASK, str(model)], env=environment, stderr=subprocess.DEVNULL)
    while not (slow / "started").exists():
        assert run.poll() is None
    assert list(temporary.iterdir()) == []
    run.send_signal(how)
    assert run.wait() != 0
    wait_for_the_end(slow)
    assert list(temporary.iterdir()) == []


def test_it_ends_when_its_input_is_closed(model: Path, slow: Path) -> None:
    """Where the system does not tie a process to its parent, this does."""
    call = {"kind": "CrossEncoder", "folder": str(model), "tokens": [], "pickle": False, "chat_template": None}
    request = {"call": {**call, "device": None}, "queries": ["a"], "documents": ["b"], "pairs": [[0, 0]], "path": []}
    with subprocess.Popen(
        [sys.executable, "-P", str(reference._PROCESS)],
        env={**os.environ, "PYTHONPATH": str(slow)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.flush()
        assert process.stderr.readline() == b"started\n"
        process.stdin.close()
        wait_for_the_end(slow)
        assert process.stdout.read() == b""
        assert process.wait() == 1


def test_it_has_a_limit_and_the_reason_says_so(model: Path, slow: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(slow))
    monkeypatch.setattr(reference, "_SECONDS", 0)
    monkeypatch.setattr(reference, "_SECONDS_A_PAIR", 0)
    with pytest.raises(NoReference, match="it took longer than 0 minutes"):
        reference_scores(ReferenceCall("CrossEncoder", str(model), None), ["a"], ["b"], PAIRS)


def test_folders_of_the_working_directory_are_not_imported(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("adapters", "harness", "sentence_transformers", "torch", "json"):
        (tmp_path / "project" / name).mkdir(parents=True)
        (tmp_path / "project" / name / "__init__.py").write_text("raise RuntimeError('the wrong one')")
    monkeypatch.chdir(tmp_path / "project")
    found = reference_scores(ReferenceCall("CrossEncoder", str(model), None), ["a"], ["b"], PAIRS)
    assert found.scores.shape == (1,)


def test_libraries_are_found_where_they_were_found_here(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a notebook that adds a folder to its path."""
    (tmp_path / "added").mkdir()
    (tmp_path / "added" / "only_here.py").write_text("")
    (tmp_path / "first").mkdir()
    (tmp_path / "first" / "sentence_transformers.py").write_text("import only_here\nraise ValueError('found')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "first"))
    monkeypatch.syspath_prepend(str(tmp_path / "added"))
    with pytest.raises(NoReference, match="ValueError: found"):
        reference_scores(ReferenceCall("CrossEncoder", str(model), None), ["a"], ["b"], PAIRS)


def test_what_libraries_print_is_no_answer(tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sitecustomize.py").write_text("import atexit\natexit.register(print, 'bye')")
    (tmp_path / "sentence_transformers.py").write_text("print('hello', flush=True)\nraise ValueError('two\\nlines')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(NoReference, match="ValueError: two lines"):
        reference_scores(ReferenceCall("CrossEncoder", str(model), None), ["a"], ["b"], PAIRS)


def test_a_process_that_is_killed_says_by_what(tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sentence_transformers.py").write_text("import os\nos.kill(os.getpid(), 9)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(NoReference, match="its process was ended by SIGKILL"):
        reference_scores(ReferenceCall("CrossEncoder", str(model), None), ["a"], ["b"], PAIRS)


def test_scores_that_are_not_finite_are_no_reference(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "_answered", lambda *_: b'{"scores": [NaN]}')
    with pytest.raises(NoReference, match="not finite"):
        reference_scores(ReferenceCall("CrossEncoder", str(model), None), ["a"], ["b"], PAIRS)
