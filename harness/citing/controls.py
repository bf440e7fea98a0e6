"""Controls of citation measures: answers with changed citations, each with the law that its values must obey."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from adapters.identity import text_digest
from harness.citing.answers import CitationMark, ParsedAnswer
from harness.citing.asking import Asking, Verdicts, answered, together
from harness.citing.metric import AnswerScore, Cited, cited_of, needs_or_all, scored
from harness.citing.scores import F1, PRECISION, RECALL, CitationScores
from harness.citing.support import FULL, PARTIAL, Ids, SupportRules, supported

MOST_DOCUMENTS = 10
"""The number of documents that `all` cites, and that the oracle and random marks choose from, with those that the
answer itself cites."""
GENERIC = "This is an important topic with many aspects."
"""An uncited sentence that says nothing."""
LAWS = {
    "duplicated": "every mark twice: recall, precision and F1 are equal",
    "reordered": "marks of a statement in reverse: recall, precision and F1 are equal",
    "zero": "[0] added to every statement: recall and F1 are not higher on any answer",
    "out of range": "a document that is not there added to every statement: recall and F1 are not higher on any answer",
    "blank": "no text: recall and F1 are not higher on any answer",
    "generic": "an uncited generic sentence added: recall and F1 are not higher on any answer",
    "shuffled": "citations of other statements of the answer: mean F1 is not higher",
    "random": "as many random documents: mean F1 is not higher",
    "none": "no citations: recall and F1 are 0",
    "all": f"the first {MOST_DOCUMENTS} documents at every statement: precision is the share of relevant pairs, and F1 "
    "is not higher where all citations are right",
    "oracle": "the best citations: recall and F1 are not below any other",
}
"""What each control does and the law that it obeys, in the order in which they are printed."""
CHANCE = ("shuffled", "random")
"""The controls with citations by chance. Citations that are no better break their law."""
_ROUNDING = 1e-12


@dataclass(frozen=True)
class ControlOutcome:
    """A control on a set of answers. Values are means, as in `CitationScores`, over the answers for which the judge
    gave every value in all controls, so the controls are compared on the same answers."""

    name: str
    recall: float
    precision: float
    f1: float
    broken: tuple[str, ...]
    """The ids of the answers that break the law; for the laws of means, all of them. A correct implementation breaks
    none, except that citations that are no better than chance break `shuffled` and `random`."""
    left_out: int = 0
    """The answers that the means leave out."""
    checked: bool = True
    """Whether any answer is left, so that the law could be checked."""

    @property
    def held(self) -> bool:
        """Whether no answer breaks the law."""
        return not self.broken


@dataclass(frozen=True)
class _Case:
    parsed: ParsedAnswer
    cited: tuple[Cited, ...]

    @property
    def references(self) -> int:
        return len(self.parsed.answer.references)

    @property
    def pool(self) -> Ids:
        """The documents that controls cite."""
        return pool_of(self.parsed, self.cited)


def pool_of(parsed: ParsedAnswer, cited: Sequence[Cited], documents: int = MOST_DOCUMENTS) -> Ids:
    """Return the documents to choose citations from: the first ones and those that the answer cites."""
    first = range(1, min(len(parsed.answer.references), documents) + 1)
    return tuple(sorted({*first, *(number for one in cited for number in one.ids)}))


def controls(
    answers: Sequence[ParsedAnswer],
    own: CitationScores,
    verdicts: Verdicts,
    rules: SupportRules,
    needs: Sequence[Sequence[bool]] | None = None,
) -> tuple[ControlOutcome, ...]:
    """Score every control and check its law.

    Args:
        own: the scores of the answers themselves, from `scores.evaluate` with the same arguments.
    """
    need = needs_or_all(needs, len(answers))
    cases = [_Case(one, cited_of(one, given)) for one, given in zip(answers, need, strict=True)]
    best = answered([_best(one, rules) for one in cases], verdicts)
    changed = {name: list(map(change, cases)) for name, change in _CHANGES.items()} | {"oracle": best}
    names = [name for name in LAWS if name in changed]
    tasks = [
        scored(one.parsed, cited, rules) for name in names for one, cited in zip(cases, changed[name], strict=True)
    ]
    flat = answered(tasks, verdicts)
    size = len(cases)
    found = {name: CitationScores(tuple(flat[at * size : (at + 1) * size])) for at, name in enumerate(names)}
    complete = _complete((own, *found.values()))
    found = {name: _only(scores, complete) for name, scores in found.items()}
    shares = answered([relevant_share(one.parsed, one.cited, rules) for one in cases], verdicts)
    own, shares = _only(own, complete), [shares[at] for at in complete]
    return tuple(
        ControlOutcome(
            name, scores.mean(RECALL), scores.mean(PRECISION), scores.mean(F1), _broken(name, own, found, shares),
            size - len(complete), bool(complete),
        )
        for name, scores in found.items()
    )  # fmt: skip


def _complete(sets: Sequence[CitationScores]) -> list[int]:
    """The places of the answers that have every value in all sets."""
    return [at for at, scores in enumerate(zip(*(one.answers for one in sets), strict=True))
            if not any(score.missing for score in scores)]  # fmt: skip


def _only(scores: CitationScores, places: Sequence[int]) -> CitationScores:
    return replace(scores, answers=tuple(scores.answers[at] for at in places))


def _twice(case: _Case) -> tuple[Cited, ...]:
    return _marked(case, lambda marks: (*marks, *marks))


def _reversed(case: _Case) -> tuple[Cited, ...]:
    return _marked(case, lambda marks: tuple(replace(mark, ids=mark.ids[::-1]) for mark in reversed(marks)))


def _marked(case: _Case, change: Callable[[tuple[CitationMark, ...]], tuple[CitationMark, ...]]) -> tuple[Cited, ...]:
    statements = tuple(replace(one, marks=change(one.marks)) for one in case.parsed.statements)
    return cited_of(replace(case.parsed, statements=statements), [one.needs for one in case.cited])


def _with_invalid(number: Callable[[_Case], int]) -> Callable[[_Case], tuple[Cited, ...]]:
    def change(case: _Case) -> tuple[Cited, ...]:
        return tuple(replace(one, invalid=tuple(sorted({*one.invalid, number(case)}))) for one in case.cited)

    return change


def _generic(case: _Case) -> tuple[Cited, ...]:
    return (*case.cited, Cited(GENERIC))


def _shuffled(case: _Case) -> tuple[Cited, ...]:
    ids = [one.ids for one in case.cited]
    turn = _random(case, "shuffled").randrange(1, len(ids)) if len(ids) > 1 else 0
    return _citing(case, [*ids[turn:], *ids[:turn]])


def random_citations(parsed: ParsedAnswer, cited: Sequence[Cited], draw: int = 0) -> tuple[Cited, ...]:
    """Return the statements with as many random documents each: the chance level. The same answer and draw give the
    same documents."""
    case = _Case(parsed, tuple(cited))
    chosen = _random(case, f"random {draw}")
    return _citing(case, [tuple(sorted(chosen.sample(case.pool, len(one.ids)))) for one in case.cited])


def _none(case: _Case) -> tuple[Cited, ...]:
    return tuple(replace(one, ids=(), invalid=()) for one in case.cited)


def _all(case: _Case) -> tuple[Cited, ...]:
    first = tuple(range(1, min(case.references, MOST_DOCUMENTS) + 1))
    return tuple(replace(one, ids=first, invalid=()) for one in case.cited)


def _citing(case: _Case, ids: Sequence[Ids]) -> tuple[Cited, ...]:
    return tuple(replace(one, ids=own) for one, own in zip(case.cited, ids, strict=True))


def _random(case: _Case, name: str) -> random.Random:
    return random.Random(text_digest(f"{name}\n{case.parsed.answer.id}"))


_CHANGES: dict[str, Callable[[_Case], tuple[Cited, ...]]] = {
    "duplicated": _twice,
    "reordered": _reversed,
    "zero": _with_invalid(lambda _: 0),
    "out of range": _with_invalid(lambda case: case.references + 1),
    "blank": lambda _: (Cited(""),),
    "generic": _generic,
    "shuffled": _shuffled,
    "random": lambda case: random_citations(case.parsed, case.cited),
    "none": _none,
    "all": _all,
}


def oracle(parsed: ParsedAnswer, cited: Sequence[Cited], rules: SupportRules) -> Asking[tuple[Cited, ...]]:
    """Return the statements with the best citations that the documents allow: the smallest subset that supports each,
    and none where no subset does."""
    return (yield from _best(_Case(parsed, tuple(cited)), rules))


def _best(case: _Case, rules: SupportRules) -> Asking[tuple[Cited, ...]]:
    references, pool = case.parsed.answer.references, case.pool
    found = yield from together([supported(one.text, references, pool, rules) for one in case.cited])
    chosen = [one.full or (one.minimal(PARTIAL) if rules.graded else ()) for one in found]
    return tuple(
        replace(one, ids=ids[0] if ids else (), invalid=()) for one, ids in zip(case.cited, chosen, strict=True)
    )


def relevant_share(parsed: ParsedAnswer, cited: Sequence[Cited], rules: SupportRules) -> Asking[float]:
    """Return the share of relevant pairs of a statement that needs support and one of the first documents, counted one
    by one from the definition; NaN without such a pair."""
    references = parsed.answer.references
    numbers = range(1, min(len(references), MOST_DOCUMENTS) + 1)
    readable = [number for number in numbers if references[number - 1].text.strip()]
    claims = [one.text for one in cited if one.needs]
    counted = yield from together([_relevant_documents(claim, parsed, readable, rules) for claim in claims if claim])
    pairs = len(claims) * len(numbers)
    return sum(counted) / pairs if pairs else math.nan


def _relevant_documents(claim: str, parsed: ParsedAnswer, numbers: Sequence[int], rules: SupportRules) -> Asking[float]:
    subsets = [one for size in range(1, rules.most + 1) for one in combinations(numbers, size)]
    reached = dict[Ids, float]()
    for subset in subsets:
        inner = max((reached[part] for part in combinations(subset, len(subset) - 1) if part), default=0.0)
        if inner == FULL:
            reached[subset] = FULL  # not minimal, whatever the judge would say
            continue
        passages = "\n".join(parsed.answer.references[number - 1].passage for number in subset)
        [value] = yield [(passages, claim)]
        if math.isnan(value):
            return math.nan
        reached[subset] = max(inner, rules.level(value))
    levels = (FULL, PARTIAL) if rules.graded else (FULL,)
    minimal = [subset for subset in subsets if any(_is_minimal(subset, reached, level) for level in levels)]
    return float(len({number for subset in minimal for number in subset}))


def _is_minimal(subset: Ids, reached: dict[Ids, float], level: float) -> bool:
    parts = [part for part in combinations(subset, len(subset) - 1) if part]
    return reached[subset] >= level and all(reached[part] < level for part in parts)


def _broken(
    name: str, own: CitationScores, found: dict[str, CitationScores], shares: Sequence[float]
) -> tuple[str, ...]:
    judged = [
        (score, change, share, [others.answers[at] for others in found.values()])
        for at, (score, change, share) in enumerate(zip(own.answers, found[name].answers, shares, strict=True))
    ]
    if name in CHANCE:
        higher = sum(change.f1 for _, change, *_ in judged) > sum(score.f1 for score, *_ in judged) + _ROUNDING
        return tuple(score.id for score, *_ in judged) if higher else ()
    return tuple(one[0].id for one in judged if not _obeys(name, *one))


def _obeys(name: str, own: AnswerScore, changed: AnswerScore, share: float, others: Sequence[AnswerScore]) -> bool:
    if name in ("duplicated", "reordered"):
        return _values(own) == _values(changed)
    if name == "none":
        return changed.recall == changed.f1 == 0
    if name == "all":
        perfect = own.recall == own.precision == 1
        precise = math.isnan(share) or abs(changed.precision - share) <= _ROUNDING
        return precise and not (perfect and changed.f1 > own.f1)
    if name == "oracle":
        return all(_not_higher(one, changed) for one in (own, *others))
    return _not_higher(changed, own)


def _not_higher(one: AnswerScore, other: AnswerScore) -> bool:
    return one.recall <= other.recall + _ROUNDING and one.f1 <= other.f1 + _ROUNDING


def _values(score: AnswerScore) -> tuple[float, float | None, float]:
    return score.recall, None if math.isnan(score.precision) else score.precision, score.f1
