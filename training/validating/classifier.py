"""V6: can a simple classifier separate synthetic queries from real ones by their style?"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from training.validating.documents import documents
from training.validating.logistic import Matrix, Vector, auc, fit, scores
from training.validating.measured import Name, ValidationRow
from training.validating.numbered import ENOUGH, compared, hindrance, limited, numbered, rows_of, unmeasured
from training.validating.query_types import TYPES, grammar_of, query_type
from training.validating.sets import Rows, Sets
from training.validating.words import units

NAME = Name("V6", "two-sample classifier", "AUC", "")
FOLDS, HALVINGS, RESAMPLES = 5, 10, 200
RIDGE = 0.1
"""The penalty per query and squared weight, for features with a variance of 1."""
_WORDS = 60
SURFACE = (
    "words", "characters", "characters per word", "capitals", "digits", "punctuation", "capital first",
    "question mark last", "full stop last", "different words",
)  # fmt: skip


def measure(sets: Sets, *, enough: int = ENOUGH) -> list[ValidationRow]:
    """The area under the ROC curve of a logistic regression that separates real from synthetic queries by their style:
    surface features, the type of the query, and words that are frequent in queries on most topics. What a query is
    about is not used. Each query is scored by a model that was not trained on queries of its topic, or of its document
    if there are no topics (five folds). The value is the AUC within a fold, weighted by the pairs of each fold. At 0.5
    nothing separates them. Above 0.9 a student can learn what is synthetic instead of what is relevant.

    `parts`: `surface` (the AUC of the surface features), `alone` (the AUC of each surface feature, without a model),
    `words` (the frequent words), `scores` (held-out log-odds of each set, for a histogram).
    """
    if (reason := hindrance(sets, enough, vectors=False)) is not None:
        return unmeasured([NAME], reason)
    sets, draw_note = limited(sets, vectors=False)
    known = numbered(sets)
    texts = [text for one in known.all for text in one.texts]
    surface, topics = surface_features(texts), _topics(known)
    language = sets.synthetic.language
    words = style_words(texts, topics, language)
    table = QueryFeatures(
        np.hstack([surface, _types(texts, language), _has(texts, words, language)]), topics, sets.seed
    )
    kind = "topics" if all(one.topics for one in known.all) else "documents"
    note = f"style only; five folds of whole {kind}; interval: {kind} resampled, models kept"
    found = _measured(known, table, surface, "; ".join(filter(None, (note, draw_note))))
    return [replace(found, parts={**found.parts, "words": words})]


def style_words(texts: Sequence[str], topics: Rows, language: str | None) -> list[str]:
    """The words, or characters in a script without spaces, that at least 4 % of the queries have, and queries on at
    least half of the topics; at most 60, the most frequent first. If nearly every query is a topic, only the first
    demand counts."""
    held = [set(units(text, language)) for text in texts]
    counts = Counter(word for one in held for word in one)
    reach = Counter(word for word, _ in {(word, topic) for one, topic in zip(held, topics.tolist(), strict=True)
                                         for word in one})  # fmt: skip
    number = len(np.unique(topics))
    least = 0.5 * number if 5 * number <= len(texts) else 0.0
    found = [word for word in counts if counts[word] >= 0.04 * len(texts) and reach[word] >= least]
    return sorted(found, key=lambda word: (-counts[word], word))[:_WORDS]


def _topics(sets: Sets) -> Rows:
    """The number of each query's topic, over all sets; of its document if a set has no topics."""
    if not all(one.topics for one in sets.all):
        return documents(sets)
    # Queries without a document have numbers below zero, which are different topics in different sets.
    whole = [(topic if topic >= 0 else (number, topic)) for number, one in enumerate(sets.all) for topic in one.topics]
    names: dict[object, int] = {}
    return np.array([names.setdefault(topic, len(names)) for topic in whole], np.int64)


def _types(texts: Sequence[str], language: str | None) -> Matrix:
    grammar = grammar_of(language)
    found = [query_type(text, grammar) for text in texts]
    return np.array([[one == type_ for type_ in TYPES] for one in found], np.float64)


def _has(texts: Sequence[str], words: Sequence[str], language: str | None) -> Matrix:
    held = [set(units(text, language)) for text in texts]
    return np.array([[word in one for word in words] for one in held], np.float64).reshape(len(texts), len(words))


@dataclass(frozen=True)
class QueryFeatures:
    """The features of all queries."""

    features: Matrix
    """float64 [queries, features]."""
    documents: Rows
    """The number of each query's topic or document, over all sets."""
    seed: int

    def auc(self, first: Rows, second: Rows) -> float:
        """Cross-fitted AUC of the first rows against the second."""
        return self.held_out(first, second).auc()

    def held_out(self, first: Rows, second: Rows) -> HeldOut:
        """The score of each row by a model that was trained without its document."""
        rows = np.concatenate([first, second])
        labels = np.arange(len(rows)) < len(first)
        fold = folds(self.documents[rows], FOLDS, self.seed)
        found = np.full(len(rows), np.nan)
        for number in range(FOLDS):
            out = fold == number
            if out.any() and 0 < labels[~out].sum() < (~out).sum():
                train, test = _standard(self.features[rows[~out]], self.features[rows[out]])
                found[out] = scores(test, fit(train, labels[~out], RIDGE * len(train)))
        return HeldOut(found, labels, fold, self.documents[rows])


