"""Runs the command `harness`, also as `python -m harness`. The command line is imported after the installation is
checked, and an error while it is imported has an exit code too."""

from __future__ import annotations

import sys
from pathlib import Path

from harness.exiting import ENVIRONMENT, INTERRUPTED, STOPPED, leave, leave_after
from harness.installation import ROOT, problem


def main() -> None:
    """Run the command line, or say in one line why it cannot be run."""
    try:
        wrong = problem()
        if wrong is not None:
            leave(wrong, ENVIRONMENT)
        _run()
    except KeyboardInterrupt:
        leave(STOPPED, INTERRUPTED)


def _run() -> None:
    try:
        from harness.cli import main as run
    except Exception as error:
        leave_after(error)
    run()


def _without_working_folder() -> None:
    """Undo what `python -m` does: it puts the working folder first on `sys.path`, so that files there replace modules
    of libraries. The working folder stays if it is the checkout that this program is run from."""
    if sys.flags.safe_path or not sys.path:
        return
    first = Path(sys.path[0]).resolve()
    if first == Path.cwd().resolve() and first != ROOT:
        del sys.path[0]


if __name__ == "__main__":
    _without_working_folder()
    main()
