"""Tensors are matched as loading matches them; one that the model needs and a checkpoint lacks is never made up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from adapters import tiny
from adapters.errors import ModelError
from tests.training.fitting import tensors
from tests.training.merging import families, pico
from tests.training.merging.families import edit, fine_tune, hub, rename_tensors
from tests.training.merging.test_spellings import logits, merged, notes
from training.merging import naming


def refusal(folder: Path, *models: Path) -> str:
    with pytest.raises(ModelError) as raised:
        merged(folder / "out", *models)
    assert not (folder / "out").exists() and "\n" not in str(raised.value)
    return str(raised.value)


def with_prefix(prefix: str) -> Any:
    return lambda name: f"{prefix}{name}"


def old_norms(name: str) -> str:
    return name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")


def test_norms_that_are_called_gamma_and_beta_are_the_same_tensors(tmp_path: Path) -> None:
    """As in the first BERT checkpoints; today's transformers saves them as weight and bias."""
    base = rename_tensors(hub(tmp_path / "base", "bert"), old_norms)
    tuned = fine_tune(base, tmp_path / "tuned")
    rename_tensors(tuned, lambda name: name.replace("gamma", "weight").replace("beta", "bias"))
    for place, same in enumerate((base, tuned)):
        made = merged(tmp_path / f"{place}", base, tuned, weights=[1 - place, place])
        assert torch.equal(logits(made.path), logits(same))
        assert "have other names" in notes(made) and "LayerNorm.beta" in notes(made)
        assert tensors(made.path).keys() == tensors(base).keys()


@pytest.mark.parametrize("prefixed", ["base", "tuned"])
def test_an_encoder_with_and_without_the_name_of_the_model_around_it_is_the_same(prefixed: str, tmp_path: Path) -> None:
    """As in 'bert.encoder...' of a model that was trained by its masked words, and 'encoder...' of an embedder."""
    base, tuned = tiny.bert_embedder(tmp_path / "base"), tiny.bert_embedder(tmp_path / "tuned", seed=1)
    one, other = tensors(base), tensors(tuned)
    head = torch.ones(3)
    rename_tensors(tmp_path / prefixed, with_prefix("bert."), **{"cls.predictions.bias": head})
    edit(tmp_path / prefixed / "config.json", architectures=["BertForMaskedLM"])
    made = merged(tmp_path / "out", base, tuned)
    out = {name.removeprefix("bert."): tensor for name, tensor in tensors(made.path).items()}
    assert all(torch.allclose(out[name], (one[name] + other[name]) / 2) for name in one)  # type: ignore[operator]
    fate = "is kept" if prefixed == "base" else "left out"
    assert "the model does not load cls.predictions.bias" in notes(made) and fate in notes(made)
    assert ("cls.predictions.bias" in out) == (prefixed == "base")
    vectors = transformers.AutoModel.from_pretrained(made.path, output_loading_info=True)[1]
    assert not vectors["missing_keys"]


def test_the_fine_tune_of_a_last_token_embedder_may_have_its_names_with_model(tmp_path: Path) -> None:
    base = tiny.qwen3_embedder(tmp_path / "base")
    tuned = rename_tensors(tiny.qwen3_embedder(tmp_path / "tuned", seed=1), with_prefix("model."))
    assert all(name.startswith("layers") or "." not in name.split(".weight")[0] for name in tensors(base))
    out = tensors(merged(tmp_path / "out", base, tuned, weights=[0, 1]).path)
    assert all(torch.equal(out[name], tensors(tuned)[f"model.{name}"]) for name in out)  # type: ignore[arg-type]


