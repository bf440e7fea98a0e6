"""Read and check the table of a suite. A typo is an error that names the file and the collection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from msgspec import Meta

from adapters.errors import DataError, did_you_mean
from adapters.typed_file import parsed_toml
from adapters.typed_values import Place, Positive, Text, typed

MEASURES = ("nDCG", "AP", "RR", "P", "R", "Success")
"""The measures that can be the official one of a suite, repeated here because `harness.measuring.measures` imports
numpy."""
UNINSTRUCTED = "Retrieve text based on user query."
"""The instruction of mteb 2.26 for a retrieval task without a prompt."""
PAIRED_MEASURE = "p-MRR"
"""The official measure of instruction reranking (FollowIR): how ranks change with the instruction. It is not one of the
measures of single queries."""
_Name = Annotated[
    str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*\Z", description="a name of lower-case words joined by '-'")
]
_Dirt = Annotated[
    str, Meta(pattern=r"^[a-z]+(-[a-z]+)*\Z", description="a name of known dirt such as 'negative-grades'")
]
_Language = Annotated[str, Meta(pattern=r"^[a-z]{2,3}\Z", description="an ISO 639 code such as 'sw'")]
_Measure = Annotated[
    str,
    Meta(
        pattern=rf"^(({'|'.join(MEASURES)})(@[1-9][0-9]*)?|{PAIRED_MEASURE})\Z",
        description=f"a measure such as nDCG@10, RR@10, AP@1000, or {PAIRED_MEASURE}",
    ),
]
_HubName = Annotated[
    str, Meta(pattern=r"^[\w.-]+/[\w.-]+\Z", description="a dataset of the hub such as 'mteb/scifact'")
]
_Revision = Annotated[str, Meta(pattern=r"^[0-9a-f]{40}\Z", description="a revision of 40 hex digits")]
_Md5 = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z", description="an MD5 sum of 32 hex digits")]


@dataclass(frozen=True)
class MtebName:
    """The collection in mteb: a task, and its dataset on the Hugging Face hub."""

    task: Text
    path: _HubName
    revision: _Revision
    """40 hex digits: the commit of the dataset that the task pins."""
    split: Text
    subset: Text = "default"


@dataclass(frozen=True)
class BeirName:
    """The zip file in which BEIR distributes the collection."""

    zip: Text
    """The name without `.zip`."""
    split: Text
    md5: _Md5
    bytes: Positive
    folder: Text | None = None
    """The folder inside, if the zip file has several collections."""


@dataclass(frozen=True)
class SuiteCounts:
    """Published sizes."""

    queries: Positive
    documents: Positive
    relevant: Positive
    """Judgments with a grade other than 0 (mteb's descriptive statistics)."""


@dataclass(frozen=True)
class AverageCharacters:
    """Average lengths, for estimates of cost before anything is fetched."""

    document: Positive
    query: Positive


@dataclass(frozen=True)
class SuiteCollection:
    """One collection of a suite: one language, one split."""

    suite: Text
    name: _Name
    language: _Language
    """ISO 639-1."""
    main_measure: _Measure
    """In the notation of `harness.measuring.measures`, or `PAIRED_MEASURE`."""
    drop_identical_ids: bool
    """As in mteb."""
    mteb: MtebName
    counts: SuiteCounts
    average_characters: AverageCharacters
    group: _Name | None = None
    """Collections of one group are averaged first and count as one."""
    instruction: Text | None = None
    """The task's instruction for queries; None if mteb has none."""
    beir: BeirName | None = None
    irds: Text | None = None
    """The id in ir_datasets."""
    candidates: Positive | None = None
    """Number of given candidates over all queries; None if a first stage has to search."""
    licence: Text | None = None
    """None if mteb does not specify it."""
    training: bool | None = None
    """True if models in common use declare the collection as training data; None if it is not known."""
    note: Text | None = None
    allow: tuple[_Dirt, ...] = ()
    """Known faults of the published files that are let through, counted and shown; see `harness.data.sources.dirt`."""
    parallel: bool | None = None
    """Whether queries with the same id are one question in all collections of `within`; None if not declared."""

    @property
    def within(self) -> str:
        """The name of its set: the suite, or its group in the suite."""
        return f"{self.suite}/{self.group}" if self.group else self.suite

    @property
    def target(self) -> str:
        """Its name on the command line, such as `beir/scifact`."""
        return f"{self.suite}/{self.name}"


@dataclass(frozen=True)
class Suite:
    """Collections that are reported together."""

    name: str
    title: str
    note: str
    average: str
    """'macro': the mean over the parts, each of which is the mean over its collections."""
    collections: tuple[SuiteCollection, ...]

    @property
    def parts(self) -> dict[str, tuple[SuiteCollection, ...]]:
        """The parts of the average, by name: the groups, and the collections without a group."""
        names = dict.fromkeys(each.group or each.name for each in self.collections)
        return {name: tuple(each for each in self.collections if name in (each.group, each.name)) for name in names}


@dataclass(frozen=True)
class _Written:
    """The form of the file. The keys of a collection can be in three places."""

    name: _Name
    title: Text
    note: Text
    average: Literal["macro"]
    collection: Annotated[
        tuple[Mapping[str, object], ...], Meta(min_length=1, description="a list of tables under [[collection]]")
    ]
    parallel: bool | None = None
    shared: Mapping[str, object] = field(default_factory=dict)
    groups: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


def read_suite(text: str, file: str) -> Suite:
    """Read the table of a suite. A collection has the keys of `[shared]`, then those of its `[groups.NAME]`, then its
    own. Later keys win, and tables are merged. `parallel` may also be at the top of the file, for all collections.

    Raises:
        DataError: the text is not TOML, a key is unknown or missing, a value has the wrong form, or a name is used
            twice.
    """
    at = Place(file, error=DataError)
    written = typed(_Written, parsed_toml(text, at), at)
    above: dict[str, Any] = {} if written.parallel is None else {"parallel": written.parallel}
    shared = above | dict(written.shared) | {"suite": written.name}
    full = [_joined(shared, written.groups.get(str(row.get("group")), {}), row) for row in written.collection]
    found = tuple(
        typed(SuiteCollection, row, _label(row, place, file), error=DataError) for place, row in enumerate(full, 1)
    )
    _check_names(found, written.groups, file)
    return Suite(written.name, written.title, written.note, written.average, found)


def _label(row: Mapping[str, object], place: int, file: str) -> str:
    return f"{file}: collection '{row['name']}'" if "name" in row else f"{file}: collection {place}"


def _joined(*tables: Mapping[str, Any]) -> dict[str, Any]:
    joined: dict[str, Any] = {}
    for key, value in (item for table in tables for item in table.items()):
        before = joined.get(key)
        joined[key] = before | value if isinstance(before, dict) and isinstance(value, dict) else value
    return joined


def _check_names(found: tuple[SuiteCollection, ...], groups: Mapping[str, object], file: str) -> None:
    members = {each.group for each in found if each.group}
    counts = Counter([*(each.name for each in found), *members])
    for name, times in counts.items():
        if times > 1:
            raise DataError(f"{file}: the name '{name}' is used twice; give every collection and group its own name")
    for group in groups:
        if group not in members:
            raise DataError(f"{file}: [groups.{group}] has no collection.{did_you_mean(group, members)}")
