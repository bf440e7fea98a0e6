"""Examples that teach a student not to be deceived: attacking documents are added, and queries are misspelt.

The perturbations are those by which robustness is measured (`harness.measuring.robustness.perturbations`). What is
added depends only on the seed and on the example itself, not on its place, and a larger share contains the smaller one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b

from adapters.typed_values import Share
from harness.measuring.robustness.perturbations import PERTURBATIONS, Attack, Invariance, families
from training.examples import Example
from training.keys import check

VERSION = 1
"""Raise this number when equal settings make other examples."""
_STEPS = 2.0**64


@dataclass(frozen=True)
class Augmentation:
    """Examples that are changed on purpose, so that the student learns to resist. docs/robustness.md defines each."""

    stuffing: Share = 0.0
    """The share of examples with one more document: an unrelated one with the query in it, labelled as the worst."""
    alone: Share = 0.0
    """The share of examples with one more document: the query itself, labelled as the worst."""
    claim: Share = 0.0
    """The share of examples with one more document: an unrelated one that claims to be relevant."""
    instruction: Share = 0.0
    """The share of examples with one more document: an unrelated one that asks for a high score."""
    typos: Share = 0.0
    """The share of examples whose query gets two typos. The labels are kept."""
    case: Share = 0.0
    """The share of examples whose query is written in lower or upper case. The labels are kept."""
    script: Share = 0.0
    """The share of examples whose query is written in full-width letters or homoglyphs. The labels are kept."""

    def __post_init__(self) -> None:
        check(self)

    @property
    def shares(self) -> dict[str, float]:
        """The shares above 0, by family."""
        return {family: share for family, share in asdict(self).items() if share}

    def describe(self) -> dict[str, object]:
        """As plain values, with the versions of the definitions; empty without a share."""
        if not self.shares:
            return {}
        named = [name for family in self.shares for name in families()[family]]
        return {"version": VERSION, **self.shares, "of": {name: PERTURBATIONS[name].version for name in named}}


@dataclass(frozen=True)
class Augmented:
    """Augmented examples, in the order of the given ones."""

    rows: tuple[Example, ...]
    counts: Mapping[str, int]
    """The number of examples that were changed, by family."""


def augmented(rows: Sequence[Example], settings: Augmentation, seed: int) -> Augmented:
    """Return the examples with attacking documents and changed queries.

    An attacking document has the lowest score of its example. The unrelated document comes from another example, and is
    none of this example's documents.
    """
    if not settings.shares:
        return Augmented(tuple(rows), {})
    pool = tuple(dict.fromkeys(text for row in rows for text in row.documents))
    counts, changed = dict.fromkeys(settings.shares, 0), []
    for row in rows:
        key = f"{seed}\0{row.query}\0{row.documents[0]}"
        now = row
        for family, share in settings.shares.items():
            before = now
            if _draw(f"{family}\0{key}") < share * _STEPS:
                now = _changed(now, row, family, pool, key)
            counts[family] += now is not before
        changed.append(now)
    return Augmented(tuple(changed), counts)


def _changed(now: Example, given: Example, family: str, pool: Sequence[str], key: str) -> Example:
    """Return the example with one perturbation of the family; the same example if it changes nothing."""
    names = families()[family]
    one = PERTURBATIONS[names[_draw(f"which\0{family}\0{key}") % len(names)]]
    if isinstance(one, Invariance):
        query = one.query(now.query) if one.query else now.query
        return now if query == now.query else replace(now, query=query)
    return _attacked(now, one, given, pool, key)


def _attacked(now: Example, attack: Attack, given: Example, pool: Sequence[str], key: str) -> Example:
    unrelated = _unrelated(given, pool, _draw(f"unrelated\0{attack.name}\0{key}"))
    document = None if unrelated is None else attack.document(given.query, unrelated)
    if document is None or document in now.documents:
        return now
    lowest = min((score for score in given.scores if score is not None), default=None)
    ids = None if now.ids is None else (*now.ids, attack.name)
    return replace(now, documents=(*now.documents, document), scores=(*now.scores, lowest), ids=ids)


def _unrelated(given: Example, pool: Sequence[str], start: int) -> str | None:
    """Return the first document from a place of the pool that the example does not have; None if it has all."""
    own = set(given.documents)
    places = ((start + step) % len(pool) for step in range(len(own) + 1))
    return next((pool[place] for place in places if pool[place] not in own), None)


def _draw(key: str) -> int:
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest())
