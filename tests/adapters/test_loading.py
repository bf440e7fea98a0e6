"""Whatever a library raises for a broken file is one line about that file; an interruption stays one."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.errors import ModelError
from adapters.loading import loading
from adapters.models import ModelFolder

pytest.importorskip("transformers")
FOLDER = ModelFolder("mine", Path("mine"))


class PanicException(BaseException):
    """As pyo3 raises it, which tokenizers and safetensors are built with."""


@pytest.mark.parametrize("error", [PanicException("no entry found for key"), ValueError("one\ntwo"), KeyError("x")])
def test_a_failure_of_a_library_is_one_line(error: BaseException) -> None:
    with (
        pytest.raises(ModelError, match="'mine': its tokenizer cannot be loaded: ") as caught,
        loading(FOLDER, "its tokenizer"),
    ):
        raise error
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(1)])
def test_an_interruption_stays_one(error: BaseException) -> None:
    with pytest.raises(type(error)), loading(FOLDER, "its tokenizer"):
        raise error
