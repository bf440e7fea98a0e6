"""A generator behind HTTP. What a user would lose: answers that were paid for, and an error that says what to do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from email.message import Message
from typing import Any

import pytest

from adapters.errors import EnvironmentFailure, ModelError, UsageError
from adapters.protocols import Prompt
from adapters.spec import open_generator
from tests.chat_server import chat_server, completion

PROMPTS = [Prompt(f"prompt {number}", "document") for number in range(3)]


class Chat:
    """A server that echoes prompts, after the answers of its script."""

    def __init__(self) -> None:
        self.script: list[tuple[int, bytes]] = []
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.url = ""
        self.silent = threading.Event()
        self.silent.set()


@pytest.fixture
def chat() -> Iterator[Chat]:
    """A server on a free port of this machine."""
    state = Chat()

    def answer(body: dict[str, Any], headers: Message) -> tuple[int, bytes]:
        state.asked.append(body)
        state.keys.append(headers.get("Authorization"))
        state.silent.wait(5)
        said = f"answer to {body['messages'][0]['content']}"
        return state.script.pop(0) if state.script else (200, completion(said))

    with chat_server(answer) as state.url:
        yield state
        state.silent.set()


def answers(chat: Chat, options: str = "") -> list[str]:
    return list(open_generator(f"chat:{chat.url}?model=m&pause=0&parallel=1{options}").generate(PROMPTS))


def test_answers_come_in_the_order_of_the_prompts(chat: Chat) -> None:
    assert answers(chat, "&seed=4") == [f"answer to prompt {number}" for number in range(3)]
    assert {(one["model"], one["temperature"], one["seed"]) for one in chat.asked} == {("m", 0.0, 4)}


def test_a_busy_server_is_asked_again(chat: Chat) -> None:
    chat.script = [(503, b"busy"), (429, b"slowly")]
    assert len(answers(chat)) == 3
    assert len(chat.asked) == 5


@pytest.mark.parametrize(
    ("status", "body", "answer", "asked"),
    [
        (404, b"no model\nm", "answers 404 Not Found: no model m", 1),
        (401, b"who are you", "answers 401.*key_variable", 1),
        (200, b"<html>", "not one of OpenAI's chat completions", 1),
        (500, b"oops", "answers 500 Internal Server Error after 2 attempts: oops", 2),
    ],
)
def test_a_server_that_refuses_is_told_in_one_line(
    chat: Chat, status: int, body: bytes, answer: str, asked: int
) -> None:
    chat.script = [(status, body)] * 2
    kind = EnvironmentFailure if status in (401, 500) else ModelError
    with pytest.raises(kind, match=answer) as told:
        next(iter(open_generator(f"chat:{chat.url}?model=m&pause=0&retries=1&parallel=1").generate(PROMPTS[:1])))
    assert "\n" not in str(told.value)
    assert len(chat.asked) == asked


def test_what_came_before_a_failure_is_handed_out(chat: Chat) -> None:
    chat.script = [(200, b'{"choices": [{"message": {"content": "first"}}]}'), (400, b"no")]
    stream = iter(open_generator(f"chat:{chat.url}?model=m&parallel=1").generate(PROMPTS))
    assert next(stream) == "first"
    with pytest.raises(ModelError, match="answers 400"):
        next(stream)


def test_silence_ends_after_the_timeout(chat: Chat) -> None:
    chat.silent.clear()
    with pytest.raises(EnvironmentFailure, match=r"no answer within 0\.05 seconds"):
        answers(chat, "&timeout=0.05&retries=0")


def test_no_server_is_told() -> None:
    generator = open_generator("chat:http://127.0.0.1:9/v1?model=m&retries=1&pause=0")
    with pytest.raises(EnvironmentFailure, match=r"no answer after 2 attempts.*is the server running"):
        list(generator.generate(PROMPTS))


def test_the_key_comes_from_the_environment_and_is_in_no_identity(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "s3cret")
    generator = open_generator(f"chat:{chat.url}?model=m&key_variable=MY_KEY")
    list(generator.generate(PROMPTS[:1]))
    assert chat.keys == ["Bearer s3cret"]
    assert "s3cret" not in str(generator.identity)


@pytest.mark.parametrize(
    "text", ["chat:localhost:80?model=m", "chat:http://x/v1", "chat:http://x/v1?model=m&timeout=0"]
)
def test_a_spec_that_cannot_work_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        open_generator(text)


@pytest.mark.parametrize("address", ["http://[1/v1", "ftp://x/v1", "x", "http://[::1"])
def test_an_address_that_cannot_be_read_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="is no http address"):
        open_generator(f"chat:{address}?model=x")
