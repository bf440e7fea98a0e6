"""A number of ours is mteb's own, to the digits that mteb keeps; where it is not, both are shown with the reason."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters import tiny
from tests.peers import mteb_side, our_side
from tests.peers.our_side import ROUNDING, means
from tests.peers.real_data import Held, excerpt, held, without_some, written

DEPTH = 50


@pytest.mark.parametrize("part", ["xquad/en", "xquad/de", "scifact"])
def test_a_first_stage_and_a_reranker_have_mtebs_numbers(
    mteb: Any, shared_data: Path, tmp_path: Path, models: tuple[Path, Path], part: str
) -> None:
    collection, (embedder, cross_encoder) = _part(shared_data, part), models
    folder, workspace = written(collection, tmp_path / "ours"), tmp_path / "workspace"
    (whole,) = our_side.evaluated(folder, workspace, first_stage=embedder, depth=1000)
    _, reranked = our_side.evaluated(folder, workspace, first_stage=embedder, rerankers=[cross_encoder], depth=DEPTH)

    task = mteb_side.task(mteb, "SciFact", collection)
    first = mteb_side.evaluated(mteb, mteb_side.embedder(embedder), task, tmp_path / "first")
    task.convert_to_reranking(tmp_path / "first", top_k=DEPTH)
    second = mteb_side.evaluated(mteb, mteb_side.cross_encoder(cross_encoder), task, tmp_path / "second")

    assert means(whole) == pytest.approx(first, rel=0, abs=ROUNDING)
    assert means(reranked) == pytest.approx(second, rel=0, abs=ROUNDING)
    assert means(reranked) != pytest.approx(means(whole), rel=0, abs=1e-4)
    assert our_side.largest_difference(whole, collection.qrels) <= 1e-12
    assert our_side.largest_difference(reranked, collection.qrels) <= 1e-12


def test_judged_documents_that_the_corpus_lacks_count_as_mteb_counts_them(
    mteb: Any, shared_data: Path, tmp_path: Path, models: tuple[Path, Path]
) -> None:
    collection, (embedder, cross_encoder) = without_some(_part(shared_data, "scifact")), models
    folder = written(collection, tmp_path / "ours", 'allow = ["unknown-documents"]\n')
    (whole,) = our_side.evaluated(folder, tmp_path / "w", first_stage=embedder, depth=1000)
    _, reranked = our_side.evaluated(
        folder, tmp_path / "w", first_stage=embedder, rerankers=[cross_encoder], depth=DEPTH
    )

    task = mteb_side.task(mteb, "SciFact", collection)
    first = mteb_side.evaluated(mteb, mteb_side.embedder(embedder), task, tmp_path / "first")
    task.convert_to_reranking(tmp_path / "first", top_k=DEPTH)
    second = mteb_side.evaluated(mteb, mteb_side.cross_encoder(cross_encoder), task, tmp_path / "second")

    assert means(whole) == pytest.approx(first, rel=0, abs=ROUNDING)
    assert means(reranked) == pytest.approx(second, rel=0, abs=ROUNDING)
    assert our_side.largest_difference(reranked, collection.qrels) <= 1e-12
    assert whole.collection.counts.missing_documents > 10


def test_an_instruction_reaches_the_model_as_in_mteb(mteb: Any, shared_data: Path, tmp_path: Path) -> None:
    model = tiny.qwen3_embedder(tmp_path / "qwen3")
    collection = excerpt(held(shared_data / "scifact"), queries=20, documents=80)
    task = mteb_side.task(mteb, "SciFact", collection)
    rules = f"instruction = {json.dumps(task.metadata.prompt['query'])}\n"
    instructed = written(collection, tmp_path / "instructed", rules)
    (ours,) = our_side.evaluated(instructed, tmp_path / "w", first_stage=model, depth=1000)
    (plain,) = our_side.evaluated(written(collection, tmp_path / "no"), tmp_path / "w", first_stage=model, depth=1000)

    theirs = mteb_side.evaluated(mteb, mteb_side.instructed(mteb, model), task, tmp_path / "theirs")
    assert means(ours) == pytest.approx(theirs, rel=0, abs=ROUNDING)
    assert means(plain) != pytest.approx(theirs, rel=0, abs=1e-4)


def test_a_query_among_the_documents_costs_mteb_a_candidate_and_us_none(
    mteb: Any, shared_data: Path, tmp_path: Path, models: tuple[Path, Path]
) -> None:
    embedder, cross_encoder = models
    collection = _documents_as_queries(held(shared_data / "xquad" / "en"))
    folder = written(collection, tmp_path / "ours", "drop_identical_ids = true\n")
    _, ours = our_side.evaluated(folder, tmp_path / "w", first_stage=embedder, rerankers=[cross_encoder], depth=15)

    task = mteb_side.task(mteb, "ArguAna", collection)
    assert task.ignore_identical_ids
    mteb_side.evaluated(mteb, mteb_side.embedder(embedder), task, tmp_path / "first")
    theirs = {}
    for depth in (15, 16):
        task.convert_to_reranking(tmp_path / "first", top_k=depth)
        model = mteb_side.cross_encoder(cross_encoder)
        theirs[depth] = mteb_side.evaluated(mteb, model, task, tmp_path / f"second{depth}")

    assert (np.diff(ours.run.offsets) == 15).all()
    assert means(ours) == pytest.approx(theirs[16], rel=0, abs=ROUNDING)
    assert means(ours)["R@100"] > theirs[15]["R@100"] + 1e-3


def test_a_query_without_results_is_left_out_by_mteb_and_counts_as_0_here(
    mteb: Any, shared_data: Path, tmp_path: Path
) -> None:
    collection = _part(shared_data, "scifact")
    folder = written(collection, tmp_path / "ours")
    (whole,) = our_side.evaluated(folder, tmp_path / "w", first_stage="bm25", depth=DEPTH)
    kept = dict(list(our_side.results(whole).items())[:30])
    run = _run_file(tmp_path / "thirty.trec", kept)
    (ours,) = our_side.evaluated(folder, tmp_path / "w", first_stage=f"run:{run}", depth=DEPTH)

    left_out = _mteb_ndcg(mteb, kept, collection.qrels)
    counted = _mteb_ndcg(mteb, {**{query: {} for query in collection.qrels}, **kept}, collection.qrels)
    assert len(ours.collection.queries) == 40
    assert means(ours)["nDCG@10"] == pytest.approx(left_out * 30 / 40, rel=0, abs=ROUNDING)
    assert means(ours)["nDCG@10"] == pytest.approx(counted, rel=0, abs=ROUNDING)
    assert left_out > counted + 0.1


def test_a_query_that_nothing_answers_counts_as_0_for_both_and_an_unjudged_one_for_neither(
    mteb: Any, shared_data: Path, tmp_path: Path, embedder: Path
) -> None:
    part = _part(shared_data, "xquad/en")
    first, second = list(part.qrels)[:2]
    zeroed = {**part.qrels, first: dict.fromkeys(part.qrels[first], 0)}
    dropped = {query: judged for query, judged in part.qrels.items() if query != second}
    for name, qrels, queries in (("zeroed", zeroed, 60), ("dropped", dropped, 59)):
        collection = replace(part, qrels=qrels)
        folder = written(collection, tmp_path / name)
        (ours,) = our_side.evaluated(folder, tmp_path / "w", first_stage=embedder, depth=1000)
        task = mteb_side.task(mteb, "SciFact", collection)
        theirs = mteb_side.evaluated(mteb, mteb_side.embedder(embedder), task, tmp_path / f"theirs-{name}")
        assert len(ours.collection.queries) == queries
        assert means(ours) == pytest.approx(theirs, rel=0, abs=ROUNDING)


def test_a_constant_scorer_gets_trec_evals_value_from_both(
    mteb: Any, shared_data: Path, tmp_path: Path, embedder: Path
) -> None:
    collection = _part(shared_data, "xquad/en")
    folder = written(collection, tmp_path / "ours")
    _, ours = our_side.evaluated(folder, tmp_path / "w", first_stage=embedder, rerankers=["control:constant"], depth=10)
    given = {query: list(names) for query, names in our_side.results(ours).items()}
    task = mteb_side.task(mteb, "SciFact", collection, given=given)
    theirs = mteb_side.evaluated(mteb, mteb_side.constant(mteb), task, tmp_path / "theirs")
    assert means(ours) == pytest.approx(theirs, rel=0, abs=ROUNDING)
    assert our_side.largest_difference(ours, collection.qrels) <= 1e-12


def test_scores_that_differ_below_float32_are_ties_in_every_measure_here_and_not_in_mtebs_rr(
    mteb: Any, tmp_path: Path
) -> None:
    close = {"q": {"d1": 1.0 + 1e-9, "d2": 1.0}}
    folder = written(_two_documents(), tmp_path / "ours")
    run = _run_file(tmp_path / "close.trec", close)
    (ours,) = our_side.evaluated(folder, tmp_path / "w", first_stage=f"run:{run}", depth=10)
    scores = _mteb_scores(mteb, close, _two_documents().qrels)
    second = 1 / np.log2(3)
    assert means(ours) == pytest.approx({"nDCG@10": second, "AP@1000": 0.5, "RR@10": 0.5, "R@100": 1.0})
    assert scores.ndcg["NDCG@10"] == pytest.approx(second, abs=ROUNDING)
    assert scores.mrr["MRR@10"] == 1.0


def test_ties_at_the_cut_follow_trec_eval_here_and_the_order_of_the_file_in_mteb(mteb: Any, tmp_path: Path) -> None:
    collection, tied = _two_documents(), {"q": {"d1": 1.0, "d2": 1.0}}
    folder = written(collection, tmp_path / "ours")
    run = _run_file(tmp_path / "tied.trec", tied)
    (ours,) = our_side.evaluated(folder, tmp_path / "w", first_stage=f"run:{run}", depth=1)
    task = mteb_side.task(mteb, "SciFact", collection)
    predictions = {"mteb_model_meta": {}, "default": {"test": tied}}
    (tmp_path / "SciFact_predictions.json").write_text(json.dumps(predictions), "utf-8")
    task.convert_to_reranking(tmp_path, top_k=1)
    assert list(our_side.results(ours)["q"]) == ["d2"]
    assert task.dataset["default"]["test"]["top_ranked"]["q"] == ["d1"]


def _part(data: Path, name: str) -> Held:
    whole = held(data / name)
    return excerpt(whole, queries=40, documents=600) if name == "scifact" else excerpt(whole, queries=60, documents=240)


def _documents_as_queries(whole: Held) -> Held:
    """As in ArguAna: the queries are documents with the same ids. Relevant are the other paragraphs of the article,
    which is the first half of an id."""
    texts = {name: text for name, (_, text) in whole.corpus.items()}
    queries = dict(list(texts.items())[:30])
    others = {query: [name for name in texts if name[:3] == query[:3] and name != query] for query in queries}
    return Held(whole.corpus, queries, {query: dict.fromkeys(names, 1) for query, names in others.items()})


def _two_documents() -> Held:
    return Held({"d1": ("", "bread"), "d2": ("", "ferry")}, {"q": "who sells bread"}, {"q": {"d1": 1}})


def _run_file(file: Path, results: our_side.Results) -> Path:
    lines = [f"{q} Q0 {name} 1 {score!r} peer" for q, found in results.items() for name, score in found.items()]
    file.write_text("\n".join([*lines, ""]), "utf-8")
    return file


def _mteb_scores(mteb: Any, results: our_side.Results, qrels: dict[str, dict[str, int]]) -> Any:
    with mteb_side.quiet():
        return mteb._evaluators.retrieval_metrics.calculate_retrieval_scores(results, qrels, [1, 10])


def _mteb_ndcg(mteb: Any, results: our_side.Results, qrels: dict[str, dict[str, int]]) -> float:
    return float(_mteb_scores(mteb, results, qrels).ndcg["NDCG@10"])
