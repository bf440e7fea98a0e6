"""What was paid for before an upgrade is not paid for again, and what it got wrong is marked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from adapters import tiny
from adapters.contents import Contents
from adapters.labels import OutputLabel
from adapters.models import ModelFolder
from adapters.prompt_template import load_template
from harness.checks.doctor import examine
from harness.checks.former import CHANGED, RENAMED, bring_up
from harness.checks.former import _digests_before as digests_before
from harness.checks.former import _files_before as files_before
from harness.result.store import Results
from harness.running.experiment import experiment
from harness.scoring.system import systems
from tests.conformance import shapes
from tests.tiny_collection import FIRST, Place

pytest.importorskip("transformers", reason="tiny models need the extra 'models'")


def by_the_rule_of_before(self: Contents) -> dict[str, object]:
    """The digests that the version before made of a folder."""
    folder: ModelFolder = self.folder
    return digests_before(folder, files_before(folder))


def scored_now(place: Place, spec: str, first: str = FIRST) -> int:
    """Pairs that a run has to score."""
    evaluated = systems(first, [spec], 5, place.workspace)
    with place.session() as session:
        found = list(experiment([place.load()], evaluated, [], session, skip_probe=True))
    return found[-1].fresh


def alarms(place: Place) -> list[list[str]]:
    """The names of the alarms of every stored evaluation with a reranker."""
    with Results(place.workspace.results) as results:
        return [[alarm.name for alarm in one.audit.alarms] for one in results.all() if one.reranker]


def with_other_files(folder: Path) -> Path:
    """A folder as hub folders are: with JSON that nobody loads, and a checkpoint of the trainer."""
    (folder / "data_config.json").write_text("{}")
    (folder / "checkpoint-10").mkdir()
    (folder / "checkpoint-10" / "config.json").write_text("{}")
    return folder


@pytest.mark.parametrize("kind", ["cross-encoder", "causal-lm", "embedder"])
def test_scores_of_the_version_before_are_found_again(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    makers = {"cross-encoder": tiny.cross_encoder, "causal-lm": tiny.causal_lm, "embedder": tiny.bert_embedder}
    folder = with_other_files(makers[kind](tmp_path / "model"))  # type: ignore[operator]
    with monkeypatch.context() as before:
        before.setattr(Contents, "identity", by_the_rule_of_before)
        paid = scored_now(place, str(folder))
        assert paid > 0
    found = bring_up(place.workspace)
    assert (found.pairs, found.renamed, found.changed) == (paid, 1, 0)
    assert RENAMED in alarms(place)[0]
    assert scored_now(place, str(folder)) == 0
    assert [RENAMED in names for names in alarms(place)].count(True) == 1
    with Results(place.workspace.results) as results:
        old, new = (one for one in results.all() if one.reranker)
    assert (old.id != new.id, old.identity == new.identity, old.means == new.means) == (True, True, True)
    assert bring_up(place.workspace).pairs == 0, "nothing is done twice"


def test_pairs_that_both_versions_scored_are_kept_once(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = with_other_files(tiny.cross_encoder(tmp_path / "model"))
    with monkeypatch.context() as before:
        before.setattr(Contents, "identity", by_the_rule_of_before)
        paid = scored_now(place, str(folder))
    assert scored_now(place, str(folder)) == paid
    bring_up(place.workspace)
    with place.session() as session:
        assert sorted(one.pairs for one in session.ledger.scorers()) == [0, paid]
        assert session.ledger.verify().ok


def test_a_model_that_is_scored_in_another_way_is_marked_and_its_scores_are_left(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The version before ranked two labels by the logit of one."""
    folder = with_other_files(tiny.cross_encoder(tmp_path / "model", num_labels=2))
    with monkeypatch.context() as before:
        before.setattr(Contents, "identity", by_the_rule_of_before)
        before.setattr(OutputLabel, "identity", property(lambda self: {"label": self.index}))
        paid = scored_now(place, f"{folder}?label=1")
    found = bring_up(place.workspace)
    assert (found.pairs, found.changed) == (0, 1)
    assert CHANGED in alarms(place)[0]
    assert scored_now(place, f"{folder}?label=1") == paid


def prompts_of_before(folder: ModelFolder) -> dict[str, str]:
    """What the version before read: a default prompt also for a role without one, although another has a prompt."""
    declared = folder.json("config_sentence_transformers.json")
    prompts = declared.get("prompts") or {}
    assert isinstance(prompts, dict)
    default = prompts.get(declared.get("default_prompt_name"), "")
    names = {"query": ("query",), "document": ("document", "passage")}
    return {role: next((prompts[name] for name in each if name in prompts), default) for role, each in names.items()}


def with_prompts(folder: Path, default: str | None = None, **prompts: str) -> Path:
    shapes.edit(folder / "config_sentence_transformers.json", prompts=prompts, default_prompt_name=default)
    return folder


FILES: dict[str, Callable[[Path], Path]] = {"other files": with_other_files, "as it is": lambda folder: folder}
OTHER_FILES = pytest.mark.parametrize("files", FILES.values(), ids=FILES)


