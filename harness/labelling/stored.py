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
from harness.labelling.label_file import read_labels
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
        The comparison, and a line for each stored system that could not be measured.

    Raises:
        UsageError: a name is wrong, or the two are versions of different collections.
        DataError: a file cannot be read, or no query is judged by both.
    """
    given = None if target is None else _one(load(split_target(target)[0]), target)
    found = [_version(name, given, workspace, load) for name in (first, second)]
    collections = [one.collection for one in found if one.collection is not None] + ([given] if given else [])
    judgments = JudgmentDiff(found[0].grades, found[1].grades)
    names = (found[0].name, found[1].name)
    notes = tuple(dict.fromkeys(one.note for one in found if one.note))
    if not collections:
        return LabelDiff(names, judgments), []
    if len({one.fingerprint for one in collections}) > 1:
        raise UsageError(f"{first} and {second} are judgments of different collections; name two versions of one")
    collection = collections[0]
    for one in found:
        if unknown := unknown_in(collection, one.grades):
            raise DataError(f"{one.name}: query {shown(unknown[0][0])} is not a judged query of {collection.name}")
    (name,) = ordinary_measures(collection, [] if measure is None else [measure])
    recalled, left_out = _recalled(workspace, collection)
    return replace(diff(names, judgments, collection, recalled, parse(name)), notes=notes), left_out


def _version(name: str, given: Collection | None, workspace: Workspace, load: Load) -> _Version:
    path = Path(name)
    if path.is_file() and not path.name.endswith(_COLLECTIONS):
        rows = read_labels(path).rows
        return _Version(name, {(row.query, row.document): row.grade for row in rows}, "", None)
    if given is not None and NAME.fullmatch(name) and not path.exists():
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
