"""Models that compare two documents. What a user would lose: preferences that the model did not say."""

from __future__ import annotations

import json
from collections.abc import Sequence
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from adapters import spec
from adapters.comparing import ListComparer, PromptedComparer, open_comparer, read_answer
from adapters.errors import ModelError, UsageError
from adapters.protocols import Identity, Reranker
from adapters.spec import identity_of, open_reranker
from tests.chat_server import chat_server, completion
from tests.fake_rankers import Good

DOCUMENTS = ["low tide is at noon", "the mill"]


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ("Passage A", 1.0),
        ("passage b.", 0.0),
        ("B", 0.0),
        ("**Passage A**", 1.0),
        ("Passage **B**", 0.0),
        ("Document: A", 1.0),
        ("**Answer:** Passage B", 0.0),
        ("Answer: [[A]]", 1.0),
        ("Answer: A or B", None),
        ("PassageA is longer", None),
        ('"A"', 1.0),
        (" (B)\n", 0.0),
        ("TIE", 0.5),
        ("<think>A is short. B it is?</think>\nPassage A", 1.0),
        ("Passage A is more relevant", None),
        ("Passage A or Passage B", None),
        ("A B", None),
        ("Both", None),
        ("", None),
        ("<think>Passage A", None),
    ],
)
def test_only_an_answer_with_one_meaning_is_read(answer: str, value: float | None) -> None:
    assert read_answer(answer) == value


def test_a_server_is_asked_with_both_texts_as_they_are() -> None:
    asked: list[str] = []

    def reply(body: dict[str, Any], _: Message) -> tuple[int, bytes]:
        asked.append(body["messages"][0]["content"])
        return 200, completion("Passage B")

    with chat_server(reply) as address:
        comparer = open_comparer(f"chat:{address}?model=x")
        assert not isinstance(comparer, Reranker)
        assert list(comparer.compare(["{first}?"], ["one {second}"], ["other"])) == [0.0]
    assert "Query: {first}?" in asked[0]
    assert asked[0].index("Passage A: one {second}") < asked[0].index("Passage B: other")


def test_an_answer_that_cannot_be_read_is_none_and_is_kept_for_the_message() -> None:
    with chat_server(lambda *_: (200, completion("I would say A"))) as address:
        comparer = open_comparer(f"chat:{address}?model=x")
        assert isinstance(comparer, PromptedComparer)
        assert list(comparer.compare(["q"], ["a"], ["b"])) == [None]
    assert comparer.last_unread == "I would say A"


def test_a_prompt_of_ones_own_is_part_of_the_identity(tmp_path: Path) -> None:
    (tmp_path / "prompt.txt").write_text("{query} {first} {second} A or B?")
    own = open_comparer(f"chat:http://127.0.0.1:1/v1?model=x&prompt={tmp_path / 'prompt.txt'}")
    assert isinstance(own, PromptedComparer)
    assert own.asked("q", "a", "b") == "q a b A or B?"
    assert identity_of(own) != identity_of(open_comparer("chat:http://127.0.0.1:1/v1?model=x"))
    (tmp_path / "short.txt").write_text("{query} {first}")
    with pytest.raises(UsageError, match=r"fields {query}, {first} and {second}"):
        open_comparer(f"chat:http://127.0.0.1:1/v1?model=x&prompt={tmp_path / 'short.txt'}")


def test_any_generator_can_be_asked() -> None:
    comparer = open_comparer("pairwise:tests.training.fake_generators:Garbage")
    assert isinstance(comparer, PromptedComparer)
    assert list(comparer.compare(["q"], ["a"], ["b"])) == [None]
    with pytest.raises(UsageError, match="names no language model"):
        open_comparer("pairwise:")


@pytest.mark.parametrize(("fault", "value"), [("none", 1.0), ("repeats", None), ("text", None), ("short", None)])
def test_a_reranker_of_lists_orders_two_documents(fault: str, value: float | None) -> None:
    comparer = open_comparer(f"tests.fake_rankers:Lists?fault={fault}")
    assert isinstance(comparer, ListComparer)
    assert list(comparer.compare(["when is low tide"], DOCUMENTS[:1], DOCUMENTS[1:])) == [value]


class Comparing:
    """Prefers the first document; it has a method for comparisons only."""

    def __init__(self, model: str = "") -> None:
        self.identity: Identity = {"adapter": "first", "model": model}

    def compare(self, queries: Sequence[str], firsts: Sequence[str], seconds: Sequence[str]) -> list[float | None]:
        return [1.0 for _ in zip(queries, firsts, seconds, strict=True)]


def test_a_class_and_an_entry_point_of_another_package_compare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spec, "_plugged", lambda: (("first", f"{__name__}:Comparing"),))
    for text in (f"{__name__}:Comparing", "first", "first:some/model"):
        comparer = open_comparer(text)
        assert isinstance(comparer, Comparing)
        assert comparer.compare(["q"], ["a"], ["b"]) == [1.0]


class Counted(Good):
    """Counts how often a model is opened."""

    opened = 0

    def __init__(self) -> None:
        super().__init__()
        Counted.opened += 1


def test_a_reranker_of_pairs_stays_one_and_is_opened_once() -> None:
    assert isinstance(open_comparer(f"{__name__}:Counted"), Reranker)
    assert Counted.opened == 1


def test_a_model_that_compares_is_no_reranker() -> None:
    with pytest.raises(
        ModelError,
        match="only compares two documents, so it cannot be a reranker; name it with --teacher and --pairwise",
    ):
        open_reranker("pairwise:./model")


def test_an_identity_is_plain() -> None:
    json.dumps(dict(identity_of(open_comparer("tests.fake_rankers:Lists"))))
