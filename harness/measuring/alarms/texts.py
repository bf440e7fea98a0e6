"""Find candidates with the same text."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness.data.collection import Collection
from harness.data.runs import Run

Codes = npt.NDArray[np.int64]


def text_codes(collection: Collection, run: Run) -> Codes:
    """A number for every row of the run; equal texts have equal numbers."""
    unique, inverse = np.unique(run.documents, return_inverse=True)
    words = np.ascontiguousarray(collection.corpus.digests[unique])
    _, same = np.unique(words.view("V16").ravel(), return_inverse=True)
    return np.asarray(same[inverse], np.int64)


def repeated(queries: Codes, codes: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
    """The rows with the same code as another row of their query, bool aligned with `queries`."""
    _, group, sizes = np.unique(_keys(queries, codes), return_inverse=True, return_counts=True)
    return np.asarray(sizes[group] > 1, np.bool_)


def distinct(queries: Codes, codes: npt.NDArray[np.integer], size: int) -> Codes:
    """The number of different codes of each query, int64 [size]."""
    _, first = np.unique(_keys(queries, codes), return_index=True)
    return np.bincount(queries[first], minlength=size)


def _keys(queries: Codes, codes: npt.NDArray[np.integer]) -> Codes:
    _, dense = np.unique(codes, return_inverse=True)
    return np.asarray(queries * (int(dense.max(initial=0)) + 1) + dense, np.int64)
