"""Whether citations support a statement: judged over subsets of them, small ones first.

The support of a statement is the largest value of the judge over all subsets of at most `most` of its citations, so it
never falls when a citation is added. A citation is relevant if it belongs to a minimal supporting subset: one that
supports the statement while none of its proper subsets does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

from adapters.protocols import Judge
from harness.citing.answers import CitedReference
from harness.citing.asking import Asking

Ids = tuple[int, ...]
"""Numbers of documents, from 1, ascending."""
FULL, PARTIAL, NONE = 1.0, 0.5, 0.0
_ROUNDING = 1e-6
"""A grade as float32 may be this much below the grade."""


@dataclass(frozen=True)
class SupportRules:
    """What counts as support. Part of the identity of every number that is computed with it."""

    most: int = 3
    """The largest number of documents that are judged together."""
    full: float = 0.5
    """The smallest value of the judge that is full support."""
    partial: float = 0.5
    """The smallest value of the judge that is partial support. Equal to `full` if the judge has no such grade."""
    graded: bool = False
    """Whether partial support counts one half in recall, and its citations as relevant. Without it, partial support
    counts as none."""

    @classmethod
    def of(cls, judge: Judge, most: int = 3, *, graded: bool = False) -> SupportRules:
        """Return the rules for a judge: with a grade between 0 and 1 only its highest grade is full support."""
        between = [grade for grade in judge.grades or () if 0 < grade < 1]
        return cls(most, full=1.0 if between else 0.5, partial=min(between, default=0.5), graded=graded)

    def level(self, value: float) -> float:
        """Return FULL, PARTIAL or NONE for a value of the judge; NaN for NaN."""
        if math.isnan(value):
            return math.nan
        return FULL if value >= self.full - _ROUNDING else PARTIAL if value >= self.partial - _ROUNDING else NONE


@dataclass(frozen=True)
class Weighed:
    """What the judge said of the citations of a statement."""

    levels: Mapping[Ids, float]
    """For every subset that was judged, FULL, PARTIAL, NONE or NaN. A subset with a fully supporting proper subset is
    not judged, because it cannot be minimal. Documents without a text, and any documents for an empty claim, are not
    judged either: they do not support."""

    @cached_property
    def missing(self) -> int:
        """The number of subsets that the judge gave no value for."""
        return sum(map(math.isnan, self.levels.values()))

    @cached_property
    def level(self) -> float:
        """The support of the statement: FULL, PARTIAL or NONE."""
        return max((level for level in self.levels.values() if not math.isnan(level)), default=NONE)

    @cached_property
    def full(self) -> tuple[Ids, ...]:
        """The minimal subsets that support fully, the smallest first."""
        return self.minimal(FULL)

    def minimal(self, level: float) -> tuple[Ids, ...]:
        """Return the minimal subsets that reach a level, the smallest first, then by their numbers."""
        found = list[Ids]()
        for ids in sorted(self.levels, key=lambda ids: (len(ids), ids)):
            if self.levels[ids] >= level and not any(set(smaller) <= set(ids) for smaller in found):
                found.append(ids)
        return tuple(found)

    def relevant(self, level: float = FULL) -> frozenset[int]:
        """Return the citations in any minimal subset that reaches a level."""
        return frozenset(number for ids in self.minimal(level) for number in ids)

    @property
    def redundant(self) -> int:
        """The number of relevant citations beyond those of the smallest supporting subset."""
        return len(self.relevant()) - len(self.full[0]) if self.full else 0

    @property
    def joint(self) -> bool:
        """Whether several documents together support the statement and none of them does alone."""
        return bool(self.full) and len(self.full[0]) > 1


def passage_of(references: Sequence[CitedReference], ids: Ids) -> str:
    """Return the premise that a set of documents makes: their passages in the order of their numbers, on lines."""
    return "\n".join(references[number - 1].passage for number in sorted(ids))


def supported(claim: str, references: Sequence[CitedReference], ids: Ids, rules: SupportRules) -> Asking[Weighed]:
    """Judge subsets of documents until one supports a claim fully. This decides recall, not relevance.

    Args:
        ids: numbers of documents that are there, distinct and ascending.
    """
    return _judged(claim, references, ids, rules, stop=True)


def weighed(claim: str, references: Sequence[CitedReference], ids: Ids, rules: SupportRules) -> Asking[Weighed]:
    """Judge all subsets of documents that can be minimal.

    Args:
        ids: numbers of documents that are there, distinct and ascending.
    """
    return _judged(claim, references, ids, rules, stop=False)


def _judged(
    claim: str, references: Sequence[CitedReference], ids: Ids, rules: SupportRules, *, stop: bool
) -> Asking[Weighed]:
    levels, full, readable = dict[Ids, float](), set[Ids](), _readable(claim, references, ids)
    left = readable
    for size in range(1, rules.most + 1):
        subsets = [subset for subset in combinations(left, size) if not _holds_one_of(subset, full)]
        if not subsets or (stop and full):
            break
        values = yield [(passage_of(references, subset), claim) for subset in subsets]
        levels.update(zip(subsets, map(rules.level, values), strict=True))
        full |= {subset for subset in subsets if levels[subset] == FULL}
        left = tuple(number for number in readable if (number,) not in full)
    return Weighed(levels)


def _readable(claim: str, references: Sequence[CitedReference], ids: Ids) -> Ids:
    """The documents that can support: none if there is no claim, and none without a text."""
    return tuple(number for number in ids if claim.strip() and references[number - 1].text.strip())


def _holds_one_of(subset: Ids, full: set[Ids]) -> bool:
    return any(part in full for size in range(1, len(subset)) for part in combinations(subset, size))
