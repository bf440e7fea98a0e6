"""`harness judge import`: labels of a file become a new label version of a collection."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from adapters.errors import DataError, UsageError
from adapters.identity import digest
from harness.data.collection import Collection
from harness.data.label_names import JUDGE, PEOPLE, split_target
from harness.data.label_versions import (
    Label,
    Labels,
    LabelVersion,
    judged,
    keep,
    rows_in,
    version_called,
    versioned,
    with_labels,
)
from harness.data.sources.dirt import shown
from harness.labelling.label_file import LabelFile, LabelRow, read_labels, rows_by_collection
from harness.workspace import Workspace

_BY = re.compile(rf"{PEOPLE}|{JUDGE}[^\s,()]+")


@dataclass(frozen=True)
class ImportedLabels:
    """What became of the labels of one collection."""

    collection: str
    """The name of the collection with the new version."""
    version: LabelVersion
    new: int
    """Labels of pairs that had no judgment."""
    replaced: int
    """Labels that replace another grade."""
    same: int
    """Labels that the judgments had already."""
    queries: int
    """Queries with a new or replaced label."""
    without_grade: int
    """Rows of the collection without a grade."""
    below_zero: int
    """Grades of the file below 0, which count as 0."""
    new_grades: tuple[int, ...]
    """Grades that the collection did not have. They change what an ideal ranking can gain."""

    @property
    def note(self) -> str:
        """What has to be known about the labels, besides the counts; '' if nothing."""
        if not self.new_grades:
            return ""
        grades = ", ".join(map(str, self.new_grades))
        return f"{self.collection}: its judgments had no grade {grades} before"


@dataclass(frozen=True)
class _Base:
    """What labels are added to: a published collection, or a version of it."""

    published: Collection
    version: LabelVersion | None

    def collection(self, workspace: Workspace) -> Collection:
        return self.published if self.version is None else with_labels(self.published, self.version, workspace)


@dataclass(frozen=True)
class _Part:
    """The labels of a file for one collection."""

    base: _Base
    rows: list[LabelRow]
    without_grade: int


def import_labels(
    file: Path,
    target: str,
    workspace: Workspace,
    load: Callable[[str], Sequence[Collection]],
    *,
    by: str = PEOPLE,
    name: str | None = None,
    replace: bool = False,
) -> list[ImportedLabels]:
    """Make a new label version of each collection that a file has labels for.

    Args:
        file: see `label_file.read_labels`.
        target: the collections; with `?labels=NAME` the labels are added to that version.
        load: returns the published collections of a target.
        by: who gave the labels: `people`, or `judge:NAME`.
        name: of the version. Default: `people-` or `judge-` and digits of its digest.
        replace: labels replace judgments with another grade. Default: these are refused.

    Raises:
        UsageError: the target, the name or `by` is wrong.
        DataError: an id is unknown, a pair has two labels, or a label contradicts a judgment. The message names the
            line.
    """
    if not _BY.fullmatch(by):
        raise UsageError(f"--by {by}: labels are by 'people' or by 'judge:NAME'")
    found = read_labels(file)
    bare, on = split_target(target)
    bases = [_Base(one, version_called(workspace, one, on) if on else None) for one in load(bare)]
    each = _by_collection(found, _keys(found, bases, workspace, target), bases)
    prepared = [_checked(found, part, workspace, overwrite=replace) for part in each]
    return [_kept(part, one, workspace, by, name, found) for part, one in zip(each, prepared, strict=True)]


def _by_collection(found: LabelFile, keys: Mapping[str, str], bases: Sequence[_Base]) -> list[_Part]:
    rows = rows_by_collection(found, keys)
    empty = Counter(next(iter(keys.values())) if name is None else keys.get(name) for name in found.ungraded)
    named = [(base, base.published.name) for base in bases]
    return [_Part(base, rows[name], empty[name]) for base, name in named if name in rows]


def _keys(found: LabelFile, bases: Sequence[_Base], workspace: Workspace, target: str) -> dict[str, str]:
    """The name of the published collection, by every name that the file can give the collection."""
    keys = {
        name: base.published.name for base in bases for name in (base.published.name, base.collection(workspace).name)
    }
    for row in found.rows:
        if row.collection is not None and row.collection not in keys:
            known = ", ".join(base.published.name for base in bases[:5])
            raise DataError(f"{found.file}:{row.line}: a label for {shown(row.collection)}, but '{target}' is {known}")
    return keys


@dataclass(frozen=True)
class _Checked:
    new: list[Label]
    replaced: list[Label]
    same: int
    new_grades: tuple[int, ...]


def _checked(found: LabelFile, part: _Part, workspace: Workspace, *, overwrite: bool) -> _Checked:
    rows, collection = part.rows, part.base.collection(workspace)
    before = judged(collection)
    places = rows_in(collection, [(row.query, row.document) for row in rows])
    new, replaced, same = list[Label](), list[Label](), 0
    for row, (query, document, _) in zip(rows, places, strict=True):
        where, pair = f"{found.file}:{row.line}", (row.query, row.document)
        if query < 0:
            raise DataError(f"{where}: query {shown(row.query)} is not a judged query of {collection.name}")
        if document < 0 and pair not in before:
            raise DataError(f"{where}: document {shown(row.document)} is not in the corpus of {collection.name}")
        grade = before.get(pair)
        label = (row.query, row.document, row.grade)
        if grade is None:
            new.append(label)
        elif grade == row.grade:
            same += 1
        elif overwrite:
            replaced.append(label)
        else:
            raise DataError(
                f"{where}: document {shown(row.document)} of query {shown(row.query)} is judged {grade} in "
                f"{collection.name}, and {row.grade} here; --replace takes the labels of the file"
            )
    if not new and not replaced:
        raise DataError(f"{found.file}: all {same:,} labels are in the judgments of {collection.name} already")
    grades = {grade for _, _, grade in (*new, *replaced)} - {0, *before.values()}
    return _Checked(new, replaced, same, tuple(sorted(grades)))


def _kept(  # noqa: PLR0917
    part: _Part, made: _Checked, workspace: Workspace, by: str, name: str | None, found: LabelFile
) -> ImportedLabels:
    base, labels = part.base, tuple(sorted([*made.new, *made.replaced]))
    earlier = () if base.version is None else base.version.added
    called = name or f"{by.partition(':')[0]}-{digest({'by': by, 'labels': [list(one) for one in labels]})[:8]}"
    version = versioned(base.published.fingerprint, called, [*earlier, Labels(by, labels)])
    kept = keep(workspace, version, base.published)
    queries = len({query for query, _, _ in labels})
    return ImportedLabels(
        f"{base.published.name}{kept.suffix}", kept, len(made.new), len(made.replaced), made.same, queries,
        part.without_grade, found.below_zero, made.new_grades,
    )  # fmt: skip
