"""bfloat16 in training: what a user would lose is the loss curve, or digits of the base."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from adapters import tiny
from adapters.errors import UsageError
from adapters.models import open_folder
from tests.training.fitting import QUICK, some_examples, tensors
from training.encoded import encode
from training.fit import fit, job
from training.lora import folded
from training.precision import is_half
from training.settings import Machine
from training.stepping import optimizer_of, stepper
from training.student import load_student

HALF = replace(QUICK, precision="bfloat16", dropout=False)
LORA = replace(HALF, lora_rank=2)


@pytest.fixture(autouse=True)
def _with_amx(monkeypatch: pytest.MonkeyPatch) -> None:
    """This processor may have no bfloat16; small models compute in it all the same."""
    monkeypatch.setattr("training.precision.instruction_set", lambda: "x86_64+avx512f+amx_bf16")


def base(folder: Path, dtype: torch.dtype = torch.float32, **more: Any) -> Path:
    from transformers import AutoModelForSequenceClassification

    made = tiny.cross_encoder(folder, **more)
    AutoModelForSequenceClassification.from_pretrained(made, dtype=dtype).save_pretrained(made)
    return made


@pytest.mark.parametrize(
    ("extensions", "precision", "answer"),
    [
        ("x86_64+avx512f+amx_bf16", "bfloat16", True),
        ("x86_64+avx512f+avx512_bf16", "bfloat16", True),
        ("aarch64+asimd+bf16", "bfloat16", True),
        ("x86_64+avx512f+amx_bf16", "auto", False),
        ("x86_64+avx512f+amx_bf16", "float32", False),
        ("x86_64+avx2", "auto", False),
    ],
)
def test_a_cpu_computes_in_bfloat16_where_it_is_asked_to(
    extensions: str, precision: Any, answer: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.precision.instruction_set", lambda: extensions)
    assert is_half(precision, "cpu") is answer


@pytest.mark.parametrize("extensions", ["x86_64+avx2", "x86_64+avx512f+avx512_vnni", "aarch64+asimd"])
def test_a_cpu_without_bfloat16_is_refused(extensions: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.precision.instruction_set", lambda: extensions)
    with pytest.raises(UsageError, match="a CPU needs AMX"):
        is_half("bfloat16", "cpu")


@pytest.mark.parametrize("lora_rank", [0, 2])
def test_the_loss_falls_as_in_float32(tmp_path: Path, lora_rank: int) -> None:
    made = base(tmp_path / "base", torch.bfloat16)
    curves = []
    for precision in ("float32", "bfloat16"):
        settings = replace(HALF, precision=precision, lora_rank=lora_rank)
        out = tmp_path / precision
        manifest = fit(job(str(made), some_examples(), settings), out, Machine("cpu"))
        assert manifest["bfloat16"] is (precision == "bfloat16")
        curves.append([json.loads(line)["loss"] for line in (out / "history.jsonl").read_text().splitlines()])
    whole, half = curves
    assert half != whole and half[0] == pytest.approx(whole[0], rel=0.03)
    assert np.mean(half) == pytest.approx(np.mean(whole), rel=0.25), "Adam makes whole steps of small differences"


@pytest.mark.parametrize("architecture", ["bert", "xlm-roberta", "modernbert"])
def test_the_head_gives_scores_in_float32(architecture: Any, tmp_path: Path) -> None:
    """In bfloat16 scores between 1 and 2 have steps of 1/128, so different documents get equal ones."""
    made = base(tmp_path / "base", architecture=architecture)
    student = load_student(open_folder(str(made)), HALF, Machine("cpu"))
    data = encode(some_examples().rows[:4], student.encoder)
    scores = student.scores(data.pairs, np.arange(len(data.scores))).detach()
    assert scores.dtype == torch.float32
    assert not torch.equal(scores, scores.bfloat16().float())


def test_the_frozen_matrices_of_a_bfloat16_base_stay_as_they_are_stored(tmp_path: Path) -> None:
    made = base(tmp_path / "base", torch.bfloat16)
    student = load_student(open_folder(str(made)), LORA, Machine("cpu"))
    frozen = {name: one for name, one in student.model.named_parameters() if not one.requires_grad}
    assert {one.dtype for one in frozen.values() if one.ndim > 1} == {torch.bfloat16}
    assert {one.dtype for one in frozen.values() if one.ndim == 1} == {torch.float32}
    assert {one.dtype for one in student.trained.values()} == {torch.float32}
    stored = tensors(made)
    for name, one in frozen.items():
        assert torch.equal(one.bfloat16(), stored[name]), name  # type: ignore[arg-type]


@pytest.mark.parametrize(("dtype", "precision"), [(torch.float32, "bfloat16"), (torch.bfloat16, "float32")])
def test_a_base_that_would_lose_digits_or_speed_stays_in_float32(
    tmp_path: Path, dtype: torch.dtype, precision: Any
) -> None:
    made = base(tmp_path / "base", dtype)
    student = load_student(open_folder(str(made)), replace(LORA, precision=precision), Machine("cpu"))
    assert {one.dtype for one in student.model.parameters()} == {torch.float32}


def test_the_written_model_is_the_base_and_the_update_rounded_once(tmp_path: Path) -> None:
    made = base(tmp_path / "base", torch.bfloat16)
    fit(job(str(made), some_examples(), replace(LORA, max_steps=0)), tmp_path / "none", Machine("cpu"))
    for name, tensor in tensors(made).items():
        assert torch.equal(tensors(tmp_path / "none")[name], tensor), name  # type: ignore[arg-type]
    student = load_student(open_folder(str(made)), LORA, Machine("cpu"))
    data = encode(some_examples().rows[:4], student.encoder)
    stepper(student, optimizer_of(student, LORA), LORA, 1)(0, data)
    name = "bert.encoder.layer.0.attention.self.query"
    layer = student.model.get_submodule(name)
    wanted = layer.weight.float() + layer.low_b @ layer.low_a / 2**0.5  # type: ignore[operator]
    plain = dict(folded(student.model).named_parameters())
    assert torch.equal(plain[f"{name}.weight"], wanted) and f"{name}.low_a" not in plain


def test_a_language_model_trains_low_rank_updates_on_a_bfloat16_base(tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    made = tiny.causal_lm(tmp_path / "base")
    AutoModelForCausalLM.from_pretrained(made, dtype=torch.bfloat16).save_pretrained(made)
    manifest = fit(job(str(made), some_examples(), replace(LORA, max_steps=2)), tmp_path / "out", Machine("cpu"))
    assert manifest["steps"] == 2 and {one.dtype for one in tensors(tmp_path / "out").values()} == {torch.bfloat16}  # type: ignore[attr-defined]
