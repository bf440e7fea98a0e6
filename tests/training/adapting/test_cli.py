"""`harness train adapt`: one command with a configuration, and its exit code is the answer."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

import harness
from harness.cli.train_adapt import FORMER
from harness.result.adaptation.reading import read_record
from harness.result.adaptation.vocabulary import MACRO
from tests.fixtures import Command, Said
from tests.tiny_collection import FIRST, Place
from tests.training.adapting import toy
from tests.training.adapting.toy import Honest
from tests.training.loop import HASH

GATE = f"""
first_stage = "{FIRST}"
depth = {toy.TEXTS}
margin = 2.0
min_queries = 15

[looks]
release = "1"

[splits]
dev = 0.25
gate = 0.5
final = 0.25
"""
CONFIGURATION = f"""
base = "PLACE/base"
corpora = ["PLACE/corpus"]

[synthesis]
generator = "{toy.ASKS}"
profiles = ["generic/en"]
documents = 80
floor = 0

[mining]
retrievers = ["{FIRST}", "{HASH}"]
depth = {toy.TEXTS}

[teaching]
teachers = ["{toy.TEACHER}?log=PLACE/log"]

[training]
max_steps = 30
learning_rate = 3e-3

[training.loss]
name = "margin-mse"
scale = 4

[merge]
bags = [0.5, 1]

[evaluation]
dev = "PLACE/target"

