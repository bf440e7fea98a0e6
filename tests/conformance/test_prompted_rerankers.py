"""Rerankers made of language models are asked as their folders say, and get the scores of sentence-transformers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from adapters import tiny
from adapters.causal_lm import CausalLMReranker
from adapters.cross_encoder import CrossEncoder
from adapters.errors import ModelError, UsageError
from adapters.protocols import Setting
from adapters.spec import identity_of, open_reranker
from tests.conformance import shapes
from tests.conformance.shapes import CHAT_TEMPLATES, DOCUMENTS, PAIRS, QUERIES, ours, theirs

pytest.importorskip("sentence_transformers", reason="the reference needs the extra 'models'")

PROMPT = {"query": "Given a question, find what answers it"}


def prompt_of(template: str) -> dict[str, str] | None:
    return PROMPT if template == "with a system prompt" else None


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def language_models(root: Path) -> dict[str, Path]:
    return {
        name: shapes.logit_score(root / name.replace(" ", "-"), text, prompts=prompt_of(name))
        for name, text in CHAT_TEMPLATES.items()
    }


@pytest.mark.parametrize("template", CHAT_TEMPLATES)
def test_a_language_model_is_asked_by_its_own_chat_template_and_tokens(
    language_models: dict[str, Path], template: str
) -> None:
    """mxbai-rerank-v2, zerank-2, ctxl-v2 and Qwen3-Reranker as sentence-transformers saves them."""
    folder = language_models[template]
    expected = theirs(folder)
    reranker = open_reranker(str(folder))
    assert isinstance(reranker, CausalLMReranker)
    scores = ours(reranker)
    assert np.ptp(expected) > 0.5, "the model tells the pairs apart, so equality means something"
    np.testing.assert_allclose(scores, expected, atol=1e-4)
    assert shapes.turned(scores, expected) == 0


@pytest.mark.parametrize("template", [name for name in CHAT_TEMPLATES if name != "document first"])
def test_truncation_is_that_of_sentence_transformers(language_models: dict[str, Path], template: str) -> None:
    folder = language_models[template]
    longest = max(len(text) for text in QUERIES) + 80
    scores = ours(open_reranker(f"{folder}?max_length={longest}"))
    np.testing.assert_allclose(scores, theirs(folder, longest), atol=1e-4)
    assert np.abs(scores - theirs(folder)).max() > 1e-2, "something was cut"


def test_a_query_behind_the_document_is_never_cut(language_models: dict[str, Path]) -> None:
    """sentence-transformers cuts the end, which is the query here: that would not be a score of the pair."""
    reranker = open_reranker(f"{language_models['document first']}?max_length=400")
    assert isinstance(reranker, CausalLMReranker)
    prompts = reranker.prompts(QUERIES, DOCUMENTS, PAIRS)
    assert int(prompts.lengths.max()) == 400
    for row, (query, _) in enumerate(PAIRS):
        text = reranker.next_word.tokenizer.decode(prompts.ids(row).tolist())
        assert text.endswith(f"<Query> {QUERIES[query]} ??")


@pytest.mark.parametrize("words", [("yes", "no"), ("the", "web"), ("user",)])
def test_the_declared_tokens_are_compared(root: Path, words: tuple[str, ...]) -> None:
    """zerank-2 and bge-gemma rank by one token alone."""
    folder = shapes.logit_score(root / "-".join(words), CHAT_TEMPLATES["query first"], words)
    np.testing.assert_allclose(ours(open_reranker(str(folder))), theirs(folder), atol=1e-4)


def test_options_of_the_chat_template_are_applied(root: Path) -> None:
    options = {"chat_template": {"add_generation_prompt": True}}
    folder = shapes.logit_score(root / "prompted", CHAT_TEMPLATES["any role"], processing=options)
    without = shapes.logit_score(root / "unprompted", CHAT_TEMPLATES["any role"])
    np.testing.assert_allclose(ours(open_reranker(str(folder))), theirs(folder), atol=1e-4)
    assert np.abs(theirs(folder) - theirs(without)).max() > 1e-2


def test_unusual_settings_of_the_tokenizer_are_applied(root: Path) -> None:
    folder = shapes.logit_score(
        root / "unusual", CHAT_TEMPLATES["query first"], processing={"text": {"max_length": 200}}
    )
    np.testing.assert_allclose(ours(open_reranker(str(folder))), theirs(folder), atol=1e-4)


def test_words_that_contradict_the_declared_tokens_are_refused_with_both(language_models: dict[str, Path]) -> None:
    folder = language_models["query first"]
    same = open_reranker(f"{folder}?positive=1&negative=0")
    np.testing.assert_allclose(ours(same), theirs(folder), atol=1e-4)
    with pytest.raises(ModelError, match=r"1_LogitScore.*compares '1' and '0'.*'yes' and 'no'.*leave positive"):
        ours(open_reranker(f"{folder}?positive=yes&negative=no"))


def test_a_template_of_ours_with_other_words_contradicts_the_folder(language_models: dict[str, Path]) -> None:
    with pytest.raises(ModelError, match=r"compares '1' and '0'.*'yes' and 'no'"):
        ours(open_reranker(f"{language_models['query first']}?template=qwen3"))


def test_the_collection_replaces_the_default_prompt_and_nothing_else(language_models: dict[str, Path]) -> None:
    folder = language_models["with a system prompt"]
    reranker = open_reranker(str(folder))
    assert isinstance(reranker, CausalLMReranker)
    bound = reranker.bind(Setting([], "", instruction="Find claims"))
    np.testing.assert_allclose(ours(bound), theirs(folder, prompt="Find claims"), atol=1e-4)
    assert identity_of(bound) != identity_of(reranker)
    plain = open_reranker(str(language_models["query first"]))
    assert isinstance(plain, CausalLMReranker)
    assert plain.bind(Setting([], "", instruction="Find claims")) is plain


def test_an_instruction_without_a_place_is_refused(language_models: dict[str, Path]) -> None:
    with pytest.raises(ModelError, match="no place for an instruction"):
        ours(open_reranker(f"{language_models['query first']}?instruction=x"))


def test_a_folder_without_its_prompt_is_refused(root: Path, language_models: dict[str, Path]) -> None:
    folder = shapes.copied(language_models["with a system prompt"], root / "promptless")
    shapes.edit(folder / "config_sentence_transformers.json", prompts={})
    with pytest.raises(ModelError, match="default_prompt_name is 'query', and prompts has no such prompt"):
        open_reranker(str(folder))


def test_a_qwen3_reranker_in_todays_layout_is_the_one_of_its_model_card(tmp_path: Path) -> None:
    folder = tiny.causal_lm(tmp_path / "qwen3")
    expected = theirs(folder)
    np.testing.assert_allclose(ours(open_reranker(str(folder))), expected, atol=1e-4)
    np.testing.assert_allclose(ours(open_reranker(f"{folder}?template=qwen3&max_length=2048")), expected, atol=1e-4)


def test_a_fine_tune_that_lost_its_modules_is_known_by_its_chat_template(tmp_path: Path) -> None:
    """transformers saves weights, configuration and tokenizer, and nothing of sentence-transformers."""
    folder = tiny.causal_lm(tmp_path / "qwen3")
    expected = theirs(folder)
    for name in ("modules.json", "config_sentence_transformers.json", "sentence_bert_config.json"):
        (folder / name).unlink()
    np.testing.assert_allclose(ours(open_reranker(str(folder))), expected, atol=1e-4)


def test_a_download_from_before_is_known_by_its_card(tmp_path: Path) -> None:
    folder = tiny.plain_causal_lm(tmp_path / "qwen3")
    with pytest.raises(ModelError, match=r"do not say how it is asked.*\?template=qwen3"):
        open_reranker(str(folder))
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n# base_model: x\n---\n# Qwen3-Reranker-0.6B\n")
    known, named = open_reranker(str(folder)), open_reranker(f"{folder}?template=qwen3")
    np.testing.assert_array_equal(ours(known), ours(named))
    assert identity_of(known) == identity_of(named)


@pytest.mark.parametrize("text", ["", CHAT_TEMPLATES["any role"], CHAT_TEMPLATES["query first"]])
def test_a_language_model_that_does_not_say_its_words_is_refused(tmp_path: Path, text: str) -> None:
    """sentence-transformers would compare 'yes' with 'no', whatever the model was trained with."""
    folder = tiny.plain_causal_lm(tmp_path / "chat")
    if text:
        (folder / "chat_template.jinja").write_text(text)
    with pytest.raises(ModelError, match=r"do not say how it is asked.*bge-gemma.*docs/templates\.md"):
        open_reranker(str(folder))


def test_the_words_are_enough_where_the_chat_template_carries_a_pair(tmp_path: Path) -> None:
    folder = tiny.plain_causal_lm(tmp_path / "chat")
    (folder / "chat_template.jinja").write_text(CHAT_TEMPLATES["any role"])
    expected = theirs(folder)  # its defaults are 'yes' and 'no'
    np.testing.assert_allclose(ours(open_reranker(f"{folder}?positive=yes&negative=no")), expected, atol=1e-4)


def test_a_chat_template_that_leaves_a_text_out_is_refused(tmp_path: Path) -> None:
    folder = tiny.plain_causal_lm(tmp_path / "chat")
    only_users = "{%- for m in messages if m['role'] == 'user' -%}{{ m['content'] }}{%- endfor -%}"
    (folder / "chat_template.jinja").write_text(only_users)
    with pytest.raises(ModelError, match=r"leaves the query or the document out.*\?template="):
        ours(open_reranker(f"{folder}?positive=yes&negative=no"))


@pytest.mark.parametrize("template", [name for name in CHAT_TEMPLATES if name != "with a system prompt"])
@pytest.mark.parametrize("labels", [1, 2])
def test_a_language_model_turned_classifier_is_asked_by_its_chat_template(
    tmp_path: Path, template: str, labels: int
) -> None:
    """Qwen3-Reranker converted to ...ForSequenceClassification, as servers want it."""
    folder = shapes.sequence_classifier(tmp_path / "cls", labels=labels, template=CHAT_TEMPLATES[template])
    expected = theirs(folder)
    reranker = open_reranker(str(folder))
    assert isinstance(reranker, CrossEncoder)
    scores = ours(reranker)
    np.testing.assert_allclose(scores, expected if labels == 1 else expected[:, 1] - expected[:, 0], atol=1e-4)


def test_a_conversion_without_a_chat_template_is_refused_until_it_is_named(tmp_path: Path) -> None:
    folder = shapes.sequence_classifier(tmp_path / "cls")
    with pytest.raises(ModelError, match=r"puts nothing between a query and a document.*\?template=qwen3"):
        open_reranker(str(folder))
    original = ours(open_reranker(str(tmp_path / "cls-source")))
    converted = ours(open_reranker(f"{folder}?template=qwen3"))
    np.testing.assert_allclose(converted, original, atol=1e-4)
    assert shapes.turned(converted, original) == 0


def test_a_conversion_takes_the_instruction_of_a_collection(tmp_path: Path) -> None:
    folder = shapes.sequence_classifier(tmp_path / "cls")
    bound = CrossEncoder(str(folder), template="qwen3").bind(Setting([], "", instruction="Find claims"))
    expected = ours(open_reranker(f"{tmp_path / 'cls-source'}?instruction=Find claims"))
    np.testing.assert_allclose(ours(bound), expected, atol=1e-4)


def test_a_conversion_that_is_known_by_its_card_needs_no_template(tmp_path: Path) -> None:
    folder = shapes.sequence_classifier(tmp_path / "cls")
    (folder / "README.md").write_text("# Qwen3-Reranker-0.6B-seq-cls\n")
    named = ours(open_reranker(f"{folder}?template=qwen3"))
    np.testing.assert_array_equal(ours(open_reranker(str(folder))), named)


def test_padding_and_batches_change_no_score(tmp_path: Path) -> None:
    for name, folder in (
        ("lm", tiny.causal_lm(tmp_path / "lm")),
        ("cls", shapes.sequence_classifier(tmp_path / "cls", template=CHAT_TEMPLATES["query first"])),
    ):
        together = ours(open_reranker(f"{folder}?batch_tokens=100000"))
        alone = ours(open_reranker(f"{folder}?batch_tokens=1"))
        np.testing.assert_allclose(together, alone, atol=1e-4, err_msg=name)


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_classifier_pads_on_the_side_of_its_tokenizer(tmp_path: Path, side: str) -> None:
    folder = shapes.sequence_classifier(tmp_path / "cls", template=CHAT_TEMPLATES["query first"])
    shapes.edit(folder / "tokenizer_config.json", padding_side=side)
    np.testing.assert_allclose(ours(open_reranker(f"{folder}?batch_tokens=100000")), theirs(folder), atol=1e-4)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("body = 1", "body: 1 is not a text or a list of texts"),
        ("body = '{query}{document}'", "nothing separates"),
        ("body = '{query} \\n {document}'\nsuffx = 'x'", "suffx: unknown key.*suffix"),
        ("body = '{query}: {query}: {document}'", r"\{query\} must occur exactly once, not 2"),
        ("body = 'a {query}'", r"\{document\} must occur exactly once, not 0"),
        ("body = '{query} a {document}'\nmax_length = 'x'", "max_length: 'x' is not a whole number"),
        ("body = '{query} a {document}'\nnegative = 'no'", "negative: is given without 'positive'"),
        ("body = '{query} a {document}'\npositive = 3", "positive: 3 is not a text"),
        (
            "body = '{query} a {document}'\nrecognised = {name = 'x'}",
            "recognised.name: unknown key. Did you mean names?",
        ),
        ("body = '{task} {query} a {document}'", r"\{task\} is not a field and would reach the model"),
        ("body = '{{query}} {query} a {document}'", r"\{\{query\}\} is not a field"),
        ("body = '{query} a {document}'\nsuffix = '{ Query }'", r"\{ Query \} is not a field"),
        ("body = ", "not TOML"),
    ],
)
def test_a_template_that_cannot_be_used_names_the_key(tmp_path: Path, text: str, answer: str) -> None:
    folder, file = tiny.plain_causal_lm(tmp_path / "lm"), tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(UsageError, match=rf"mine\.toml: .*{answer}"):
        open_reranker(f"{folder}?template={file}")


def test_a_template_without_words_asks_for_them(tmp_path: Path) -> None:
    folder, file = tiny.plain_causal_lm(tmp_path / "lm"), tmp_path / "mine.toml"
    file.write_text("body = 'Q {query} D {document}'")
    with pytest.raises(ModelError, match=r"names the words.*&positive=yes&negative=no"):
        open_reranker(f"{folder}?template={file}")
    assert len(ours(open_reranker(f"{folder}?template={file}&positive=yes&negative=no"))) == len(PAIRS)


@pytest.mark.parametrize("damage", ['{"true_token_id": "yes"}', "{}", '{"true_token_id": 1, "false_token_id": "x"}'])
def test_a_damaged_logit_score_is_named(tmp_path: Path, damage: str) -> None:
    folder = tiny.causal_lm(tmp_path / "lm")
    (folder / "1_LogitScore" / "config.json").write_text(damage)
    with pytest.raises(ModelError, match=r"1_LogitScore/config\.json: true_token_id must be the number of a token"):
        open_reranker(str(folder))


def test_a_token_that_is_not_there_is_named(tmp_path: Path) -> None:
    folder = tiny.causal_lm(tmp_path / "lm")
    (folder / "1_LogitScore" / "config.json").write_text(json.dumps({"true_token_id": 10**6, "false_token_id": 1}))
    with pytest.raises(ModelError, match="has no token 1000000"):
        ours(open_reranker(str(folder)))


def test_zerank_is_known_by_its_file_and_asked_with_the_query_as_system_message(tmp_path: Path) -> None:
    """The reference is the authors' loop: both texts stripped, the logit of one word at the last place."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = tiny.plain_causal_lm(tmp_path / "zerank", seed=7)
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder).eval()
    yes = tokenizer("yes", add_special_tokens=False)["input_ids"]
    expected = []
    for query, document in shapes.texts():
        text = f"<|im_start|>system\n{query.strip()}<|im_end|>\n<|im_start|>user\n{document.strip()}<|im_end|>\n"
        inputs = tokenizer(f"{text}<|im_start|>assistant\n", add_special_tokens=False, return_tensors="pt")
        with torch.no_grad():
            expected.append(float(model(**inputs).logits[0, -1, yes[0]]))
    with pytest.raises(ModelError, match="do not say how it is asked"):
        open_reranker(str(folder))
    (folder / "modeling_zeranker.py").write_text("raise SystemExit('this code is never run')\n")
    with pytest.raises(ModelError, match="no single token for 'Yes'"):
        ours(open_reranker(str(folder)))
    np.testing.assert_allclose(ours(open_reranker(f"{folder}?positive=yes")), expected, atol=1e-4)


@pytest.mark.parametrize("name", ["rankllama", "nemotron"])
def test_a_decoder_with_a_score_head_is_asked_in_the_words_of_its_authors(tmp_path: Path, name: str) -> None:
    """The reference is transformers, one text at a time: the head reads the last token."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    folder = shapes.sequence_classifier(tmp_path / name)
    start = {"rankllama": "<s>", "nemotron": "<|begin_of_text|>"}[name]
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_special_tokens({"bos_token": start})
    tokenizer.save_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    model.resize_token_embeddings(len(tokenizer))
    model.save_pretrained(folder)
    model.eval()
    text = {"rankllama": "{}query:  {} document:  {}", "nemotron": "{}question:{} \n \n passage:{}"}[name]
    expected = []
    for pair in shapes.texts():
        inputs = tokenizer(text.format(start, *pair), add_special_tokens=False, return_tensors="pt")
        with torch.no_grad():
            expected.append(float(model(**inputs).logits[0, 0]))
    with pytest.raises(ModelError, match="puts nothing between a query and a document"):
        open_reranker(str(folder))
    scores = ours(open_reranker(f"{folder}?template={name}&max_length=2000"))
    np.testing.assert_allclose(scores, expected, atol=1e-4)
