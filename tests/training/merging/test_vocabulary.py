"""A recipe with a tokenizer section gets an embedding with one row per token, as in mergekit."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from adapters.errors import ModelError, UsageError
from tests.training.merging import families
from training.merging.checkpoint import open_checkpoint
from training.merging.merge import Merged, merge
from training.merging.mergekit_yaml import from_mapping
from training.merging.patched import PatchedTensor
from training.merging.tensors import decode
from training.merging.tokenizer import Tokenizer


def merged(folder: Path, name: str, **section: object) -> Merged:
    models = [{"model": "base", "parameters": {"weight": 1}}, {"model": "tuned", "parameters": {"weight": 1}}]
    return merge(from_mapping({"merge_method": "linear", "models": models, **section}, folder), folder / name)


def test_rows_without_a_token_are_left_out_only_if_the_recipe_names_a_tokenizer(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    families.fine_tune(families.hub(tmp_path / "base", "bert"), tmp_path / "tuned")
    sizes = {}
    for name, section in {"plain": {}, "cut": {"tokenizer": {"source": "union"}}}.items():
        made = merged(tmp_path, name, **section)
        model, loaded = transformers.AutoModel.from_pretrained(made.path, output_loading_info=True)
        assert not loaded["missing_keys"]
        sizes[name] = model.get_input_embeddings().num_embeddings
    tokens = len(transformers.AutoTokenizer.from_pretrained(tmp_path / "base"))
    before = json.loads((tmp_path / "base" / "config.json").read_text("utf-8"))["vocab_size"]
    assert sizes == {"plain": before, "cut": tokens} and tokens < before
    assert any(f"{tokens:,} tokens" in str(note) for note in made.report["notes"])  # type: ignore[attr-defined]
    assert merged(tmp_path, "cut", tokenizer={"source": "base"}).new is False


def embedding(folder: Path) -> np.ndarray:
    tensors = open_checkpoint(str(folder)).tensors
    (name,) = [name for name in tensors if name.endswith("word_embeddings.weight")]
    tensor = tensors[name]
    return decode(tensor.raw(), tensor.dtype, np.empty(tensor.size, np.float32)).reshape(tensor.shape)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base with 16 rows that no token has, and its fine-tune."""
    folder = tmp_path_factory.mktemp("models")
    families.fine_tune(families.hub(folder / "base", "bert"), folder / "tuned", distance=0.1)
    return folder


def ids(folder: Path) -> dict[str, int]:
    return dict(Tokenizer(str(folder), folder).reads.vocabulary())  # type: ignore[union-attr]


def test_a_forced_row_takes_the_place_of_that_of_every_model(models: Path) -> None:
    first, second, third, fourth = [token for token in ids(models / "base") if token.isalpha()][:4]
    rows = {
        first: {"source": {"kind": "zero"}, "force": True},
        second: {"source": "tuned", "force": True},
        third: {"source": {"kind": "model_token", "model": "base", "token": fourth}, "force": True},
        fourth: {"source": {"kind": "zero"}},
    }
    made = merged(models, "forced", tokenizer={"source": "base", "tokens": rows})
    base, tuned, found = (embedding(models / name) for name in ("base", "tuned", "forced"))
    known = ids(models / "base")
    assert (found[known[first]] == 0).all()
    assert (found[known[second]] == tuned[known[second]]).all()
    assert (found[known[third]] == base[known[fourth]]).all()
    others = [number for token, number in known.items() if token not in {first, second, third}]
    assert found[others] == pytest.approx((base[others] + tuned[others]) / 2, abs=1e-6)
    assert any(f"{fourth!r} has a row in all models" in str(note) for note in made.report["notes"])  # type: ignore[attr-defined]
    assert merged(models, "forced", tokenizer={"source": "base", "tokens": rows}).new is False
    assert made.id != merged(models, "unforced", tokenizer={"source": "base"}).id


def test_a_new_token_is_in_the_tokenizer_and_has_its_row(models: Path) -> None:
    transformers = pytest.importorskip("transformers")
    rows = {"<new>": {"source": {"kind": "model_token", "model": "tuned", "token_id": 7}}}
    made = merged(models, "extended", tokenizer={"source": "base", "tokens": rows, "pad_to_multiple_of": 32})
    known = ids(models / "base")
    assert ids(made.path) == {**known, "<new>": len(known)}
    found = embedding(made.path)
    assert len(found) % 32 == 0 and len(found) > len(known)
    assert (found[len(known)] == embedding(models / "tuned")[7]).all()
    assert found[len(known) + 1 :] == pytest.approx(
        np.broadcast_to(found[: len(known) + 1].mean(axis=0), found[len(known) + 1 :].shape), abs=1e-6
    )
    tokenizer = transformers.AutoTokenizer.from_pretrained(made.path)
    assert len(known) in tokenizer("a <new> b")["input_ids"]
    _, loaded = transformers.AutoModel.from_pretrained(made.path, output_loading_info=True)
    assert not loaded["missing_keys"] and not loaded["mismatched_keys"]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ({"<new>": {}}, "'<new>' needs a source"),
        ({"<new>": {"source": "base"}}, "no model has the token '<new>'"),
        ({"<new>": {"source": "elsewhere"}}, "is not merged here"),
        ({"<new>": {"source": {"kind": "model_token", "model": "base", "token_id": 99999}}}, "has no row for 99999"),
        ({"<new>": {"source": {"kind": "model_token", "model": "base", "token": "<no>"}}}, "has no row for '<no>'"),
        ({"<new>": {"source": {"kind": "model_token", "model": "base"}}}, "token or token_id"),
        ({"<new>": {"source": {"kind": "mean"}}}, "is not a source"),
        ({"<new>": {"source": {"kind": "zero"}, "forse": True}}, "forse"),
    ],
)
def test_a_row_that_cannot_be_had_is_refused(models: Path, rows: dict[str, object], says: str, tmp_path: Path) -> None:
    with pytest.raises((UsageError, ModelError), match=says):
        merged(models, f"refused-{tmp_path.name}", tokenizer={"source": "base", "tokens": rows})
    assert not (models / f"refused-{tmp_path.name}").exists()


def test_a_row_is_the_same_in_whatever_pieces_it_is_read(models: Path) -> None:
    tensors = open_checkpoint(str(models / "base")).tensors
    (tensor,) = [one for name, one in tensors.items() if name.endswith("word_embeddings.weight")]
    length = tensor.shape[1]
    row = np.arange(length, dtype="<f4")
    patched = PatchedTensor.of(tensor.cut(6), 8, {1: row, 6: row + 1, 7: row + 2})
    whole = patched.raw()[:]
    for step in (1, 3, length, length + 5, 8 * length):
        pieces = [patched.raw()[start : start + step] for start in range(0, patched.size, step)]
        assert (np.concatenate(pieces) == whole).all()
    shaped = whole.reshape(8, length)
    assert (shaped[[1, 6, 7]] == np.stack([row, row + 1, row + 2])).all()
    assert (shaped[[0, 2, 3, 4, 5]] == embedding(models / "base")[[0, 2, 3, 4, 5]]).all()
