"""V5: the distance of synthetic queries from real ones in the space of an embedder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adapters.protocols import Floats
from training.validating.documents import documents
from training.validating.measured import Name, ValidationRow
from training.validating.numbered import ENOUGH, compared, hindrance, limited, numbered, rows_of, stacked, unmeasured
from training.validating.sets import QuerySet, Rows, Sets

MMD = Name("V5", "embedding distance", "MMD^2", "")
FRECHET = Name("V5", "Frechet distance", "Frechet", "")
PERMUTATIONS, DIMENSIONS = 999, 64

Matrix = npt.NDArray[np.float64]


def measure(sets: Sets, *, enough: int = ENOUGH) -> list[ValidationRow]:
    """The unbiased squared maximum mean discrepancy (Gretton et al. 2012, JMLR 13) with a Gaussian kernel at the median
    distance, and the Frechet distance of the two clouds (Dowson and Landau 1982) in their first 64 directions.

    `parts` of the first: `p`, (1 + permutations with at least this MMD^2) / (permutations + 1), with whole documents
    permuted; `permutations`; `bandwidth`. `parts` of the second: `dimensions`, `kept` (share of the variance).
    """
    if (reason := hindrance(sets, enough)) is not None:
        return unmeasured((MMD, FRECHET), reason)
    sets, draw_note = limited(sets)
    known = numbered(sets)
    return [_mmd(known, draw_note), _frechet(known, draw_note)]


@dataclass(frozen=True)
class Kernel:
    """A kernel between all queries, float32 [n, n]."""

    values: Floats
    bandwidth: float
    documents: Rows
    """The number of each query's document."""

    def mmd(self, first: Rows, second: Rows) -> float:
        """1/(m(m-1)) sum k(x_i, x_j) + 1/(n(n-1)) sum k(y_i, y_j) - 2/(mn) sum k(x_i, y_j), i and j different in the
        first two. It may be below 0, and is 0 on average if both are drawn from one distribution.

        Two queries of one document are not an independent pair. All such pairs are left out, and each sum is divided by
        the number of its pairs. Otherwise three queries of each document would be further from one query of each than
        from themselves."""
        return self._mean(first, first) + self._mean(second, second) - 2 * self._mean(first, second)

    def apart(self, first: Rows, second: Rows) -> Matrix:
        """1 for two queries of different documents, otherwise 0."""
        return np.asarray(self.documents[first][:, None] != self.documents[second], np.float64)

    def _mean(self, first: Rows, second: Rows) -> float:
        counted = self.apart(first, second)
        return float((self.values[np.ix_(first, second)] * counted).sum() / counted.sum())


def kernel_of(vectors: Floats, compared_rows: Rows, of: Rows | None = None) -> Kernel:
    """exp(-|x - y|^2 / (2 s^2)), with s the median distance between two of the compared rows. `of` has the number of
    each query's document, if documents have several queries."""
    squares = squared_distances(vectors)
    upper = np.triu_indices(len(compared_rows), 1)
    middle = float(np.median(squares[np.ix_(compared_rows, compared_rows)][upper]))
    scale = middle or 1.0
    alone = np.arange(len(vectors)) if of is None else of
    return Kernel(np.exp(squares / np.float32(-2 * scale)), float(np.sqrt(scale)), alone)


def squared_distances(vectors: Floats) -> Floats:
    """Squared Euclidean distances of all pairs, float32 [n, n]."""
    lengths = (vectors.astype(np.float64) ** 2).sum(axis=1).astype(np.float32)
    squares = lengths[:, None] + lengths[None, :] - 2 * (vectors @ vectors.T)
    return np.asarray(np.maximum(squares, 0, out=squares))


def permutation_p(kernel: Kernel, first: QuerySet, second: QuerySet, seed: int, permutations: int) -> float:
    """The p-value of the MMD^2 of two numbered sets, by random exchanges of documents. Queries of one document are
    exchanged together, because they resemble each other whatever their set."""
    rows = np.concatenate([rows_of(first), rows_of(second)])
    apart = kernel.apart(rows, rows)
    unit = np.concatenate([_places(first), _places(second) + len(first.members)])
    sides = np.zeros((unit.max() + 1, permutations + 1))
    sides[: len(first.members), 0] = 1
    draw = np.random.default_rng([seed, permutations])
    for column in range(1, permutations + 1):
        sides[draw.permutation(len(sides))[: len(first.members)], column] = 1
    found = _mmd_of_sides(kernel.values[np.ix_(rows, rows)] * apart, apart, sides[unit])
    return float((1 + (found[1:] >= found[0] - 1e-12).sum()) / (permutations + 1))


