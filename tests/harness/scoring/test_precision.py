"""The number format of a run: a system that gets half precision has it in its name, so no table mixes two formats."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters import tiny
from adapters.errors import UsageError
from adapters.precision import dtype_in
from adapters.precision_probe import PrecisionChoice
from harness.progress import Silent
from harness.scoring import precision
from harness.scoring.precision import run_with_dtype, with_dtype


class Notes(Silent):
    """Keeps the notes of a run."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def asked(spec: str, dtype: str | None) -> str:
    return with_dtype(spec, dtype, "reranker", None, Silent())


@pytest.fixture
def model(tmp_path: Path) -> str:
    return str(tiny.cross_encoder(tmp_path / "model"))


def test_a_model_that_names_no_format_gets_the_one_of_the_run(model: str) -> None:
    assert asked(model, "bfloat16") == f"{model}?dtype=bfloat16"
    assert asked(f"{model}?max_length=32", "float16") == f"{model}?max_length=32&dtype=float16"


@pytest.mark.parametrize("dtype", [None, "float32"])
def test_float32_keeps_the_names_of_systems(model: str, dtype: str | None) -> None:
    assert asked(model, dtype) == model


def test_a_spec_that_names_a_format_keeps_it(model: str) -> None:
    assert asked(f"{model}?dtype=float32", "bfloat16") == f"{model}?dtype=float32"


@pytest.mark.parametrize("spec", ["bm25", "given", "run:scores.trec", "control:oracle", "tests.fake_rankers:AsGiven"])
def test_what_has_no_format_stays_as_it_is(spec: str) -> None:
    assert asked(spec, "bfloat16") == spec


def test_a_format_that_no_model_takes_is_said(model: str) -> None:
    said = Notes()
    assert run_with_dtype("bm25", ["control:oracle"], "bfloat16", None, said) == ("bm25", ["control:oracle"])
    assert said.notes == [
        "--dtype bfloat16 changes nothing: every model of this run names its number format, or has none"
    ]
    assert run_with_dtype("bm25", [model], "bfloat16", None, said) == ("bm25", [f"{model}?dtype=bfloat16"])
    assert run_with_dtype("given", ["bm25"], None, None, said) == ("given", ["bm25"])
    assert len(said.notes) == 1


@pytest.mark.parametrize(("found", "ending"), [("bfloat16", "?dtype=bfloat16"), ("float32", "")])
def test_auto_becomes_what_was_measured(model: str, found: str, ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    choice = PrecisionChoice(found, "bfloat16", 2.0, "the model", "cpu")  # type: ignore[arg-type]
    monkeypatch.setattr(precision, "resolve", lambda *_: choice)
    assert asked(model, "auto") == f"{model}{ending}"


def test_a_model_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError):
        asked("nothing", "bfloat16")


def test_the_format_is_found_wherever_an_identity_has_it() -> None:
    assert dtype_in({"adapter": "a", "dtype": "float32"}) == "float32"
    assert dtype_in({"adapter": "a", "embedder": {"model": {"dtype": "bfloat16"}}}) == "bfloat16"
    assert dtype_in({"control": "oracle", "seed": 0}) is None
    assert dtype_in({"state": {"dtype": 3}}) is None
