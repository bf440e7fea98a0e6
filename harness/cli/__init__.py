"""The command line. Each command imports the packages that it needs when it is called, so that help is fast."""

# The order of the commands in the help.
# isort: off
from harness.cli import running, looking, check, latency, compare, gate, why, reproduce, overlap
from harness.cli import report, board, history, export, submit, import_
from harness.cli import train, train_synthesize, train_validate, train_mine, train_teach, train_show, train_utility
from harness.cli import train_adapt, merge, convert, forget

# isort: on
from harness.cli.app import app, main

__all__ = [
    "app",
    "board",
    "check",
    "compare",
    "convert",
    "export",
    "forget",
    "gate",
    "history",
    "import_",
    "latency",
    "looking",
    "main",
    "merge",
    "overlap",
    "report",
    "reproduce",
    "running",
    "submit",
    "train",
    "train_adapt",
    "train_mine",
    "train_show",
    "train_synthesize",
    "train_teach",
    "train_utility",
    "train_validate",
    "why",
]
