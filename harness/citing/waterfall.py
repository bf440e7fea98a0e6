"""From ALCE's value to ours, one named switch at a time. The steps sum to the whole difference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness.citing.alce import MOST, alce_judged, alce_premise, alce_right, alce_sentence, first_line
from harness.citing.answers import Answer, CitedReference
from harness.citing.asking import Asking, Verdicts, answered, together
from harness.citing.marks import runs_of
from harness.citing.metric import Cited, StatementScore, needs_or_all
from harness.citing.parsing import parsed, unmarked
from harness.citing.sentences import Splitter
from harness.citing.support import FULL, Ids, SupportRules, Weighed, passage_of, supported, weighed

SWITCHES = {
    "text": "the whole answer is judged, not its first line",
    "marks": "all forms of marks are read, [0] is no document, and claims have no remains of marks",
    "sentences": "sentences of many languages; a mark after the full stop belongs to the sentence before it",
    "cap": f"all citations of a sentence count, not the first {MOST}",
    "invalid": "a document that is not there is one wrong citation and does not void its sentence",
    "sets": "citations of a sentence are a set",
    "support": "any small subset of the citations may support, not only all of them together",
    "relevance": "a citation is relevant if it belongs to a minimal supporting subset",
    "need": "only statements that need support count",
    "graded": "partial support counts one half",
    "undefined": "an empty answer has recall 0 and is not skipped; precision without citations is left out and not 0",
}
"""What separates the two metrics, in the order in which it is switched on."""


@dataclass(frozen=True)
class _Unit:
    """A sentence with its citations, under some of the switches."""

    claim: str
    ids: tuple[int, ...]
    """From 1; 0 means the last document as long as `marks` is off."""
    invalid: int = 0
    void: bool = False
    needs: bool = True


@dataclass(frozen=True)
class _Value:
    recall: float
    precision: float


@dataclass(frozen=True)
class WaterfallStep:
    """The means after a switch."""

    switch: str
    """A name of `SWITCHES`; `ALCE` for the first step."""
    recall: float
    precision: float
    recall_change: float
    precision_change: float


def waterfall(
    answers: Sequence[Answer],
    verdicts: Verdicts,
    rules: SupportRules,
    split: Splitter,
    needs: Sequence[Sequence[bool]] | None = None,
) -> tuple[WaterfallStep, ...]:
    """Return ALCE's mean recall and precision and what each switch changes, up to ours.

    Args:
        rules: those of our metric. `graded` is switched on only in its step.
        split: `sentences.nltk_sentences()`.
        needs: as in `scores.evaluate`. Default: all statements need support.

    Returns:
        fractions; the first step is ALCE's value, the last has that of `scores.evaluate`. Answers for which the judge
        gave no value in any step are left out of all.
    """
    names = list(SWITCHES)
    states = [frozenset(names[:count]) for count in range(len(names) + 1)]
    cases = list(zip(answers, needs_or_all(needs, len(answers)), strict=True))
    tasks = [_value(answer, own, rules, on, split) for on in states for answer, own in cases]
    found = answered(tasks, verdicts)
    rows = [found[at * len(answers) : (at + 1) * len(answers)] for at in range(len(states))]
    kept = [place for place in range(len(answers)) if all(row[place] is not None for row in rows)]
    means = [_means([value for at in kept if (value := row[at]) is not None]) for row in rows]
    before = [means[0], *means[:-1]]
    return tuple(
        WaterfallStep(name, now.recall, now.precision, now.recall - last.recall, now.precision - last.precision)
        for name, now, last in zip(["ALCE", *names], means, before, strict=True)
    )


def _means(values: Sequence[_Value]) -> _Value:
    recall, precision = (np.array([getattr(one, name) for one in values]) for name in ("recall", "precision"))
    return _Value(*(float(np.nanmean(of)) if (~np.isnan(of)).any() else math.nan for of in (recall, precision)))


def _value(
    answer: Answer, needs: Sequence[bool] | None, rules: SupportRules, on: frozenset[str], split: Splitter
) -> Asking[_Value | None]:
    """The values of an answer under some switches; NaN where it is left out, None where the judge gave no value."""
    units = [_reduced(one, on) for one in _units(answer, needs, on, split)]
    own = replace(rules, graded=rules.graded and "graded" in on)
    found = yield from together([_credits(one, answer.references, own, on) for one in units])
    if any(one is None for one in found):
        return None
    counted = [(unit, *one) for unit, one in zip(units, found, strict=True) if one is not None and unit.needs]
    supports, right = sum(credit for _, credit, _ in counted), sum(number for *_, number in counted)
    total = sum(len(unit.ids) for unit, *_ in counted if not unit.void) + sum(unit.invalid for unit in units)
    empty, uncited = (0.0, math.nan) if "undefined" in on else (math.nan, 0.0 if units else math.nan)
    return _Value(supports / len(counted) if counted else empty, right / total if total else uncited)


def _units(answer: Answer, needs: Sequence[bool] | None, on: frozenset[str], split: Splitter) -> list[_Unit]:
    n = len(answer.references)
    text = answer.text if "text" in on else first_line(answer.text)
    if "sentences" in on:
        statements = parsed(answer).statements
        need = needs if needs is not None and "need" in on else [True] * len(statements)
        units = [
            _Unit(
                one.text,
                tuple(i for mark in one.marks for i in mark.ids if 1 <= i <= n),
                len(one.invalid(n)),
                needs=own,
            )
            for one, own in zip(statements, need, strict=True)
        ]
        return [one for one in units if one.claim or one.ids or one.invalid or "undefined" in on]
    if "marks" in on:
        return [_with_own_marks(one, n) for one in split(text)]
    sentences = [alce_sentence(one, n, most=len(text)) for one in split(text)]
    return [_Unit(one.claim, tuple(number + 1 for number in one.ids), void=one.void) for one in sentences]


def _with_own_marks(sentence: str, references: int) -> _Unit:
    runs = runs_of(sentence, references)
    numbers = [number for run in runs for mark in run.marks for number in mark.ids]
    valid = tuple(number for number in numbers if 1 <= number <= references)
    return _Unit(unmarked(sentence, runs).text.strip(), valid, len(set(numbers) - set(valid)))


def _reduced(unit: _Unit, on: frozenset[str]) -> _Unit:
    """Apply the switches that change which citations of a sentence count."""
    if "invalid" not in on:
        unit = replace(unit, void=unit.void or bool(unit.invalid) or not unit.ids, invalid=0)
    if "cap" not in on:
        unit = replace(unit, ids=unit.ids[:MOST])
    if "sets" in on:
        unit = replace(unit, ids=tuple(sorted(set(unit.ids))))
    return unit


def _credits(
    unit: _Unit, references: Sequence[CitedReference], rules: SupportRules, on: frozenset[str]
) -> Asking[tuple[float, int] | None]:
    """What a sentence adds to recall, and the number of its citations that precision counts as right."""
    if unit.void or not unit.ids:
        return 0.0, 0

    def premise(ids: Ids) -> str:
        return _premise(references, ids, on)

    if "relevance" in on:
        found = yield from (weighed if unit.needs else supported)(unit.claim, references, unit.ids, rules)
        return None if found.missing else _ours(found, rules)
    if "support" in on:
        found = yield from supported(unit.claim, references, tuple(sorted(set(unit.ids))), rules)
        if found.missing:
            return None
        if found.level != FULL:
            return 0.0, 0
        right = yield from alce_right(unit.claim, unit.ids, premise, rules)
        return None if right is None else (1.0, right)
    return (yield from alce_judged(unit.claim, unit.ids, premise, rules))


def _ours(found: Weighed, rules: SupportRules) -> tuple[float, int]:
    score = StatementScore(Cited(""), found, rules.graded)
    return score.credit, len(score.relevant)


def _premise(references: Sequence[CitedReference], ids: Ids, on: frozenset[str]) -> str:
    if "sets" in on:
        return passage_of(references, ids)
    return alce_premise(references, [number - 1 for number in ids])
