"""V10: the similarity of queries to their documents and to the rest of the corpus, compared with real queries."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from harness.data.collection import Collection
from harness.data.runs import Run
from harness.scoring.session import Session
from training.validating.measured import Name, ValidationRow
from training.validating.numbered import ENOUGH, compared, each, hindrance, numbered, rows_of, unmeasured
from training.validating.searching import DEPTH, searched_together
from training.validating.sets import QuerySet, Rows, Sets

POSITIVE = Name("V10", "cosine of query and document", "1 - OVL", "share")
GAP = Name("V10", "gap between the first and the second score", "1 - OVL", "share")
PROFILE = Name("V10", "scores of the first 100", "1 - OVL", "share")
BINS = 256

Matrix = npt.NDArray[np.float64]
Values = npt.NDArray[np.float64]


def measure(
    sets: Sets,
    corpus: Collection | None = None,
    stage: str | None = None,
    session: Session | None = None,
    *,
    depth: int = DEPTH,
    enough: int = ENOUGH,
) -> list[ValidationRow]:
    """One minus the overlap OVL = integral of min(p_S(x), p_R(x)) dx of two densities: of the cosine of a query and its
    document, of the gap between the first and the second score of a search in the corpus, and of all scores of the
    first `depth` candidates. 0: the densities are equal; 1: they do not overlap.

    The densities are Gaussian kernel estimates (see `Densities`). `parts`: `ovl`, `x`, `density` (of each set at x),
    and for the scores of a search `profile` (the mean score at each rank).

    Args:
        stage: the first stage that searches. With the spec of the embedder, scores are cosines.
    """
    rows = [_positive(sets, enough)]
    if corpus is None or stage is None or session is None:
        return [*rows, *unmeasured((GAP, PROFILE), "no dense first stage was named")]
    if (reason := hindrance(sets, enough, vectors=False)) is not None:
        return [*rows, *unmeasured((GAP, PROFILE), reason)]
    return [*rows, *_searched(sets, corpus, stage, depth, session)]


@dataclass(frozen=True)
class Densities:
    """Values of queries in 256 bins, for density estimates of any rows.

    The estimate is a Gaussian kernel on the bins. Its bandwidth is Silverman's, 0.9 min(sd, IQR / 1.34) n^(-1/5)
    (1986), with n the number of queries, and at least one bin.
    """

    counts: Matrix
    """float64 [queries, bins]: the number of values of each query in each bin."""
    centres: Values

    @classmethod
    def of(cls, queries: Rows, values: Values, size: int) -> Densities:
        """Count values by the row of their query. The bins extend an eighth of the range beyond the values."""
        low, high = float(values.min()), float(values.max())
        edge = (high - low) / 8 or 1.0
        width = (high - low + 2 * edge) / BINS
        place = ((values - low + edge) / width).astype(np.int64).clip(0, BINS - 1)
        counts = np.bincount(queries * BINS + place, minlength=size * BINS).reshape(size, BINS).astype(np.float64)
        centres = low - edge + (np.arange(BINS, dtype=np.float64) + 0.5) * width
        return cls(counts, centres)

    def density(self, rows: Rows) -> Values:
        """The smoothed share of each bin; the sum is 1."""
        shares = self.counts[rows].sum(axis=0)
        shares /= shares.sum()
        spread = self._bandwidth(shares, len(rows)) / (self.centres[1] - self.centres[0])
        steps = np.arange(-BINS + 1, BINS)
        smooth = np.convolve(shares, np.exp(-0.5 * (steps / spread) ** 2))[BINS - 1 : 2 * BINS - 1]
        found: Values = smooth / smooth.sum()
        return found

    def overlap(self, first: Rows, second: Rows) -> float:
        """The OVL of two sets of queries."""
        return float(np.minimum(self.density(first), self.density(second)).sum())

    def _bandwidth(self, shares: Values, size: int) -> float:
        mean = float(shares @ self.centres)
        sd = float(np.sqrt(shares @ (self.centres - mean) ** 2))
        low, high = np.interp((0.25, 0.75), shares.cumsum(), self.centres)
        spread = min(sd, float(high - low) / 1.34) or sd
        return float(max(0.9 * spread * size**-0.2, self.centres[1] - self.centres[0]))


def _positive(sets: Sets, enough: int) -> ValidationRow:
    def paired(one: QuerySet) -> QuerySet:
        if one.vectors is None or one.document_vectors is None:
            return one.take(np.empty(0, np.int64))
        return one.take(np.flatnonzero(one.document_vectors.any(axis=1)))

    if (reason := hindrance(sets, enough)) is not None:
        return unmeasured([POSITIVE], reason)[0]
    own = each(sets, paired)
    if (reason := hindrance(own, enough)) is not None:
        return unmeasured([POSITIVE], f"of those with a document, {reason}")[0]
    known = numbered(replace(own, wrong=own.wrong if own.wrong and len(own.wrong) else None))
    cosines = np.concatenate([_cosines(one) for one in known.all])
    every = np.arange(len(cosines))
    levels = {one.name: float(cosines[rows_of(one)].mean()) for one in known.all}
    lost = {one.name: len(one) - len(kept) for one, kept in zip(sets.all, own.all, strict=True) if len(one) > len(kept)}
    note = ", ".join(f"{count} {name} queries have no document and are left out" for name, count in lost.items())
    return _overlap(POSITIVE, known, Densities.of(every, cosines, len(every)), levels, note, {})


def _cosines(one: QuerySet) -> Values:
    assert one.vectors is not None
    assert one.document_vectors is not None
    found: Values = (one.vectors.astype(np.float64) * one.document_vectors).sum(axis=1)
    return found


def _searched(sets: Sets, corpus: Collection, stage: str, depth: int, session: Session) -> list[ValidationRow]:
    known = numbered(sets)
    found = searched_together(known.all, corpus, stage, depth, session)
    runs = {one.name: run for one, run in zip(known.all, found, strict=True)}
    few = [name for name, run in runs.items() if int(np.diff(run.offsets).min()) < 2]
    if few:
        reason = f"{stage} finds fewer than two documents for some of the {few[0]} queries"
        return unmeasured((GAP, PROFILE), reason)
    ordered = [(*_ordered(runs[one.name]), rows_of(one)) for one in known.all]
    queries = np.concatenate([rows[query] for query, _, _, rows in ordered])
    ranks = np.concatenate([rank for _, rank, _, _ in ordered])
    scores = np.concatenate([score for _, _, score, _ in ordered])
    gaps = scores[ranks == 0] - scores[ranks == 1]
    own = {one.name: np.isin(queries, rows_of(one)) for one in known.all}
    profile = {name: _means(ranks[mask], scores[mask]) for name, mask in own.items()}
    size, first = sum(map(len, known.all)), queries[ranks == 0]
    by_gap = Densities.of(first, gaps, size)
    by_score = Densities.of(queries, scores, size)
    gap_levels = {one.name: float(gaps[np.isin(first, rows_of(one))].mean()) for one in known.all}
    levels = {name: float(scores[mask].mean()) for name, mask in own.items()}
    note = f"searched with {stage}"
    return [
        _overlap(GAP, known, by_gap, gap_levels, note, {}),
        _overlap(PROFILE, known, by_score, levels, note, {"profile": profile}),
    ]


def _ordered(run: Run) -> tuple[Rows, Rows, Values]:
    """Query, rank from 0 and score of each candidate, best first."""
    order = run.order()
    rank = np.arange(len(order)) - np.repeat(run.offsets[:-1], np.diff(run.offsets))
    return run.queries[order], rank, run.scores[order].astype(np.float64)


def _means(ranks: Rows, scores: Values) -> list[float]:
    found: list[float] = (np.bincount(ranks, weights=scores) / np.bincount(ranks)).tolist()
    return found


def _overlap(  # noqa: PLR0917
    name: Name, sets: Sets, densities: Densities, levels: dict[str, float], note: str, parts: dict[str, object]
) -> ValidationRow:
    found = compared(
        name,
        sets,
        lambda first, second: 1 - densities.overlap(first, second),
        dict(levels),
        "; ".join(filter(None, ("Gaussian kernel density, Silverman's bandwidth; interval from half samples", note))),
    )
    shapes = {one.name: np.round(densities.density(rows_of(one)), 6).tolist() for one in sets.all}
    ovl = None if found.value is None else 1 - found.value
    return replace(found, parts={"ovl": ovl, "x": densities.centres.tolist(), "density": shapes, **parts})
