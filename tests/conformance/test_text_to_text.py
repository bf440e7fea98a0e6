"""monoT5, mT5 and RankT5 get the scores of transformers and of mteb's wrapper, and no word of theirs is guessed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters.errors import ModelError
from adapters.seq2seq import Seq2SeqReranker
from adapters.spec import identity_of, open_reranker
from tests.conformance import shapes
from tests.conformance.shapes import PAIRS, ours, texts

transformers = pytest.importorskip("transformers", reason="the reference needs the extra 'models'")
torch = pytest.importorskip("torch", reason="the reference needs the extra 'models'")

MONO = "Query: {} Document: {} Relevant:"
WORDS = {
    "monot5": (MONO, "▁true", "▁false"),
    "mt5": (MONO, "▁yes", "▁no"),
    "mt5-3b": (MONO, "▁true", "▁"),
    "ptt5": (MONO, "▁sim", "▁não"),
    "monoptt5": (MONO, "▁Sim", "▁Não"),
    "rankt5": ("Query: {} Document: {}", "<extra_id_10>", None),
    "flan-t5": ("Is the following passage relevant to the query?\nQuery: {}\nPassage: {}", "▁yes", "▁no"),
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def t5(root: Path) -> Path:
    return shapes.text_to_text(root / "t5")


def by_hand(folder: Path, prompt: str, positive: str, negative: str | None, **tokens: Any) -> np.ndarray:
    """One pair at a time, as pygaggle does: one step of the decoder."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    network = transformers.AutoModelForSeq2SeqLM.from_pretrained(folder).eval()
    vocabulary = tokenizer.get_vocab()
    start = torch.tensor([[network.config.decoder_start_token_id]])
    found = []
    for pair in texts():
        inputs = tokenizer(prompt.format(*pair), return_tensors="pt", **tokens)
        with torch.no_grad():
            logits = network(**inputs, decoder_input_ids=start).logits[0, -1]
        found.append(float(logits[vocabulary[positive]] - (0 if negative is None else logits[vocabulary[negative]])))
    return np.array(found, np.float32)


@pytest.mark.parametrize(("model_type", "tied"), [("t5", False), ("mt5", False), ("umt5", True)])
def test_its_relatives_are_read_as_by_hand(root: Path, model_type: str, tied: bool) -> None:
    folder = shapes.text_to_text(root / f"{model_type}-{tied}", model_type, tied=tied)
    scores = ours(open_reranker(f"{folder}?template=mt5&max_length=4000"))
    np.testing.assert_allclose(scores, by_hand(folder, *WORDS["mt5"]), atol=1e-4)


def test_a_batch_gives_the_scores_of_pairs_alone(t5: Path) -> None:
    alone = ours(open_reranker(f"{t5}?template=monot5&batch_tokens=1"))
    np.testing.assert_allclose(ours(open_reranker(f"{t5}?template=monot5&batch_tokens=100000")), alone, atol=1e-4)


def test_it_is_mtebs_score(t5: Path) -> None:
    """mteb gives the logarithm's exponential of the softmax over the two words: the sigmoid of ours."""
    module = pytest.importorskip(
        "mteb.models.model_implementations.rerankers_monot5_based", reason="mteb is not installed"
    )
    from datasets import Dataset
    from torch.utils.data import DataLoader

    theirs = module.MonoT5Reranker(str(t5), token_false="▁false", token_true="▁true", device="cpu", fp_options=None)
    short = [row for row, pair in enumerate(texts()) if len(" ".join(pair)) < 100 and "\n" not in "".join(pair)]
    asked = [texts()[row] for row in short]
    data = [Dataset.from_dict({"query": [q for q, _ in asked]}), Dataset.from_dict({"text": [d for _, d in asked]})]
    loaders = [DataLoader(one, batch_size=len(asked)) for one in data]
    expected = np.array(theirs.predict(*loaders, task_metadata=None, hf_split="test", hf_subset="default"))
    scores = ours(open_reranker(f"{t5}?template=monot5"))[short]
    np.testing.assert_allclose(1 / (1 + np.exp(-scores)), expected, atol=1e-4)


def test_only_the_document_is_cut_and_the_prompt_keeps_its_end(t5: Path) -> None:
    """pygaggle cuts the end, and with it the word `Relevant:`: that would be another question."""
    reranker = open_reranker(f"{t5}?template=monot5&max_length=420")
    assert isinstance(reranker, Seq2SeqReranker)
    prompts = reranker.prompts(shapes.QUERIES, shapes.DOCUMENTS, PAIRS)
    assert int(prompts.lengths.max()) == 420
    end = ["▁Relevant:", "</s>"]
    for row in range(len(PAIRS)):
        assert end == reranker.next_word.tokenizer.convert_ids_to_tokens(prompts.ids(row)[-2:].tolist())


def test_512_tokens_are_usual_and_more_can_be_asked_for(t5: Path) -> None:
    """`n_positions` of T5 is the length of its training: the positions are relative."""
    assert [open_reranker(f"{t5}?template=monot5{more}").max_length for more in ("", "&max_length=2048")] == [512, 2048]  # type: ignore[attr-defined]


def test_a_folder_that_does_not_say_how_it_is_asked_is_refused(t5: Path) -> None:
    with pytest.raises(ModelError, match=r"do not say how it is asked .* \?template=.*monot5") as caught:
        open_reranker(str(t5))
    assert "\n" not in str(caught.value)
    with pytest.raises(ModelError, match=r"is a sequence-to-sequence model, .* name it 'seq2seq:"):
        open_reranker(f"cross-encoder:{t5}")


def test_words_and_template_are_in_the_identity(t5: Path) -> None:
    identities = [identity_of(open_reranker(f"{t5}?template={name}")) for name in WORDS]
    assert len({str(identity) for identity in identities}) == len(WORDS)


def test_a_word_that_the_model_does_not_know_is_refused(t5: Path) -> None:
    with pytest.raises(ModelError, match="no single token for 'maybe'"):
        ours(open_reranker(f"{t5}?template=monot5&positive=maybe"))
