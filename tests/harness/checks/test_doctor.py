"""What is missing is said with its cure, and only what is broken is an error."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from adapters import precision_probe, tiny
from adapters.precision_probe import PrecisionChoice
from adapters.sums import save_sealed
from adapters.vector_shard import shard_files
from harness.checks import doctor as module
from harness.checks import model_files
from harness.checks.doctor import EXTRAS, Finding, examine
from harness.checks.reference import ReferenceAgreement
from harness.data.label_versions import Labels, keep, versioned
from harness.data.sources import load, seen, stored
from harness.workspace import Workspace
from tests.fixtures import Command
from tests.sample_texts import undeclared
from tests.tiny_collection import Place

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def any_space_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the tests find does not depend on the disk that they run on."""
    monkeypatch.setattr(module, "_ENOUGH_FREE", 0)


def by_subject(place: Place) -> dict[str, Finding]:
    return {finding.subject: finding for finding in examine(place.workspace)}


def test_a_missing_extra_is_absent_with_its_pip_line_and_breaks_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = module._version
    monkeypatch.setattr(module, "_version", lambda name: None if name == "onnxruntime" else real(name))
    found = by_subject(place)
    assert found["extra onnx"].state == "absent"
    assert found["extra onnx"].detail == "without onnxruntime; pip install 'rerank-harness[onnx]'"
    assert not [finding for finding in found.values() if finding.state == "broken"]


