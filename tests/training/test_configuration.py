"""A configuration is a file: it is printed whole, read back as it was, and each key says where it was set."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.errors import UsageError
from training.adapting.config import AdaptConfig, Gate
from training.configuration import Layer, configured, given_layer, nested, toml_of, toml_value
from training.keys import keys_of
from training.utility.config import UtilityConfig

KINDS: tuple[type[Any], ...] = (AdaptConfig, UtilityConfig)


@pytest.mark.parametrize("kind", KINDS)
def test_the_printed_defaults_are_the_defaults(kind: type[Any]) -> None:
    printed = Layer("printed", tomllib.loads(toml_of(kind())))
    assert configured(kind, [printed]).config == kind()


@pytest.mark.parametrize("kind", KINDS)
def test_the_printed_defaults_have_every_key_with_its_meaning(kind: type[Any]) -> None:
    """A key without a value is a comment, under its own table."""
    table, found = "", {}
    lines = toml_of(kind()).splitlines()
    for above, line in zip(["", *lines], lines, strict=False):
        if line.startswith("["):
            table = f"{line.strip('[]')}."
        name, equals, _ = line.removeprefix("# ").partition(" = ")
        if equals and name.isidentifier():
            found[f"{table}{name}"] = above
    assert set(found) == set(keys_of(kind))
    assert all(above.startswith("# ") for above in found.values())


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_can_be_set_and_is_printed_as_it_was_set(kind: type[Any]) -> None:
    """No key is lost between a file and the class, whatever its type."""
    for path, key in keys_of(kind).items():
        if path.startswith("wrong."):
            continue
        first = configured(kind, [Layer("file", nested({path: another(key), **NEEDS.get(path, {})}))])
        assert first.config != kind(), path
        again = configured(kind, [Layer("printed", tomllib.loads(toml_of(first.config)))])
        assert again.config == first.config, path
        assert {one.key for one in first.settings} == {path, *NEEDS.get(path, {})}


NEEDS: dict[str, dict[str, object]] = {"training.patience": {"training.evaluate_every": 5}}
"""What a key cannot be set without."""


def _list_for(key: Any) -> list[Any]:
    if key.path == "general.source":
        return [{"data": "one", "weight": 2.0}, {"data": "two", "weight": 0.5, "limit": 3}]
    if key.path == "task":
        return [{"corpus": "one", "profile": "claim-en", "weight": 2.0}, {"corpus": "two"}]
    if key.path == "merge.bags":
        return [0.25, 1.0]
    return [2.0] if "float" in str(key.kind) else ["one", 'a "quoted" \\ ü\n']


def another(key: Any) -> object:
    """A value of a key that is not its default."""
    if key.choices:
        return next(one for one in key.choices if one != key.default)
    if isinstance(key.default, bool):
        return not key.default
    if isinstance(key.default, int | float):
        return key.default + 1 if isinstance(key.default, int) else key.default / 2 or 0.25
    if key.default == []:
        return _list_for(key)
    if isinstance(key.default, str):
        return "other"
    for value in ("text", 7, 0.5, True):
        try:
            configured(AdaptConfig if key.path in keys_of(AdaptConfig) else UtilityConfig, [
                Layer("x", nested({key.path: value, **NEEDS.get(key.path, {})}))
            ])  # fmt: skip
        except UsageError:
            continue
        return value
    raise AssertionError(key.path)


def test_a_later_layer_wins_key_by_key_and_each_key_says_where_it_was_set() -> None:
    file = Layer("adapt.toml", {"seed": 1, "training": {"epochs": 2, "loss": {"name": "mse", "scale": 3}}})
    line = Layer("the command line", {"seed": 5, "training": {"loss": {"name": "kl"}}})
    found = configured(AdaptConfig, [file, line])
    training = found.config.training
    assert (found.config.seed, training.epochs, training.loss.name, training.loss.scale) == (5, 2, "kl", 3.0)
    assert {(one.key, one.value, one.origin) for one in found.settings} == {
        ("seed", "5", "the command line"), ("training.epochs", "2", "adapt.toml"),
        ("training.loss.name", '"kl"', "the command line"), ("training.loss.scale", "3", "adapt.toml"),
    }  # fmt: skip
    assert found.lines() == [
        'the command line sets seed = 5, training.loss.name = "kl"',
        "adapt.toml sets training.epochs = 2, training.loss.scale = 3", "other keys have their defaults",
    ]  # fmt: skip


def test_a_table_that_is_set_in_part_keeps_the_defaults_of_its_configuration() -> None:
    """The scale of the utility is 10, not that of every other loss."""
    found = configured(UtilityConfig, [Layer("file", {"training": {"loss": {"name": "mse"}}})])
    assert found.config.training.loss.scale == 10.0


def test_values_may_come_together_from_two_layers() -> None:
    layers = [Layer("file", {"wrong": {"corpus": "c"}}), Layer("the command line", {"wrong": {"queries": "q"}})]
    assert configured(UtilityConfig, layers).config.wrong.queries == Path("q")
    with pytest.raises(UsageError, match=r"^file: wrong\.corpus and wrong\.queries belong together"):
        configured(UtilityConfig, layers[:1])


def test_no_line_shows_a_secret() -> None:
    found = configured(AdaptConfig, [Layer("file", {"synthesis": {"generator": "chat:https://ada:planted@host/v1"}})])
    assert "planted" not in str(found.settings) and "host/v1" in found.lines()[0]
    assert "planted" in str(found.config), "it is used as it was given"


def test_python_gives_a_file_a_mapping_or_the_class(tmp_path: Path) -> None:
    file = tmp_path / "adapt.toml"
    file.write_text("seed = 3\n[gate]\npolicy = 'gate.toml'\n", "utf-8")
    whole = replace(AdaptConfig(seed=3), gate=Gate(policy=Path("gate.toml")))
    for given in (file, str(file), {"seed": 3, "gate": {"policy": Path("gate.toml")}}, whole):
        found = configured(AdaptConfig, [given_layer(given, AdaptConfig)])
        assert found.config == whole
        assert [one.key for one in found.settings] == ["seed", "gate.policy"]
    with pytest.raises(UsageError, match="a TOML file, a mapping or AdaptConfig, not int"):
        given_layer(3, AdaptConfig)


@pytest.mark.parametrize(
    "value", [True, 3, 2e-5, 1e22, "ü\n\"'\\\t\x00", ["a", 1.5, []], {"a b": 1}, "C:\\models", "\x7f", ""]
)
def test_a_value_is_written_as_toml_reads_it(value: object) -> None:
    assert tomllib.loads(f"key = {toml_value(value)}")["key"] == value
