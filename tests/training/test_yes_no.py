"""Training a language model by its words yes and no: what a user would lose is a checkpoint that scores as it was
trained."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from adapters import tiny
from adapters.causal_lm import CausalLMReranker
from adapters.errors import ModelError
from adapters.kinds import kind_of
from adapters.models import open_folder
from tests.training.fitting import QUICK, same_weights, some_examples, tensors
from training.encoded import encode
from training.examples import Examples
from training.fit import fit, job
from training.settings import Loss, Machine
from training.student import Student, load_student, write_model

pytestmark = pytest.mark.usefixtures("one_thread")

TWO_STEPS = replace(QUICK, max_steps=2)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.causal_lm(tmp_path_factory.mktemp("base") / "qwen")


def untied(folder: Path) -> Path:
    """A model whose head is not its embeddings."""
    from transformers import AutoModelForCausalLM, Qwen3Config

    tiny.causal_lm(folder)
    config = Qwen3Config.from_pretrained(folder, tie_word_embeddings=False)
    with torch.random.fork_rng():
        torch.manual_seed(5)
        AutoModelForCausalLM.from_config(config).save_pretrained(folder)  # type: ignore[no-untyped-call]
    return folder


def adapter_scores(folder: Path) -> np.ndarray[Any, Any]:
    found = []
    adapter = CausalLMReranker(str(folder))
    for row in some_examples(3).rows:
        pairs = np.array([[0, place] for place in range(len(row.documents))])
        found.append(adapter.score([row.query], list(row.documents), pairs))
    return np.concatenate(found)


def student_scores(student: Student) -> np.ndarray[Any, Any]:
    data = encode(some_examples(3).rows, student.encoder)
    with torch.no_grad():
        return student.scores(data.pairs, np.arange(len(data.scores))).numpy()


@pytest.mark.parametrize("rank", [0, 2])
@pytest.mark.parametrize("make", [tiny.causal_lm, untied])
def test_what_is_written_scores_as_the_student_does(make: Any, rank: int, tmp_path: Path) -> None:
    folder = make(tmp_path / "base")
    student = load_student(open_folder(str(folder)), replace(QUICK, lora_rank=rank), Machine())
    before = student_scores(student)
    assert before == pytest.approx(adapter_scores(folder), abs=1e-5)
    with torch.no_grad():
        for parameter in student.trained.values():
            parameter.add_(0.05)
    after = student_scores(student)
    write_model(student, tmp_path / "out")
    assert not np.allclose(before, after, atol=1e-3)
    assert after == pytest.approx(adapter_scores(tmp_path / "out"), abs=1e-5)
    assert set(tensors(folder)) == set(tensors(tmp_path / "out")), "no other program has to know of it"
    assert kind_of(open_folder(str(tmp_path / "out"))) == "causal-lm"


@pytest.mark.parametrize("rank", [0, 2])
def test_no_steps_give_the_scores_of_the_base_bit_by_bit(base: Path, rank: int, tmp_path: Path) -> None:
    fit(job(str(base), some_examples(), replace(QUICK, max_steps=0, lora_rank=rank)), tmp_path / "out")
    assert same_weights(base, tmp_path / "out")
    assert (adapter_scores(base) == adapter_scores(tmp_path / "out")).all()


def test_it_learns_what_the_teacher_said(base: Path, tmp_path: Path) -> None:
    settings = replace(QUICK, loss=Loss("mse", shift=-5), epochs=3)
    manifest = fit(job(str(base), some_examples(), settings), tmp_path / "out")
    assert manifest["loss"]["last"] < 0.5 * manifest["loss"]["first"]
    assert manifest["model"]["scores"] == "yes/no" and manifest["model"]["words"] == ["yes", "no"]
    assert manifest["model"]["template"] == CausalLMReranker(str(tmp_path / "out")).identity["template"]


def test_low_rank_training_leaves_the_vocabulary_alone(tmp_path: Path) -> None:
    folder = untied(tmp_path / "base")
    fit(job(str(folder), some_examples(), replace(TWO_STEPS, lora_rank=2)), tmp_path / "out")
    before, after = tensors(folder), tensors(tmp_path / "out")
    moved = {name for name in before if not torch.equal(before[name], after[name])}  # type: ignore[arg-type]
    assert moved and not moved & {"lm_head.weight", "model.embed_tokens.weight"}


def test_the_adapter_cuts_prompts_as_training_did(base: Path, tmp_path: Path) -> None:
    fit(job(str(base), some_examples(), replace(TWO_STEPS, max_length=200)), tmp_path / "out")
    assert CausalLMReranker(str(tmp_path / "out")).identity["max_length"] == 200
    assert CausalLMReranker(str(base)).identity["max_length"] == 2048


def test_checkpointing_activations_changes_nothing(base: Path, tmp_path: Path) -> None:
    work = job(str(base), some_examples(), TWO_STEPS)
    fit(work, tmp_path / "kept")
    fit(work, tmp_path / "twice", Machine(gradient_checkpointing=True))
    assert same_weights(tmp_path / "kept", tmp_path / "twice")


def test_a_model_without_the_words_is_refused_with_the_way_out(tmp_path: Path) -> None:
    tiny.plain_causal_lm(tmp_path / "base")
    file = tmp_path / "base" / "tokenizer.json"
    content = json.loads(file.read_text())
    content["model"]["merges"] = [pair for pair in content["model"]["merges"] if list(pair) != ["ye", "s"]]
    file.write_text(json.dumps(content))
    with pytest.raises(ModelError, match=r"no single token for 'yes'.*--new-head. adds a score head"):
        fit(job(str(tmp_path / "base"), some_examples(), QUICK), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_example_is_read_with_its_own_instruction(base: Path) -> None:
    student = load_student(open_folder(str(base)), QUICK, Machine())
    rows = some_examples(4).rows
    mixed = [rows[0], replace(rows[1], instruction="Find it"), rows[2], replace(rows[1], instruction="Refuse it")]
    data = encode(mixed, student.encoder, student.scorer.instruct)
    inputs: Any = data.pairs
    for place, row in enumerate(mixed):
        adapter = CausalLMReranker(str(base), instruction=row.instruction)
        pairs = np.array([[0, number] for number in range(len(row.documents))])
        alone = adapter.prompts([row.query], list(row.documents), pairs)
        for number, at in enumerate(data.rows(np.array([place]))):
            assert inputs.ids(int(at)).tolist() == alone.ids(number).tolist()
            assert data.pairs.lengths[at] == alone.lengths[number]


def test_an_instruction_changes_what_is_learned(base: Path, tmp_path: Path) -> None:
    settings = replace(QUICK, max_steps=1)
    asked = Examples(tuple(replace(row, instruction="Find it") for row in some_examples().rows))
    for name, examples in (("plain", some_examples()), ("asked", asked)):
        fit(job(str(base), examples, settings), tmp_path / name)
    assert not same_weights(tmp_path / "plain", tmp_path / "asked")
