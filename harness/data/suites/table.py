"""What the table of a suite says, checked while it is read: a typo is an error that names file and collection."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from types import NoneType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from adapters.errors import DataError, did_you_mean

Declared = TypeVar("Declared")

MEASURES = ("nDCG", "AP", "RR", "P", "R", "Success")
"""Names of `harness.measuring.measures`; that module loads numpy, which a table does not need."""
UNINSTRUCTED = "Retrieve text based on user query."
"""What mteb 2.26 tells an instructed embedder about a retrieval task that has no prompt of its own."""
PAIRED_MEASURE = "p-MRR"
"""The official measure of instruction reranking (FollowIR): how ranks change with the wording. It is not among the
measures of single queries."""
_FORMS = {
    "name": (r"[a-z0-9]+(-[a-z0-9]+)*", "lower-case words joined by '-'"),
    "group": (r"[a-z0-9]+(-[a-z0-9]+)*", "lower-case words joined by '-'"),
    "allow": (r"[a-z]+(-[a-z]+)*", "a name of known dirt such as 'negative-grades'"),
    "average": ("macro", "'macro' is the only one"),
    "language": ("[a-z]{2,3}", "an ISO 639 code such as 'sw'"),
    "main_measure": (
        rf"({'|'.join(MEASURES)})(@[1-9][0-9]*)?|{PAIRED_MEASURE}",
        f"a measure such as nDCG@10, RR@10, AP@1000, or {PAIRED_MEASURE}",
    ),
    "path": (r"[\w.-]+/[\w.-]+", "a dataset of the hub such as 'mteb/scifact'"),
    "revision": ("[0-9a-f]{40}", "40 hex digits"),
    "md5": ("[0-9a-f]{32}", "32 hex digits"),
}
_TYPES = {str: "text", bool: "true or false", int: "a number above 0"}


@dataclass(frozen=True)
class MtebName:
    """Where mteb has the collection: a task, and its dataset on the Hugging Face hub."""

    task: str
    path: str
    revision: str
    """40 hex digits: the commit of the dataset that the task pins."""
    split: str
    subset: str = "default"


@dataclass(frozen=True)
class BeirName:
    """The zip file in which BEIR distributes the collection."""

    zip: str
    """Without `.zip`."""
    split: str
    md5: str
    bytes: int
    folder: str | None = None
    """The folder inside, where the zip file holds several collections."""


@dataclass(frozen=True)
class SuiteCounts:
    """Published sizes."""

    queries: int
    documents: int
    relevant: int
    """Judgments with a grade other than 0 (mteb's descriptive statistics)."""


@dataclass(frozen=True)
class AverageCharacters:
    """Average lengths, for estimates of cost before anything is fetched."""

    document: int
    query: int


@dataclass(frozen=True)
class SuiteCollection:
    """One collection of a suite: one language, one split."""

    suite: str
    name: str
    language: str
    """ISO 639-1."""
    main_measure: str
    """In the notation of `harness.measuring.measures`, or `PAIRED_MEASURE`."""
    drop_identical_ids: bool
    """As mteb does it."""
    mteb: MtebName
    counts: SuiteCounts
    average_characters: AverageCharacters
    group: str | None = None
    """Collections of one group are averaged first and count as one."""
    instruction: str | None = None
    """The task's instruction for queries; None where mteb has none."""
    beir: BeirName | None = None
    irds: str | None = None
    """The id in ir_datasets."""
    candidates: int | None = None
    """Given candidates over all queries; None where a first stage has to search."""
    licence: str | None = None
    """None where mteb does not specify it."""
    training: bool | None = None
    """True where models in common use declare the collection as training data; None where nothing is known."""
    note: str | None = None
    allow: tuple[str, ...] = ()
    """Known dirt of the published files that is let through, counted and shown; see `harness.data.sources.dirt`."""
    parallel: bool | None = None
    """Whether queries with one id are one question in all collections of `within`; None where nobody declares it."""

    @property
    def within(self) -> str:
        """The set whose queries its own could be: the suite, or its group of it."""
        return f"{self.suite}/{self.group}" if self.group else self.suite

    @property
    def target(self) -> str:
        """What a user names it by: `beir/scifact`."""
        return f"{self.suite}/{self.name}"


@dataclass(frozen=True)
class Suite:
    """Collections that are reported together."""

    name: str
    title: str
    note: str
    average: str
    """'macro': the mean over the parts, each part the mean over its collections."""
    collections: tuple[SuiteCollection, ...]

    @property
    def parts(self) -> dict[str, tuple[SuiteCollection, ...]]:
        """What the average counts: the groups, and every collection without one, by name."""
        names = dict.fromkeys(one.group or one.name for one in self.collections)
        return {name: tuple(one for one in self.collections if name in (one.group, one.name)) for name in names}


@dataclass(frozen=True)
class _Head:
    name: str
    title: str
    note: str
    average: str
    parallel: bool | None = None


def read_suite(text: str, file: str) -> Suite:
    """Read the table of a suite. A collection has the keys of `[shared]`, then those of its `[groups.NAME]`, then its
    own; where several have a key the last holds, and tables are joined. `parallel` may also stand above all of them.

    Raises:
        DataError: not TOML, an unknown or missing key, a value of the wrong form, or a name that stands twice.
    """
    try:
        keys = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{file}: not TOML: {error}") from None
    rows, shared, groups = keys.pop("collection", []), keys.pop("shared", {}), keys.pop("groups", {})
    if not isinstance(rows, list):
        raise DataError(f"{file}: a collection begins with [[collection]], in two brackets")
    head = _filled(_Head, keys, file)
    above = {} if head.parallel is None else {"parallel": head.parallel}
    shared = above | shared | {"suite": head.name}
    full = [_joined(shared, groups.get(row.get("group"), {}), row) for row in rows]
    found = tuple(_filled(SuiteCollection, row, _label(row, place, file)) for place, row in enumerate(full, 1))
    _check_names(found, groups, file)
    return Suite(head.name, head.title, head.note, head.average, found)


def _label(row: Mapping[str, object], place: int, file: str) -> str:
    return f"{file}: collection '{row['name']}'" if "name" in row else f"{file}: collection {place}"


def _joined(*tables: Mapping[str, Any]) -> dict[str, Any]:
    joined: dict[str, Any] = {}
    for key, value in (item for table in tables for item in table.items()):
        before = joined.get(key)
        joined[key] = before | value if isinstance(before, dict) and isinstance(value, dict) else value
    return joined


def _check_names(found: tuple[SuiteCollection, ...], groups: Mapping[str, object], file: str) -> None:
    members = {one.group for one in found if one.group}
    counted = Counter([*(one.name for one in found), *members])
    for name, times in counted.items():
        if times > 1:
            raise DataError(f"{file}: the name '{name}' stands twice; collections and groups need names of their own")
    for group in groups:
        if group not in members:
            raise DataError(f"{file}: [groups.{group}] has no collection.{did_you_mean(group, members)}")
    if not found:
        raise DataError(f"{file}: no [[collection]]")


def _filled(kind: type[Declared], keys: Mapping[str, object], where: str) -> Declared:
    hints = get_type_hints(kind)
    for key in keys:
        if key not in hints:
            raise DataError(f"{where}: unknown key '{key}'.{did_you_mean(key, hints)}")
    for field in fields(kind):  # type: ignore[arg-type]
        if field.default is MISSING and field.name not in keys:
            raise DataError(f"{where}: no '{field.name}'")
    return kind(**{key: _checked(hints[key], key, value, where) for key, value in keys.items()})


def _checked(hint: Any, key: str, value: object, where: str) -> object:
    if get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise DataError(f"{where}: '{key}' must be a list, as in {key} = [\"...\"]")
        return tuple(_checked(str, key, one, where) for one in value)
    kind = next(one for one in get_args(hint) or (hint,) if one is not NoneType)
    if is_dataclass(kind):
        if not isinstance(value, dict):
            raise DataError(f"{where}: '{key}' must be a table, as in {key} = {{ ... }}")
        return _filled(kind, value, f"{where}, {key}")  # type: ignore[arg-type]
    # `True` is a number for isinstance.
    if type(value) is not kind or value == "" or (kind is int and value < 1):  # type: ignore[operator]
        raise DataError(f"{where}: '{key}' must be {_TYPES[kind]}")
    form, description = _FORMS.get(key, ("(?s:.*)", ""))
    if not re.fullmatch(form, str(value)):
        raise DataError(f"{where}: '{key}' is '{value}'; expected {description}")
    return value
