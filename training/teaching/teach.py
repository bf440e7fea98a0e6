"""`harness train teach`: teachers score the whole pool, and a sample of it is written as training examples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from adapters.errors import DataError, ModelError, UsageError
from adapters.identity import file_digest
from adapters.typed_values import typed
from harness.data.collection import Collection
from harness.scoring.rerank import Reranked, rerank
from harness.scoring.session import Session
from harness.workspace import write_atomically
from training.corpus import asking
from training.examples import Example, write_examples
from training.job import MANIFEST, begin, finish, read_manifest
from training.mining import mine
from training.mining.pool import Pool, load
from training.mining.sampling import Sample, counts_per_bin, draw_keys, plausibility, sample
from training.stages import Map, Plan, Teaching
from training.teaching.blend import Scores, blended, calibrate, mapped, shares_of
from training.teaching.choosing import DevQueries, WeightChoice, choose
from training.teaching.parallel import TaughtTexts, own_texts, parallel_texts
from training.teaching.teachers import Teacher, open_teachers

STAGE = "teach"
EXAMPLES = "examples.jsonl"
_VERSION = 1


@dataclass(frozen=True)
class TeachingSettings:
    """The settings of teaching, without the teachers."""

    plan: Plan = field(default_factory=Plan)
    weights: tuple[float, ...] = Teaching.weights
    max_length: int | None = None
    map: Map = Teaching.map
    task: str | None = None
    """The name of the task in the examples. Default: the name of the corpus."""
    facts: Path | None = Teaching.facts
    """A TOML file with the teachers' licences and training sets."""
    dtype: str | None = None
    """The number format of teachers that name none; see `harness.scoring.precision.with_dtype`."""
    choose_on: DevQueries | None = None
    """Judged queries to choose the weights of the teachers on; None for the given weights."""
    score_as: str | None = Teaching.score_as
    """A parallel collection whose texts the teachers read; see `training.teaching.parallel`."""


@dataclass(frozen=True)
class TeachingSet:
    """The pool with its queries, ready to be scored."""

    collection: Collection
    pool: Pool
    mined: dict[str, Any]
    """The manifest of the pool."""
    split: str | None = None
    """The split of the collection whose questions are asked; None for other queries."""


@dataclass(frozen=True)
class _AskedIn:
    open_keys: ClassVar[bool] = True
    split: str


@dataclass(frozen=True)
class _Mined:
    """The keys that are read from the manifest of `train mine`."""

    open_keys: ClassVar[bool] = True
    corpus: str
    """The fingerprint of the corpus."""
    corpus_target: str
    digest: str
    language: str | None
    asked_in: _AskedIn | None = None
    """The collection of the queries, if they are those of a collection."""


def target_of(pool: Path) -> str:
    """The corpus that a pool was mined from, by the name that the user gave.

    Raises:
        UsageError: the folder holds no finished pool.
        DataError: the manifest is damaged.
    """
    return _mined(pool, read_manifest(pool, mine.STAGE)).corpus_target


def _mined(pool: Path, manifest: Mapping[str, Any]) -> _Mined:
    return typed(_Mined, manifest, str(pool / MANIFEST), error=DataError, advice="mine the pool again")


def lesson_of(folder: Path, corpus: Collection) -> TeachingSet:
    """Read a pool together with its corpus.

    Raises:
        UsageError: the folder holds no finished pool.
        DataError: the corpus has changed since, or the pool is damaged.
    """
    mined = read_manifest(folder, mine.STAGE)
    manifest_keys = _mined(folder, mined)
    if corpus.fingerprint != manifest_keys.corpus:
        raise DataError(
            f"{folder}: mined from another corpus than the current '{corpus.name}'; name the right one with --corpus"
        )
    queries = mine.read_queries(folder, corpus)
    pool = load(folder)
    if pool.digest != manifest_keys.digest or len(pool.offsets) != len(queries.ids) + 1:
        raise DataError(f"{folder}: the pool does not match its manifest; mine it again into an empty folder")
    collection = replace(corpus, language=manifest_keys.language)
    split = None if manifest_keys.asked_in is None else manifest_keys.asked_in.split
    return TeachingSet(asking(collection, queries.ids, queries.texts), pool, mined, split)


