"""Measures the robustness of a reranker: it scores perturbed texts, and returns the values per query."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from harness.checks.unrelated import ChosenQueries, chosen_queries
from harness.measuring.robustness.perturbations import Attack, Invariance, Perturbation, named
from harness.measuring.robustness.perturbed import ANY, RELEVANT, Floats64, Perturbed
from harness.result.evaluation import Evaluation
from harness.scoring.ground import CandidatePool, part_of
from harness.scoring.rerank import score_texts
from harness.scoring.session import Session
from harness.scoring.system import ModelReranker

QUERIES = 300
"""The default number of queries of each collection."""


@dataclass(frozen=True)
class Battery:
    """The perturbations to measure, and the number of queries of each collection."""

    perturbations: tuple[Perturbation, ...]
    queries: int = QUERIES


def battery_of(names: Sequence[str], queries: int = QUERIES) -> Battery | None:
    """Return the battery of the named perturbations; None without a name.

    Raises:
        UsageError: a name is unknown.
    """
    return Battery(named(names), queries) if names else None


def examined(evaluation: Evaluation, battery: Battery | None, session: Session) -> Evaluation:
    """Return the evaluation with its values under the perturbations. A system that scores no pairs has none; for a
    reranker, a note says so.

    Raises:
        ModelError: a score is not finite, or the reranker left out pairs.
    """
    system = evaluation.system
    if battery is None or system.reranker is None:
        return evaluation
    if not isinstance(system.reranker, ModelReranker):
        session.reporter.note(f"{system.name}: robustness is not measured, because it does not score pairs of texts")
        return evaluation
    ground = evaluation.ground
    chosen = chosen_queries(ground.collection, ground.judged, battery.queries)
    _say(evaluation, chosen, session)
    if not len(chosen.rows):
        return evaluation
    return replace(evaluation, perturbed=tuple(_Examination(evaluation, chosen, session).values(battery)))


def _say(evaluation: Evaluation, chosen: ChosenQueries, session: Session) -> None:
    """Note how many queries have no relevant candidate or no unrelated document."""
    collection = evaluation.collection
    if missing := len(collection.queries) - chosen.eligible:
        session.reporter.note(
            f"{collection.name}: robustness leaves out {missing:,} of {len(collection.queries):,} queries, which have "
            "no relevant candidate or no unrelated document"
        )


class _Examination:
    """The sampled queries of one evaluation with their candidates."""

    def __init__(self, evaluation: Evaluation, chosen: ChosenQueries, session: Session) -> None:
        self._chosen, ground = chosen, replace(evaluation.ground, candidates=evaluation.run)
        self._part: CandidatePool = part_of(ground, chosen.rows)
        queries = self._part.collection.queries
        self._ids, self._queries = tuple(queries.ids()), list(queries)
        self._unrelated = ground.collection.corpus.take(chosen.unrelated)
        assert isinstance(evaluation.system.reranker, ModelReranker)
        self._title = f"{ground.collection.name}: {evaluation.system.name}"
        self._score = partial(
            score_texts,
            reranker=evaluation.system.reranker.on(ground.collection),
            session=session,
            source=evaluation.system.reranker.source(ground.collection),
        )

    def values(self, battery: Battery) -> Iterator[Perturbed]:
        """Yield the values of every perturbation, the attacks first."""
        attacks = [one for one in battery.perturbations if isinstance(one, Attack)]
        yield from self._attacked(attacks) if attacks else ()
        for one in battery.perturbations:
            if isinstance(one, Invariance):
                yield from self._changed(one)

    def _attacked(self, attacks: Sequence[Attack]) -> Iterator[Perturbed]:
        """Yield the margins of the attacks. They are scored together, because each has only one document per query."""
        both = list(zip(self._queries, self._unrelated, strict=True))
        documents = [[attack.document(*texts) for attack in attacks] for texts in both]
        asked = [(query, one) for query, own in zip(self._queries, documents, strict=True) for one in own]
        scores = self._score(asked, title=f"{self._title}, attacks").reshape(len(both), len(attacks))
        best = {RELEVANT: self._best(relevant=True), ANY: self._best(relevant=False)}
        for place, attack in enumerate(attacks):
            changed = sum(own[place] != text for own, text in zip(documents, self._unrelated, strict=True))
            for measure, highest in best.items():
                yield self._row(attack, measure, scores[:, place].astype(np.float64) - highest, changed)

    def _best(self, *, relevant: bool) -> Floats64:
        """Return the highest score of a candidate, or of a relevant one, of every query."""
        run, judged = self._part.candidates, self._part.judged
        counted = judged.grades >= 1 if relevant else np.ones(len(run), bool)
        best = np.full(len(self._queries), -np.inf)
        np.maximum.at(best, run.queries[counted], run.scores[counted])
        return best

    def _changed(self, change: Invariance) -> Iterator[Perturbed]:
        """Yield the values of every measure with changed texts."""
        queries = [change.query(text) if change.query else text for text in self._queries]
        before = [f"{change.before(text)} " if change.before else "" for text in self._unrelated]
        run = self._part.candidates
        documents = self._part.collection.corpus.take(run.documents.astype(np.int64))
        rows = zip(run.queries.tolist(), documents, strict=True)
        asked = [(queries[row], f"{before[row]}{text}") for row, text in rows]
        scores = self._score(asked, title=f"{self._title}, {change.name}")
        values = self._part.judged.values(self._part.measures, scores)
        pairs = zip(queries, self._queries, before, strict=True)
        changed = sum(query != text or bool(added) for query, text, added in pairs)
        for measure, own in zip(self._part.measures, values, strict=True):
            yield self._row(change, str(measure), own, changed)

    def _row(self, one: Perturbation, measure: str, values: Floats64, changed: int) -> Perturbed:
        return Perturbed(one.name, measure, one.version, self._ids, values, changed, self._chosen.eligible)
