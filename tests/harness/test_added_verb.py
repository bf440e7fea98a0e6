"""A command is written in one place: whoever adds one finds it in the help, with options, errors and exit codes like
those of every other."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer

from adapters.errors import DataError, UsageError
from harness.cli import app, options
from harness.cli.app import COMPARE, WORKSPACE
from harness.cli.verb import GROUPS, taken, verb
from tests.fixtures import Command

ROOT = Path(__file__).parents[2]
ERRORS: dict[str, Callable[[str], Exception]] = {"data": DataError, "usage": UsageError, "bug": RuntimeError}


@pytest.fixture
def _count_words() -> Iterator[None]:
    """A command that a plug-in adds."""

    @verb(COMPARE, epilog="Example:\n\n    harness count-words 'two words'")
    def count_words(text: str, fail: str = "", as_json: options.AsJson = False) -> None:
        """Count the words of a text. Not more than that."""
        if fail:
            raise ERRORS[fail](f"{text}: it cannot be counted")
        typer.echo(f'{{"words": {len(text.split())}}}' if as_json else len(text.split()))

    yield
    app.registered_commands.pop()


@pytest.mark.usefixtures("_count_words")
def test_a_verb_that_is_registered_once_is_in_its_group_of_the_help(command: Command) -> None:
    said = command("--help")
    group = said.out.partition(f"{COMPARE}:\n")[2].partition("\n\n")[0]
    assert "  count-words" in group and "Count the words of a text." in group and "Not more" not in group
    assert "harness count-words 'two words'" in command("count-words", "--help").out
    assert "Did you mean" in command("count-word", "x").err


@pytest.mark.usefixtures("_count_words")
def test_it_prints_like_every_other_verb(command: Command) -> None:
    assert command("count-words", "one two three").out == "3\n"
    assert command("count-words", "one two", "--json").out == '{"words": 2}\n'


@pytest.mark.parametrize(("fail", "code"), [("data", 5), ("usage", 2), ("bug", 70)])
@pytest.mark.usefixtures("_count_words")
def test_its_errors_have_their_line_and_their_exit_code(fail: str, code: int, command: Command) -> None:
    said = command("count-words", "a text", "--fail", fail)
    assert (said.code, said.out) == (code, "")
    last = said.err.splitlines()[-1]
    assert last.endswith(f"(exit {code})")
    assert ("a text: it cannot be counted" in last) == (fail != "bug")
    assert ("Traceback" in said.err) == (fail == "bug")


@pytest.mark.usefixtures("_count_words")
def test_two_verbs_never_share_a_name() -> None:
    def again() -> None:
        """Do it again."""

    for name in ("run", "list", "train", "count-words"):
        with pytest.raises(ValueError, match=f"a command '{name}' exists already; choose another name"):
            verb(WORKSPACE, name)(again)


def test_a_verb_that_the_help_could_not_show_is_refused() -> None:
    def silent() -> None:
        pass

    with pytest.raises(ValueError, match="the help has no group 'Mine'; use one of Measure, Compare and decide"):
        verb("Mine")
    with pytest.raises(ValueError, match="the command 'silent' needs a docstring"):
        verb(WORKSPACE)(silent)
    assert "silent" not in taken()


def test_a_module_of_the_folder_needs_no_other_line(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from harness.cli.app import WORKSPACE\n"
        "from harness.cli.verb import verb\n"
        "@verb(WORKSPACE)\n"
        "def mine() -> None:\n"
        "    'Do what the others do not.'\n",
        "utf-8",
    )  # fmt: skip
    code = (
        f"import pkgutil, sys; sys.argv = ['harness', '--help']; found = pkgutil.iter_modules\n"
        f"pkgutil.iter_modules = lambda path: [*found(path), *found([{str(tmp_path)!r}])]\n"
        f"import importlib.util as util\n"
        f"spec = util.spec_from_file_location('harness.cli.mine', {str(tmp_path / 'mine.py')!r})\n"
        "class Finder:\n"
        "    find_spec = staticmethod(lambda name, *_: spec if name == 'harness.cli.mine' else None)\n"
        "sys.meta_path.append(Finder)\n"
        "from harness.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "  mine     Do what the others do not." in done.stdout, done.stderr
    assert done.stdout.index("  convert") < done.stdout.index("  mine"), "the verbs of the project come first"


def test_every_verb_is_in_a_group_of_the_help(command: Command) -> None:
    shown = command("--help").out
    assert [group for group in GROUPS if f"\n{group}:\n" not in shown] == []
    assert "\nCommands:\n" not in shown
    assert [name for name in taken() if f"\n  {name} " not in shown] == []
