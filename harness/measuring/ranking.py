"""The order of a ranking: float32 scores descending, equal scores by document id descending."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from adapters.errors import DataError
from harness.data.runs import Offsets, Run

Keys = npt.NDArray[np.uint64]
Scores = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]

_CELLS = 1 << 19
"""Number of keys that are sorted at once (4 MiB). It bounds the memory and fits into the cache."""
_LOW = np.uint64(0xFFFFFFFF)
_WORD = np.uint64(32)
_PADDING = np.uint64(0xFFFFFFFFFFFFFFFF)


def checked_scores(run: Run, scores: npt.ArrayLike | None = None) -> Scores:
    """Return scores as trec_eval compares them: float32, one per row of the run, -0.0 equal to 0.0.

    Raises:
        DataError: the number of scores is wrong, or a score is not finite.
    """
    with np.errstate(over="ignore"):
        checked: Scores = np.asarray(run.scores if scores is None else scores).astype(np.float32) + np.float32(0.0)
    if checked.shape != run.documents.shape:
        raise DataError(f"{checked.size} scores for {run.documents.size} candidates; give one score per row of the run")
    finite = np.isfinite(checked)
    if not finite.all():
        row = int(np.argmin(finite))
        query = int(np.searchsorted(run.offsets, row, side="right")) - 1
        raise DataError(
            f"{int((~finite).sum())} scores are not finite (first: {checked[row]} for query {query}, document row "
            f"{run.documents[row]}); fix the model's precision or leave these queries out of the run"
        )
    return checked


def score_words(scores: Scores) -> Keys:
    """uint64 words in 0..2^32-1 whose ascending order is the descending order of finite scores."""
    bits = scores.view(np.int32)
    return (~(bits ^ ((bits >> 31) | np.int32(-(2**31)))).view(np.uint32)).astype(np.uint64)


def rank_keys(scores: Scores, tiebreaks: npt.NDArray[np.int32]) -> Keys:
    """uint64 keys whose ascending order is the order of the ranking."""
    keys = score_words(scores)
    keys <<= _WORD
    keys |= (~tiebreaks).view(np.uint32)
    return keys


def sorted_blocks(offsets: Offsets, keys_of: Callable[[slice], Keys]) -> Iterator[tuple[slice, Keys]]:
    """Yield (slice of queries, keys [queries, width] in ascending rows, short rows padded with the largest key).

    `keys_of` returns the keys of a slice of the run's rows.
    """
    widths = np.diff(offsets)
    step = max(1, _CELLS // max(1, int(widths.max(initial=0))))
    for first in range(0, len(widths), step):
        block = slice(first, min(first + step, len(widths)))
        table = _padded(keys_of(slice(int(offsets[first]), int(offsets[block.stop]))), widths[block])
        table.sort(axis=1)
        yield block, table


def _padded(keys: Keys, widths: npt.NDArray[np.int64]) -> Keys:
    width = int(widths.max(initial=0))
    if len(keys) == width * len(widths):
        return keys.reshape(len(widths), width)
    table = np.full((len(widths), width), _PADDING)
    table[np.arange(width) < widths[:, None]] = keys
    return table


def search(table: Keys, rows: Places, wanted: Keys) -> Places:
    """For each row of a sorted table, the number of keys below the wanted key."""
    width = table.shape[1]
    flat, start = table.reshape(-1), rows * width - 1
    place = np.zeros(len(rows), dtype=np.int64)
    step = 1 << width.bit_length() >> 1
    while step:
        probe = place + step
        below = flat[start + np.minimum(probe, width)] < wanted
        below &= probe <= width
        place += below * step
        step >>= 1
    return place


def places(run: Run, scores: Scores, queries: Places, wanted: tuple[Keys, ...]) -> list[Places]:
    """For each array of wanted keys, the number of candidates of the query before each key.

    Args:
        queries: ascending query index of every wanted key.
        wanted: arrays as long as `queries`, with keys as made by `rank_keys`.
    """
    results = [np.zeros(len(queries), dtype=np.int64) for _ in wanted]
    for block, table in sorted_blocks(run.offsets, lambda rows: rank_keys(scores[rows], run.tiebreaks[rows])):
        part = within(queries, block)
        for result, keys in zip(results, wanted, strict=True):
            result[part] = search(table, queries[part] - block.start, keys[part])
    return results


def within(queries: Places, block: slice) -> slice:
    """The slice of ascending query indices that are in a block of queries."""
    first, last = np.searchsorted(queries, (block.start, block.stop))
    return slice(int(first), int(last))


def ranks(run: Run, scores: npt.ArrayLike | None = None) -> Places:
    """Return the rank, from 1, of every row of the run, with trec_eval's tie rule.

    Raises:
        DataError: the number of scores is wrong, or a score is not finite.
    """
    checked = checked_scores(run, scores)
    (before,) = places(run, checked, run.queries, (rank_keys(checked, run.tiebreaks),))
    return before + 1


def lookup(run: Run, queries: Places, documents: Places) -> Places:
    """The row of the run for each (query, document); -1 if it is not a candidate. `queries` must be ascending."""
    found = np.full(len(queries), -1, dtype=np.int64)
    wanted = documents.astype(np.uint64) << _WORD

    def keys_of(rows: slice) -> Keys:
        keys = run.documents[rows].astype(np.uint64)
        keys <<= _WORD
        keys |= np.arange(rows.start, rows.stop, dtype=np.uint64)
        return keys

    for block, table in sorted_blocks(run.offsets, keys_of):
        part = within(queries, block)
        if table.size and part.stop > part.start:
            inside = queries[part] - block.start
            place = np.minimum(search(table, inside, wanted[part]), table.shape[1] - 1)
            keys = table[inside, place]
            found[part] = np.where(keys >> _WORD == documents[part].astype(np.uint64), keys & _LOW, found[part])
    return found
