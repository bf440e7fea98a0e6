"""The files and weights of sentence-transformers modules are kept, merged or refused by name, and never dropped."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from adapters import tiny
from tests.training.merging import families, pico
from tests.training.merging.families import edit, fine_tune, write_json
from tests.training.merging.test_modules import POOLING, embedder, read_list, refusal, saved_again, vectors
from tests.training.merging.test_spellings import DOCUMENTS, QUERIES, merged, notes

library = pytest.importorskip("sentence_transformers")


def test_a_fine_tune_that_transformers_alone_saved_gets_the_modules_of_its_base(tmp_path: Path) -> None:
    base = embedder(tmp_path / "base")
    tuned = fine_tune(base, tmp_path / "tuned", auto="AutoModel")
    made = merged(tmp_path / "out", base, tuned, weights=[0, 1])
    said = notes(made)
    assert f"the sentence-transformers files of {base} (modules.json" in said and POOLING in said and "are kept" in said
    expected = families.copied(tuned, tmp_path / "expected")
    for name in ("modules.json", "config_sentence_transformers.json"):
        shutil.copy(base / name, expected / name)
    shutil.copytree(base / "1_Pooling", expected / "1_Pooling")
    np.testing.assert_array_equal(vectors(made.path), vectors(expected))


def test_named_first_the_fine_tune_keeps_its_own_files_and_the_report_says_so(tmp_path: Path) -> None:
    base = embedder(tmp_path / "base")
    tuned = fine_tune(base, tmp_path / "tuned", auto="AutoModel")
    made = merged(tmp_path / "out", tuned, base)
    assert not (made.path / "modules.json").exists()
    assert "are not taken" in notes(made) and "modules.json" in notes(made)


def test_a_layer_that_the_fine_tune_lacks_is_kept_and_named(tmp_path: Path) -> None:
    base = embedder(tmp_path / "base", dense=True)
    tuned = fine_tune(base, tmp_path / "tuned", auto="AutoModel")
    made = merged(tmp_path / "out", base, tuned)
    kept = (base / "2_Dense" / "model.safetensors").read_bytes()
    assert (made.path / "2_Dense" / "model.safetensors").read_bytes() == kept
    assert f"2_Dense/linear.bias, 2_Dense/linear.weight are those of {base}" in notes(made)


def test_a_layer_is_never_dropped_because_the_fine_tune_is_named_first(tmp_path: Path) -> None:
    base = embedder(tmp_path / "base", dense=True)
    tuned = fine_tune(base, tmp_path / "tuned", auto="AutoModel")
    said = refusal(tmp_path, tuned, base)
    assert f"{base} has the module 2_Dense with weights" in said and f"name {base} first, or as the base" in said


@pytest.mark.parametrize("pickled", [True, False])
def test_a_pickled_layer_is_refused_by_name_with_the_command_that_converts_it(pickled: bool, tmp_path: Path) -> None:
    """The pickle is not there at all where the model was fetched from the hub."""
    one, other = embedder(tmp_path / "a", dense=True), embedder(tmp_path / "b", 1, dense=True)
    if pickled:
        torch.save(load_file(other / "2_Dense" / "model.safetensors"), other / "2_Dense" / "pytorch_model.bin")
    (other / "2_Dense" / "model.safetensors").unlink()
    said = refusal(tmp_path, one, other)
    assert f"{other}: the module 2_Dense (Dense) has no safetensors weights" in said and "pytorch_model.bin" in said
    assert f"run `harness convert {other} OUT`" in said and "?pickle" not in said


def reranker(folder: Path, seed: int = 0) -> Path:
    """As Qwen3-Reranker lies on the hub: a language model, with the modules that make a score of it."""
    tiny.plain_causal_lm(folder, seed=seed)
    families.as_transformers_4(folder)
    score = "sentence_transformers.cross_encoder.modules.logit_score.LogitScore"
    modules = [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.base.modules.transformer.Transformer"},
        {"idx": 1, "name": "1", "path": "1_LogitScore", "type": score},
    ]
    write_json(folder / "modules.json", modules)
    write_json(folder / "sentence_bert_config.json", {
        "transformer_task": "text-generation", "module_output_name": "causal_logits",
        "modality_config": {"text": {"method": "forward", "method_output_name": "logits"}},
    })  # fmt: skip
    write_json(folder / "config_sentence_transformers.json", {
        "model_type": "CrossEncoder", "prompts": {"query": "Given a web search query"}, "default_prompt_name": "query",
        "activation_fn": "torch.nn.modules.linear.Identity",
    })  # fmt: skip
    (folder / "1_LogitScore").mkdir()
    write_json(folder / "1_LogitScore" / "config.json", {
        "true_token_id": 5, "false_token_id": 6, "module_input_name": "causal_logits",
    })  # fmt: skip
    (folder / "chat_template.jinja").write_text("{{ messages[0].content }}", "utf-8")
    return folder


def test_a_language_model_with_a_score_of_two_words_keeps_its_files(tmp_path: Path) -> None:
    base = reranker(tmp_path / "base")
    tuned = fine_tune(base, tmp_path / "tuned")
    (tuned / "chat_template.jinja").unlink(missing_ok=True)
    edit(tuned / "tokenizer_config.json", chat_template=None)
    made = merged(tmp_path / "out", base, tuned)
    for name in (
        "modules.json",
        "1_LogitScore/config.json",
        "config_sentence_transformers.json",
        "chat_template.jinja",
    ):
        assert (made.path / name).read_bytes() == (base / name).read_bytes()
    assert "1_LogitScore/config.json" in notes(made) and "the chat templates of" in notes(made)
    library.CrossEncoder(str(made.path), device="cpu").predict([(QUERIES[0], DOCUMENTS[0])])


def test_other_words_of_the_score_are_refused(tmp_path: Path) -> None:
    one, other = reranker(tmp_path / "a"), reranker(tmp_path / "b", 1)
    edit(other / "1_LogitScore" / "config.json", true_token_id=7)
    said = refusal(tmp_path, one, other)
    assert "true_token_id in 1_LogitScore/config.json is 5 in" in said and "and 7 in" in said


def test_a_cross_encoder_saved_by_the_library_and_its_plain_base_are_merged(tmp_path: Path) -> None:
    base = tiny.cross_encoder(tmp_path / "base")
    tuned = saved_again(base, tmp_path / "tuned", "CrossEncoder")
    assert (tuned / "modules.json").exists()
    for first, second in ((base, tuned), (tuned, base)):
        made = merged(tmp_path / f"out-{first.name}", first, second)
        assert (made.path / "modules.json").exists() == (first is tuned)
        assert "the sentence-transformers files of" in notes(made)


def test_an_encoder_in_a_folder_of_its_own_is_compared_and_merged(tmp_path: Path) -> None:
    """As the first sentence-transformers saved it."""
    for seed, name in enumerate("abc"):
        folder = embedder(tmp_path / name, seed)
        (folder / "0_Transformer").mkdir()
        for file in folder.iterdir():
            if file.is_file() and file.name not in {"modules.json", "config_sentence_transformers.json"}:
                file.rename(folder / "0_Transformer" / file.name)
        modules = read_list(folder)
        modules[0]["path"] = "0_Transformer"
        write_json(folder / "modules.json", modules)
    made = merged(tmp_path / "out", tmp_path / "a", tmp_path / "b", weights=[0, 1])
    np.testing.assert_array_equal(vectors(made.path), vectors(tmp_path / "b"))
    edit(tmp_path / "c" / "0_Transformer" / "config.json", hidden_act="relu")
    assert "hidden_act in config.json" in refusal(tmp_path / "x", tmp_path / "a", tmp_path / "c")


def test_the_weights_behind_a_router_are_merged_and_never_dropped(tmp_path: Path) -> None:
    from sentence_transformers.sentence_transformer.modules import Dense, Pooling, Router, Transformer

    for seed, name in enumerate("ab"):
        base = str(embedder(tmp_path / f"base-{name}", seed))
        torch.manual_seed(seed)
        query, document = [Transformer(base), Pooling(32), Dense(32, 8)], [Transformer(base), Pooling(32), Dense(32, 8)]
        router = Router.for_query_document(query_modules=query, document_modules=document)
        library.SentenceTransformer(modules=[router], device="cpu").save_pretrained(str(tmp_path / name))
    stored = {file.relative_to(tmp_path / "a") for file in (tmp_path / "a").rglob("*.safetensors")}
    made = merged(tmp_path / "out", tmp_path / "a", tmp_path / "b", weights=[0, 1])
    assert {file.relative_to(made.path) for file in made.path.rglob("*.safetensors")} == stored and len(stored) == 4
    library_of = [library.SentenceTransformer(str(folder), device="cpu") for folder in (made.path, tmp_path / "b")]
    np.testing.assert_array_equal(*(one.encode(DOCUMENTS, task="query") for one in library_of))


def test_the_vocabulary_of_a_table_of_vectors_is_compared(tmp_path: Path) -> None:
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer, models

    for name, words in (("a", ["x", "y", "z"]), ("b", ["x", "y", "z"]), ("c", ["y", "x", "z"])):
        tokenizer = Tokenizer(models.WordLevel({word: index for index, word in enumerate(words)}, unk_token="z"))
        module = StaticEmbedding(tokenizer, embedding_weights=np.random.default_rng(1).normal(size=(3, 4)))
        library.SentenceTransformer(modules=[module], device="cpu").save_pretrained(str(tmp_path / name))
    assert merged(tmp_path / "out", tmp_path / "a", tmp_path / "b").new
    assert "tokenizers (model)" in refusal(tmp_path / "x", tmp_path / "a", tmp_path / "c")


def test_a_path_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    pico.write(tmp_path / "a", pico.tensors(0))
    pico.write(tmp_path / "b", pico.tensors(1))
    write_json(tmp_path / "b" / "modules.json", [{"type": "x.Transformer", "path": "../a"}])
    assert "leads out of the folder" in refusal(tmp_path, tmp_path / "a", tmp_path / "b")
