"""`harness train teach`: teachers score the whole pool or compare its documents, and a sample of it is written as
training examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from adapters.errors import ModelError, UsageError
from adapters.identity import file_digest
from adapters.protocols import Floats, Integers
from harness.scoring.rerank import Reranked
from harness.scoring.session import Session
from harness.workspace import write_atomically
from training.examples import write_examples
from training.job import begin, finish
from training.mining.sampling import Sample, counts_per_bin
from training.stages import Map, Plan
from training.teaching import pairwise
from training.teaching.blend import Scores, blended, calibrate, mapped, shares_of
from training.teaching.choosing import WeightChoice, choose
from training.teaching.drawing import drawn_rows, examples_of, source_is_best
from training.teaching.lesson import TeachingSet
from training.teaching.parallel import TaughtTexts
from training.teaching.scored import Panel, panel_of, sampled, scored, texts_of
from training.teaching.settings import TeachingSettings
from training.teaching.teachers import ComparingTeacher, Teacher

STAGE = "teach"
EXAMPLES = "examples.jsonl"
_VERSION = 1


def teach(
    teaching_set: TeachingSet, specs: Sequence[str], settings: TeachingSettings, out: Path, session: Session
) -> dict[str, Any]:
    """Score the pool and write `scores.npz` (raw scores of each teacher, and the labels), `examples.jsonl` and
    `manifest.json`. Only pairs that are not in the ledger are scored, so another sample of the same pool costs nothing.

    With `settings.pairwise` the documents of the sample are compared: teachers that compare are asked in both orders,
    teachers that score give differences of scores, and the labels are the strengths that fit. `comparisons.npz` has the
    preferences.

    Raises:
        ModelError: a score is not finite, all scores of a teacher are equal, most answers of a teacher cannot be read,
            or no query has documents with different labels.
        UsageError: the maximum lengths of teachers and student differ, a weight is wrong, or a setting needs scores
            that no teacher gives.
        DataError: the parallel collection lacks queries or documents of the pool.
    """
    choice = _choice(specs, settings, session)
    specs, given = (specs, settings.weights) if choice is None else choice.kept
    shares = shares_of(given, len(specs))
    texts = texts_of(teaching_set, settings.score_as, session)
    panel = panel_of(specs, texts, settings, session)
    about = _about(teaching_set, texts, panel, shares, settings)
    if finished := begin(out, STAGE, about):
        return finished
    done = scored(panel, texts, session)
    raw = {place: one.run.scores for place, one in done.items()}
    taken = sampled(teaching_set, panel, shares, raw, settings.plan)
    drawn = drawn_rows(teaching_set, taken.rows)
    if settings.pairwise is None:
        compared, labels = None, blended(list(raw.values()), shares, specs)
    else:
        compared, labels = _compared(teaching_set, texts, panel, shares, raw, drawn, settings, out, session)
    _write_scores(out, raw, labels)
    task = settings.task or teaching_set.collection.name
    examples, left_out = examples_of(teaching_set, drawn, _mapped(labels, settings.map), task)
    write_examples(out / EXAMPLES, examples)
    return finish(out, STAGE, {
        **about,
        "corpus_name": teaching_set.collection.name,
        "queries": len(teaching_set.collection.queries), "examples": len(examples), "left_out": left_out,
        "pairs": {"pool": len(teaching_set.pool), "sample": sum(len(example.documents) for example in examples),
                  "scored_now": sum(one.fresh for one in done.values())},
        "teachers": [_described(one, done.get(place), share)
                     for place, (one, share) in enumerate(zip(panel, shares, strict=True))],
        "chosen": None if choice is None else choice.as_dict(),
        "compared": compared,
        "bins": counts_per_bin(taken.bins, taken.rows, settings.plan.bins),
        "above_source": _above_source(taken, settings.plan) if raw else None,
        "source_is_best": source_is_best(teaching_set.pool, labels),
        "digest": file_digest(out / EXAMPLES),
    })  # fmt: skip


def _compared(  # noqa: PLR0917
    teaching_set: TeachingSet, texts: TaughtTexts, panel: Panel, shares: Sequence[float], raw: Mapping[int, Floats],
    drawn: Sequence[Integers], settings: TeachingSettings, out: Path, session: Session,
) -> tuple[dict[str, object], Scores]:  # fmt: skip
    """The comparisons of the sample, which are written, as an entry of the manifest, and the labels."""
    assert settings.pairwise is not None
    pool = teaching_set.pool
    pairs = pairwise.graph(teaching_set, drawn, settings.pairwise, settings.plan.seed)
    questions = pairwise.questions_of(pairs, pool, texts)
    votes = [
        pairwise.asked(one, questions, session)
        if isinstance(one, ComparingTeacher)
        else pairwise.scored(pairs, raw[place], alone=len(panel) == 1)
        for place, one in enumerate(panel)
    ]
    preferences = pairwise.together(votes, shares)
    pairwise.write(out, pairs, votes)
    return (
        pairwise.described(votes, preferences, settings.pairwise),
        pairwise.labels_of(pool, drawn, pairs, preferences),
    )


def _choice(specs: Sequence[str], settings: TeachingSettings, session: Session) -> WeightChoice | None:
    if settings.choose_on is None:
        return None
    if settings.weights:
        raise UsageError("the weights are chosen on dev; leave out the given ones")
    if len(specs) < 2:
        raise UsageError(
            "a single teacher has no weight to choose; name two teachers or more, or leave out --choose-on"
        )
    return choose(settings.choose_on.load(session), specs, settings.max_length, session)


def _about(
    teaching_set: TeachingSet, texts: TaughtTexts, teachers: Panel, shares: list[float],
    settings: TeachingSettings,
) -> dict[str, object]:  # fmt: skip
    about: dict[str, object] = {
        "version": _VERSION,
        "corpus": teaching_set.mined["corpus"],
        "pool": teaching_set.mined["digest"],
        "pool_queries": teaching_set.mined["queries"],
        "teacher_identities": [dict(teacher.identity) for teacher in teachers],
        "shares": shares,
        "plan": asdict(settings.plan),
        "map": settings.map,
        "max_length": settings.max_length,
        "task": settings.task or teaching_set.collection.name,
        "origins": [asdict(teacher.origin) for teacher in teachers],
    }
    about |= {"scored_as": dict(texts.parallel)} if texts.parallel else {}
    return about | ({} if settings.pairwise is None else {"pairwise": settings.pairwise})


def _mapped(labels: Scores, map_: Map) -> Scores:
    """The labels on another scale; those that are missing stay so."""
    found, known = labels.copy(), np.isfinite(labels)
    if not known.any():
        raise ModelError("no query has two different documents with comparisons that connect them; mine a larger pool")
    if len(np.unique(labels[known])) < 2:
        raise ModelError("all labels are equal, so a student could learn nothing; use another teacher")
    found[known] = mapped(labels[known], map_)
    return found


def _write_scores(out: Path, raw: Mapping[int, Floats], labels: Scores) -> None:
    columns = np.stack(list(raw.values()), axis=1) if raw else np.empty((len(labels), 0), np.float32)
    with write_atomically(out / "scores.npz") as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, raw=columns, label=labels)


def _above_source(taken: Sample, plan: Plan) -> dict[str, object]:
    return {
        "share": plan.drop_above or 0.95, "pairs": int(taken.above.sum()), "dropped": plan.drop_above is not None
    }  # fmt: skip


def _described(teacher: Teacher | ComparingTeacher, done: Reranked | None, share: float) -> dict[str, object]:
    """A teacher in the manifest. One that only compares has no calibration and no counts of tokens."""
    about = {
        "spec": teacher.spec, "id": teacher.id, "share": share, "origin": asdict(teacher.origin),
        "remarks": teacher.origin.remarks(),
    }  # fmt: skip
    if done is None or isinstance(teacher, ComparingTeacher):
        return {**about, "max_length": None, "calibration": None, "truncated": None, "scored_now": 0}
    entries = done.entries
    known = entries.tokens >= 0
    cut = int((entries.kept[known] < entries.tokens[known]).sum())
    return {
        **about, "max_length": teacher.max_length,
        "calibration": calibrate(done.run.scores, teacher.spec).as_dict(),
        "truncated": cut / int(known.sum()) if known.any() else None,
        "scored_now": done.fresh,
    }  # fmt: skip