def frechet(first: Matrix, second: Matrix) -> float:
    """|mu1 - mu2|^2 + Tr(S1 + S2 - 2 (S1 S2)^(1/2)) of two clouds, float64 [n, dim] each."""
    shift = first.mean(axis=0) - second.mean(axis=0)
    one, other = (np.atleast_2d(np.cov(cloud, rowvar=False)) for cloud in (first, second))
    return float(shift @ shift + np.trace(one) + np.trace(other) - 2 * _trace_of_root(one, other))


def principal(vectors: Floats, fitted: Rows, dimensions: int) -> tuple[Matrix, float]:
    """All rows in the first principal directions of the `fitted` rows, float64 [n, <= dimensions], and the share of the
    variance that is kept."""
    centred = vectors.astype(np.float64) - vectors[fitted].mean(axis=0, dtype=np.float64)
    spread, directions = np.linalg.eigh(np.cov(centred[fitted], rowvar=False))
    kept = min(dimensions, len(spread))
    share = float(spread[-kept:].sum() / spread.sum()) if spread.sum() > 0 else 1.0
    return centred @ directions[:, ::-1][:, :kept], share


def _mmd(sets: Sets, draw_note: str) -> ValidationRow:
    assert sets.real is not None
    both = np.concatenate([rows_of(sets.synthetic), rows_of(sets.real)])
    kernel = kernel_of(stacked(sets), both, documents(sets))
    draw = np.random.default_rng([sets.seed, 5])
    size = min(len(sets.synthetic), len(sets.real))
    first, second = sets.synthetic.sample(size, draw), sets.real.sample(size, draw)
    p = permutation_p(kernel, first, second, sets.seed, PERMUTATIONS)
    note = f"p = {p:.3f} from {PERMUTATIONS} permutations of whole documents; pairs of one document are left out"
    note = f"{note}; the interval is from half samples"
    parts = {"p": p, "permutations": PERMUTATIONS, "bandwidth": kernel.bandwidth}
    return compared(MMD, sets, kernel.mmd, note="; ".join(filter(None, (note, draw_note))), parts=dict(parts))


def _frechet(sets: Sets, draw_note: str) -> ValidationRow:
    assert sets.real is not None
    size = min(len(sets.synthetic), len(sets.real))
    draw = np.random.default_rng([sets.seed, 6])
    fitted = np.concatenate([rows_of(one.sample(size, draw)) for one in (sets.synthetic, sets.real)])
    cloud, kept = principal(stacked(sets), fitted, DIMENSIONS)
    note = (
        f"in {cloud.shape[1]} principal directions with {kept:.0%} of the variance; larger for fewer queries, and for "
        "several of one document, so it compares with its own floor only; the interval is from half samples"
    )
    return compared(
        FRECHET,
        sets,
        lambda first, second: frechet(cloud[first], cloud[second]),
        note="; ".join(filter(None, (note, draw_note))),
        parts={"dimensions": cloud.shape[1], "kept": kept},
    )


def _places(one: QuerySet) -> Rows:
    """The number of each query's group."""
    places = np.empty(len(one), np.int64)
    for number, rows in enumerate(one.members):
        places[rows] = number
    return places


def _mmd_of_sides(values: Matrix, counted: Matrix, sides: Matrix) -> Matrix:
    """MMD^2 for each column of `sides` [n, columns], which is 1 for the first set and 0 for the second; `values` is 0
    where `counted` is 0."""
    (one, other, cross), (m, n, mn) = _by_side(values, sides), _by_side(counted, sides)
    return np.asarray(one / m + other / n - 2 * cross / mn)


def _by_side(pairs: Matrix, sides: Matrix) -> tuple[Matrix, Matrix, Matrix]:
    """The sums over the pairs within one side, within the other, and across."""
    sums = pairs @ sides
    one, cross = (sides * sums).sum(axis=0), ((1 - sides) * sums).sum(axis=0)
    return one, pairs.sum() - one - 2 * cross, cross


def _trace_of_root(one: Matrix, other: Matrix) -> float:
    """Tr((AB)^(1/2)) of two covariances, through the symmetric A^(1/2) B A^(1/2), which has the same eigenvalues."""
    values, vectors = np.linalg.eigh(one)
    root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    return float(np.sqrt(np.clip(np.linalg.eigvalsh(root @ other @ root), 0, None)).sum())
