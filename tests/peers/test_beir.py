"""A number of ours is beir's own, to the digits that beir keeps; where it is not, both are shown with the reason."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.result.evaluation import Evaluation
from tests.peers import mteb_side, our_side
from tests.peers.our_side import ROUNDING, means
from tests.peers.real_data import Held, excerpt, held, without_some, written

IN_BEIR = {"nDCG@10": "NDCG@10", "AP@1000": "MAP@1000", "R@100": "Recall@100"}


@pytest.mark.parametrize("name", ["scifact", "cranfield"])
def test_the_same_run_has_beirs_numbers_and_trec_evals_to_the_last_digit(
    beir: Any, shared_data: Path, tmp_path: Path, name: str
) -> None:
    collection = excerpt(held(shared_data / name), queries=40, documents=600)
    folder = written(collection, tmp_path / "ours")
    (ours,) = our_side.evaluated(folder, tmp_path / "w", first_stage="bm25", depth=100)
    theirs = _beir(beir, ours, _read_by_beir(folder), ignore_identical_ids=False)
    assert {key: means(ours)[key] for key in IN_BEIR} == pytest.approx(theirs, rel=0, abs=ROUNDING)
    assert means(ours)["nDCG@10"] > 0.3
    assert our_side.largest_difference(ours, collection.qrels) <= 1e-12


@pytest.mark.parametrize("name", ["scifact", "cranfield"])
def test_judged_documents_that_the_corpus_lacks_count_as_beir_counts_them(
    beir: Any, shared_data: Path, tmp_path: Path, name: str
) -> None:
    collection = without_some(excerpt(held(shared_data / name), queries=40, documents=600))
    folder = written(collection, tmp_path / "ours", 'allow = ["unknown-documents"]\n')
    (ours,) = our_side.evaluated(folder, tmp_path / "w", first_stage="bm25", depth=100)
    theirs = _beir(beir, ours, _read_by_beir(folder), ignore_identical_ids=False)
    assert {key: means(ours)[key] for key in IN_BEIR} == pytest.approx(theirs, rel=0, abs=ROUNDING)
    assert our_side.largest_difference(ours, collection.qrels) <= 1e-12
    assert ours.collection.counts.missing_documents > 10


def test_beirs_own_reranking_of_the_same_candidates_has_our_numbers(
    beir: Any, shared_data: Path, tmp_path: Path, cross_encoder: Path
) -> None:
    collection = excerpt(held(shared_data / "scifact"), queries=20, documents=200)
    folder = written(collection, tmp_path / "ours")
    first, ours = our_side.evaluated(folder, tmp_path / "w", first_stage="bm25", rerankers=[cross_encoder], depth=30)
    with mteb_side.quiet():
        from beir.reranking.rerank import Rerank

        documents = {name: {"title": title, "text": text} for name, (title, text) in collection.corpus.items()}
        judge = Rerank(mteb_side.cross_encoder(cross_encoder), batch_size=32)
        reranked = judge.rerank(documents, collection.queries, our_side.results(first), top_k=30)
        ndcg, ap, recall, _ = beir.EvaluateRetrieval.evaluate(collection.qrels, reranked, [10, 100, 1000])
    theirs = {**ndcg, **ap, **recall}
    assert means(ours)["nDCG@10"] != pytest.approx(means(first)["nDCG@10"], abs=1e-3)
    for key, name in IN_BEIR.items():
        assert means(ours)[key] == pytest.approx(theirs[name], rel=0, abs=ROUNDING)


def test_beir_drops_a_document_with_the_querys_number_and_we_only_where_that_is_declared(
    beir: Any, shared_data: Path, tmp_path: Path
) -> None:
    """Cranfield numbers its queries from 1 and its documents from 1: the two have nothing to do with each other."""
    collection = _with_the_own_number_relevant(held(shared_data / "cranfield"))
    plain = written(collection, tmp_path / "plain")
    declared = written(collection, tmp_path / "declared", "drop_identical_ids = true\n")
    (kept,) = our_side.evaluated(plain, tmp_path / "w", first_stage="bm25", depth=1400)
    (dropped,) = our_side.evaluated(declared, tmp_path / "w", first_stage="bm25", depth=1400)
    theirs = _beir(beir, kept, collection.qrels)
    assert {key: means(dropped)[key] for key in IN_BEIR} == pytest.approx(theirs, rel=0, abs=ROUNDING)
    assert means(kept)["AP@1000"] > theirs["AP@1000"] + 5e-4
    assert _beir(beir, kept, collection.qrels, ignore_identical_ids=False)["AP@1000"] == pytest.approx(
        means(kept)["AP@1000"], rel=0, abs=ROUNDING
    )


def test_a_constant_scorer_gets_trec_evals_value_here_and_the_order_of_the_dict_in_beirs_mrr(
    beir: Any, shared_data: Path, tmp_path: Path
) -> None:
    collection = excerpt(held(shared_data / "scifact"), queries=40, documents=200)
    folder = written(collection, tmp_path / "ours")
    first, ours = our_side.evaluated(
        folder, tmp_path / "w", first_stage="bm25", rerankers=["control:constant"], depth=50
    )
    assert our_side.largest_difference(ours, collection.qrels) <= 1e-12
    theirs = _beir(beir, ours, collection.qrels)
    assert means(ours)["nDCG@10"] == pytest.approx(theirs["nDCG@10"], rel=0, abs=ROUNDING)

    in_first_order = {
        query: dict.fromkeys(sorted(found, key=found.__getitem__, reverse=True), 0.5)
        for query, found in our_side.results(first).items()
    }
    with mteb_side.quiet():
        mrr = beir.EvaluateRetrieval.evaluate_custom(collection.qrels, in_first_order, [10], "mrr")["MRR@10"]
    assert mrr == pytest.approx(means(first)["RR@10"], abs=1e-3)
    assert means(ours)["RR@10"] < mrr - 0.2


def test_a_query_without_results_is_left_out_by_beir_and_counts_as_0_here(
    beir: Any, shared_data: Path, tmp_path: Path
) -> None:
    collection = excerpt(held(shared_data / "scifact"), queries=40, documents=200)
    folder = written(collection, tmp_path / "ours")
    (whole,) = our_side.evaluated(folder, tmp_path / "w", first_stage="bm25", depth=50)
    kept = dict(list(our_side.results(whole).items())[:30])
    file = tmp_path / "thirty.trec"
    lines = [f"{q} Q0 {name} 1 {score!r} peer\n" for q, found in kept.items() for name, score in found.items()]
    file.write_text("".join(lines), "utf-8")
    (ours,) = our_side.evaluated(folder, tmp_path / "w", first_stage=f"run:{file}", depth=50)
    with mteb_side.quiet():
        ndcg, *_ = beir.EvaluateRetrieval.evaluate(collection.qrels, kept, [10])
    assert means(ours)["nDCG@10"] == pytest.approx(ndcg["NDCG@10"] * 30 / 40, rel=0, abs=ROUNDING)
    assert np.count_nonzero(ours.values[0]) < 31


def _read_by_beir(folder: Path) -> dict[str, dict[str, int]]:
    """Judgments through beir's own reader."""
    with mteb_side.quiet():
        from beir.datasets.data_loader import GenericDataLoader

        _, _, qrels = GenericDataLoader(str(folder)).load("test")
    return dict(qrels)


def _beir(beir: Any, evaluation: Evaluation, qrels: dict[str, dict[str, int]], **options: bool) -> dict[str, float]:
    """beir's means by our names. It takes documents out of what it is given."""
    with mteb_side.quiet():
        found = deepcopy(our_side.results(evaluation))
        ndcg, ap, recall, _ = beir.EvaluateRetrieval.evaluate(qrels, found, [10, 100, 1000], **options)
    every = {**ndcg, **ap, **recall}
    return {ours: every[theirs] for ours, theirs in IN_BEIR.items()}


def _with_the_own_number_relevant(whole: Held) -> Held:
    """The first 40 queries; for the first ten the document of the same number is judged relevant, as may happen in any
    collection that numbers both."""
    part = excerpt(whole, queries=40, documents=600)
    numbered = [query for query in part.queries if query in part.corpus][:10]
    own = {query: {**part.qrels[query], query: 1} for query in numbered}
    return Held(part.corpus, part.queries, {**part.qrels, **own})
