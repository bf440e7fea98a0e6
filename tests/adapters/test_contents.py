"""A model's identity covers the files that loading it reads, and nothing else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters import tiny
from adapters.contents import Contents, graph_files
from adapters.embedding import SentenceEmbedder
from adapters.errors import ModelError
from adapters.identity import digest
from adapters.models import ModelFolder
from adapters.spec import identity_of, open_reranker

CONFIG = {"architectures": ["BertForSequenceClassification"], "hidden_size": 8, "_name_or_path": "a/b"}
MODULES = [{"type": f"sentence_transformers.models.{name}", "path": path} for name, path in
           (("Transformer", ""), ("Pooling", "1_Pooling"), ("Dense", "2_Dense"))]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An embedder with a dense module, in the layout of the hub."""
    path = tmp_path / "model"
    for part in ("1_Pooling", "2_Dense"):
        (path / part).mkdir(parents=True)
    (path / "config.json").write_text(json.dumps(CONFIG))
    (path / "modules.json").write_text(json.dumps(MODULES))
    (path / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_mean_tokens": True}))
    (path / "2_Dense" / "config.json").write_text(json.dumps({"in_features": 8, "out_features": 8}))
    (path / "2_Dense" / "model.safetensors").write_bytes(bytes(32))
    (path / "model.safetensors").write_bytes(bytes(64))
    (path / "tokenizer.json").write_text('{"version": "1.0"}')
    (path / "vocab.txt").write_text("a\nb\n")
    (path / "README.md").write_text("a model")
    return path


def identity(path: Path, *, pickle: bool = False) -> dict[str, object]:
    return Contents(ModelFolder("any name", path), pickle).identity()


def configure(path: Path, **changes: object) -> None:
    (path / "config.json").write_text(json.dumps({**CONFIG, **changes}))


def shards(path: Path) -> None:
    """The same weights in two files with an index."""
    (path / "model.safetensors").unlink()
    names = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    for name in names:
        (path / name).write_bytes(name.encode())
    index = {"weight_map": {"a.weight": names[0], "b.weight": names[1]}}
    (path / "model.safetensors.index.json").write_text(json.dumps(index))


CHANGES: dict[str, tuple[str, Callable[[Path], object]]] = {
    "a byte of the weights": ("weights", lambda path: (path / "model.safetensors").write_bytes(bytes(63) + b"\1")),
    "the weights of a module": ("weights", lambda path: (path / "2_Dense" / "model.safetensors").write_bytes(b"\1")),
    "weights in shards": ("weights", shards),
    "the tokenizer": ("tokenizer", lambda path: (path / "tokenizer.json").write_text('{"version": "1.1"}')),
    "the vocabulary": ("tokenizer", lambda path: (path / "vocab.txt").write_text("b\na\n")),
    "a chat template": ("tokenizer", lambda path: (path / "chat_template.jinja").write_text("{{ x }}")),
    "the config": ("settings", lambda path: configure(path, hidden_size=9)),
    "the pooling": ("settings", lambda path: (path / "1_Pooling" / "config.json").write_text("{}")),
    "the settings of a module": ("settings", lambda path: (path / "2_Dense" / "config.json").write_text("{}")),
    "the modules": ("settings", lambda path: (path / "modules.json").write_text(json.dumps([*MODULES, {"type": "a"}]))),
    "the similarity": ("settings", lambda path: (path / "config_sentence_transformers.json").write_text("{}")),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_can_change_a_score_changes_the_identity(folder: Path, change: str) -> None:
    before = identity(folder)
    part, apply = CHANGES[change]
    apply(folder)
    after = identity(folder)
    assert {key for key in before if before[key] != after[key]} == {part}


def checkpoint(path: Path) -> None:
    (path / "checkpoint-500").mkdir()
    for name in ("model.safetensors", "config.json", "tokenizer.json", "optimizer.pt", "trainer_state.json"):
        (path / "checkpoint-500" / name).write_text("{}")


def exports(path: Path) -> None:
    (path / "onnx").mkdir()
    for name in ("model.onnx", "model_quantized.onnx", "config.json", "tokenizer.json"):
        (path / "onnx" / name).write_text("{}")


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
    "results beside the model": lambda path: (path / "eval_results.json").write_text('{"loss": 1}'),
    "a checkpoint of a trainer": checkpoint,
    "exports to ONNX": exports,
    "weights that nobody loads": lambda path: (path / "consolidated.safetensors").write_bytes(b"x"),
    "weights of another model": lambda path: (path / "optimizer.safetensors").write_bytes(b"x"),
    "pickled weights beside safe ones": lambda path: (path / "pytorch_model.bin").write_bytes(b"x"),
    "a folder that is no module": lambda path: shutil.copytree(path / "1_Pooling", path / "runs"),
}  # fmt: skip


@pytest.mark.parametrize("change", HARMLESS)
def test_what_cannot_change_a_score_is_not_in_the_identity(folder: Path, change: str) -> None:
    before = identity(folder)
    HARMLESS[change](folder)
    assert identity(folder) == before


@pytest.mark.parametrize("place", ["elsewhere", ".hidden"])
def test_a_moved_model_keeps_its_identity(folder: Path, tmp_path: Path, place: str) -> None:
    before = identity(folder)
    moved = shutil.copytree(folder, tmp_path / place / ".model")
    assert Contents(ModelFolder("another name", moved)).identity() == before


def test_identities_of_before_stay_valid_where_the_same_files_are_read(tmp_path: Path) -> None:
    """Recorded with the rule that digested every file of a folder: ledgers that were paid for stay valid."""
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "config.json").write_text(json.dumps(CONFIG))
    (plain / "model.safetensors").write_bytes(bytes(64))
    (plain / "tokenizer.json").write_text('{"version": "1.0"}')
    (plain / "vocab.txt").write_text("a\nb\n")
    assert identity(plain) == {
        "weights": "40b4b9fdff3d85bb93aeaf13ae052caa",
        "tokenizer": "c1303ebc61694971f2abef2c3aea6c58",
        "settings": "7ed7d23e4dc287f3f7275a22a5f112f9",
    }
    (plain / "1_Pooling").mkdir()
    (plain / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_mean_tokens": True}))
    (plain / "modules.json").write_text(json.dumps(MODULES[:2]))
    (plain / "config_sentence_transformers.json").write_text("{}")
    (plain / "sentence_bert_config.json").write_text('{"max_seq_length": 128}')
    assert identity(plain) == {
        "weights": "40b4b9fdff3d85bb93aeaf13ae052caa",
        "tokenizer": "c1303ebc61694971f2abef2c3aea6c58",
        "settings": "b8f053fb85aa254c6050e47997a45a53",
    }


def test_two_embedders_that_differ_in_a_pickled_module_are_two(folder: Path) -> None:
    """LaBSE, GTR and sentence-T5 keep a projection in `2_Dense/pytorch_model.bin`."""
    (folder / "2_Dense" / "model.safetensors").rename(folder / "2_Dense" / "pytorch_model.bin")
    before = identity(folder, pickle=True)
    (folder / "2_Dense" / "pytorch_model.bin").write_bytes(b"other")
    assert identity(folder, pickle=True) != before


def test_pickles_are_read_only_if_that_is_asked_for(folder: Path) -> None:
    (folder / "2_Dense" / "model.safetensors").rename(folder / "2_Dense" / "pytorch_model.bin")
    with pytest.raises(
        ModelError, match=r"2_Dense: no safetensors Dense weights here; they are pickled .*\?pickle=true"
    ):
        identity(folder)


def test_an_onnx_file_does_not_stand_in_for_pickled_weights(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    exports(folder)
    with pytest.raises(
        ModelError, match=r"they are pickled \(pytorch_model\.bin\): run `harness convert .*\?pickle=true"
    ):
        identity(folder)
    assert identity(folder, pickle=True)


def test_a_folder_without_weights_has_no_identity(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="no safetensors weights here"):
        identity(folder)


def test_a_missing_shard_is_named(folder: Path) -> None:
    shards(folder)
    (folder / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(ModelError, match=r"index\.json: model-00002-of-00002\.safetensors is not there"):
        identity(folder)


def test_the_files_of_an_old_embedder_are_found_in_the_folder_of_its_transformer(folder: Path, tmp_path: Path) -> None:
    """Models of sentence-transformers 1 keep the network in `0_Transformer`."""
    old = tmp_path / "old"
    (old / "0_Transformer").mkdir(parents=True)
    for name in ("config.json", "model.safetensors", "tokenizer.json", "vocab.txt"):
        shutil.copy(folder / name, old / "0_Transformer" / name)
    shutil.copytree(folder / "1_Pooling", old / "1_Pooling")
    chain = [{"type": "sentence_transformers.models.BERT", "path": "0_Transformer"}, MODULES[1]]
    (old / "modules.json").write_text(json.dumps(chain))
    contents = Contents(ModelFolder("old", old))
    assert contents.weights == ("0_Transformer/model.safetensors",)
    assert contents.tokenizer == ("0_Transformer/tokenizer.json", "0_Transformer/vocab.txt")
    assert set(contents.settings) == {"0_Transformer/config.json", "1_Pooling/config.json", "modules.json"}


def adapter(path: Path, base: object, **more: object) -> Path:
    path.mkdir()
    declared = {"base_model_name_or_path": str(base), "task_type": "SEQ_CLS", **more}
    (path / "adapter_config.json").write_text(json.dumps(declared))
    (path / "adapter_model.safetensors").write_bytes(bytes(16))
    return path


def test_the_base_of_an_adapter_is_part_of_it(folder: Path, tmp_path: Path) -> None:
    lora = adapter(tmp_path / "lora", folder)
    before = identity(lora)
    assert before["base"] == identity(folder)
    (folder / "model.safetensors").write_bytes(b"\1" * 64)
    assert identity(lora) != before


@pytest.mark.parametrize("base", ["", "/not/there", "./nowhere", "some words"])
def test_an_adapter_without_its_base_says_so(tmp_path: Path, base: str) -> None:
    lora = adapter(tmp_path / "lora", base)
    with pytest.raises(ModelError, match=r"adapter_config\.json: the base model .* is not here"):
        identity(lora)


def test_an_adapter_of_itself_is_refused(tmp_path: Path) -> None:
    lora = adapter(tmp_path / "lora", tmp_path / "lora")
    with pytest.raises(ModelError, match="base_model_name_or_path is this very folder"):
        identity(lora)


def onnx_graph(path: Path, weights: str) -> Path:
    """A graph with one tensor whose values are in the file `weights`, as protobuf writes it."""
    pair = b"\x0a\x08location\x12" + bytes([len(weights)]) + weights.encode()
    path.write_bytes(b"\x08\x07" + b"j" + bytes([len(pair)]) + pair)
    return path


def test_a_graph_brings_only_the_weights_that_it_names(tmp_path: Path) -> None:
    graph = onnx_graph(tmp_path / "model.onnx", "parts/model.onnx_data")
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "model.onnx_data").write_bytes(b"weights")
    onnx_graph(tmp_path / "model_fp16.onnx", "model_fp16.onnx_data")
    (tmp_path / "model_fp16.onnx_data").write_bytes(b"other")
    assert graph_files(graph) == [graph, tmp_path / "parts" / "model.onnx_data"]


@pytest.mark.parametrize("weights", ["model.onnx_data", "../model.onnx_data"])
def test_a_graph_without_its_weights_says_which_are_missing(tmp_path: Path, weights: str) -> None:
    (tmp_path / "model.onnx_data").write_bytes(b"not of this folder")
    (tmp_path / "onnx").mkdir()
    with pytest.raises(ModelError, match=r"its weights are in '.*', which is not there"):
        graph_files(onnx_graph(tmp_path / "onnx" / "model.onnx", weights))


def test_a_new_checkpoint_of_a_trainer_pays_for_no_pair_again(tmp_path: Path) -> None:
    pytest.importorskip("transformers", reason="tiny models need the extra 'models'")
    folder = tiny.cross_encoder(tmp_path / "run")
    before = identity_of(open_reranker(str(folder)))
    tiny.cross_encoder(folder / "checkpoint-500", seed=5)
    assert identity_of(open_reranker(str(folder))) == before


def test_an_embedder_with_pickled_modules_is_refused_before_it_is_loaded(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="tiny models need the extra 'models'")
    folder = tiny.bert_embedder(tmp_path / "labse")
    chain = json.loads((folder / "modules.json").read_text())
    chain.append({"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"})
    (folder / "modules.json").write_text(json.dumps(chain))
    (folder / "2_Dense").mkdir()
    (folder / "2_Dense" / "config.json").write_text(
        json.dumps({"in_features": 32, "out_features": 32, "bias": True, "activation_function": "torch.nn.Tanh"})
    )
    weights = {"linear.weight": torch.eye(32), "linear.bias": torch.zeros(32)}
    torch.save(weights, folder / "2_Dense" / "pytorch_model.bin")
    with pytest.raises(ModelError, match="pickled"):
        SentenceEmbedder(str(folder)).encode(["a"], "query")
    read = SentenceEmbedder(str(folder), pickle=True).encode(["a", "what is the web"], "query")
    expected = pytest.importorskip("sentence_transformers").SentenceTransformer(str(folder), device="cpu")
    assert read == pytest.approx(expected.encode(["a", "what is the web"], normalize_embeddings=True), abs=1e-5)


RECORDED = {
    "cross-encoder": "bc9c8f2b16f2dd388bf76a9a7b22bf27",
    "embedder": "53efff290e559a6c89758a33bc27572c",
    "causal-lm?template=qwen3": "b82bac7130ff80641418b584ba5e4189",
    "causal-lm?template=qwen3-vllm&instruction=x&positive=1&negative=0": "6357cab286171022db70b99c348b1ec9",
}


@pytest.mark.parametrize("spec", RECORDED)
def test_whole_identities_of_before_stay_valid(tmp_path: Path, spec: str) -> None:
    """Recorded with the adapters of the version before, for folders of which the same is computed now."""
    kind, _, options = spec.partition("?")
    architecture = {"cross-encoder": "BertForSequenceClassification", "embedder": "BertModel"}
    settings = {"max_position_embeddings": 512, "id2label": {"0": "LABEL_0"}}
    named = {"architectures": [architecture.get(kind, "Qwen3ForCausalLM")], **settings}
    (tmp_path / "config.json").write_text(json.dumps(named))
    (tmp_path / "model.safetensors").write_bytes(bytes(64))
    (tmp_path / "tokenizer.json").write_text('{"version": "1.0"}')
    (tmp_path / "tokenizer_config.json").write_text('{"model_max_length": 256}')
    if kind == "embedder":
        (tmp_path / "modules.json").write_text(json.dumps(MODULES[:2]))
        (tmp_path / "1_Pooling").mkdir()
        (tmp_path / "1_Pooling" / "config.json").write_text("{}")
        declared = {"prompts": {"query": "query: "}, "similarity_fn_name": "cosine"}
        (tmp_path / "config_sentence_transformers.json").write_text(json.dumps(declared))
    reranker = open_reranker(f"{kind}:{tmp_path}{'?' + options if options else ''}")
    assert digest(identity_of(reranker)) == RECORDED[spec]
