"""Label versions: the judgments of a collection together with labels that were added in a workspace.

A version is one file. It has the labels by id, who gave them, and the fingerprint of the published collection, so the
collection with these labels can be made again from its source. Its fingerprint is a digest of all three. Results of two
versions belong to two collections: they have different names and fingerprints, and are never averaged as one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from adapters.errors import DataError, UsageError, did_you_mean
from adapters.identity import digest
from adapters.sums import read_sealed, save_sealed
from harness.data.arrow import rows_of, strings
from harness.data.as_published import AsPublished, write_published
from harness.data.collection import Collection, counts_of_missing, counts_of_queries
from harness.data.label_names import JUDGE, NOT_BY_PEOPLE, OPTION
from harness.data.qrels import Missing, Qrels
from harness.workspace import Workspace, write_atomically

FOLDER = "labels"
NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,63}", re.ASCII)
"""What a version can be called."""
Label = tuple[str, str, int]
"""Query id, document id, grade."""


@dataclass(frozen=True)
class Labels:
    """Labels that were imported together."""

    by: str
    """`people`, or `judge:NAME`."""
    labels: tuple[Label, ...]
    """Sorted, each pair once."""

    @property
    def by_judge(self) -> bool:
        """Whether a judge gave them, not people."""
        return self.by.startswith(JUDGE)


@dataclass(frozen=True)
class LabelVersion:
    """The judgments of a collection with labels that replace or add to them; later ones replace earlier ones."""

    name: str
    fingerprint: str
    """Digest of the published collection, the labels, and who gave them. Not the name."""
    root: str
    """The fingerprint of the published collection."""
    added: tuple[Labels, ...]
    published: str | None = None
    """The digest of the file with the judgments for pytrec_eval; None if the collection has no second reading."""

    @property
    def note(self) -> str:
        """One sentence on where the labels are from."""
        parts = " and ".join(f"{len(one.labels):,} by {one.by}" for one in self.added)
        judged = f" {NOT_BY_PEOPLE}." if any(one.by_judge for one in self.added) else ""
        return (
            f"Label version {self.name} ({self.fingerprint[:12]}): {parts}, on top of the published judgments.{judged}"
        )

    @property
    def suffix(self) -> str:
        """What the name of the collection gets, so that every table shows the version and the judges."""
        judges = sorted({one.by for one in self.added if one.by_judge})
        return f"{OPTION}{self.name}" + (f" ({', '.join(judges)})" if judges else "")


def versioned(root: str, name: str, added: Sequence[Labels]) -> LabelVersion:
    """Make a version with its fingerprint.

    Raises:
        UsageError: the name is not one that a version can have.
    """
    if not NAME.fullmatch(name):
        raise UsageError(f"a label version cannot be called '{name}'; use letters, digits, '.', '-' and '_'")
    content = [[one.by, [list(label) for label in one.labels]] for one in added]
    return LabelVersion(name, digest({"collection": root, "labels": content}), root, tuple(added))


def keep(workspace: Workspace, version: LabelVersion, collection: Collection) -> LabelVersion:
    """Store a version of a collection, with its judgments for pytrec_eval.

    Args:
        collection: the published one.

    Raises:
        UsageError: another version has the name.
        DataError: a version with the same labels has another name.
    """
    for known in versions(workspace, version.root):
        if known.name == version.name and known.fingerprint != version.fingerprint:
            raise UsageError(f"{collection.name} has another label version '{version.name}'; choose another --name")
        if known.fingerprint == version.fingerprint and known.name != version.name:
            raise DataError(f"these labels are the label version '{known.name}' of {collection.name} already")
    file = _file(workspace, version)
    file.parent.mkdir(parents=True, exist_ok=True)
    if collection.published is not None:
        with write_atomically(_published_file(file)) as unfinished:
            kept = write_published(unfinished, _merged(collection, version))
        version = replace(version, published=kept.digest)
    save_sealed(file, version.fingerprint, asdict(version))
    return version


def versions(workspace: Workspace, root: str) -> list[LabelVersion]:
    """Return the versions of a published collection, by name.

    Raises:
        DamagedFile: a file is not what was written.
    """
    found = [read(file) for file in (workspace.path / FOLDER).glob(f"{root}/*.json")]
    return sorted(found, key=lambda one: one.name)


def read(file: Path) -> LabelVersion:
    """Read the file of a version.

    Raises:
        DamagedFile: it is not what was written.
    """
    return read_sealed(file, LabelVersion)[0]


def verify(file: Path) -> None:
    """Read and verify a version and its judgments for pytrec_eval.

    Raises:
        DamagedFile: one of the two files is not what was written.
    """
    version = read(file)
    if version.published is not None:
        _ = AsPublished(_published_file(file), version.published).table


def version_called(workspace: Workspace, collection: Collection, name: str) -> LabelVersion:
    """Return a version of a published collection by its name.

    Raises:
        UsageError: it has no such version.
        DamagedFile: the file is not what was written.
    """
    known = {one.name: one for one in versions(workspace, collection.fingerprint)}
    if name not in known:
        hint = did_you_mean(name, known) if known else " It has none; `harness judge import` makes one."
        raise UsageError(f"{collection.name} has no label version '{name}' in '{workspace.path}'.{hint}")
    return known[name]


def version_of(workspace: Workspace, fingerprint: str) -> LabelVersion | None:
    """Return the version with a fingerprint; None if there is none.

    Raises:
        DamagedFile: the file is not what was written.
    """
    found = next(iter((workspace.path / FOLDER).glob(f"*/{fingerprint}.json")), None)
    return None if found is None else read(found)


def with_labels(collection: Collection, version: LabelVersion, workspace: Workspace) -> Collection:
    """Return a published collection with the judgments of a version. Its texts and queries are the same.

    Raises:
        DataError: the version is one of another collection, or names unknown ids.
    """
    if collection.fingerprint != version.root:
        raise DataError(
            f"the label version '{version.name}' was made for other texts or judgments of {collection.name}"
        )
    qrels = merged_qrels(collection, (label for one in version.added for label in one.labels))
    own = collection.rules.note
    note = f"{own.rstrip('.')}. {version.note}" if own else version.note
    published = version.published and AsPublished(_published_file(_file(workspace, version)), version.published)
    counts = {**counts_of_queries(collection.queries, qrels, collection.given), **counts_of_missing(qrels)}
    return replace(
        collection,
        name=f"{collection.name}{version.suffix}",
        qrels=qrels,
        rules=replace(collection.rules, note=note),
        counts=replace(collection.counts, **counts),
        fingerprint=version.fingerprint,
        labels_of=version.root,
        published=published or None,
    )


def judged(collection: Collection) -> dict[tuple[str, str], int]:
    """Return the grades of a collection by query id and document id."""
    qrels, queries = collection.qrels, collection.queries.ids()
    documents = [*collection.corpus.ids(qrels.documents), *qrels.missing.ids]
    of = (queries[row] for row in qrels.all_queries.tolist())
    return dict(zip(zip(of, documents, strict=True), qrels.all_grades.tolist(), strict=True))


def merged_qrels(collection: Collection, labels: Iterable[Label], *, instead: bool = False) -> Qrels:
    """Return the judgments of a collection with labels; a label replaces a judgment of the same pair.

    Args:
        instead: use the labels alone, without the judgments.

    Raises:
        DataError: a query is unknown, or a document is neither in the corpus nor judged.
    """
    grades: dict[tuple[str, str], int] = {} if instead else judged(collection)
    grades |= {(query, document): grade for query, document, grade in labels}
    rows = rows_in(collection, grades)
    gone = {
        (int(q), name) for q, name in zip(collection.qrels.missing.queries, collection.qrels.missing.ids, strict=True)
    }
    known, missing = list[tuple[int, int, int]](), list[tuple[int, str, int]]()
    for (query, document, name), grade in zip(rows, grades.values(), strict=True):
        if query < 0 or (document < 0 and not instead and (query, name) not in gone):
            raise DataError(f"a label names an unknown query or document: '{name}'")
        if document < 0:
            missing.append((query, name, grade))
        else:
            known.append((query, document, grade))
    return _qrels(sorted(known), sorted(missing, key=lambda one: (one[0], one[1].encode())))


def rows_in(collection: Collection, pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[int, int, str]]:
    """Yield (row of the query, row of the document, id of the document) of each pair; -1 for an unknown id."""
    both = list(pairs)
    queries = rows_of(strings([query for query, _ in both]), strings(collection.queries.ids()))
    wanted = strings(dict.fromkeys(document for _, document in both))
    found = rows_of(collection.corpus.id_column, wanted)
    places = np.full(len(wanted), -1, np.int64)
    places[found[found >= 0]] = np.flatnonzero(found >= 0)
    of = dict(zip(wanted.to_pylist(), places.tolist(), strict=True))
    for query, (_, document) in zip(queries.tolist(), both, strict=True):
        yield query, of[document], document


def _qrels(known: Sequence[tuple[int, int, int]], missing: Sequence[tuple[int, str, int]]) -> Qrels:
    columns = np.array(known, np.int32).reshape(-1, 3).T
    gone = Missing(
        np.array([query for query, _, _ in missing], np.int32), np.array([grade for *_, grade in missing], np.int32),
        tuple(name for _, name, _ in missing),
    )  # fmt: skip
    queries, documents, grades = (np.ascontiguousarray(one) for one in columns)
    return Qrels(queries, documents, grades, gone)


def _merged(collection: Collection, version: LabelVersion) -> Mapping[str, Mapping[str, int]]:
    """The second reading of the published judgments with the labels: it shares no code with `merged_qrels`."""
    assert collection.published is not None
    grades = collection.published.of(collection.queries.ids())
    for one in version.added:
        for query, document, grade in one.labels:
            grades[query][document] = grade
    return grades


def _file(workspace: Workspace, version: LabelVersion) -> Path:
    return workspace.path / FOLDER / version.root / f"{version.fingerprint}.json"


def _published_file(file: Path) -> Path:
    return file.with_suffix(".arrow")
