"""Finds versions of judgments and the stored rankings that they apply to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from adapters.errors import DataError, UsageError
from harness.data.collection import Collection
from harness.data.label_names import split_target
from harness.data.label_versions import NAME, version_called, versions, with_labels
from harness.data.sources.dirt import shown
from harness.labelling.diff import Grades, JudgmentDiff, LabelDiff, diff, grades_of, unknown_in
from harness.labelling.label_file import LabelFile, read_labels, rows_by_collection
from harness.measuring.measures import parse
from harness.result.opening import stored_in
from harness.result.recall import Recalled, recall
from harness.result.stored import Stored
from harness.scoring.ground import ordinary_measures
from harness.workspace import Workspace

_COLLECTIONS = (".zip", ".jsonl", ".jsonl.gz", ".parquet")
"""Files that are collections; all others are files of judgments."""
Load = Callable[[str], Sequence[Collection]]
"""Returns the published collections of a target."""


@dataclass(frozen=True)
class _Version:
    """A version of the judgments of one collection."""

    name: str
    grades: Grades
    note: str
    """Who gave the labels of a label version; '' for other judgments."""
    collection: Collection | None
    """The published collection, if the name says which."""


def compared_versions(
    first: str, second: str, workspace: Workspace, load: Load, *, target: str | None = None, measure: str | None = None
) -> tuple[LabelDiff, list[str]]:
    """Compare two versions of judgments, and measure the stored systems with both.

    Args:
        first, second: each a file of judgments; a target, with `?labels=NAME` or without; or, with `target`, the name
            of one of its label versions.
        load: returns the published collections of a target.
        target: the collection that files of judgments are for. Default: that of `first` or `second`.
        measure: one measure of single queries. Default: the main measure of the collection.

    Returns:
        The comparison, and a line for each stored system that could not be measured and for each other collection
        that a file has labels of.

    Raises:
        UsageError: a name is wrong, the two are versions of different collections, or a file has labels of several
            collections and nothing says which to compare.
        DataError: a file cannot be read, has two labels of a pair or none of the collection, or no query is judged by
            both.
    """
    given = None if target is None else _one(load(split_target(target)[0]), target)
    read = [_file(name) or _version(name, given, workspace, load) for name in (first, second)]
    named = [one.collection for one in read if isinstance(one, _Version) and one.collection is not None]
    collections = named + ([given] if given else [])
    found, others = _of_one_collection(read, collections[0] if collections else None, workspace)
    judgments = JudgmentDiff(found[0].grades, found[1].grades)
    names = (found[0].name, found[1].name)
    notes = tuple(dict.fromkeys(one.note for one in found if one.note))
    if not collections:
        return LabelDiff(names, judgments), others
    if len({one.fingerprint for one in collections}) > 1:
        raise UsageError(f"{first} and {second} are judgments of different collections; name two versions of one")
    collection = collections[0]
    for one in found:
        if unknown := unknown_in(collection, one.grades):
            raise DataError(f"{one.name}: query {shown(unknown[0][0])} is not a judged query of {collection.name}")
    (name,) = ordinary_measures(collection, [] if measure is None else [measure])
    recalled, left_out = _recalled(workspace, collection)
    return replace(diff(names, judgments, collection, recalled, parse(name)), notes=notes), [*others, *left_out]


def _file(name: str) -> LabelFile | None:
    """The labels of a file; None if the name is no file of judgments."""
    path = Path(name)
    return read_labels(path) if path.is_file() and not path.name.endswith(_COLLECTIONS) else None


def _of_one_collection(
    read: Sequence[LabelFile | _Version], collection: Collection | None, workspace: Workspace
) -> tuple[list[_Version], list[str]]:
    """Return the versions, with the labels of one collection of every file, and a line for each other collection."""
    keys = _keys([one for one in read if isinstance(one, LabelFile)], collection, workspace)
    found, others = list[_Version](), list[str]()
    for one in read:
        if isinstance(one, _Version):
            found.append(one)
            continue
        rows = rows_by_collection(one, keys)
        own = rows.pop(next(iter(keys.values())), [])
        if not own:
            raise DataError(f"{one.file}: no label of {next(iter(keys))}, but of {', '.join(map(shown, rows))}")
        found.append(_Version(one.file, {(row.query, row.document): row.grade for row in own}, "", None))
        others += [f"left out: {len(each):,} labels of {name} in {one.file}" for name, each in rows.items()]
    return found, others


def _keys(files: Sequence[LabelFile], collection: Collection | None, workspace: Workspace) -> dict[str, str]:
    """The key of the collection by all its names: published and with a label version. Where it is not known, the files
    name one."""
    if collection is not None:
        known = versions(workspace, collection.fingerprint)
        names = [collection.name, *(f"{collection.name}{one.suffix}" for one in known)]
        return dict.fromkeys(names, collection.name)
    named = dict.fromkeys(row.collection for file in files for row in file.rows if row.collection is not None)
    bare = dict.fromkeys(split_target(name)[0] for name in named)
    if len(bare) > 1:
        where = " and ".join(file.file for file in files)
        raise UsageError(f"{where}: labels of {len(bare)} collections ({', '.join(bare)}); name one with --target")
    key = next(iter(bare), "")
    return dict.fromkeys([key, *named], key)


def _version(name: str, given: Collection | None, workspace: Workspace, load: Load) -> _Version:
    if given is not None and NAME.fullmatch(name) and not Path(name).exists():
        known = [one for one in versions(workspace, given.fingerprint) if one.name == name]
        if known:
            return _Version(name, grades_of(with_labels(given, known[0], workspace)), known[0].note, given)
    bare, labels = split_target(name)
    published = _one(load(bare), name)
    if labels is None:
        return _Version(name, grades_of(published), "", published)
    version = version_called(workspace, published, labels)
    return _Version(name, grades_of(with_labels(published, version, workspace)), version.note, published)


def _one(collections: Sequence[Collection], target: str) -> Collection:
    if len(collections) != 1:
        raise UsageError(f"'{target}' is {len(collections)} collections; name one of them")
    return collections[0]


def _recalled(workspace: Workspace, collection: Collection) -> tuple[list[Recalled], list[str]]:
    """The rankings of the collection and of its versions, newest last, and lines about those that are gone."""
    if not workspace.results.is_file():
        return [], []
    known = {collection.fingerprint, *(one.fingerprint for one in versions(workspace, collection.fingerprint))}
    with stored_in(workspace.results) as results:
        stored = [one for one in results.all() if one.collection.fingerprint in known]
    found, left_out = list[Recalled](), list[str]()
    for one in _with_rankings(stored):
        try:
            found.append(recall(workspace, one.id))
        except DataError as error:
            left_out.append(f"left out: {one.key.label} ({one.id}): {error}")
    return found, left_out


def _with_rankings(stored: Sequence[Stored]) -> list[Stored]:
    """The evaluations without imported means, which have no ranking."""
    return [one for one in stored if "retriever" in one.identity]
