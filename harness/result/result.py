"""`Result`, the value that the store writes and reads, and that is printed, compared and exported."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from adapters.errors import UsageError
from harness.data.known_parallel import known_by_name
from harness.data.suites.table import PAIRED_MEASURE
from harness.measuring.robustness.perturbed import Perturbed
from harness.measuring.statistics.design import Questions
from harness.result.environment import command_line, environment
from harness.result.facts import AuditFacts, CollectionFacts, Controls, CountFacts, Environment, Made, Timing
from harness.result.keys import CollectionKey, SystemKey
from harness.result.known_wrong import known_by_now
from harness.result.origin import stored_identity
from harness.result.stored import Stored
from harness.result.typed import typed

if TYPE_CHECKING:
    from harness.data.collection import Collection
    from harness.result.evaluation import Evaluation
    from harness.result.means import Means

Floats64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Result:
    """One measure of one system on one collection. Values are fractions."""

    stored: Stored
    system: SystemKey
    collection: CollectionKey
    """The column that it belongs to. For an imported mean: the same collection as measured here, if it was."""
    measure: str
    values: Floats64
    """float64 [queries]; [questions] for p-MRR; empty for an imported mean."""
    ids: tuple[str, ...]
    """The ids of the queries or questions, aligned with `values`."""
    timing: Timing = field(default_factory=Timing)
    perturbed: tuple[Perturbed, ...] = ()
    """The values of the evaluation on perturbed texts; see docs/robustness.md."""

    @cached_property
    def value(self) -> float:
        """The mean; NaN if there is none."""
        if len(self.values):
            return float(np.mean(self.values))
        return self.stored.means.get(self.measure, float("nan"))

    @cached_property
    def questions(self) -> Questions:
        """The questions that the values belong to."""
        return self.stored.collection.questions(self.ids)

    @property
    def candidates(self) -> str:
        """The id of the frozen candidates."""
        return self.stored.candidates

    @property
    def pairs_per_second(self) -> float | None:
        """The speed on this machine; None if nothing was scored here."""
        return self.timing.pairs_per_second

    @property
    def is_mean_only(self) -> bool:
        """Whether this is an imported mean without values per query: it has no interval, no test and no rank."""
        return self.imported and not len(self.values)

    def with_values(self) -> Result:
        """Return this result.

        Raises:
            UsageError: it is an imported mean.
        """
        if self.is_mean_only:
            what = f"{self.id} is an imported mean of {self.measure}"
            raise UsageError(f"{what} without values per query, so it has no interval and no test")
        return self

    @property
    def id(self) -> str:
        """The id of the evaluation, for `harness show`."""
        return self.stored.id

    @property
    def chance(self) -> float | None:
        """The expected value of a random order of the same candidates."""
        return self.stored.controls.of("chance", self.measure)

    @property
    def ceiling(self) -> float | None:
        """The value of a perfect order of the same candidates."""
        return self.stored.controls.of("oracle", self.measure)

    @property
    def tie_span(self) -> float | None:
        """Best minus worst value over the orders of equal scores."""
        ties = self.stored.audit.ties.get(self.measure)
        return None if ties is None else ties[1] - ties[0]

    @property
    def truncated(self) -> float | None:
        """The share of candidates that lost at least one token; None if the system has no tokens."""
        tokens, candidates = self.stored.audit.tokens, self.stored.audit.candidates
        return tokens.truncated / candidates if tokens and candidates else None

    @property
    def imported(self) -> bool:
        """Whether the result was imported."""
        return self.stored.imported

    @cached_property
    def wrong(self) -> str | None:
        """Why an imported value is known to be wrong; None for all other values. Such a value is not marked as best."""
        return self.stored.wrong


def made_now() -> Made:
    """Return the current time, command and environment."""
    known = typed(Environment, environment(), "environment")
    return Made(datetime.now(UTC).isoformat(timespec="seconds"), command_line(), known)


def results_of(evaluation: Evaluation, corpus: str | None = None) -> tuple[Result, ...]:
    """Return the results of an evaluation, one per measure, p-MRR last: what the store writes and every table shows.

    Args:
        corpus: the fingerprint of the corpus alone. Default: not known.
    """
    stored = _stored_of(evaluation, corpus)
    asked = tuple(evaluation.collection.queries.ids())
    values = {str(measure): (row, asked) for measure, row in zip(evaluation.measures, evaluation.values, strict=True)}
    if evaluation.paired is not None:
        values[PAIRED_MEASURE] = evaluation.paired.values, evaluation.paired.questions
    timing = evaluation.timing or Timing(evaluation.fresh, evaluation.seconds if evaluation.fresh else 0.0)
    return tuple(result_of(stored, measure, *own, timing, evaluation.perturbed) for measure, own in values.items())


def results_of_means(means: Means, made: Made) -> tuple[Result, ...]:
    """Return the results of imported means. They have no values per query, audit, controls or environment."""
    collection, identity = _collection_of_means(means), _plain(stored_identity(means.made_of.content))
    place = (means.reranker or means.first_stage, collection.name, collection.split)
    stored = Stored(
        id=means.made_of.id, collection=collection, first_stage=means.first_stage, reranker=means.reranker,
        depth=means.depth, candidates=means.candidates, identity=identity,
        audit=AuditFacts(alarms=known_by_now((), identity, *place, means.values)), controls=Controls(),
        environment=Environment(), command=made.command, created=made.at, updated=made.at, means=dict(means.values),
    )  # fmt: skip
    return tuple(result_of(stored, measure, np.empty(0), (), Timing()) for measure in means.values)


def result_of(  # noqa: PLR0917
    stored: Stored,
    measure: str,
    values: Floats64,
    ids: tuple[str, ...],
    timing: Timing,
    perturbed: tuple[Perturbed, ...] = (),
) -> Result:
    """Return one measure of a stored evaluation, with the row and the column of its facts."""
    return Result(stored, stored.key, stored.collection.key, measure, values, ids, timing, perturbed)


def _stored_of(evaluation: Evaluation, corpus: str | None) -> Stored:
    system, made = evaluation.system, evaluation.made
    measured = zip(evaluation.measures, evaluation.values, strict=True)
    means = {str(measure): float(np.mean(row)) for measure, row in measured if len(row)}
    if evaluation.paired is not None and len(evaluation.paired.values):
        means[PAIRED_MEASURE] = float(np.mean(evaluation.paired.values))
    return Stored(
        id=evaluation.id, collection=_collection_of(evaluation.collection, corpus),
        first_stage=system.first_stage.name, reranker=system.reranker.name if system.reranker else None,
        depth=system.depth, candidates=evaluation.run.candidates,
        identity=_plain(stored_identity(evaluation.made_of.content)),
        audit=AuditFacts.of(_plain(evaluation.audited), "audit"), controls=Controls(evaluation.ground.means()),
        environment=made.environment, command=made.command, created=made.at, updated=made.at, means=means,
    )  # fmt: skip


def _collection_of(collection: Collection, corpus: str | None) -> CollectionFacts:
    sought = collection.language is None and collection.language_sought
    return CollectionFacts(
        name=collection.name, split=collection.split, fingerprint=collection.fingerprint,
        counts=replace(typed(CountFacts, asdict(collection.counts), "counts"), same_ids=collection.same_ids),
        rules=collection.rules,
        language=collection.language, detected_language=collection.detected_language if sought else None,
        language_sought=sought, sampled_from=collection.sampled_from, part_of=collection.part_of,
        group=collection.group, corpus=corpus, parallel=collection.parallel, parallel_by=collection.parallel_by,
    )  # fmt: skip


def _collection_of_means(means: Means) -> CollectionFacts:
    entry, rules = means.entry, means.rules
    parallel, parallel_by = known_by_name(entry.target, rules.note)
    return CollectionFacts(
        name=means.collection_name, split=entry.mteb.split, fingerprint=means.fingerprint,
        counts=means.counts, rules=rules,
        language=entry.language, language_sought=False, group=entry.group, parallel=parallel, parallel_by=parallel_by,
    )  # fmt: skip


def _plain(content: Mapping[str, object]) -> dict[str, object]:
    """Return the content as JSON reads it back, with lists instead of tuples."""
    found: dict[str, object] = json.loads(json.dumps(content))
    return found
