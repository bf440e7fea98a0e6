"""A converted folder gives the scores of the pickled one, to the bit: sentence-transformers and transformers judge."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters.contents import Contents
from adapters.cross_encoder import CrossEncoder
from adapters.errors import HarnessError, ModelError, UsageError
from adapters.models import open_folder
from adapters.protocols import Floats
from tests import fake_hub
from tests.fixtures import Command
from training.converting.convert import Converted, convert

torch = pytest.importorskip("torch", reason="weights are converted with the extra 'models'")
safetensors = pytest.importorskip("safetensors.torch")
sentence_transformers = pytest.importorskip("sentence_transformers")
transformers = pytest.importorskip("transformers")

from adapters import tiny  # noqa: E402

PAIRS = [("who is the system", "the user"), ("what and when", "given web search"), ("why not", "yes no yes no")]
Tensors = dict[str, Any]


def pickled(folder: Path, name: str = "pytorch_model.bin", change: Callable[[Tensors], object] = dict) -> Path:
    """The folder with its safetensors replaced by a pickle."""
    file = folder / "model.safetensors"
    torch.save(change(safetensors.load_file(file)), folder / name)
    file.unlink()
    return folder


def sharded(folder: Path) -> Path:
    """As older transformers saved large models: two pickles and an index."""
    file = folder / "model.safetensors"
    tensors = sorted(safetensors.load_file(file).items())
    half, where = len(tensors) // 2, {}
    for number, part in enumerate((tensors[:half], tensors[half:]), 1):
        shard = f"pytorch_model-0000{number}-of-00002.bin"
        torch.save(dict(part), folder / shard)
        where |= {name: shard for name, _ in part}
    index = {"metadata": {"total_size": 1000}, "weight_map": where}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index), "utf-8")
    file.unlink()
    return folder


def theirs(folder: Path) -> Floats:
    """sentence-transformers' own loading."""
    model = sentence_transformers.CrossEncoder(str(folder), device="cpu", local_files_only=True)
    return np.asarray(model.predict(PAIRS, activation_fn=torch.nn.Identity(), show_progress_bar=False), np.float32)


def ours(folder: Path) -> Floats:
    rows = np.array([[row, row] for row in range(len(PAIRS))])
    return CrossEncoder(str(folder)).score([query for query, _ in PAIRS], [text for _, text in PAIRS], rows)


def files(folder: Path) -> list[str]:
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())


@pytest.mark.parametrize("save", [pickled, sharded])
@pytest.mark.parametrize("architecture", ["bert", "xlm-roberta", "modernbert"])
def test_a_cross_encoder_keeps_its_scores(save: Callable[[Path], Path], architecture: Any, tmp_path: Path) -> None:
    source = save(tiny.cross_encoder(tmp_path / "bin", architecture=architecture))
    with pytest.raises(ModelError, match="harness convert"):
        ours(source)
    done = convert(str(source), tmp_path / "safe")
    assert np.array_equal(theirs(source), theirs(tmp_path / "safe"))
    assert np.isfinite(ours(tmp_path / "safe")).all()
    assert not [name for name in files(tmp_path / "safe") if name.endswith(".bin")]
    assert len(done.written) == (1 if save is pickled else 2)
    old, new = (Contents(open_folder(str(one)), pickle=True).identity() for one in (source, tmp_path / "safe"))
    assert {**old, "weights": None} == {**new, "weights": None}
    for name in set(files(source)) - set(done.written) - {"pytorch_model.bin.index.json"}:
        assert (source / name).read_bytes() == (tmp_path / "safe" / name).read_bytes()


def test_shards_get_an_index_of_the_new_files(tmp_path: Path) -> None:
    convert(str(sharded(tiny.cross_encoder(tmp_path / "bin"))), tmp_path / "safe")
    index = json.loads((tmp_path / "safe" / "model.safetensors.index.json").read_text("utf-8"))
    assert index["metadata"] == {"total_size": 1000}
    assert set(index["weight_map"].values()) == {"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"}


def test_the_modules_of_an_embedder_are_converted_in_their_folders(tmp_path: Path) -> None:
    source = pickled(tiny.bert_embedder(tmp_path / "bin"))
    model = sentence_transformers.SentenceTransformer(str(source), device="cpu", local_files_only=True)
    from sentence_transformers import models

    size = model.get_embedding_dimension()
    model.append(models.Dense(size, 8))
    model.save(str(tmp_path / "whole"))
    whole = pickled(tmp_path / "whole")
    (dense,) = (path.parent for path in whole.rglob("*Dense*/model.safetensors"))
    pickled(dense)
    done = convert(str(whole), tmp_path / "safe")
    assert f"{dense.name}/pytorch_model.bin" in done.written
    vectors = [
        sentence_transformers.SentenceTransformer(str(folder), device="cpu", local_files_only=True).encode(["a text"])
        for folder in (whole, tmp_path / "safe")
    ]
    assert vectors[0].shape == (1, 8) and np.array_equal(*vectors)