@pytest.mark.parametrize("has", ["base", "tuned"])
def test_a_pooler_that_the_classifier_never_loads_is_no_reason_to_refuse(has: str, tmp_path: Path) -> None:
    """Older conversions of RoBERTa have one."""
    base = hub(tmp_path / "base", "xlm-roberta")
    tuned = fine_tune(base, tmp_path / "tuned")
    rename_tensors(tmp_path / has, str, **{"roberta.pooler.dense.weight": torch.ones(16, 16)})
    made = merged(tmp_path / "out", base, tuned)
    assert "the model does not load roberta.pooler.dense.weight" in notes(made)
    assert ("roberta.pooler.dense.weight" in tensors(made.path)) == (has == "base")


@pytest.mark.parametrize("has", ["base", "tuned"])
@pytest.mark.parametrize("name", ["bert", "xlm-roberta", "deberta-v2", "electra"])
def test_positions_that_old_versions_saved_are_no_weights(name: str, has: str, tmp_path: Path) -> None:
    base = hub(tmp_path / "base", name)
    tuned = fine_tune(base, tmp_path / "tuned")
    body = {"xlm-roberta": "roberta", "deberta-v2": "deberta"}.get(name, name)
    rename_tensors(tmp_path / has, str, **{f"{body}.embeddings.position_ids": torch.arange(64)[None]})
    made = merged(tmp_path / "out", base, tuned)
    assert (f"{body}.embeddings.position_ids" in tensors(made.path)) == (has == "base")


@pytest.mark.parametrize("has", ["base", "tuned", "both"])
@pytest.mark.parametrize("name", ["qwen3", "gemma"])
def test_an_output_layer_that_is_the_embedding_may_be_saved_or_not(name: str, has: str, tmp_path: Path) -> None:
    """Gemma's configuration does not say that it is tied: transformers knows."""
    base = hub(tmp_path / "base", name)
    tuned = fine_tune(base, tmp_path / "tuned")
    for one in ("base", "tuned") if has == "both" else (has,):
        layer = tensors(tmp_path / one)["model.embed_tokens.weight"]
        rename_tensors(tmp_path / one, str, **{"lm_head.weight": layer.clone()})  # type: ignore[attr-defined]
    made = merged(tmp_path / "out", base, tuned, weights=[0, 1])
    assert "lm_head.weight" not in tensors(made.path)
    assert torch.equal(logits(made.path), logits(tuned))


@pytest.mark.parametrize("has", ["base", "tuned"])
def test_an_output_layer_of_its_own_is_not_averaged_with_a_tied_one(has: str, tmp_path: Path) -> None:
    base = hub(tmp_path / "base", "qwen3")
    tuned = fine_tune(base, tmp_path / "tuned")
    layer = tensors(base)["model.embed_tokens.weight"] + 1  # type: ignore[operator]
    rename_tensors(tmp_path / has, str, **{"lm_head.weight": layer})
    said = refusal(tmp_path, base, tuned)
    assert f"{tmp_path / has} has a separate output layer, 'lm_head.weight'" in said and "tied" in said


def test_output_layers_of_their_own_are_merged_whatever_the_configuration_says(tmp_path: Path) -> None:
    base = hub(tmp_path / "base", "qwen3")
    tuned = fine_tune(base, tmp_path / "tuned")
    for folder, more in ((base, 1), (tuned, 3)):
        layer = tensors(base)["model.embed_tokens.weight"] + more  # type: ignore[operator]
        rename_tensors(folder, str, **{"lm_head.weight": layer})
    out = tensors(merged(tmp_path / "out", base, tuned).path)
    assert torch.allclose(out["lm_head.weight"], tensors(base)["lm_head.weight"] + 1)  # type: ignore[operator, arg-type]


