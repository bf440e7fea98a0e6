"""The first stage: retrieve the candidates of a collection once, into a file that all rerankers share."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Protocol, cast

import numpy as np

from adapters.embedding import EmbedderPart, EmbedderReranker
from adapters.errors import UsageError
from adapters.identity import array_digest, digest, file_digest
from adapters.protocols import Bindable, Identity, Reranker, Retriever, Setting
from adapters.spec import identity_of, open_retriever, refuse_early, remarks_of
from adapters.sums import DamagedFile, NoChecksum, load_arrays, load_unproven, save_arrays, set_aside
from harness.data.collection import Collection
from harness.data.detection import refuse_undetected
from harness.data.runs import Run, build, cut, without_identical_ids
from harness.data.trec import read_run
from harness.data.unpacked import refuse_no_file
from harness.scoring.engine import AdapterSource
from harness.scoring.session import Session
from harness.workspace import Workspace

GIVEN = "given"
"""The name of the first stage that uses the candidate lists of a reranking set."""
_VERSION = 1


class FirstStage(Protocol):
    """The protocol of first stages."""

    @property
    def name(self) -> str: ...
    def check(self) -> None:
        """Raise the errors that can be found before anything expensive is done."""
        ...

    def identity(self, collection: Collection) -> Identity: ...
    def candidates(self, collection: Collection, depth: int, session: Session) -> Run: ...


@dataclass(frozen=True)
class ModelStage:
    """A first stage with a retriever adapter: dense, BM25, or a plug-in."""

    name: str
    cache: Path

    @cached_property
    def _retriever(self) -> Retriever:
        return open_retriever(self.name)

    def _bound(self, collection: Collection) -> Retriever:
        return cast(Retriever, bound(self._retriever, collection, self.cache, _asked(collection)))

    @property
    def embeds(self) -> bool:
        """Whether it compares vectors of texts."""
        return isinstance(self._retriever, EmbedderPart)

    def uncached(self, collection: Collection) -> Reranker:
        """Its embedder as a reranker of pairs, which knows no vectors yet."""
        part = EmbedderReranker.of(cast(EmbedderPart, self._retriever).embedder)
        return cast(Reranker, bound(part, collection, None, _asked(collection)))

    def check(self) -> None:
        """Check that the files of the model can be loaded."""
        refuse_early(self._retriever)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the retriever says that it assumed."""
        return remarks_of(self._retriever)

    def identity(self, collection: Collection) -> Identity:
        """The identity of the retriever on this collection."""
        return identity_of(self._bound(collection))

    def candidates(self, collection: Collection, depth: int, session: Session) -> Run:
        """Search the corpus. Results beyond `depth` are cut."""
        title, retriever = f"{collection.name}: {self.name}", self._bound(collection)
        source = source_of(self.name, "retriever", retriever, collection, self.cache, _asked(collection))
        retriever = session.engine.spread(retriever, source)
        with session.reporter.stage(title, len(collection.corpus)) as advance:
            queries = list(collection.queries)
            offsets, documents, scores = retriever.search(queries, collection.corpus, depth, advance)
        return cut(build(offsets, documents, scores, collection.corpus.ids), depth)


@dataclass(frozen=True)
class RunFileStage:
    """A first stage from a TREC run file."""

    name: str
    file: Path

    def check(self) -> None:
        """Check that the file exists."""
        refuse_no_file(self.file, "run file")

    def identity(self, collection: Collection) -> Identity:
        """The digest of the file."""
        return {"run-file": file_digest(self.file) if self.file.is_file() else None}

    def candidates(self, collection: Collection, depth: int, session: Session) -> Run:
        """Read the file."""
        return cut(remarked(read_run(self.file, collection), self.file, collection, session), depth)


def remarked(run: Run, file: Path, collection: Collection, session: Session) -> Run:
    """The run of a file, after a note on the lines of queries that the collection does not have."""
    if (remark := run.unknown_queries.remark(file, collection.name)) is not None:
        session.reporter.note(remark)
    return run


@dataclass(frozen=True)
class GivenStage:
    """The candidate lists of a reranking set, complete at any depth. They have no order: every score is zero."""

    name: str = GIVEN

    def check(self) -> None:
        """Do nothing: whether a collection has lists is known only when it is read."""

    def identity(self, collection: Collection) -> Identity:
        """The same for all collections, because the lists are part of the collection."""
        return {"given": True}

    def candidates(self, collection: Collection, depth: int, session: Session) -> Run:
        """Return the lists as they are."""
        if collection.given is None:
            raise UsageError(f"{collection.name} has no candidate lists; name a --first-stage such as bm25")
        documents = collection.given.documents
        return build(collection.given.offsets, documents, np.zeros(len(documents), np.float32), collection.corpus.ids)


