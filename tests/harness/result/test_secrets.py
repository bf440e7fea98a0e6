"""What is stored and shown with a result names no secret and no home folder, and its id is what it was."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from harness.judging.gate.looks import LookLog, SystemRecord
from harness.result.environment import command_line
from harness.result.secrets import is_secret, public, public_command, public_values, without_secrets
from harness.result.store import Results
from tests.earlier_store import without_sums
from tests.tiny_collection import Place
from training.job import finish

HUB = "hf_" + "aBcDeFgH" * 4
OPENAI = "sk-" + "a1B2c3D4" * 5


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["harness", "run", "/home/ada/data"], "harness run ~/data"),
        (["/home/ada/.venv/bin/harness", "run", "onnx:/home/ada/m"], "~/.venv/bin/harness run onnx:~/m"),
        (["harness", "run", "--out=/home/ada"], "harness run --out=~"),
        (["harness", "run", "/home/ada/my data"], "harness run ~/'my data'"),
        (["harness", "run", "/home/adam/data", "/mnt/home/ada/x"], "harness run /home/adam/data /mnt/home/ada/x"),
        (
            ["harness", "x", "chat:http://ada:pw@host:8000/v1?model=m"],
            "harness x 'chat:http://***@host:8000/v1?model=m'",
        ),
        (["harness", "x", "https://host/v1?api_key=abc&model=m"], "harness x 'https://host/v1?api_key=***&model=m'"),
        (["harness", "x", "mine:Api?token=abc&max_tokens=64"], "harness x 'mine:Api?token=***&max_tokens=64'"),
        (["harness", "x", "--api-key", "abc", "--depth", "5"], "harness x --api-key *** --depth 5"),
        (["harness", "x", "--password=my own words"], "harness x --password=***"),
        (["harness", "x", "--batch-tokens", "4096"], "harness x --batch-tokens 4096"),
        (["harness", "x", "chat:http://h/v1?key_variable=MY_KEY"], "harness x 'chat:http://h/v1?key_variable=MY_KEY'"),
        (["harness", "x", HUB, f"a:b?x={OPENAI}"], "harness x *** 'a:b?x=***'"),
    ],
)
def test_a_command_is_shown_without_secrets_and_without_the_home_folder(arguments: list[str], shown: str) -> None:
    assert public_command(arguments) == shown


@pytest.mark.parametrize(
    "name", ["key", "token", "password", "secret", "api_key", "--hf-token", "apiKey", "X-Amz-Signature", "sig"]
)
def test_names_of_secrets(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize("name", ["max_tokens", "--batch-tokens", "key_variable", "monkey", "tokenizer", "model"])
def test_names_of_other_things(name: str) -> None:
    assert not is_secret(name)


@pytest.mark.parametrize(
    "text",
    [
        "run miracl/sw --reranker BAAI/bge-reranker-v2-m3@main?max_length=512&dtype=float32",
        "http://127.0.0.1:8000/v1?model=Qwen/Qwen3@1",
        "http://[::1]:8000/v1@rev",
        "Given basic questions, find documents that answer them",
        "./sk-legal-documents-2024 hf_mirror task-key.jsonl a token of thanks",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert without_secrets(text) == text


@pytest.mark.parametrize(
    "planted",
    [
        "https://ada:pass/word@host/x", "https://onlytoken@host/x", "postgres://u:p%40w@host", f"Bearer {OPENAI}",
        "Authorization: Bearer abcdef123456", "X-Api-Key: planted", "--token planted", "--all --api-key=planted",
        "?X=1&access_token=planted#a",
        "hf_planted1234", "sk-proj-planted_x-y", "ghp_" + "a1" * 18, "API_KEY=planted",
    ],
)  # fmt: skip
def test_planted_secrets_are_hidden_in_any_text(planted: str) -> None:
    shown = without_secrets(f"see {planted} there")
    assert "***" in shown
    for secret in ("planted", "word", "onlytoken", "p%40w", "abcdef123456", OPENAI, "a1a1"):
        assert secret not in shown.replace("***", "")


def test_a_stored_command_is_clean_and_the_id_is_of_the_same_result(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = place.evaluations()[0].id
    place.workspace.results.unlink()
    monkeypatch.setattr(sys, "argv", ["harness", "run", "/home/ada/x", "--hf-token", HUB, "http://a:b@host/"])
    assert command_line() == "harness run ~/x --hf-token *** http://***@host/"
    assert place.evaluations()[0].id == before
    with closing(sqlite3.connect(place.workspace.results)) as database:
        assert database.execute("select distinct command from evaluation").fetchall() == [(command_line(),)]


def test_a_command_that_an_earlier_release_stored_is_shown_clean(place: Place) -> None:
    place.evaluations()
    with closing(sqlite3.connect(place.workspace.results)) as database, database:
        without_sums(database)
        database.execute("update evaluation set command = ?", (f"harness run /home/ada/x --token {HUB}",))
    with Results(place.workspace.results) as results:
        assert {one.command for one in results.all()} == {"harness run ~/x --token ***"}


def test_a_look_names_its_systems_without_secrets_and_keeps_its_id(tmp_path: Path) -> None:
    from harness.judging.gate.looks import Look

    seen = Look(
        release="1", tier="gate", split="s", collections=("c",), measure="RR@10", anchor=SystemRecord("a", ("e",), 0.5),
        candidate=SystemRecord(f"mine:Api?api_key={OPENAI}", ("f",), 0.5), policy="p", verdict="pass", alpha=0.01,
        figures={"costs": []},
    )  # fmt: skip
    kept = LookLog(tmp_path / "results.sqlite").keep(seen)
    assert (kept.id, kept.candidate.name) == (seen.id, "mine:Api?api_key=***")


def test_a_manifest_names_no_secret_and_keeps_its_numbers(tmp_path: Path) -> None:
    given = {"id": "abc", "teachers": [{"spec": f"mine:T?token={HUB}"}], "tokens": 5, "at": "http://u:p@h/v1"}
    made = finish(tmp_path, "mine", given)
    assert (made["id"], made["tokens"], made["at"]) == ("abc", 5, "http://***@h/v1")
    assert made["teachers"] == [{"spec": "mine:T?token=***"}]


def test_values_keep_their_shape() -> None:
    assert public_values({"a": [1, None, True, "hf_planted1234"]}) == {"a": [1, None, True, "***"]}


def test_a_home_that_is_the_root_hides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/")
    assert public("/data/x") == "/data/x"


def test_what_an_imported_file_says_of_itself_is_stored_without_secrets_under_the_same_id(place: Place) -> None:
    from dataclasses import replace

    from harness.scoring.system import MadeOf

    done = place.evaluations()[0]
    stated = {"imported": {"kind": "run", "stated": {"data": "https://ada:planted@host/x"}}}
    made_of = MadeOf({**done.made_of.content, **stated})
    with Results(place.workspace.results) as results:
        results.keep(replace(done, made_of=made_of))
        found = results.find(made_of.id)
    assert found.identity["imported"] == {"kind": "run", "stated": {"data": "https://***@host/x"}}