def teach(
    teaching_set: TeachingSet, specs: Sequence[str], settings: TeachingSettings, out: Path, session: Session
) -> dict[str, Any]:
    """Score the pool and write `scores.npz` (raw scores of each teacher), `examples.jsonl` and `manifest.json`. Only
    pairs that are not in the ledger are scored, so another sample of the same pool costs nothing.

    Raises:
        ModelError: a score is not finite, all scores of a teacher are equal, or no query has documents with different
            scores.
        UsageError: the maximum lengths of teachers and student differ, or a weight is wrong.
        DataError: the parallel collection lacks queries or documents of the pool.
    """
    choice = _choice(specs, settings, session)
    specs, given = (specs, settings.weights) if choice is None else choice.kept
    shares = shares_of(given, len(specs))
    texts = _texts(teaching_set, settings.score_as, session)
    teachers = open_teachers(specs, texts.collection, settings.max_length, settings.facts, session, settings.dtype)
    about = _about(teaching_set, texts, teachers, shares, settings)
    if finished := begin(out, STAGE, about):
        return finished
    done = [
        rerank(texts.collection, texts.run, teacher.reranker, session, f"teacher {teacher.spec}", teacher.source)
        for teacher in teachers
    ]
    raw = [one.run.scores for one in done]
    labels = blended(raw, shares, specs)
    taken = sample(
        teaching_set.pool.offsets, labels, teaching_set.pool.is_source, _draw_keys(teaching_set, settings.plan.seed),
        settings.plan, _plausible(raw, shares),
    )  # fmt: skip
    _write_scores(out, raw, labels)
    examples, left_out = _examples(
        teaching_set, taken, mapped(labels, settings.map), settings.task or teaching_set.collection.name
    )
    write_examples(out / EXAMPLES, examples)
    described = [_described(teacher, one, share) for teacher, one, share in zip(teachers, done, shares, strict=True)]
    return finish(out, STAGE, {
        **about,
        "corpus_name": teaching_set.collection.name,
        "queries": len(teaching_set.collection.queries), "examples": len(examples), "left_out": left_out,
        "pairs": {"pool": len(teaching_set.pool), "sample": sum(len(example.documents) for example in examples),
                  "scored_now": sum(one.fresh for one in done)},
        "teachers": described, "chosen": None if choice is None else choice.as_dict(),
        "bins": counts_per_bin(taken.bins, taken.rows, settings.plan.bins),
        "above_source": {"share": settings.plan.drop_above or 0.95, "pairs": int(taken.above.sum()),
                         "dropped": settings.plan.drop_above is not None},
        "source_is_best": _source_is_best(teaching_set.pool, labels),
        "digest": file_digest(out / EXAMPLES),
    })  # fmt: skip


def _choice(specs: Sequence[str], settings: TeachingSettings, session: Session) -> WeightChoice | None:
    if settings.choose_on is None:
        return None
    if settings.weights:
        raise UsageError("the weights are chosen on dev; leave out the given ones")
    return choose(settings.choose_on.load(session), specs, settings.max_length, session)


def _texts(teaching_set: TeachingSet, score_as: str | None, session: Session) -> TaughtTexts:
    collection, pool = teaching_set.collection, teaching_set.pool
    if score_as is None:
        return own_texts(collection, pool)
    return parallel_texts(score_as, teaching_set.split, collection, pool, session.workspace)


