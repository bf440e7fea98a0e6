"""The worst and the best difference of two rankings in nDCG@k over all labels that their unjudged documents could have.

The labels are the grades that occur in a collection's judgments, and 0. A document in both lists has one label. All
other unjudged documents are taken as not relevant, as always. The bounds are exact: some labels reach them.

Let N be the difference of the discounted gains and I the ideal gain, so that a query's difference is N / I. Once the
number of documents with each grade is chosen, I is fixed, and N is largest if the highest grades go to the documents
with the largest difference of discounts. For a fixed t, the largest N - t I is found grade by grade, from the highest
down, and the labels that reach it give the next t (Dinkelbach 1967). t grows until no labels are better.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats64 = npt.NDArray[np.float64]
Grades = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class OpenLabels:
    """Two rankings of some queries, as far as their difference depends on labels."""

    known: Floats64
    """The difference of the discounted gains of judged documents, B minus A, float64 [queries]."""
    judged: Grades
    """The number of judged documents of each grade above 0, int64 [queries, grades]."""
    steps: Floats64
    """The difference of the discounts of each unjudged document, B minus A, in descending order; float64
    [queries, most]. Columns after the last document of a query are 0."""
    counts: Grades
    """The number of unjudged documents in either top k, int64 [queries]."""
    grades: Grades
    """The grades above 0 that a label can have, descending, int64 [grades]. The gain of a document is its grade."""
    cutoff: int


def bounds(labels: OpenLabels) -> tuple[Floats64, Floats64]:
    """Return the smallest and the largest nDCG@k(B) - nDCG@k(A) of each query, float64 [queries] twice, fractions.

    A query whose ideal gain is 0 has the difference 0.
    """
    return -_largest(_swapped(labels)), _largest(labels)


def measured(labels: OpenLabels) -> Floats64:
    """Return the difference if no unjudged document is relevant, float64 [queries]: what a measure says."""
    above, below = _ideal_ends(labels, np.zeros((len(labels.counts), 1), np.int64))
    return _over(labels.known, np.tensordot(labels.grades, (below - above)[:, :, 0], 1).astype(np.float64))


def _swapped(labels: OpenLabels) -> OpenLabels:
    order = np.argsort(labels.steps + np.where(_padding(labels), np.inf, 0.0), axis=1, kind="stable")
    steps = -np.take_along_axis(labels.steps, order, axis=1)
    return OpenLabels(-labels.known, labels.judged, steps, labels.counts, labels.grades, labels.cutoff)


def _padding(labels: OpenLabels) -> npt.NDArray[np.bool_]:
    return np.arange(labels.steps.shape[1]) >= labels.counts[:, None]


def _largest(labels: OpenLabels) -> Floats64:
    """The largest difference of each query. It starts with the measured one and never falls."""
    best = measured(labels)
    active = np.flatnonzero(labels.counts > 0)
    while len(active):
        part = OpenLabels(
            labels.known[active], labels.judged[active], labels.steps[active], labels.counts[active], labels.grades,
            labels.cutoff,
        )  # fmt: skip
        found = _over(*_best_labels(part, best[active]))
        better = found > best[active]
        best[active[better]] = found[better]
        active = active[better]
    return best


def _best_labels(labels: OpenLabels, t: Floats64) -> tuple[Floats64, Floats64]:
    """Return N and I of the labels with the largest N - t I, float64 [queries] twice.

    The state is the number j of documents that have a grade so far, highest grades first. If those from j to j' have
    the grade g, they add g (gained[j'] - gained[j]) - t g (ideal after j' - ideal before j), so the best j for every j'
    is a running maximum.
    """
    queries, most = labels.steps.shape
    gained = np.concatenate([np.zeros((queries, 1)), np.cumsum(labels.steps, axis=1)], axis=1)
    numbers = np.broadcast_to(np.arange(most + 1), (queries, most + 1))
    possible = numbers <= labels.counts[:, None]
    above, below = _ideal_ends(labels, numbers)
    n, i = np.where(numbers == 0, 0.0, -np.inf), np.zeros((queries, most + 1))
    n += labels.known[:, None]
    for place, grade in enumerate(labels.grades.tolist()):
        n, i = _with_grade(n - grade * gained, i - grade * above[place], t[:, None])
        n, i = n + grade * gained, i + grade * below[place]
    value = np.where(possible, n - t[:, None] * i, -np.inf)
    chosen = np.argmax(value, axis=1)[:, None]
    return np.take_along_axis(n, chosen, axis=1)[:, 0], np.take_along_axis(i, chosen, axis=1)[:, 0]


def _with_grade(n: Floats64, i: Floats64, t: Floats64) -> tuple[Floats64, Floats64]:
    """For every number of documents, the parts of N and I before this grade that are best, float64 [queries, most]."""
    value = np.where(np.isfinite(n), n - t * i, -np.inf)
    best = np.maximum.accumulate(value, axis=1)
    columns = np.arange(value.shape[1])
    first = np.maximum.accumulate(np.where(value == best, columns, 0), axis=1)
    return np.take_along_axis(n, first, axis=1), np.take_along_axis(i, first, axis=1)


def _ideal_ends(labels: OpenLabels, numbers: Grades) -> tuple[Floats64, Floats64]:
    """The discounts of the ideal ranking down to the first and to the last document of each grade.

    Args:
        numbers: the number of unjudged documents with a higher grade, and with this or a higher one,
            int64 [queries, any].

    Returns:
        The sums of the discounts above and including the grade, float64 [grades, queries, any] twice.
    """
    discounts = 1 / np.log2(np.arange(labels.cutoff) + 2)
    sums = np.concatenate([[0.0], np.cumsum(discounts)])
    with_grade = np.cumsum(labels.judged, axis=1).T[:, :, None]
    higher = with_grade - labels.judged.T[:, :, None]
    above, below = (sums[np.minimum(one + numbers, labels.cutoff)] for one in (higher, with_grade))
    return above, below


def _over(n: Floats64, i: Floats64) -> Floats64:
    return np.divide(n, i, out=np.zeros_like(n), where=i > 0)
