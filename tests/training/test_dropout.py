"""Training without dropout gives the scores that evaluation gives."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters import tiny
from adapters.models import open_folder
from tests.training.fitting import QUICK, some_examples
from training.encoded import encode
from training.fit import fit, job
from training.settings import Machine
from training.student import load_student

RATES = (
    "hidden_dropout_prob", "attention_probs_dropout_prob", "attention_dropout", "embedding_dropout", "mlp_dropout",
)  # fmt: skip


@pytest.fixture(scope="module", params=["bert", "xlm-roberta", "modernbert", "causal-lm"])
def base(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base whose configuration asks for much dropout everywhere."""
    kind, folder = request.param, tmp_path_factory.mktemp(request.param) / "base"
    made = tiny.causal_lm(folder) if kind == "causal-lm" else tiny.cross_encoder(folder, architecture=kind)
    config = made / "config.json"
    known = json.loads(config.read_text("utf-8"))
    config.write_text(json.dumps(known | dict.fromkeys(RATES, 0.5)), "utf-8")
    return made


def scores(base: Path, *, dropout: bool) -> list[Any]:
    """Of the same pairs, twice."""
    settings = replace(QUICK, dropout=dropout)
    student = load_student(open_folder(str(base)), settings, Machine(device="cpu"))
    data = encode(some_examples(2).rows, student.encoder)
    rows = data.rows(np.arange(2))
    return [student.scores(data.pairs, rows).tolist() for _ in range(2)]


def test_without_dropout_equal_inputs_have_equal_scores_in_training(base: Path) -> None:
    once, again = scores(base, dropout=False)
    assert once == again


def test_with_dropout_they_have_not(base: Path) -> None:
    once, again = scores(base, dropout=True)
    assert once != again


def test_the_checkpoint_keeps_the_rates_of_its_base(base: Path, tmp_path: Path) -> None:
    fit(job(str(base), some_examples(), replace(QUICK, dropout=False, max_steps=1)), tmp_path / "out")
    before, after = (json.loads((path / "config.json").read_text("utf-8")) for path in (base, tmp_path / "out"))
    kept = {name: rate for name, rate in after.items() if name in RATES}
    assert kept
    assert kept.items() <= before.items()
