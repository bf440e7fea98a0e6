"""V13: remove and count synthetic queries that are evaluation queries, before training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from adapters.errors import DataError, UsageError
from adapters.identity import digest, file_digest, text_digest
from adapters.protocols import Embedder
from adapters.spec import identity_of
from adapters.sums import DamagedFile
from harness.checks.near_duplicates import normalised
from harness.data.collection import Collection
from harness.data.sources import stored
from harness.data.sources.beir_folder import Folder
from harness.data.sources.dirt import Dirt
from harness.data.sources.jsonl import records
from harness.data.texts import Texts
from harness.result.store import Results
from harness.workspace import Workspace
from training.job import MANIFEST, begin, finish, read_manifest, write_lines
from training.mining import questions
from training.stages import LEAK_THRESHOLD
from training.synthesis import synthesize
from training.validating.alike import Likeness, alike
from training.validating.meaning import Nearest

STAGE = "clean"
QUERIES = synthesize.QUERIES
REMOVED = "removed.jsonl"
VALIDATION = "validation.json"
THRESHOLD = LEAK_THRESHOLD
_VERSION = 1
_LISTED = 3
"""The largest number of collections that an error names."""
_WRITTEN_BY = {VALIDATION: "validate", REMOVED: STAGE}
"""The stages that write cleaned queries, by a file that only they write."""
KEPT_FACTS = (
    "corpus", "corpus_name", "corpus_documents", "generator", "generator_name", "profile", "profile_settings",
    "language", "documents", "seed", "floor", "conformance",
)  # fmt: skip
"""The keys of the manifest of `train synthesize` that also apply to the cleaned queries."""


@dataclass(frozen=True)
class KnownQueries:
    """The evaluation queries of one collection."""

    collection: str
    split: str
    texts: Sequence[str]
    """Empty if the store has results on the collection but the workspace does not have its queries."""
    corpus: Texts | None = None
    """The documents of the collection, memory-mapped."""

    @property
    def label(self) -> str:
        """The name for counts and messages."""
        return f"{self.collection} ({self.split})"


def known_queries(
    workspace: Workspace, collections: Sequence[Collection] = (), training: Sequence[Collection] = ()
) -> list[KnownQueries]:
    """The queries of all collections in the workspace, whatever their split, of those with results in the store, and of
    the given ones.

    Args:
        training: real queries that the user wants to train or validate with. They are left out, unless the store has a
            result on them or on a part of them.
    """
    evaluated = _evaluated(workspace)
    excused = {one.part_of or one.fingerprint for one in training} - evaluated.keys()
    found = {one.part_of or one.fingerprint: one for one in (*collections, *_converted(workspace))}
    known = [
        KnownQueries(one.name, one.split, list(one.queries), one.corpus)
        for name, one in sorted(found.items())
        if name not in excused and len(one.queries)
    ]
    unseen = [KnownQueries(*label, ()) for name, label in sorted(evaluated.items()) if name not in found]
    return sorted(known, key=lambda one: (one.label, *one.texts[:1])) + unseen


def clean(  # noqa: PLR0917
    queries: Path,
    known: Sequence[KnownQueries],
    out: Path,
    threshold: float = THRESHOLD,
    embedder: Embedder | None = None,
    corpus: Collection | None = None,
) -> dict[str, Any]:
    """Write `queries.jsonl` without evaluation queries, `removed.jsonl` and `manifest.json`. The remaining rows do not
    change, so `train mine --queries` reads the folder like that of `train synthesize`.

    Args:
        queries: the folder of `train synthesize` or of this stage, or a JSONL file with `_id` and `text`.
        threshold: the Jaccard coefficient of character trigrams from which a query is a near-duplicate. Default: 0.8.
        embedder: if given, queries whose vectors are near enough are near-duplicates too; see `Nearest`.
        corpus: the target corpus. If given, the manifest has the share of each evaluation collection's documents in it.

    Raises:
        UsageError: the queries do not exist, or the folder holds another job.
        DataError: a line has errors, or no query is left.
    """
    if not 0 < threshold <= 1:
        raise UsageError("the threshold must be a similarity above 0 and at most 1")
    file, facts = _source(queries)
    file_queries = _QueryFile.read(file)
    about = _about(file, known, threshold, embedder, corpus)
    if finished := begin(out, STAGE, about):
        return finished
    nearest = nearest_of(file_queries.texts, known, embedder)
    found = matches(file_queries.texts, known, threshold, nearest)
    _write(out, file_queries, found, known)
    return finish(out, STAGE, {
        **facts, **about,
        "asked": len(file_queries.texts), "queries": len(file_queries.texts) - len(found), "removed": len(found),
        "removed_exactly": sum(best(likes).how == "exact" for likes in found.values()),
        "collections": _by_collection(found, known),
        "unseen": [one.label for one in known if not len(one.texts)],
        "shared_documents": shared_documents(corpus, known) if corpus is not None else None,
        "cosines": nearest.as_rows() if nearest is not None else [],
        "digest": file_digest(out / QUERIES),
    })  # fmt: skip


def shared_documents(corpus: Collection, known: Iterable[KnownQueries]) -> list[dict[str, object]]:
    """For each evaluation collection, the share of its documents whose text is in the target corpus."""
    own = np.unique(_keys(corpus.corpus))
    rows: list[dict[str, object]] = []
    for one in known:
        if one.corpus is not None and len(one.corpus):
            share = float(np.isin(_keys(one.corpus), own).mean())
            rows.append({"collection": one.label, "documents": len(one.corpus), "share": share})
    return rows


def digest_of(known: Iterable[KnownQueries]) -> str:
    """A digest of the distinct queries and the names of their collections, independent of their order; 32 hex
    digits."""
    readable = [one for one in known if len(one.texts)]
    texts = sorted({normalised(text) for one in readable for text in one.texts})
    words = text_digest("\n".join(texts)).hex()
    return digest({"texts": words, "collections": sorted({one.label for one in readable})})


def best(likes: Sequence[Likeness]) -> Likeness:
    """The best match of a query; of equal matches the first."""
    return max(likes, key=lambda like: (like.order, -like.known))


@dataclass(frozen=True)
class _QueryFile:
    ids: tuple[str, ...]
    texts: tuple[str, ...]
    rows: tuple[Mapping[str, object], ...]

    @classmethod
    def read(cls, file: Path) -> _QueryFile:
        rows = [
            (record.identifier("_id", Dirt({})), record.text("text"), record.fields)
            for record in records(Folder(file.parent), file.name)
        ]
        if not rows:
            raise DataError(f"{file}: the file has no queries; write them with: harness train synthesize")
        return cls(*zip(*rows, strict=True))


def _evaluated(workspace: Workspace) -> dict[str, tuple[str, str]]:
    """Name and split of each collection with results in the store, by the fingerprint of the whole collection."""
    if not workspace.results.exists():
        return {}
    with Results(workspace.results) as results:
        rows = [one.collection for one in results.all()]
    return {one.whole: (one.name, one.split) for one in rows}


def _converted(workspace: Workspace) -> Iterator[Collection]:
    for folder in sorted(workspace.collections.iterdir()) if workspace.collections.is_dir() else ():
        if stored.is_there(folder):
            try:
                yield stored.read(folder, stored.description_in(folder), partial(_refuse, folder))
            except DamagedFile as damage:
                _refuse(folder, damage)


def _refuse(folder: Path, damage: DamagedFile) -> NoReturn:
    raise DataError(f"{damage}; delete the folder {folder}, and the next run with it reads its source again") from None


def _source(queries: Path) -> tuple[Path, dict[str, Any]]:
    """The file of the queries, and the facts about them."""
    if not queries.is_dir():
        if not queries.is_file():
            raise UsageError(f"no queries at {queries}; write them with: harness train synthesize")
        return queries, {}
    if not (queries / MANIFEST).exists() and not (queries / "job.json").exists():
        return queries / QUERIES, {}
    written = next((stage for file, stage in _WRITTEN_BY.items() if (queries / file).exists()), synthesize.STAGE)
    manifest = read_manifest(queries, written, questions.STAGE)
    return queries / QUERIES, {name: manifest[name] for name in KEPT_FACTS if name in manifest}


def _about(
    file: Path, known: Sequence[KnownQueries], threshold: float, embedder: Embedder | None, corpus: Collection | None
) -> dict[str, object]:
    """Everything that the removed queries depend on. The order and the place of the collections do not matter."""
    return {
        "clean_version": _VERSION,
        "asked_digest": file_digest(file),
        "known": digest_of(known),
        "known_texts": len({normalised(text) for one in known for text in one.texts}),
        "threshold": threshold,
        "embedder": dict(identity_of(embedder)) | {"cosines": "measured"} if embedder is not None else None,
        "target_corpus": corpus.fingerprint if corpus is not None else None,
    }


def matches(
    asked: Sequence[str], known: Sequence[KnownQueries], threshold: float, nearest: Nearest | None = None
) -> dict[int, list[Likeness]]:
    """The known queries that texts resemble, by the row of the text. The rows of known queries count through all
    collections.

    Args:
        threshold: as for `clean`.
        nearest: if given, texts whose vectors are near enough match too.
    """
    texts = [text for one in known for text in one.texts]
    found: dict[int, list[Likeness]] = {}
    for like in alike(asked, texts, threshold):
        found.setdefault(like.row, []).append(like)
    for row, place, cosine in nearest.search(asked) if nearest is not None else ():
        found.setdefault(row, []).append(Likeness(row, place, cosine, "cosine"))
    return found


def nearest_of(asked: Sequence[str], known: Sequence[KnownQueries], embedder: Embedder | None) -> Nearest | None:
    """The search by vectors; None without an embedder or known queries."""
    texts = [text for one in known for text in one.texts]
    return Nearest.of(asked, texts, embedder) if embedder is not None and texts else None


def _write(
    out: Path, file_queries: _QueryFile, found: dict[int, list[Likeness]], known: Sequence[KnownQueries]
) -> None:
    if len(found) == len(file_queries.texts):
        counts = [row for row in _by_collection(found, known) if row["removed"]]
        most = sorted(counts, key=lambda row: -int(str(row["removed"])))[:_LISTED]
        raise DataError(
            f"all {len(found):,} queries are evaluation queries of {', '.join(str(row['collection']) for row in most)}"
            f"{f' and {len(counts) - _LISTED} more' if len(counts) > _LISTED else ''}; take other queries, or, if "
            "nothing is evaluated on them, remove the collection from the workspace (harness forget --collection NAME)"
        )
    owners = [(one, text) for one in known for text in one.texts]
    write_lines(out / QUERIES, (fields for row, fields in enumerate(file_queries.rows) if row not in found))
    write_lines(
        out / REMOVED, (_removed_row(file_queries, row, best(likes), owners) for row, likes in sorted(found.items()))
    )


def _removed_row(
    file_queries: _QueryFile, row: int, like: Likeness, owners: Sequence[tuple[KnownQueries, str]]
) -> dict[str, object]:
    collection, text = owners[like.known]
    return {
        "_id": file_queries.ids[row], "query": file_queries.texts[row], "evaluation_query": text,
        "collection": collection.label, "similarity": like.similarity, "exact": like.how == "exact", "how": like.how,
    }  # fmt: skip


def _by_collection(found: dict[int, list[Likeness]], known: Sequence[KnownQueries]) -> list[dict[str, object]]:
    """Counts by collection. A query that matches several collections counts in each of them."""
    owner = [place for place, one in enumerate(known) for _ in one.texts]
    removed, exact = Counter[int](), Counter[int]()
    for likes in found.values():
        removed.update({owner[like.known] for like in likes})
        exact.update({owner[like.known] for like in likes if like.how == "exact"})
    return [
        {"collection": one.label, "queries": len(one.texts), "removed": removed[place], "exact": exact[place]}
        for place, one in enumerate(known)
        if len(one.texts)
    ]


def _keys(texts: Texts) -> Any:
    """One comparable value per 128-bit digest."""
    words = np.ascontiguousarray(texts.digests)
    return words.view("V16").ravel()
