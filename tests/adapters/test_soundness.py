"""A model that cannot be loaded is named in one line, with the file, before any work is paid for."""

from __future__ import annotations

import json
import random
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from adapters import tiny
from adapters.errors import HarnessError, ModelError
from adapters.loading import load_tokenizer, reason_of
from adapters.models import ModelFolder, open_folder
from adapters.soundness import refuse_unsound, safetensors_header, separates_pairs
from adapters.spec import open_ranker, open_reranker, refuse_early

pytest.importorskip("torch", reason="tiny models need the extra 'models'")
transformers = pytest.importorskip("transformers", reason="tiny models need the extra 'models'")

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a21\nsize 12345\n"
KINDS: dict[str, Callable[[Path], Path]] = {
    "cross-encoder": tiny.cross_encoder,
    "causal-lm": tiny.causal_lm,
    "embedder": tiny.bert_embedder,
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("models")
    return {kind: make(root / kind) for kind, make in KINDS.items()}


@pytest.fixture(params=KINDS)
def model(request: pytest.FixtureRequest, models: dict[str, Path], tmp_path: Path) -> Path:
    """One of each kind, of which a test may break the files."""
    return shutil.copytree(models[request.param], tmp_path / request.param)


def refused(folder: Path) -> str:
    """What is said of it early, which is what is said when it is used."""
    with pytest.raises(ModelError) as early:
        refuse_early(open_ranker(str(folder)))
    with pytest.raises(ModelError) as late:
        open_reranker(str(folder)).score(["a"], ["b"], np.array([[0, 0]]))
    assert str(early.value) == str(late.value)
    assert "\n" not in str(early.value)
    return str(early.value)


def edit(file: Path, **changes: object) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text("utf-8")), **changes}), "utf-8")


def test_a_sound_model_passes(model: Path) -> None:
    refuse_early(open_ranker(str(model)))


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_a_pointer_of_git_lfs_is_named(model: Path, name: str) -> None:
    """A clone without git-lfs has three lines in place of the weights."""
    (model / name).write_text(POINTER)
    assert f"{name}: a Git LFS pointer, not the file itself; run `git lfs pull`" in refused(model)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_weights_that_are_cut_off_are_named(model: Path, share: float) -> None:
    weights = model / "model.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[: int(len(content) * share)])
    answer = refused(model)
    assert answer.startswith(f"{weights}: ")
    assert "cut off" in answer
    assert "fetch the file again" in answer


def test_weights_with_more_bytes_than_their_header_says_are_refused(model: Path) -> None:
    with (model / "model.safetensors").open("ab") as file:
        file.write(b"xx")
    assert "its header says" in refused(model)


@pytest.mark.parametrize("header", [b"{", b"[]", b'{"a": 1}', b'{"a": {"dtype": "F32"}}', b"\xff" * 9, b'{"a":' * 3000])
def test_a_damaged_header_is_named(tmp_path: Path, header: bytes) -> None:
    file = tmp_path / "model.safetensors"
    file.write_bytes(struct.pack("<Q", len(header)) + header)
    with pytest.raises(ModelError, match="damaged: its header cannot be read"):
        safetensors_header(file)


@pytest.mark.parametrize("size", ["1e999", "-1", "2.5", "true", '"3"', "9" * 30, "NaN", "null", "[]"])
@pytest.mark.parametrize("place", ["shape", "data_offsets"])
def test_a_size_that_is_no_whole_number_of_64_bits_is_damage(tmp_path: Path, size: str, place: str) -> None:
    sizes = {"shape": "1", "data_offsets": "4", place: size}
    entry = f'{{"dtype": "F32", "shape": [{sizes["shape"]}], "data_offsets": [0, {sizes["data_offsets"]}]}}'
    header = f'{{"a": {entry}}}'.encode()
    file = tmp_path / "a.safetensors"
    file.write_bytes(struct.pack("<Q", len(header)) + header + bytes(4))
    with pytest.raises(ModelError, match="damaged: its header cannot be read"):
        safetensors_header(file)


def test_a_header_of_absurd_length_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    file.write_bytes(struct.pack("<Q", 2**62) + b"{}")
    with pytest.raises(ModelError, match="cut off or damaged"):
        safetensors_header(file)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "tokenizer_config.json"])
