"""How help is written: the kinds of values, the defaults, and examples that can be copied into a shell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from typer.core import TyperCommand

from harness.cli.options import LARGEST

_KINDS = {"str": "TEXT", "path": "PATH", "Path": "PATH", "int": "N", "float": "X"}
_KIND = re.compile(r"<(?:list\[)?(str|path|Path|int|float)(?: range)?\]?>$")
_DEFAULT = re.compile(r"\[(env var: \w+)?(?:; )?(?:default: ([^;\]]+))?(?:; )?([^;\]]*x[<>][^;\]]*)?\]$")
_INDENT = "    "


class Verb(TyperCommand):
    """A command whose help names values as TEXT, PATH, N (a whole number) or X (any number)."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments and the options."""
        for title, kind in (("Arguments", "argument"), ("Options", "option")):
            named = [one for one in self.get_params(ctx) if one.param_type_name == kind]
            rows = [_row(kind, *record) for one in named if (record := one.get_help_record(ctx))]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the examples. Long ones continue on lines that a shell reads as one command."""
        for paragraph in (self.epilog or "").split("\n\n"):
            text = " ".join(paragraph.split())
            if not text.startswith("harness "):
                formatter.write_paragraph()
                formatter.write_text(text)
            else:
                lines = " \\\n".join(shell_lines(text, formatter.width - 2 * len(_INDENT)))
                formatter.write("".join(f"{_INDENT}{line}\n" for line in lines.split("\n")))


def shell_lines(command: str, width: int) -> list[str]:
    """Cut a command into lines of at most this width, if possible, between options and not within one."""
    lines = [""]
    for part in _parts(command, width - len(_INDENT)):
        if lines[-1].strip() and len(lines[-1]) + 1 + len(part) > width:
            lines.append(_INDENT)
        lines[-1] += f"{' ' if lines[-1].strip() else ''}{part}"
    return lines


def _parts(command: str, width: int) -> Iterator[str]:
    """The options of a command with their values, and its words where these are too long for a line."""
    for part in re.split(r" (?=--)", command):
        yield from [part] if len(part) <= width else part.split(" ")


def _row(kind: str, name: str, text: str) -> tuple[str, str]:
    name = name.rpartition(" <")[0] or name if kind == "argument" else _KIND.sub(lambda one: _KINDS[one[1]], name)
    off = re.search(r" / (--no-\S+)", name)
    return name, _DEFAULT.sub(lambda found: _bounds(found, off[1] if off else ""), text)


def _bounds(found: re.Match[str], off: str) -> str:
    """What typer adds to a help text, in words: variable, default and bounds."""
    variable, default, bounds = found.groups()
    if default and off:
        default = f"--{default}"
    bounds = re.sub(rf"(\S+?)<=x<={LARGEST}", r"\1 or more", bounds or "")
    bounds = re.sub(r"(\S+?)<=x<=(\S+)", r"\1 to \2", bounds)
    parts = (variable, default and f"default: {default}", bounds)
    return f"[{'; '.join(one for one in parts if one)}]"