def logits(folder: Path) -> Any:
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, local_files_only=True).eval()
    with torch.no_grad():
        return model(torch.tensor([[1, 2, 3, 4]])).logits


def test_tied_weights_are_written_once_as_transformers_does(tmp_path: Path) -> None:
    def tie(tensors: Tensors) -> Tensors:
        return {**tensors, "lm_head.weight": tensors["model.embed_tokens.weight"]}

    source = pickled(tiny.plain_causal_lm(tmp_path / "bin"), change=tie)
    config = json.loads((source / "config.json").read_text("utf-8"))
    (source / "config.json").write_text(json.dumps({**config, "tie_word_embeddings": True}), "utf-8")
    done = convert(str(source), tmp_path / "safe")
    assert done.tied == ("lm_head.weight",)
    assert "lm_head.weight" not in safetensors.load_file(tmp_path / "safe" / "model.safetensors")
    assert torch.equal(logits(source), logits(tmp_path / "safe"))


def test_one_memory_under_two_names_that_no_class_ties_is_written_twice(tmp_path: Path) -> None:
    def share(tensors: Tensors) -> Tensors:
        first, second = (f"bert.encoder.layer.{number}.output.dense.bias" for number in (0, 1))
        return {**tensors, second: tensors[first]}

    source = pickled(tiny.cross_encoder(tmp_path / "bin"), change=share)
    assert convert(str(source), tmp_path / "safe").tied == ()
    assert np.array_equal(theirs(source), theirs(tmp_path / "safe"))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_the_number_format_is_kept(dtype: str, tmp_path: Path) -> None:
    def cast(tensors: Tensors) -> Tensors:
        return {name: tensor.to(getattr(torch, dtype)) for name, tensor in tensors.items()}

    convert(str(pickled(tiny.cross_encoder(tmp_path / "bin"), change=cast)), tmp_path / "safe")
    assert {one.dtype for one in safetensors.load_file(tmp_path / "safe" / "model.safetensors").values()} == {
        getattr(torch, dtype)
    }


def test_pickles_of_the_oldest_format_are_read(tmp_path: Path) -> None:
    source = tiny.cross_encoder(tmp_path / "bin")
    tensors = safetensors.load_file(source / "model.safetensors")
    torch.save(tensors, source / "pytorch_model.bin", _use_new_zipfile_serialization=False)
    (source / "model.safetensors").unlink()
    convert(str(source), tmp_path / "safe")
    assert np.array_equal(theirs(source), theirs(tmp_path / "safe"))


def test_tensors_that_are_views_of_others_are_written_in_the_order_of_their_shape(tmp_path: Path) -> None:
    def views(tensors: Tensors) -> Tensors:
        """Transposed in memory, and two halves of one tensor."""
        both = torch.arange(64.0)
        turned = {name: one.t().contiguous().t() if one.dim() == 2 else one for name, one in tensors.items()}
        return {**turned, "left": both[:32], "right": both[32:]}

    source = tiny.cross_encoder(tmp_path / "bin")
    expected = views(safetensors.load_file(source / "model.safetensors"))
    convert(str(pickled(source, change=views)), tmp_path / "safe")
    found = safetensors.load_file(tmp_path / "safe" / "model.safetensors")
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_an_adapter_is_converted_without_its_base(tmp_path: Path) -> None:
    source = tmp_path / "lora"
    source.mkdir()
    (source / "adapter_config.json").write_text('{"base_model_name_or_path": "not/here"}', "utf-8")
    torch.save({"base_model.model.query.lora_A.weight": torch.ones(2, 4)}, source / "adapter_model.bin")
    assert convert(str(source), tmp_path / "safe").written == {"adapter_model.bin": "adapter_model.safetensors"}


