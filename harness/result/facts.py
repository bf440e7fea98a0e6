"""What the results store knows of an evaluation besides its values: typed facts, written and read as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property

from harness.data.collection import KnownBy, Rules
from harness.data.notes import notes_about
from harness.measuring.alarms.alarm import UNNAMED, Alarm
from harness.measuring.statistics.design import Questions
from harness.result.keys import CollectionKey
from harness.result.typed import Unreadable, typed

Json = Mapping[str, object]


@dataclass(frozen=True)
class CountFacts:
    """`harness.data.collection.Counts` as they are stored. None where a count is not known: an earlier version did not
    count it, or the collection was never read here."""

    queries: int
    documents: int | None = None
    judgments: int | None = None
    judged_zero: int | None = None
    empty_documents: int | None = None
    duplicate_texts: int | None = None
    queries_without_relevant: int | None = None
    queries_without_judgments: int | None = None
    let_through: Mapping[str, int] | None = None
    empty_queries: int | None = None
    repeated_candidates: int | None = None
    queries_all_relevant: int | None = None
    missing_judgments: int | None = None
    missing_documents: int | None = None
    shares: Mapping[str, Mapping[str, tuple[int, ...]]] | None = None


@dataclass(frozen=True)
class CollectionFacts:
    """A collection as an evaluation was made on it; the fields are those of `harness.data.collection.Collection`."""

    name: str
    split: str
    fingerprint: str
    counts: CountFacts
    rules: Rules
    language: str | None = None
    detected_language: str | None = None
    language_sought: bool = True
    """Whether somebody looked for the language of a collection that declares none."""
    sampled_from: int | None = None
    part_of: str | None = None
    group: str | None = None
    corpus: str | None = None
    """The fingerprint of the corpus alone; None where an earlier version did not keep it."""
    parallel: str | None = None
    parallel_by: KnownBy | None = None

    @cached_property
    def key(self) -> CollectionKey:
        """The column of a table that its values belong to."""
        return CollectionKey(
            self.name, self.split, self.fingerprint, self.language, self.group, self.counts.queries, self.sampled_from,
            self.rules.main_measure,
        )  # fmt: skip

    @property
    def whole(self) -> str:
        """The fingerprint of the whole collection, which is its own unless it is some of another one's queries."""
        return self.part_of or self.fingerprint

    @property
    def notes(self) -> list[str]:
        """What a reader has to know of it; see `harness.data.notes`."""
        counts = self.counts
        return notes_about(
            self.name, self.rules.note, counts.missing_documents, counts.missing_judgments, counts.let_through
        )

    def questions(self, ids: tuple[str, ...]) -> Questions:
        """What the values of a measure belong to, by the ids of its queries or questions."""
        return Questions(self.parallel or self.fingerprint, ids)

    def after(self, before: CollectionFacts | None) -> CollectionFacts:
        """With what an earlier evaluation on the same content found out and this one did not: the corpus, the detected
        language, and the parallel set, which a collection that is measured alone may not know."""
        if before is None:
            return self
        kept: dict[str, object] = {"corpus": before.corpus or self.corpus}
        if not self.language_sought:
            kept |= {"detected_language": before.detected_language, "language_sought": before.language_sought}
        if self.parallel_by is None:
            kept |= {"parallel": before.parallel, "parallel_by": before.parallel_by}
        return replace(self, **kept)  # type: ignore[arg-type]

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True)
class TokenFacts:
    """What reached the model; see `harness.scoring.audit.Tokens`."""

    truncated: int
    truncated_half: int | None = None
    truncated_away: int | None = None
    identical_inputs: int | None = None


@dataclass(frozen=True)
class AuditFacts:
    """`harness.scoring.audit.Audit` as it is stored, with every alarm. None where a value is not known: of imported
    means nothing is, and an earlier version may not have looked."""

    queries: int | None = None
    queries_without_candidates: int | None = None
    candidates: int | None = None
    judged_at_10: float | None = None
    ties: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """The worst and the best value over all orders of equal scores, by measure."""
    constant_queries: int | None = None
    distinct_scores: float | None = None
    tied: int | None = None
    duplicate_texts: int | None = None
    membership_kept: bool | None = None
    tokens: TokenFacts | None = None
    alarms: tuple[Alarm, ...] = ()
    details: Json = field(default_factory=dict)
    """What another version stored besides, as plain values."""

    @classmethod
    def of(cls, value: object, place: str) -> AuditFacts:
        """From JSON.

        Raises:
            Unreadable: naming the value that is no part of an audit.
        """
        if not isinstance(value, dict):
            raise Unreadable("is not an object", place)
        plain = {key: one for key, one in value.items() if key in _KNOWN}
        if isinstance(alarms := plain.get("alarms"), list):
            plain["alarms"] = list(map(_with_name, alarms))
        details = {key: one for key, one in value.items() if key not in _KNOWN}
        return typed(cls, {**plain, "details": details}, place)

    def as_dict(self) -> dict[str, object]:
        """For JSON, without what is not known. Where pairs were scored, `tokens` is null for a system without any."""
        known = {key: one for key, one in asdict(self).items() if key in _KNOWN and one is not None}
        if not known["ties"]:
            del known["ties"]
        if self.candidates is not None:
            known.setdefault("tokens", None)
        return {**known, **self.details, "alarms": [alarm.as_dict() for alarm in self.alarms]}

    def about(self, *measures: str) -> list[Alarm]:
        """The alarms but for those about other measures than these."""
        return [alarm for alarm in self.alarms if alarm.measure is None or alarm.measure in measures]


_KNOWN = frozenset(one.name for one in fields(AuditFacts)) - {"details"}


def _with_name(alarm: object) -> object:
    """An earlier version stored alarms as texts, or without a name."""
    plain = {"message": alarm} if isinstance(alarm, str) else alarm
    return {"name": UNNAMED, **plain} if isinstance(plain, dict) else plain


@dataclass(frozen=True)
class Controls:
    """The means of the rankings that know no text, fractions, by control and measure."""

    means: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def of(self, control: str, measure: str) -> float | None:
        """The mean of a control; None where it was not measured."""
        return self.means.get(control, {}).get(measure)

    def after(self, before: Controls) -> Controls:
        """With the measures that were measured earlier."""
        names = [*before.means, *(name for name in self.means if name not in before.means)]
        return Controls({name: {**before.means.get(name, {}), **self.means.get(name, {})} for name in names})


@dataclass(frozen=True)
class Environment:
    """Versions and machine; all None where somebody else measured."""

    python: str | None = None
    machine: str | None = None
    packages: Mapping[str, str | None] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        """For JSON; empty where nothing is known."""
        return {} if self == Environment() else asdict(self)


@dataclass(frozen=True)
class Timing:
    """What an evaluation cost on this machine."""

    pairs: int = 0
    """That were scored for it here, over all occasions."""
    seconds: float = 0.0
    """Of model time for them."""
    latency: tuple[float, float, float | None] | None = None
    """Median and 95th percentile of a query's seconds, and peak MB; None where nobody timed it."""

    @property
    def pairs_per_second(self) -> float | None:
        """None where nothing was scored here."""
        return self.pairs / self.seconds if self.seconds else None


@dataclass(frozen=True)
class Made:
    """When, where and by which command an evaluation was made."""

    at: str
    """ISO 8601, in UTC."""
    command: str
    environment: Environment
