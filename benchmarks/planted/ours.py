"""Our own harness: `harness.run` on folders, with plug-ins for faults of scores and `run:` files for faults of runs."""

from __future__ import annotations

import json
import sqlite3
import warnings
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import harness
from harness.evaluation import Evaluation
from planted.case import NDCG, RR, Case, Values
from planted.checkpoint import checkpoint, loaded, right_values, trained_on
from planted.sources import beir_folder, run_file

MEASURES = (NDCG, RR)
_ENGLISH = 'language = "en"\n'


class AlarmWarning(UserWarning):
    """An alarm of an evaluation, handed on so that it is seen as any other warning."""


class Ours:
    """The first stage is a run file with the lists in their order, the rest follows the fault."""

    name = "ours"
    entry = "harness.run(folder, first_stage='run:FILE', rerankers=[spec])"
    version = version("rerank-harness")

    def evaluate(self, case: Case, folder: Path) -> tuple[Values, Values]:
        """Evaluate once; twice where the fault is in what is stored."""
        if case.kind == "subsets":
            return self._one_of_two_subsets(case, folder), case.right
        if case.kind == "checkpoint":
            return self._written_over(case, folder)
        if case.kind == "stored":
            return self._changed(case, folder)
        if case.kind == "head":
            return self._measured(case, folder, self._checkpoint(loaded(case, folder))), right_values(case, folder)
        if case.kind in {"run", "twice"}:
            return self._measured(case, folder, f"run:{run_file(folder / 'reranked.trec', case.run)}"), case.right
        return self._measured(case, folder, self._plug_in(case, folder)), case.right

    def _plug_in(self, case: Case, folder: Path) -> str:
        file = folder / "scores.json"
        pairs = [(case.queries[q], case.corpus[d]) for q, names in case.lists.items() for d in names]
        told = [[*pair, case.scores.get(pair)] for pair in dict.fromkeys(pairs)]
        file.write_text(json.dumps({"pairs": told, "range": case.elsewhere}))
        return f"{case.options.get('ours', 'planted.ours_adapters:Told')}?scores={file}"

    def _checkpoint(self, place: Path) -> str:
        return f"cross-encoder:{place}?device=cpu"

    def _measured(self, case: Case, folder: Path, reranker: str) -> Values:
        (found,) = self._reranked(
            beir_folder(case, folder, toml=_ENGLISH), self._first_stage(case, folder), reranker, folder
        )
        return {str(name): float(row.mean()) for name, row in zip(found.measures, found.values, strict=True)}

    def _first_stage(self, case: Case, folder: Path) -> str:
        """Best first; a repeat is a fault of the reranked list only."""
        ranked = {q: [(d, float(-i)) for i, d in enumerate(dict.fromkeys(names))] for q, names in case.lists.items()}
        return f"run:{run_file(folder / 'first.trec', ranked)}"

    def _reranked(self, target: Path, first: str, reranker: str, folder: Path) -> list[Evaluation]:
        outcome = harness.run(
            str(target), first_stage=first, rerankers=[reranker], depth=100, measures=MEASURES,
            workspace=folder / "workspace",
        )  # fmt: skip
        reranked = [one for one in outcome.evaluations if one.system.reranker]
        _tell(reranked)
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
        found = self._reranked(folder / "set", f"run:{first}", f"run:{run}", folder)
        return {NDCG: sum(float(one.values[0].mean()) for one in found) / len(found)}

    def _written_over(self, case: Case, folder: Path) -> tuple[Values, Values]:
        place = checkpoint(folder)
        self._measured(case, folder, self._checkpoint(place))
        trained_on(place)
        return self._measured(case, folder, self._checkpoint(place)), right_values(case, folder, turned=True)

    def _changed(self, case: Case, folder: Path) -> tuple[Values, Values]:
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


def _tell(evaluations: Sequence[Evaluation]) -> None:
    for one in evaluations:
        for alarm in one.alarms:
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
