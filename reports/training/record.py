"""The record of an adaptation, `record.json`, as values. Scores and differences are fractions, times seconds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from adapters.errors import DataError
from reports.training.fields import Fields

VERSION = 1
FILE = "record.json"
STATES = ("running", "accepted", "refused", "inconclusive", "invalid")
TIERS = ("dev", "source", "gate", "final")
STAGES = (
    "stage-1", "synthesize", "clean", "mine", "teach", "teacher", "fit", "integrity", "merge", "dev", "gate", "final",
)  # fmt: skip
EVENT_STATES = ("done", "known", "refused", "pass", "inconclusive", "invalid")
KINDS = ("base", "stage-1", "single", "given", "union", "linear", "slerp", "greedy", "curve")
FIRST_STAGE, TEACHER, ANCHOR = "first stage", "teacher", "anchor"
"""Who has scores and is no arm. Several teachers are numbered; the anchor is here where it is not the base."""
_UNKNOWN = "unknown"
"""What a licence is called that nobody stated."""
_OUTSIDER = re.compile(rf"{FIRST_STAGE}|{TEACHER}( \d+)?|{ANCHOR}")
MACRO = "macro average"
"""The collection of a score that is the average over all collections of its tier."""


@dataclass(frozen=True)
class Teacher:
    """Who labelled; its licence and what it was trained on are its users' concern too."""

    spec: str
    licence: str | None
    training_sets: tuple[str, ...] | None
    """None where nobody stated them; empty where there are none."""


@dataclass(frozen=True)
class Corpus:
    """A target corpus."""

    name: str
    documents: int
    language: str | None


@dataclass(frozen=True)
class Event:
    """One thing that the loop did."""

    at: float
    """Since the start."""
    seconds: float
    stage: str
    name: str
    state: str
    detail: str


@dataclass(frozen=True)
class Task:
    """The data of one corpus with one profile."""

    name: str
    corpus: str
    profile: str
    queries: int
    removed_as_leak: int
    pairs: int
    examples: int


@dataclass(frozen=True)
class Arm:
    """A checkpoint that was proposed, or that others are compared with."""

    name: str
    kind: str
    path: str
    parts: tuple[str, ...]
    t: float | None
    refused: tuple[str, ...]


@dataclass(frozen=True)
class Score:
    """One arm on one collection of one tier."""

    arm: str
    tier: str
    collection: str
    language: str | None
    measure: str
    value: float
    low: float | None
    high: float | None
    queries: int
    evaluation: str | None
    """The id of an evaluation; a macro average has none."""


@dataclass(frozen=True)
class Looked:
    """What one look at the gate's queries said."""

    id: str
    tier: str
    candidate: str
    anchor: str
    verdict: str
    better: bool
    delta: float | None
    low: float | None
    high: float | None
    alpha: float | None


@dataclass(frozen=True)
class Claim:
    """What would be said of the winner if it holds."""

    claim: str
    against: str
    winner: str
    delta: float | None
    low: float | None
    high: float | None
    p: float | None
    holds: bool
    told: str


@dataclass(frozen=True)
class Record:
    """An adaptation as far as it got."""

    run: str
    name: str
    started: str
    seconds: float
    state: str
    accepted: str | None
    reasons: tuple[str, ...]
    base: str
    teachers: tuple[Teacher, ...]
    generator: str
    corpora: tuple[Corpus, ...]
    first_stage: str
    depth: int
    measure: str
    timeline: tuple[Event, ...]
    tasks: tuple[Task, ...]
    arms: tuple[Arm, ...]
    scores: tuple[Score, ...]
    looks: tuple[Looked, ...]
    claims: tuple[Claim, ...]

    def arm(self, name: str) -> Arm | None:
        """The arm of that name."""
        return next((one for one in self.arms if one.name == name), None)

    @property
    def outsiders(self) -> tuple[str, ...]:
        """Who was measured and is no arm: the first stage, the teachers, the anchor."""
        found = dict.fromkeys(one.arm for one in self.scores if self.arm(one.arm) is None)
        return tuple(sorted(found, key=lambda name: (name == ANCHOR, name != FIRST_STAGE, name)))

    def of_kind(self, kind: str) -> tuple[Arm, ...]:
        """Arms in the order of the record."""
        return tuple(one for one in self.arms if one.kind == kind)


