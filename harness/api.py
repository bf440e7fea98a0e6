"""The Python interface says the same as the command line: one call answers the question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.errors import UsageError, need
from harness.bench import opened
from harness.collection import Collection, sample_queries
from harness.evaluation import Evaluation
from harness.experiment import experiment
from harness.measures import parse
from harness.progress import Reporter, Silent
from harness.sources import load
from harness.sources.recognise import sources
from harness.system import System, systems
from harness.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

FIRST_STAGE = "Qwen/Qwen3-Embedding-0.6B"
DEPTH = 100


@dataclass(frozen=True)
class Outcome:
    """What a run gave."""

    evaluations: tuple[Evaluation, ...]

    def table(self) -> str:
        """The comparison tables in Markdown."""
        from reports.comparison import comparison_tables
        from reports.tables import markdown

        return "\n".join(markdown(table) for table in comparison_tables(self.evaluations))

    def frame(self) -> pd.DataFrame:
        """One row per system, collection, query and measure: columns system, collection, language, query, measure,
        value."""
        pandas = need("pandas", "reports", "a frame")
        parts = [
            pandas.DataFrame({
                "system": evaluation.system.label,
                "collection": evaluation.collection.name,
                "language": evaluation.collection.language,
                "query": evaluation.collection.queries.ids(),
                "measure": str(measure),
                "value": values,
            })
            for evaluation in self.evaluations
            for measure, values in zip(evaluation.measures, evaluation.values, strict=True)
        ]  # fmt: skip
        frame: pd.DataFrame = pandas.concat(parts, ignore_index=True)
        return frame

    def write(self, out: str | Path, command: str = "harness.run(...)") -> None:
        """Write the report folder: report.md, tables, results.json, TREC runs."""
        from reports.folder import write_report

        write_report(Path(out), self.evaluations, command)


def run(
    *targets: str,
    first_stage: str = FIRST_STAGE,
    rerankers: Sequence[str] = (),
    depth: int = DEPTH,
    measures: Sequence[str] = (),
    languages: Sequence[str] = (),
    split: str | None = None,
    sample: int | None = None,
    rules: str | Path | None = None,
    workspace: str | Path | None = None,
    reporter: Reporter | None = None,
) -> Outcome:
    """Evaluate a first stage and rerankers on collections.

    Args:
        targets: folders, zips, files of reranking rows, folders of collections, or `demo`.
        first_stage: a spec string, `given` for a reranking set's own lists, or `run:FILE`.
        rerankers: spec strings; see `adapters.spec`.
        depth: candidates per query.
        measures: `nDCG@10`, `R@100`, ...; empty for each collection's main measure.
        languages: only these, of targets that have several.
        sample: take this many queries of every collection, always the same ones.
        rules: a file that declares rules for the collections; see `harness.sources.declared`.
        workspace: the folder that remembers; default HARNESS_WORKSPACE or `./.harness`.

    Raises:
        HarnessError: with one line that says what to do.
    """
    _refuse_text(rerankers=rerankers, measures=measures, languages=languages)
    for name in measures:
        parse(name)
    _refuse_targets(targets, split, languages, rules)
    opened_workspace = Workspace.open(Path(workspace) if workspace else None)
    evaluated = systems(first_stage, list(dict.fromkeys(rerankers)), depth, opened_workspace)
    collections = collections_of(
        targets, opened_workspace, split=split, languages=languages, sample=sample, rules=rules
    )
    told = reporter or Silent()
    told.note(_cost(collections, evaluated, depth))
    with opened(opened_workspace, told) as bench:
        return Outcome(tuple(experiment(collections, evaluated, measures, bench)))


def collections_of(
    targets: Sequence[str],
    workspace: Workspace,
    *,
    split: str | None = None,
    languages: Sequence[str] = (),
    sample: int | None = None,
    rules: str | Path | None = None,
) -> list[Collection]:
    """The collections that the targets name, each once."""
    declared = Path(rules) if rules else None
    found = [
        collection
        for target in targets
        for collection in load(target, workspace, split=split, languages=languages, rules=declared)
    ]
    if sample is not None:
        found = [sample_queries(collection, sample) for collection in found]
    return list({collection.fingerprint: collection for collection in found}.values())


def _refuse_targets(
    targets: Sequence[str], split: str | None, languages: Sequence[str], rules: str | Path | None
) -> None:
    """Before any model is looked for: a wrong target is told at once."""
    if not targets:
        raise UsageError("name what to run on: a folder, a zip, a file of reranking rows, or 'demo'")
    for target in targets:
        sources(target, split, languages, Path(rules) if rules else None)


def _refuse_text(**lists: Sequence[str]) -> None:
    for name, given in lists.items():
        if isinstance(given, str):
            raise UsageError(f"{name} is a list; write {name}=[{given!r}]")


def _cost(collections: Sequence[Collection], evaluated: Sequence[System], depth: int) -> str:
    documents = sum(len(collection.corpus) for collection in collections)
    queries = sum(len(collection.queries) for collection in collections)
    pairs = sum(len(c.given.documents) if c.given else len(c.queries) * min(depth, len(c.corpus)) for c in collections)
    return (
        f"collections: {len(collections)}, documents to search: {documents:,}, queries: {queries:,}, "
        f"rerankers: {len(evaluated) - 1}, pairs for each: at most {pairs:,}, less what is already known"
    )
