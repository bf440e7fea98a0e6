"""The learning rate of every step: what a user would lose is a run that is comparable with those of other programs."""

from __future__ import annotations

import math
from dataclasses import fields

import pytest
import torch
import transformers

from tests.training.fitting import QUICK
from training.adapting.config import AdaptConfig
from training.configuration import Layer, configured
from training.settings import Schedule, Settings

THEIRS = {
    "linear": transformers.get_linear_schedule_with_warmup,
    "cosine": transformers.get_cosine_schedule_with_warmup,
    "constant": lambda optimizer, warmup, _: transformers.get_constant_schedule_with_warmup(optimizer, warmup),
}


def by_transformers(name: str, warmup: int, total: int) -> list[float]:
    """The rates of the steps 0 to `total`, with a highest rate of 1."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    schedule = THEIRS[name](optimizer, warmup, total)
    rates = []
    for _ in range(total + 1):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return rates


@pytest.mark.parametrize("name", THEIRS)
@pytest.mark.parametrize(("share", "total"), [(0.1, 40), (0.25, 7), (0.0, 5), (0.8, 10), (0.1, 2)])
def test_the_rates_are_those_of_transformers(name: Schedule, share: float, total: int) -> None:
    settings = Settings(schedule=name, warmup=share, learning_rate=1.0)
    warmup = max(1, round(share * total))
    theirs = by_transformers(name, warmup, total)
    for step in range(total):
        wanted = theirs[step + 1 if step < warmup else step]
        assert settings.rate(step, total) == pytest.approx(wanted, abs=1e-12), step


@pytest.mark.parametrize("name", THEIRS)
def test_no_step_has_the_rate_0(name: Schedule) -> None:
    settings = Settings(schedule=name)
    assert all(settings.rate(step, 30) > 0 for step in range(30))


def test_a_cosine_is_half_way_down_in_the_middle() -> None:
    settings = Settings(schedule="cosine", warmup=0.0, learning_rate=1.0)
    assert settings.rate(26, 51) == pytest.approx((1 + math.cos(math.pi / 2)) / 2)


def test_another_schedule_is_another_run_and_the_default_is_the_run_of_earlier_versions() -> None:
    added_since = {"schedule", "augmentation", "freeze_embeddings"}
    assert set(QUICK.describe()) == {one.name for one in fields(Settings)} - added_since
    assert Settings(schedule="cosine").describe() == {**Settings().describe(), "schedule": "cosine"}


def test_an_adaptation_sets_the_schedule_in_its_file() -> None:
    found = configured(AdaptConfig, [Layer("adapt.toml", {"training": {"schedule": "constant"}})])
    assert found.config.training.schedule == "constant"