@pytest.mark.parametrize("has", ["base", "tuned"])
def test_other_layers_that_are_tied_may_be_saved_twice(has: str, tmp_path: Path) -> None:
    """A model of masked words makes its decoder of the embedding, and the decoder's bias of another one."""
    for seed, name in enumerate(("base", "tuned")):
        torch.manual_seed(seed)
        config = transformers.BertConfig(
            vocab_size=32, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
        )
        transformers.BertForMaskedLM(config).save_pretrained(tmp_path / name)
    one, other = tensors(tmp_path / "base"), tensors(tmp_path / "tuned")
    word = tensors(tmp_path / has)["bert.embeddings.word_embeddings.weight"].clone()  # type: ignore[attr-defined]
    more = {"cls.predictions.decoder.weight": word, "cls.predictions.decoder.bias": torch.ones(32)}
    renamed = {"cls.predictions.bias": None}
    rename_tensors(tmp_path / has, lambda tensor: renamed.get(tensor, tensor), **more)
    made = merged(tmp_path / "out", tmp_path / "base", tmp_path / "tuned")
    assert "cls.predictions.decoder.weight" not in tensors(made.path)
    model, report = transformers.BertForMaskedLM.from_pretrained(made.path, output_loading_info=True)
    assert not report["missing_keys"] and not report["unexpected_keys"]
    mean = (one["bert.embeddings.word_embeddings.weight"] + other["bert.embeddings.word_embeddings.weight"]) / 2  # type: ignore[operator]
    assert torch.allclose(model.cls.predictions.decoder.weight, mean)
    assert torch.allclose(model.cls.predictions.bias, torch.full((32,), 0.5))


def test_a_missing_head_is_refused_by_its_name(tmp_path: Path) -> None:
    base = hub(tmp_path / "base", "qwen3-seq-cls")
    tuned = fine_tune(base, tmp_path / "tuned")
    rename_tensors(tuned, lambda name: None if name == "score.weight" else name)
    said = refusal(tmp_path, base, tuned)
    assert said.startswith(f"merge: {tuned} has no tensor 'score.weight', which {base} has")
    assert refusal(tmp_path, tuned, base).startswith(f"merge: {tuned} has no tensor 'score.weight', which {base} has")


@pytest.mark.parametrize("order", [1, -1])
def test_experts_one_by_one_and_stacked_are_refused_as_what_they_are(order: int, tmp_path: Path) -> None:
    """They are saved one by one; a state dict that was saved by hand has them as the model has."""
    config = transformers.Qwen3MoeConfig(
        vocab_size=40, hidden_size=16, intermediate_size=32, moe_intermediate_size=8, num_hidden_layers=1,
        num_attention_heads=2, num_key_value_heads=1, head_dim=8, num_experts=4, num_experts_per_tok=2,
    )  # fmt: skip
    model = transformers.Qwen3MoeForCausalLM(config)
    for name in ("one", "stacked"):
        model.save_pretrained(tmp_path / name)
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    rename_tensors(tmp_path / "stacked", lambda _: None, **state)
    said = refusal(tmp_path, *[tmp_path / "one", tmp_path / "stacked"][::order])
    one, other = tmp_path / "one", tmp_path / "stacked"
    assert f"'model.layers.0.mlp.experts.0.down_proj.weight' of {one} is stored in another form in {other}" in said


@pytest.mark.parametrize(("prefix", "left_by"), [("_orig_mod.", "torch.compile"), ("module.", "DataParallel")])
def test_names_of_something_around_the_model_are_refused_with_what_to_save(
    prefix: str, left_by: str, tmp_path: Path
) -> None:
    base = hub(tmp_path / "base", "bert")
    tuned = rename_tensors(fine_tune(base, tmp_path / "tuned"), with_prefix(prefix))
    said = refusal(tmp_path, base, tuned)
    assert f"its names begin with '{prefix}', as {left_by} leaves them" in said


def test_an_adapter_is_refused_with_the_command_that_folds_it_in(tmp_path: Path) -> None:
    base = hub(tmp_path / "base", "bert")
    (tmp_path / "lora").mkdir()
    families.write_json(tmp_path / "lora" / "adapter_config.json", {"peft_type": "LORA", "task_type": "SEQ_CLS"})
    (tmp_path / "lora" / "adapter_model.safetensors").write_bytes((base / "model.safetensors").read_bytes())
    said = refusal(tmp_path, base, tmp_path / "lora")
    assert "from peft import AutoPeftModelForSequenceClassification as M" in said and "merge_and_unload()" in said


