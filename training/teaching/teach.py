"""`harness train teach`: teachers score the whole pool, and a sample of it becomes training examples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from adapters.errors import DataError, ModelError
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
from training.mining.sampling import Sample, counts_per_bin, lots, plausibility, sample
from training.stages import Map, Plan, Teaching
from training.teaching.blend import Scores, blended, calibrate, mapped, shares_of
from training.teaching.teachers import Teacher, open_teachers

STAGE = "teach"
EXAMPLES = "examples.jsonl"
_VERSION = 1


@dataclass(frozen=True)
class TeachingSettings:
    """What a user may choose beside the teachers."""

    plan: Plan = field(default_factory=Plan)
    weights: tuple[float, ...] = Teaching.weights
    max_length: int | None = None
    map: Map = Teaching.map
    task: str | None = None
    """The name of the task in the examples; default: the corpus's."""
    facts: Path | None = Teaching.facts
    """A TOML file with the teachers' licences and training sets."""


@dataclass(frozen=True)
class TeachingSet:
    """The pool with its queries, ready to be scored."""

    collection: Collection
    pool: Pool
    mined: dict[str, Any]
    """The manifest of the pool."""


@dataclass(frozen=True)
class _Mined:
    """What is used of the manifest of `train mine`."""

    open_keys: ClassVar[bool] = True
    corpus: str
    """Its fingerprint."""
    corpus_target: str
    digest: str
    language: str | None


def target_of(pool: Path) -> str:
    """The corpus that a pool was mined from, as it was named.

    Raises:
        UsageError: the folder holds no finished pool.
        DataError: its manifest is damaged.
    """
    return _mined(pool, read_manifest(pool, mine.STAGE)).corpus_target


def _mined(pool: Path, manifest: Mapping[str, Any]) -> _Mined:
    return typed(_Mined, manifest, str(pool / MANIFEST), error=DataError, advice="mine the pool again")


def lesson_of(folder: Path, corpus: Collection) -> TeachingSet:
    """Open a pool on its corpus.

    Raises:
        UsageError: the folder holds no finished pool.
        DataError: the corpus has changed since, or the pool is damaged.
    """
    mined = read_manifest(folder, mine.STAGE)
    known = _mined(folder, mined)
    if corpus.fingerprint != known.corpus:
        raise DataError(f"{folder}: mined from another corpus than '{corpus.name}' is now; name its own with --corpus")
    asked = mine.read_queries(folder, corpus)
    pool = load(folder)
    if pool.digest != known.digest or len(pool.offsets) != len(asked.ids) + 1:
        raise DataError(f"{folder}: the pool is not the one of its manifest; mine it again into an empty folder")
    collection = replace(corpus, language=known.language)
    return TeachingSet(asking(collection, asked.ids, asked.texts), pool, mined)


def teach(
    lesson: TeachingSet, specs: Sequence[str], wishes: TeachingSettings, out: Path, session: Session
) -> dict[str, Any]:
    """Score every pair of the pool that the ledger does not know, and write `scores.npz` (raw scores of each teacher),
    `examples.jsonl` and `manifest.json`. Another sample of the same pool costs no score.

    Raises:
        ModelError: a score is not finite, a teacher gives one score to all, or no query has an order to learn.
        UsageError: the teachers' lengths do not agree with the student's, or a weight is wrong.
    """
    shares = shares_of(wishes.weights, len(specs))
    teachers = open_teachers(specs, lesson.collection, wishes.max_length, wishes.facts, session)
    about = _about(lesson, teachers, shares, wishes)
    if finished := begin(out, STAGE, about):
        return finished
    run = lesson.pool.run(lesson.collection.corpus.ids)
    done = [
        rerank(lesson.collection, run, teacher.reranker, session, f"teacher {teacher.spec}") for teacher in teachers
    ]
    raw = [one.run.scores for one in done]
    labels = blended(raw, shares, specs)
    taken = sample(
        lesson.pool.offsets, labels, lesson.pool.is_source, _lots(lesson, wishes.plan.seed), wishes.plan,
        _plausible(raw, shares),
    )  # fmt: skip
    _write_scores(out, raw, labels)
    examples, left_out = _examples(lesson, taken, mapped(labels, wishes.map), wishes.task or lesson.collection.name)
    write_examples(out / EXAMPLES, examples)
    described = [_described(teacher, one, share) for teacher, one, share in zip(teachers, done, shares, strict=True)]
    return finish(out, STAGE, {
        **about,
        "corpus_name": lesson.collection.name,
        "queries": len(lesson.collection.queries), "examples": len(examples), "left_out": left_out,
        "pairs": {"pool": len(lesson.pool), "sample": sum(len(example.documents) for example in examples),
                  "scored_now": sum(one.fresh for one in done)},
        "teachers": described,
        "bins": counts_per_bin(taken.bins, taken.rows, wishes.plan.bins),
        "above_source": {"share": wishes.plan.drop_above or 0.95, "pairs": int(taken.above.sum()),
                         "dropped": wishes.plan.drop_above is not None},
        "source_is_best": _source_is_best(lesson.pool, labels),
        "digest": file_digest(out / EXAMPLES),
    })  # fmt: skip


