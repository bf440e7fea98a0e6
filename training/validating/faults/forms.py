"""Queries of one form: one question word for everything, or keywords where users ask questions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache

from training.validating.calibration import wilson
from training.validating.faults.fault import Fault, exceeds
from training.validating.faults.languages import asked_language
from training.validating.faults.reading import Reading
from training.validating.query_types import TYPES, WORDS, grammar_of, has_table, query_type

ONE, MORE = 0.8, 0.3
"""The largest share of one question word without a fault (of real questions at most 59 % have one), and by how much
more one form may be used than in real queries."""
_NO_WORDS = "not read: the question words of the queries' language are not known"
_SHOWN = {"yes-no": "ask for yes or no", "question": "are questions", "claim": "are claims", "keyword": "are keywords"}


def one_form(own: Reading, real: Reading | None) -> Fault:
    """Whether nearly all queries ask with one question word. Claims, keywords and questions for yes or no are not
    counted here, because there are users who write nothing else; see `forms`."""
    if not has_table(_language(own)):
        return Fault("one form", None, line=_NO_WORDS)
    found = _types(own)
    word, hits = max(((word, found[word]) for word in WORDS), key=lambda item: item[1])
    usual = None if real is None else (_types(real)[word], len(real))
    line = f"one form: {hits / max(1, len(own)):.0%} {_asks(word)}"
    share = hits / len(own) if len(own) else None
    return Fault(
        "one form", share, exceeds(hits, len(own), ONE, usual), line, real=usual[0] / usual[1] if usual else None
    )


def forms(own: Reading, real: Reading | None) -> Fault:
    """Whether one form (questions, claims, keywords, or one type of question) is much more frequent than in real
    queries."""
    if real is None or not len(real) or not len(own):
        return Fault("form", None, line="needs real queries: without them nobody knows which form users write")
    ours, theirs = _grouped(own), _grouped(real)
    excess = {
        form: wilson(ours[form], len(own))[0] - wilson(theirs[form], len(real))[1]
        for form in dict.fromkeys([*ours, *theirs])
    }
    form = max(excess, key=lambda one: (excess[one], one))
    share, usual = ours[form] / len(own), theirs[form] / len(real)
    line = f"another form: {share:.0%} {_asks(form)}, of the real queries {usual:.0%}"
    return Fault("form", share, excess[form] > MORE, line, real=usual)


def _types(one: Reading) -> Counter[str]:
    language = _language(one)
    return Counter(_type(text, language) for text in one.texts)


def _language(one: Reading) -> str | None:
    return asked_language(one.texts, one.language)


@lru_cache(maxsize=1 << 15)
def _type(text: str, language: str | None) -> str:
    return query_type(text, grammar_of(language))


def _grouped(one: Reading) -> Counter[str]:
    """The types, and all questions together as `questions`."""
    found = _types(one)
    asked = sum(found[type_] for type_ in TYPES if type_ not in ("claim", "keyword"))
    return Counter({**found, "questions": asked})


def _asks(form: str) -> str:
    shown: Mapping[str, str] = {**_SHOWN, "questions": "are questions"}
    return shown.get(form, f"ask '{form.replace('-', ' ')}'")
