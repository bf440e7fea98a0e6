"""What holds for every test: no hub, no settings of the user's, the same examples in every run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from tests.skips import DATA, is_allowed

os.environ["HF_HUB_OFFLINE"] = "1"
for name in [name for name in os.environ if name.startswith("HARNESS_")]:
    del os.environ[name]

settings.register_profile("same-every-time", deadline=None, derandomize=True)
settings.load_profile("same-every-time")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real collections beside the repository; a test that needs them is skipped where they are not."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"{DATA}: no real collections at {folder}")
    return folder


_refused: list[str] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--strict-skips` is for CI: a test that is skipped for want of a package protects nobody."""
    parser.addoption("--strict-skips", action="store_true", help="Fail where a test is skipped for any other reason.")


def _note(report: pytest.CollectReport | pytest.TestReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not is_allowed(reason):
            _refused.append(f"{report.nodeid}: {reason}")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _note(report)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    _note(report)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if _refused and session.config.getoption("--strict-skips"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if _refused and config.getoption("--strict-skips"):
        terminalreporter.section("skipped for a reason that --strict-skips does not allow", red=True)
        for line in _refused:
            terminalreporter.line(line)