def _about(
    lesson: TeachingSet, teachers: Sequence[Teacher], shares: list[float], wishes: TeachingSettings
) -> dict[str, object]:
    return {
        "version": _VERSION,
        "corpus": lesson.mined["corpus"],
        "pool": lesson.mined["digest"],
        "pool_queries": lesson.mined["queries"],
        "teacher_identities": [dict(teacher.identity) for teacher in teachers],
        "shares": shares,
        "plan": asdict(wishes.plan),
        "map": wishes.map,
        "max_length": wishes.max_length,
        "task": wishes.task or lesson.collection.name,
        "origins": [asdict(teacher.origin) for teacher in teachers],
    }


def _lots(lesson: TeachingSet, seed: int) -> npt.NDArray[np.uint64]:
    pool, collection = lesson.pool, lesson.collection
    return lots(collection.queries.digests[pool.queries], collection.corpus.digests[pool.documents], seed)


def _plausible(raw: Sequence[npt.NDArray[np.float32]], shares: Sequence[float]) -> Scores:
    parts = (share * plausibility(scores) for scores, share in zip(raw, shares, strict=True))
    return np.asarray(sum(parts, np.zeros(len(raw[0]))))


def _write_scores(out: Path, raw: Sequence[npt.NDArray[np.float32]], labels: Scores) -> None:
    with write_atomically(out / "scores.npz") as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, raw=np.stack(raw, axis=1), label=labels)


def _examples(lesson: TeachingSet, taken: Sample, scores: Scores, task: str) -> tuple[list[Example], dict[str, int]]:
    """Examples of the queries that have an order to learn; of documents with the same text one is kept."""
    pool, found = lesson.pool, []
    left_out = {"fewer than two documents": 0, "all scores equal": 0}
    cuts = np.searchsorted(taken.rows, pool.offsets)
    for query, (start, end) in enumerate(zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True)):
        rows = _one_of_each_text(lesson, taken.rows[start:end])
        if len(rows) < 2:
            left_out["fewer than two documents"] += 1
        elif len(np.unique(scores[rows])) < 2:
            left_out["all scores equal"] += 1
        else:
            found.append(_example(lesson, query, rows, scores, task))
    if not found:
        raise ModelError(
            "no query has two documents with different scores; there is nothing that a student could learn"
        )
    return found, left_out


def _one_of_each_text(lesson: TeachingSet, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The rows without those whose text another row has; the source document's row stays."""
    pool = lesson.pool
    order = rows[np.argsort(~pool.is_source[rows], kind="stable")]
    words = np.ascontiguousarray(lesson.collection.corpus.digests[pool.documents[order]])
    _, first = np.unique(words.view("V16").ravel(), return_index=True)
    return np.sort(order[first])


def _example(lesson: TeachingSet, query: int, rows: npt.NDArray[np.int64], scores: Scores, task: str) -> Example:
    collection, pool = lesson.collection, lesson.pool
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
    """The share of queries whose source document the teacher puts first; None without sources."""
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
