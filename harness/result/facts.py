"""What the results store has about an evaluation besides its values: typed facts, written and read as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property

from harness.data.collection import KnownBy, Rules
from harness.data.notes import notes_about
from harness.measuring.alarms.alarm import UNNAMED, Alarm
from harness.measuring.half_noise import HalfNoise
from harness.measuring.statistics.design import Questions
from harness.result.keys import CollectionKey
from harness.result.typed import Unreadable, typed

Json = Mapping[str, object]


@dataclass(frozen=True)
class CountFacts:
    """The stored form of `harness.data.collection.Counts`. A count is None if it is not known: an earlier version did
    not count it, or the collection was not read here."""

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
    same_ids: tuple[str, int] | None = None
    """Another collection that shares query ids, and how many; see `harness.data.collection.Collection.same_ids`."""


@dataclass(frozen=True)
class CollectionFacts:
    """The collection of an evaluation. The fields are those of `harness.data.collection.Collection`."""

    name: str
    split: str
    fingerprint: str
    counts: CountFacts
    rules: Rules
    language: str | None = None
    detected_language: str | None = None
    language_sought: bool = True
    """Whether language detection was tried on a collection that declares no language."""
    sampled_from: int | None = None
    part_of: str | None = None
    group: str | None = None
    corpus: str | None = None
    """The fingerprint of the corpus alone; None if an earlier version did not store it."""
    parallel: str | None = None
    parallel_by: KnownBy | None = None

    @cached_property
    def key(self) -> CollectionKey:
        """The key of the collection's column in tables."""
        return CollectionKey(
            self.name, self.split, self.fingerprint, self.language, self.group, self.counts.queries, self.sampled_from,
            self.rules.main_measure,
        )  # fmt: skip

    @property
    def spoken(self) -> str | None:
        """The language of the texts: the declared one, else the detected one."""
        return self.language or self.detected_language

    @property
    def same_ids(self) -> tuple[str, int] | None:
        """Another collection that shares query ids, and how many; None if there is none."""
        return self.counts.same_ids

    @property
    def whole(self) -> str:
        """The fingerprint of the whole collection. It differs from `fingerprint` if this is a part of its queries."""
        return self.part_of or self.fingerprint

    @property
    def notes(self) -> list[str]:
        """Notes for readers of its values; see `harness.data.notes`."""
        counts = self.counts
        return notes_about(
            self.name, self.rules.note, counts.missing_documents, counts.missing_judgments, counts.let_through
        )

    def questions(self, ids: tuple[str, ...]) -> Questions:
        """Return the questions that the values of a measure belong to.

        Args:
            ids: the ids of the queries or questions.
        """
        return Questions(self.parallel or self.fingerprint, ids)

    def after(self, before: CollectionFacts | None) -> CollectionFacts:
        """Return a copy with facts that only an earlier evaluation on the same content found: the corpus, the detected
        language, and the parallel set, which is not known when a collection is measured alone."""
        if before is None:
            return self
        kept: dict[str, object] = {"corpus": before.corpus or self.corpus}
        if not self.language_sought:
            kept |= {"detected_language": before.detected_language, "language_sought": before.language_sought}
        if self.parallel_by is None:
            kept |= {"parallel": before.parallel, "parallel_by": before.parallel_by}
        return replace(self, **kept)  # type: ignore[arg-type]

    def as_dict(self) -> dict[str, object]:
        """Return the facts as plain JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class TokenFacts:
    """Counts of truncated documents; see `harness.scoring.audit.Tokens`."""

    truncated: int
    truncated_half: int | None = None
    truncated_away: int | None = None
    identical_inputs: int | None = None


@dataclass(frozen=True)
class CallFacts:
    """How a model is called on one kind of device; see `adapters.budgets`. It can change the last digits of scores."""

    path: str
    """`packed` (without padding), `prefixes` (a language model reads each query once) or `plain`."""
    batch_tokens: int
    """Padded tokens per call."""


@dataclass(frozen=True)
class AuditFacts:
    """The stored form of `harness.scoring.audit.Audit`, with every alarm. A value is None if it is not known: imported
    means have no audit, and an earlier version may not have checked everything."""

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
    noise: HalfNoise | None = None
    """The noise floor of half precision; see `harness.checks.half_noise`."""
    alarms: tuple[Alarm, ...] = ()
    calls: Mapping[str, CallFacts] = field(default_factory=dict)
    """How the reranker's model is called, by kind of device."""
    details: Json = field(default_factory=dict)
    """What another version stored in addition, as plain values."""

    @classmethod
    def of(cls, value: object, place: str) -> AuditFacts:
        """Return the audit from JSON values.

        Raises:
            Unreadable: a value is not valid in an audit. The error names it.
        """
        if not isinstance(value, dict):
            raise Unreadable("is not an object", place)
        plain = {key: one for key, one in value.items() if key in _KNOWN}
        if isinstance(alarms := plain.get("alarms"), list):
            plain["alarms"] = list(map(_with_name, alarms))
        details = {key: one for key, one in value.items() if key not in _KNOWN}
        return typed(cls, {**plain, "details": details}, place)

    def as_dict(self) -> dict[str, object]:
        """Return the audit as plain JSON values, without unknown ones. If pairs were scored by a system without tokens,
        `tokens` is null."""
        known = {key: one for key, one in asdict(self).items() if key in _KNOWN and one is not None}
        for empty in [key for key in ("ties", "calls") if not known[key]]:
            del known[empty]
        if self.candidates is not None:
            known.setdefault("tokens", None)
        return {**known, **self.details, "alarms": [alarm.as_dict() for alarm in self.alarms]}

    def about(self, *measures: str) -> list[Alarm]:
        """Return the alarms about these measures, and those that are about no single measure."""
        return [alarm for alarm in self.alarms if alarm.measure is None or alarm.measure in measures]


