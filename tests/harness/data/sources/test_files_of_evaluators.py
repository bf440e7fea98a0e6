"""The files that trec_eval, pytrec_eval, ir_measures and ranx test themselves with: small files of the same forms give
the same values here as there."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import ir_measures
import numpy as np
import pytest
import pytrec_eval

from harness.data.trec import read_run
from harness.measuring.judged import Judged
from harness.measuring.measures import parse

MEASURES = {"nDCG@10": "ndcg_cut_10", "AP": "map", "RR": "recip_rank", "P@5": "P_5", "R@10": "recall_10"}
DOCUMENTS = [f"D{n}" for n in range(1, 9)]
QRELS = {"301": {"D1": 1, "D2": -2, "D3": 0, "D4": 3, "D7": 1}, "302": {"D2": 1, "D5": -1, "D6": 2}}
RUN = {
    "301": {"D2": 4.3, "D1": 4.2, "D8": 4.1, "D4": 1e-3, "D3": -0.5},
    "302": {"D5": 2.129133, "D6": 1.72476, "D1": 1.72476, "D2": 0.1},
}
PAIRS = [(q, d, g) for q, own in QRELS.items() for d, g in own.items()]
LINES = [(q, d, s) for q, own in RUN.items() for d, s in own.items()]

COMMENTS = "#another 1 2 x\n# 301 0 D9 1\n"
JUDGMENTS = {
    "trec_eval, spaces": "".join(f"{q} 0 {d} {g}\n" for q, d, g in PAIRS),
    "trec_eval, comments": "# a comment here\n" + COMMENTS.join(f"{q} 0 {d} {g}\n" for q, d, g in PAIRS),
    "ir_measures, wide": "\n".join(f"{q}   00  {d}   {g}" for q, d, g in PAIRS),
    "MIRACL, tabs": "".join(f"{q}\tQ0\t{d}\t{g}\r\n" for q, d, g in PAIRS),
    "floats": "".join(f"{q} 0 {d} {float(g)}\n" for q, d, g in PAIRS),
    "BEIR": "query-id\tcorpus-id\tscore\n" + "".join(f"{q}\t{d}\t{g}\n" for q, d, g in PAIRS),
    "ranx, JSON": json.dumps(QRELS),
    "ranx, indented": json.dumps(QRELS, indent=2),
    "mteb, JSONL": "".join(json.dumps({"query-id": q, "corpus-id": d, "score": g}) + "\n" for q, d, g in PAIRS),
    "byte order mark": "\ufeff" + "".join(f"{q} 0 {d} {g}\n" for q, d, g in PAIRS),
}  # fmt: skip
RUNS = {
    "ranx": "\n".join(f"{q} Q0 {d} {n} {s} None" for n, (q, d, s) in enumerate(LINES)),
    "trec_eval, tabs": "# my run\n".join(["", *(f"{q}\tQ0\t{d}\t4\t  {s:f}\tSTD\n" for q, d, s in LINES)]),
    "ir_measures": "".join(f"{q}  E2  {d}  1   {s} R1\n" for q, d, s in LINES),
    "no tag": "".join(f"{q} Q0 {d} 0 {s}\n" for q, d, s in LINES),
    "tag of words": "".join(f"{q} Q0 {d} 0 {s:e} my own run\r\n" for q, d, s in LINES),
}  # fmt: skip


def folder(place: Path, content: str) -> Path:
    """A collection with judgments as they are written."""
    coll = place / "coll"
    (coll / "qrels").mkdir(parents=True)
    (coll / "corpus.tsv").write_text("".join(f"{d}\ttext of {d}\n" for d in DOCUMENTS))
    (coll / "topics.tsv").write_text("".join(f"{q}\tquery {q}\n" for q in QRELS))
    end = ".jsonl" if content.lstrip()[0] == "{" else ".txt"
    (coll / "qrels" / f"test{end}.gz").write_bytes(gzip.compress(content.encode()))
    return coll


def theirs() -> dict[str, list[float]]:
    found = pytrec_eval.RelevanceEvaluator(QRELS, set(MEASURES.values())).evaluate(RUN)
    return {ours: [found[query][name] for query in QRELS] for ours, name in MEASURES.items()}


def ours(session: Any, tmp_path: Path, judgments: str, run: str) -> dict[str, list[float]]:
    collection = session.load(folder(tmp_path, judgments))
    (tmp_path / "run.txt.gz").write_bytes(gzip.compress(run.encode()))
    candidates = read_run(tmp_path / "run.txt.gz", collection)
    values = Judged(candidates, collection.qrels, len(collection.queries)).values([parse(name) for name in MEASURES])
    return {name: row.tolist() for name, row in zip(MEASURES, values, strict=True)}


@pytest.mark.parametrize("form", list(JUDGMENTS))
def test_judgments_in_every_form_give_the_values_of_trec_eval(session: Any, tmp_path: Path, form: str) -> None:
    found = ours(session, tmp_path, JUDGMENTS[form], RUNS["ranx"])
    assert {name: pytest.approx(row) for name, row in theirs().items()} == found


@pytest.mark.parametrize("form", list(RUNS))
def test_runs_in_every_form_give_the_values_of_trec_eval(session: Any, tmp_path: Path, form: str) -> None:
    found = ours(session, tmp_path, JUDGMENTS["trec_eval, spaces"], RUNS[form])
    assert {name: pytest.approx(row) for name, row in theirs().items()} == found


def test_the_values_are_those_of_ir_measures_too(session: Any, tmp_path: Path) -> None:
    qrels = list(ir_measures.read_trec_qrels(JUDGMENTS["ir_measures, wide"]))
    run = list(ir_measures.read_trec_run(RUNS["ir_measures"]))
    found = ours(session, tmp_path, JUDGMENTS["ir_measures, wide"], RUNS["ir_measures"])
    wanted = ir_measures.calc_aggregate([ir_measures.nDCG @ 10, ir_measures.AP], qrels, run)
    assert wanted[ir_measures.nDCG @ 10] == pytest.approx(np.mean(found["nDCG@10"]))
    assert wanted[ir_measures.AP] == pytest.approx(np.mean(found["AP"]))


@pytest.mark.parametrize(
    ("relevant", "scores", "wanted"),
    [
        ({"d2": 1}, {"d1": 1.0, "d2": 0.0, "d3": 1.5}, 0.5),
        ({"d2": 1}, {"d1": 1.0, "d2": 2.0, "d3": 1.5}, 1.0),
        ({"d2": 1}, {"d1": 4.0, "d2": 2.0, "d3": 1.5}, 0.6309297535714575),
    ],
)
def test_the_expected_figures_of_pytrec_evals_own_tests(
    session: Any, tmp_path: Path, relevant: dict[str, int], scores: dict[str, float], wanted: float
) -> None:
    coll = tmp_path / "coll"
    coll.mkdir()
    (coll / "corpus.tsv").write_text("d1\ta\nd2\tb\nd3\tc\n")
    (coll / "topics.tsv").write_text("q1\tone\n")
    (coll / "qrels.txt").write_text("".join(f"q1 0 {d} {relevant.get(d, 0)}\n" for d in scores))
    (tmp_path / "run").write_text("".join(f"q1 Q0 {d} 1 {s} t\n" for d, s in scores.items()))
    collection = session.load(coll)
    judged = Judged(read_run(tmp_path / "run", collection), collection.qrels, 1)
    assert judged.values([parse("nDCG")]).item() == pytest.approx(wanted)


def test_a_query_whose_id_begins_like_a_comment_keeps_its_judgments(session: Any) -> None:
    queries = [{"_id": "#1", "text": "a"}, {"_id": "q2", "text": "b"}]
    collection = session.load(
        session.beir(queries=queries, qrels="# 4 words in all\n#1 0 d1 1\nq2 0 d2 1\n# q2 0 d3 1\n")
    )
    assert collection.queries.ids() == ["#1", "q2"]
    assert collection.counts.judgments == 2


@pytest.mark.parametrize("header", ["query-id\tcorpus-id\tscore\n", ""])
def test_a_query_whose_id_is_the_sign_of_a_comment_keeps_its_judgments(session: Any, header: str) -> None:
    queries = [{"_id": "#", "text": "a"}, {"_id": "q2", "text": "b"}]
    lines = "# version 1\n#\td1\t1\nq2\td2\t1\n#\tq2\td3\t1\n# q2\td3\t1\n"
    collection = session.load(session.beir(queries=queries, qrels=header + lines))
    assert collection.queries.ids() == ["#", "q2"]
    assert collection.counts.judgments == 2
