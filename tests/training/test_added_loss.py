"""A loss is written in one place: whoever adds one trains with it, from the command line and from a configuration."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from adapters import tiny
from adapters.errors import DataError, UsageError
from tests.fixtures import Command
from tests.training.fitting import some_examples
from training.adapting.config import AdaptConfig
from training.configuration import Layer, configured, toml_of
from training.examples import write_examples
from training.keys import keys_of
from training.losses import LOSSES, LossDefinition, check_targets, register
from training.settings import Loss, Settings
from training.stages import General

if TYPE_CHECKING:
    from torch import Tensor

ROOT = Path(__file__).parents[2]


def huber(scores: Tensor, targets: Tensor, _: Sequence[int]) -> Tensor:
    """Squared error up to a distance of 1, linear above it."""
    distance = (scores - targets).abs()
    return (distance.square() / 2).where(distance <= 1, distance - 0.5).mean()


@pytest.fixture
def loss() -> Iterator[LossDefinition]:
    """A loss that a plug-in adds."""
    yield register("huber", LossDefinition(lambda *_: huber, highest=10, pointwise=True))
    del LOSSES["huber"]


@pytest.mark.usefixtures("loss")
def test_a_loss_that_is_registered_once_trains_a_checkpoint(tmp_path: Path, command: Command) -> None:
    base = tiny.cross_encoder(tmp_path / "base")
    write_examples(tmp_path / "examples.jsonl", some_examples(4).rows)
    said = command(
        "train", "fit", "--base", base, "--data", tmp_path / "examples.jsonl", "--out", tmp_path / "out",
        "--loss", "huber", "--max-steps", 1, "--lr", "1e-3",
    )  # fmt: skip
    assert said.code == 0, said.err
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text("utf-8"))
    assert manifest["settings"]["loss"]["name"] == "huber"
    history = [json.loads(line) for line in (tmp_path / "out" / "history.jsonl").read_text("utf-8").splitlines()]
    assert [step["loss"] > 0 for step in history] == [True]


@pytest.mark.usefixtures("loss")
def test_it_is_a_value_of_every_key_that_names_a_loss() -> None:
    given = {"general": {"loss": "huber"}, "training": {"loss": {"name": "huber"}}}
    found = configured(AdaptConfig, [Layer("adapt.toml", given)]).config
    assert found.general.loss == found.training.loss.name == "huber"
    assert toml_of(found).count("huber") == 4, "two values, and two lists of what is allowed"
    for kind, key in ((Settings, "loss.name"), (General, "loss"), (AdaptConfig, "training.loss.name")):
        assert keys_of(kind)[key].choices == tuple(LOSSES)


@pytest.mark.usefixtures("loss")
def test_its_targets_are_checked_before_a_model_is_loaded() -> None:
    check_targets(Loss("huber"), some_examples())
    with pytest.raises(DataError, match=r"huber needs targets of at most 10, but they are 0 to 30; set scale"):
        check_targets(Loss("huber", scale=10), some_examples())


def test_help_lists_it_where_it_is_registered_before_the_command_line_is_imported(tmp_path: Path) -> None:
    script = tmp_path / "mine.py"
    script.write_text(
        "from training.losses import LossDefinition, mse, register\n"
        "register('huber', LossDefinition(lambda *_: mse, pointwise=True))\n"
        "from harness.cli import main\n"
        "main()\n",
        "utf-8",
    )  # fmt: skip
    done = subprocess.run(
        [sys.executable, str(script), "train", "fit", "--help"], cwd=ROOT, capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(ROOT), "COLUMNS": "200"},
    )  # fmt: skip
    assert f"--loss <{'|'.join(LOSSES)}|huber>" in done.stdout, done.stderr


@pytest.mark.usefixtures("loss")
def test_two_losses_never_share_a_name() -> None:
    for name in ("hinge", "huber"):
        with pytest.raises(ValueError, match=f"a loss '{name}' exists already; choose another name"):
            register(name, LossDefinition(lambda *_: huber))
    for name in ("", "Huber", "my loss", "a.b"):
        with pytest.raises(ValueError, match="lower-case letters, digits and '-'"):
            register(name, LossDefinition(lambda *_: huber))


def test_a_loss_that_is_not_registered_is_one_line_with_the_list(loss: LossDefinition) -> None:
    with pytest.raises(UsageError, match="Did you mean huber"):
        Loss("hubr")
    del LOSSES["huber"]
    with pytest.raises(UsageError, match=r"'huber' is not allowed\. .*Available: .*hinge"):
        Loss("huber")
    register("huber", loss)


def test_the_page_of_the_losses_defines_each_and_no_other() -> None:
    text = (ROOT / "docs" / "training.md").read_text("utf-8")
    table = text.partition("| `--loss` |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `([a-z-]+)`", table, re.MULTILINE) == list(LOSSES)
