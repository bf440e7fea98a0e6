"""Language models as generators. What a user would lose: the same queries on the second run."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters import tiny
from adapters.errors import ModelError, UsageError
from adapters.protocols import Prompt
from adapters.spec import open_generator

PROMPTS = [Prompt("what is the answer", "d"), Prompt("who can not judge the document", "d")]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.causal_lm(tmp_path_factory.mktemp("models") / "lm")


def test_greedy_text_is_the_same_in_every_order(model: Path) -> None:
    generator = open_generator(f"{model}?max_tokens=5")
    first = list(generator.generate(PROMPTS))
    assert list(generator.generate(PROMPTS[::-1])) == first[::-1]


def test_drawn_text_follows_from_the_seed(model: Path) -> None:
    def drawn(seed: int) -> list[str]:
        return list(open_generator(f"{model}?max_tokens=5&temperature=1&seed={seed}").generate(PROMPTS))

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_what_changes_a_text_is_in_the_identity(model: Path) -> None:
    names = ["", "?max_tokens=5", "?temperature=1", "?seed=3", "?max_length=99"]
    assert len({str(open_generator(f"{model}{name}").identity) for name in names}) == len(names)


def test_a_model_that_does_not_write_is_refused(tmp_path: Path) -> None:
    folder = tiny.cross_encoder(tmp_path / "ce")
    with pytest.raises(ModelError, match=r"is no language model.*extractive"):
        open_generator(str(folder))


def test_numbers_out_of_range_are_refused(model: Path) -> None:
    with pytest.raises(UsageError):
        open_generator(f"{model}?temperature=-1")
