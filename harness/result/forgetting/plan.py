"""What `harness forget` would remove."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from adapters.errors import UsageError
from adapters.identity import array_digest, digest
from adapters.terms import terms_file
from harness.data.columns import open_texts
from harness.data.label_versions import version_of
from harness.data.sources import stored as collections
from harness.data.sources.source import CORPUS
from harness.result.forgetting.cited import citations
from harness.result.forgetting.rows import rows_size
from harness.result.opening import stored_in
from harness.result.places import CollectionNames, collections_named
from harness.result.select import systems_named
from harness.result.sizes import bytes_of
from harness.result.stored import Stored
from harness.scoring.ledger.store import Ledger
from harness.scoring.retrieve import candidates_file
from harness.workspace import Workspace


@dataclass(frozen=True)
class Removal:
    """What would be removed. `freed` has about how many bytes, by kind."""

    results: tuple[Stored, ...] = ()
    kept: tuple[tuple[Stored, str], ...] = ()
    """Results that the names select and that stay, with the reason."""
    rerankers: tuple[str, ...] = ()
    """Digests of the identities whose scored pairs go."""
    folders: tuple[Path, ...] = ()
    """Folders of collections."""
    files: tuple[Path, ...] = ()
    """Files and folders of caches."""
    names: tuple[str, ...] = ()
    """The collections whose texts go."""
    freed: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to remove."""
        return not (self.results or self.folders or self.files)


@dataclass(frozen=True)
class ForgetRequest:
    """What the user named.

    Args:
        systems: names of systems; their results and scored pairs go.
        collections: names of collections. With `systems`, only the results on these; else all that is stored of them.
        vectors: remove all cached vectors and terms, which are computed again when they are needed.
        cited: also remove results that something refers to.
        anchors: the anchors of policies.
    """

    systems: Sequence[str] = ()
    collections: Sequence[str] = ()
    vectors: bool = False
    cited: bool = False
    anchors: Sequence[str] = ()


def planned(workspace: Workspace, request: ForgetRequest) -> Removal:
    """Return what a request would remove. Nothing is changed.

    Raises:
        UsageError: nothing is named, or a name matches nothing.
        DataError: a result or a record cannot be read.
    """
    if not (request.systems or request.collections or request.vectors):
        raise UsageError(
            "name what to forget: systems, --collection NAME or --vectors; `harness list` shows what there is"
        )
    cached = (place for place in sorted(workspace.cache.glob("*")) if place.name != "calls")
    caches = tuple(cached) if request.vectors else ()
    if not (request.systems or request.collections):
        return Removal(files=caches, freed=_sizes({"vectors and terms": caches}))
    with stored_in(workspace.results) as results:
        everything = list(results.all())
    places = _places(workspace, everything)
    chosen = collections_named(request.collections, [*(one.collection.key.place for one in everything), *places])
    named = [one for one in everything if one.collection.key.place in chosen]
    if request.systems:
        named = systems_named(request.systems, named, everything)
    needed = {} if request.cited else citations(workspace, everything, request.anchors)
    going = tuple(one for one in named if one.id not in needed)
    kept = tuple((one, needed[one.id]) for one in named if one.id in needed)
    staying = [one for one in everything if one not in going]
    folders = () if request.systems else _folders(places, chosen, _needed(workspace, staying))
    return _filled(workspace, request, Removal(going, kept, folders=folders, files=caches), staying, everything)


def _filled(
    workspace: Workspace, request: ForgetRequest, plan: Removal, staying: Sequence[Stored], everything: Sequence[Stored]
) -> Removal:
    """The plan with the files of its results and collections."""
    used = set(_candidates(workspace, staying))
    scores = [workspace.scored / f"{one.id}.npz" for one in plan.results]
    candidates = [file for file in dict.fromkeys(_candidates(workspace, plan.results)) if file not in used]
    terms = [file for file in _terms(workspace, plan.folders, everything) if file not in plan.files]
    rerankers = sorted(_rerankers(plan.results) - _rerankers(staying)) if request.systems else []
    freed = {
        "results": rows_size(workspace.results, [one.id for one in plan.results]),
        "scored pairs": _pairs_size(workspace, rerankers),
        **_sizes({"scores of results": scores, "candidates": candidates, "collections": plan.folders,
                  "vectors and terms": [*plan.files, *terms]}),
    }  # fmt: skip
    files = [file for file in (*scores, *candidates, *terms) if file.exists()]
    names = tuple(collections.description_in(folder).name for folder in plan.folders)
    return Removal(plan.results, plan.kept, tuple(rerankers), plan.folders, (*files, *plan.files), names, freed)


def _places(workspace: Workspace, everything: Sequence[Stored]) -> dict[CollectionNames, Path]:
    """The names of the collections with texts here. A result of the same collection may have another name."""
    known = {one.collection.fingerprint: one.collection.key.place for one in everything}
    found = {}
    for folder in sorted(workspace.collections.glob("*")):
        if collections.is_there(folder):
            about = collections.description_in(folder)
            place = CollectionNames(about.name, about.fingerprint, about.group)
            found[known.get(about.fingerprint, place)] = folder
    return found


def _needed(workspace: Workspace, staying: Sequence[Stored]) -> set[str]:
    """The fingerprints of the collections that results need; those of a label version need the published one."""
    whole = {one.collection.whole for one in staying}
    versions = (version_of(workspace, fingerprint) for fingerprint in whole)
    return whole | {version.root for version in versions if version is not None}


def _folders(
    places: Mapping[CollectionNames, Path], chosen: frozenset[CollectionNames], needed: set[str]
) -> tuple[Path, ...]:
    return tuple(folder for place, folder in places.items() if place in chosen and place.fingerprint not in needed)


def _candidates(workspace: Workspace, results: Sequence[Stored]) -> Iterator[Path]:
    for one in results:
        retriever = one.identity.get("retriever")
        if isinstance(retriever, Mapping):
            yield candidates_file(workspace, one.collection.fingerprint, retriever, one.depth)


def _terms(workspace: Workspace, folders: Sequence[Path], everything: Sequence[Stored]) -> list[Path]:
    """The files of the terms of collections, by all analyzers that results were made with."""
    parts = [one.identity.get(part) for one in everything for part in ("retriever", "reranker")]
    analyzers = [part["analyzer"] for part in parts if isinstance(part, Mapping) and "analyzer" in part]
    corpora = [array_digest(open_texts(folder / CORPUS).digests) for folder in folders] if analyzers else []
    files = [terms_file(workspace.cache, analyzer, corpus) for corpus in corpora for analyzer in analyzers]
    return [file for file in dict.fromkeys(files) if file.exists()]


def _rerankers(results: Sequence[Stored]) -> set[str]:
    identities = [one.identity.get("reranker") for one in results]
    return {digest(identity) for identity in identities if isinstance(identity, Mapping)}


def _pairs_size(workspace: Workspace, rerankers: Sequence[str]) -> int:
    if not rerankers or not workspace.ledger.exists():
        return 0
    with Ledger(workspace.ledger) as ledger:
        return ledger.bytes_of(rerankers)


def _sizes(kinds: Mapping[str, Sequence[Path]]) -> dict[str, int]:
    return {kind: sum(map(bytes_of, paths)) for kind, paths in kinds.items()}