def _about(
    teaching_set: TeachingSet, texts: TaughtTexts, teachers: Sequence[Teacher], shares: list[float],
    settings: TeachingSettings,
) -> dict[str, object]:  # fmt: skip
    about = {
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
    return {**about, "scored_as": dict(texts.parallel)} if texts.parallel else about


def _draw_keys(teaching_set: TeachingSet, seed: int) -> npt.NDArray[np.uint64]:
    pool, collection = teaching_set.pool, teaching_set.collection
    return draw_keys(collection.queries.digests[pool.queries], collection.corpus.digests[pool.documents], seed)


def _plausible(raw: Sequence[npt.NDArray[np.float32]], shares: Sequence[float]) -> Scores:
    parts = (share * plausibility(scores) for scores, share in zip(raw, shares, strict=True))
    return np.asarray(sum(parts, np.zeros(len(raw[0]))))


def _write_scores(out: Path, raw: Sequence[npt.NDArray[np.float32]], labels: Scores) -> None:
    with write_atomically(out / "scores.npz") as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, raw=np.stack(raw, axis=1), label=labels)


def _examples(
    teaching_set: TeachingSet, taken: Sample, scores: Scores, task: str
) -> tuple[list[Example], dict[str, int]]:
    """Examples of the queries that have documents with different scores. Of documents with equal texts one is kept."""
    pool, found = teaching_set.pool, []
    left_out = {"fewer than two documents": 0, "all scores equal": 0}
    cuts = np.searchsorted(taken.rows, pool.offsets)
    for query, (start, end) in enumerate(zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True)):
        rows = _one_of_each_text(teaching_set, taken.rows[start:end])
        if len(rows) < 2:
            left_out["fewer than two documents"] += 1
        elif len(np.unique(scores[rows])) < 2:
            left_out["all scores equal"] += 1
        else:
            found.append(_example(teaching_set, query, rows, scores, task))
    if not found:
        raise ModelError("no query has two documents with different scores, so a student could learn nothing")
    return found, left_out


def _one_of_each_text(teaching_set: TeachingSet, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """One row for each text. The row of the source document is preferred."""
    pool = teaching_set.pool
    order = rows[np.argsort(~pool.is_source[rows], kind="stable")]
    words = np.ascontiguousarray(teaching_set.collection.corpus.digests[pool.documents[order]])
    _, first = np.unique(words.view("V16").ravel(), return_index=True)
    return np.sort(order[first])


def _example(teaching_set: TeachingSet, query: int, rows: npt.NDArray[np.int64], scores: Scores, task: str) -> Example:
    collection, pool = teaching_set.collection, teaching_set.pool
    documents = pool.documents[rows]
    own = pool.documents[rows[pool.is_source[rows]]]
    return Example(
        query=collection.queries[query],
        documents=tuple(collection.corpus.take(documents)),
        scores=tuple(scores[rows].tolist()),
        ids=tuple(collection.corpus.ids(documents)),
        task=task,
        language=collection.language,
        source=collection.corpus.ids(own)[0] if len(own) else None,
    )


def _source_is_best(pool: Pool, labels: Scores) -> float | None:
    """The share of queries whose source document has the teacher's highest score; None without sources."""
    wins = [bool(labels[row] >= labels[start:end].max()) for row, start, end in _sources(pool)]
    return sum(wins) / len(wins) if wins else None


def _sources(pool: Pool) -> Iterator[tuple[int, int, int]]:
    queries = pool.queries
    for row in np.flatnonzero(pool.is_source).tolist():
        yield row, int(pool.offsets[queries[row]]), int(pool.offsets[queries[row] + 1])


def _described(teacher: Teacher, done: Reranked, share: float) -> dict[str, object]:
    entries = done.entries
    known = entries.tokens >= 0
    cut = int((entries.kept[known] < entries.tokens[known]).sum())
    return {
        "spec": teacher.spec, "id": teacher.id, "share": share, "max_length": teacher.max_length,
        "origin": asdict(teacher.origin), "remarks": teacher.origin.remarks(),
        "calibration": calibrate(done.run.scores, teacher.spec).as_dict(),
        "truncated": cut / int(known.sum()) if known.any() else None,
        "scored_now": done.fresh,
    }  # fmt: skip
