"""What comes from the hub is there whole or not at all, at the revision that was asked for, and never code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapters.errors import EnvironmentFailure, HarnessError, ModelError
from adapters.models import MODEL_FILES, ONNX_FILES, open_folder
from harness.data.mirror.fetch import plan_fetch, run_fetch
from harness.data.mirror.hub_folder import unfinished
from tests import mirror_of_hub as hub_files
from tests.fake_hub import COMMIT, CONFIG, Hub, Unreachable, connected

SCIFACT = hub_files.entry_of("beir/scifact")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    return connected(monkeypatch)


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    return tmp_path / "mirror"


def refused(error: type[HarnessError], *targets: str, **options: Any) -> str:
    with pytest.raises(error) as caught:
        run_fetch(targets, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_dataset_is_brought_at_the_revision_of_the_table(hub: Hub, mirror: Path) -> None:
    (piece,) = run_fetch(["beir/scifact"], mirror=mirror, source="mteb")
    folder = mirror / "datasets" / "mteb" / "scifact" / SCIFACT.mteb.revision
    assert (piece.path, piece.there, piece.bytes) == (folder, True, 9)
    assert files_in(folder) == ["README.md", "corpus.jsonl", "queries.jsonl"]
    assert hub.downloads == [
        {
            "name": "mteb/scifact",
            "repo_type": "dataset",
            "revision": SCIFACT.mteb.revision,
            "local_dir": unfinished(folder),
            "allow_patterns": None,
        }
    ]
    assert run_fetch(["beir/scifact"], mirror=mirror, source="mteb")[0].there
    assert len(hub.downloads) == 1, "what is there is not fetched again"


@pytest.mark.parametrize("killed_after", [0, 1, 2])
def test_a_killed_fetch_leaves_nothing_that_looks_whole_and_goes_on(hub: Hub, mirror: Path, killed_after: int) -> None:
    hub.killed_after = killed_after
    with pytest.raises(KeyboardInterrupt):
        run_fetch(["beir/scifact"], mirror=mirror, source="mteb")
    (piece,) = plan_fetch(["beir/scifact"], mirror, source="mteb")
    assert not piece.there
    assert not piece.path.exists()
    assert len(files_in(unfinished(piece.path))) == killed_after, "what arrived is kept for the next try"
    hub.killed_after = None
    run_fetch(["beir/scifact"], mirror=mirror, source="mteb")
    assert len(files_in(piece.path)) == 3
    assert not unfinished(piece.path).exists()
    assert plan_fetch(["beir/scifact"], mirror, source="mteb")[0].there


def test_a_download_that_ends_without_a_file_is_not_whole(hub: Hub, mirror: Path) -> None:
    hub.without = {"corpus.jsonl"}
    message = refused(EnvironmentFailure, "beir/scifact", mirror=mirror, source="mteb")
    assert "'corpus.jsonl' is incomplete, 0 of 3 bytes; run the same command again" in message
    assert not plan_fetch(["beir/scifact"], mirror, source="mteb")[0].there


@pytest.mark.usefixtures("hub")
def test_an_incomplete_folder_is_completed(mirror: Path) -> None:
    folder = plan_fetch(["beir/scifact"], mirror, source="mteb")[0].path
    folder.mkdir(parents=True)
    (folder / "corpus.jsonl").write_bytes(b"{}\n")
    run_fetch(["beir/scifact"], mirror=mirror, source="mteb")
    assert len(files_in(folder)) == 3


@pytest.mark.parametrize(
    ("spec", "folder", "files"),
    [
        ("some/model", "some/model", ["config.json", "model.safetensors"]),
        ("cross-encoder:some/model@v1?batch=8", "some/model@v1", ["config.json", "model.safetensors"]),
        ("onnx:some/model", "some/model", ["config.json", "model.safetensors", "onnx/model.onnx"]),
    ],
)
def test_of_a_model_only_safe_files_are_brought(
    hub: Hub, mirror: Path, spec: str, folder: str, files: list[str]
) -> None:
    (piece,) = run_fetch([], [spec], mirror)
    assert files_in(mirror / "models" / folder) == files
    (asked,) = hub.downloads
    assert (asked["repo_type"], asked["revision"]) == ("model", piece.revision or COMMIT)
    assert asked["allow_patterns"] == [*MODEL_FILES, *(ONNX_FILES if spec.startswith("onnx") else ())]
    assert plan_fetch([], mirror, [spec])[0].there


def test_a_model_that_was_fetched_is_read_from_the_mirror(
    hub: Hub, mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_MIRROR", str(mirror))
    for spec, revision in (("some/model", None), ("some/model@v1", "v1")):
        with pytest.raises(EnvironmentFailure, match=f"harness fetch --model {spec} --mirror {mirror}$"):
            open_folder("some/model", revision)
        run_fetch([], [spec], mirror)
        assert open_folder("some/model", revision).path == mirror / "models" / spec
    assert len(hub.downloads) == 2


@pytest.mark.usefixtures("hub")
def test_a_model_that_is_there_without_its_onnx_files_gets_them(mirror: Path) -> None:
    run_fetch([], ["some/model"], mirror)
    assert not plan_fetch([], mirror, ["onnx:some/model"])[0].there
    run_fetch([], ["onnx:some/model"], mirror)
    assert plan_fetch([], mirror, ["onnx:some/model"])[0].there
    assert (mirror / "models" / "some" / "model" / "model.safetensors").exists()


def test_code_is_brought_where_it_is_asked_for(hub: Hub, mirror: Path) -> None:
    hub.files["some/model"] = {"config.json": CONFIG, "model.safetensors": b"", "modeling.py": b"", "sub/b.py": b""}
    hub.files["some/code"] = {"README.md": b"", "modeling.py": b""}
    run_fetch([], ["some/model"], mirror)
    assert files_in(mirror / "models" / "some" / "model") == ["config.json", "model.safetensors"]
    for name in ("some/model", "some/code"):
        assert not plan_fetch([], mirror, [f"{name}?code=own"])[0].there
        run_fetch([], [f"{name}?code=own"], mirror)
        assert plan_fetch([], mirror, [f"{name}?code=own"])[0].there
    code = [str(file.relative_to(mirror / "models")) for file in (mirror / "models").rglob("*.py")]
    assert sorted(code) == ["some/code/modeling.py", "some/model/modeling.py", "some/model/sub/b.py"]


def test_a_model_with_nothing_but_pickles_is_refused_before_it_is_fetched(hub: Hub, mirror: Path) -> None:
    hub.files["some/model"] = {"config.json": CONFIG, "pytorch_model.bin": b"pickled"}
    assert "no safetensors weights on the hub" in refused(ModelError, models=["some/model"], mirror=mirror)
    assert hub.downloads == []


def test_without_a_network_it_says_so(mirror: Path) -> None:
    pytest.importorskip("huggingface_hub", reason="the hub's client needs the extra 'models'")
    message = refused(EnvironmentFailure, "beir/scifact", mirror=mirror, source="mteb")
    assert "HF_HUB_OFFLINE is set" in message, "the tests run so"
    assert "HF_HUB_OFFLINE is set" in refused(EnvironmentFailure, models=["some/model"], mirror=mirror)
    assert not mirror.exists()


def test_half_a_folder_is_not_whole_because_the_network_is_gone(hub: Hub, mirror: Path) -> None:
    """The hub's client gives the folder back as it is then."""
    part = unfinished(plan_fetch([], mirror, ["some/model"])[0].path)
    part.mkdir(parents=True)
    (part / "config.json").write_bytes(CONFIG)
    hub.error = Unreachable("no route\nand more")
    message = refused(EnvironmentFailure, models=["some/model"], mirror=mirror)
    assert message.startswith("cannot fetch the model 'some/model': Unreachable: no route; run the same")
    assert hub.downloads == []
    assert part.exists()
