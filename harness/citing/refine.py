"""Generate-then-Refine: complete the citations of an answer and remove irrelevant ones, without touching the text.

The judge decides by the definitions of the measures (`support.py`), so a refined answer has the best values that these
can have by the same judge. Judge it with another one to know whether it became better.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.citing.answers import ParsedAnswer
from harness.citing.asking import Asking, together
from harness.citing.controls import MOST_DOCUMENTS, oracle, pool_of
from harness.citing.metric import Cited, StatementScore, cited_of
from harness.citing.rewriting import Wanted, numbers_of, rewritten
from harness.citing.support import FULL, PARTIAL, Ids, SupportRules, Weighed, supported, weighed


@dataclass(frozen=True)
class Refined:
    """An answer before and after refining. Citations are counted once per statement."""

    before: ParsedAnswer
    after: ParsedAnswer
    unjudged: tuple[int, ...] = ()
    """The statements, from 0, that stay as they are because the judge gave no value."""
    refused: tuple[int, ...] = ()
    """The statements whose marks could not be changed without changing what the answer says."""
    unread: int = 0
    """The documents that were not offered to the judge because there are too many."""

    @property
    def added(self) -> int:
        """The number of citations that came."""
        return sum(len(new - old) for old, new in self._numbers)

    @property
    def removed(self) -> int:
        """The number of citations that went, also of documents that are not there."""
        return sum(len(old - new) for old, new in self._numbers)

    @property
    def changed(self) -> bool:
        """Whether the text differs."""
        return self.before.answer.text != self.after.answer.text

    @property
    def _numbers(self) -> list[tuple[Wanted, Wanted]]:
        pairs = zip(self.before.statements, self.after.statements, strict=True)
        return [(numbers_of(one), numbers_of(other)) for one, other in pairs]


Refiner = Callable[[ParsedAnswer, Sequence[bool] | None, SupportRules], Asking[Refined]]
"""An answer, whether each of its statements needs support (None: all), and what support is, to a refined answer."""


def refine(
    parsed: ParsedAnswer,
    needs: Sequence[bool] | None,
    rules: SupportRules,
    *,
    complete: bool = True,
    remove: bool = True,
    documents: int = MOST_DOCUMENTS,
) -> Asking[Refined]:
    """Complete and clean the citations of an answer.

    - Complete: a statement that needs support and lacks it gets the smallest set of documents that supports it, with as
      few new ones as possible, and of these the first.
    - Remove: citations in no minimal supporting set go, as do those of documents that are not there. Statements that
      need no support keep the documents that they cite.

    Args:
        documents: the number of documents to choose from, the first ones and those that the answer cites.
    """
    cited = cited_of(parsed, needs)
    pool = pool_of(parsed, cited, documents)
    found = yield from together([_decided(parsed, one, pool, rules, complete, remove) for one in cited])
    wanted = [
        numbers_of(statement) if ids is None else frozenset(ids) | (frozenset() if remove else frozenset(one.invalid))
        for statement, one, ids in zip(parsed.statements, cited, found, strict=True)
    ]
    done = rewritten(parsed, wanted)
    unjudged = tuple(at for at, ids in enumerate(found) if ids is None)
    return Refined(parsed, done.answer, unjudged, done.refused, len(parsed.answer.references) - len(pool))


def _decided(  # noqa: PLR0917
    parsed: ParsedAnswer, one: Cited, pool: Ids, rules: SupportRules, complete: bool, remove: bool
) -> Asking[Ids | None]:
    """The documents that a statement should cite; None if the judge gave no value that decides it."""
    references, ids = parsed.answer.references, one.ids
    if not one.needs:
        return ids
    own = yield from weighed(one.text, references, ids, rules)
    if complete and own.level < FULL:
        if own.missing:
            return None
        found = yield from supported(one.text, references, pool, rules)
        if found.missing and found.level < FULL:
            return None
        ids = tuple(sorted({*ids, *_chosen(found, own, ids, rules)}))
    if not remove:
        return ids
    if ids != one.ids:
        own = yield from weighed(one.text, references, ids, rules)
    if own.missing:
        return None
    return tuple(sorted(StatementScore(one, own, rules.graded).relevant))


def _chosen(found: Weighed, own: Weighed, ids: Ids, rules: SupportRules) -> Ids:
    """The set of documents that completes a statement; empty if none does better than what it cites."""
    sets = found.full or (found.minimal(PARTIAL) if rules.graded and own.level < PARTIAL else ())
    return min(sets, key=lambda one: (len(set(one) - set(ids)), len(one), one), default=())


def post_hoc(parsed: ParsedAnswer, needs: Sequence[bool] | None, _: SupportRules) -> Asking[Refined]:
    """Let every statement that needs support cite the one document that the judge gives the largest value, the first
    among equals, whatever it cited: post-hoc attribution, as a baseline."""
    cited, references = cited_of(parsed, needs), parsed.answer.references
    pool = pool_of(parsed, cited)
    asked = [at for at, one in enumerate(cited) if one.needs and one.text and pool]
    values = iter((yield [(references[number - 1].passage, cited[at].text) for at in asked for number in pool]))
    best = {at: [next(values) for _ in pool] for at in asked}
    unjudged = [at for at, own in best.items() if any(map(math.isnan, own))]
    ids = [(pool[best[at].index(max(best[at]))],) if at in best else one.ids for at, one in enumerate(cited)]
    return _with(parsed, ids, unjudged)


def perfect(parsed: ParsedAnswer, needs: Sequence[bool] | None, rules: SupportRules) -> Asking[Refined]:
    """Give every statement the smallest set of documents that supports it, and none where none does: the oracle, if the
    judge holds labels of people."""
    found = yield from oracle(parsed, cited_of(parsed, needs), rules)
    return _with(parsed, [one.ids for one in found], [])


def _with(parsed: ParsedAnswer, ids: Sequence[Ids], unjudged: Sequence[int]) -> Refined:
    wanted = [
        numbers_of(statement) if at in unjudged else frozenset(own)
        for at, (statement, own) in enumerate(zip(parsed.statements, ids, strict=True))
    ]
    done = rewritten(parsed, wanted)
    unread = len(parsed.answer.references) - len(pool_of(parsed, cited_of(parsed)))
    return Refined(parsed, done.answer, tuple(unjudged), done.refused, unread)


def completed(parsed: ParsedAnswer, needs: Sequence[bool] | None, rules: SupportRules) -> Asking[Refined]:
    """Only add citations."""
    return (yield from refine(parsed, needs, rules, remove=False))


def cleaned(parsed: ParsedAnswer, needs: Sequence[bool] | None, rules: SupportRules) -> Asking[Refined]:
    """Only remove citations."""
    return (yield from refine(parsed, needs, rules, complete=False))


REFINERS: dict[str, Refiner] = {
    "remove": cleaned,
    "complete": completed,
    "refine": refine,
    "post-hoc": post_hoc,
    "oracle": perfect,
}
"""All ways to refine, by name."""
