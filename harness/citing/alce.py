"""ALCE's citation recall and precision exactly as its eval.py computes them (princeton-nlp/ALCE, 246c476), and which of
its peculiarities an answer meets."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.citing.answers import Answer, CitedReference
from harness.citing.asking import Asking, together
from harness.citing.marks import brackets_of
from harness.citing.sentences import Splitter
from harness.citing.support import FULL, SupportRules

MOST = 3
"""ALCE's default of `--at_most_citations`."""
PECULIARITIES = {
    "first line": "text after the first line break is not judged",
    "skipped": "the answer is empty and is left out of the means",
    "zero": "[0] reads the last document",
    "first number": "of a mark with several numbers only the first is read, and the rest stays in the claim",
    "other brackets": "brackets that are no citation are read as one, or lose a bracket in the claim",
    "unseen": "a mark that is not written [n] is not seen",
    "out of range": "a document that is not there voids its sentence, whose citations then do not count in precision",
    "cap": f"citations of a sentence after the first {MOST} are not seen",
    "repeated": "a citation that is repeated counts twice",
    "next sentence": "a mark after a full stop belongs to the next sentence",
    "no document": "[0] without any document ends ALCE's program; here the sentence is unsupported",
}
"""What ALCE does and this project does not, by name."""

_CITED = re.compile(r"\[\d+")
_PLAIN = re.compile(r"\[\d+\]")


@dataclass(frozen=True)
class AlceSentence:
    """A sentence as ALCE sees it."""

    text: str
    claim: str
    ids: tuple[int, ...]
    """Documents from 0, in their order, with repetitions; -1 is the last one."""
    void: bool
    """Whether it has no citation or one that is out of range."""


@dataclass(frozen=True)
class AlceScore:
    """ALCE's values of one answer, as fractions; NaN if ALCE skips the answer or the judge gave no value."""

    id: str
    recall: float
    precision: float
    skipped: bool
    missing: int
    peculiarities: tuple[str, ...]
    """Names of `PECULIARITIES`, in their order."""


def alce(answer: Answer, split: Splitter, rules: SupportRules, most: int = MOST) -> Asking[AlceScore]:
    """Return what ALCE computes for an answer.

    Args:
        split: `sentences.nltk_sentences()`, which is what ALCE uses.
        rules: only the smallest value that is full support is used, since ALCE's judge says yes or no.
        most: the number of citations of a sentence that count.
    """
    sentences = [alce_sentence(text, len(answer.references), most) for text in split(first_line(answer.text))]
    kinds = peculiarities(answer, sentences, most)
    if not sentences:
        return AlceScore(answer.id, math.nan, math.nan, True, 0, kinds)
    found = yield from together([_judged(one, answer.references, rules) for one in sentences])
    if missing := sum(one is None for one in found):
        return AlceScore(answer.id, math.nan, math.nan, False, missing, kinds)
    recalls, precises = zip(*(one for one in found if one is not None), strict=True)
    total = sum(len(one.ids) for one in sentences if not one.void)
    precision = sum(precises) / total if total else 0.0
    return AlceScore(answer.id, sum(recalls) / len(sentences), precision, False, 0, kinds)


def first_line(text: str) -> str:
    """Return the part of an answer that ALCE judges."""
    return text.strip().split("\n")[0].replace("<|im_end|>", "")


def without_citations(text: str) -> str:
    """Return a text as ALCE removes citations from it."""
    return re.sub(r"\[\d+", "", re.sub(r" \[\d+", "", text)).replace(" |", "").replace("]", "")


def alce_sentence(text: str, references: int, most: int = MOST) -> AlceSentence:
    """Return a sentence as ALCE reads it.

    Args:
        references: the number of documents.
        most: the number of citations that count; the range is checked before.
    """
    ids = tuple(int(found[1:]) - 1 for found in _CITED.findall(text))
    void = not ids or any(number >= references for number in ids) or (not references and -1 in ids)
    return AlceSentence(text, without_citations(text).strip(), ids[:most] if not void else ids, void)


