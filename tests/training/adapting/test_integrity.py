"""A broken checkpoint is refused, an honest one is not. What a user would lose: an accepted model with a hole in it, or
a night of training to a false alarm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from adapters import tiny
from adapters.errors import ModelError
from harness.result.adaptation.record import ArmRecord
from tests.training.adapting.making import rewritten, trained
from tests.training.fitting import QUICK, some_examples, tensors
from training.adapting.integrity import check
from training.fit import fit, job

Arrays = dict[str, Any]
QUERY = "bert.encoder.layer.0.attention.self.query.weight"
NORM = "bert.encoder.layer.0.output.LayerNorm.weight"

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.cross_encoder(tmp_path_factory.mktemp("base") / "bert")


def refused(base: Path, one: ArmRecord) -> tuple[str, ...]:
    return check(ArmRecord("stage-1", "stage-1", str(base)), one).refused


def spoilt(base: Path, folder: Path, change: Callable[[Arrays], None]) -> str:
    """The one reason why a changed copy is refused."""
    (reason,) = refused(base, rewritten(base, folder / "spoilt", change))
    return reason


@pytest.mark.parametrize("rate", [1e-3, 5e-3])
def test_an_honest_fine_tune_is_sound(base: Path, tmp_path: Path, rate: float) -> None:
    one = trained(base, tmp_path / "one", learning_rate=rate, epochs=17)
    assert check(ArmRecord("stage-1", "stage-1", str(base)), one) == one and not one.refused


def test_a_new_head_may_find_its_scale(tmp_path: Path) -> None:
    grown = replace(QUICK, max_steps=0, new_head=True)
    fit(job(str(tiny.bert_embedder(tmp_path / "base")), some_examples(), grown), tmp_path / "head")
    assert not refused(tmp_path / "head", trained(tmp_path / "head", tmp_path / "one", epochs=17))


def test_a_half_precision_fine_tune_is_sound(tmp_path: Path) -> None:
    from transformers import AutoModelForSequenceClassification

    base = tiny.cross_encoder(tmp_path / "base")
    AutoModelForSequenceClassification.from_pretrained(base, dtype=torch.bfloat16).save_pretrained(base)
    assert not refused(base, trained(base, tmp_path / "one"))


@pytest.mark.parametrize("name", ["qwen3", "modernbert"])
def test_a_fine_tune_of_a_base_as_transformers_4_left_it_is_sound(name: str, tmp_path: Path) -> None:
    """Its configuration and tokenizer are spelled otherwise, which no training did."""
    from tests.training.merging import families

    start = families.hub(tmp_path / "start", name)
    assert not refused(start, trained(start, tmp_path / "one"))


def test_the_start_itself_is_sound(base: Path) -> None:
    assert not refused(base, ArmRecord("base", "base", str(base)))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_one_number_that_is_not_finite_is_enough(base: Path, tmp_path: Path, value: float) -> None:
    def change(content: Arrays) -> None:
        content[QUERY][3, 5] = value

    assert spoilt(base, tmp_path, change) == f"'{QUERY}' has 1 of 1,024 numbers that are not finite"


@pytest.mark.parametrize(
    "name", [QUERY, NORM, "classifier.weight", "bert.embeddings.word_embeddings.weight", "bert.pooler.dense.weight"]
)
@pytest.mark.parametrize("factor", [10, 0.1])
def test_a_tensor_times_ten_is_refused(base: Path, tmp_path: Path, name: str, factor: float) -> None:
    def change(content: Arrays) -> None:
        content[name] *= np.float32(factor)

    assert spoilt(base, tmp_path, change).startswith(f"'{name}' is {factor} times as long")


def test_a_small_tensor_times_ten_is_refused_though_biases_may_grow(base: Path, tmp_path: Path) -> None:
    bias = "bert.encoder.layer.1.output.dense.bias"
    steps = np.random.default_rng(0).standard_normal(32).astype(np.float32)

    def small(content: Arrays) -> None:
        content[bias] += 0.003 * steps

    def grown(content: Arrays) -> None:
        content[bias] += 0.1 * np.roll(steps, 1)

    def scaled(content: Arrays) -> None:
        content[bias] *= 10

    start = Path(rewritten(base, tmp_path / "start", small).path)
    assert not refused(start, rewritten(start, tmp_path / "grown", grown))
    assert spoilt(start, tmp_path, scaled) == f"'{bias}' is the start's times 10"


def test_a_new_head_is_held_against_stage_1(tmp_path: Path) -> None:
    grown = replace(QUICK, max_steps=0, new_head=True)
    fit(job(str(tiny.bert_embedder(tmp_path / "base")), some_examples(), grown), tmp_path / "head")

    def change(content: Arrays) -> None:
        content["classifier.weight"] *= 10

    assert "classifier.weight" in spoilt(tmp_path / "head", tmp_path, change)


def test_permuted_heads_are_seen(base: Path, tmp_path: Path) -> None:
    def change(content: Arrays) -> None:
        content[QUERY] = np.ascontiguousarray(np.roll(content[QUERY], 16, axis=0))

    assert "rows changed by more than their own length" in spoilt(base, tmp_path, change)


def test_two_heads_of_many_in_exchanged_places_are_seen(base: Path, tmp_path: Path) -> None:
    def change(content: Arrays) -> None:
        content[QUERY][:8] = np.roll(content[QUERY][:8], 4, axis=0)

    assert "rows changed by more than their own length" in spoilt(base, tmp_path, change)


def test_a_tensor_that_was_emptied_is_refused(base: Path, tmp_path: Path) -> None:
    def change(content: Arrays) -> None:
        content[QUERY][:] = content[QUERY].mean()

    assert "is constant" in spoilt(base, tmp_path, change)


def test_other_names_shapes_and_formats_are_refused(base: Path, tmp_path: Path) -> None:
    def lost(content: Arrays) -> None:
        del content[QUERY]

    def cut(content: Arrays) -> None:
        content[QUERY] = np.ascontiguousarray(content[QUERY][:16])

    def halved(content: Arrays) -> None:
        content[QUERY] = content[QUERY].astype(np.float16)

    assert f"has no tensor '{QUERY}'" in spoilt(base, tmp_path / "1", lost)
    assert "has the shape" in spoilt(base, tmp_path / "2", cut)
    assert spoilt(base, tmp_path / "3", halved) == f"'{QUERY}' is stored as F16, but the start's as F32"


def test_another_tokenizer_and_a_file_that_is_cut_off_are_refused(base: Path, tmp_path: Path) -> None:
    def same(_: Arrays) -> None:
        pass

    other = rewritten(base, tmp_path / "other", same)
    file = Path(other.path) / "tokenizer.json"
    file.write_text(file.read_text("utf-8").replace('"lowercase": true', '"lowercase": false'), "utf-8")
    assert "tokenizers" in refused(base, other)[0]
    broken = rewritten(base, tmp_path / "broken", same)
    weights = Path(broken.path) / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4])
    assert "not a complete safetensors file" in refused(base, broken)[0]
    assert refused(base, ArmRecord("gone", "given", str(tmp_path / "gone")))


def test_many_broken_tensors_are_reported_in_a_few_lines(base: Path, tmp_path: Path) -> None:
    def change(content: Arrays) -> None:
        content.update({name: array * np.float32(np.nan) for name, array in content.items()})

    reasons = refused(base, rewritten(base, tmp_path / "spoilt", change))
    assert len(reasons) == 7 and reasons[-1] == f"and {len(tensors(base)) - 6} more tensors"


def test_a_start_that_cannot_be_read_is_no_fault_of_the_checkpoint(base: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        refused(tmp_path / "nowhere", ArmRecord("base", "base", str(base)))
