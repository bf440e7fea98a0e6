"""The application that the commands are added to, and how its errors and exit codes are reported."""

from __future__ import annotations

import os
import re
import sys
import traceback
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from adapters.errors import HarnessError, UsageError
from harness.cli import options
from harness.streams import plain_output

MEASURE = "Measure"
COMPARE = "Compare and decide"
SHOW = "Show and exchange"
ADAPT = "Adapt"
WORKSPACE = "Workspace"
"""The groups of commands in the help, in this order."""

_GROUPS = (MEASURE, COMPARE, SHOW, ADAPT, WORKSPACE)


class Verbs(TyperGroup):
    """Lists the commands by group, each with the whole first sentence of its help."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write a section for each group that has commands."""
        for group in (*_GROUPS, None):
            verbs = [verb for verb in self.commands.values() if not verb.hidden and _group_of(verb) == group]
            if verbs:
                with formatter.section(group or "Commands"):
                    formatter.write_dl([(str(verb.name), first_sentence(verb.help or "")) for verb in verbs])


def first_sentence(text: str) -> str:
    """Return the first sentence of a help text, on one line."""
    paragraph = " ".join(text.strip().partition("\n\n")[0].split())
    return re.split(r"(?<=\.) (?=[A-Z])", paragraph)[0]


def _group_of(verb: Any) -> str | None:
    group = getattr(verb, "rich_help_panel", None)
    return group if isinstance(group, str) else None


app = typer.Typer(
    name="harness",
    cls=Verbs,
    epilog="Environment variables: HARNESS_WORKSPACE, HARNESS_MIRROR and HARNESS_JSON set the options of the same "
    "names. HARNESS_DEVICE sets the device of models that name none.",
    help="Evaluate rerankers with numbers that you can trust.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"rerank-harness {version('rerank-harness')}")
        raise typer.Exit


@app.callback()
def _options_of_all(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


_STOPPED = "stopped; run the same command again to continue"


@plain_output
def main() -> None:
    """Run the command line. Errors for users are one line; every other error is a bug of this package."""
    warnings.showwarning = _warn
    for line in options.retired_variables():
        typer.echo(f"harness: {line}", err=True)
    sys.path.append(str(Path.cwd()))  # a plug-in in the current folder can be named as module:Class
    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()
    except HarnessError as error:
        _complain(str(error), error.exit_code)
    except TyperException as error:
        if len(sys.argv) == 1:  # the error message is the whole help
            typer.echo(error.format_message(), err=True)
            sys.exit(UsageError.exit_code)
        _complain(error.format_message(), UsageError.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        _complain(_STOPPED, 130)
    except BrokenPipeError:
        os._exit(0)
    except SystemExit as left:
        if isinstance(left.__context__, BrokenPipeError):  # typer exits with 1, which means a regression here
            os._exit(0)
        raise
    except OSError as error:
        _complain(f"{error}; finished work is kept, run the same command again", HarnessError.exit_code)
    except Exception:
        traceback.print_exc()
        _complain("this is a bug in rerank-harness; please report the lines above", HarnessError.exit_code)
    else:
        if code == 130:  # typer's exit code after Ctrl-C
            _complain(_STOPPED, 130)
        sys.exit(code if isinstance(code, int) else 0)


def _warn(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
    typer.echo(f"harness: {category.__name__}: {message}", err=True)


def _complain(message: str, code: int) -> None:
    typer.echo(f"harness: {' '.join(message.splitlines())} (exit {code})", err=True)
    sys.exit(code)