[gate]
policy = "PLACE/gate.toml"
"""
"""The honest adaptation as a user writes it."""
WITH_FORMER_OPTIONS = [
    "--corpus", "PLACE/corpus", "--base", "PLACE/base", "--teacher", f"{toy.TEACHER}?log=PLACE/log",
    "--generator", toy.ASKS, "--profile", "generic/en", "--documents", "80", "--floor", "0", "--retriever", FIRST,
    "--retriever", HASH, "--pool-depth", str(toy.TEXTS), "--loss", "margin-mse", "--scale", "4", "--max-steps", "30",
    "--lr", "3e-3", "--dev", "PLACE/target", "--gate", "PLACE/gate.toml",
]  # fmt: skip
"""The same in the options of the last release, which had no bags."""


def configuration(place: Place, text: str = CONFIGURATION) -> Path:
    """The file, with the policy that it names."""
    (place.path / "gate.toml").write_text(GATE, "utf-8")
    file = place.path / "adapt.toml"
    file.write_text(text.replace("PLACE", str(place.path)), "utf-8")
    return file


def adapted(place: Place, command: Command, *more: object, text: str = CONFIGURATION) -> Said:
    """The command, into the folder of the honest run."""
    flags = ["--out", place.path / "out", "--workspace", place.workspace.path]
    return command("train", "adapt", configuration(place, text), *flags, *more)


def test_the_command_is_the_call_and_says_what_came_of_it(honest: Honest, command: Command) -> None:
    """The same settings are the same job, so the finished run is found, and nothing is made again."""
    place, record = honest
    said = adapted(place, command)
    assert said.code == 0, said.err
    assert "adapted already" in said.err
    for arm in record.arms:
        assert arm.name in said.out
    final = record.scores_on("final")[record.accepted or "", MACRO]
    assert final.low is not None and f"{100 * final.value:.2f} [{100 * final.low:.2f}, " in said.out
    assert f"arms: {record.measure}" in said.out
    assert "accepted" in said.out and f"written: {place.path / 'out'}/model" in said.out
    assert "merging: " in said.out and "points" in said.out


def test_a_machine_gets_the_whole_record(honest: Honest, command: Command) -> None:
    place, record = honest
    said = adapted(place, command, "--json")
    assert json.loads(said.out) == json.loads((place.path / "out" / "record.json").read_text("utf-8"))
    assert said.code == 0 and record.state == "accepted"


@pytest.mark.parametrize("form", ["argument", "option"])
def test_the_cost_and_what_was_set_where_are_printed_before_anything_is_paid(
    honest: Honest, command: Command, form: str
) -> None:
    place, _ = honest
    file = [configuration(place)] if form == "argument" else ["--config", configuration(place)]
    said = command("train", "adapt", *file, "--seed", 3, "--workspace", place.workspace.path, "--print-cost")
    assert said.code == 0
    assert "240 queries requested" in said.out and "60 of the singles" in said.out
    assert f"{place.path / 'adapt.toml'} sets base = " in said.out and "training.loss.scale = 4," in said.out
    assert "the command line sets seed = 3\nother keys have their defaults\n" in said.out
    said = command("train", "adapt", *file, "--workspace", place.workspace.path, "--print-cost", "--json")
    settings = json.loads(said.out)["settings"]
    assert {"key": "training.max_steps", "value": "30", "origin": str(place.path / "adapt.toml")} in settings


def test_everything_that_is_missing_is_named(place: Place, command: Command) -> None:
    said = adapted(place, command, text="")
    assert said.code == 2
    for key in ("base", "corpora", "teaching.teachers", "evaluation.dev", "gate.policy", "--policy"):
        assert key in said.err
    said = command("train", "adapt", configuration(place))
    assert said.code == 2 and "needs --out" in said.err


def test_another_configuration_into_the_folder_is_a_usage_error(honest: Honest, command: Command) -> None:
    said = adapted(honest[0], command, text=CONFIGURATION.replace("[training]", "[training]\nseeds = 3"))
    assert said.code == 2 and "holds another job" in said.err


@pytest.mark.parametrize("more", [("--release", "9"), ("--seed", 1)])
def test_an_option_has_precedence_over_the_file(honest: Honest, command: Command, more: tuple[object, ...]) -> None:
    said = adapted(honest[0], command, *more)
    assert said.code == 2 and "holds another job" in said.err


def test_options_of_the_last_release_are_the_same_run_and_name_their_keys(honest: Honest, command: Command) -> None:
    place, _ = honest
    configuration(place)
    old = [word.replace("PLACE", str(place.path)) for word in WITH_FORMER_OPTIONS]
    file = configuration(place, "[merge]\nbags = [0.5, 1]\n")
    said = command("train", "adapt", file, *old, "--out", place.path / "out", "--workspace", place.workspace.path)
    assert said.code == 0 and "adapted already" in said.err
    lines = said.err.splitlines()
    assert "harness: --lr is now training.learning_rate in the configuration" in lines
    assert "harness: --gate is now --policy" in lines
    assert sum("is now" in line for line in lines) == 11


def test_help_shows_no_option_of_the_last_release(command: Command) -> None:
    said = command("train", "adapt", "--help").out
    shown = {word for word in said.replace(",", " ").split() if word.startswith("--")}
    assert not shown & {f"--{name}" for name in (*FORMER, "gate", "no-dropout", "no-parallel")}
    assert {"--base", "--corpus", "--policy", "--seed", "--print-config", "--config"} <= shown


def test_the_printed_configuration_is_the_configuration(place: Place, command: Command) -> None:
    said = command("train", "adapt", configuration(place), "--seed", 4, "--print-config")
    printed = tomllib.loads(said.out)
    assert said.code == 0
    assert printed["seed"] == 4 and printed["training"]["loss"] == {
        "name": "margin-mse", "scale": 4.0, "shift": 0.0, "sigmoid": False, "temperature": 1.0, "smallest_gap": 0.0,
    }  # fmt: skip
    assert not (place.path / "out").exists()


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("sed = 3", "adapt.toml: sed: unknown key. Did you mean seed"),
        ("[training]\nepochs = 0", "adapt.toml: training.epochs: 0 is not allowed"),
        ("[training]\nepochs = true", "adapt.toml: training.epochs: true is not a whole number"),
        ("[training.loss]\nname = 'hing'", "adapt.toml: training.loss.name: 'hing' is not allowed. Did you mean hinge"),
        ("training = 3", "adapt.toml: training: 3 is not a table"),
        ("[training.loss]\nsigmoid = true\nsmallest_gap = 0.1", "adapt.toml: smallest_gap has no meaning with sigmoid"),
        ("[training", "adapt.toml: not TOML"),
    ],
)
def test_a_file_that_is_wrong_is_one_line_with_file_and_key(
    place: Place, command: Command, text: str, answer: str
) -> None:
    said = adapted(place, command, text=text)
    assert said.code == 2 and answer in said.err and said.err.count("\n") == 1


def test_an_option_that_is_wrong_is_named(place: Place, command: Command) -> None:
    said = adapted(place, command, "--seed", "-1")
    assert said.code == 2 and "--seed: -1 is not allowed; a whole number of 0 or more is needed" in said.err
    said = adapted(place, command, "--gate", "a.toml", "--policy", "b.toml")
    assert said.code == 2 and "--gate is given twice, also as --policy" in said.err
    said = command("train", "adapt", configuration(place), "--config", place.path / "other.toml")
    assert said.code == 2 and "name only one" in said.err


def test_a_variable_sets_the_device_where_the_file_names_none(
    honest: Honest, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device is where the work is done, so the run is the same."""
    place, _ = honest
    monkeypatch.setenv("HARNESS_DEVICE", "cpu")
    said = adapted(place, command, "--print-cost")
    assert 'HARNESS_DEVICE sets machine.device = "cpu"' in said.out
    said = adapted(place, command, "--print-cost", text=f'{CONFIGURATION}\n[machine]\ndevice = "meta"\n')
    assert 'machine.device = "meta"' in said.out and "HARNESS_DEVICE" not in said.out
    said = adapted(place, command)
    assert said.code == 0 and "adapted already" in said.err


def test_python_takes_the_file_its_keys_or_the_class(honest: Honest) -> None:
    """All three are the run that the command line has made."""
    from training.adapting.config import AdaptConfig
    from training.configuration import Layer, configured

    place, record = honest
    file = configuration(place)
    keys = tomllib.loads(file.read_text("utf-8"))
    whole = configured(AdaptConfig, [Layer("keys", keys)]).config
    for given in (file, str(file), keys, whole):
        assert harness.adapt(given, place.path / "out", workspace=place.workspace.path) == record


def test_a_run_of_the_last_release_continues_and_its_record_says_what_was_set(
    honest: Honest, open_end: Path, command: Command
) -> None:
    """The run was begun without a configuration: nothing is scored or trained again, and the record is the same."""
    place, before = honest
    paid = (place.path / "log").read_text("utf-8")
    said = adapted(place, command)
    assert said.code == 0 and "adapted already" not in said.err, said.err
    assert (place.path / "log").read_text("utf-8") == paid
    record = read_record(open_end)
    assert record.run == before.run and record.accepted == before.accepted and record.scores == before.scores
    settings = {one.key: (one.value, one.origin) for one in record.settings}
    assert settings["training.learning_rate"] == ("0.003", str(place.path / "adapt.toml"))
    assert "training.epochs" not in settings, "it has its default"
    assert "sets base = " in said.err
