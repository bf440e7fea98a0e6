"""`harness train validate`: synthetic queries are held against real ones, and freed of evaluation queries."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from adapters.errors import DataError, UsageError
from adapters.identity import digest, file_digest
from adapters.spec import identity_of, open_reranker
from adapters.typed_file import read_json, read_object
from adapters.typed_values import Count
from harness.data.collection import Collection, sample_queries
from harness.data.sources import load
from harness.scoring.retrieve import bound, first_stage
from harness.scoring.session import Session
from harness.workspace import write_atomically
from training.job import begin, finish, write_json
from training.mining.mine import Asked, read_queries
from training.validating import leak
from training.validating.decision import decide, verdict
from training.validating.embedder import kept_vectors
from training.validating.measured import LEAST, matched
from training.validating.measures import Case, measures
from training.validating.real import one_collection, real_set, synthetic_set, wrong_set
from training.validating.sets import QuerySet, Sets
from training.validating.settings import ValidationSettings

STAGE = "validate"
_VERSION = 1


def validate(
    queries: Path, corpus: Collection, wishes: ValidationSettings, out: Path, session: Session, *, kept: bool = True
) -> dict[str, Any]:
    """Write `queries.jsonl` without evaluation queries, `removed.jsonl`, `validation.json` with every measure and the
    decision, and `manifest.json`. The folder can be given to `train mine --queries`.

    Args:
        queries: the folder of `train synthesize` or `train validate`, or a JSONL file with `_id` and `text`.
        kept: whether the user keeps the folder; if not, evaluation queries are found, but stay in the set.

    Raises:
        UsageError: a target is unknown or names several collections, or the folder holds another job.
        DataError: the queries cannot be trusted, or none is left.
    """
    asked = read_queries(queries, corpus)
    language = asked.language or corpus.language
    # Read before the known queries are listed: what is read for the first time is known from then on.
    real = _real(wishes, language, session)
    wrong = wrong_set(wishes.wrong, wishes.wrong_corpus, language, session.workspace) if wishes.wrong else None
    given = [one for target in wishes.evaluations for one in load(target, session.workspace)]
    known = leak.known_queries(session.workspace, given, [real] if real is not None else [])
    about = _about(asked, corpus, wishes, real, wrong, session) | {"known": leak.digest_of(known), "kept": kept}
    if finished := begin(out, STAGE, about):
        return finished
    vectors = kept_vectors(wishes.embedder, corpus, session) if wishes.embedder else None
    cleaned = leak.clean(queries, known, out / "clean", wishes.threshold, vectors, corpus)
    left = read_queries(out / "clean", corpus)
    sets = Sets(
        synthetic_set("synthetic", left, corpus),
        real_set("real", real) if real is not None else None,
        wrong,
        wishes.seed,
    )
    found = validation(Case(sets, corpus, real, cleaned, wishes, kept), session)
    write_json(out / leak.VALIDATION, found)
    for name in (leak.QUERIES, leak.REMOVED):
        with write_atomically(out / name) as temporary:
            shutil.copyfile(out / "clean" / name, temporary)
    return finish(out, STAGE, {
        **{name: cleaned[name] for name in leak.KEPT_FACTS if name in cleaned}, **about,
        "asked": cleaned["asked"], "queries": cleaned["queries"], "removed": cleaned["removed"],
        "collections": cleaned["collections"], "decision": found["decision"],
        "digest": file_digest(out / leak.QUERIES),
    })  # fmt: skip


def validation(case: Case, session: Session) -> dict[str, Any]:
    """What `validation.json` says: `decision`, `sets`, `remarks`, `wishes`, and every measure as one of `rows`."""
    rows = list(measures(case, session))
    return {
        "decision": decide([row for row in rows if row.id not in case.elsewhere]).as_dict(),
        "sets": {one.name: len(one) for one in case.sets.all},
        "remarks": list(_remarks(case.sets)),
        "wishes": asdict(case.wishes),
        "rows": [row.as_dict() | {"verdict": verdict(row)} for row in rows],
    }


@dataclass(frozen=True)
class _Validation:
    """The keys of `validation.json`."""

    decision: Mapping[str, object]
    sets: Mapping[str, Count]
    remarks: tuple[str, ...]
    wishes: Mapping[str, object]
    rows: tuple[Mapping[str, object], ...]


def read_validation(folder: Path) -> dict[str, Any]:
    """What a finished validation says: `decision`, `rows`, `sets`, `wishes`.

    Raises:
        UsageError: the folder holds none.
        DataError: the file is damaged.
    """
    file = folder / leak.VALIDATION
    if not file.is_file():
        raise UsageError(f"{folder}: no {leak.VALIDATION}; write it with: harness train validate --out {folder}")
    read_json(file, _Validation, error=DataError, advice="delete the folder and validate again")
    return read_object(file)


def _remarks(sets: Sets) -> Iterator[str]:
    """What a reader has to know of the sets."""
    size = matched(sets)
    if sets.real is not None and size is None:
        yield f"no comparison: of synthetic and of half of the real queries at least {LEAST} are needed"
    if size is not None and sets.wrong is not None and len(sets.wrong) < size:
        yield f"no scale: {len(sets.wrong)} queries of another domain, and {size} are compared"


def _real(wishes: ValidationSettings, language: str | None, session: Session) -> Collection | None:
    if wishes.real is None:
        return None
    found = one_collection(wishes.real, wishes.real_split, language, session.workspace, "--real")
    return sample_queries(found, wishes.real_queries) if wishes.real_queries else found


def _about(  # noqa: PLR0917
    asked: Asked,
    corpus: Collection,
    wishes: ValidationSettings,
    real: Collection | None,
    wrong: QuerySet | None,
    session: Session,
) -> dict[str, object]:
    """Everything that can change a figure."""
    stages = [dict(first_stage(spec, session.workspace).identity(corpus)) for spec in wishes.stages]
    rankers = [spec for spec in (*wishes.teachers, wishes.student) if spec is not None]
    return {
        "version": _VERSION,
        "asked_digest": asked.digest,
        "corpus": corpus.fingerprint,
        "real": real.fingerprint if real is not None else None,
        "wrong": digest({"texts": wrong.texts, "documents": wrong.documents}) if wrong is not None else None,
        "embedder": dict(first_stage(wishes.embedder, session.workspace).identity(corpus)) if wishes.embedder else None,
        "retrievers": stages,
        "rankers": [_identity(spec, corpus, session) for spec in rankers],
        "teachers": len(wishes.teachers),
        "depth": wishes.depth, "max_length": wishes.max_length, "threshold": wishes.threshold, "seed": wishes.seed,
    }  # fmt: skip


def _identity(spec: str, corpus: Collection, session: Session) -> dict[str, object]:
    return dict(identity_of(bound(open_reranker(spec), corpus, session.workspace.cache, corpus.rules.instruction)))