def test_a_missing_core_package_is_broken(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    real = module._version
    monkeypatch.setattr(module, "_version", lambda name: None if name == "pyarrow" else real(name))
    assert by_subject(place)["pyarrow"].state == "broken"


def test_the_package_that_shadows_trec_eval_is_broken(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    real = module._version
    monkeypatch.setattr(module, "_version", lambda name: "0.5" if name == "pytrec-eval" else real(name))
    assert by_subject(place)["pytrec-eval"].detail.endswith("pip uninstall pytrec-eval")


def test_every_extra_of_the_package_is_looked_at() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    assert set(EXTRAS) == set(declared) - {"all"}
    for extra, names in EXTRAS.items():
        wanted = {re.split(r"[<>=\[]", line)[0].lower() for line in declared[extra]} - {"rerank-harness"}
        assert wanted <= {name.lower() for name in names}, f"doctor does not look for all of [{extra}]"


def test_a_workspace_that_is_not_there_is_absent_and_is_not_made(place: Place) -> None:
    missing = place.path / "missing"
    (found,) = [finding for finding in examine(Workspace(missing)) if finding.subject == "workspace"]
    assert found.state == "absent"
    assert not missing.exists()


def test_a_workspace_that_is_a_file_is_broken(place: Place) -> None:
    (found,) = [one for one in examine(Workspace(place.log())) if one.subject == "workspace"]
    assert (found.state, "is a file" in found.detail) == ("broken", True)


def test_sound_stores_are_counted(place: Place) -> None:
    place.evaluations(rerankers=["tests.fake_adapters:Plain"])
    found = by_subject(place)
    assert (found["results"].state, found["results"].detail) == ("ok", "2 evaluations")
    assert found["ledger"].state == "ok"
    assert found["ledger"].detail.startswith("34 pairs in ")  # 18 candidates, 16 of the orientation probe


@pytest.mark.parametrize("store", ["ledger", "results"])
def test_a_store_that_is_no_store_is_broken(place: Place, store: str) -> None:
    getattr(place.workspace, store).write_bytes(b"notes " * 2000)
    assert by_subject(place)[store].state == "broken"


def test_little_space_on_the_disk_is_a_warning(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ENOUGH_FREE", 1 << 80)
    assert by_subject(place)["disk"].state == "warning"


def test_every_finding_is_plain_json(place: Place) -> None:
    assert {tuple(finding.as_dict()) for finding in examine(place.workspace)} == {("subject", "state", "detail")}


def filled(place: Place) -> dict[str, Path]:
    """A workspace with a file of every kind, by the subject of the doctor."""
    source = undeclared(place.path, "de")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seen, "settled", lambda *_: True)
        (collection,) = load(str(source), place.workspace)
    model = tiny.bert_embedder(place.path / "embedder")
    place.evaluations(collection, first="bm25", rerankers=[str(model)])
    inside = place.workspace.collections / collection.fingerprint
    keep(place.workspace, versioned(collection.fingerprint, "mine", [Labels("people", ())]), collection)
    record = place.workspace.references / f"{'a' * 32}.json"
    save_sealed(record, record.stem, asdict(ReferenceAgreement(None)))
    choice = place.workspace.cache / precision_probe.FOLDER / f"{'b' * 32}.json"
    choice.parent.mkdir()
    save_sealed(choice, choice.stem, asdict(PrecisionChoice("float32", "bfloat16", 0.5, "the model", "cpu")))
    return {
        "reference": record,
        "number format": choice,
        "download": download(place),
        "texts": inside / "corpus.arrow",
        "queries": inside / "queries.arrow",
        "judgments": inside / stored.ARRAYS,
        "published": inside / stored.PUBLISHED,
        "description": inside / stored.MARKER,
        "language": inside / "detected-language.json",
        "labels": next((place.workspace.path / "labels").glob("*/*.json")),
        "published labels": next((place.workspace.path / "labels").glob("*/*.arrow")),
        "request": next((place.workspace.collections / "requests").iterdir()),
        "entry": next((place.workspace.collections / "seen").glob("*.json")),
        "candidates": next(place.workspace.runs.iterdir()),
        "scores": next(place.workspace.scored.iterdir()),
        "terms": next(place.workspace.cache.glob("terms-*.npz")),
        "vectors": next(shard_files(next((place.workspace.cache / "embeddings").iterdir()))),
        "model": model / "model.safetensors",
    }


def download(place: Place) -> Path:
    """A zip file that was fetched, with the note of its md5 sum."""
    file = place.workspace.downloads / "mine.zip"
    file.parent.mkdir()
    file.write_bytes(b"PK zip")
    note = {"md5": hashlib.md5(b"PK zip").hexdigest(), "file": []}
    file.with_name("mine.zip.checked").write_text(json.dumps(note))
    return file


def found_in(place: Place) -> list[Finding]:
    return [one for one in examine(place.workspace) if one.state in ("broken", "warning")]


def test_every_kind_of_file_is_verified_and_a_damaged_one_is_named_and_left_where_it_is(
    place: Place, command: Command
) -> None:
    files = filled(place)
    arguments = ["doctor", "--workspace", str(place.workspace.path)]
    assert found_in(place) == []
    for what, file in files.items():
        sound = file.read_bytes()
        file.write_bytes(sound[:-1])
        changed = file.read_bytes()
        found = found_in(place)
        assert any(str(file.parent) in one.detail for one in found), what
        assert {one.state for one in found} == ({"warning"} if what == "model" else {"broken"}), what
        assert file.read_bytes() == changed, what
        file.write_bytes(sound)
    assert command(*arguments).code == 0
    files["candidates"].write_bytes(b"")
    said = command(*arguments)
    assert said.code == 5 and f"{files['candidates']}: it cannot be read" in said.out
    assert "the next run searches them again" in said.out


def test_files_and_bytes_are_counted(place: Place) -> None:
    filled(place)
    detail = by_subject(place)["candidates"].detail
    assert re.fullmatch(r"1 files verified, \d+\.\d MiB, 0 damaged", detail)


def test_files_without_checksums_are_a_warning(place: Place) -> None:
    file = filled(place)["candidates"]
    arrays = {name: array for name, array in np.load(file).items() if name != "sums"}
    np.savez(file, **arrays)
    assert [one.detail for one in found_in(place)] == ["1 without checksums; the next run searches them again"]


@pytest.mark.parametrize("name", ["sha256", "git"])
def test_a_file_in_the_cache_of_the_hub_is_compared_with_its_name(tmp_path: Path, name: str) -> None:
    content = b"weights"
    named = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "git": hashlib.sha1(b"blob 7\0" + content).hexdigest(),
    }[name]
    (tmp_path / "blobs").mkdir()
    file = tmp_path / "blobs" / named
    file.write_bytes(content)
    assert model_files._is_sound(file)
    file.write_bytes(b"weighty")
    assert not model_files._is_sound(file)