def test_truncated_json_is_named(model: Path, name: str) -> None:
    file = model / name
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(ModelError, match=rf"{name}: not JSON"):
        refuse_early(open_ranker(str(model)))


def test_a_token_without_an_embedding_is_named(model: Path) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(model)
    size = len(tokenizer)
    tokenizer.add_tokens(["sourdough"])
    tokenizer.save_pretrained(model)
    answer = refused(model)
    assert f"its tokenizer has {size + 1:,} tokens and its network {size:,} embeddings" in answer
    assert f"'sourdough', {size}" in answer


def test_more_embeddings_than_tokens_are_usual(model: Path) -> None:
    head = {"embedder": "", "causal-lm": "ForCausalLM", "cross-encoder": "ForSequenceClassification"}[model.name]
    network = getattr(transformers, f"AutoModel{head}").from_pretrained(model)
    network.resize_token_embeddings(network.config.vocab_size + 64)
    network.save_pretrained(model)
    refuse_early(open_ranker(str(model)))


@pytest.mark.parametrize(
    ("declared", "package"),
    [
        ({"quant_method": "gptq", "bits": 4}, "gptqmodel"),
        ({"quant_method": "awq", "bits": 4}, "gptqmodel"),
        ({"load_in_4bit": True}, "bitsandbytes"),
        ({"quant_method": "compressed-tensors"}, "compressed-tensors"),
        ({"quant_method": "hqq"}, "hqq"),
    ],
)
def test_a_quantised_model_names_the_package_that_it_needs(model: Path, declared: object, package: str) -> None:
    edit(model / "config.json", quantization_config=declared)
    answer = refused(model)
    assert "is quantised with" in answer
    assert f"pip install {package}, or name a model with plain weights" in answer


def test_a_quantiser_that_nobody_knows_is_refused_when_it_is_loaded(model: Path) -> None:
    edit(model / "config.json", quantization_config={"quant_method": "novel"})
    with pytest.raises(ModelError, match=r"cannot be loaded: .*novel") as caught:
        open_reranker(str(model)).score(["a"], ["b"], np.array([[0, 0]]))
    assert "\n" not in str(caught.value)


