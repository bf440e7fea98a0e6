"""Our own harness: `harness.run` on folders, with plug-ins for faults of scores and `run:` files for faults of runs."""

from __future__ import annotations

import json
import sqlite3
import warnings
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import harness
from harness.result.evaluation import Evaluation
from harness.running.imported.taken import take_means
from planted.case import NDCG, RR, Case, Kind, Values, is_embedder
from planted.sources import beir_folder, mteb_results, run_file, trec_judgments

MEASURES = (NDCG, RR)
_ENGLISH = 'language = "en"\n'


class AlarmWarning(UserWarning):
    """An alarm of an evaluation, handed on so that it is seen as any other warning."""


class Ours:
    """The first stage is a run file with the lists in their order, the rest follows the fault."""

    name = "ours"
    entry = "harness.run(folder, first_stage='run:FILE', rerankers=[spec])"
    version = version("rerank-harness")

    def __init__(self) -> None:
        self._ways: dict[Kind, Callable[[Case, Path], Values]] = {
            "subsets": self._one_of_two_subsets,
            "run": self._of_run,
            "twice": self._of_run,
            "model": self._of_folder,
            "changed": self._changed_between,
            "imported": self._imported,
            "bm25": self._bm25,
        }

    def evaluate(self, case: Case, folder: Path) -> tuple[Values, Values]:
        """Evaluate once; twice where the fault is in what is stored."""
        if case.kind == "stored":
            return self._stored(case, folder)
        return self._ways.get(case.kind, self._of_scores)(case, folder), case.right

    def _of_scores(self, case: Case, folder: Path) -> Values:
        return self._measured(case, folder, self._plug_in(case, folder))

    def _of_run(self, case: Case, folder: Path) -> Values:
        return self._measured(case, folder, f"run:{run_file(folder / 'reranked.trec', case.run)}")

    def _of_folder(self, case: Case, folder: Path) -> Values:
        return self._measured(case, folder, _spec(case, case.written(folder)))

    def _changed_between(self, case: Case, folder: Path) -> Values:
        place = self._evaluated_once(case, folder)
        return self._measured(case, folder, _spec(case, place))

    def _evaluated_once(self, case: Case, folder: Path) -> Path:
        """The folder of a model after its first evaluation and its change. What is said before the change is not of
        it."""
        place = case.written(folder)
        with warnings.catch_warnings(action="ignore"):
            self._measured(case, folder, _spec(case, place))
        if case.model:
            case.model.change(place)
        return place

    def scored_again(self, case: Case, folder: Path) -> int:
        """Pairs that the model is asked for in the second of two evaluations."""
        place = self._evaluated_once(case, folder)
        return self._evaluated(case, folder, _spec(case, place)).fresh

    def _bm25(self, case: Case, folder: Path) -> Values:
        return self._measured(case, folder, "bm25")

    def _imported(self, case: Case, folder: Path) -> Values:
        """A note that stands with all of the values is handed on as a warning."""
        take_means([mteb_results(case, folder)], folder / "workspace")
        frame = harness.results(workspace=folder / "workspace", measures=[RR])
        if frame["known_wrong"].notna().all():
            for note in frame["known_wrong"].unique():
                warnings.warn(str(note), AlarmWarning, stacklevel=2)
        return {RR: float(frame["value"].mean())}

    def _plug_in(self, case: Case, folder: Path) -> str:
        file = folder / "scores.json"
        pairs = [(case.queries[q], case.corpus[d]) for q, names in case.lists.items() for d in names]
        given = [[*pair, case.scores.get(pair)] for pair in dict.fromkeys(pairs)]
        file.write_text(json.dumps({"pairs": given, "range": case.elsewhere}))
        return f"{case.options.get('ours', 'planted.ours_adapters:Scripted')}?scores={file}"

    def _measured(self, case: Case, folder: Path, reranker: str) -> Values:
        found = self._evaluated(case, folder, reranker)
        return {str(name): float(row.mean()) for name, row in zip(found.measures, found.values, strict=True)}

    def _evaluated(self, case: Case, folder: Path, reranker: str) -> Evaluation:
        allowed = case.options.get("allow")
        language = "" if case.kind == "bm25" else _ENGLISH
        target = beir_folder(case, folder, toml=language + (f"allow = {json.dumps(allowed)}\n" if allowed else ""))
        if case.kind == "trec":
            trec_judgments(case, target / "qrels" / "test.tsv")
        (found,) = self._reranked(case, target, self._first_stage(case, folder), reranker, folder)
        return found

    def _first_stage(self, case: Case, folder: Path) -> str:
        """Best first; a repeat is a fault of the reranked list only."""
        ranked = {q: [(d, float(-i)) for i, d in enumerate(dict.fromkeys(names))] for q, names in case.lists.items()}
        return f"run:{run_file(folder / 'first.trec', ranked)}"

    def _reranked(self, case: Case, target: Path, first: str, reranker: str, folder: Path) -> list[Evaluation]:
        outcome = harness.run(
            str(target), first_stage=first, rerankers=[reranker], depth=100, measures=MEASURES,
            workspace=folder / "workspace",
        )  # fmt: skip
        reranked = [one for one in outcome.evaluations if one.system.reranker]
        _tell(case, reranked)
        return reranked

    def _one_of_two_subsets(self, case: Case, folder: Path) -> Values:
        """A set of two languages, a first stage for both, and a run file with the scores of one."""
        german = replace(case, queries=case.queries)
        english = _prefixed(case, "e")
        for language, part in (("de", german), ("en", english)):
            beir_folder(part, folder / "set", language, f'language = "{language}"\n')
        both = {**german.lists, **english.lists}
        first = run_file(folder / "first.trec", {q: [(d, float(-i)) for i, d in enumerate(n)] for q, n in both.items()})
        run = run_file(folder / "german.trec", german.run)
        found = self._reranked(case, folder / "set", f"run:{first}", f"run:{run}", folder)
        return {NDCG: sum(float(one.values[0].mean()) for one in found) / len(found)}

    def _stored(self, case: Case, folder: Path) -> tuple[Values, Values]:
        """One byte of every row of the ledger."""
        spec = self._plug_in(case, folder)
        right = self._measured(case, folder, spec)
        with closing(sqlite3.connect(folder / "workspace" / "ledger.sqlite")) as database, database:
            rows = database.execute("select scorer, query, part, pairs from part").fetchall()
            for *key, blob in rows:
                spoiled = bytes([*blob[:19], blob[19] ^ 0x40, *blob[20:]])
                database.execute(
                    "update part set pairs = ? where scorer = ? and query = ? and part = ?", (spoiled, *key)
                )
        return self._measured(case, folder, spec), right


def _spec(case: Case, place: Path) -> str:
    """A folder is named without its kind, unless the fault is to name it as an embedder."""
    kind = "embedder:" if is_embedder(case) else ""
    return f"{kind}{place}?device=cpu{case.model.options if case.model else ''}"


def _tell(case: Case, evaluations: Sequence[Evaluation]) -> None:
    """Checkpoints have random weights, and the probe says truly that they hardly tell answers from other texts: that is
    no sign of a fault."""
    for one in evaluations:
        for alarm in one.alarms:
            if not (case.model and alarm.name == "orientation"):
                warnings.warn(str(alarm), AlarmWarning, stacklevel=3)


def _prefixed(case: Case, prefix: str) -> Case:
    """The same collection under other ids."""
    return replace(
        case,
        queries={prefix + q: text for q, text in case.queries.items()},
        corpus={prefix + d: text for d, text in case.corpus.items()},
        qrels=[(prefix + q, prefix + d, grade) for q, d, grade in case.qrels],
        lists={prefix + q: [prefix + d for d in names] for q, names in case.lists.items()},
        run={prefix + q: [(prefix + d, s) for d, s in rows] for q, rows in case.run.items()},
    )
