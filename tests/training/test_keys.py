"""Every key says what it means, and what its class refuses is refused in Python too."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from adapters.errors import UsageError
from training.adapting.config import AdaptConfig
from training.keys import check, keys_of, plain
from training.mining.mine import RETRIEVERS
from training.settings import DevEvaluation, Loss, Machine, Settings
from training.stages import Plan, Synthesis, Teaching
from training.utility.config import UtilityConfig

CLASSES = (AdaptConfig, UtilityConfig, Settings, Machine, DevEvaluation, Plan, Synthesis, Teaching)


@pytest.mark.parametrize("kind", CLASSES)
def test_every_key_has_a_meaning_and_states_its_default(kind: type[Any]) -> None:
    """A key that has no value has a default all the same, or is needed; its text says which."""
    for key in keys_of(kind).values():
        assert key.text.endswith("."), key.path
        unset = key.default is None or key.default == []
        stated = any(word in key.text for word in ("Default", "default", "Needed", "The split of the judgments"))
        needed = key.path in ("teachers", "teaching.teachers", "wrong.queries", "wrong.corpus")
        assert not unset or stated or needed or key.path.endswith("ingredients"), key.path


def test_the_text_of_the_retrievers_names_those_that_are_used() -> None:
    assert all(name in keys_of(AdaptConfig)["mining.retrievers"].text for name in RETRIEVERS)


def test_a_key_of_a_base_class_is_a_key() -> None:
    assert {"strategy", "drop_above", "seed"} <= set(keys_of(Plan))
    assert keys_of(AdaptConfig)["training.loss.scale"].default == 1.0
    assert keys_of(UtilityConfig)["training.loss.scale"].default == 10.0


def test_plain_values_are_those_of_a_toml_file() -> None:
    assert plain(Teaching(("a",), facts=Path("x.toml"))) == {
        "teachers": ["a"], "weights": [], "map": "none", "facts": "x.toml",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("make", "answer"),
    [
        (lambda: Settings(epochs=0), "epochs: 0 is not allowed; a whole number of 1 or more is needed"),
        (lambda: Settings(warmup=1.0), "warmup: 1.0 is not allowed; a number from 0 to below 1 is needed"),
        (lambda: Settings(learning_rate=float("nan")), "learning_rate: NaN is not a number"),
        (lambda: Loss("hing"), "name: 'hing' is not allowed. Did you mean hinge"),  # type: ignore[arg-type]
        (lambda: Loss(sigmoid=True, smallest_gap=0.1), "smallest_gap"),
        (lambda: Machine(save_every=0), "save_every: 0 is not allowed"),
        (lambda: Plan(per_query=1), "per_query: 1 is not allowed; a whole number of 2 or more is needed"),
        (lambda: Synthesis(floor=2.0), "floor: 2.0 is not allowed; a number from 0 to 1 is needed"),
    ],
)
def test_python_refuses_what_a_file_could_not_have(make: Any, answer: str) -> None:
    with pytest.raises(UsageError, match=f"^{answer.replace('.', '[.]')}"):
        make()


def test_no_class_with_ranges_goes_unchecked() -> None:
    """A check that is not called refuses nothing."""
    for kind in (Settings, Machine, Plan, Synthesis, Teaching, Loss):
        assert "__post_init__" in {name for one in kind.__mro__ for name in vars(one)}, kind
        check(kind())
        assert fields(kind)
