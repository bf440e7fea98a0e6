"""The command line. Each command imports the packages that it needs when it is called, so that help is fast.

To add a command, add a module to this folder, or call `harness.cli.verb.verb`. Nothing else has to change.
"""

from importlib import import_module
from pkgutil import iter_modules

from harness.cli.app import app, main

__all__ = ["app", "main"]

_FIRST = (
    "running", "looking", "check", "latency", "compare", "gate", "why", "reproduce", "overlap", "report", "board",
    "history", "export", "submit", "import_", "train", "train_synthesize", "train_validate", "train_mine",
    "train_teach", "train_show", "train_utility", "train_adapt", "merge", "merge_search", "convert", "forget",
)  # fmt: skip
"""The order of the commands in the help. Modules that are not named here come after these, by name."""

for _name in dict.fromkeys([*_FIRST, *sorted(one.name for one in iter_modules(__path__))]):
    import_module(f"{__name__}.{_name}")
