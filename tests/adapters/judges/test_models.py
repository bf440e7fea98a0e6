"""Judges that are models give what their authors' code gives. A user would lose that a published judge is the judge."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from adapters import tiny
from adapters.errors import ModelError, UsageError
from adapters.judges.streamed import ScoreJudge
from adapters.protocols import Judge, StreamingJudge
from adapters.spec import identity_of, open_judge, open_reranker
from tests.conformance import shapes

torch = pytest.importorskip("torch", reason="needs something optional that CI does not install")
transformers = pytest.importorskip("transformers", reason="needs something optional that CI does not install")

PREMISES = ["the cat sat on the mat " * 3, "a ship", "", "what is it, and who"]
CLAIMS = ["the cat sat", "a cat is a ship", "nothing", "who"]
PUBLISHED = {
    "cross-encoder/nli-deberta-v3-base": ["contradiction", "entailment", "neutral"],
    "MoritzLaurer/DeBERTa-v3-base-mnli": ["entailment", "neutral", "contradiction"],
    "MoritzLaurer/bge-m3-zeroshot-v2.0": ["entailment", "not_entailment"],
    "FacebookAI/roberta-large-mnli": ["CONTRADICTION", "NEUTRAL", "ENTAILMENT"],
    "of WiCE": ["supported", "partially_supported", "not_supported"],
    "of attribution": ["Attributable", "Extrapolatory", "Contradictory"],
}
WORTH = {"entailment": 1.0, "supported": 1.0, "attributable": 1.0, "partially_supported": 0.5}


def classifier(folder: Path, labels: list[str] | None, count: int = 3, architecture: str = "bert") -> Path:
    tiny.cross_encoder(folder, num_labels=count, architecture=architecture)  # type: ignore[arg-type]
    if labels is not None:
        config = json.loads((folder / "config.json").read_text("utf-8"))
        config["id2label"] = dict(enumerate(labels))
        config["label2id"] = {name: place for place, name in enumerate(labels)}
        (folder / "config.json").write_text(json.dumps(config), "utf-8")
    return folder


def by_hand(folder: Path) -> np.ndarray:
    """The probabilities of all labels, one pair at a time: the premise first, as the authors call it."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    network = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    with torch.inference_mode():
        logits = [
            network(**tokenizer(*pair, return_tensors="pt", truncation=True)).logits[0]
            for pair in zip(PREMISES, CLAIMS, strict=True)
        ]
    return np.stack([torch.softmax(one, dim=-1).numpy() for one in logits])


@pytest.mark.parametrize("architecture", ["bert", "xlm-roberta", "modernbert"])
@pytest.mark.parametrize("model", PUBLISHED)
def test_labels_are_read_by_their_names_in_any_order(tmp_path: Path, model: str, architecture: str) -> None:
    labels = PUBLISHED[model]
    folder = classifier(tmp_path / "m", labels, len(labels), architecture)
    worth = np.array([WORTH.get(name.lower(), 0.0) for name in labels])
    judge = open_judge(f"nli:{folder}")
    np.testing.assert_allclose(judge.judge(PREMISES, CLAIMS), by_hand(folder) @ worth, atol=1e-5)
    assert judge.grades is None
    graded = open_judge(f"nli:{folder}?answer=grade")
    assert graded.judge(PREMISES, CLAIMS).tolist() == worth[by_hand(folder).argmax(axis=1)].tolist()
    assert graded.grades == tuple(sorted(set(worth.tolist())))
    assert identity_of(graded) != identity_of(judge)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (None, "LABEL_0.*labels=contradiction,neutral,entailment"),
        (["entailment", "neutral", "sarcasm"], "'sarcasm' does not say whether a premise supports a claim"),
        (["entailment", "supported", "neutral"], "one of them has to mean support"),
        (["neutral", "contradiction", "not_entailment"], "one of them has to mean support"),
    ],
)
def test_labels_that_do_not_say_it_are_refused_in_one_line(tmp_path: Path, labels: list[str] | None, said: str) -> None:
    folder = classifier(tmp_path / "m", labels)
    with pytest.raises(ModelError, match=said) as refused:
        open_judge(f"nli:{folder}")
    assert "\n" not in str(refused.value)


def test_labels_without_names_are_named_by_the_user(tmp_path: Path) -> None:
    folder = classifier(tmp_path / "m", None)
    judge = open_judge(f"nli:{folder}?labels=contradiction,neutral,entailment")
    np.testing.assert_allclose(judge.judge(PREMISES, CLAIMS), by_hand(folder)[:, 2], atol=1e-5)
    with pytest.raises(UsageError, match="has 3 outputs, and labels=entailment names 1"):
        open_judge(f"nli:{folder}?labels=entailment")