_KNOWN = frozenset(one.name for one in fields(AuditFacts)) - {"details"}


def _with_name(alarm: object) -> object:
    """Return an alarm with a name. An earlier version stored alarms as strings, or without a name."""
    plain = {"message": alarm} if isinstance(alarm, str) else alarm
    return {"name": UNNAMED, **plain} if isinstance(plain, dict) else plain


@dataclass(frozen=True)
class Controls:
    """The means of the control rankings, which read no text: fractions, by control and measure."""

    means: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def of(self, control: str, measure: str) -> float | None:
        """Return the mean of a control; None if it was not measured."""
        return self.means.get(control, {}).get(measure)

    def after(self, before: Controls) -> Controls:
        """Return the controls together with those of an earlier evaluation."""
        names = [*before.means, *(name for name in self.means if name not in before.means)]
        return Controls({name: {**before.means.get(name, {}), **self.means.get(name, {})} for name in names})


@dataclass(frozen=True)
class Environment:
    """Versions and machine; all None for imported means."""

    python: str | None = None
    machine: str | None = None
    packages: Mapping[str, str | None] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        """Return the environment as plain JSON values; empty if nothing is known."""
        return {} if self == Environment() else asdict(self)


@dataclass(frozen=True)
class Timing:
    """The time that an evaluation took on this machine."""

    pairs: int = 0
    """The number of pairs that were scored here, over all occasions."""
    seconds: float = 0.0
    """The model's time for these pairs."""
    latency: tuple[float, float, float | None] | None = None
    """Median and 95th percentile of the seconds per query, and peak memory in MB; None if it was not timed."""

    @property
    def pairs_per_second(self) -> float | None:
        """The speed; None if nothing was scored here."""
        return self.pairs / self.seconds if self.seconds else None


@dataclass(frozen=True)
class Made:
    """When, where and by which command an evaluation was made."""

    at: str
    """ISO 8601, in UTC."""
    command: str
    environment: Environment
