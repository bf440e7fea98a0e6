"""Sets of queries of which it is known how they differ: all drawn from one stock of words and forms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from training.validating.drawn import Effort
from training.validating.sets import QuerySet, Sets

STOCK = tuple(f"{a}{b}{c}" for a in ("ka", "lo", "mi", "ru", "te") for b in "bdgnst" for c in ("an", "el", "or", "us"))
OPENINGS = ("who was", "what is", "when did", "where is", "why does", "how does", "")
QUICK = Effort(resamples=20)
"""For tests that do not look at the interval."""
Draw = np.random.Generator
Query = Callable[[str, Draw], str]


def document(draw: Draw) -> str:
    """Sixty words; common ones are much commoner."""
    return " ".join(words(60, draw))


def words(number: int, draw: Draw) -> list[str]:
    """Words of the stock, drawn as 1 / rank."""
    chances = 1 / np.arange(1, len(STOCK) + 1)
    return [STOCK[at] for at in draw.choice(len(STOCK), number, p=chances / chances.sum())]


def natural(text: str, draw: Draw) -> str:
    """An opening, two words of the document, and two or three of anywhere."""
    opening = OPENINGS[draw.integers(len(OPENINGS))]
    own = [text.split()[at] for at in draw.integers(60, size=2)]
    return " ".join([opening, *own, *words(int(draw.integers(2, 4)), draw)]).strip()


def asked(name: str, seed: int, documents: int = 120, each: int = 1, query: Query = natural) -> QuerySet:
    """A number of queries for each of a number of documents."""
    draw = np.random.default_rng(seed)
    texts = [document(draw) for _ in range(documents)]
    rows = [(row, query(text, draw)) for row, text in enumerate(texts) for _ in range(each)]
    return QuerySet(
        name, tuple(text for _, text in rows), tuple(texts[row] for row, _ in rows), tuple(row for row, _ in rows), "en"
    )


def compared(query: Query, each: int = 1) -> Sets:
    """Queries of this kind against natural ones."""
    return Sets(asked("synthetic", 1, query=query, each=each), asked("real", 2), seed=5)