def test_a_part_that_peft_set_aside_is_refused(tmp_path: Path) -> None:
    base = hub(tmp_path / "base", "bert")
    tuned = fine_tune(base, tmp_path / "tuned")
    rename_tensors(tuned, lambda name: name.replace("classifier.", "classifier.modules_to_save.default."))
    assert "merge_and_unload" in refusal(tmp_path, base, tuned)


def test_without_transformers_other_names_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(naming.importlib.util, "find_spec", lambda _: None)
    base = rename_tensors(hub(tmp_path / "base", "bert"), old_norms)
    tuned = families.copied(base, tmp_path / "tuned")
    rename_tensors(tuned, lambda name: name.replace("gamma", "weight").replace("beta", "bias"))
    assert "has no tensor 'bert.embeddings.LayerNorm.beta'" in refusal(tmp_path, base, tuned)


def test_the_first_releases_of_transformers_5_match_names_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They have no module that says how names were changed."""
    found = naming.importlib.import_module

    def older(name: str) -> Any:
        if name == "transformers.conversion_mapping":
            raise ImportError(name)
        return found(name)

    monkeypatch.setattr(naming.importlib, "import_module", older)
    base = rename_tensors(hub(tmp_path / "base", "bert"), old_norms)
    tuned = families.copied(base, tmp_path / "tuned")
    rename_tensors(tuned, lambda name: name.replace("gamma", "weight").replace("beta", "bias").removeprefix("bert."))
    assert "have other names" in notes(merged(tmp_path / "out", base, tuned))


def test_the_single_file_is_read_if_an_older_index_names_parts_next_to_it(tmp_path: Path) -> None:
    """transformers reads model.safetensors first; who saved a model again into its folder has both."""
    for seed, name in enumerate("ab"):
        pico.write(tmp_path / name, pico.tensors(seed))
    pico.write_file(tmp_path / "a" / "model-00001-of-00001.safetensors", pico.tensors(5))
    weight_map = dict.fromkeys(pico.SHAPES, "model-00001-of-00001.safetensors")
    families.write_json(tmp_path / "a" / "model.safetensors.index.json", {"weight_map": weight_map})
    made = merged(tmp_path / "out", tmp_path / "a", tmp_path / "b", weights=[1, 0])
    assert (made.path / "model.safetensors").read_bytes() == (tmp_path / "a" / "model.safetensors").read_bytes()
    assert f"{tmp_path / 'a'}: model-00001-of-00001.safetensors was not read" in notes(made)
    assert not (made.path / "model.safetensors.index.json").exists()


def test_pickled_weights_are_refused_with_the_command_that_converts_them(tmp_path: Path) -> None:
    base = hub(tmp_path / "base", "bert")
    tuned = families.copied(base, tmp_path / "tuned")
    (tuned / "model.safetensors").rename(tuned / "pytorch_model.bin")
    said = refusal(tmp_path, base, tuned)
    assert "no safetensors weights here; they are pickled (pytorch_model.bin)" in said
    assert f"run `harness convert {tuned} OUT` and name OUT" in said and "?pickle" not in said


def test_other_formats_of_numbers_are_merged_in_that_of_the_base(tmp_path: Path) -> None:
    pico.write(tmp_path / "a", pico.tensors(0), dtype="BF16", torch_dtype="bfloat16")
    pico.write(tmp_path / "b", pico.tensors(1), dtype="F32", dtype_of="float32")
    made = merged(tmp_path / "out", tmp_path / "a", tmp_path / "b")
    values = tensors(made.path)["model.norm.weight"]
    assert values.dtype == torch.bfloat16  # type: ignore[attr-defined]
    assert np.isfinite(values.float().numpy()).all()  # type: ignore[attr-defined]
