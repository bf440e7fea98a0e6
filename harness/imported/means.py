"""Means that somebody else measured, as the store keeps them: a value for each measure, and no value for any query."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from adapters.errors import UsageError
from harness.collection import Counts, Rules
from harness.imported.formats import MTEB_RESULTS
from harness.imported.mteb_results import META, Model, TaskPart, model_of, parts_of
from harness.imported.origin import Origin, marked, origin_of
from harness.imported.systems import KEY
from harness.suites.targets import SuiteCollection
from harness.system import MadeOf

PREFIX = "mteb:"
"""How the fingerprint of a collection begins that nobody read here: it is known by its place in mteb alone."""


@dataclass(frozen=True)
class Means:
    """One system on one collection that this workspace may never have seen."""

    entry: SuiteCollection
    first_stage: str
    """Marked, where it is the imported system itself."""
    reranker: str | None
    """Marked."""
    depth: int
    """0 where it is not stated."""
    origin: Origin
    values: Mapping[str, float]
    """Fractions, by measure."""

    @property
    def fingerprint(self) -> str:
        """Where the collection is in mteb. Equal to no fingerprint of content."""
        where = self.entry.mteb
        return f"{PREFIX}{where.task}@{where.revision}/{where.split}/{where.subset}"

    @property
    def made_of(self) -> MadeOf:
        """What is known of how it was made."""
        return MadeOf({
            "evaluator": self.origin.evaluator,
            "collection": self.fingerprint,
            "retriever": {"name": self.first_stage},
            "depth": self.depth or None,
            "candidates": self.candidates,
            "reranker": {"name": self.reranker} if self.reranker else None,
            KEY: self.origin.identity,
        })  # fmt: skip

    @property
    def candidates(self) -> str:
        """Not known, and so not equal to those of anything else."""
        return f"not stated: {self.origin.digest}"

    @property
    def counts(self) -> dict[str, object]:
        """As the suite's table has them."""
        known, unknown = self.entry.counts, dict.fromkeys(Counts.__dataclass_fields__)
        return {**unknown, "documents": known.documents, "queries": known.queries, "judgments": known.relevant}

    @property
    def rules(self) -> dict[str, object]:
        """As the suite's table has them."""
        entry = self.entry
        return asdict(Rules(entry.instruction, None, entry.main_measure, entry.drop_identical_ids, note=entry.note))


def means_in(path: Path, name: str | None = None, measures: Sequence[str] = ()) -> list[Means]:
    """The means of one result of mteb: of each collection's official measure, and of those that are named.

    Raises:
        UsageError: no suite has the task, its data are others, nothing names the model, or a measure is not there.
        DataError: it is no result of mteb.
    """
    model = model_of(path, name)
    return [_means(path, model, part, measures) for part in parts_of(path, model)]


def result_files(folder: Path) -> Iterator[Path]:
    """The files of a folder that could be results of mteb, in order."""
    yield from (file for file in sorted(folder.rglob("*.json")) if file.name != META)


def _means(path: Path, model: Model, part: TaskPart, measures: Sequence[str]) -> Means:
    wanted = dict.fromkeys([part.entry.main_measure, *measures])
    missing = [measure for measure in wanted if measure not in part.means]
    if missing:
        raise UsageError(f"{path}: no {missing[0]} of {part.entry.target}; it has {', '.join(part.means) or 'none'}")
    stated = {"model": model.name, "revision": model.revision}
    stated |= {"model_in_file": model.in_file} if model.in_file else {}
    origin = origin_of(path, "mean", MTEB_RESULTS, part.evaluator, stated)
    own, values = marked(model.label), {measure: part.means[measure] for measure in wanted}
    if part.first_stage is None:
        return Means(part.entry, own, None, part.depth, origin, values)
    return Means(part.entry, part.first_stage, own, part.depth, origin, values)
