"""Compare a task's queries with the dev queries of its language. The loop leaves a blocked task out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from harness.data.collection import Collection
from harness.scoring.retrieve import first_stage
from harness.scoring.session import Session
from training.adapting.dense import dense, searching
from training.adapting.settings import AdaptationSettings
from training.adapting.tasks import Asked
from training.adapting.watching import Watch, unwatched, watched
from training.corpus import corpus_of
from training.job import begin, finish, write_json
from training.mining.mine import RETRIEVERS, SourcedQueries, read_queries
from training.validating.leak import VALIDATION
from training.validating.measures import Asks, Case
from training.validating.real import real_sets, synthetic_set
from training.validating.sets import QuerySet, Sets
from training.validating.settings import ValidationSettings
from training.validating.validate import STAGE, validation

FOLDER = "validated"
MOST = 1000
"""The largest number of queries of each side that are compared, so that a validation costs no more than the mining."""
_VERSION = 2
_TEACHER = "the loop measures teacher and stage 1 on dev; see the event 'teacher' and the dev scores of the record"


def validated(  # noqa: PLR0917
    one: Asked,
    settings: AdaptationSettings,
    dev: Sequence[Collection],
    folder: Path,
    session: Session,
    watch: Watch = unwatched,
) -> Mapping[str, Any]:
    """Write `folder/validation.json`, as `train validate` does, and return the decision. A finished validation is
    not repeated. It needs the cleaned queries only, so a blocked task costs no mining and no teacher.

    The real queries are only those of dev in the task's language, because nothing about the gate's or the final queries
    may be known before they judge. The teacher is not validated here. Two retrievers of the mining are used: the first
    that makes vectors, and the first that does not.

    Args:
        folder: the folder of the task, filled by `ask`.
        dev: the collections of the dev tier.
    """
    made = watched(
        watch,
        "validate",
        one.task.name,
        folder / FOLDER,
        lambda: _made(_Task(one, settings, dev, folder, session)),
        decision_line,
    )
    decision: Mapping[str, Any] = made["decision"]
    return decision


def decision_line(manifest: Mapping[str, Any]) -> str:
    """The decision in one line."""
    decision = manifest["decision"]
    return ": ".join([decision["state"], *decision["reasons"][:1]])


def in_language(dev: Sequence[Collection], language: str | None) -> list[Collection]:
    """The collections in a language; if there are none, those that declare no language."""
    collections = [one for one in dev if one.language == language]
    return collections or [one for one in dev if one.language is None]


@dataclass(frozen=True)
class _Task:
    one: Asked
    settings: AdaptationSettings
    dev: Sequence[Collection]
    folder: Path
    session: Session


def _made(task: _Task) -> dict[str, Any]:
    one, out = task.one, task.folder / FOLDER
    corpus = corpus_of(one.task.corpus, task.session.workspace)
    corpus = replace(corpus, language=one.corpus.language)
    asked, real = read_queries(task.folder / "clean", corpus), in_language(task.dev, corpus.language)
    measures = _measures(task, corpus)
    about = {
        "version": _VERSION, "asked_digest": asked.digest, "known": one.manifests["clean"]["known"],
        "corpus": corpus.fingerprint, "real": [collection.fingerprint for collection in real],
        "retrievers": [
            dict(first_stage(spec, task.session.workspace).identity(corpus)) for spec in measures.retrievers
        ],
        "depth": measures.depth, "most": MOST, "threshold": measures.threshold, "seed": measures.seed,
    }  # fmt: skip
    file = task.folder / VALIDATION
    if (finished := begin(out, STAGE, about)) and file.is_file():
        return finished
    case = Case(
        _sets(asked, real, corpus, measures.seed), corpus, None, one.manifests["clean"], measures, kept=True,
        asks=_asks(corpus), elsewhere={"V11": _TEACHER},
    )  # fmt: skip
    found = validation(case, task.session)
    found["remarks"] = [*_remarks(case.sets, asked, real, corpus), *found["remarks"]]
    write_json(file, found)
    return finish(out, STAGE, {**about, "sets": found["sets"], "decision": found["decision"]})


def _measures(task: _Task, corpus: Collection) -> ValidationSettings:
    models = searching(task.settings.retrievers or RETRIEVERS, task.session)
    with_vectors = dense(models, corpus, task.session)
    others = [spec for spec in models if spec not in with_vectors]
    return ValidationSettings(
        embedder=next(iter(with_vectors), None), retrievers=(*others[:1], *with_vectors[:1]),
        threshold=task.settings.leak_threshold, seed=task.settings.seed,
    )  # fmt: skip


def _sets(asked: SourcedQueries, real: Sequence[Collection], corpus: Collection, seed: int) -> Sets:
    own = synthetic_set("synthetic", _drawn(asked, seed), corpus)
    return Sets(own, _at_most(real_sets("real", real), seed) if real else None, seed=seed)


def _drawn(asked: SourcedQueries, seed: int) -> SourcedQueries:
    """At most `MOST` queries. All queries of a document are taken together, except for the last document."""
    if len(asked.ids) <= MOST:
        return asked
    documents, place = np.unique(asked.sources, return_inverse=True)
    order = np.random.default_rng([seed, MOST]).permutation(len(documents))[place]
    rows = np.sort(np.argsort(order, kind="stable")[:MOST])
    ids, texts = (tuple(all_[row] for row in rows.tolist()) for all_ in (asked.ids, asked.texts))
    return replace(asked, ids=ids, texts=texts, sources=asked.sources[rows])


def _at_most(real: QuerySet, seed: int) -> QuerySet:
    return real.sample(MOST, np.random.default_rng([seed, MOST])) if len(real) > MOST else real


def _asks(corpus: Collection) -> Asks:
    return Asks(real=f"dev queries in the task's language ({corpus.language})", embedder="a retriever with vectors")


def _remarks(sets: Sets, asked: SourcedQueries, real: Sequence[Collection], corpus: Collection) -> Iterator[str]:
    if len(asked.ids) > len(sets.synthetic):
        yield f"{len(sets.synthetic):,} of {len(asked.ids):,} synthetic queries were drawn"
    if sets.real is None:
        yield f"dev has no queries in the task's language ({corpus.language}), so no real query is compared"
        return
    whole = sum(len(one.queries) for one in real)
    if whole > len(sets.real):
        yield f"{len(sets.real):,} of {whole:,} dev queries were drawn"
    if corpus.language is not None and real[0].language is None:
        yield f"dev declares no language; {corpus.language} is assumed for its queries"
