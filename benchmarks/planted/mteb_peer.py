"""mteb: `mteb.evaluate` on a task with given lists, and its stored results."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from planted.case import NDCG, RR, Case, Kind, Values, is_embedder
from planted.judgments import QUERIT, WEBLINX
from planted.sources import hub_folder, mteb_results
from planted.verdict import NotApplicableError

_TASK, _SUBSETS = "SciFact", "XQuADRetrieval"
_NAMES = {NDCG: "ndcg_at_10", RR: "mrr_at_10"}


class Mteb:
    """Faults of scores through the protocol for cross-encoders, faults of the run through the one for search, which
    listwise rerankers use; switches and cache as they are."""

    name = "mteb"
    entry = "mteb.evaluate(model, task, cache=ResultCache(folder)); ResultCache.load_results"
    version = property(lambda _: version("mteb"))

    def __init__(self) -> None:
        import mteb

        self._mteb: Any = mteb
        self._caches = 0

        self._ways: dict[Kind, Callable[[Case, Path], Values]] = {
            "subsets": self._one_of_two_subsets,
            "model": self._of_folder,
            "changed": self._changed_between,
            "imported": self._loaded,
            "bm25": self._bm25,
        }

    def evaluate(self, case: Case, folder: Path) -> tuple[Values, Values]:
        """Evaluate once; twice where the fault is in the cache.

        Raises:
            NotApplicableError: nothing to plant the fault in.
        """
        if case.kind == "trec":
            raise NotApplicableError("reads data sets of the hub, which have named columns")
        if case.kind == "stored":
            return self._stored(case, folder)
        return self._ways.get(case.kind, self._of_scores)(case, folder), case.right

    def _of_scores(self, case: Case, folder: Path) -> Values:
        return self._evaluated(self._stand_in(case), case, folder)

    def _of_folder(self, case: Case, folder: Path) -> Values:
        return self._evaluated(self._model(case, case.written(folder)), case, folder)

    def _stand_in(self, case: Case) -> Any:
        meta = self._mteb.models.ModelMeta.create_empty(overwrites={"name": "planted/model", "revision": "1"})
        return Search(case, meta) if case.kind == "run" else Pairs(case, meta)

    def _model(self, case: Case, place: Path) -> Any:
        """As mteb's pages load a folder: by the class of sentence-transformers."""
        from sentence_transformers import CrossEncoder, SentenceTransformer

        kind: Any = SentenceTransformer if is_embedder(case) else CrossEncoder
        return kind(str(place), device="cpu")

    def _evaluated(self, model: Any, case: Case, folder: Path, cache: Any = None) -> Values:
        return self._scores(self._result(model, self._task(case, folder), folder, cache))

    def _scores(self, found: Any) -> Values:
        (scores,) = found.task_results[0].scores["test"]
        return {ours: float(scores[theirs]) for ours, theirs in _NAMES.items()}

    def _result(self, model: Any, task: Any, folder: Path, cache: Any = None) -> Any:
        cache = cache or self._new_cache(folder)
        return self._mteb.evaluate(model, task, cache=cache, co2_tracker=False, show_progress_bar=False)

    def _new_cache(self, folder: Path) -> Any:
        self._caches += 1
        return self._mteb.ResultCache(folder / f"cache-{self._caches}")

    def _task(self, case: Case, folder: Path) -> Any:
        task = self._mteb.get_task(_TASK)
        data = _from_hub(case, folder) if case.options.get("files") else _data(case)
        task.dataset, task.data_loaded = {"default": {"test": data}}, True
        return task

    def _one_of_two_subsets(self, case: Case, folder: Path) -> Values:
        """Evaluated in German alone, then read for German and English."""
        cache, split = self._new_cache(folder), "validation"
        task = self._mteb.get_task(_SUBSETS, languages=["deu"])
        task.dataset, task.data_loaded = {"de": {split: _data(case)}}, True
        self._result(self._stand_in(case), task, folder, cache)
        both = self._mteb.get_task(_SUBSETS, languages=["deu", "eng"])
        found = cache.load_results(tasks=[both], require_model_meta=False)
        return {NDCG: float(found.to_dataframe(aggregation_level="task").iloc[0, -1])}

    def _bm25(self, case: Case, folder: Path) -> Values:
        """A task has to name languages. One that names several says the language of no text."""
        task = self._task(case, folder)
        task.metadata = task.metadata.model_copy(update={"eval_langs": ["eng-Latn", "zho-Hans"]})
        return self._scores(self._result(self._mteb.get_model("mteb/baseline-bm25s"), task, folder))

    def _changed_between(self, case: Case, folder: Path) -> Values:
        cache = self._new_cache(folder)
        place = self._evaluated_once(case, folder, cache)
        return self._evaluated(self._model(case, place), case, folder, cache)

    def _evaluated_once(self, case: Case, folder: Path, cache: Any) -> Path:
        """The folder of a model after its first evaluation and its change."""
        place = case.written(folder)
        self._evaluated(self._model(case, place), case, folder, cache)
        if case.model:
            case.model.change(place)
        return place

    def scored_again(self, case: Case, folder: Path) -> int:
        """Pairs that the model is asked for in the second of two evaluations."""
        asked: list[int] = []
        cache = self._new_cache(folder)
        place = self._evaluated_once(case, folder, cache)
        model = self._model(case, place)
        predict = model.predict

        def counted(pairs: Any, *rest: Any, **more: Any) -> Any:
            asked.append(len(pairs))
            return predict(pairs, *rest, **more)

        model.predict = counted
        self._evaluated(model, case, folder, cache)
        return sum(asked)

    def _stored(self, case: Case, folder: Path) -> tuple[Values, Values]:
        cache, model = self._new_cache(folder), self._stand_in(case)
        right = self._evaluated(model, case, folder, cache)
        (file,) = cache.cache_path.rglob(f"{_TASK}.json")
        content = json.loads(file.read_text())
        for name in _NAMES.values():
            content["scores"]["test"][0][name] = 0.99
        file.write_text(json.dumps(content))
        return self._evaluated(model, case, folder, cache), right

    def _loaded(self, case: Case, folder: Path) -> Values:
        """As a leaderboard of one's own reads results."""
        mteb_results(case, folder / "published")
        cache = self._mteb.ResultCache(folder / "published")
        found = cache.load_results(models=[QUERIT], tasks=[WEBLINX]).to_dataframe(aggregation_level="task")
        return {RR: float(found.iloc[0, -1])}