def test_a_model_with_one_output_gives_no_grades(tmp_path: Path) -> None:
    folder = classifier(tmp_path / "m", None, 1)
    assert open_judge(f"nli:{folder}?labels=entailment").grades is None
    with pytest.raises(UsageError, match="has one output, a probability of support and no grade; leave out answer="):
        open_judge(f"nli:{folder}?labels=entailment&answer=grade")


def test_a_premise_that_is_cut_is_counted(tmp_path: Path) -> None:
    judge = open_judge(f"nli:{classifier(tmp_path / 'm', PUBLISHED['of WiCE'])}?max_length=32")
    assert isinstance(judge, StreamingJudge)
    tokens, kept = np.zeros(2, int), np.zeros(2, int)
    for scored in judge.stream(["cat " * 100, "a cat"], ["a cat", "a cat"]):
        tokens[scored.rows], kept[scored.rows] = scored.tokens, scored.kept
    assert tokens[0] > kept[0] == 29  # 32 less the three special tokens
    assert tokens[1] == kept[1]


def test_true_is_asked_as_its_authors_ask_it(tmp_path: Path) -> None:
    """ALCE's call: `premise: ... hypothesis: ...`, and the answer 1 or 0. T5 has no single token for 0, so an empty
    word is compared with 1."""
    folder = shapes.text_to_text(tmp_path / "t5")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    if "▁1" not in tokenizer.get_vocab():
        tokenizer.add_tokens(["▁1"])
        tokenizer.save_pretrained(folder)
        network = transformers.AutoModelForSeq2SeqLM.from_pretrained(folder)
        network.resize_token_embeddings(len(tokenizer))
        network.save_pretrained(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    network = transformers.AutoModelForSeq2SeqLM.from_pretrained(folder).eval()
    ids = tokenizer.convert_tokens_to_ids(["▁1", "▁"])
    start = torch.tensor([[network.config.decoder_start_token_id]])
    wanted = []
    premises, claims = [text.strip() or "nothing" for text in PREMISES], CLAIMS
    for premise, claim in zip(premises, claims, strict=True):
        inputs = tokenizer(f"premise: {premise} hypothesis: {claim}", return_tensors="pt")
        with torch.inference_mode():
            logits = network(**inputs, decoder_input_ids=start).logits[0, -1, ids]
        wanted.append(float(torch.softmax(logits, dim=-1)[0]))
    np.testing.assert_allclose(open_judge(f"seq2seq:{folder}").judge(premises, claims), wanted, atol=1e-5)
    with pytest.raises(UsageError, match=r"no template 'ture'\. Did you mean true"):
        open_judge(f"seq2seq:{folder}?template=ture")


def test_a_reranker_needs_a_threshold_and_says_how_to_fit_one(tmp_path: Path) -> None:
    folder = tiny.cross_encoder(tmp_path / "m")
    with pytest.raises(UsageError, match=r"needs \?threshold=T.*harness judge calibrate LABELLED --judge reranker:"):
        open_judge(f"reranker:{folder}")
    for wrong, said in {
        "?threshold=high": "threshold=high is not a finite number",
        "?threshold=nan": "not a finite number",
        "?threshold=1&answer=probability": "needs ?calibration=FILE",
        "?threshold=1&answer=yes": "answer=yes is not possible",
        "?threshold=1&max_lenght=3": "unknown option 'max_lenght'",
    }.items():
        with pytest.raises(UsageError) as refused:
            open_judge(f"reranker:{folder}{wrong}")
        assert said in str(refused.value)


def test_a_reranker_decides_by_its_raw_score(tmp_path: Path) -> None:
    folder = tiny.cross_encoder(tmp_path / "m")
    pairs = np.stack([np.arange(4), np.arange(4)], axis=1)
    raw = open_reranker(f"{folder}?max_length=40").score(CLAIMS, PREMISES, pairs)
    judge = open_judge(f"reranker:cross-encoder:{folder}?max_length=40&threshold={float(np.median(raw))}")
    assert judge.judge(PREMISES, CLAIMS).tolist() == (raw >= np.median(raw)).astype(float).tolist()
    assert judge.grades == (0.0, 1.0)
    assert isinstance(judge, Judge)
    assert isinstance(judge, ScoreJudge)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("reranker:bm25?threshold=1", "its scores depend on a collection"),
        ("reranker:?threshold=1", "names no reranker"),
        ("./model", "does not say which kind of judge"),
        ("bm25", "cannot be a judge; name it with --first-stage, --reranker"),
        ("nil:./model", "unknown kind 'nil'"),
        ("tests.fake_adapters:Plain", "has no method 'judge'"),
    ],
)
def test_what_is_no_judge_is_refused(spec: str, said: str) -> None:
    with pytest.raises((UsageError, ModelError)) as refused:
        open_judge(spec)
    assert said in str(refused.value)


def test_a_judge_is_no_reranker() -> None:
    with pytest.raises(ModelError, match="'lexical' names a judge, which cannot be a reranker; name it with --judge"):
        open_reranker("lexical")
