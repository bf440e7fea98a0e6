"""The peers that ask a model: beir and sentence-transformers. For faults of scores it is a stand-in that gives the
planted ones."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from planted.case import NDCG, RR, Case, Kind, Values, is_embedder
from planted.sources import beir_folder
from planted.verdict import NotApplicableError

_NOTHING_KEPT = "keeps nothing between calls"


class StandIn:
    """What beir and sentence-transformers ask of a cross-encoder: `predict` for pairs of texts."""

    def __init__(self, case: Case) -> None:
        self._scores, self._leaves_out = case.scores, case.kind == "fewer"
        self.model_card_data = self

    def set_evaluation_metrics(self, *_: object) -> None:
        """sentence-transformers writes its values into a model's card; a stand-in has none."""

    def predict(self, pairs: Sequence[Sequence[str]], **_: object) -> npt.NDArray[np.float64]:
        """The planted score of every pair; a pair without one is left out where that is the fault."""
        found = [self._scores.get((pair[0], pair[1])) for pair in pairs]
        if self._leaves_out:
            found = [score for score in found if score is not None]
        return np.array([np.nan if score is None else score for score in found])


class Beir:
    """`Rerank.rerank`, for embedders a search of the whole corpus, then `EvaluateRetrieval.evaluate` and
    `evaluate_custom(metric="mrr")`."""

    name = "beir"
    entry = (
        "Rerank(CrossEncoder(folder)).rerank, EvaluateRetrieval(DenseRetrievalExactSearch(SentenceBERT(folder)))"
        ".retrieve, EvaluateRetrieval.evaluate, EvaluateRetrieval.evaluate_custom('mrr')"
    )
    version = property(lambda _: version("beir"))
    _why_not: Mapping[Kind, str] = MappingProxyType({
        "subsets": "knows no subsets of a collection",
        "changed": _NOTHING_KEPT,
        "stored": "stores nothing",
        "twice": "takes dictionaries, which hold a document once",
        "trec": "reads three columns, divided by tabs",
        "imported": "takes no values of others",
        "bm25": "its BM25 is a server's, Elasticsearch",
    })  # fmt: skip

    def __init__(self) -> None:
        importlib.import_module("beir.reranking")

    def evaluate(self, case: Case, folder: Path) -> tuple[Values, Values]:
        """Rerank the lists with the model, or search with it; a fault of the run is measured as it is.

        Raises:
            NotApplicableError: nothing to plant the fault in.
        """
        if case.kind in self._why_not:
            raise NotApplicableError(self._why_not[case.kind])
        corpus, queries, labels = self._collection(case, folder)
        if case.kind == "run":
            return self._measured(labels, {query: dict(rows) for query, rows in case.run.items()}), case.right
        if is_embedder(case):
            return self._measured(labels, self._searched(case.written(folder), corpus, queries)), case.searched
        lists = {q: {d: float(-i) for i, d in enumerate(names)} for q, names in case.lists.items()}
        return self._measured(labels, self._reranked(self._model(case, folder), corpus, queries, lists)), case.right

    def _collection(self, case: Case, folder: Path) -> tuple[Any, Any, Any]:
        from beir.datasets.data_loader import GenericDataLoader

        if case.options.get("files"):
            return tuple(GenericDataLoader(str(beir_folder(case, folder))).load(split="test"))
        return {key: {"title": "", "text": text} for key, text in case.corpus.items()}, case.queries, case.labels

    def _model(self, case: Case, folder: Path) -> Any:
        from beir.reranking.models import CrossEncoder

        return StandIn(case) if case.model is None else CrossEncoder(str(case.written(folder)))

    def _reranked(self, model: Any, corpus: Any, queries: Any, lists: Any) -> Any:
        from beir.reranking import Rerank

        return Rerank(model, batch_size=32).rerank(corpus, dict(queries), lists, top_k=100)

    def _searched(self, place: Path, corpus: Any, queries: Any) -> Any:
        from beir.retrieval.evaluation import EvaluateRetrieval
        from beir.retrieval.models import SentenceBERT
        from beir.retrieval.search.dense import DenseRetrievalExactSearch

        search = DenseRetrievalExactSearch(SentenceBERT(str(place)), show_progress_bar=False)
        return EvaluateRetrieval(search).retrieve(corpus, dict(queries))

    def _measured(self, labels: Any, results: Any) -> Values:
        from beir.retrieval.evaluation import EvaluateRetrieval

        ndcg, *_ = EvaluateRetrieval.evaluate(labels, results, [10])
        mrr = EvaluateRetrieval.evaluate_custom(labels, results, [10], metric="mrr")
        return {NDCG: ndcg["NDCG@10"], RR: mrr["MRR@10"]}