def test_states_of_training_and_other_pickles_are_left_out_and_named(tmp_path: Path, command: Command) -> None:
    source = pickled(tiny.cross_encoder(tmp_path / "bin"))
    for name in ("optimizer.pt", "scheduler.pt", "rng_state.pth", "training_args.bin", "mine.bin"):
        torch.save({"step": torch.ones(1)}, source / name)
    (source / "trainer_state.json").write_text("{}", "utf-8")
    (source / "checkpoint-500").mkdir()
    (source / "latest").symlink_to(source)
    (source / "openvino").mkdir()
    (source / "openvino" / "openvino_model.bin").write_bytes(b"\0numbers")
    done = command("convert", source, tmp_path / "safe", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["left_out"] == [
        "checkpoint-500", "latest", "mine.bin", "optimizer.pt", "rng_state.pth", "scheduler.pt", "training_args.bin",
    ]  # fmt: skip
    assert {"trainer_state.json", "openvino/openvino_model.bin", "model.safetensors"} <= set(files(tmp_path / "safe"))


class Foreign:
    """What a pickle could run."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (Path("ran"),)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"weight": Foreign()}, r"holds other objects than tensors \(\w+[\w.]*\), which are not read; save the model"),
        ({"weight": 3}, "'weight' is not a plain tensor .int.; save the model again"),
        ([1, 2], "holds a list, not tensors by name; save the model again"),
        ({"weight": torch.eye(3).to_sparse()}, "'weight' is not a plain tensor"),
    ],
)
def test_a_pickle_with_anything_else_is_refused_and_not_run(
    content: object, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = pickled(tiny.cross_encoder(tmp_path / "bin"), change=lambda _: content)
    with pytest.raises(ModelError, match=said) as raised:
        convert(str(source), tmp_path / "safe")
    assert "\n" not in str(raised.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bin"]


@pytest.mark.parametrize(
    "content", [b"", b"PK", b"version https://git-lfs.github.com/spec/v1\n", pickle.dumps({})[:-1]]
)
def test_a_damaged_pickle_is_refused(content: bytes, tmp_path: Path) -> None:
    source = tiny.cross_encoder(tmp_path / "bin")
    (source / "model.safetensors").unlink()
    (source / "pytorch_model.bin").write_bytes(content)
    with pytest.raises(ModelError, match=r"pytorch_model\.bin: .*(fetch|git lfs pull)"):
        convert(str(source), tmp_path / "safe")
    assert not (tmp_path / "safe").exists()


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    source = sharded(tiny.cross_encoder(tmp_path / "bin"))
    (source / "pytorch_model-00002-of-00002.bin").unlink()
    with pytest.raises(ModelError, match=r"pytorch_model-00002-of-00002\.bin is missing; fetch the model again"):
        convert(str(source), tmp_path / "safe")


def test_an_existing_folder_is_never_touched(tmp_path: Path) -> None:
    source = pickled(tiny.cross_encoder(tmp_path / "bin"))
    (tmp_path / "safe").mkdir()
    with pytest.raises(UsageError, match="exists already; name a folder that does not exist yet"):
        convert(str(source), tmp_path / "safe")
    assert files(tmp_path / "safe") == []


def test_the_refusal_of_a_model_without_pickles_says_what_it_has(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has safetensors already; use it as it is"):
        convert(str(tiny.cross_encoder(tmp_path / "safe")), tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="nothing to convert"):
        convert(str(tmp_path / "empty"), tmp_path / "out")


_KILLED = """import os, signal, sys
from pathlib import Path
from training.converting import convert as module
module.replace_folder = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
module.convert(sys.argv[1], Path(sys.argv[2]))
"""


def test_a_kill_leaves_no_folder_of_that_name_and_the_next_run_ends_well(tmp_path: Path) -> None:
    source = pickled(tiny.cross_encoder(tmp_path / "bin"))
    out = tmp_path / "safe"
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(source), str(out)], capture_output=True, check=False)
    assert killed.returncode == -9, killed.stderr[-500:]
    assert not out.exists()
    assert isinstance(convert(str(source), out), Converted)


def test_a_hub_model_is_fetched_with_its_pickles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = fake_hub.connected(monkeypatch)
    source = pickled(tiny.cross_encoder(tmp_path / "bin"))
    hub.files["some/model"] = {name: (source / name).read_bytes() for name in files(source)}

    def snapshot(name: str, *, allow_patterns: list[str], **_: object) -> str:
        return hub.snapshot_download(name, local_dir=tmp_path / "cache", allow_patterns=allow_patterns)

    import huggingface_hub

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    convert("some/model", tmp_path / "safe")
    assert np.array_equal(theirs(source), theirs(tmp_path / "safe"))


def test_the_name_of_the_weights_in_the_configuration_is_no_surprise(tmp_path: Path) -> None:
    source = pickled(tiny.cross_encoder(tmp_path / "bin"))
    config = json.loads((source / "config.json").read_text("utf-8"))
    (source / "config.json").write_text(json.dumps({**config, "transformers_weights": "mine.bin"}), "utf-8")
    with pytest.raises(HarnessError, match=r"names 'mine\.bin' as the file of weights .* remove the key"):
        convert(str(source), tmp_path / "safe")
