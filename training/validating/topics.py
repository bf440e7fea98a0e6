"""The topics of queries: clusters of their documents.

Paragraphs of one article, or sentences of one paragraph, are different documents on one topic. If the two halves of
real queries share topics, they look more alike than real queries on other topics do, and a floor that is drawn so is
too low.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from training.validating.numbered import each
from training.validating.overlap import Idf
from training.validating.sets import QuerySet, Rows, Sets
from training.validating.words import tokens

LEAST = 20
"""The smallest number of different documents that are clustered."""
LARGEST = 0.4
"""The largest share of one topic. With a larger one there are no halves of topics."""
_DIMENSIONS, _ROUNDS = 256, 20
Matrix = npt.NDArray[np.float64]


def with_topics(sets: Sets) -> Sets:
    """The sets with the topics of their queries, which are the same over all sets.

    The different documents of all sets are clustered by their words, weighted by idf, into about as many clusters as
    the square root of their number (spherical k-means). A query without a document is a topic of its own. Sets with
    fewer than 20 documents keep their groups, and so does a set in which one topic has more than 40 % of the queries.
    """
    texts = list(dict.fromkeys(text for one in sets.all for text in one.documents or () if text.strip()))
    if len(texts) < LEAST:
        return sets
    clusters = clustered(_directions(texts, sets.synthetic.language, sets.seed), round(len(texts) ** 0.5), sets.seed)
    topic = dict(zip(texts, clusters.tolist(), strict=True))
    return each(sets, lambda one: _with_topics(one, topic))


def clustered(directions: Matrix, number: int, seed: int) -> Rows:
    """The cluster of each row, by spherical k-means that begins with random rows, int64 [rows].

    Args:
        directions: [rows, dim], of unit length.
    """
    draw = np.random.default_rng([seed, number])
    centres = directions[draw.choice(len(directions), number, replace=False)]
    found = np.zeros(len(directions), np.int64)
    for _ in range(_ROUNDS):
        before, found = found, (directions @ centres.T).argmax(axis=1)
        if (before == found).all():
            break
        sums = np.zeros_like(centres)
        np.add.at(sums, found, directions)
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        centres = np.where(lengths > 0, sums / np.where(lengths > 0, lengths, 1), centres)
    return found


def _with_topics(one: QuerySet, topic: dict[str, int]) -> QuerySet:
    documents, groups = one.documents or ("",) * len(one), one.groups or tuple(range(len(one)))
    # Numbers below zero are those of queries without a document.
    found = tuple(topic.get(text, -1 - group) for text, group in zip(documents, groups, strict=True))
    counts = Counter(found)
    usable = len(counts) >= 4 and max(counts.values()) <= LARGEST * len(one)
    return replace(one, topics=found) if usable else one


def _directions(texts: Sequence[str], language: str | None, seed: int) -> Matrix:
    """A random projection of the idf-weighted words of each text, of unit length, float64 [texts, 256]."""
    held = [sorted(set(tokens(text, language))) for text in texts]
    idf = Idf.of(frozenset(one) for one in held)
    words = {word: row for row, word in enumerate(sorted(idf.holding))}
    projection = np.random.default_rng([seed, _DIMENSIONS]).normal(size=(len(words), _DIMENSIONS))
    weights = np.array([idf(word) if idf.holding[word] > 1 else 0.0 for word in words])
    rows = [np.fromiter((words[word] for word in one), np.int64, len(one)) for one in held]
    found = np.array([weights[one] @ projection[one] for one in rows])
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    return np.asarray(found / np.where(lengths > 0, lengths, 1))
