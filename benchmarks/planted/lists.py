"""The peers that measure lists: pytrec_eval, ranx and ir-measures, each from TREC files through its own reader."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from planted.case import NDCG, RR, Case, Kind, Values
from planted.sources import run_file, trec_judgments
from planted.verdict import NotApplicableError

_WHY_NOT: dict[Kind, str] = {
    "fewer": "is given lists, never asks a model",
    "subsets": "knows no subsets of a collection",
    "stored": "stores nothing",
    "model": "loads no model",
    "changed": "loads no model",
    "bm25": "has no BM25",
    "imported": "takes no values of others",
}


class Lists:
    """An evaluator of runs. `measure` takes the files of judgments and of the run."""

    def __init__(self, package: str, entry: str, measure: Callable[[Path, Path], Values]) -> None:
        self.name, self.entry, self._measure = package, entry, measure

    @property
    def version(self) -> str:
        """Of the installed package."""
        return version({"pytrec_eval": "pytrec-eval-terrier"}.get(self.name, self.name))

    def evaluate(self, case: Case, folder: Path) -> tuple[Values, Values]:
        """Write the files, read them with the peer's own reader, measure.

        Raises:
            NotApplicableError: the fault is one of models or stores.
        """
        if case.kind in _WHY_NOT:
            raise NotApplicableError(_WHY_NOT[case.kind])
        files = trec_judgments(case, folder / "qrels.trec"), run_file(folder / "run.trec", case.run)
        return self._measure(*files), case.right


def pytrec_eval_() -> Lists:
    """`parse_qrel`, `parse_run`, `RelevanceEvaluator.evaluate`, and the mean as its own example takes it."""
    import pytrec_eval

    def measure(qrels: Path, run: Path) -> Values:
        with qrels.open() as judgments, run.open() as lists:
            evaluator = pytrec_eval.RelevanceEvaluator(pytrec_eval.parse_qrel(judgments), {"ndcg_cut.10", "recip_rank"})
            found = evaluator.evaluate(pytrec_eval.parse_run(lists))
        names = {NDCG: "ndcg_cut_10", RR: "recip_rank"}
        mean = pytrec_eval.compute_aggregated_measure
        return {ours: mean(theirs, [one[theirs] for one in found.values()]) for ours, theirs in names.items()}

    return Lists(
        "pytrec_eval", "parse_qrel, parse_run, RelevanceEvaluator.evaluate, compute_aggregated_measure", measure
    )


def ranx_() -> Lists:
    """`evaluate(Qrels.from_file, Run.from_file)`."""
    ranx = importlib.import_module("ranx")

    def measure(qrels: Path, run: Path) -> Values:
        judgments, lists = ranx.Qrels.from_file(str(qrels), kind="trec"), ranx.Run.from_file(str(run), kind="trec")
        found = ranx.evaluate(judgments, lists, ["ndcg@10", "mrr@10"])
        return {NDCG: float(found["ndcg@10"]), RR: float(found["mrr@10"])}

    return Lists("ranx", "Qrels.from_file, Run.from_file, evaluate", measure)


def ir_measures_() -> Lists:
    """`calc_aggregate` of `read_trec_qrels` and `read_trec_run`."""
    ir_measures = importlib.import_module("ir_measures")

    def measure(qrels: Path, run: Path) -> Values:
        names = {NDCG: ir_measures.nDCG @ 10, RR: ir_measures.RR @ 10}
        judgments, lists = ir_measures.read_trec_qrels(str(qrels)), ir_measures.read_trec_run(str(run))
        found = ir_measures.calc_aggregate(list(names.values()), judgments, lists)
        return {ours: float(found[theirs]) for ours, theirs in names.items()}

    return Lists("ir-measures", "read_trec_qrels, read_trec_run, calc_aggregate", measure)
