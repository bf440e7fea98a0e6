"""A language model as a judge: what a user would lose is a verdict that was guessed where the server gave none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.errors import EnvironmentFailure, ModelError, UsageError
from adapters.judges.chat import ChatJudge
from adapters.spec import identity_of, open_judge
from tests.chat_server import chat_server, completion


class Chat:
    """A server that answers by the claim in the prompt, after the answers of its script."""

    def __init__(self) -> None:
        self.script: list[tuple[int, str | None]] = []
        self.asked: list[dict[str, Any]] = []
        self.url = ""


@pytest.fixture
def chat() -> Iterator[Chat]:
    state = Chat()

    def answer(body: dict[str, Any], _: object) -> tuple[int, bytes]:
        state.asked.append(body)
        usual = "SUPPORTED" if "yes" in body["messages"][0]["content"] else "unsupported."
        status, said = state.script.pop(0) if state.script else (200, usual)
        return status, completion(said)

    with chat_server(answer) as state.url:
        yield state


def opened(chat: Chat, options: str = "") -> ChatJudge:
    judge = open_judge(f"chat:{chat.url}?model=m&pause=0&parallel=1{options}")
    assert isinstance(judge, ChatJudge)
    return judge


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("SUPPORTED", 1.0), (" partial\n", 0.5), ("Unsupported.", 0.0),
        ("<think>supported? no, PARTIAL</think>\nSUPPORTED", 1.0),
    ],
)  # fmt: skip
def test_an_answer_is_one_of_three_words(chat: Chat, said: str, value: float) -> None:
    chat.script = [(200, said)]
    assert opened(chat).judge(["p"], ["c"]).tolist() == [value]


def test_both_texts_reach_the_server_unchanged_and_only_once(chat: Chat) -> None:
    opened(chat).judge(["it says {claim} {premise}"], ["yes {premise}"])
    (prompt,) = [one["messages"][0]["content"] for one in chat.asked]
    assert prompt.count("it says {claim} {premise}") == 1
    assert prompt.count("yes {premise}") == 1


@pytest.mark.parametrize("bad", ["SUPPORTED, because it says so", "not supported", "I think PARTIAL", "0.7", "", None])
def test_any_other_answer_is_counted_and_asked_again_with_another_seed(chat: Chat, bad: str | None) -> None:
    chat.script = [(200, bad), (503, ""), (200, bad)]
    judge = opened(chat)
    assert judge.judge(["p"], ["yes"]).tolist() == [1.0]
    assert judge.asked_again == {"malformed" if bad else "refused": 2, "503": 1}
    assert [one["seed"] for one in chat.asked] == [0, 1, 1, 2]


@pytest.mark.parametrize("bad", ["\u017fupported", "PART\u0130AL", "un\u017fupported"])
def test_letters_that_only_unicode_takes_for_s_or_i_are_malformed(chat: Chat, bad: str) -> None:
    chat.script = [(200, bad)]
    judge = opened(chat)
    assert judge.judge(["p"], ["yes"]).tolist() == [1.0]
    assert judge.asked_again == {"malformed": 1}


def test_a_pair_without_a_valid_answer_is_an_error_that_names_it(chat: Chat) -> None:
    chat.script = [(200, "maybe")] * 3
    with pytest.raises(
        ModelError, match=r"no valid answer in 3 attempts for the claim 'c' and the premise 'p'.*'maybe'"
    ):
        opened(chat).judge(["p"], ["c"])


def test_a_server_that_fails_is_an_error_that_names_the_pair(chat: Chat) -> None:
    chat.script = [(503, "")] * 4
    with pytest.raises(EnvironmentFailure, match=r"503.*for the claim 'c' and the premise 'p'"):
        opened(chat).judge(["p"], ["c"])


def test_answers_before_a_failure_are_yielded(chat: Chat) -> None:
    chat.script = [(200, "SUPPORTED"), (400, ""), (200, "SUPPORTED")]
    found = []
    with pytest.raises(ModelError, match="400"):
        for scored in opened(chat).stream(["p", "q", "r"], ["c", "d", "e"]):
            found += scored.rows.tolist()
    assert 0 in found


def test_the_prompt_is_part_of_the_identity_and_the_address_is_not(chat: Chat, tmp_path: Path) -> None:
    own = tmp_path / "own.txt"
    own.write_text("{premise} / {claim}: SUPPORTED, PARTIAL or UNSUPPORTED?", "utf-8")
    plain, other = opened(chat), opened(chat, f"&prompt={own}")
    assert identity_of(plain) != identity_of(other)
    assert identity_of(plain) == identity_of(open_judge("chat:http://elsewhere/v1?model=m"))
    (tmp_path / "bad.txt").write_text("{premise} only", "utf-8")
    with pytest.raises(UsageError, match=r"has the fields \{premise\} and \{claim\}"):
        opened(chat, f"&prompt={tmp_path / 'bad.txt'}")
