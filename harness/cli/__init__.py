"""The front door. Each verb loads the rooms that it needs when it is called, so that help answers at once."""

# The order of the verbs in the help.
# isort: off
from harness.cli import running, looking, check, latency, compare, gate, why, reproduce, overlap
from harness.cli import report, board, history, export, submit, import_

# isort: on
from harness.cli.app import app, main

__all__ = [
    "app",
    "board",
    "check",
    "compare",
    "export",
    "gate",
    "history",
    "import_",
    "latency",
    "looking",
    "main",
    "overlap",
    "report",
    "reproduce",
    "running",
    "submit",
    "why",
]
