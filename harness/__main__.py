"""Runs the command `harness`, also as `python -m harness`. The command line is imported after the installation is
checked, and an error while it is imported has an exit code too."""

from __future__ import annotations

import os
import sys


def _without_working_folder() -> None:
    """Undo what `python -m` does: it puts the working folder first on `sys.path`, so that files there replace modules
    of libraries. The working folder stays if it is the checkout that this program is run from."""
    folder, checkout = os.path.realpath(os.curdir), os.path.dirname(os.path.dirname(os.path.realpath(__file__)))  # noqa: PTH120
    if not sys.flags.safe_path and sys.path and os.path.realpath(sys.path[0]) == folder != checkout:
        del sys.path[0]


if __name__ == "__main__":
    _without_working_folder()  # before anything else is imported

from harness.exiting import ENVIRONMENT, INTERRUPTED, STOPPED, ensure_streams, leave, leave_after  # noqa: E402
from harness.installation import problem  # noqa: E402


def main() -> None:
    """Run the command line, or say in one line why it cannot be run."""
    ensure_streams()
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


if __name__ == "__main__":
    main()