def read_record(path: Path) -> Record:
    """Read a record, from its file or from the folder of the loop.

    Raises:
        DataError: it is not there, is damaged, contradicts itself, or is of another version.
    """
    file = path / FILE if path.is_dir() else path
    if not file.is_file():
        raise DataError(f"{file}: there is no record; `harness train adapt` writes one into its --out")
    top = Fields.read(file)
    if top.values.get("version") != VERSION:
        raise DataError(f"{file}: 'version' is {top.values.get('version')!r}; this program reads {VERSION}")
    found = _record(top)
    _consistent(top, found)
    return found


def _record(top: Fields) -> Record:
    return Record(
        run=top.text("run"), name=top.text("name"), started=top.text("started"), seconds=top.number("seconds"),
        state=top.one_of("state", STATES), accepted=top.text_or_none("accepted"), reasons=top.texts("reasons"),
        base=top.object("base").text("name"), teachers=tuple(map(_teacher, top.objects("teachers"))),
        generator=top.text("generator"), corpora=tuple(map(_corpus, top.objects("corpora"))),
        first_stage=top.text("first_stage"), depth=top.count("depth"), measure=top.text("measure"),
        timeline=tuple(map(_event, top.objects("timeline"))), tasks=tuple(map(_task, top.objects("tasks"))),
        arms=tuple(map(_arm, top.objects("arms"))), scores=tuple(map(_score, top.objects("scores"))),
        looks=tuple(map(_look, top.objects("looks"))), claims=tuple(map(_claim, top.objects("claims"))),
    )  # fmt: skip


def _teacher(one: Fields) -> Teacher:
    licence = one.text_or_none("licence")
    sets = None if one.values.get("training_sets", ()) is None else one.texts("training_sets")
    return Teacher(one.text("spec"), None if licence == _UNKNOWN else licence, sets)


def _corpus(one: Fields) -> Corpus:
    return Corpus(one.text("name"), one.count("documents"), one.text_or_none("language"))


def _event(one: Fields) -> Event:
    return Event(
        one.number("at"), one.number("seconds"), one.one_of("stage", STAGES), one.text("name"),
        one.one_of("state", EVENT_STATES), one.text("detail"),
    )  # fmt: skip


def _task(one: Fields) -> Task:
    return Task(
        one.text("name"), one.text("corpus"), one.text("profile"), one.count("queries"), one.count("removed_as_leak"),
        one.count("pairs"), one.count("examples"),
    )  # fmt: skip


def _arm(one: Fields) -> Arm:
    return Arm(
        one.text("name"),
        one.one_of("kind", KINDS),
        one.text("path"),
        one.texts("parts"),
        one.number_or_none("t"),
        one.texts("refused"),
    )


def _score(one: Fields) -> Score:
    return Score(
        one.text("arm"), one.one_of("tier", TIERS), one.text("collection"), one.text_or_none("language"),
        one.text("measure"), one.number("value"), one.number_or_none("low"), one.number_or_none("high"),
        one.count("queries"), one.text_or_none("evaluation"),
    )  # fmt: skip


def _look(one: Fields) -> Looked:
    return Looked(
        one.text("id"), one.text("tier"), one.text("candidate"), one.text("anchor"), one.text("verdict"),
        one.truth("better"), one.number_or_none("delta"), one.number_or_none("low"), one.number_or_none("high"),
        one.number_or_none("alpha"),
    )  # fmt: skip


def _claim(one: Fields) -> Claim:
    return Claim(
        one.text("claim"), one.text("against"), one.text("winner"), one.number_or_none("delta"),
        one.number_or_none("low"), one.number_or_none("high"), one.number_or_none("p"), one.truth("holds"),
        one.text("told"),
    )  # fmt: skip


def _consistent(top: Fields, found: Record) -> None:
    """Refuse a record whose parts do not belong together."""
    names = [one.name for one in found.arms]
    for place, one in enumerate(found.arms):
        if one.name in names[:place]:
            top.damaged(f"arms[{place}].name", f"'{one.name}' is there twice")
    seen = set()
    for place, score in enumerate(found.scores):
        if score.arm not in names and not _OUTSIDER.fullmatch(score.arm):
            top.damaged(f"scores[{place}].arm", f"'{score.arm}' is no arm of this record")
        key = (score.arm, score.tier, score.collection)
        if key in seen:
            top.damaged(f"scores[{place}]", "is there twice")
        seen.add(key)
    if found.accepted is not None and found.accepted not in names:
        top.damaged("accepted", f"'{found.accepted}' is no arm of this record")
    if (found.state == "accepted") != (found.accepted is not None):
        top.damaged("accepted", f"and the state '{found.state}' contradict each other")