class Pairs:
    """A cross-encoder as mteb's protocol has it."""

    def __init__(self, case: Case, meta: Any) -> None:
        self.mteb_model_meta = meta
        self._scores, self._leaves_out = case.scores, case.kind == "fewer"

    def predict(self, inputs1: Any, inputs2: Any, **_: object) -> Any:
        """The planted score of every pair."""
        texts = zip(_texts(inputs1), _texts(inputs2), strict=True)
        found = [self._scores.get(pair) for pair in texts]
        if self._leaves_out:
            found = [score for score in found if score is not None]
        return np.array([np.nan if score is None else score for score in found])


class Search:
    """A listwise reranker as mteb's protocol for search has it: what it returns is the run."""

    def __init__(self, case: Case, meta: Any) -> None:
        self.mteb_model_meta = meta
        self._run = {query: dict(rows) for query, rows in case.run.items()}

    def index(self, *_: object, **__: object) -> None:
        """Nothing to index."""

    def search(self, *_: object, **__: object) -> dict[str, dict[str, float]]:
        """The planted run."""
        return self._run


def _texts(loader: Any) -> list[str]:
    return [text for batch in loader for text in batch["text"]]


def _data(case: Case) -> dict[str, Any]:
    from datasets import Dataset

    return {
        "corpus": Dataset.from_list([{"id": key, "title": "", "text": text} for key, text in case.corpus.items()]),
        "queries": Dataset.from_list([{"id": key, "text": text} for key, text in case.queries.items()]),
        "relevant_docs": case.labels,
        "top_ranked": {query: list(names) for query, names in case.lists.items()},
    }


def _from_hub(case: Case, folder: Path) -> Any:
    from mteb.abstasks.retrieval_dataset_loaders import RetrievalDatasetLoader

    place = str(hub_folder(case, folder))
    return RetrievalDatasetLoader(place, revision="main", trust_remote_code=False, split="test", config=None).load()