@dataclass(frozen=True)
class HeldOut:
    """Scores of queries by models that did not see their documents."""

    scores: Vector
    labels: np.ndarray
    """Whether each query belongs to the first set."""
    fold: Rows
    documents: Rows

    def auc(self, rows: Rows | None = None) -> float:
        """The AUC within a fold, weighted by the pairs of each fold, because scores of two models are not comparable;
        nan without pairs."""
        rows = np.arange(len(self.scores)) if rows is None else rows
        wins = pairs = 0.0
        for number in range(FOLDS):
            own = rows[(self.fold[rows] == number) & np.isfinite(self.scores[rows])]
            first, second = self.scores[own[self.labels[own]]], self.scores[own[~self.labels[own]]]
            if len(first) and len(second):
                pairs += len(first) * len(second)
                wins += auc(first, second) * len(first) * len(second)
        return wins / pairs if pairs else float("nan")

    def spread(self, seed: int) -> tuple[float, float]:
        """The 2.5 and 97.5 % quantiles of the AUC around its mean, with documents drawn with replacement. The models
        are not trained again, so no repeated query is on both sides of a fold."""
        draw = np.random.default_rng([seed, RESAMPLES])
        order = np.argsort(self.documents, kind="stable")
        members = np.split(order, np.flatnonzero(np.diff(self.documents[order])) + 1)
        drawn = (draw.integers(len(members), size=len(members)) for _ in range(RESAMPLES))
        found = np.array([self.auc(np.concatenate([members[one] for one in some])) for some in drawn])
        low, high = np.nanquantile(found - np.nanmean(found), (0.025, 0.975))
        return float(low), float(high)


def folds(documents: Rows, count: int, seed: int) -> Rows:
    """The fold of each query. All queries of a document are in one fold, and folds have about the same number of
    documents."""
    distinct, place = np.unique(documents, return_inverse=True)
    order = np.random.default_rng([seed, count]).permutation(len(distinct))
    return np.asarray(order[place] % count)


def surface_features(texts: Sequence[str]) -> Matrix:
    """Surface features of each query, float64 [queries, 10], in the order of `SURFACE`."""
    return np.array([_surface(text) for text in texts], np.float64).reshape(len(texts), len(SURFACE))


def _surface(text: str) -> list[float]:
    words, size = text.split(), max(1, len(text))
    kinds = [unicodedata.category(character) for character in text]
    last = text.rstrip()[-1:]
    return [
        float(np.log1p(len(words))), float(np.log1p(len(text))), len(text) / max(1, len(words)),
        kinds.count("Lu") / size, kinds.count("Nd") / size, sum(kind[0] == "P" for kind in kinds) / size,
        float(kinds[:1] == ["Lu"]), float(last in "?？؟;" and bool(last)), float(last in ".。।" and bool(last)),
        len(set(map(str.casefold, words))) / max(1, len(words)),
    ]  # fmt: skip


def _measured(sets: Sets, table: QueryFeatures, surface: Matrix, note: str) -> ValidationRow:
    assert sets.real is not None
    found = compared(NAME, sets, table.auc, note=note, halvings=HALVINGS, half_samples=0)
    draw = np.random.default_rng([sets.seed, 7])
    size = min(len(sets.synthetic), len(sets.real))
    first, second = (rows_of(one.sample(size, draw)) for one in (sets.synthetic, sets.real))
    held = table.held_out(first, second)
    low, high = held.spread(sets.seed)
    value = found.value if found.value is not None else float("nan")
    parts = {
        "surface": replace(table, features=surface).auc(first, second),
        "alone": {name: _either(surface[first, row], surface[second, row]) for row, name in enumerate(SURFACE)},
        "scores": {
            "synthetic": np.round(held.scores[held.labels], 4).tolist(),
            "real": np.round(held.scores[~held.labels], 4).tolist(),
        },
    }
    interval = (max(0.0, value + low), min(1.0, value + high))
    return replace(found, interval=interval, parts=parts)


def _either(first: Vector, second: Vector) -> float:
    """The AUC of one feature, in the direction in which it is above 0.5."""
    found = auc(first, second)
    return max(found, 1 - found)


def _standard(train: Matrix, test: Matrix) -> tuple[Matrix, Matrix]:
    """Both, scaled to mean 0 and variance 1 over the rows of `train`."""
    mean, own = train.mean(axis=0), train.std(axis=0)
    spread = np.where(own > 0, own, 1.0)
    return (train - mean) / spread, (test - mean) / spread
