"""The help of every command can be read on 80 columns, and its examples can be copied into a shell."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from harness.cli.app import app
from harness.cli.help import shell_lines
from tests.fixtures import Command


def commands(group: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, one in group.commands.items():
        yield (*path, name), one
        if hasattr(one, "commands"):
            yield from commands(one, *path, name)


ALL = dict(commands(typer.main.get_command(app)))
VERBS = [path for path, one in ALL.items() if not hasattr(one, "commands")]


def examples(text: str) -> list[list[str]]:
    """The words of the commands that a help text shows."""
    shown = text.partition("Example")[2].replace(" \\\n", " ")
    return [shlex.split(line) for line in shown.splitlines() if line.strip().startswith("harness ")]


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_help_fits_on_80_columns_and_names_no_types_of_python(
    path: tuple[str, ...], command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = command(*path, "--help").out.splitlines()
    assert [line for line in lines if len(line) > 80 and "|" not in line.split()[1]] == []
    assert not [line for line in lines if "list[" in line or "range>" in line or "<str>" in line]


@pytest.mark.parametrize("path", VERBS, ids=" ".join)
def test_examples_are_commands_with_options_that_exist(path: tuple[str, ...], command: Command) -> None:
    found = examples(command(*path, "--help").out)
    known = {name for one in ALL[path].params for name in (*one.opts, *one.secondary_opts)}
    assert found
    for words in found:
        assert tuple(words[1 : len(path) + 1]) == path or words[1] == path[0]
        assert {word for word in words if word.startswith("--")} <= known, words


def test_a_long_example_is_cut_between_options_and_means_the_same() -> None:
    text = "harness run ./a --reranker ./b?x=1 --names 'a file.toml' --depth 50"
    lines = shell_lines(text, 32)
    assert lines == ["harness run ./a", "    --reranker ./b?x=1", "    --names 'a file.toml'", "    --depth 50"]
    assert shlex.split(" ".join(lines)) == shlex.split(text)


def test_a_default_is_named_by_the_option_that_sets_it(command: Command) -> None:
    fit = " ".join(command("train", "fit", "--help").out.split())
    assert "[default: --dropout]" in fit
    assert "--depth N Candidates per query." in fit
    assert "Default: --layers." in " ".join(command("merge", "search", "--help").out.split())
    assert "[default: 0.8; 0.7 to 1.0]" in " ".join(command("overlap", "--help").out.split())


def test_help_of_train_lists_the_steps_in_the_order_in_which_they_are_used(command: Command) -> None:
    """A user reads from the top what to do next."""
    verbs = re.findall(r"^  (\w+)  ", command("train", "--help").out.partition("Commands:")[2], re.MULTILINE)
    assert verbs == ["synthesize", "validate", "mine", "teach", "fit", "adapt", "show", "utility"]