class SentenceTransformers:
    """`CrossEncoderRerankingEvaluator` with `positive` and `documents`, for embedders `RerankingEvaluator`; their
    switches as they are unless the fault is in one of them."""

    name = "sentence-transformers"
    entry = "CrossEncoderRerankingEvaluator(samples)(CrossEncoder(folder)), RerankingEvaluator(samples)(...)"
    version = property(lambda _: version("sentence-transformers"))
    _why_not: Mapping[str, str] = MappingProxyType({
        "subsets": "knows no subsets of a collection",
        "changed": _NOTHING_KEPT,
        "stored": "appends values to a file and never reads them",
        "trec": "reads no judgments",
        "imported": "takes no values of others",
        "bm25": "has no BM25",
        "label-bearing ids": "takes texts, no ids",
        "documents dropped": "keeps the lists itself; see 'scores left out'",
        "documents added": "keeps the lists itself",
        "query in the corpus": "takes texts, no ids",
        "ids equal by chance": "takes texts, no ids",
        "judged, not in the corpus": "takes texts, and a document that is missing has none",
    })  # fmt: skip
    """By the kind or the name of a fault."""

    def __init__(self) -> None:
        importlib.import_module("sentence_transformers")

    def evaluate(self, case: Case, folder: Path) -> tuple[Values, Values]:
        """One sample for each query.

        Raises:
            NotApplicableError: nothing to plant the fault in.
        """
        for key in (case.kind, case.name):
            if key in self._why_not:
                raise NotApplicableError(self._why_not[key])
        found = self._embedded(case, folder) if is_embedder(case) else self._reranked(case, folder)
        return {NDCG: float(found["ndcg@10"]), RR: float(found["mrr@10"])}, case.right

    def _reranked(self, case: Case, folder: Path) -> Mapping[str, float]:
        from sentence_transformers import CrossEncoder
        from sentence_transformers.cross_encoder.evaluation import CrossEncoderRerankingEvaluator

        model: Any = StandIn(case) if case.model is None else CrossEncoder(str(case.written(folder)), device="cpu")
        always = bool(case.options.get("always_rerank_positives", True))
        evaluator = CrossEncoderRerankingEvaluator(samples(case), always_rerank_positives=always, write_csv=False)
        found: Mapping[str, float] = evaluator(model)
        return found

    def _embedded(self, case: Case, folder: Path) -> Mapping[str, float]:
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.sentence_transformer.evaluation import RerankingEvaluator

        model = SentenceTransformer(str(case.written(folder)), device="cpu")
        found: Mapping[str, float] = RerankingEvaluator(samples(case, negative=True), write_csv=False)(model)
        return found


def samples(case: Case, *, negative: bool = False) -> list[dict[str, Any]]:
    """The collection as rows of texts. A text with two labels stands in both lists, which needs the key `negative`."""
    rows = []
    missing = case.queries.keys() - case.run.keys()
    for query, text in case.queries.items():
        positive = [case.corpus[d] for q, d, grade in case.qrels if q == query and grade]
        listed = [] if query in missing else [case.corpus[d] for d in case.lists[query]]
        row: dict[str, Any] = {"query": text, "positive": positive, "documents": listed}
        if negative or case.options.get("files"):
            del row["documents"]
            row["negative"] = [case.corpus[d] for q, d, grade in case.qrels if q == query and not grade]
        rows.append(row)
    return rows
