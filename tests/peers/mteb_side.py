"""What mteb says: its tasks with our data in them, its evaluation, its two stages."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.peers.real_data import Held

NAMES = {"nDCG@10": "ndcg_at_10", "AP@1000": "map_at_1000", "RR@10": "mrr_at_10", "R@100": "recall_at_100"}
_ENCODE = {"batch_size": 32, "show_progress_bar": False}


@contextmanager
def quiet() -> Iterator[None]:
    """The peers' calls raise deprecation warnings about each other; none of them is about us."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def task(mteb: Any, name: str, collection: Held, *, given: Mapping[str, Sequence[str]] | None = None) -> Any:
    """A task of mteb with the texts and judgments of a collection."""
    from datasets import Dataset

    documents = [{"id": key, "title": title, "text": text} for key, (title, text) in collection.corpus.items()]
    queries = [{"id": key, "text": text} for key, text in collection.queries.items()]
    made = mteb.get_task(name)
    made.dataset = {
        "default": {
            "test": {
                "corpus": Dataset.from_list(documents),
                "queries": Dataset.from_list(queries),
                "relevant_docs": {query: dict(judged) for query, judged in collection.qrels.items()},
                "top_ranked": None if given is None else {query: list(names) for query, names in given.items()},
            }
        }
    }
    made.data_loaded = True
    return made


def evaluated(mteb: Any, model: Any, made: Any, folder: Path) -> dict[str, float]:
    """mteb's own means by our names. Predictions go to `folder`, results to a cache that nothing was in before."""
    with quiet():
        result = mteb.evaluate(
            model,
            made,
            cache=mteb.ResultCache(folder / "cache"),
            overwrite_strategy="always",
            prediction_folder=folder,
            co2_tracker=False,
            show_progress_bar=False,
            encode_kwargs=dict(_ENCODE),
        )
    (scores,) = result.task_results[0].scores["test"]
    return {ours: scores[theirs] for ours, theirs in NAMES.items()}


def embedder(folder: Path) -> Any:
    """The model as sentence-transformers loads it."""
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder), device="cpu")


def cross_encoder(folder: Path) -> Any:
    """The model as sentence-transformers loads it, with raw logits."""
    import torch
    from sentence_transformers import CrossEncoder

    return CrossEncoder(str(folder), device="cpu", activation_fn=torch.nn.Identity())


def instructed(mteb: Any, folder: Path) -> Any:
    """A last-token embedder in mteb's own wrapper for Qwen3-Embedding."""
    from mteb.models.instruct_wrapper import InstructSentenceTransformerModel
    from mteb.models.model_implementations.qwen3_models import instruction_template

    made = InstructSentenceTransformerModel(
        str(folder),
        revision="",
        device="cpu",
        instruction_template=instruction_template,
        apply_instruction_to_passages=False,
    )
    made.mteb_model_meta = _meta(mteb, "tiny/instructed")
    return made


def constant(mteb: Any) -> Any:
    """A cross-encoder that gives every pair the same score."""

    class Constant:
        mteb_model_meta = _meta(mteb, "tiny/constant")

        def predict(self, inputs1: Any, inputs2: Any, **_: object) -> list[float]:
            return [0.5] * len(inputs1.dataset)

    return Constant()


def _meta(mteb: Any, name: str) -> Any:
    return mteb.models.ModelMeta.create_empty(overwrites={"name": name, "revision": "1"})
