"""A test that CI skips in silence protects nobody: any reason that is not allowed fails the run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.skips import ALLOWED, is_allowed

ROOT = Path(__file__).parents[1]


def test_the_three_reasons_are_allowed_and_nothing_else() -> None:
    assert all(is_allowed(f"Skipped: {reason}: more") and is_allowed(reason) for reason in ALLOWED)
    assert not is_allowed("Skipped: could not import 'mteb'")
    assert not is_allowed("mteb is installed, and the test does not need data outside the repository")


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("def test_a(): pytest.skip('no chromium')", 1),
        ("pytest.importorskip('no_such_package_at_all')\ndef test_a(): pass", 1),
        ("@pytest.mark.skipif(True, reason='not now')\ndef test_a(): pass", 1),
        ("def test_a(): pytest.skip('needs a GPU')", 0),
        ("@pytest.mark.xfail\ndef test_a(): assert False", 0),
    ],
)
def test_a_strict_run_fails_for_any_other_reason(text: str, status: int, tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(f"import pytest\n{text}\ndef test_b(): pass\n", "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-p", "no:cacheprovider", "--rootdir"]
    strict = [*command, str(tmp_path), "--strict-skips", str(tmp_path / "test_it.py")]
    done = subprocess.run(strict, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    assert ("--strict-skips does not allow" in done.stdout) == bool(status)
