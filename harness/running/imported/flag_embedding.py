"""What FlagEmbedding's evaluator saves of a search or of a reranker: `search_results`, and next to them which models,
data set and split they are of."""

from __future__ import annotations

from collections.abc import Mapping

RESULTS = "search_results"
_SAID = ("eval_name", "model_name", "reranker_name", "dataset_name", "split")
_NONE = "NoReranker"


def stated(content: Mapping[str, object]) -> dict[str, object]:
    """What the file says of itself."""
    return {key: content[key] for key in _SAID if isinstance(content.get(key), str)}


def stated_name(content: Mapping[str, object]) -> str | None:
    """The reranker, or the model where there is none."""
    said = stated(content)
    reranker = said.get("reranker_name")
    name = said.get("model_name") if reranker in (None, _NONE) else reranker
    return str(name) if name else None
