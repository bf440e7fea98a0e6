"""A disk that gives other bytes of a model than were written is noticed by the commands whose answer rests on them."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters import known_digests, tiny
from adapters.identity import file_digest
from adapters.known_digests import ChangedFile
from harness.checks.doctor import examine
from harness.judging.gate.gate import gate
from harness.judging.gate.policy import Policy
from harness.judging.reproduce import reproduce
from tests.tiny_collection import FIRST, Place


@pytest.fixture
def model(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A cross-encoder whose weights are large enough for an entry in the workspace."""
    folder = tiny.cross_encoder(tmp_path / "model")
    monkeypatch.setattr(known_digests, "_LEAST", (folder / "model.safetensors").stat().st_size)
    monkeypatch.setattr(known_digests, "_SETTLED", 0)
    monkeypatch.setattr(known_digests, "_use", known_digests._Use())
    known_digests.keep_in(place.workspace.cache)
    return str(folder)


def faulty(monkeypatch: pytest.MonkeyPatch) -> None:
    def other(file: Path) -> str:
        return "f" * 32 if file.name == "model.safetensors" else file_digest(file)

    monkeypatch.setattr(known_digests, "file_digest", other)


def test_doctor_names_the_file(place: Place, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place.evaluations(rerankers=[model])
    assert not [found for found in examine(place.workspace) if found.subject == "model files"]
    faulty(monkeypatch)
    (found,) = [found for found in examine(place.workspace) if found.subject == "model files"]
    assert found.state == "broken" and f"{model}/model.safetensors" in found.detail
    assert not [found for found in examine(place.workspace) if found.subject == "model files"], "the entry is gone"


def test_doctor_compares_models_that_no_evaluation_used(
    place: Place, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known_digests.known_digest(Path(model) / "model.safetensors")
    place.workspace.results.unlink(missing_ok=True)
    faulty(monkeypatch)
    assert [found.state for found in examine(place.workspace) if found.subject == "model files"] == ["broken"]


def test_reproduce_ends_with_the_file(place: Place, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    done = place.evaluations(rerankers=[model])[1]
    assert reproduce(place.workspace, done.id).state == "OK"
    faulty(monkeypatch)
    with pytest.raises(ChangedFile, match=r"model\.safetensors: its bytes are not those"):
        reproduce(place.workspace, done.id)


def test_the_gate_is_invalid_and_names_the_file(place: Place, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place.evaluations(rerankers=[model])
    collection = place.load()
    faulty(monkeypatch)
    with place.session() as session:
        found = gate([collection], Policy(anchor=FIRST, depth=5), model, FIRST, session)
    assert found.state == "invalid"
    assert "model.safetensors: its bytes are not those" in found.verdict.reasons[0]


def test_a_run_reads_the_weights_once(place: Place, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def spied(file: Path) -> str:
        read.append(file.name)
        return file_digest(file)

    monkeypatch.setattr(known_digests, "file_digest", spied)
    place.evaluations(rerankers=[model])
    place.evaluations(rerankers=[model], measures=["RR@10"])
    assert read.count("model.safetensors") == 1
