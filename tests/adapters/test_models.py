"""Model folders: found by path, in a mirror or on the hub, and fetched without code or pickles."""

from __future__ import annotations

import fnmatch
import json
from pathlib import Path

import pytest

from adapters.contents import Contents
from adapters.errors import EnvironmentFailure, ModelError
from adapters.kinds import kind_of
from adapters.models import ONNX_FILES, mirrored_model, open_folder

huggingface_hub = pytest.importorskip("huggingface_hub", reason="hub models need the extra 'models'")

CONFIG = {"architectures": ["BertForSequenceClassification"], "hidden_size": 8, "_name_or_path": "a/b"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model")


def write_model(path: Path) -> Path:
    (path / "1_Pooling").mkdir(parents=True)
    (path / "config.json").write_text(json.dumps(CONFIG))
    (path / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_mean_tokens": True}))
    (path / "model.safetensors").write_bytes(bytes(64))
    (path / "tokenizer.json").write_text('{"version": "1.0"}')
    (path / "vocab.txt").write_text("a\nb\n")
    (path / "README.md").write_text("a model")
    return path


@pytest.mark.parametrize(
    ("file", "content", "answer"),
    [
        ("config.json", "{", r"config\.json: not JSON"),
        ("config.json", "[]", r"config\.json: expected a JSON object"),
        ("modules.json", "{}", r"modules\.json: expected a JSON list"),
        ("modules.json", '[{"name": "0"}]', r"modules\.json: expected a list of modules"),
        ("modules.json", '[{"type": "a.B", "path": "../x"}]', r"modules\.json: '\.\./x' is not a folder inside"),
        ("config.json", "version https://git-lfs.github.com/spec/v1", r"config\.json: a Git LFS pointer"),
        ("config.json", "[" * 100_000, r"config\.json: nested too deeply"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, file: str, content: str, answer: str) -> None:
    (tmp_path / file).write_text(content)
    with pytest.raises(ModelError, match=answer):
        kind_of(open_folder(str(tmp_path)))


def test_a_revision_of_a_local_folder_is_refused(folder: Path) -> None:
    with pytest.raises(ModelError, match=r"is a local folder; leave out @main"):
        open_folder(str(folder), "main")


@pytest.mark.parametrize("model", ["./missing", "/missing/model", "~/missing-model", "missing", "a/b/c"])
def test_a_path_that_is_not_there_is_not_looked_up_on_the_hub(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *_, **__: pytest.fail("asked the hub"))
    with pytest.raises(ModelError, match=f"no model folder at '{model}'"):
        open_folder(model)


@pytest.mark.parametrize(
    ("error", "reason"),
    [(OSError("no route to the hub\nand more lines"), "no route to the hub"), (TimeoutError(), "TimeoutError")],
)
def test_a_hub_that_cannot_be_reached_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    def unreachable(*_: object, **__: object) -> str:
        raise error

    monkeypatch.setattr(huggingface_hub, "snapshot_download", unreachable)
    with pytest.raises(
        EnvironmentFailure, match=f"cannot fetch the model 'some/model': {reason}; give the path"
    ) as caught:
        open_folder("some/model")
    assert "\n" not in str(caught.value)


def test_only_safe_files_of_the_asked_revision_are_fetched(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, object] = {}

    def download(model: str, **arguments: object) -> str:
        asked.update(arguments, model=model)
        return str(folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    found = open_folder("some/model", "abc123", extra_files=["head.npz"])
    assert (found.path, found.name) == (folder, "some/model@abc123")
    assert (asked["model"], asked["revision"]) == ("some/model", "abc123")
    allowed = asked["allow_patterns"]
    assert isinstance(allowed, list)

    def is_fetched(name: str) -> bool:
        return any(fnmatch.fnmatch(name, pattern) for pattern in allowed)

    wanted = ["model.safetensors", "config.json", "tokenizer.json", "vocab.txt", "1_Pooling/config.json", "head.npz"]
    unsafe = ["pytorch_model.bin", "model.pt", "model.pkl", "weights.pth", "modeling_custom.py", "tf_model.h5"]
    assert [name for name in wanted if not is_fetched(name)] == []
    assert [name for name in unsafe if is_fetched(name)] == []


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HARNESS_MIRROR", str(tmp_path / "a mirror"))
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *_, **__: pytest.fail("asked the hub"))
    return tmp_path / "a mirror"


@pytest.mark.parametrize("revision", [None, "abc123", "a/branch"])
def test_a_hub_model_is_read_from_the_mirror(mirror: Path, revision: str | None) -> None:
    folder = write_model(mirrored_model(mirror, "some/model", revision))
    found = open_folder("some/model", revision)
    assert (found.path, found.name) == (folder, "some/model" if revision is None else f"some/model@{revision}")
    other = write_model(mirror / "elsewhere")
    assert Contents(found).identity() == Contents(open_folder(str(other))).identity(), (
        "where a model lies is not in its identity"
    )


@pytest.mark.parametrize("revision", [None, "abc123"])
def test_a_model_that_the_mirror_lacks_names_the_command_that_fetches_it(mirror: Path, revision: str | None) -> None:
    write_model(mirror / "models" / "some" / "model@of-another-revision")
    with pytest.raises(EnvironmentFailure) as caught:
        open_folder("some/model", revision)
    name = "some/model" if revision is None else "some/model@abc123"
    assert str(caught.value) == (
        f"{mirror}/models/{name}: not there; where there is a network, run: "
        f"harness fetch --model {name} --mirror '{mirror}'"
    )


def test_a_mirror_without_the_exports_that_are_asked_for_says_so(mirror: Path) -> None:
    folder = write_model(mirror / "models" / "some" / "model")
    with pytest.raises(
        EnvironmentFailure, match=r"no \*\.onnx there; .* harness fetch --model onnx:some/model --mirror '"
    ):
        open_folder("some/model", extra_files=ONNX_FILES)
    (folder / "onnx").mkdir()
    (folder / "onnx" / "model.onnx").write_bytes(b"x")
    assert open_folder("some/model", extra_files=ONNX_FILES).path == folder


@pytest.mark.usefixtures("mirror")
def test_a_local_folder_is_read_whatever_the_mirror_has(folder: Path) -> None:
    assert open_folder(str(folder)).path == folder


@pytest.mark.parametrize("model", ["models/..", "some/.model", "some/../model"])
def test_a_name_cannot_leave_the_mirror(mirror: Path, model: str) -> None:
    mirror.mkdir()
    with pytest.raises(ModelError, match="no model folder at"):
        open_folder(model)


def test_without_a_network_the_command_that_fills_a_mirror_is_named() -> None:
    with pytest.raises(
        EnvironmentFailure, match=r"HARNESS_MIRROR=DIR .*: harness fetch --model onnx:some/model@v1 --mirror DIR"
    ):
        open_folder("some/model", "v1", ONNX_FILES)
