"""The card and the upload of a checkpoint: what a user would lose is where it came from, or something private."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from adapters import tiny
from adapters.errors import EnvironmentFailure, UsageError
from adapters.model_card import card_of
from adapters.models import ModelFolder, open_folder
from harness.progress import Silent
from tests.fixtures import Command
from tests.training.fitting import QUICK, some_examples
from training.card import card
from training.examples import Examples, write_examples
from training.fit import fit, job
from training.hub import check_repository, push

SWAHILI = Examples(tuple(replace(row, language="sw") for row in some_examples().rows))


@pytest.fixture
def base(tmp_path: Path) -> Path:
    folder = tiny.cross_encoder(tmp_path / "base")
    (folder / "README.md").write_text("---\nlicense: apache-2.0\nbase_model: someone/older\n---\n\n# Base\n", "utf-8")
    return folder


def metadata_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(card_of(open_folder(str(folder))).metadata)
    return found


def test_a_checkpoint_has_a_card_with_what_is_known(base: Path, tmp_path: Path) -> None:
    manifest = fit(job(str(base), SWAHILI, QUICK), tmp_path / "out")
    text = (tmp_path / "out" / "README.md").read_text("utf-8")
    assert metadata_of(tmp_path / "out") == {
        "language": ["sw"], "license": "apache-2.0", "library_name": "transformers", "pipeline_tag": "text-ranking",
        "tags": ["reranker", "rerank-harness"],
    }  # fmt: skip
    assert "# out\n" in text and "12 queries with 48 documents" in text and manifest["examples"]["digest"] in text
    assert "| loss.name | mse |" in text and "Nothing. `harness run` measures it" in text
    assert str(tmp_path) not in text, "no path of this machine"


def test_a_base_of_the_hub_is_named_and_a_folder_is_not(base: Path) -> None:
    manifest = fit(job(str(base), some_examples(), replace(QUICK, max_steps=0)), base.parent / "out")
    hub = ModelFolder("someone/reranker", base)
    assert 'base_model: "someone/reranker"' in card("mine", manifest, hub)
    assert "base_model" not in card("mine", manifest, ModelFolder(str(base), base))


def test_a_base_without_a_licence_gives_none(base: Path, tmp_path: Path) -> None:
    (base / "README.md").unlink()
    fit(job(str(base), some_examples(), replace(QUICK, max_steps=0)), tmp_path / "out")
    assert "license" not in metadata_of(tmp_path / "out")
    assert "the base declares none" in (tmp_path / "out" / "README.md").read_text("utf-8")


def test_a_dev_value_is_said_to_be_too_high(base: Path) -> None:
    manifest = dict(fit(job(str(base), some_examples(), replace(QUICK, max_steps=0)), base.parent / "out"))
    manifest["dev"] = {"best": 0.5, "start": 0.4, "measure": "nDCG@10", "looks": 3}
    text = card("mine", manifest, open_folder(str(base)))
    assert "nDCG@10 50.0; at the start 40.0, 3 looks" in text and "too high for new queries" in text


class Hub:
    """A hub that notes what it is asked to do."""

    def __init__(self, error: Exception | None = None) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.error = error

    def create_repo(self, repository: str, **named: Any) -> None:
        self.calls.append(("create", {"repo_id": repository, **named}))
        if self.error:
            raise self.error

    def upload_folder(self, **named: Any) -> Any:
        self.calls.append(("upload", named))
        return SimpleNamespace(commit_url="https://hub.example/commit/1")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    made = Hub()
    monkeypatch.setattr("huggingface_hub.HfApi", lambda: made)
    return made


class Notes(Silent):
    """Keeps the notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_an_upload_says_what_it_uploads_and_a_new_repository_is_private(tmp_path: Path, hub: Hub) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "config.json").write_text("{}")
    notes = Notes()
    assert push(tmp_path / "out", "me/mine", notes) == "https://hub.example/commit/1"
    assert notes.notes[0].startswith("uploading 1 files (2 ") and notes.notes[0].endswith("on the hub: config.json")
    (_, created), (_, uploaded) = hub.calls
    assert created == {"repo_id": "me/mine", "private": True, "exist_ok": True}
    assert uploaded["repo_id"] == "me/mine" and uploaded["folder_path"] == tmp_path / "out"


def test_a_refused_upload_keeps_the_checkpoint_and_no_token(tmp_path: Path, hub: Hub) -> None:
    hub.error = OSError("401 for https://user:hf_abcdefghijklmnopqrstuvwxyz0123456789@hub.example")
    with pytest.raises(EnvironmentFailure, match=r"me/mine was not uploaded \(OSError: .*the same command") as caught:
        push(tmp_path, "me/mine")
    assert "hf_abc" not in str(caught.value)


@pytest.mark.parametrize("name", ["a/b/c", "-x/y", "me/..", "me/mine.git"])
def test_a_wrong_name_is_refused_before_training(name: str, command: Command) -> None:
    with pytest.raises(UsageError, match="OWNER/NAME"):
        check_repository(name)
    said = command("train", "fit", "--base", "b", "--data", "d.jsonl", "--out", "o", f"--push-to-hub={name}")
    assert said.code == 2 and "OWNER/NAME" in said.err


def test_the_command_uploads_only_where_it_is_asked_to(base: Path, tmp_path: Path, hub: Hub, command: Command) -> None:
    write_examples(tmp_path / "data.jsonl", some_examples().rows)
    given = ("--base", base, "--data", tmp_path / "data.jsonl", "--max-steps", 0, "--out", tmp_path / "out")
    assert command("train", "fit", *given).code == 0 and hub.calls == []
    said = command("train", "fit", *given, "--push-to-hub", "me/mine")
    assert said.code == 0 and [name for name, _ in hub.calls] == ["create", "upload"]
    assert "uploaded: https://hub.example/commit/1" in said.err
