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


def test_a_list_of_added_tokens_next_to_tokenizer_json_is_read_as_transformers_does(tmp_path: Path) -> None:
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


def phobert(folder: Path, *merges: str) -> Path:
    """A tokenizer that Python alone reads, from vocab.txt and bpe.codes."""
    pico.write(folder, pico.tensors(1), model_type="roberta", architectures=["RobertaModel"])
    words = ["t@@", "h@@", "e@@", "t", "h", "e", "th@@", "the"]
    (folder / "vocab.txt").write_text("".join(f"{word} 1\n" for word in words), "utf-8")
    (folder / "bpe.codes").write_text("".join(f"{merge} 1\n" for merge in merges), "utf-8")
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "PhobertTokenizer"})
    return folder


def test_all_files_of_a_tokenizer_are_copied_whatever_they_are_called(tmp_path: Path) -> None:
    one, other = (phobert(tmp_path / name, "t h", "th e</w>") for name in "ab")
    for folder in (one, other):
        for name in ("extra.spm", "qwen.tiktoken", "tokenizer.model.v3", "emoji.json"):
            (folder / name).write_bytes(b"{}")
        (folder / "additional_chat_templates").mkdir()
        (folder / "additional_chat_templates" / "tools.jinja").write_text("{{ messages }}", "utf-8")
    made = merged(tmp_path / "out", one, other).path
    for file in (file for file in one.rglob("*") if file.is_file() and file.suffix != ".safetensors"):
        assert (made / file.relative_to(one)).read_bytes() == file.read_bytes()


def test_a_tokenizer_of_two_files_is_loaded_from_the_merge(tmp_path: Path) -> None:
    one, other = (phobert(tmp_path / name, "t h", "th e</w>") for name in "ab")
    made = merged(tmp_path / "out", one, other).path
    read = [AutoTokenizer.from_pretrained(folder)("the th e")["input_ids"] for folder in (made, one)]
    assert read[0] == read[1] and len(read[0]) > 3


@pytest.mark.parametrize("file", ["bpe.codes", "emoji.json"])
def test_a_file_that_only_code_of_python_reads_is_compared_by_its_bytes(file: str, tmp_path: Path) -> None:
    """Also where no common text shows the difference."""
    one, other = phobert(tmp_path / "a", "t h", "th e</w>"), phobert(tmp_path / "b", "t h", "th e</w>")
    (one / "emoji.json").write_text("{}", "utf-8")
    (other / "emoji.json").write_text("{}", "utf-8")
    (other / file).write_text((one / file).read_text("utf-8") + "\n", "utf-8")
    with pytest.raises(ModelError, match=rf"tokenizers \({file}\) of .* their bytes differ"):
        merged(tmp_path / "out", one, other)


def test_other_merges_in_a_file_of_their_own_are_refused(tmp_path: Path) -> None:
    one, other = phobert(tmp_path / "a", "t h", "th e</w>"), phobert(tmp_path / "b", "h e")
    with pytest.raises(ModelError, match=r"tokenizers \(bpe.codes\) of .* becomes the tokens"):
        merged(tmp_path / "out", one, other)


def test_a_tokenizer_that_lacks_a_file_of_the_other_is_refused(tmp_path: Path) -> None:
    one, other = phobert(tmp_path / "a", "t h"), phobert(tmp_path / "b", "t h")
    (other / "bpe.codes").unlink()
    with pytest.raises(ModelError, match=r"tokenizers \(bpe.codes\) of .* transformers cannot read them"):
        merged(tmp_path / "out", one, other)


def test_files_that_tokenizer_json_replaces_do_not_have_to_be_in_both(tmp_path: Path) -> None:
    for seed, name in enumerate("ab"):
        model(tmp_path / name, seed=seed)
    (tmp_path / "b" / "merges.txt").write_text("#version: 0.2\n", "utf-8")
    assert notes(merged(tmp_path / "out", tmp_path / "a", tmp_path / "b")) == ""


def test_two_tokenizers_that_differ_are_refused_though_the_base_has_none(tmp_path: Path) -> None:
    base = pico.write(tmp_path / "base", pico.tensors(1), model_type="roberta", architectures=["RobertaModel"])
    one, other = phobert(tmp_path / "a", "t h", "th e</w>"), phobert(tmp_path / "b", "h e")
    for folders in ((base, one, other), (one, base, other), (one, other, base)):
        with pytest.raises(ModelError, match=r"the tokenizers \(bpe.codes\) of"):
            merged(tmp_path / "out", *folders)


def test_a_merge_that_only_one_list_has_and_no_common_text_shows_is_found(tmp_path: Path) -> None:
    signs = ["<|endoftext|>", *pre_tokenizers.ByteLevel.alphabet(), "qx", "xq"]
    for name, merges in (("a", ["q x", "x q"]), ("b", ["x q", "q x"]), ("c", ["q x"])):
        folder = pico.write(tmp_path / name, pico.tensors(1), model_type="gpt2", architectures=["GPT2Model"])
        write_json(folder / "vocab.json", {sign: place for place, sign in enumerate(sorted(signs))})
        (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges, ""]), "utf-8")
        write_json(folder / "tokenizer_config.json", {"tokenizer_class": "GPT2Tokenizer"})
    one, other, third = (Tokenizer(name, tmp_path / name) for name in "abc")
    assert unlike(one, other) is None
    apart = unlike(one, third)
    assert apart is not None and apart.part == "merges.txt" and '"xq" becomes the tokens' in apart.what


@pytest.mark.parametrize("change", ["{{ other }}", None])
def test_other_templates_by_name_are_a_note(change: str | None, tmp_path: Path) -> None:
    for seed, name in enumerate("ab"):
        folder = model(tmp_path / name, seed=seed) / "additional_chat_templates"
        folder.mkdir()
        (folder / "tools.jinja").write_text("{{ messages }}" if name == "a" or change is None else change, "utf-8")
    said = notes(merged(tmp_path / "out", tmp_path / "a", tmp_path / "b"))
    assert ("the chat templates of" in said) == (change is not None)


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
    assert "read without transformers" in said and "transformers reads both in the same way" in said


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