def test_a_tokenizer_that_needs_a_library_names_it(model: Path) -> None:
    """Japanese BERT models are read with fugashi; sentencepiece models with sentencepiece or tiktoken."""
    (model / "tokenizer.json").unlink()
    (model / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n")
    edit(model / "tokenizer_config.json", tokenizer_class="BertJapaneseTokenizer", word_tokenizer_type="mecab")
    with pytest.raises(HarnessError) as caught:
        open_reranker(str(model)).score(["a"], ["b"], np.array([[0, 0]]))
    assert "\n" not in str(caught.value)


def test_an_adapter_without_peft_names_the_extra(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lora = tmp_path / "lora"
    lora.mkdir()
    task = "CAUSAL_LM" if "lm" in model.name else "SEQ_CLS"
    (lora / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": str(model), "task_type": task}))
    (lora / "adapter_model.safetensors").write_bytes(struct.pack("<Q", 2) + b"{}")
    (lora / "tokenizer_config.json").write_text('{"model_max_length": 128}')
    monkeypatch.setattr("adapters.soundness.importlib.util.find_spec", lambda _: None)
    with pytest.raises(ModelError, match=r"needs the package peft: pip install 'rerank-harness\[lora\]'"):
        refuse_unsound(open_folder(str(lora)))


@pytest.mark.parametrize(
    ("processor", "separates"),
    [
        ({"type": "BertProcessing"}, True),
        ({"type": "RobertaProcessing"}, True),
        ({"type": "ByteLevel"}, False),
        (None, False),
        ({"type": "Sequence", "processors": [{"type": "ByteLevel"}]}, False),
        ({"type": "Sequence", "processors": [{"type": "ByteLevel"}, {"type": "BertProcessing"}]}, True),
        ({"type": "TemplateProcessing", "pair": [{"Sequence": {"id": "A"}}, {"Sequence": {"id": "B"}}]}, False),
        ({"type": "TemplateProcessing", "pair": [
            {"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}}, {"SpecialToken": {"id": "<s>"}},
            {"Sequence": {"id": "B"}}]}, True),
        ({"type": "TemplateProcessing", "pair": [
            {"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}}, {"Sequence": {"id": "B"}}]}, False),
    ],
)  # fmt: skip
def test_what_stands_between_two_texts_is_read_from_the_tokenizer(
    tmp_path: Path, processor: object, separates: bool
) -> None:
    (tmp_path / "tokenizer.json").write_text(json.dumps({"post_processor": processor}))
    assert separates_pairs(ModelFolder("x", tmp_path)) is separates


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            ModuleNotFoundError("No module named 'fugashi.cli'", name="fugashi.cli"),
            "the package 'fugashi' is missing; pip",
        ),
        (ImportError("\nNeeds x.\nTry `pip install x`\nor y"), "Needs x. Try `pip install x`"),
        (KeyError("weight"), "KeyError: 'weight'"),
        (RuntimeError(""), "RuntimeError"),
        (OSError("one\ntwo"), "one"),
    ],
)
def test_the_reason_is_one_line(error: Exception, line: str) -> None:
    assert reason_of(error).startswith(line)
    assert "\n" not in reason_of(error)


def flipped(content: bytes, draw: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(draw.choice([1, 3, 20])):
        if changed:
            changed[draw.randrange(len(changed))] = draw.randrange(256)
    return bytes(changed)


def retyped(content: bytes, draw: random.Random) -> bytes:
    """A JSON file with one value of another type."""
    try:
        parsed = json.loads(content)
    except ValueError:
        return content
    holder = parsed
    while isinstance(holder, dict) and holder:
        key = draw.choice(sorted(holder))
        if not isinstance(holder[key], dict) or not holder[key] or draw.random() < 0.3:
            holder[key] = draw.choice([None, -1, 10**30, "x", [], {}, True, 0.5, [1, 2], {"a": 1}])
            break
        holder = holder[key]
    return json.dumps(parsed).encode()


MUTATIONS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "cut": lambda content, draw: content[: draw.randrange(len(content) + 1)],
    "flipped": flipped,
    "retyped": retyped,
    "emptied": lambda *_: b"",
    "pointer": lambda *_: POINTER.encode(),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore")
def test_whatever_is_broken_is_one_line_or_finite_scores(models: dict[str, Path], tmp_path: Path, kind: str) -> None:
    """Each file of a model broken in every way, from a fixed seed. A traceback of a library would be a failure here."""
    source = models[kind]
    names = sorted(str(file.relative_to(source)) for file in source.rglob("*") if file.is_file())
    draw = random.Random(f"{kind}")
    for number in range(60):
        name, how = draw.choice(names), draw.choice(sorted(MUTATIONS))
        folder = shutil.copytree(source, tmp_path / f"{number}")
        file = folder / name
        file.write_bytes(MUTATIONS[how](file.read_bytes(), draw))
        try:
            reranker = open_reranker(str(folder))
            refuse_early(reranker)
            scores = reranker.score(["who"], ["the web", "a user"], np.array([[0, 0], [0, 1]]))
        except HarnessError as error:
            assert "\n" not in str(error), (name, how)
        else:
            assert np.isfinite(scores).all(), (name, how)
        shutil.rmtree(folder)


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_without_its_tokenizer_is_refused(tmp_path: Path, kind: str) -> None:
    """A trainer that was not given the tokenizer saves none; transformers then makes up one without words."""
    folder = KINDS[kind](tmp_path / "model")
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "vocab.json", "merges.txt"):
        (folder / name).unlink(missing_ok=True)
    with pytest.raises(ModelError, match=r"has no tokenizer files .*tokenizer\.save_pretrained"):
        refuse_unsound(open_folder(str(folder)))


def test_a_tokenizer_without_words_is_refused(tmp_path: Path) -> None:
    folder = tiny.cross_encoder(tmp_path / "model")
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "BertTokenizer"}')
    with pytest.raises(ModelError, match="its tokenizer cannot be loaded: it has no words"):
        load_tokenizer(open_folder(str(folder)))
