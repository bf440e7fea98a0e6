"""A small German and English corpus with a grammar, and questions about its documents."""

from __future__ import annotations

import numpy as np

from training.validating.sets import QuerySet

_PEOPLE = ("Anna", "Boris", "Clara", "David", "Emil", "Frieda", "Georg", "Hanna", "Ivan", "Julia")
_THINGS = {
    "en": ("bridge", "mill", "church", "harbour", "castle", "school", "tower", "market", "museum", "garden"),
    "de": ("Brücke", "Mühle", "Kirche", "Schule", "Burg", "Halle", "Fabrik", "Bäckerei", "Bibliothek", "Anlage"),
}
_SENTENCES = {
    "en": (
        "The {0} of the town of {2} was built by {1} in the year {3}.",
        "It is the oldest {0} in the north of the country and one of the largest of its kind.",
        "In the summer of {4} the {0} was closed for the repair of the roof and of the walls.",
        "{1} was born in the town and lived near the {0} for most of the time.",
    ),
    "de": (
        "Die {0} der Stadt {2} wurde im Jahr {3} von {1} gebaut.",
        "Sie ist die älteste {0} im Norden des Landes und eine der größten ihrer Art.",
        "Im Sommer des Jahres {4} wurde die {0} wegen der Reparatur des Daches und der Mauern geschlossen.",
        "{1} wurde in der Stadt geboren und lebte lange Zeit in der Nähe der {0}.",
    ),
}
_QUESTIONS = {
    "en": (
        "Who built the {0} of the town of {2}?", "When was the {0} of {2} built by {1}?",
        "Why was the {0} of {2} closed?",
        "Where was {1} born, who built the {0} of {2}?", "How old is the {0} in {2} today?",
        "Is the {0} of {2} the oldest of its kind?", "What was repaired at the {0} in {2} in {4}?",
    ),
    "de": (
        "Wer baute die {0} der Stadt {2}?", "Wann wurde die {0} in {2} von {1} gebaut?",
        "Warum wurde die {0} von {2} geschlossen?", "Wo wurde {1} aus {2} geboren?",
        "Wie alt ist die {0} in {2} heute?", "Ist die {0} von {2} die älteste ihrer Art?",
        "Was wurde im Jahr {4} an der {0} in {2} repariert?",
    ),
}  # fmt: skip


def made(language: str, number: int = 120, seed: int = 0) -> tuple[list[str], list[str]]:
    """Questions and the document of each."""
    draw, questions, documents = np.random.default_rng(seed), [], []
    for row in range(number):
        thing, person = (some[int(draw.integers(10))] for some in (_THINGS[language], _PEOPLE))
        town = "".join(chr(97 + int(at)) for at in draw.integers(0, 26, size=6)).title()
        facts = (thing, person, town, int(draw.integers(1500, 1990)), int(draw.integers(1990, 2025)))
        documents.append(" ".join(one.format(*facts) for one in _SENTENCES[language]))
        questions.append(_QUESTIONS[language][row % len(_QUESTIONS[language])].format(*facts))
    return questions, documents


def asked(questions: list[str], documents: list[str], language: str | None, name: str = "synthetic") -> QuerySet:
    """The questions as a set, each with its document."""
    return QuerySet(name, tuple(questions), tuple(documents), tuple(range(len(questions))), language)
