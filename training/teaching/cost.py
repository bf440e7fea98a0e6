"""What the teachers would be asked, before anything is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.scoring.rerank import unscored
from harness.scoring.session import Session
from training.mining.pool import Pool
from training.teaching.answers import unanswered
from training.teaching.blend import shares_of
from training.teaching.choosing import dev_pairs
from training.teaching.cycles import most
from training.teaching.drawing import drawn_rows
from training.teaching.lesson import TeachingSet
from training.teaching.pairwise import graph, questions_of
from training.teaching.scored import panel_of, sampled, texts_of
from training.teaching.settings import TeachingSettings
from training.teaching.teachers import ComparingTeacher, Teacher


@dataclass(frozen=True)
class TeacherCost:
    """What one teacher would be asked."""

    spec: str
    what: str
    """`pairs` to score, `pairs of dev` to choose the weights, or `comparisons` in both orders, each of which is one
    answer."""
    all: int
    new: int
    """Those that are not in the ledger."""
    is_bound: bool = False
    """Whether the numbers are upper bounds, because the sample or the choice of teachers depends on scores that are not
    known yet."""
    characters: int | None = None
    """The length of the texts of the new ones, without the prompt; None where it is not known yet."""


def teaching_cost(
    teaching_set: TeachingSet, specs: Sequence[str], settings: TeachingSettings, session: Session
) -> list[TeacherCost]:
    """The cost of each teacher, in their order; before it that of the dev queries if weights are chosen on some. No
    teacher is asked.

    Raises:
        UsageError: see `teach`.
    """
    chosen = _choosing(specs, settings, session)
    shares = shares_of(settings.weights, len(specs))
    texts = texts_of(teaching_set, settings.score_as, session)
    panel = panel_of(specs, texts, settings, session)
    found = list[TeacherCost]()
    for one in panel:
        if isinstance(one, Teacher):
            new = unscored(texts.collection, texts.run, one.reranker, session.ledger)
            found.append(TeacherCost(one.spec, "pairs", len(teaching_set.pool), new, is_bound=bool(chosen)))
        elif any(isinstance(other, Teacher) for other in panel):
            found.append(_bound(one, teaching_set.pool, settings))
        else:
            taken = sampled(teaching_set, panel, shares, {}, settings.plan)
            pairs = graph(
                teaching_set, drawn_rows(teaching_set, taken.rows), settings.pairwise or 1, settings.plan.seed
            )
            questions = questions_of(pairs, teaching_set.pool, texts)
            new_rows = unanswered(one, questions, session.ledger)
            characters = sum(len(text) for column in questions.texts(new_rows) for text in column)
            found.append(TeacherCost(one.spec, "comparisons", len(questions), len(new_rows), characters=characters))
    return [*chosen, *found]


def _choosing(specs: Sequence[str], settings: TeachingSettings, session: Session) -> list[TeacherCost]:
    if settings.choose_on is None:
        return []
    counts = dev_pairs(settings.choose_on.load(session), specs, settings.max_length, session)
    return [TeacherCost(spec, "pairs of dev", every, new) for spec, (every, new) in zip(specs, counts, strict=True)]


def _bound(one: ComparingTeacher, pool: Pool, settings: TeachingSettings) -> TeacherCost:
    sizes = np.minimum(np.diff(pool.offsets), settings.plan.per_query)
    answers = 2 * sum(most(size, settings.pairwise or 1) for size in sizes.tolist())
    return TeacherCost(one.spec, "comparisons", answers, answers, is_bound=True)
