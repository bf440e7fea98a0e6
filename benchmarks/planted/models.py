"""Faults of published models. The texts of a collection are dealt out by the right scores of its model, so that the
right values are those of the sound model of the other faults, whatever the random weights are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from planted import makers, referees
from planted.case import Case, Kind, Published, Scorer, mean_of
from planted.faults import SIZE, SOUND, sound

_WORDS = [
    "web", "search", "query", "passage", "document", "answer", "given", "based", "meets", "judge", "note", "who",
    "when", "where", "system", "user",
]  # fmt: skip
Dealt = dict[tuple[object, object], dict[str, str]]
"""What makes and changes a model, to the texts of the documents."""
_DRAWN, _CLOSE = 19, 1e-5
_QWEN3 = referees.beside("model-source", referees.asked(referees.QWEN3, "yes", "no"))
_PLAIN = Published(makers.cross_encoder, referees.classifier)
_MODULAR = Published(makers.modular, referees.modular)


def intact() -> Case:
    """The control for faults of models: a whole checkpoint of a cross-encoder."""
    return _case("nothing, checkpoint", "nothing is wrong", _PLAIN, "the checkpoint's own scores")


def model_faults() -> list[Case]:
    """All of them, in the order of the table."""
    return [*_prompts(), *_shapes(), *_changes(), *_broken()]


def dealt(case: Case, folder: Path, known: Dealt) -> Case:
    """The case with texts: of each query's documents, those that the right scores rank first go where the sound model
    ranks first. The model is made below `folder`; `known` keeps what was dealt for the next fault of the same model."""
    if case.model is None:
        return case
    place = case.model.make(folder)
    case.model.change(place)
    scorer = case.model.scorer(place)
    same = (case.model.make, case.model.change)
    if same not in known:
        known[same] = {document: text for query in case.queries for document, text in _dealt(case, query, scorer)}
    whole = replace(case, corpus=known[same])
    return replace(whole, searched=_searched(whole, scorer)) if case.kind == "model" and case.model.embedder else whole


def _dealt(case: Case, query: str, scorer: Scorer) -> Iterable[tuple[str, str]]:
    drawn = np.random.default_rng(int(query[1:]))
    texts = [f"{' '.join(drawn.choice(_WORDS, 5))} {query[1:]} {number}" for number in range(_DRAWN)]
    scores = scorer([(case.queries[query], text) for text in texts])
    best_first = np.argsort(scores)[::-1][np.linspace(0, _DRAWN - 1, SIZE).astype(int)]
    if np.diff(np.array(scores)[best_first]).max() > -_CLOSE:
        raise ValueError(f"'{case.name}': the right scores do not tell the texts of {query} apart")
    ranked = sorted(case.run[query], key=lambda row: -row[1])
    return ((document, texts[place]) for (document, _), place in zip(ranked, best_first, strict=True))


def _searched(case: Case, scorer: Scorer) -> dict[str, float]:
    """The right values of a search of the whole corpus."""
    ranks: list[int | None] = []
    documents = list(case.corpus)
    for query, text in case.queries.items():
        scores = np.array(scorer([(text, case.corpus[document]) for document in documents]))
        relevant = next(document for document, grade in case.labels[query].items() if grade)
        ranks.append(1 + int((scores > scores[documents.index(relevant)]).sum()))
    return mean_of(ranks)


def _prompts() -> Iterable[Case]:
    their = "the scores of the language model that it was made of, after the prompt of its card"
    yield _case(
        "converted, no prompt", "Qwen3-Reranker turned into a classifier, without a chat template",
        Published(makers.converted, _QWEN3), their,
    )  # fmt: skip
    yield _case(
        "converted, chat template", "the same with the prompt as the chat template of its tokenizer",
        Published(makers.converted_with_template, _QWEN3), their,
    )  # fmt: skip
    yield _case(
        "other words, own prompt", "a language model that declares the words 1 and 0 and a prompt of its own",
        Published(makers.logit_score, referees.asked(referees.USEFUL, "1", "0")),
        "the difference of the two logits after that prompt",
    )  # fmt: skip
    yield _case(
        "prompt in the card only", "bge-reranker-v2-gemma's kind: nothing in the folder says how it is asked",
        Published(makers.gemma, referees.gemma), "the loop of its model card",
    )  # fmt: skip


def _shapes() -> Iterable[Case]:
    yield _case(
        "class of its own", "a stock model type whose auto_map names a class that scores otherwise",
        Published(makers.own_code, referees.own_class), "the scores of that class",
    )  # fmt: skip
    yield _case(
        "modules", "a cross-encoder of modules (ettin-reranker's kind)", _MODULAR, "the modules multiplied out",
    )  # fmt: skip
    yield _case(
        "modules, as an embedder", "the same folder is named where an embedder belongs",
        replace(_MODULAR, embedder=True), "the modules multiplied out: it is no embedder",
    )  # fmt: skip
    yield _case(
        "inner product", "an embedder that declares the inner product (contriever, tas-b)",
        Published(makers.dot_embedder, referees.dot_product, embedder=True),
        "the inner products, worked out",
    )  # fmt: skip
    yield _case(
        "two labels", "a cross-encoder with the labels not_relevant and relevant (monoBERT's kind)",
        Published(makers.two_labels, referees.classifier), "the order of the softmax",
    )  # fmt: skip


def _changes() -> Iterable[Case]:
    again = "the values of the second model's own scores"
    yield _case(
        "checkpoint written over", "a training step overwrites the folder; it is evaluated again",
        replace(_PLAIN, change=makers.turned), again, "changed",
    )  # fmt: skip
    yield _case(
        "dense layer replaced", "the pickle of a dense layer is replaced (LaBSE's kind); it is evaluated again",
        Published(
            makers.labse, referees.dense_cosine, change=makers.other_dense, embedder=True, options="&pickle=true",
        ), again, "changed",
    )  # fmt: skip
    if find_spec("peft"):
        yield _case(
            "base of LoRA replaced", "the base of a LoRA adapter is replaced; the adapter is evaluated again",
            Published(makers.lora, referees.adapter, change=makers.other_base), again, "changed",
        )  # fmt: skip


def _broken() -> Iterable[Case]:
    whole = "the values of the same checkpoint when it was whole"
    for name, planted, spoil in (
        ("head not loaded", "the checkpoint of a cross-encoder lacks its score head", makers.without_head),
        ("token without embedding", "the tokenizer has one token more than the network has embeddings; every query has "
         "it", makers.one_token_more),
        ("git-lfs pointer", "a git-lfs pointer stands in place of the weights", makers.pointer),
        ("weights cut off", "the second half of the weights is missing", makers.cut),
    ):  # fmt: skip
        yield _case(name, planted, replace(_PLAIN, spoil=spoil), whole)


def _case(name: str, planted: str, model: Published, because: str, kind: Kind = "model") -> Case:
    base = sound()
    queries = {query: f"which {makers.TOKEN} passage has the answer {query[1:]}" for query in base.queries}
    return replace(
        base, name=name, planted=planted, right=SOUND, because=because, kind=kind, queries=queries, corpus={},
        model=model,
    )  # fmt: skip


def cost_of_a_checkpoint() -> Case:
    """A fault of cost: the numbers stay, and who scores everything again?"""
    return _case(
        "checkpoint inside", "a trainer writes checkpoint-500 into the folder of the model; it is evaluated again",
        replace(_PLAIN, change=makers.checkpoint_inside), "the weights that are run have not changed", "changed",
    )  # fmt: skip
