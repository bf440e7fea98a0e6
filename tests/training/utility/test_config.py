"""A configuration is the experiment that the same options were: one of the last release continues."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from adapters.errors import HarnessError
from adapters.identity import digest
from tests.training.test_configuration import another
from training.configuration import Layer, configured, nested
from training.keys import keys_of
from training.settings import machine_of
from training.utility.config import UtilityConfig
from training.utility.settings import given_of, wishes_of

NEEDED = {
    "base": "b", "synthetic.corpus": "c", "synthetic.queries": "q", "real.collection": "r", "test.collection": "t",
    "teaching.teacher": "t",
}  # fmt: skip
OTHER = {
    **NEEDED, "training.seeds": 5, "queries_each": 20, "mining.retrievers": ["bm25", "m"], "mining.depth": 4,
    "sampling.strategy": "random", "sampling.per_query": 4, "sampling.bins": 8, "sampling.scope": "query",
    "teaching.facts": "f.toml", "training.loss.name": "mse", "training.loss.scale": 2, "training.loss.temperature": 3,
    "training.epochs": 2, "training.max_steps": 9, "training.queries": 2, "training.learning_rate": 1e-3,
    "training.lora_rank": 4, "training.new_head": True, "training.dropout": False, "seed": 3,
    "training.max_length": 64, "test.first_stage": "given", "test.depth": 20, "test.measure": "RR@10",
}  # fmt: skip


def config(values: dict[str, Any]) -> UtilityConfig:
    return configured(UtilityConfig, [Layer("file", nested(values))]).config


@pytest.mark.parametrize(
    ("values", "before"),
    [(NEEDED, "f26a9de08ed67ee106486e456647dce8"), (OTHER, "c4c009a24ebea92a1c7a69cf20fd4e6b")],
)
def test_the_same_settings_are_the_experiment_that_they_were_in_the_last_release(
    values: dict[str, Any], before: str
) -> None:
    """The digests are of the options of that release. With another one a folder that was begun is refused."""
    assert digest(wishes_of(config(values)).describe()) == before


def test_every_key_reaches_the_experiment() -> None:
    def run(values: dict[str, Any]) -> tuple[object, ...]:
        one = config({**NEEDED, **values})
        return given_of(one), wishes_of(one), machine_of(one.machine)

    default = run({})
    for path, key in keys_of(UtilityConfig).items():
        both = {"wrong.corpus": "c", "wrong.queries": "q"}
        values = both if path in both else {path: another(key)}
        assert run(values) != default, path


@pytest.mark.parametrize(
    ("wrong", "answer"),
    [
        ({"real.collection": None}, "name a judged collection with --real, or as real.collection"),
        ({"test.collection": None, "base": None}, "^base and test.collection are not set; use --base and --test"),
        ({"wrong.queries": "q"}, "wrong.corpus and wrong.queries belong together"),
        ({"training.loss.name": "bce"}, "bce needs targets from 0 to 1"),
        ({"sampling.drop_above": 0.95}, "file: sampling.drop_above: unknown key"),
        ({"training.replay_share": 0.1}, "file: training.replay_share: unknown key"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(wrong: dict[str, Any], answer: str) -> None:
    with pytest.raises(HarnessError, match=answer) as refused:
        one = config({**NEEDED, **wrong})
        given_of(one), wishes_of(one)
    assert "\n" not in str(refused.value)


def test_the_example_of_the_documentation_can_be_used_as_it_is() -> None:
    text = (Path(__file__).parents[3] / "docs" / "utility.md").read_text("utf-8")
    example = tomllib.loads(text.partition("```toml\n")[2].partition("```")[0])
    one = configured(UtilityConfig, [Layer("docs/utility.md", example)]).config
    assert given_of(one).wrong_corpus == "./recipes" and wishes_of(one).seeds == 5