def first_stage(spec: str, workspace: Workspace) -> FirstStage:
    """The first stage of a spec: `given`, `run:FILE`, or any retriever."""
    if spec == GIVEN:
        return GivenStage()
    if spec.startswith("run:"):
        return RunFileStage(spec, Path(spec.removeprefix("run:")))
    return ModelStage(spec, workspace.cache)


def retrieve(collection: Collection, stage: FirstStage, depth: int, session: Session) -> Run:
    """Return at most `depth` candidates of every query, from the workspace if they are stored there. A damaged file is
    set aside with a warning, and the candidates are searched again.

    If the collection declares `drop_identical_ids`, the document with the query's id is left out before the list is
    cut, so that the list keeps its length.
    """
    file = candidates_file(session.workspace, collection.fingerprint, stage.identity(collection), depth)
    kept = _stored(file)
    if kept is not None and (not kept.outside[0] or "unknown-documents" in collection.rules.allow):
        return kept
    run = _fresh(collection, stage, depth, session)
    save_candidates(file, run)
    return run


def _stored(file: Path) -> Run | None:
    """The stored candidates; None if there are none, or none that can be trusted."""
    if not file.exists():
        return None
    try:
        return load_candidates(file)
    except DamagedFile as damage:
        set_aside(file, damage, "the candidates are searched again")
        return None


def candidates_file(workspace: Workspace, fingerprint: str, retriever: Identity, depth: int) -> Path:
    """The file with the candidates of a collection."""
    made_of = {"collection": fingerprint, "retriever": dict(retriever), "depth": depth, "version": _VERSION}
    return workspace.runs / f"{digest(made_of)}.npz"


def save_candidates(file: Path, run: Run) -> None:
    """Store candidates with their checksums."""
    arrays: dict[str, Any] = {name: getattr(run, name) for name in ("offsets", "documents", "scores", "tiebreaks")}
    if run.outside[0]:
        arrays["outside"] = np.array(run.outside)
    save_arrays(file, file.stem, arrays)


def load_candidates(file: Path, recorded: str | None = None) -> Run:
    """Load stored candidates.

    Args:
        recorded: the digest of these candidates in the identity of an evaluation, which proves files without checksums
            too. Such a file then gets checksums.

    Raises:
        NoChecksum: the file has no checksums, and no digest is given.
        DamagedFile: the file is damaged, or its candidates are others.
    """
    try:
        run = _run_of(file, load_arrays(file, file.stem))
        proven = True
    except NoChecksum:
        if recorded is None:
            raise
        run, proven = _run_of(file, load_unproven(file)), False
    if recorded not in (None, run.digest):
        raise DamagedFile(f"{file}: its candidates are not those of the evaluation")
    if not proven:
        with suppress(OSError):  # a read-only workspace is proven each time
            save_candidates(file, run)
    return run


def _run_of(file: Path, columns: dict[str, Any]) -> Run:
    try:
        if "outside" in columns:
            columns["outside"] = tuple(columns["outside"].tolist())
        return Run(**columns)
    except TypeError:
        raise DamagedFile(f"{file}: it holds no candidates") from None


def bound(adapter: object, collection: Collection, cache: Path | None, instruction: str | None) -> object:
    """Bind an adapter to a collection: its instruction, language and statistics.

    Raises:
        MissingExtra: the adapter needs a language, none is declared, and the package that detects one is not installed.
    """
    if not isinstance(adapter, Bindable):
        return adapter
    if getattr(adapter, "uses_language", False) and collection.spoken is None and not collection.language_sought:
        refuse_undetected(str(getattr(adapter, "name", type(adapter).__name__)), collection.name)
    return adapter.bind(_setting(collection, cache, instruction))


def source_of(  # noqa: PLR0917
    spec: str,
    part: Literal["retriever", "reranker"],
    adapter: object,
    collection: Collection,
    cache: Path | None,
    instruction: str | None,
) -> AdapterSource:
    """What another process opens an adapter from that `bound` returned for the same arguments."""
    return AdapterSource(spec, part, _setting(collection, cache, instruction), digest(identity_of(adapter)))


def _setting(collection: Collection, cache: Path | None, instruction: str | None) -> Setting:
    return Setting(
        corpus=collection.corpus,
        corpus_digest=array_digest(collection.corpus.digests),
        language=collection.spoken,
        instruction=instruction,
        cache=cache,
    )


def _asked(collection: Collection) -> str | None:
    return collection.rules.instruction or collection.rules.first_stage_instruction


def _fresh(collection: Collection, stage: FirstStage, depth: int, session: Session) -> Run:
    if not collection.rules.drop_identical_ids:
        return stage.candidates(collection, depth, session)
    run = stage.candidates(collection, depth + 1, session)
    run = without_identical_ids(run, collection.queries.ids(), collection.corpus.ids(run.documents))
    return run if collection.given is not None and isinstance(stage, GivenStage) else cut(run, depth)
