"""The front door. Each verb loads the rooms that it needs when it is called, so that help answers at once."""

from harness.cli import running, looking, check, compare, gate, why, reproduce, overlap  # noqa: I001  (the order of the verbs in the help)
from harness.cli.app import app, main

__all__ = ["app", "check", "compare", "gate", "looking", "main", "overlap", "reproduce", "running", "why"]
