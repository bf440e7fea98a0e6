"""Tokenizers are read as transformers reads them, whichever files a folder has."""

from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer as Rust
from tokenizers import models, pre_tokenizers
from transformers import AutoTokenizer

from adapters.errors import MissingExtra, ModelError
from tests.training.merging import pico
from tests.training.merging.families import edit, read_json, write_json
from tests.training.merging.test_spellings import merged, notes
from tests.training.merging.test_tokenization import model
from training.merging import tokenizer
from training.merging.tokenization import unlike
from training.merging.tokenizer import Tokenizer


@pytest.mark.parametrize("lacking", ["a", "b"])
def test_a_folder_without_a_tokenizer_is_no_reason_to_refuse(lacking: str, tmp_path: Path) -> None:
    for seed, name in enumerate("ab"):
        model(tmp_path / name, seed=seed)
    for file in (tmp_path / lacking).glob("tokenizer*"):
        file.unlink()
    said = notes(merged(tmp_path / "out", tmp_path / "a", tmp_path / "b"))
    assert f"{tmp_path / lacking} has no tokenizer files" in said
    assert (tmp_path / "out" / "tokenizer.json").exists() == (lacking == "b")


def test_a_vocabulary_file_is_read_by_transformers(tmp_path: Path) -> None:
    """vocab.txt in one folder, tokenizer.json in the other: BERT as it was published, and as it is saved today."""
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "bread", "yeast", "##s", "other"]
    for name, words in (("a", vocabulary), ("b", vocabulary), ("c", [*vocabulary[:-1], "another"])):
        pico.write(tmp_path / name, pico.tensors(1), model_type="bert", architectures=["BertModel"])
        (tmp_path / name / "vocab.txt").write_text("\n".join(words), "utf-8")
        write_json(tmp_path / name / "tokenizer_config.json", {"tokenizer_class": "BertTokenizer"})
    AutoTokenizer.from_pretrained(tmp_path / "b").save_pretrained(tmp_path / "b")
    (tmp_path / "b" / "vocab.txt").unlink()
    one, other, third = (Tokenizer(name, tmp_path / name) for name in "abc")
    assert unlike(one, other) is None
    apart = unlike(one, third)
    assert apart is not None and apart.part == "vocab.txt" and '"other" is 8 in a and none in c' in apart.what


def test_a_list_of_added_tokens_beside_tokenizer_json_is_read_as_transformers_does(tmp_path: Path) -> None:
    for seed, name in enumerate("abc"):
        model(tmp_path / name, "modernbert", seed)
    known = read_json(tmp_path / "b" / "tokenizer.json")["added_tokens"]
    write_json(tmp_path / "b" / "added_tokens.json", {one["content"]: one["id"] for one in known})
    assert notes(merged(tmp_path / "out", tmp_path / "a", tmp_path / "b")) == ""


def test_one_template_by_name_is_that_template(tmp_path: Path) -> None:
    text = "{{ messages[0].content }}"
    for name, template in (("a", text), ("b", [{"name": "default", "template": text}])):
        edit(model(tmp_path / name) / "tokenizer_config.json", chat_template=template)
    assert notes(merged(tmp_path / "out", tmp_path / "a", tmp_path / "b")) == ""


def test_a_sentencepiece_file_and_what_is_made_of_it_are_the_same(tmp_path: Path) -> None:
    """bge and e5 lie on the hub with sentencepiece.bpe.model; what transformers saves of them has tokenizer.json."""
    sentencepiece = pytest.importorskip("sentencepiece")
    (tmp_path / "text").write_text("yes no what is bread and why does it rise in the dough\n" * 20, "utf-8")
    for name in "ab":
        folder = pico.write(
            tmp_path / name, pico.tensors(1), model_type="xlm-roberta", architectures=["XLMRobertaModel"]
        )
        trained = str(folder / "sentencepiece.bpe")
        sentencepiece.SentencePieceTrainer.train(input=str(tmp_path / "text"), model_prefix=trained, vocab_size=24)
        write_json(folder / "tokenizer_config.json", {"tokenizer_class": "XLMRobertaTokenizer"})
    AutoTokenizer.from_pretrained(tmp_path / "b").save_pretrained(tmp_path / "b")
    (tmp_path / "b" / "sentencepiece.bpe.model").unlink()
    assert unlike(*(Tokenizer(name, tmp_path / name) for name in "ab")) is None


def test_what_cannot_be_read_is_refused_with_the_reason(tmp_path: Path) -> None:
    for name in "ab":
        pico.write(tmp_path / name, pico.tensors(1), model_type="new")
        (tmp_path / name / "tokenizer.model").write_bytes(name.encode())
    with pytest.raises(ModelError, match=r"tokenizers \(tokenizer.model\) of .* transformers cannot read them"):
        merged(tmp_path / "out", tmp_path / "a", tmp_path / "b")


def test_what_only_a_reader_without_transformers_sees_is_a_note(tmp_path: Path) -> None:
    """Its class XLMRobertaTokenizer takes the vocabulary of tokenizer.json, and brings its own way to cut words."""
    scored = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -1.0), ("▁a", -2.0), ("<mask>", 0.0)]
    for name, cut in (("a", pre_tokenizers.Metaspace()), ("b", pre_tokenizers.WhitespaceSplit())):
        pico.write(tmp_path / name, pico.tensors(1), model_type="xlm-roberta", architectures=["XLMRobertaModel"])
        backend = Rust(models.Unigram(scored, unk_id=3))
        backend.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
        backend.pre_tokenizer = cut
        backend.save(str(tmp_path / name / "tokenizer.json"))
        write_json(tmp_path / name / "tokenizer_config.json", {"tokenizer_class": "XLMRobertaTokenizer"})
    said = notes(merged(tmp_path / "out", tmp_path / "a", tmp_path / "b"))
    assert "read without transformers" in said and "transformers reads both alike" in said


def test_files_that_are_spelled_alike_need_no_library_and_others_ask_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed, name in enumerate("abc"):
        model(tmp_path / name, seed=seed)
    edit(tmp_path / "b" / "tokenizer.json", truncation=None)
    edit(tmp_path / "c" / "tokenizer_config.json", tokenizer_class="PreTrainedTokenizerFast")

    def without(module: str, extra: str, purpose: str) -> object:
        raise MissingExtra(f"{purpose} needs {module} ({extra})")

    monkeypatch.setattr(tokenizer, "need", without)
    assert merged(tmp_path / "out", tmp_path / "a", tmp_path / "b").new
    with pytest.raises(MissingExtra, match=r"spelled differently needs transformers \(models\)"):
        merged(tmp_path / "other", tmp_path / "a", tmp_path / "c")
