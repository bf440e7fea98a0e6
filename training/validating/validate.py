"""`harness train validate`: compare synthetic queries with real ones, and remove evaluation queries."""

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
from training.mining.mine import SourcedQueries, read_queries
from training.synthesis.profiles import load_profile
from training.validating import leak
from training.validating.decision import decide, verdict
from training.validating.embedder import kept_vectors
from training.validating.measured import LEAST, matched
from training.validating.measures import Case, measures
from training.validating.real import one_collection, real_set, synthetic_set, wrong_set
from training.validating.sets import QuerySet, Sets
from training.validating.settings import ValidationSettings

STAGE = "validate"
_VERSION = 2


def validate(
    queries: Path, corpus: Collection, settings: ValidationSettings, out: Path, session: Session, *, kept: bool = True
) -> dict[str, Any]:
    """Write `queries.jsonl` without evaluation queries, `removed.jsonl`, `validation.json` with all measures and the
    decision, and `manifest.json`. `train mine --queries` accepts the folder.

    Args:
        queries: the folder of `train synthesize` or `train validate`, or a JSONL file with `_id` and `text`.
        kept: whether the user keeps the folder. If not, evaluation queries are found, but not removed from the set.

    Raises:
        UsageError: a target is unknown or names several collections, or the folder holds another job.
        DataError: the queries have errors, or none is left.
    """
    sourced = read_queries(queries, corpus)
    language = sourced.language or corpus.language
    # Read before the known queries are listed, because reading a collection adds it to the workspace.
    real = _real(settings, language, session)
    wrong = wrong_set(settings.wrong, settings.wrong_corpus, language, session.workspace) if settings.wrong else None
    given = [one for target in settings.evaluations for one in load(target, session.workspace)]
    known = leak.known_queries(session.workspace, given, [real] if real is not None else [])
    about = _about(sourced, corpus, settings, real, wrong, session) | {"known": leak.digest_of(known), "kept": kept}
    if finished := begin(out, STAGE, about):
        return finished
    vectors = kept_vectors(settings.embedder, corpus, session) if settings.embedder else None
    cleaned = leak.clean(queries, known, out / "clean", settings.threshold, vectors, corpus)
    left = read_queries(out / "clean", corpus)
    sets = Sets(
        synthetic_set("synthetic", left, corpus),
        real_set("real", real) if real is not None else None,
        wrong,
        settings.seed,
    )
    found = validation(Case(sets, corpus, real, cleaned, settings, kept), session)
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
    """The content of `validation.json`: `decision`, `sets`, `remarks`, the settings, and all measures as `rows`."""
    rows = list(measures(case, session))
    return {
        "decision": decide([row for row in rows if row.id not in case.elsewhere]).as_dict(),
        "sets": {one.name: len(one) for one in case.sets.all},
        "remarks": list(_remarks(case.sets)),
        "wishes": asdict(case.settings),
        "rows": [row.as_dict() | {"verdict": verdict(row)} for row in rows],
    }


@dataclass(frozen=True)
class _Validation:
    """The keys of `validation.json`."""

    decision: Mapping[str, object]
    sets: Mapping[str, Count]
    remarks: tuple[str, ...]
    wishes: Mapping[str, object]
    """The settings. The key has its name from released versions."""
    rows: tuple[Mapping[str, object], ...]


def read_validation(folder: Path) -> dict[str, Any]:
    """The content of a finished validation; see `validation`.

    Raises:
        UsageError: the folder has no validation.
        DataError: the file is damaged.
    """
    file = folder / leak.VALIDATION
    if not file.is_file():
        raise UsageError(f"{folder}: no {leak.VALIDATION}; write it with: harness train validate --out {folder}")
    read_json(file, _Validation, error=DataError, advice="delete the folder and validate again")
    return read_object(file)


def _remarks(sets: Sets) -> Iterator[str]:
    """Remarks on the sets."""
    size = matched(sets)
    if sets.real is not None and size is None:
        yield f"no comparison: at least {LEAST} synthetic queries, and twice as many real ones, are needed"
    if size is not None and sets.wrong is not None and len(sets.wrong) < size:
        yield f"no scale: {len(sets.wrong)} queries of another domain, but {size} are needed"


def _real(settings: ValidationSettings, language: str | None, session: Session) -> Collection | None:
    if settings.real is None:
        return None
    found = one_collection(settings.real, settings.real_split, language, session.workspace, "--real")
    return sample_queries(found, settings.real_queries) if settings.real_queries else found


def _about(  # noqa: PLR0917
    sourced: SourcedQueries,
    corpus: Collection,
    settings: ValidationSettings,
    real: Collection | None,
    wrong: QuerySet | None,
    session: Session,
) -> dict[str, object]:
    """Everything that can change a figure."""
    stages = [dict(first_stage(spec, session.workspace).identity(corpus)) for spec in settings.stages]
    rankers = [spec for spec in (*settings.teachers, settings.student) if spec is not None]
    return {
        "version": _VERSION,
        "asked_digest": sourced.digest,
        "corpus": corpus.fingerprint,
        "real": real.fingerprint if real is not None else None,
        "wrong": digest({"texts": wrong.texts, "documents": wrong.documents}) if wrong is not None else None,
        "embedder": dict(first_stage(settings.embedder, session.workspace).identity(corpus))
        if settings.embedder else None,
        "retrievers": stages,
        "rankers": [_identity(spec, corpus, session) for spec in rankers],
        "teachers": len(settings.teachers),
        "depth": settings.depth, "max_length": settings.max_length, "threshold": settings.threshold,
        "seed": settings.seed,
        "profile": load_profile(settings.profile).identity if settings.profile else None,
    }  # fmt: skip


def _identity(spec: str, corpus: Collection, session: Session) -> dict[str, object]:
    return dict(identity_of(bound(open_reranker(spec), corpus, session.workspace.cache, corpus.rules.instruction)))
