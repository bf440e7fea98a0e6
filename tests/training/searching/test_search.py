"""The search whole: a planted best merge is found within the looks, a kill costs nothing, and nothing is claimed that
was only chosen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from adapters import tiny
from adapters.errors import ModelError, UsageError
from harness.judging.gate.looks import LookLog
from harness.progress import Silent
from harness.scoring.session import opened
from harness.workspace import Workspace
from reports.tables.merge_search import tables
from tests.fixtures import Command
from tests.tiny_collection import FIRST, Place
from tests.training.adapting import toy
from training.configuration import Layer, configured
from training.merging.tensors import open_file
from training.searching import measured
from training.searching.config import SearchConfig
from training.searching.search import search

pytestmark = pytest.mark.usefixtures("one_thread")

LOOKS = 8


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Two checkpoints that are far from a good one, in opposite directions: the good one is their mean."""
    folder = tmp_path_factory.mktemp("search")
    found = Place(folder, Workspace.open(folder / "workspace"))
    judged = toy.target(found, "dev", 40) / "qrels"
    (judged / "test.tsv").rename(judged / "dev.tsv")
    good = toy.pretrained(found, folder / "good", toy.GOLD)
    for name, sign in (("plus", 1.0), ("minus", -1.0)):
        moved(good, folder / name, sign)
    return found


def moved(good: Path, out: Path, sign: float) -> None:
    """The good checkpoint, moved along one random direction."""
    import transformers

    model = transformers.AutoModelForSequenceClassification.from_pretrained(good)
    draw = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for one in model.parameters():
            one.add_(sign * 0.8 * one.std(unbiased=False) * torch.randn(one.shape, generator=draw))
    model.save_pretrained(out)
    transformers.AutoTokenizer.from_pretrained(good).save_pretrained(out)


def config(place: Place, **more: Any) -> dict[str, Any]:
    names = more.pop("names", ("plus", "minus"))
    dev = {"collection": str(place.path / "dev"), "split": "dev", "first_stage": FIRST, "depth": toy.TEXTS}
    given = {"family": "linear", "looks": LOOKS, "layers": False, **more}
    return {"ingredients": [str(place.path / name) for name in names], "dev": dev, **given}


def ran(place: Place, out: str, workspace: Path | None = None, **more: Any) -> dict[str, Any]:
    chosen = configured(SearchConfig, [Layer("the test", config(place, **more))])
    with opened(Workspace.open(workspace or place.path / "workspace"), Silent()) as session:
        return search(chosen, place.path / out, session)


@pytest.fixture(scope="module")
def found(place: Place) -> dict[str, Any]:
    return ran(place, "found")


def test_a_planted_best_t_is_found_within_the_looks(place: Place, found: dict[str, Any]) -> None:
    best = next(one for one in found["tried"] if one["name"] == found["winner"])
    assert best["t"] is not None and abs(best["t"][0] - 0.5) <= 0.25
    assert best["lead"]["low"] > 0 and found["looks"] == {"allowed": LOOKS, "taken": len(found["tried"])}
    assert len(found["tried"]) <= LOOKS
    assert (place.path / "found" / "model" / "model.safetensors").is_file()
    assert not (place.path / "found" / "candidates").exists()


def test_every_checkpoint_that_was_measured_is_a_recorded_look(place: Place, found: dict[str, Any]) -> None:
    known = {look.id for look in LookLog(Workspace.open(place.path / "workspace").results).all()}
    assert {one["look"] for one in found["tried"]} <= known and len({one["look"] for one in found["tried"]}) > 2


def test_the_curve_has_its_ends_and_bands_and_nothing_is_claimed(found: dict[str, Any]) -> None:
    assert [one["t"] for one in found["curve"]][:: len(found["curve"]) - 1] == [0.0, 1.0]
    assert all({"low", "high", "delta"} <= set(one["lead"]) for one in found["tried"])
    assert found["gate"] is None and "Nothing is claimed" in found["answer"]
    assert (
        found["selection"]["optimism"] >= 0 and found["selection"]["corrected"] <= found["selection"]["lead"]["delta"]
    )


