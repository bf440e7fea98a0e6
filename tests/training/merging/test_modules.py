"""sentence-transformers folders: modules are compared by what they do, their weights are merged or refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from adapters import tiny
from adapters.errors import ModelError
from tests.training.merging.families import edit, write_json
from tests.training.merging.test_spellings import DOCUMENTS, merged, notes
from training.merging.merge import merge
from training.merging.mergekit_yaml import from_options

library = pytest.importorskip("sentence_transformers")
POOLING, DENSE = "1_Pooling/config.json", "2_Dense/config.json"
OLD_DENSE = {
    "in_features": 32, "out_features": 8, "bias": True,
    "activation_function": "torch.nn.modules.activation.Tanh",
}  # fmt: skip


def embedder(folder: Path, seed: int = 0, *, dense: bool = False) -> Path:
    """As sentence-transformers 2 to 4 saved it: mean pooling, and perhaps a layer on it."""
    tiny.bert_embedder(folder, seed=seed)
    if dense:
        modules = read_list(folder)
        modules.append({"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"})
        (folder / "2_Dense").mkdir()
        write_json(folder / "modules.json", modules)
        write_json(folder / DENSE, OLD_DENSE)
        drawn = torch.Generator().manual_seed(seed)
        weight = {"linear.weight": torch.randn(8, 32, generator=drawn), "linear.bias": torch.randn(8, generator=drawn)}
        save_file(weight, folder / "2_Dense" / "model.safetensors")
    return folder


def read_list(folder: Path) -> list[dict[str, Any]]:
    import json

    return list(json.loads((folder / "modules.json").read_text("utf-8")))


def saved_again(folder: Path, out: Path, kind: str = "SentenceTransformer") -> Path:
    """By the sentence-transformers that is installed."""
    getattr(library, kind)(str(folder), device="cpu").save_pretrained(str(out))
    return out


def vectors(folder: Path) -> Any:
    return library.SentenceTransformer(str(folder), device="cpu").encode(DOCUMENTS)


def refusal(folder: Path, *models: Path) -> str:
    with pytest.raises(ModelError) as raised:
        merged(folder / "out", *models)
    assert not (folder / "out").exists() and "\n" not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize("dense", [False, True])
@pytest.mark.parametrize("order", [1, -1])
def test_the_same_chain_of_two_versions_is_merged(dense: bool, order: int, tmp_path: Path) -> None:
    base = embedder(tmp_path / "base", dense=dense)
    tuned = saved_again(embedder(tmp_path / "other", 1, dense=dense), tmp_path / "tuned")
    for file in ("modules.json", POOLING):
        assert (base / file).read_bytes() != (tuned / file).read_bytes()
    made = merged(tmp_path / "out", *[base, tuned][::order], weights=[1, 0])
    np.testing.assert_array_equal(vectors(made.path), vectors([base, tuned][::order][0]))


def test_the_weights_of_a_dense_layer_are_merged_like_all_others(tmp_path: Path) -> None:
    one, other = embedder(tmp_path / "a", dense=True), embedder(tmp_path / "b", 1, dense=True)
    made = merged(tmp_path / "out", one, other)
    parts = [load_file(folder / "2_Dense" / "model.safetensors") for folder in (one, other, made.path)]
    for name, values in parts[2].items():
        assert torch.allclose(values, (parts[0][name] + parts[1][name]) / 2)
    assert "2_Dense/linear.weight" in {tensor["name"] for tensor in made.report["tensors"]}  # type: ignore[attr-defined]
    assert vectors(made.path).shape == (3, 8)


def test_the_weights_of_a_module_are_found_whatever_its_folder_is_called(tmp_path: Path) -> None:
    one, other = embedder(tmp_path / "a", dense=True), embedder(tmp_path / "b", 1, dense=True)
    (other / "2_Dense").rename(other / "projection")
    write_json(
        other / "modules.json",
        [{**one, "path": one["path"].replace("2_Dense", "projection")} for one in read_list(other)],
    )
    made = merged(tmp_path / "out", one, other, weights=[0, 1])
    np.testing.assert_array_equal(vectors(made.path), vectors(other))


@pytest.mark.parametrize(
    ("file", "changes", "words"),
    [
        (POOLING, {"pooling_mode": "cls"}, ("pooling_mode", '"mean"', '"cls"')),
        (POOLING, {"pooling_mode_mean_tokens": False, "pooling_mode_cls_token": True}, ("pooling_mode", '"cls"')),
        (POOLING, {"pooling_mode_max_tokens": True}, ("pooling_mode", '"mean"', '"max+mean"')),
        (POOLING, {"pooling_mode": "lasttoken"}, ("pooling_mode", '"mean"', '"lasttoken"')),
        (POOLING, {"include_prompt": False}, ("include_prompt", "true", "false")),
        (DENSE, {"activation_function": "torch.nn.Identity"}, ("activation_function", "Tanh", "Identity")),
        (DENSE, {"use_residual": True}, ("use_residual", "false", "true")),
    ],
)  # fmt: skip
def test_a_module_that_works_otherwise_is_refused_with_its_file_and_both_values(
    file: str, changes: dict[str, object], words: tuple[str, ...], tmp_path: Path
) -> None:
    one, other = embedder(tmp_path / "a", dense=True), embedder(tmp_path / "b", 1, dense=True)
    edit(other / file, **changes)
    said = refusal(tmp_path, one, other)
    assert f"{words[0]} in {file} is" in said and all(word in said for word in words)


@pytest.mark.parametrize(
    ("file", "changes"),
    [
        (POOLING, {"pooling_mode_weightedmean_tokens": False, "include_prompt": True}),
        (DENSE, {"activation_function": "torch.nn.Tanh"}),
        (DENSE, {"bias": None, "module_input_name": "sentence_embedding"}),
        ("config_sentence_transformers.json", {"prompts": {"query": "", "document": ""}, "similarity_fn_name": None}),
        ("config_sentence_transformers.json", {"__version__": {"sentence_transformers": "2.0.0"}}),
        ("sentence_bert_config.json", {"do_lower_case": False, "transformer_task": "feature-extraction"}),
    ],
)
def test_another_spelling_of_a_module_is_no_difference(file: str, changes: dict[str, object], tmp_path: Path) -> None:
    one, other = embedder(tmp_path / "a", dense=True), embedder(tmp_path / "b", 1, dense=True)
    edit(other / file, **changes)
    assert merged(tmp_path / "out", one, other).report["notes"] == []


def test_another_chain_is_refused_with_both_lists(tmp_path: Path) -> None:
    one, other = embedder(tmp_path / "a"), embedder(tmp_path / "b", dense=True)
    said = refusal(tmp_path, one, other)
    assert 'modules.json is "Transformer, Pooling" in' in said and '"Transformer, Pooling, Dense" in' in said


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"prompts": {"query": "search: "}}, "prompts"),
        ({"similarity_fn_name": "dot"}, "similarity_fn_name"),
        ({"model_type": "SparseEncoder"}, "model_type"),
    ],
)
def test_other_settings_of_the_library_are_refused(changes: dict[str, object], key: str, tmp_path: Path) -> None:
    one, other = embedder(tmp_path / "a"), embedder(tmp_path / "b", 1)
    edit(other / "config_sentence_transformers.json", **changes)
    said = refusal(tmp_path, one, other)
    assert f"{key} of sentence-transformers (config_sentence_transformers.json) is" in said


def test_lower_casing_of_the_library_is_refused(tmp_path: Path) -> None:
    one, other = embedder(tmp_path / "a"), embedder(tmp_path / "b", 1)
    write_json(other / "sentence_bert_config.json", {"do_lower_case": True})
    assert "do_lower_case in sentence_bert_config.json is false" in refusal(tmp_path, one, other)


MESSAGES = {"message": {"method": "forward", "method_output_name": "last_hidden_state", "format": "flat"}}
BARE = {"text": {"method": "forward", "method_output_name": "last_hidden_state"}}


@pytest.mark.parametrize("others", [None, BARE])
@pytest.mark.parametrize("order", [1, -1])
def test_one_that_reads_messages_and_one_that_reads_bare_texts_are_refused(
    others: object, order: int, tmp_path: Path
) -> None:
    """A folder that does not say it is read as bare texts."""
    one, other = embedder(tmp_path / "a"), embedder(tmp_path / "b", 1)
    edit(one / "sentence_bert_config.json", modality_config={**BARE, **MESSAGES}, module_output_name="token_embeddings")
    if others is not None:
        edit(other / "sentence_bert_config.json", modality_config=others, module_output_name="token_embeddings")
    said = refusal(tmp_path, *[one, other][::order])
    assert "modality_config.message in sentence_bert_config.json is " in said and '"format": "flat"' in said


def test_what_the_library_writes_of_bare_texts_and_no_word_of_it_are_the_same(tmp_path: Path) -> None:
    one, other = embedder(tmp_path / "a"), embedder(tmp_path / "b", 1)
    edit(other / "sentence_bert_config.json", modality_config=BARE, module_output_name="token_embeddings")
    assert merged(tmp_path / "out", one, other).report["notes"] == []


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"module_output_name": "sentence_embedding", "modality_config": BARE}, "module_output_name"),
        (
            {
                "module_output_name": "token_embeddings",
                "modality_config": {"text": {**BARE["text"], "method": "other"}},
            },
            "modality_config.text",
        ),
    ],
)
def test_another_output_of_the_network_is_refused(changes: dict[str, object], key: str, tmp_path: Path) -> None:
    one, other = embedder(tmp_path / "a"), embedder(tmp_path / "b", 1)
    edit(other / "sentence_bert_config.json", **changes)
    assert f"{key} in sentence_bert_config.json is " in refusal(tmp_path, one, other)


@pytest.mark.parametrize("kind", ["roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet"])
def test_settings_under_their_older_names_are_read(kind: str, tmp_path: Path) -> None:
    one, other = embedder(tmp_path / "a"), embedder(tmp_path / "b", 1)
    (other / "sentence_bert_config.json").unlink(missing_ok=True)
    write_json(other / f"sentence_{kind}_config.json", {"do_lower_case": True})
    assert "do_lower_case in sentence_" in refusal(tmp_path, one, other)


PROMPTS = {"query": "query: ", "document": "passage: "}


@pytest.mark.parametrize("method", ["linear", "slerp", "task_arithmetic"])
def test_a_plain_base_and_a_fine_tune_that_declares_prompts_are_merged_whichever_is_first(
    method: str, tmp_path: Path
) -> None:
    """Nobody knows the prompts of a folder that transformers alone saved."""
    plain = embedder(tmp_path / "plain")
    for name in ("modules.json", "config_sentence_transformers.json", POOLING):
        (plain / name).unlink()
    tuned = [embedder(tmp_path / "a", 1), embedder(tmp_path / "b", 2)]
    for folder in tuned:
        edit(folder / "config_sentence_transformers.json", prompts=PROMPTS)
    if method == "task_arithmetic":
        recipe = from_options(method, [str(folder) for folder in tuned], base=str(plain))
        assert "prompts is absent in" in notes(merge(recipe, tmp_path / "out"))
        return
    options = {"t": 0.5} if method == "slerp" else {}
    for at, pair in enumerate(([plain, tuned[0]], [tuned[0], plain])):
        made = merge(from_options(method, [str(folder) for folder in pair], **options), tmp_path / f"out-{at}")
        assert ("prompts is absent in" in notes(made)) == (at == 0)
        assert (made.path / "modules.json").exists() == (at == 1)


@pytest.mark.parametrize("change", [{"prompts": {"query": "other: "}}, {"similarity_fn_name": "dot"}])
def test_fine_tunes_that_contradict_each_other_are_refused_though_their_base_says_nothing(
    change: dict[str, object], tmp_path: Path
) -> None:
    plain, one, other = embedder(tmp_path / "plain"), embedder(tmp_path / "a", 1), embedder(tmp_path / "b", 2)
    for name in ("modules.json", "config_sentence_transformers.json", POOLING):
        (plain / name).unlink()
    edit(other / "config_sentence_transformers.json", **change)
    for models in ((plain, one, other), (one, plain, other), (other, one, plain)):
        assert f"{next(iter(change))} of sentence-transformers" in refusal(tmp_path, *models)


def test_its_maximum_length_is_a_note(tmp_path: Path) -> None:
    one, other = embedder(tmp_path / "a"), embedder(tmp_path / "b", 1)
    for folder, length in ((one, 64), (other, 32)):
        write_json(folder / "sentence_bert_config.json", {"max_seq_length": length, "do_lower_case": False})
    assert "max_seq_length is 64 in" in notes(merged(tmp_path / "out", one, other))
