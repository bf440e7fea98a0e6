"""Options are keys of classes: the same key has the same default and the same help wherever it is an option."""

from __future__ import annotations

from typing import Any

import pytest
import typer

from harness.cli import merge_search, train, train_adapt, train_teach, train_utility
from harness.cli.app import app
from tests.fixtures import Command
from training.adapting.config import AdaptConfig
from training.keys import keys_of
from training.searching.config import SearchConfig
from training.settings import DevEvaluation, Machine, Settings
from training.stages import Mining, Plan, Synthesis, Teaching
from training.utility.config import UtilityConfig

SINGLE_STEPS = [
    ("fit", Settings, train.SETTINGS), ("fit", Machine, train.MACHINE), ("fit", DevEvaluation, train.DEV),
    ("teach", Teaching, train_teach.TEACHING),
    ("teach", Plan, train_teach.PLAN), ("mine", Mining, {"retriever": "retrievers", "depth": "depth"}),
    ("synthesize", Synthesis, {"generator": "generator", "documents": "documents", "floor": "floor"}),
]  # fmt: skip
CONFIGURED = [
    ("adapt", AdaptConfig, train_adapt.OPTIONS, train_adapt.FORMER),
    ("utility", UtilityConfig, train_utility.OPTIONS, train_utility.FORMER),
    ("search", SearchConfig, merge_search.OPTIONS, {}),
]


def options_of(verb: str) -> dict[str, Any]:
    groups: Any = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    commands = {**groups["merge"].commands, **groups["train"].commands}
    return {one.name: one for one in commands[verb].params}


@pytest.mark.parametrize(("verb", "kind", "named"), SINGLE_STEPS)
def test_an_option_of_a_single_step_has_default_and_help_of_its_key(
    verb: str, kind: type[Any], named: dict[str, str]
) -> None:
    options, keys = options_of(verb), keys_of(kind)
    for name, path in named.items():
        option = options[name.replace("-", "_")]
        assert option.default == (keys[path].default or option.default), name
        assert option.help.removesuffix(" Repeatable.") == keys[path].text


@pytest.mark.parametrize(("verb", "kind", "named", "former"), CONFIGURED)
def test_an_option_of_a_configuration_is_only_set_where_it_is_given(
    verb: str, kind: type[Any], named: dict[str, str], former: dict[str, str]
) -> None:
    options, keys = options_of(verb), keys_of(kind)
    for name, path in {**named, **former}.items():
        option = options[name.replace("-", "_")]
        assert option.default is None and option.help.startswith(keys[path].text), name
        assert option.hidden == (name in former), name
    assert sum(not one.hidden for one in options.values()) <= 19, "a key that is rarely changed belongs in the file"


@pytest.mark.parametrize(("verb", "kind", "named", "former"), CONFIGURED)
def test_every_former_option_sets_a_key_of_its_own(
    verb: str, kind: type[Any], named: dict[str, str], former: dict[str, str]
) -> None:
    """What a user would lose: a command of the last release that silently trains with another value."""
    paths = [*named.values(), *former.values()]
    assert len(set(paths)) == len(paths)
    assert set(paths) <= set(keys_of(kind))
    assert options_of(verb)


def test_what_is_given_reaches_the_training(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def job(_: object, __: object, settings: Settings, *___: object, **____: object) -> object:
        seen.append(settings)
        raise KeyboardInterrupt

    monkeypatch.setattr("training.fit.job", job)
    monkeypatch.setattr("training.mixing.examples_of", lambda *_, **__: None)
    given = ("--lr", "1e-3", "--loss", "mse", "--scale", 2, "--no-dropout", "--batch-queries", 4, "--max-steps", 0)
    command("train", "fit", "--base", "b", "--data", "d.jsonl", "--out", "o", *given)
    (one,) = seen
    assert (one.learning_rate, one.loss.name, one.loss.scale, one.dropout) == (1e-3, "mse", 2.0, False)
    assert (one.queries, one.max_steps, one.epochs) == (4, 0, Settings().epochs)


@pytest.mark.parametrize("verb", ["fit", "adapt", "utility"])
def test_a_seed_below_zero_is_refused_before_anything_is_paid(command: Command, verb: str) -> None:
    said = command("train", verb, "--seed", "-1")
    assert said.code == 2 and "--seed: -1 is not allowed" in said.err


@pytest.mark.parametrize(
    ("verb", "given"),
    [("fit", ("--lr", "0")), ("fit", ("--warmup", "1")), ("fit", ("--batch-tokens", "0")), ("fit", ("--lr", "nan"))],
)
def test_a_value_out_of_its_range_names_the_option(command: Command, verb: str, given: tuple[str, str]) -> None:
    said = command("train", verb, *given)
    assert said.code == 2 and f"harness: {given[0]}: " in said.err and "is needed" in said.err
    assert said.err.count("\n") == 1


def test_an_option_that_a_verb_does_not_offer_is_refused(command: Command) -> None:
    said = command("train", "utility", "--shift", "1")
    assert said.code == 2 and "--shift" in said.err


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        (("fit", "--learning-rate"), "No such option: --learning-rate (Possible options: --lr)"),
        (("fit", "--learning_rate"), "(Possible options: --lr)"),
        (("adapt", "--learning-rate"), "(Possible options: training.learning_rate in the configuration)"),
        (("adapt", "--evaluation.dev_split"), "(Possible options: --dev-split)"),
    ],
)
def test_an_option_with_the_name_of_a_key_is_answered_with_what_sets_it(
    command: Command, given: tuple[str, str], answer: str
) -> None:
    """A user knows the key from a configuration, and no letters of --lr are like those of --learning-rate."""
    said = command("train", *given, "1")
    assert said.code == 2 and answer in said.err
