"""Training a checkpoint: what a user would lose is a result that can be repeated, and a folder that can be trusted."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from adapters import tiny
from adapters.cross_encoder import CrossEncoder
from adapters.errors import DataError, ModelError, UsageError
from adapters.kinds import kind_of
from adapters.models import open_folder
from harness.progress import Advance, Silent
from tests.fixtures import Command
from tests.training.fitting import QUICK, KilledAfter, same_weights, some_examples, tensors
from training.adapting.config import AdaptTraining
from training.encoded import encode
from training.examples import Example, Examples, write_examples
from training.fit import cost, fit, job
from training.settings import Loss, Machine, Settings, TrainingRecipe
from training.student import load_student

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.cross_encoder(tmp_path_factory.mktemp("base") / "bert")


def scores(folder: Path, example: Example) -> np.ndarray[Any, Any]:
    pairs = np.array([[0, place] for place in range(len(example.documents))])
    return CrossEncoder(str(folder)).score([example.query], list(example.documents), pairs)


def test_zero_steps_give_the_base_bit_by_bit(base: Path, tmp_path: Path) -> None:
    manifest = fit(job(str(base), some_examples(), replace(QUICK, max_steps=0)), tmp_path / "out")
    assert same_weights(base, tmp_path / "out")
    assert manifest["steps"] == 0 and manifest["weights"] == manifest["base"]["weights"]
    example = some_examples().rows[3]
    assert (scores(base, example) == scores(tmp_path / "out", example)).all()


def test_a_half_precision_base_stays_what_it_is_in_zero_steps(tmp_path: Path) -> None:
    from transformers import AutoModelForSequenceClassification

    base = tiny.cross_encoder(tmp_path / "base")
    AutoModelForSequenceClassification.from_pretrained(base, dtype=torch.bfloat16).save_pretrained(base)
    fit(job(str(base), some_examples(), replace(QUICK, max_steps=0)), tmp_path / "out")
    assert same_weights(base, tmp_path / "out")
    assert {tensor.dtype for tensor in tensors(tmp_path / "out").values()} == {torch.bfloat16}  # type: ignore[attr-defined]


def test_zero_steps_with_low_rank_updates_change_no_score(base: Path, tmp_path: Path) -> None:
    fit(job(str(base), some_examples(), replace(QUICK, max_steps=0, lora_rank=2)), tmp_path / "out")
    example = some_examples().rows[3]
    assert (scores(base, example) == scores(tmp_path / "out", example)).all()


def test_zero_steps_with_a_new_head_are_the_seeded_head(tmp_path: Path) -> None:
    embedder = tiny.bert_embedder(tmp_path / "embedder")
    example = some_examples().rows[3]
    for name, seed in (("one", 0), ("again", 0), ("other", 1)):
        settings = replace(QUICK, max_steps=0, new_head=True, seed=seed)
        fit(job(str(embedder), some_examples(), settings), tmp_path / name)
    assert same_weights(tmp_path / "one", tmp_path / "again")
    assert not np.allclose(scores(tmp_path / "one", example), scores(tmp_path / "other", example))
    settings = replace(QUICK, max_steps=0)
    fit(job(str(tmp_path / "one"), some_examples(), settings), tmp_path / "next")
    assert (scores(tmp_path / "one", example) == scores(tmp_path / "next", example)).all()


def test_training_learns_what_the_teacher_said(base: Path, tmp_path: Path) -> None:
    examples = some_examples()
    settings = replace(QUICK, epochs=8, learning_rate=3e-3)
    manifest = fit(job(str(base), examples, settings), tmp_path / "out")
    assert manifest["loss"]["last"] < 0.5 * manifest["loss"]["first"]
    error = [np.square(scores(tmp_path / "out", row) - np.array(row.scores)).mean() for row in examples.rows]
    before = [np.square(scores(base, row) - np.array(row.scores)).mean() for row in examples.rows]
    assert np.mean(error) < np.mean(before)


def test_the_same_job_gives_the_same_weights_and_another_seed_others(base: Path, tmp_path: Path) -> None:
    for name, seed in (("one", 0), ("again", 0), ("other", 1)):
        fit(job(str(base), some_examples(), replace(QUICK, seed=seed)), tmp_path / name)
    assert same_weights(tmp_path / "one", tmp_path / "again")
    assert not same_weights(tmp_path / "one", tmp_path / "other")


def test_frozen_embeddings_stay_as_they_are_and_everything_else_is_trained(base: Path, tmp_path: Path) -> None:
    fit(job(str(base), some_examples(), replace(QUICK, freeze_embeddings=True)), tmp_path / "out")
    before, after = tensors(base), tensors(tmp_path / "out")
    tables = {name for name in before if "embeddings.weight" in name}
    assert len(tables) == 3, "tokens, positions, segments"
    matrices = {name for name in before if name.endswith(".weight") and before[name].ndim == 2} - tables
    assert {name for name in tables | matrices if not np.array_equal(before[name], after[name])} == matrices


@pytest.mark.parametrize("kind", [Settings, AdaptTraining])
def test_frozen_embeddings_with_low_rank_updates_are_refused(kind: type[TrainingRecipe]) -> None:
    """They are never trained then, and two runs that differ by this alone would be told apart and be the same."""
    with pytest.raises(
        UsageError, match=r"low-rank updates \(lora_rank\) never train the embeddings; leave out freeze"
    ):
        kind(lora_rank=4, freeze_embeddings=True)


def test_a_run_that_freezes_nothing_has_the_identity_of_earlier_runs() -> None:
    assert "freeze_embeddings" not in QUICK.describe()
    assert replace(QUICK, freeze_embeddings=True).describe()["freeze_embeddings"] is True


@pytest.mark.parametrize("rank", [0, 2])
def test_a_killed_run_goes_on_to_the_same_result(base: Path, tmp_path: Path, rank: int) -> None:
    work = job(str(base), some_examples(), replace(QUICK, lora_rank=rank))
    whole = fit(work, tmp_path / "whole")
    machine = Machine(resume_seconds=0)
    for steps in (2, 3):
        with pytest.raises(KeyboardInterrupt):
            fit(work, tmp_path / "killed", machine, KilledAfter(steps))
        assert not (tmp_path / "killed").exists()
    made: list[int] = []
    resumed = fit(work, tmp_path / "killed", machine, Counting(made))
    assert made[0] > 0 and sum(made) == work.steps, "it begins where it was"
    assert resumed == whole and same_weights(tmp_path / "whole", tmp_path / "killed")
    assert not (tmp_path / "killed.steps").exists()


class Counting(Silent):
    """Writes down how far a run says that it is."""

    def __init__(self, made: list[int]) -> None:
        self.made = made

    @contextmanager
    def stage(self, title: str, total: int | None) -> Iterator[Advance]:
        yield self.made.append


def test_the_state_of_another_run_is_not_taken(base: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        fit(job(str(base), some_examples(), QUICK), tmp_path / "out", Machine(resume_seconds=0), KilledAfter(2))
    with pytest.raises(UsageError, match="other data or settings"):
        fit(job(str(base), some_examples(11), QUICK), tmp_path / "out")


@pytest.mark.parametrize("damage", ["a byte", "cut", "gone"])
def test_a_damaged_state_is_refused_and_not_trained_on(base: Path, tmp_path: Path, damage: str) -> None:
    work = job(str(base), some_examples(), QUICK)
    with pytest.raises(KeyboardInterrupt):
        fit(work, tmp_path / "out", Machine(resume_seconds=0), KilledAfter(2))
    file = tmp_path / "out.steps" / ".state" / "state.safetensors"
    sound = file.read_bytes()
    file.write_bytes(sound[:-9] + bytes([sound[-9] ^ 1]) + sound[-8:] if damage == "a byte" else sound[:-9])
    if damage == "gone":
        file.unlink()
    with pytest.raises(DataError, match=r"its content is not what was written; delete the folder .* and run again"):
        fit(work, tmp_path / "out")


def test_a_finished_run_is_not_made_again_and_never_overwritten(base: Path, tmp_path: Path) -> None:
    work = job(str(base), some_examples(), QUICK)
    first = fit(work, tmp_path / "out")
    written = (tmp_path / "out" / "model.safetensors").stat().st_mtime_ns
    assert fit(work, tmp_path / "out") == first
    assert (tmp_path / "out" / "model.safetensors").stat().st_mtime_ns == written
    for other, says in (
        (job(str(base), some_examples(), replace(QUICK, seed=5)), r"\(settings\.seed is 0 there and 5 here\)"),
        (job(str(base), some_examples(11), QUICK), r"\(another examples\)"),
        (job(str(tmp_path / "out"), some_examples(), QUICK), r"\(another base\)"),
    ):
        with pytest.raises(UsageError, match=f"is not this training run {says}"):
            fit(other, tmp_path / "out")
    with pytest.raises(UsageError, match=r"is not this training run \(it has no manifest.json of train fit\)"):
        fit(work, base)


def test_kept_checkpoints_are_models_of_their_own(base: Path, tmp_path: Path) -> None:
    work = job(str(base), some_examples(), QUICK)
    fit(work, tmp_path / "out", Machine(save_every=2))
    kept = sorted((tmp_path / "out.steps").iterdir())
    assert [folder.name for folder in kept] == ["step-000002", "step-000004", "step-000006"]
    assert same_weights(kept[2], tmp_path / "out") and not same_weights(kept[0], tmp_path / "out")
    assert json.loads((kept[0] / "manifest.json").read_text())["steps"] == 2
    assert np.isfinite(scores(kept[0], some_examples().rows[0])).all()
    fit(job(str(kept[0]), some_examples(), QUICK), tmp_path / "further")
    assert not same_weights(kept[0], tmp_path / "further"), "and a base to go on from"


def test_a_last_step_that_ruins_the_weights_leaves_no_checkpoint(base: Path, tmp_path: Path) -> None:
    settings = replace(QUICK, learning_rate=1e308, warmup=0.0, max_steps=1)
    with pytest.raises(ModelError, match=r"^step 1: the largest weight is (inf|nan); lower the learning rate"):
        fit(job(str(base), some_examples(), settings), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_loss_that_is_not_a_number_stops_with_one_line(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Loss, "__call__", lambda _, scores, *__: scores.sum() * math.nan)
    with pytest.raises(ModelError, match=r"^step 1: the loss is nan; lower the learning rate[^\n]*$"):
        fit(job(str(base), some_examples(), QUICK), tmp_path / "out", Machine(save_every=1))
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing_that_looks_finished(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from safetensors import SafetensorError

    def full(*_: object, **__: object) -> None:
        raise SafetensorError("No space left on device")

    monkeypatch.setattr("transformers.modeling_utils.safe_save_file", full)
    with pytest.raises(OSError, match="No space left"):
        fit(job(str(base), some_examples(), QUICK), tmp_path / "out", Machine(save_every=2))
    assert not [found for found in tmp_path.rglob("*") if found.is_file()]


def test_low_rank_training_moves_little_and_is_folded_in(base: Path, tmp_path: Path) -> None:
    work = job(str(base), some_examples(), replace(QUICK, lora_rank=2))
    manifest = fit(work, tmp_path / "out")
    before, after = tensors(base), tensors(tmp_path / "out")
    assert set(before) == set(after), "no other program has to know of it"
    name = "bert.encoder.layer.0.attention.self.query.weight"
    moved = after[name] - before[name]  # type: ignore[operator]
    assert 0 < int(torch.linalg.matrix_rank(moved, tol=1e-5)) <= 2
    words = "bert.embeddings.word_embeddings.weight"
    assert torch.equal(after[words], before[words])  # type: ignore[arg-type]
    assert manifest["trained_parameters"] < sum(tensor.numel() for tensor in before.values())  # type: ignore[attr-defined]


def test_checkpointing_activations_changes_nothing(base: Path, tmp_path: Path) -> None:
    work = job(str(base), some_examples(), replace(QUICK, max_steps=2))
    fit(work, tmp_path / "kept")
    fit(work, tmp_path / "twice", Machine(gradient_checkpointing=True))
    assert same_weights(tmp_path / "kept", tmp_path / "twice")


@pytest.mark.parametrize("architecture", ["xlm-roberta", "modernbert"])
def test_other_encoders_are_trained_and_scored_as_trained(architecture: Any, tmp_path: Path) -> None:
    other = tiny.cross_encoder(tmp_path / "base", architecture=architecture)
    fit(job(str(other), some_examples(), replace(QUICK, max_steps=1)), tmp_path / "out")
    example = some_examples().rows[0]
    assert not np.allclose(scores(other, example), scores(tmp_path / "out", example))


@pytest.mark.parametrize("make", [tiny.bert_embedder, tiny.qwen3_embedder])
def test_an_embedder_becomes_a_cross_encoder_only_when_it_is_asked_for(make: Any, tmp_path: Path) -> None:
    embedder = make(tmp_path / "base")
    for new_head, kind in ((False, "embedder"), (True, "cross-encoder")):
        settings = replace(QUICK, max_steps=1, new_head=new_head)
        manifest = fit(job(str(embedder), some_examples(), settings), tmp_path / kind)
        assert bool(manifest["new_tensors"]) is new_head
        assert kind_of(open_folder(str(tmp_path / kind))) == kind
    assert np.isfinite(scores(tmp_path / "cross-encoder", some_examples().rows[0])).all()


@pytest.mark.parametrize("make", [tiny.bert_embedder, tiny.qwen3_embedder])
def test_a_new_head_has_the_same_raw_scores_in_sentence_transformers(make: Any, tmp_path: Path) -> None:
    """Its own default for one label is a sigmoid, unless the checkpoint declares another activation."""
    embedder, out, example = make(tmp_path / "embedder"), tmp_path / "out", some_examples().rows[3]
    fit(job(str(embedder), some_examples(), replace(QUICK, max_steps=2, new_head=True)), out)
    fit(job(str(out), some_examples(), replace(QUICK, max_steps=2)), tmp_path / "next")
    sentence_transformers = pytest.importorskip("sentence_transformers")
    for folder in (out, tmp_path / "next"):
        model = sentence_transformers.CrossEncoder(str(folder), device="cpu", local_files_only=True)
        theirs = model.predict([(example.query, text) for text in example.documents])
        assert np.allclose(theirs, scores(folder, example), atol=1e-5)


def test_bases_that_cannot_be_trained_are_refused(base: Path, tmp_path: Path) -> None:
    refusals = [
        (base, True, UsageError, "has a score head already"),
        (tiny.cross_encoder(tmp_path / "three", num_labels=3), False, ModelError, "several labels"),
        (tiny.causal_lm(tmp_path / "causal"), True, ModelError, "puts nothing between"),
    ]
    for folder, new_head, error, says in refusals:
        with pytest.raises(error, match=says):
            fit(job(str(folder), some_examples(), replace(QUICK, new_head=new_head)), tmp_path / "out")


def test_a_head_under_another_name_is_named_in_the_refusal(base: Path, tmp_path: Path) -> None:
    """Without the names of both, neither the base nor --new-head is accepted, and nothing says why."""
    from safetensors.torch import save_file

    renamed = {name.replace("classifier", "linear"): tensor for name, tensor in tensors(base).items()}
    shutil.copytree(base, tmp_path / "renamed")
    save_file(renamed, tmp_path / "renamed" / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(
        ModelError, match=r"classifier\.bias, classifier\.weight .* rename its linear\.bias, linear\.weight"
    ):
        fit(job(str(tmp_path / "renamed"), some_examples(), QUICK), tmp_path / "out")


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")
@pytest.mark.parametrize("lora_rank", [0, 2])
def test_a_base_with_a_lora_adapter_is_trained_as_one_model(base: Path, tmp_path: Path, lora_rank: int) -> None:
    peft, transformers = pytest.importorskip("peft"), pytest.importorskip("transformers")
    model = transformers.AutoModelForSequenceClassification.from_pretrained(base)
    how = peft.LoraConfig(task_type="SEQ_CLS", r=2, target_modules=["query", "value"], init_lora_weights=False)
    adapter, example = tmp_path / "adapter", some_examples().rows[3]
    peft.get_peft_model(model, how).save_pretrained(adapter)
    for steps in (0, 2):
        settings = replace(QUICK, max_steps=steps, lora_rank=lora_rank)
        fit(job(str(adapter), some_examples(), settings), tmp_path / f"out{steps}")
        assert not (tmp_path / f"out{steps}" / "adapter_config.json").exists()
    assert np.allclose(scores(tmp_path / "out0", example), scores(adapter, example), atol=1e-6)
    assert not np.allclose(scores(tmp_path / "out0", example), scores(base, example), atol=1e-3)
    moved = [
        name
        for name, tensor in tensors(tmp_path / "out2").items()
        if not tensor.equal(tensors(tmp_path / "out0")[name])
    ]
    assert any("classifier" in name for name in moved) and any("query" in name for name in moved)
    assert any("embeddings" in name for name in moved) is (lora_rank == 0)


def test_the_adapter_cuts_inputs_as_training_did(base: Path, tmp_path: Path) -> None:
    fit(job(str(base), some_examples(), replace(QUICK, max_steps=1, max_length=24)), tmp_path / "out")
    assert CrossEncoder(str(tmp_path / "out")).identity["max_length"] == 24


def test_replayed_examples_are_trained_on_and_in_the_manifest(base: Path, tmp_path: Path) -> None:
    general = Examples(tuple(replace(row, query=f"general {row.query}") for row in some_examples(5).rows))
    with_replay = job(str(base), some_examples(), replace(QUICK, replay_share=0.25), general)
    manifest = fit(with_replay, tmp_path / "mixed")
    assert manifest["replay"]["examples"] == 5 and manifest["replay"]["share"] == 0.25
    assert manifest["steps"] == 2 * math.ceil((12 + 4) / 4)
    fit(job(str(base), some_examples(), QUICK), tmp_path / "alone")
    assert not same_weights(tmp_path / "mixed", tmp_path / "alone")


def test_the_cost_is_counted_and_nothing_is_written(base: Path, tmp_path: Path) -> None:
    work = job(str(base), some_examples(), QUICK)
    printed = cost(work, Machine(batch_tokens=1024))
    assert (printed.examples, printed.pairs, printed.steps) == (12, 48, 6)
    whole = encode(work.rows, load_student(work.base, QUICK, Machine()).encoder)
    assert printed.tokens == 2 * int(whole.pairs.lengths.sum()) and printed.counted_steps == 6
    assert printed.padding >= 0 and printed.seconds > 0
    assert list(tmp_path.iterdir()) == []


def test_of_a_long_plan_some_steps_are_counted(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = job(str(base), some_examples(60), replace(QUICK, epochs=3))
    whole = cost(work)
    monkeypatch.setattr("training.cost._MOST", 5)
    monkeypatch.setattr("training.cost._SAMPLED", 15)
    printed = cost(work)
    assert (printed.steps, printed.counted_steps) == (45, 15) and "(estimated from 15)" in str(printed)
    assert printed.tokens == pytest.approx(whole.tokens, rel=0.2)


def test_an_instruction_is_refused_where_the_input_has_no_place_for_it(base: Path, tmp_path: Path) -> None:
    rows = some_examples(4).rows
    asked = Examples((*rows[:2], replace(rows[2], instruction="Find the answer")))
    says = r"example 3 \('what is 2'\) has the instruction 'Find the answer', .* no place for it; .*FlagEmbedding"
    with pytest.raises(DataError, match=says):
        fit(job(str(base), asked, QUICK), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_labels_that_the_loss_cannot_take_are_refused_before_a_model_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="set --scale, --shift or --sigmoid"):
        job(str(tmp_path), some_examples(), Settings(loss=Loss("bce")))


def test_the_rate_rises_and_falls_in_lines() -> None:
    settings = Settings(learning_rate=1.0, warmup=0.2)
    rates = [settings.rate(step, 10) for step in range(10)]
    assert rates == pytest.approx([0.5, 1, 1, 7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8])


def test_the_command_trains_with_its_options(base: Path, tmp_path: Path, command: Command) -> None:
    write_examples(tmp_path / "mined.jsonl", some_examples().rows)
    what = ("--base", base, "--data", tmp_path / "mined.jsonl", "--loss", "mse", "--lr", "1e-3", "--batch-queries", 4)
    printed = command("train", "fit", *what, "--print-cost", "--json")
    assert printed.code == 0 and json.loads(printed.out)["steps"] == 3 and not (tmp_path / "out").exists()
    said = command("train", "fit", *what, "--out", tmp_path / "out")
    assert said.code == 0 and "3 steps" in said.out
    missing = command("train", "fit", "--base", base)
    assert missing.code == 2 and "needs --data and --out" in missing.err
