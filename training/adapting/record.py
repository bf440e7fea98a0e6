"""The record of an adaptation, `OUT/record.json`: what was done, measured, looked at, claimed and decided.

It is written anew after every event, so a killed run leaves a record that says how far it came.
"""

from __future__ import annotations

import json
import types
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from adapters.errors import DataError
from training.adapting.checkpoint import Checkpoint
from training.job import write_json

FILE = "record.json"
VERSION = 1
MACRO = "macro average"
"""The collection of a score that is the macro average over all collections of a tier; only where there are several."""
FIRST_STAGE, TEACHER, ANCHOR = "first stage", "teacher", "anchor"
"""The arms of scores that are no checkpoints. Several teachers are numbered; the anchor has scores only where it is not
the base."""

State = Literal["running", "accepted", "refused", "inconclusive", "invalid"]
Step = Literal[
    "stage-1", "synthesize", "clean", "mine", "teach", "teacher", "fit", "integrity", "merge", "dev", "gate", "final"
]
Tier = Literal["dev", "source", "gate", "final"]


@dataclass(frozen=True)
class Event:
    """Something that was done. `name` is a checkpoint, a task or a collection."""

    at: float
    """Seconds since the start."""
    seconds: float
    stage: Step
    name: str
    state: Literal["done", "known", "pass", "refused", "inconclusive", "invalid"]
    detail: str = ""


@dataclass(frozen=True)
class TaskRow:
    """What a task gave: queries that are left, queries that were removed as leaks, scored pairs, examples."""

    name: str
    corpus: str
    profile: str
    queries: int
    removed_as_leak: int
    pairs: int
    examples: int
    validation: str | None = None
    """The path of its validation.json."""


@dataclass(frozen=True)
class Score:
    """One arm on one collection of one tier. Values are fractions."""

    arm: str
    tier: Tier
    collection: str
    language: str | None
    measure: str
    value: float
    low: float | None
    """95 % bootstrap interval over queries; None with fewer than two queries."""
    high: float | None
    queries: int
    evaluation: str | None
    """The evaluation's id; None for a macro average."""


@dataclass(frozen=True)
class LookRow:
    """A look that was taken, as the ledger of looks has it."""

    id: str
    tier: Literal["dev", "gate", "final"]
    candidate: str
    anchor: str
    verdict: str
    better: bool
    delta: float | None
    low: float | None
    high: float | None
    alpha: float
    """What it spent."""


@dataclass(frozen=True)
class Claim:
    """A difference on the final split that was tested. `p` is after Holm over all claims."""

    claim: Literal["adaptation", "merging"]
    against: str
    winner: str
    delta: float
    low: float | None
    high: float | None
    p: float | None
    holds: bool
    told: str


@dataclass(frozen=True)
class Record:
    """Everything that an adaptation did."""

    run: str
    name: str
    started: str
    seconds: float
    base: Mapping[str, Any]
    teachers: tuple[Mapping[str, Any], ...]
    generator: str
    corpora: tuple[Mapping[str, Any], ...]
    first_stage: str
    depth: int
    measure: str
    policy: Mapping[str, Any]
    state: State = "running"
    accepted: str | None = None
    reasons: tuple[str, ...] = ()
    timeline: tuple[Event, ...] = ()
    tasks: tuple[TaskRow, ...] = ()
    arms: tuple[Checkpoint, ...] = ()
    scores: tuple[Score, ...] = ()
    looks: tuple[LookRow, ...] = ()
    claims: tuple[Claim, ...] = ()
    version: int = field(default=VERSION)

    def arm(self, name: str) -> Checkpoint:
        """The checkpoint of that name.

        Raises:
            KeyError: there is none.
        """
        return {one.name: one for one in self.arms}[name]

    def score(self, arm: str, tier: Tier) -> Score | None:
        """The primary endpoint of an arm on a tier: of its one collection, or the macro average; None if unmeasured."""
        rows = [one for one in self.scores if one.arm == arm and one.tier == tier]
        whole = [one for one in rows if one.collection == MACRO] or rows
        return whole[0] if len(whole) == 1 else None

    def value(self, arm: str, tier: Tier) -> float | None:
        """Of `score`."""
        found = self.score(arm, tier)
        return None if found is None else found.value


def write_record(record: Record, file: Path) -> None:
    """Replace the file in one step."""
    write_json(file, asdict(record))


def read_record(path: Path) -> Record:
    """Read a record, from its folder or its file.

    Raises:
        DataError: it is not there, cannot be read, or a field is missing, unknown or of a wrong type.
    """
    file = path / FILE if path.is_dir() else path
    try:
        content = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: not the record of an adaptation ({error})") from None
    if isinstance(content, dict) and content.get("version") != VERSION:
        raise DataError(f"{file}: a record of version {content.get('version')}; this reads version {VERSION}")
    try:
        record = _taken(Record, content, "record")
    except ValueError as error:
        raise DataError(f"{file}: {error}") from None
    assert isinstance(record, Record)
    return record


def _taken(kind: Any, value: object, where: str) -> Any:
    """A JSON value as the annotated type wants it.

    Raises:
        ValueError: it is something else.
    """
    if is_dataclass(kind):
        return _dataclass(kind, value, where)
    origin, inner = get_origin(kind), get_args(kind)
    if origin in {Union, types.UnionType}:
        return None if value is None else _taken(next(one for one in inner if one is not type(None)), value, where)
    if origin is Literal:
        return _one_of(inner, value, where)
    if origin is tuple:
        rows = _plain(list, value, where)
        return tuple(_taken(inner[0], row, f"{where}[{place}]") for place, row in enumerate(rows))
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return _plain(dict if origin is not None else kind, value, where)


def _dataclass(kind: Any, value: object, where: str) -> Any:
    given, hints = _plain(dict, value, where), get_type_hints(kind)
    names = [one.name for one in fields(kind)]
    for name in [*names, *given]:
        if name not in given or name not in hints:
            raise ValueError(f"{where}: '{name}' is {'missing' if name not in given else 'unknown'}")
    return kind(**{name: _taken(hints[name], given[name], f"{where}.{name}") for name in names})


def _one_of(allowed: tuple[object, ...], value: object, where: str) -> object:
    if value not in allowed:
        raise ValueError(f"{where} is {value!r}, not one of {', '.join(map(str, allowed))}")
    return value


def _plain(kind: type, value: object, where: str) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"{where} is {value!r}, not {kind.__name__}")
    return value
