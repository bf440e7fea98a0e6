"""How a command is added to the command line: a function, decorated with its group in the help."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from harness.cli.app import ADAPT, COMPARE, MEASURE, SHOW, WORKSPACE, app
from harness.cli.help import Verb

GROUPS = (MEASURE, COMPARE, SHOW, ADAPT, WORKSPACE)
Function = TypeVar("Function", bound=Callable[..., None])


def verb(group: str, name: str | None = None, *, epilog: str = "") -> Callable[[Function], Function]:
    """Register a function as a command. Its parameters are the arguments and options, as typer reads them, and its
    docstring is the help. A `HarnessError` that it raises becomes one line and the exit code of the error.

    Args:
        group: the group in the help, one of `GROUPS`.
        name: the name of the command. Default: the name of the function, with '-' for '_'.
        epilog: the examples under the help.

    Raises:
        ValueError: another command has the name, the group is unknown, or the function has no docstring.
    """
    if group not in GROUPS:
        raise ValueError(f"the help has no group '{group}'; use one of {', '.join(GROUPS)}")

    def registered(function: Function) -> Function:
        called = name or function.__name__.replace("_", "-")
        if called in taken():
            raise ValueError(f"a command '{called}' exists already; choose another name")
        if not function.__doc__:
            raise ValueError(f"the command '{called}' needs a docstring, which is its help")
        return app.command(called, cls=Verb, rich_help_panel=group, epilog=epilog or None)(function)

    return registered


def taken() -> set[str]:
    """The names of all commands and groups of commands."""
    commands = {str(one.name) for one in app.registered_commands}
    return commands | {str(one.typer_instance.info.name) for one in app.registered_groups if one.typer_instance}
