"""Names come from files of others: none of them may clear a terminal, hide a word or break a message into two lines."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.errors import DataError, HarnessError
from adapters.limits import LONGEST_MESSAGE
from adapters.plain_text import printable, printable_lines

OBEYED = [
    "\x1b[2J",
    "\x9b2J",
    "\x07",
    "\r",
    "\x7f",
    "\u202eabc",
    "\u2066",
    "\u2028",
    "\u200f",
    "\ufeff",
    "\ud800",
    "\0",
]
KEPT = ["مرحبا", "क्‍ष", "می‌خواهم", "👩‍👩‍👧", "日本語", "a\u3000b", "a\xa0b", "e\u0301", "ﬀ", "İ"]


@pytest.mark.parametrize("text", OBEYED)
def test_what_a_terminal_obeys_is_escaped_as_in_json(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable() and shown.isascii()
    assert json.loads(f'"{shown}"') == text


@pytest.mark.parametrize("text", KEPT)
def test_letters_of_all_scripts_and_their_joiners_are_kept(text: str) -> None:
    assert printable(text) == text


@given(st.text())
def test_no_control_character_or_override_of_direction_is_left(text: str) -> None:
    kinds = {unicodedata.category(letter) for letter in printable(text)}
    assert not kinds & {"Cc", "Cs", "Zl", "Zp"}
    assert not {unicodedata.bidirectional(letter) for letter in printable(text)} & {
        "RLO", "LRO", "RLE", "LRE", "PDF", "RLI", "LRI", "FSI", "PDI",
    }  # fmt: skip


def test_lines_and_tabs_are_kept_in_text_of_several_lines() -> None:
    assert printable_lines("a\tb\n\x1bc") == "a\tb\n\\u001bc"


@pytest.mark.parametrize("name", OBEYED)
def test_a_message_with_any_name_in_it_is_one_line(name: str) -> None:
    assert str(DataError(f"the file '{name}' is broken")).isprintable()


def test_a_long_message_keeps_its_beginning_and_its_advice() -> None:
    said = str(HarnessError(f"file:3: {'9' * 10_000} is no grade; write 0 or 1"))
    assert len(said) <= LONGEST_MESSAGE
    assert said.startswith("file:3: 9") and " ... " in said and said.endswith("write 0 or 1")
