"""The options of training are the same wherever something is trained, and each one reaches the training."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
import typer

from harness.cli.app import app
from harness.cli.training_options import Training
from tests.fixtures import Command
from training.settings import Machine, Settings

OTHER: dict[str, Any] = {
    "loss": "mse", "scale": 2.0, "shift": 0.5, "sigmoid": True, "temperature": 3.0, "smallest_gap": 0.1, "epochs": 2,
    "max_steps": 7, "batch_queries": 4, "learning_rate": 1e-3, "warmup": 0.3, "weight_decay": 0.2, "max_length": 64,
    "lora_rank": 8, "new_head": True, "no_dropout": True, "replay_share": 0.4, "precision": "float32",
    "gradient_checkpointing": True, "batch_tokens": 512, "seed": 5, "device": "cpu",
}  # fmt: skip


def options_of(verb: str) -> dict[str, tuple[Any, ...]]:
    group: Any = typer.main.get_command(app)
    found = group.commands["train"].commands[verb].params
    return {one.name: (one.opts, one.default, one.help, one.envvar) for one in found}


def test_what_is_not_asked_for_is_what_the_library_does() -> None:
    assert Training().settings() == Settings()
    assert Training().machine() == Machine()


@pytest.mark.parametrize("name", [one.name for one in fields(Training)])
def test_no_option_is_lost_on_the_way_to_the_training(name: str) -> None:
    """What a user would lose: hours of a training with another learning rate than the one that was given."""
    chosen = Training(**{name: OTHER[name]})
    assert (chosen.settings(), chosen.machine()) != (Settings(), Machine())
    told = str((chosen.settings(), chosen.machine()))
    wanted = "dropout=False" if name == "no_dropout" else f"={OTHER[name]!r}"
    assert f"{wanted}," in told or f"{wanted})" in told


def test_checkpoints_are_kept_as_often_as_asked() -> None:
    assert Training().machine(10) == replace(Machine(), save_every=10)


def test_all_verbs_that_train_have_the_same_options() -> None:
    fit, adapt, utility = map(options_of, ("fit", "adapt", "utility"))
    names = [one.name for one in fields(Training)]
    assert {name: adapt[name] for name in names} == {name: fit[name] for name in names}
    shared = set(names) & set(utility) - {"scale", "max_length"}
    assert {"loss", "learning_rate", "batch_queries", "lora_rank", "seed", "device"} <= shared
    assert {name: utility[name] for name in shared} == {name: fit[name] for name in shared}
    assert (fit["scale"][1], utility["scale"][1]) == (1.0, 10.0)
    assert utility["scale"][2] == fit["scale"][2]


def test_an_option_that_a_verb_does_not_offer_is_refused(command: Command) -> None:
    said = command("train", "utility", "--shift", "1")
    assert said.code == 2 and "--shift" in said.err


@pytest.mark.parametrize("verb", ["fit", "adapt", "utility"])
def test_a_seed_below_zero_is_refused_before_anything_is_paid(command: Command, verb: str) -> None:
    said = command("train", verb, "--seed", "-1")
    assert said.code == 2 and "--seed" in said.err
