"""Model folders: identified by content, told apart by their own files, fetched without code or pickles."""

from __future__ import annotations

import fnmatch
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.errors import ModelError
from adapters.models import ONNX_FILES, ModelFolder, kind_of, mirrored_model, open_folder

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


def identity(path: Path) -> dict[str, object]:
    return ModelFolder("any name", path).identity()


def configure(path: Path, **changes: object) -> None:
    (path / "config.json").write_text(json.dumps({**CONFIG, **changes}))


CHANGES: dict[str, tuple[str, Callable[[Path], object]]] = {
    "a byte of the weights": ("weights", lambda path: (path / "model.safetensors").write_bytes(bytes(63) + b"\1")),
    "a second weights file": ("weights", lambda path: (path / "more.safetensors").write_bytes(b"")),
    "the tokenizer": ("tokenizer", lambda path: (path / "tokenizer.json").write_text('{"version": "1.1"}')),
    "the vocabulary": ("tokenizer", lambda path: (path / "vocab.txt").write_text("b\na\n")),
    "a chat template": ("tokenizer", lambda path: (path / "chat_template.jinja").write_text("{{ x }}")),
    "the config": ("settings", lambda path: configure(path, hidden_size=9)),
    "the pooling": ("settings", lambda path: (path / "1_Pooling" / "config.json").write_text("{}")),
    "the modules": ("settings", lambda path: (path / "modules.json").write_text("[]")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_can_change_a_score_changes_the_identity(folder: Path, change: str) -> None:
    before = identity(folder)
    part, apply = CHANGES[change]
    apply(folder)
    after = identity(folder)
    assert {key for key in before if before[key] != after[key]} == {part}


def hidden_download(path: Path) -> None:
    (path / ".cache" / "huggingface" / "download").mkdir(parents=True)
    (path / ".cache" / "huggingface" / "download" / "config.json").write_text("{}")


HARMLESS: dict[str, Callable[[Path], object]] = {
    "README.md": lambda path: (path / "README.md").write_text("another text"),
    "_name_or_path": lambda path: configure(path, _name_or_path="c/d"),
    "transformers_version": lambda path: configure(path, transformers_version="9.9"),
    "key order": lambda path: (path / "config.json").write_text(json.dumps(dict(reversed(CONFIG.items())), indent=3)),
    "a hidden file": lambda path: (path / ".notes.json").write_text("{}"),
    "files of a download": hidden_download,
    "the state of a trainer": lambda path: (path / "trainer_state.json").write_text("{}"),
    "pickled weights": lambda path: (path / "pytorch_model.bin").write_bytes(b"x"),
}


@pytest.mark.parametrize("change", HARMLESS)
def test_what_cannot_change_a_score_is_not_in_the_identity(folder: Path, change: str) -> None:
    before = identity(folder)
    HARMLESS[change](folder)
    assert identity(folder) == before


@pytest.mark.parametrize("place", ["elsewhere", ".hidden"])
def test_a_moved_model_keeps_its_identity(folder: Path, tmp_path: Path, place: str) -> None:
    before = identity(folder)
    moved = shutil.copytree(folder, tmp_path / place / ".model")
    assert ModelFolder("another name", moved).identity() == before


def test_a_folder_without_safe_weights_has_no_identity(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match="no safetensors weights here"):
        identity(folder)


@pytest.mark.parametrize(
    ("architecture", "modules", "kind"),
    [
        ("BertForSequenceClassification", [], "cross-encoder"),
        ("BertModel", ["Transformer", "Pooling", "Normalize"], "embedder"),
        ("Qwen3ForCausalLM", ["Transformer", "Pooling"], "embedder"),
        ("", ["StaticEmbedding"], "embedder"),
        ("Qwen3ForCausalLM", [], "causal-lm"),
        ("Qwen3ForCausalLM", ["Transformer", "LogitScore"], "causal-lm"),
        ("GPT2LMHeadModel", [], "causal-lm"),
    ],
)
def test_the_kind_is_read_from_the_folder(tmp_path: Path, architecture: str, modules: list[str], kind: str) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"architectures": [architecture] if architecture else None}))
    if modules:
        listed = [{"type": f"sentence_transformers.models.{name}", "path": ""} for name in modules]
        (tmp_path / "modules.json").write_text(json.dumps(listed))
    assert kind_of(open_folder(str(tmp_path))) == kind


def test_a_folder_with_nothing_but_onnx_files_is_an_onnx_model(tmp_path: Path) -> None:
    (tmp_path / "onnx").mkdir()
    (tmp_path / "onnx" / "model.onnx").write_bytes(b"x")
    assert kind_of(open_folder(str(tmp_path))) == "onnx"


@pytest.mark.parametrize("config", ['{"architectures": ["BertModel"]}', "{}", '{"architectures": []}'])
def test_a_folder_that_does_not_say_its_kind_is_not_guessed(tmp_path: Path, config: str) -> None:
    (tmp_path / "config.json").write_text(config)
    with pytest.raises(ModelError, match="say which it is, as in 'cross-encoder:"):
        kind_of(open_folder(str(tmp_path)))


@pytest.mark.parametrize(
    ("file", "content", "answer"),
    [
        ("config.json", "{", r"config\.json: not JSON"),
        ("config.json", "[]", r"config\.json: expected a JSON object"),
        ("modules.json", "{}", r"modules\.json: expected a JSON list"),
        ("modules.json", '[{"name": "0"}]', r"modules\.json: expected a list of modules"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, file: str, content: str, answer: str) -> None:
    (tmp_path / file).write_text(content)
    with pytest.raises(ModelError, match=answer):
        kind_of(open_folder(str(tmp_path)))


def test_a_revision_of_a_local_folder_is_refused(folder: Path) -> None:
    with pytest.raises(ModelError, match=r"is a local folder; a revision \(@main\) is for hub models"):
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
    with pytest.raises(ModelError, match=f"cannot fetch the model 'some/model': {reason}; give the path") as caught:
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
    assert found.identity() == identity(other), "where a model lies is not in its identity"


@pytest.mark.parametrize("revision", [None, "abc123"])
def test_a_model_that_the_mirror_lacks_names_the_command_that_fetches_it(mirror: Path, revision: str | None) -> None:
    write_model(mirror / "models" / "some" / "model@of-another-revision")
    with pytest.raises(ModelError) as caught:
        open_folder("some/model", revision)
    name = "some/model" if revision is None else "some/model@abc123"
    assert str(caught.value) == (
        f"{mirror}/models/{name}: not there; where there is a network, run: "
        f"harness fetch --model {name} --mirror '{mirror}'"
    )


def test_a_mirror_without_the_exports_that_are_asked_for_says_so(mirror: Path) -> None:
    folder = write_model(mirror / "models" / "some" / "model")
    with pytest.raises(ModelError, match=r"no \*\.onnx there; .* harness fetch --model onnx:some/model --mirror '"):
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
    with pytest.raises(ModelError, match="it is not a hub name"):
        open_folder(model)


def test_without_a_network_the_command_that_fills_a_mirror_is_named() -> None:
    with pytest.raises(
        ModelError, match=r"HARNESS_MIRROR=DIR .*: harness fetch --model onnx:some/model@v1 --mirror DIR"
    ):
        open_folder("some/model", "v1", ONNX_FILES)
