"""Files of FlagEmbedding's evaluator: `search_results` of a search or a reranker, with the names of models, data set
and split."""

from __future__ import annotations

from collections.abc import Mapping

RESULTS = "search_results"
_SAID = ("eval_name", "model_name", "reranker_name", "dataset_name", "split")
_NONE = "NoReranker"


def stated(content: Mapping[str, object]) -> dict[str, object]:
    """Return what the file states about its origin."""
    return {key: content[key] for key in _SAID if isinstance(content.get(key), str)}


def stated_name(content: Mapping[str, object]) -> str | None:
    """Return the name of the reranker, or of the model if there is no reranker."""
    said = stated(content)
    reranker = said.get("reranker_name")
    name = said.get("model_name") if reranker in (None, _NONE) else reranker
    return str(name) if name else None
