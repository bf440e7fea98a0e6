"""Nobody is left with a refusal alone: each of them is one line with an option, a command or a package that helps.

The cases are what people name as models: what hubs, trainers and other tools leave in folders. docs/refusals.md has the
same list.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from adapters.errors import HarnessError
from adapters.spec import open_generator, open_reranker, open_retriever, refuse_early

torch = pytest.importorskip("torch", reason="tiny models need the extra 'models'")

from adapters import tiny  # noqa: E402

PAGE = Path(__file__).parents[2] / "docs" / "refusals.md"
Make = Callable[[Path], object]
"""Makes a case in a folder, and returns the spec that a user writes."""


def model(folder: Path, *removed: str, **config: object) -> Path:
    """A cross-encoder without some of its files, and with other settings. A setting of None is removed."""
    made = tiny.cross_encoder(folder)
    for name in removed:
        for file in made.glob(name):
            file.unlink()
    if config:
        old = json.loads((made / "config.json").read_text("utf-8"))
        new = {key: value for key, value in {**old, **config}.items() if value is not None}
        (made / "config.json").write_text(json.dumps(new), "utf-8")
    return made


def holding(*names: str) -> Make:
    """A cross-encoder with other files in place of its safetensors."""

    def make(folder: Path) -> object:
        made = model(folder / "model", "model.safetensors")
        for name in names:
            (made / name).parent.mkdir(exist_ok=True)
            (made / name).write_bytes(b"weights")
        return made

    return make


def only(*names: str) -> Make:
    """A folder of these files and nothing else."""

    def make(folder: Path) -> object:
        made = folder / "model"
        made.mkdir()
        for name in names:
            (made / name).write_bytes(b"weights")
        return made

    return make


def architecture(name: str) -> Make:
    return lambda folder: model(folder / "model", architectures=[name])


def adapter(**config: object) -> Make:
    def make(folder: Path) -> object:
        base = model(folder / "base")
        (folder / "lora").mkdir()
        settings = {"base_model_name_or_path": str(base), "task_type": "SEQ_CLS", "peft_type": "LORA", **config}
        (folder / "lora" / "adapter_config.json").write_text(json.dumps(settings), "utf-8")
        (folder / "lora" / "adapter_model.bin").write_bytes(b"weights")
        return folder / "lora"

    return make


def trained(folder: Path) -> object:
    for step in (500, 1000):
        model(folder / "run" / f"checkpoint-{step}")
    return folder / "run"


def pickled_module(folder: Path) -> object:
    """As LaBSE on the hub: the projection is pickled alone."""
    made = tiny.bert_embedder(folder / "model")
    modules = json.loads((made / "modules.json").read_text("utf-8"))
    dense = {"idx": 9, "name": "9", "path": "2_Dense", "type": "sentence_transformers.models.Dense"}
    (made / "modules.json").write_text(json.dumps([*modules, dense]), "utf-8")
    (made / "2_Dense").mkdir()
    (made / "2_Dense" / "config.json").write_text('{"in_features": 32, "out_features": 8}', "utf-8")
    (made / "2_Dense" / "pytorch_model.bin").write_bytes(b"weights")
    return f"embedder:{made}"


def embedder_as(kind: str) -> Make:
    return lambda folder: f"{kind}:{tiny.bert_embedder(folder / 'model')}"


def onnx_embedder(folder: Path) -> object:
    made = tiny.bert_embedder(folder / "model")
    (made / "model.safetensors").unlink()
    (made / "onnx").mkdir()
    (made / "onnx" / "model.onnx").write_bytes(b"graph")
    return made


def graph_alone(folder: Path) -> object:
    made = model(folder / "model", "model.safetensors", "tok*", "vocab*")
    (made / "model.onnx").write_bytes(b"graph")
    return made


def pointer(folder: Path) -> object:
    made = model(folder / "model")
    (made / "model.safetensors").write_bytes(b"version https://git-lfs.github.com/spec/v1")
    return made


def hub_adapter(folder: Path) -> object:
    return adapter(base_model_name_or_path="some/base")(folder)


def file(name: str) -> Make:
    def make(folder: Path) -> object:
        (folder / name).write_bytes(b"content")
        return folder / name

    return make


RERANKERS: dict[str, tuple[Make, str]] = {
    "pickled weights": (
        holding("pytorch_model.bin"),
        r"run `harness convert \S+ OUT` and name OUT, or write \?pickle=t",
    ),
    "pickled shards": (holding("pytorch_model-00001-of-00002.bin"), r"run `harness convert \S+ OUT`"),
    "a pickled module": (pickled_module, r"Dense weights here; .*run `harness convert \S+ OUT`"),
    "TensorFlow weights": (holding("tf_model.h5"), r"pip install 'transformers<5' run: python -c .*from_tf=True"),
    "Flax weights": (holding("flax_model.msgpack"), r"pip install 'transformers<5' run: python -c .*from_flax=True"),
    "GGUF weights": (
        holding("model-Q4_K_M.gguf"),
        r"GGUF weights \(model-Q4_K_M\.gguf\).*name the model that they were",
    ),
    "a folder of GGUF files": (
        only("model-Q8_0.gguf", "README.md"),
        r"GGUF weights .*name the model that they were made",
    ),
    "OpenVINO weights": (holding("openvino/openvino_model.xml"), r"OpenVINO weights .*fetch the safetensors too"),
    "weights of a script": (
        holding("model.pt"),
        r"model\.pt is in no format of transformers; load it in the code that",
    ),
    "no weights": (holding(), r"no safetensors weights here; save the model again with model\.save_pretrained"),
    "states of training only": (holding("training_args.bin"), r"save the model again with model\.save_pretrained"),
    "an empty folder": (only(), r"the folder is empty; copy or fetch a model into it"),
    "no config.json": (lambda f: model(f / "model", "config.json"), r"no config\.json; save the model again"),
    "no tokenizer": (
        lambda f: model(f / "model", "tok*", "vocab*"),
        r"no tokenizer files .*tokenizer\.save_pretrained",
    ),
    "a folder of checkpoints": (
        trained,
        r"checkpoints of a trainer \(checkpoint-500, checkpoint-1000\); name one: \S+-1000$",
    ),
    "a folder above the model": (
        lambda f: model(f / "run" / "model").parent,
        r"models in its subfolders \(model\); name one",
    ),
    "an ONNX embedder": (onnx_embedder, r"ONNX graphs \(onnx/model\.onnx\), which work for cross-encoders only; fetch"),
    "no graph of that name": (
        holding("onnx/model_fp16.onnx"),
        r"has no 'model\.onnx', but onnx/model_fp16\.onnx; choose one, as in \?file=onnx/",
    ),
    "an ONNX kind without a graph": (
        lambda f: f"onnx:{model(f / 'model')}",
        r"name it without 'onnx:', or export it: optimum-cli",
    ),
    "ONNX without a tokenizer": (graph_alone, r"no tokenizer\.json; .*tokenizer\.save_pretrained"),
    "a file of weights": (file("model.safetensors"), r"is a file; name the folder that it is in: \S+"),
    "a graph": (file("model.onnx"), r"is a file; name the folder that it is in: 'onnx:\S+\?file=model\.onnx'"),
    "a GGUF file": (file("model.gguf"), r"is a file of GGUF weights, .*name the model that they were made from"),
    "an archive": (file("model.zip"), r"is an archive; unpack it, and name the folder"),
    "a file of scores": (file("scores.trec"), r"a run of scores is named 'run:\S+scores\.trec'"),
    "code of its own": (
        lambda f: model(f / "model", auto_map={"AutoModelForSequenceClassification": "mine.Mine"}),
        r"a reranker with \?code=own executes the code .* write \?code=stock .* score it where it runs, .*'run:FILE'",
    ),
    "a model_type of the future": (
        lambda f: model(f / "model", model_type="bert9"),
        r"pip install --upgrade transformers",
    ),
    "no architecture": (
        lambda f: model(f / "model", architectures=None),
        r"say which kind it is, as in 'cross-encoder:",
    ),
    "a bare encoder": (architecture("BertModel"), r"no head that scores pairs.*name a model that was trained as one"),
    "a masked language model": (architecture("BertForMaskedLM"), r"give the result as 'run:FILE'"),
    "a sequence-to-sequence model": (architecture("T5ForConditionalGeneration"), r"give the result as 'run:FILE'"),
    "three labels": (
        lambda f: model(f / "model", id2label={"0": "a", "1": "b", "2": "c"}, label2id=None),
        r"say which one is relevance, as in \?label=1",
    ),
    "an adapter without its base": (
        adapter(base_model_name_or_path="/no/base"),
        r"write the folder or hub name of the base",
    ),
    "an adapter of a hub model, offline": (
        hub_adapter,
        r"the base of this adapter is missing: .*harness fetch --model some/base",
    ),
    "an adapter for another task": (adapter(task_type="TOKEN_CLS"), r"give the result as 'run:FILE'"),
    "a pickled adapter": (adapter(), r"adapter_model\.bin\): run `harness convert \S+ OUT`"),
    "an embedder named as a cross-encoder": (embedder_as("cross-encoder"), r"name it 'embedder:"),
    "an embedder named as a language model": (embedder_as("causal-lm"), r"name it 'embedder:"),
    "a cross-encoder named as an embedder": (lambda f: f"embedder:{model(f / 'model')}", r"use it as --reranker"),
    "a cross-encoder named as a language model": (
        lambda f: f"causal-lm:{model(f / 'model')}",
        r"name it 'cross-encoder:",
    ),
    "a language model named as a cross-encoder": (
        lambda f: f"cross-encoder:{tiny.causal_lm(f / 'model')}",
        r"name it 'causal-lm:",
    ),
    "a hub name, offline": (
        lambda _: "some/model",
        r"give the path of a local folder, .*harness fetch --model some/model",
    ),
    "a path that is not there": (lambda _: "./no/such/model", r"check the path, or write a hub name"),
    "a name without an organisation": (lambda _: "bge-reranker", r"check the name\. Available: bm25"),
    "a misspelt kind": (lambda f: f"cros-encoder:{f}", r"Did you mean cross-encoder"),
    "a misspelt option": (lambda f: f"{model(f / 'model')}?maxlength=9", r"Did you mean max_length\?"),
    "a value of another type": (
        lambda f: f"{model(f / 'model')}?max_length=many",
        r"write such a value after \?max_length=",
    ),
    "a revision of a folder": (lambda f: f"{model(f / 'model')}@main", r"leave out @main"),
    "a Git LFS pointer": (pointer, r"run `git lfs pull`"),
}
"""What is named, and what the refusal has to say."""


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(hub, "HF_HUB_OFFLINE", True)
    monkeypatch.delenv("HARNESS_MIRROR", raising=False)


def refusal(spec: object) -> str:
    """The line that using a model ends with."""
    with pytest.raises(HarnessError) as raised:
        reranker = open_reranker(str(spec))
        refuse_early(reranker)
        reranker.score(["a question"], ["a text"], np.array([[0, 0]]))
    return str(raised.value)


@pytest.mark.parametrize("case", RERANKERS)
def test_a_refused_reranker_says_what_to_do(case: str, tmp_path: Path) -> None:
    make, said = RERANKERS[case]
    line = refusal(make(tmp_path))
    assert re.search(said, line), line
    assert "\n" not in line and len(line) < 700


def test_an_adapter_without_peft_names_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = adapter()(tmp_path)
    (tmp_path / "lora" / "adapter_model.bin").unlink()
    safetensors = pytest.importorskip("safetensors.torch")
    safetensors.save_file({"a.lora_A.weight": torch.ones(1)}, tmp_path / "lora" / "adapter_model.safetensors")
    monkeypatch.setitem(sys.modules, "peft", None)
    assert re.search(r"pip install 'rerank-harness\[lora\]'", refusal(spec))


def test_a_kind_in_the_wrong_place_names_the_right_option(tmp_path: Path) -> None:
    cross_encoder = str(model(tmp_path / "model"))
    with pytest.raises(HarnessError, match="cannot be a first stage; name it with --reranker"):
        open_retriever(cross_encoder)
    with pytest.raises(HarnessError, match="cannot be a generator; name it with"):
        open_generator(f"cross-encoder:{cross_encoder}")


def test_a_snapshot_of_the_hub_without_safetensors_names_both_ways(tmp_path: Path) -> None:
    """Pickles and graphs are not fetched, so the folder cannot show them."""
    from adapters.contents import Contents
    from adapters.models import ModelFolder

    folder = ModelFolder("some/model", model(tmp_path / "model", "model.safetensors"))
    with pytest.raises(HarnessError, match=r"write 'onnx:some/model', .*run `harness convert some/model OUT`"):
        Contents(folder).identity()


def test_the_page_lists_every_refusal_of_this_file() -> None:
    models = re.sub(r"## The working folder\n.*?(?=## )", "", PAGE.read_text("utf-8"), flags=re.DOTALL)
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \|$", models, re.MULTILINE)
    assert sorted({*rows} - {"what is named", ":--"}) == sorted(RERANKERS)
