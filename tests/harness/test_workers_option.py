"""`--workers` in commands, files and Python: one number, the same answers, and a mistake is one line."""

from __future__ import annotations

import json

import pytest

import harness
from adapters.errors import UsageError
from harness.api.arguments import workers_of
from tests.fixtures import Command
from tests.tiny_collection import FIRST, Place

PLAIN = "tests.fake_adapters:Plain"


def flags(place: Place, workspace: str) -> list[object]:
    named = ["--first-stage", FIRST, "--depth", 5, "--reranker", PLAIN, "--workspace", place.path / workspace]
    return ["run", place.path / "coll", *named, "--json"]


def values(answer: str) -> list[object]:
    return [(one["id"], one["system"], one["measures"]) for one in json.loads(answer)["evaluations"]]


def test_an_option_and_a_file_give_the_values_of_one_process(place: Place, command: Command) -> None:
    place.beir()
    config = place.path / "run.toml"
    config.write_text('workers = "auto"\n', "utf-8")
    one = command(*flags(place, "one"))
    two = command(*flags(place, "two"), "--workers", "2")
    automatic = command(*flags(place, "three"), "--config", config)
    assert one.code == two.code == automatic.code == 0, two.err + automatic.err
    assert values(one.out) == values(two.out) == values(automatic.out)
    assert f"{PLAIN}: " in automatic.err
    assert "workers" in automatic.err


@pytest.mark.parametrize("given", ["0", "-1", "two", "1.5"])
def test_a_wrong_number_of_processes_is_refused_in_one_line(place: Place, command: Command, given: str) -> None:
    place.beir()
    answer = command(*flags(place, "none"), f"--workers={given}")
    assert answer.code == 2
    assert "workers must be a whole number, 1 or more, or 'auto'" in answer.err
    assert len(answer.err.strip().splitlines()) == 1


def test_a_wrong_number_in_a_file_names_the_file(place: Place, command: Command) -> None:
    config = place.path / "run.toml"
    config.write_text('workers = "many"\n', "utf-8")
    answer = command("run", "demo/en", "--config", config)
    assert answer.code == 2
    assert f"{config}: workers" in answer.err


@pytest.mark.parametrize("given", [0, True, 1.0, "2", None])
def test_python_refuses_the_same(place: Place, given: object) -> None:
    with pytest.raises(UsageError, match="workers must be a whole number, 1 or more, or 'auto'"):
        workers_of(given)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="workers must be"):
        harness.run("demo/en", first_stage="bm25", workers=given, workspace=place.path / "x")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "verb",
    [
        ["run"],
        ["gate"],
        ["train", "teach"],
        ["train", "mine"],
        ["train", "adapt"],
        ["train", "validate"],
        ["train", "utility"],
    ],
)
def test_every_command_that_scores_has_the_option(command: Command, verb: list[str]) -> None:
    assert "--workers" in command(*verb, "--help").out
