"""Families of rerankers as files: a user would lose the line that names the key, or get a half-applied family."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from adapters import tiny
from adapters.errors import ModelError, UsageError
from adapters.reranker_family import families, family_of_class, family_of_classifier, family_of_code, load_family
from adapters.spec import identity_of, open_ranker, open_reranker, remarks_of
from tests.conformance import shapes
from tests.conformance.foreign_code import folder_of

BODY = 'body = "{query} or {document}"\n'
MISTAKES = {
    'boddy = "x"': r"boddy: unknown key\. Did you mean body\?",
    f"{BODY}special = 3": "special: 3 is not a text or a list of texts",
    f"{BODY}max_length = 0": "max_length: 0 is not allowed; a whole number of 1 or more is needed",
    f'{BODY}suffix = "{{task}}"': r"suffix: \{task\} is not a field and would reach the model unchanged",
    'prefix = "x"': "prefix: is given without 'body'",
    'positive = "yes"': "positive: is given without 'body'",
    f'{BODY}[code]\ncall = "pairs"': r"code\.call: 'pairs' is not allowed\. Did you mean pair",
    f"{BODY}[code]\ncompresses = true": r"code\.call: is missing",
    f"{BODY}[head]\nlabels = 2\nunnamed = 2": r"head: unnamed: 2 is no output of 2; a number from 0 to 1 is needed",
    f"{BODY}[head]\nunnamed = 0": r"head\.labels: is missing",
    f'{BODY}[recognised]\narchitecture = "A"': r"recognised\.architecture: unknown key\. Did you mean architectures\?",
    f'{BODY}[recognised]\nnames = "("': r"recognised: names: '\(' is no regular expression",
    f'{BODY}[recognised]\ntitle = ""': r"recognised\.title: '' is not allowed; a text that is not empty is needed",
    'body = "{query} or"': r"body: \{document\} must occur exactly once, not 0 times",
    "body = [": r"not TOML",
}


def written(folder: Path, text: str) -> Path:
    file = folder / "mine.toml"
    file.write_text(text, "utf-8")
    return file


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_in_a_file_is_one_line_with_its_key(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match=rf"mine\.toml: {MISTAKES[text]}") as error:
        load_family(str(written(tmp_path, text)))
    assert "\n" not in str(error.value)


def test_an_unknown_family_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"no family 'monot6', and no file of that name\. Did you mean monot5"):
        load_family("monot6")


def test_a_family_is_found_by_class_and_labels() -> None:
    assert family_of_class("BertForSequenceClassification") == "minilm"
    assert family_of_class("LlamaForSequenceClassification") is None
    assert family_of_classifier("BertForSequenceClassification", 1) == "minilm"
    assert family_of_classifier("BertForSequenceClassification", 2) == "two-labels"
    assert family_of_classifier("FunnelForSequenceClassification", 1) == "encoder"
    assert family_of_classifier("BertForSequenceClassification", 7) is None
    assert family_of_code({"AutoModel", "JinaForRanking"}) == "jina-v3"
    assert family_of_code({"BertForSequenceClassification"}) is None


def test_no_two_families_show_the_same_sign() -> None:
    found = [
        sign
        for one in families().values()
        for sign in (*one.recognised.architectures, one.recognised.title, one.recognised.file)
        if sign is not None
    ]
    assert len(found) == len(set(found))


def test_a_family_without_a_prompt_is_no_template(tmp_path: Path) -> None:
    folder = tiny.plain_causal_lm(tmp_path / "lm")
    with pytest.raises(UsageError, match="no template 'minilm'"):
        open_reranker(f"{folder}?template=minilm")
    file = written(tmp_path, "[head]\nlabels = 1\n")
    with pytest.raises(UsageError, match=r"mine\.toml: body: is missing"):
        open_reranker(f"{folder}?template={file}")


def test_a_packaged_prompt_that_contradicts_the_folder_is_refused_and_a_file_is_not(tmp_path: Path) -> None:
    folder = tiny.plain_causal_lm(tmp_path / "lm")
    (folder / "README.md").write_text("# Qwen3-Reranker-0.6B\n")
    with pytest.raises(ModelError, match=r"template=mxbai-v2 was asked for, and the files of the folder show qwen3"):
        open_reranker(f"{folder}?template=mxbai-v2")
    file = written(tmp_path, f'{BODY}positive = "yes"\nnegative = "no"\n')
    open_reranker(f"{folder}?template={file}")
    plain, vllm = (identity_of(open_reranker(f"{folder}?template={name}")) for name in ("qwen3", "qwen3-vllm"))
    assert plain["template"] != vllm["template"]


def test_an_encoder_is_not_asked_with_the_prompt_of_another_model(tmp_path: Path) -> None:
    folder = tiny.cross_encoder(tmp_path / "m", architecture="xlm-roberta")
    with pytest.raises(ModelError, match=r"reads a pair as its tokenizer joins it, like the family bge"):
        open_reranker(f"{folder}?template=rankllama")
    open_reranker(f"{folder}?template={written(tmp_path, BODY)}")


def test_a_token_that_the_tokenizer_lacks_is_named(tmp_path: Path) -> None:
    folder = tiny.plain_causal_lm(tmp_path / "lm")
    reranker = open_reranker(f"{folder}?template=bge-gemma&positive=yes")
    with pytest.raises(ModelError, match=r"its prompt needs the token '<bos>', and its tokenizer has no such token"):
        reranker.score(["q"], ["d"], np.array([[0, 0]]))


def test_the_head_of_ones_own_family_names_the_label(tmp_path: Path) -> None:
    folder = shapes.sequence_classifier(tmp_path / "cls", labels=2)
    bare = "prefix = '<|im_start|>'\nbody = '{query} or {document}'\n"
    assumed = open_reranker(f"{folder}?template={written(tmp_path, bare)}")
    (remark,) = remarks_of(assumed)
    assert "the second is taken as relevant" in remark
    named = open_reranker(
        f"{folder}?template={written(tmp_path, f'{bare}[head]{chr(10)}labels = 2{chr(10)}unnamed = 0')}"
    )
    assert remarks_of(named) == ()
    assert (identity_of(assumed)["label"], identity_of(named)["label"]) == (1, 0)


def test_the_labels_of_ones_own_family_are_found_by_name(tmp_path: Path) -> None:
    folder = shapes.sequence_classifier(tmp_path / "cls", labels=2)
    shapes.edit(folder / "config.json", id2label={"0": "on topic", "1": "off topic"})
    with pytest.raises(ModelError, match="has 2 labels"):
        open_reranker(f"{folder}?template=qwen3")
    head = '[head]\nlabels = 2\nrelevant = "On-Topic"\nirrelevant = "off topic"\n'
    named = open_reranker(f"{folder}?template={written(tmp_path, BODY + head)}")
    assert identity_of(named)["label"] == 0


def test_the_call_of_ones_own_family_is_used_for_code(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "own", "text")
    with pytest.raises(ModelError, match="is of no known family"):
        open_ranker(f"{folder}?code=own&template={written(tmp_path, BODY)}")
    file = written(tmp_path, f'{BODY}[code]\ncall = "text"\nattention = "eager"\n')
    identity = identity_of(open_ranker(f"{folder}?code=own&template={file}"))
    assert (identity["call"], identity["attention"]) == ("text", "eager")