def test_a_killed_search_continues_to_the_same_bytes(
    place: Place, found: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, real = [0], measured.measure

    def killed(*given: Any) -> Any:
        looks[0] += 1
        if looks[0] == 5:
            raise KeyboardInterrupt
        return real(*given)

    monkeypatch.setattr(measured, "measure", killed)
    with pytest.raises(KeyboardInterrupt):
        ran(place, "killed", place.path / "other")
    assert not (place.path / "killed" / "manifest.json").exists()
    monkeypatch.setattr(measured, "measure", real)
    again = ran(place, "killed", place.path / "other")
    one, other = (json.dumps(each).replace("killed", "found") for each in (found, again))
    assert one == other
    weights = [(place.path / name / "model" / "model.safetensors").read_bytes() for name in ("found", "killed")]
    assert weights[0] == weights[1]
    assert ran(place, "killed", place.path / "other") == again


def test_the_ingredients_count_and_a_budget_that_they_spend_is_refused(place: Place) -> None:
    with pytest.raises(UsageError, match="spent by the 2 ingredients"):
        ran(place, "spent", looks=2)


def test_ingredients_that_cannot_be_merged_take_no_look(place: Place) -> None:
    tiny.bert_embedder(place.path / "embedder")
    with pytest.raises(ModelError, match="merge checkpoints of one architecture"):
        ran(place, "unlike", names=("plus", "embedder"))
    assert not (place.path / "unlike").exists()


def test_a_test_split_is_refused(place: Place) -> None:
    toy.target(place, "held-out", 20)
    dev = {"collection": str(place.path / "held-out"), "first_stage": FIRST, "depth": toy.TEXTS}
    with pytest.raises(UsageError, match="the split 'test' judges a checkpoint and cannot choose a merge"):
        ran(place, "refused", dev=dev)


def test_with_a_policy_the_winner_is_looked_at_once(place: Place) -> None:
    toy.target(place, "both", 120, first=200)
    policy = place.path / "gate.toml"
    policy.write_text(
        f'first_stage = "{FIRST}"\ndepth = {toy.TEXTS}\nmargin = 0.02\nmin_queries = 15\n'
        '[looks]\nrelease = "1"\nbudget = 2\n[splits]\ndev = 0.4\ngate = 0.4\nfinal = 0.2\n', "utf-8"
    )  # fmt: skip
    dev = {"collection": str(place.path / "both")}
    result = ran(place, "judged", dev=dev, gate={"policy": str(policy)}, looks=5)
    assert result["gate"]["state"] == "pass" and result["gate"]["better"]
    looks = LookLog(Workspace.open(place.path / "workspace").results).all()
    assert [look.tier for look in looks].count("gate") == 1
    assert ran(place, "judged", dev=dev, gate={"policy": str(policy)}, looks=5) == result
    assert [look.tier for look in LookLog(Workspace.open(place.path / "workspace").results).all()].count("gate") == 1


def test_layers_and_chains_of_slerps_are_searched_too(place: Place) -> None:
    layered = ran(place, "layered", family="slerp", layers=True, looks=8)
    assert {one["phase"] for one in layered["tried"]} == {"single", "curve", "layers"}
    chained = ran(place, "chained", family="slerp", names=("plus", "minus", "good"), looks=8)
    assert [one["phase"] for one in chained["tried"]].count("order") == 2 and chained["curve"] == []
    assert len(chained["tried"]) == 8


def test_the_command_prints_the_curve_with_its_bands(place: Place, command: Command, found: dict[str, Any]) -> None:
    given = config(place)
    (place.path / "search.toml").write_text(
        f'ingredients = {json.dumps(given["ingredients"])}\nfamily = "linear"\nlooks = {LOOKS}\nlayers = false\n'
        f'[dev]\ncollection = {json.dumps(given["dev"]["collection"])}\nsplit = "dev"\nfirst_stage = "{FIRST}"\n'
        f"depth = {toy.TEXTS}\n", "utf-8"
    )  # fmt: skip
    arguments = ("--workspace", place.path / "workspace", "--out", place.path / "cli")
    said = command("merge", "search", place.path / "search.toml", *arguments)
    assert said.code == 0 and "Nothing is claimed" in said.out and "t from plus (0) to minus (1)" in said.out
    page = (place.path / "cli" / "search.md").read_text("utf-8")
    assert ".svg)" in page and "--o--" in page.replace(" ", "-")
    assert json.loads((place.path / "cli" / "search.json").read_text("utf-8"))["tried"] == found["tried"]
    assert "ingredients" in command("merge", "search", "--print-config").out


def test_the_mean_of_the_planted_checkpoints_is_the_good_one(place: Place) -> None:
    """A control of the world: without it, finding t = 0.5 would show nothing."""
    files = {name: open_file(place.path / name / "model.safetensors") for name in ("plus", "minus", "good")}
    values = {name: {tensor.name: tensor.raw() for tensor in file.tensors} for name, file in files.items()}
    for name, good in values["good"].items():
        np.testing.assert_allclose((values["plus"][name] + values["minus"][name]) / 2, good, atol=1e-5)


def test_the_search_is_another_job_with_other_looks(place: Place, found: dict[str, Any]) -> None:
    assert found["looks"]["allowed"] == LOOKS
    with pytest.raises(UsageError, match="holds another job"):
        ran(place, "found", looks=LOOKS + 1)


def test_a_set_of_collections_has_a_table_of_the_best_ingredient_of_each(place: Place) -> None:
    for name, first in (("en", 300), ("de", 320)):
        judged = toy.target(place, f"set/{name}", 20, first=first) / "qrels"
        (judged / "test.tsv").rename(judged / "dev.tsv")
    dev = {"collection": str(place.path / "set"), "split": "dev", "first_stage": FIRST, "depth": toy.TEXTS}
    result = ran(place, "routed", dev=dev, looks=3)
    assert len(result["languages"]) == len(result["dev"]) == 2
    for one in result["languages"]:
        assert one["best"] == max(one["values"], key=one["values"].get)
    assert [table.title for table in tables(result)][-1] == "The best ingredient of each collection"
    assert len(result["tried"]) == 3