def _judged(
    sentence: AlceSentence, references: Sequence[CitedReference], rules: SupportRules
) -> Asking[tuple[int, int] | None]:
    """Whether a sentence is supported, and the number of its precise citations; None without a value of the judge."""
    if sentence.void:
        return 0, 0
    return (yield from alce_judged(sentence.claim, sentence.ids, lambda ids: alce_premise(references, ids), rules))


def alce_judged(
    claim: str, ids: tuple[int, ...], premise: Callable[[tuple[int, ...]], str], rules: SupportRules
) -> Asking[tuple[int, int] | None]:
    """Judge a sentence that cites documents as ALCE does. A citation of a supported sentence is wrong if the others
    support it and it alone does not.

    Args:
        ids: the documents, with repetitions.
        premise: gives what the judge reads for some of them.

    Returns:
        whether all documents together support it, and the number of its right citations; None without a value.
    """
    [joint] = yield [(premise(ids), claim)]
    if math.isnan(joint):
        return None
    if rules.level(joint) != FULL:
        return 0, 0
    right = yield from alce_right(claim, ids, premise, rules)
    return None if right is None else (1, right)


def alce_right(
    claim: str, ids: tuple[int, ...], premise: Callable[[tuple[int, ...]], str], rules: SupportRules
) -> Asking[int | None]:
    """Return the number of right citations of a supported sentence, as in `alce_judged`."""
    if len(ids) == 1:
        return 1
    alone = yield [(premise((number,)), claim) for number in ids]
    weak = [number for number, value in zip(ids, alone, strict=True) if rules.level(value) != FULL]
    rest = yield [(premise(_without(ids, number)), claim) for number in weak]
    if any(map(math.isnan, [*alone, *rest])):
        return None
    return len(ids) - sum(rules.level(value) == FULL for value in rest)


def _without(ids: tuple[int, ...], number: int) -> tuple[int, ...]:
    place = ids.index(number)
    return (*ids[:place], *ids[place + 1 :])


def alce_premise(references: Sequence[CitedReference], ids: Sequence[int]) -> str:
    """Return what ALCE's judge reads for documents, from 0. ALCE writes the title also if there is none."""
    return "\n".join(f"Title: {references[number].title}\n{references[number].text}" for number in ids)


def peculiarities(answer: Answer, sentences: Sequence[AlceSentence], most: int = MOST) -> tuple[str, ...]:
    """Return the names of the peculiarities of ALCE that an answer meets, whether or not they change its values."""
    text, n = first_line(answer.text), len(answer.references)
    all_ids = [[int(found[1:]) - 1 for found in _CITED.findall(one.text)] for one in sentences]
    own = brackets_of(text, n)
    plain = [_PLAIN.fullmatch(text[slice(*mark.span)]) for mark in own]
    several = [len(mark.ids) > 1 for mark in own]
    read = sum(map(len, all_ids))
    seen_of_own = sum(len(_CITED.findall(text[slice(*mark.span)])) for mark in own)
    met = {
        "first line": "\n" in answer.text.strip(),
        "skipped": not sentences,
        "zero": n > 0 and any(-1 in ids for ids in all_ids),
        "first number": any(several),
        "other brackets": read > seen_of_own or "]" in _without_marks(text, [mark.span for mark in own]),
        "unseen": any(not one and not many for one, many in zip(plain, several, strict=True)),
        "out of range": any(number >= n for ids in all_ids for number in ids),
        "cap": any(len(ids) > most for ids in all_ids),
        "repeated": any(count > 1 for ids in all_ids for count in Counter(ids).values()),
        "next sentence": any(re.match(r"\s*\[\d+", one.text) for one in sentences[1:]),
        "no document": not n and any(-1 in ids for ids in all_ids),
    }
    return tuple(name for name in PECULIARITIES if met[name])


def _without_marks(text: str, spans: Sequence[tuple[int, int]]) -> str:
    pieces, at = list[str](), 0
    for start, end in spans:
        pieces.append(text[at:start])
        at = end
    return "".join([*pieces, text[at:]])