@OTHER_FILES
@pytest.mark.parametrize("part", ["reranker", "first stage", "both"])
def test_an_embedder_whose_prompts_are_read_in_another_way_is_marked(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str, files: Callable[[Path], Path]
) -> None:
    folder = files(with_prompts(tiny.bert_embedder(tmp_path / "model"), default="query", query="find "))
    spec = "control:random" if part == "first stage" else str(folder)
    first = FIRST if part == "reranker" else str(folder)
    with monkeypatch.context() as before:
        before.setattr(Contents, "identity", by_the_rule_of_before)
        before.setattr("adapters.embedding.read_prompts", prompts_of_before)
        paid = scored_now(place, spec, first)
    found = bring_up(place.workspace)
    assert (found.pairs, found.renamed) == (0, 0)
    assert found.changed == (1 if part == "reranker" else 2), "also the first stage by itself"
    assert CHANGED in alarms(place)[0]
    if part == "reranker":
        assert scored_now(place, spec, first) == paid


@OTHER_FILES
def test_a_language_model_whose_own_prompt_was_not_read_is_marked(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: Callable[[Path], Path]
) -> None:
    folder = files(with_prompts(tiny.causal_lm(tmp_path / "model"), default="query", query="find what refutes it"))
    with monkeypatch.context() as before:
        before.setattr(Contents, "identity", by_the_rule_of_before)
        before.setattr("adapters.asking.default_prompt", lambda _: load_template("qwen3").instruction)
        paid = scored_now(place, str(folder))
    found = bring_up(place.workspace)
    assert (found.pairs, found.renamed, found.changed) == (0, 0, 1)
    assert CHANGED in alarms(place)[0]
    assert scored_now(place, str(folder)) == paid


INSTRUCTED = {
    "a language model": lambda path: with_prompts(tiny.causal_lm(path), default="query", query="find what refutes it"),
    "an embedder": lambda path: with_prompts(tiny.bert_embedder(path), query="Instruct: find\nQuery: ", document="d: "),
}


@pytest.mark.parametrize("later", ['instruction = "find the opposite"', "", 'instruction = "find it all"'])
@pytest.mark.parametrize("kind", INSTRUCTED)
def test_the_instruction_of_a_collection_is_no_other_reading(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, later: str
) -> None:
    """Also where the collection declares another one by now."""
    folder = with_other_files(INSTRUCTED[kind](tmp_path / "model"))
    first = str(folder) if kind == "an embedder" else FIRST
    collection = place.beir(rules='instruction = "find the opposite"')
    with monkeypatch.context() as before:
        before.setattr(Contents, "identity", by_the_rule_of_before)
        paid = scored_now(place, str(folder), first)
    (collection / "collection.toml").write_text(later)
    scored_now(place, "control:random")
    found = bring_up(place.workspace)
    stages = 1 if kind == "an embedder" else 0
    assert (found.pairs, found.renamed, found.changed) == (paid, 1 + stages, 0)
    (collection / "collection.toml").write_text('instruction = "find the opposite"')
    assert scored_now(place, str(folder), first) == 0


def test_what_this_version_stored_is_not_marked(place: Place, tmp_path: Path) -> None:
    place.beir(rules='instruction = "find the opposite"')
    for kind, make in INSTRUCTED.items():
        scored_now(place, str(make(tmp_path / kind)))
    found = bring_up(place.workspace)
    assert (found.pairs, found.renamed, found.changed) == (0, 0, 0)


def test_other_weights_under_the_same_name_are_another_model(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = with_other_files(tiny.cross_encoder(tmp_path / "model"))
    with monkeypatch.context() as before:
        before.setattr(Contents, "identity", by_the_rule_of_before)
        scored_now(place, str(folder))
    other = tiny.cross_encoder(tmp_path / "other", seed=9)
    (folder / "model.safetensors").write_bytes((other / "model.safetensors").read_bytes())
    found = bring_up(place.workspace)
    assert (found.pairs, found.renamed, found.changed) == (0, 0, 0)


def test_a_model_that_is_gone_is_left_alone(place: Place, tmp_path: Path) -> None:
    folder = tiny.cross_encoder(tmp_path / "model")
    scored_now(place, str(folder))
    (folder / "config.json").unlink()
    assert bring_up(place.workspace).pairs == 0


def test_the_doctor_does_it_and_says_so(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = with_other_files(tiny.cross_encoder(tmp_path / "model"))
    with monkeypatch.context() as before:
        before.setattr(Contents, "identity", by_the_rule_of_before)
        paid = scored_now(place, str(folder))
    said = {one.subject: one.detail for one in examine(place.workspace)}
    assert said["identities"] == f"{paid} pairs got their new identities"
    assert said["evaluations"].startswith("1 evaluations have new ids; 0 are of models")
    json.dumps([one.as_dict() for one in examine(place.workspace)])
    assert np.isfinite(paid)
