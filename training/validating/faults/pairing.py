"""Whether queries ask about their documents."""

from __future__ import annotations

import numpy as np

from training.validating.calibration import wilson
from training.validating.faults.fault import Fault
from training.validating.faults.reading import Reading

CHANCE = 0.65
"""Of real queries at least 83 % share more with their document than with another query's, of exchanged ones half."""
_OTHERS, _LEAST = 5, 10


def pairs(own: Reading, real: Reading | None, seed: int) -> Fault:
    """Whether queries share more words with their documents than with those of other queries; with vectors, whether
    they are nearer to them. The larger figure counts, because a query across languages shares no word with its
    document."""
    figure = related(own, seed)
    if figure is None:
        line = f"fewer than {_LEAST} documents are named by different queries, in the field 'document'"
        return Fault("pairs", None, line=line)
    share, number = figure
    usual = None if real is None else related(real, seed)
    high = wilson(round(share * number), number)[1]
    found = high < min(CHANCE, 1.0 if usual is None else usual[0])
    line = (
        f"the queries do not ask about their documents: {share:.0%} are nearer to their own than to another query's "
        "(chance: 50 %)"
    )
    return Fault("pairs", share, found, line, real=None if usual is None else usual[0])


def related(one: Reading, seed: int) -> tuple[float, int] | None:
    """The chance that a query is nearer to its own document than to that of another query, with ties counted half, and
    the number of queries; None with fewer than ten documents. By words it is the idf-weighted containment, by vectors
    the cosine; the larger chance is returned."""
    rows = [row for row, source in enumerate(one.sources) if source is not None]
    texts = {id(one.sources[row]) for row in rows}
    if len(texts) < _LEAST:
        return None
    drawn = np.random.default_rng([seed, 13]).integers(len(rows), size=(len(rows), _OTHERS))
    wins = [_by_words(one, row, [rows[at] for at in others]) for row, others in zip(rows, drawn.tolist(), strict=True)]
    found = float(np.nanmean(wins))
    if one.whole.vectors is not None and one.whole.document_vectors is not None:
        found = max(found, _by_vectors(one, rows, drawn))
    return found, len(rows)


def _by_words(one: Reading, row: int, others: list[int]) -> float:
    """The share of other documents that a query shares less with than with its own."""
    query, source = one.tokens[row], one.sources[row]
    idf = one.background.idf
    weights = {token: idf(token) for token in query}

    def shared(at: int) -> float:
        document = one.sources[at]
        assert document is not None
        return sum(weights[token] for token in sorted(query & document.tokens))

    own = shared(row)
    found = [shared(at) for at in others if one.sources[at] is not source]
    return float(np.mean([1.0 if own > each else 0.5 if own == each else 0.0 for each in found] or [np.nan]))


def _by_vectors(one: Reading, rows: list[int], drawn: np.ndarray) -> float:
    assert one.whole.vectors is not None and one.whole.document_vectors is not None
    places = one.distinct[rows]
    queries, documents = one.whole.vectors[places], one.whole.document_vectors[places]
    own = (queries * documents).sum(axis=1)[:, None]
    other = np.einsum("qd,qod->qo", queries, documents[drawn])
    other = np.where(np.isclose(other, own, atol=1e-6), np.nan, other)
    return float(np.nanmean(np.where(np.isnan(other), np.nan, own > other)))
