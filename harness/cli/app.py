"""The application that the commands are added to, and how its errors and exit codes are reported."""

from __future__ import annotations

import os
import re
import sys
import warnings
from typing import Annotated, Any, ClassVar, NoReturn

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from adapters.errors import EnvironmentFailure, HarnessError, UsageError, is_of_environment
from harness.cli import options
from harness.exiting import INTERRUPTED, STOPPED, leave, leave_after
from harness.installation import failed_import
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

    order: ClassVar[tuple[str, ...]] = ()
    """The names of commands that are listed first, in this order."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write a section for each group that has commands."""
        listed = [self.commands[name] for name in self.order]
        listed += [verb for name, verb in self.commands.items() if name not in self.order]
        for group in (*_GROUPS, None):
            verbs = [verb for verb in listed if not verb.hidden and _group_of(verb) == group]
            if verbs:
                with formatter.section(group or "Commands"):
                    formatter.write_dl([(str(verb.name), first_sentence(verb.help or "")) for verb in verbs])


class VerbsWithDefault(Verbs):
    """Runs the command `default` if the first word is no command."""

    default: ClassVar[str]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the name of the default command in front."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [self.default, *args]
        return super().parse_args(ctx, args)


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
    "names. HARNESS_DEVICE sets the device of models that name none, HARNESS_SKETCH_KEY the key of training sketches.",
    help="Evaluate rerankers with numbers that you can trust.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def group(panel: str, name: str, text: str, verbs: type[Verbs] = Verbs) -> typer.Typer:
    """A group of commands, as in `harness train ...`.

    Args:
        panel: its group in the help of `harness`, such as `ADAPT`.
        text: its help.
        verbs: how its commands are listed and called.
    """
    made = typer.Typer(name=name, cls=verbs, help=text, no_args_is_help=True, rich_markup_mode=None)
    app.add_typer(made, rich_help_panel=panel)
    return made


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


@plain_output
def main() -> None:
    """Run the command line. Errors for users are one line; every other error is a bug, with its traceback."""
    try:
        _exit_with(_code())
    except KeyboardInterrupt:
        leave(STOPPED, INTERRUPTED)
    except Exception as error:  # while another error was reported
        leave_after(error)


def _code() -> object:
    """Run the command, and return its exit code."""
    warnings.showwarning = _warn
    try:
        for line in options.retired_variables():
            typer.echo(f"harness: {line}", err=True)
        code = app(standalone_mode=False)
        sys.stdout.flush()
    except HarnessError as error:
        leave(str(error), error.exit_code)
    except TyperException as error:
        _leave_after_usage(error)
    except (typer.Abort, KeyboardInterrupt):
        leave(STOPPED, INTERRUPTED)
    except BrokenPipeError:
        os._exit(0)
    except SystemExit as left:
        if isinstance(left.__context__, BrokenPipeError):  # typer exits with 1, which means a regression here
            os._exit(0)
        leave_after(left)
    except Exception as error:
        if isinstance(error, OSError) or is_of_environment(error):
            from harness.cli.machine_errors import in_one_line

            leave(failed_import(error) or in_one_line(error), EnvironmentFailure.exit_code)
        leave_after(error)
    return code


def _exit_with(code: object) -> NoReturn:
    if code == INTERRUPTED:  # typer's exit code after Ctrl-C
        leave(STOPPED, INTERRUPTED)
    sys.exit(code if isinstance(code, int) else 0)


_WORDS = tuple(
    (re.compile(theirs), ours)
    for theirs, ours in (
        (r"Value error, ", ""),
        (r"Input should be a valid integer\b.*", "a whole number is needed"),
        (r"Input should be a valid number\b.*", "a number is needed"),
        (r"Input should be greater than or equal to (\S+)", r"a number of \1 or more is needed"),
        (rf"Input should be less than or equal to {options.LARGEST}", "a number below 2^63 is needed"),
        (r"Input should be less than or equal to (\S+)", r"a number of at most \1 is needed"),
    )
)
"""What the library says about a wrong value, and our words for it."""


def _leave_after_usage(error: TyperException) -> NoReturn:
    if len(sys.argv) == 1:  # the error message is the whole help
        typer.echo(error.format_message(), err=True)
        sys.exit(UsageError.exit_code)
    _suggest(error)
    message = error.format_message()
    for theirs, ours in _WORDS:
        message = theirs.sub(ours, message)
    leave(message, UsageError.exit_code)


def _suggest(error: TyperException) -> None:
    """Answer an unknown option that is the name of a key with the option that sets the key."""
    from harness.cli.keys import option_for

    wrong, context = getattr(error, "option_name", None), getattr(error, "ctx", None)
    if hasattr(error, "possibilities") and wrong and context and (right := option_for(context.command, wrong)):
        error.possibilities = [right]


def _warn(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
    typer.echo(f"harness: {category.__name__}: {message}", err=True)
