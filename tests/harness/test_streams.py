"""Commands print names of others on any terminal: nothing in a name is obeyed, and no encoding stops a command."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.streams import EscapedStream, plain_output, unescaped
from tests.fixtures import Command
from tests.tiny_collection import Place

ROOT = Path(__file__).parents[2]
ODD = "日本 é \U0001f600"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
@pytest.mark.parametrize("as_json", [False, True], ids=["table", "json"])
def test_a_command_works_with_every_encoding_of_stdout(place: Place, encoding: str, as_json: bool) -> None:
    folder = place.beir(rules=f'name = "{ODD}"\nlanguage = "en"\nnote = "{ODD}"\n')
    command = [sys.executable, "-m", "harness", "run", str(folder), "--first-stage", "tests.fake_adapters:Overlap",
               "--depth", "3", "--workspace", str(place.workspace.path), *(["--json"] if as_json else [])]  # fmt: skip
    left = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHONUTF8"))}
    environment = left | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding}
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode(encoding)
    assert ("日本" if encoding == "utf-8" else r"\u65e5\u672c") in text
    if as_json:
        assert ODD in json.dumps(json.loads(text), ensure_ascii=False)


def test_escapes_in_names_are_not_obeyed(place: Place, command: Command) -> None:
    name = r"a\u001b[2Jb\u202ec"
    folder = place.beir(rules=f'name = "{name}"\nlanguage = "en"\n')
    said = command("run", folder, "--first-stage", "tests.fake_adapters:Overlap", "--depth", 3, "--workspace",
                   place.workspace.path)  # fmt: skip
    assert said.code == 0
    assert "\x1b" not in said.out + said.err and "\u202e" not in said.out + said.err
    assert r"a\u001b[2Jb\u202ec" in said.out


def test_an_error_about_such_a_name_is_one_plain_line(command: Command, tmp_path: Path) -> None:
    said = command("run", f"{tmp_path}/\x1b[31m\u202ex\ny")
    assert said.code == 2 and said.err.count("\n") == 1
    assert said.err.strip().isprintable()


def test_json_stays_the_same_value() -> None:
    out = io.StringIO()
    content = {"name": "\x1b\u202e\x9b\n\t\r\ufeff日本"}
    EscapedStream(out, __import__("harness.streams").streams._OF_OTHERS).write(json.dumps(content, ensure_ascii=False))
    assert json.loads(out.getvalue()) == content and "\u202e" not in out.getvalue()


def test_the_streams_are_restored() -> None:
    before = sys.stdout, sys.stderr, sys.stdout.errors

    @plain_output
    def run() -> bool:
        return unescaped(sys.stdout) is before[0]

    assert run()
    assert (sys.stdout, sys.stderr, sys.stdout.errors) == before
