"""Examples that teach a student not to be deceived: attacking documents are added, and queries are misspelt.

The perturbations are those by which robustness is measured (`harness.measuring.robustness.perturbations`). What is
added depends only on the seed and on the example itself, not on its place, and a larger share contains the smaller one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, reduce
from hashlib import blake2b

from adapters.typed_values import Share
from harness.measuring.robustness.perturbations import PERTURBATIONS, Attack, Invariance, families
from training.examples import Example
from training.keys import check
from training.rows import KnownRows, RowFacts, row_digest, with_row

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


class AugmentedRows(KnownRows):
    """Examples with attacking documents and changed queries, in the order of the given ones. Each is made when it is
    read, so memory does not grow with their number.

    An attacking document has the lowest score of its example. The unrelated document comes from another example, and is
    none of this example's documents.
    """

    def __init__(self, rows: Sequence[Example], settings: Augmentation, seed: int) -> None:
        self._given, self._shares, self._seed = rows, settings.shares, seed

    def __len__(self) -> int:
        return len(self._given)

    def __iter__(self) -> Iterator[Example]:
        return (self._made(row)[0] for row in self._given)

    @cached_property
    def facts(self) -> RowFacts:
        """Found in one pass."""
        return reduce(with_row, self, RowFacts())

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """The number of examples that were changed, by family, found in one pass."""
        counts = dict.fromkeys(self._shares, 0)
        for row in self._given if self._shares else ():
            for family in self._made(row)[1]:
                counts[family] += 1
        return counts

    def digests(self) -> Iterator[str]:
        """Made when they are read."""
        return map(row_digest, self)

    def _row(self, place: int) -> Example:
        return self._made(self._given[place])[0]

    def _made(self, given: Example) -> tuple[Example, list[str]]:
        """The example with what the settings add, and the families that changed it."""
        key, now, families_of = f"{self._seed}\0{given.query}\0{given.documents[0]}", given, []
        for family, share in self._shares.items():
            before = now
            if _draw(f"{family}\0{key}") < share * _STEPS:
                now = _changed(now, given, family, self._given, key)
            if now is not before:
                families_of.append(family)
        return now, families_of


def _changed(now: Example, given: Example, family: str, rows: Sequence[Example], key: str) -> Example:
    """Return the example with one perturbation of the family; the same example if it changes nothing."""
    names = families()[family]
    one = PERTURBATIONS[names[_draw(f"which\0{family}\0{key}") % len(names)]]
    if isinstance(one, Invariance):
        query = one.query(now.query) if one.query else now.query
        return now if query == now.query else replace(now, query=query)
    return _attacked(now, one, given, rows, key)


def _attacked(now: Example, attack: Attack, given: Example, rows: Sequence[Example], key: str) -> Example:
    unrelated = _unrelated(given, rows, _draw(f"unrelated\0{attack.name}\0{key}"))
    document = None if unrelated is None else attack.document(given.query, unrelated)
    if document is None or document in now.documents:
        return now
    lowest = min((score for score in given.scores if score is not None), default=None)
    ids = None if now.ids is None else (*now.ids, attack.name)
    return replace(now, documents=(*now.documents, document), scores=(*now.scores, lowest), ids=ids)


def _unrelated(given: Example, rows: Sequence[Example], start: int) -> str | None:
    """Return the first document from a place of the data that the example does not have; None if it has all."""
    own, (turn, place) = set(given.documents), divmod(start, len(rows))
    for step in range(len(rows)):
        documents = rows[(place + step) % len(rows)].documents
        turned = (documents[(turn + number) % len(documents)] for number in range(len(documents)))
        if (found := next((text for text in turned if text not in own), None)) is not None:
            return found
    return None


def _draw(key: str) -> int:
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest())
