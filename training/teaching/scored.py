"""What the teachers of a panel score, and the sample that is drawn from their scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from adapters.errors import UsageError
from adapters.protocols import Floats
from harness.scoring.rerank import Reranked, rerank
from harness.scoring.session import Session
from training.mining.sampling import Sample, plausibility, sample
from training.stages import Plan
from training.teaching.blend import Scores, blended
from training.teaching.drawing import fused, keys_of
from training.teaching.lesson import TeachingSet
from training.teaching.parallel import TaughtTexts, own_texts, parallel_texts
from training.teaching.settings import TeachingSettings
from training.teaching.teachers import ComparingTeacher, Teacher, open_panel, open_teachers

Panel = Sequence[Teacher | ComparingTeacher]


def texts_of(teaching_set: TeachingSet, score_as: str | None, session: Session) -> TaughtTexts:
    """The texts that the teachers read: those of the pool, or of a parallel collection.

    Raises:
        DataError: the parallel collection lacks queries or documents of the pool.
        UsageError: it is unknown.
    """
    collection, pool = teaching_set.collection, teaching_set.pool
    if score_as is None:
        return own_texts(collection, pool)
    return parallel_texts(score_as, teaching_set.split, collection, pool, session.workspace)


def panel_of(specs: Sequence[str], texts: TaughtTexts, settings: TeachingSettings, session: Session) -> Panel:
    """Open the teachers. Only with `settings.pairwise` may they compare.

    Raises:
        UsageError: see `open_teachers`; or `drop_above` is set, and no teacher gives scores.
    """
    given = specs, texts.collection, settings.max_length, settings.facts, session, settings.dtype
    if settings.pairwise is None:
        return open_teachers(*given)
    panel = open_panel(*given)
    if settings.plan.drop_above is not None and not any(isinstance(one, Teacher) for one in panel):
        raise UsageError(
            "no teacher scores documents, so none can be above a share of the source's score; leave out --drop-above"
        )
    return panel


def scored(panel: Panel, texts: TaughtTexts, session: Session) -> dict[int, Reranked]:
    """The scores of the teachers that give some, by their places in the panel.

    Raises:
        ModelError: a score is not finite.
    """
    return {
        place: rerank(texts.collection, texts.run, one.reranker, session, f"teacher {one.spec}", one.source)
        for place, one in enumerate(panel)
        if isinstance(one, Teacher)
    }


def sampled(
    teaching_set: TeachingSet, panel: Panel, shares: Sequence[float], raw: Mapping[int, Floats], plan: Plan
) -> Sample:
    """Draw the sample from the blended scores; without scores, from the fused ranks of the retrievers.

    Raises:
        ModelError: all scores of a teacher are equal.
    """
    pool, own = teaching_set.pool, [shares[place] for place in raw]
    if raw:
        scores = blended(list(raw.values()), own, [panel[place].spec for place in raw])
        plausible = _plausible(raw, [share / sum(own) for share in own])
    else:
        scores = plausible = fused(pool)
    return sample(pool.offsets, scores, pool.is_source, keys_of(teaching_set, plan.seed), plan, plausible)


def _plausible(raw: Mapping[int, Floats], shares: Sequence[float]) -> Scores:
    parts = (share * plausibility(scores) for scores, share in zip(raw.values(), shares, strict=True))
    return np.asarray(sum(parts))
