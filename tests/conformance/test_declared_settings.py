"""What a folder declares in its small files reaches the scores as it does in sentence-transformers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from adapters import tiny
from adapters.errors import ModelError
from adapters.spec import identity_of, open_reranker
from tests.conformance import shapes
from tests.conformance.shapes import CHAT_TEMPLATES, DOCUMENTS, QUERIES, ours, theirs

pytest.importorskip("sentence_transformers", reason="the reference needs the extra 'models'")

SETTINGS = "sentence_bert_config.json"


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A cross-encoder as sentence-transformers saves it."""
    from sentence_transformers import CrossEncoder

    source = tiny.cross_encoder(tmp_path / "source", seed=1)
    CrossEncoder(str(source), device="cpu").save_pretrained(str(tmp_path / "saved"))
    return tmp_path / "saved"


def embedded(folder: Path) -> npt.NDArray[np.float64]:
    """What sentence-transformers makes of the pairs with an embedder."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device="cpu")
    options: dict[str, Any] = {"convert_to_tensor": True, "show_progress_bar": False, "batch_size": 1}
    queries, documents = model.encode_query(QUERIES, **options), model.encode_document(DOCUMENTS, **options)
    scores: npt.NDArray[np.float64] = model.similarity(queries, documents).double().numpy().reshape(-1)
    return scores


OPTIONS = [
    {"processor_kwargs": {"model_max_length": 40}},
    {"tokenizer_args": {"model_max_length": 40}},
    {"processor_kwargs": {"truncation_side": "left", "model_max_length": 60}},
    {"max_seq_length": 50},
    {"max_seq_length": 50, "processor_kwargs": {"model_max_length": 30}},
    {"processing_kwargs": {"text": {"max_length": 20}}},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_options_of_the_tokenizer_reach_a_cross_encoder(saved: Path, options: Mapping[str, Any]) -> None:
    before = theirs(saved)
    shapes.edit(saved / SETTINGS, **options)
    expected = theirs(saved)
    assert np.abs(expected - before).max() > 1e-2
    np.testing.assert_allclose(ours(open_reranker(str(saved))), expected, atol=1e-4)


@pytest.mark.parametrize("options", [*OPTIONS, {"query_length": 4, "document_length": 20}], ids=str)
def test_options_of_the_tokenizer_reach_an_embedder(tmp_path: Path, options: Mapping[str, Any]) -> None:
    folder = tiny.bert_embedder(tmp_path / "embedder", seed=1)
    before = embedded(folder)
    (folder / SETTINGS).write_text("{}")
    shapes.edit(folder / SETTINGS, **options)
    expected = embedded(folder)
    assert np.abs(expected - before).max() > 1e-3
    np.testing.assert_allclose(ours(open_reranker(str(folder))), expected, atol=1e-4)


@pytest.mark.parametrize(
    "options",
    [
        {"processor_kwargs": {"model_max_length": 200}},
        {"processing_kwargs": {"chat_template": {"max_length": 150, "truncation": True}}},
        {"processing_kwargs": {"chat_template": {"max_length": 150, "truncation": True, "restore_suffix": False}}},
        {"do_lower_case": True},
        {"query_length": 30},
    ],
    ids=str,
)
def test_options_of_the_tokenizer_reach_a_language_model(tmp_path: Path, options: Mapping[str, Any]) -> None:
    folder = shapes.logit_score(tmp_path / "model", CHAT_TEMPLATES["query first"])
    shapes.edit(folder / SETTINGS, **options)
    np.testing.assert_allclose(ours(open_reranker(str(folder))), theirs(folder), atol=1e-4)


def test_files_of_sentence_transformers_without_modules_json_are_not_read(saved: Path) -> None:
    """Converters leave them behind, and sentence-transformers does not read them then."""
    (saved / "modules.json").unlink()
    before = ours(open_reranker(str(saved)))
    shapes.edit(saved / SETTINGS, max_seq_length=20)
    shapes.edit(saved / "config_sentence_transformers.json", prompts={"q": "find: "}, default_prompt_name="q")
    np.testing.assert_array_equal(ours(open_reranker(str(saved))), before)
    np.testing.assert_allclose(before, theirs(saved), atol=1e-4)


def test_the_weights_that_the_config_names_are_read_and_counted(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = tiny.cross_encoder(tmp_path / "model", seed=1)
    weights = load_file(folder / "model.safetensors")
    save_file({name: 1.5 * weight for name, weight in weights.items()}, folder / "tuned.safetensors", {"format": "pt"})
    shapes.edit(folder / "config.json", transformers_weights="tuned.safetensors")
    reranker = open_reranker(str(folder))
    np.testing.assert_allclose(ours(reranker), theirs(folder), atol=1e-4)
    before = identity_of(reranker)
    save_file(weights, folder / "tuned.safetensors", {"format": "pt"})
    assert identity_of(open_reranker(str(folder))) != before
    (folder / "tuned.safetensors").unlink()
    with pytest.raises(ModelError, match=r"transformers_weights names 'tuned\.safetensors', which is not here"):
        identity_of(open_reranker(str(folder)))


def test_static_embeddings_have_no_longest_input(tmp_path: Path) -> None:
    """The potion models: one vector for each token, and a config.json of another library."""
    import json

    import torch
    from safetensors.torch import save_file
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(tiny.cross_encoder(tmp_path / "source") / "tokenizer.json"))
    folder = tmp_path / "potion"
    (folder / "1_Normalize").mkdir(parents=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(0)
    save_file({"embeddings": torch.randn(tokenizer.get_vocab_size(), 16)}, folder / "model.safetensors")
    names = (("StaticEmbedding", "."), ("Normalize", "1_Normalize"))
    chain = [
        {"idx": at, "name": str(at), "path": path, "type": f"sentence_transformers.models.{name}"}
        for at, (name, path) in enumerate(names)
    ]
    (folder / "modules.json").write_text(json.dumps(chain))
    settings = {"model_type": "model2vec", "architectures": ["StaticModel"], "seq_length": 1000000}
    (folder / "config.json").write_text(json.dumps(settings))
    np.testing.assert_allclose(ours(open_reranker(str(folder))), embedded(folder), atol=1e-4)
    with pytest.raises(ModelError, match="no maximum length that can be set"):
        open_reranker(f"{folder}?max_length=512")


FILTERS = {
    "lower": "{{ q | lower }}", "escape": "{{ q | escape }}", "tojson": "{{ q | tojson }}",
    "capitalize": "{{ q | capitalize }}", "first words": "{{ q.split(' ')[:2] | join(' ') }}",
    "cut": "{{ q[:100] }}", "by length": "{% if q | length > 100 %}LONG {% endif %}{{ q }}",
}  # fmt: skip


@pytest.mark.parametrize("changed", FILTERS)
def test_a_chat_template_that_changes_some_texts_is_rendered(
    tmp_path: Path, changed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    queries = ["What Is The Web", 'He said "no" & <b>', *QUERIES[2:]]
    monkeypatch.setattr(shapes, "QUERIES", queries)
    template = CHAT_TEMPLATES["query first"].replace("{{ q }}", FILTERS[changed])
    folder = shapes.logit_score(tmp_path / "model", template)
    np.testing.assert_allclose(ours(open_reranker(str(folder))), theirs(folder), atol=1e-4)


@pytest.mark.parametrize("kind", ["language model", "classifier"])
def test_a_chat_template_that_changes_texts_of_one_request_alone_is_rendered(tmp_path: Path, kind: str) -> None:
    """No probe has this word: the request itself shows it."""
    template = CHAT_TEMPLATES["query first"].replace("{{ d }}", "{{ d | replace('passage', 'text') }}")
    if kind == "classifier":
        folder = shapes.sequence_classifier(tmp_path / "model", template=template)
    else:
        folder = shapes.logit_score(tmp_path / "model", template)
    np.testing.assert_allclose(ours(open_reranker(str(folder))), theirs(folder), atol=1e-4)


@pytest.mark.parametrize("kind", ["language model", "classifier"])
def test_a_chat_template_with_the_date_has_another_identity_every_day(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import date

    template = "Today: {{ strftime_now('%d %b %Y') }}\n" + CHAT_TEMPLATES["query first"]
    if kind == "classifier":
        folder = shapes.sequence_classifier(tmp_path / "model", template=template)
    else:
        folder = shapes.logit_score(tmp_path / "model", template)
    today = identity_of(open_reranker(str(folder)))
    assert today == identity_of(open_reranker(str(folder)))

    class Tomorrow(date):
        @classmethod
        def today(cls) -> Tomorrow:
            return cls(2031, 1, 5)

    monkeypatch.setattr("adapters.chat_template.date", Tomorrow)
    assert identity_of(open_reranker(str(folder))) != today


def test_the_number_of_labels_counts_more_than_their_names(tmp_path: Path) -> None:
    """transformers believes `num_labels`, and warns in a log."""
    folder = tiny.cross_encoder(tmp_path / "model", seed=1)
    shapes.edit(folder / "config.json", num_labels=1, id2label={"0": "no", "1": "yes"}, label2id={"no": 0, "yes": 1})
    np.testing.assert_allclose(ours(open_reranker(str(folder))), theirs(folder), atol=1e-4)
