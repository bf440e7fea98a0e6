"""Assigns queries to the tiers dev, gate and final: the same on every machine, in exact shares.

Related queries stay together. A question of a parallel set is in the same tier in all its languages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from adapters.errors import DataError, UsageError
from adapters.identity import digest
from harness.data.collection import Collection, question_of, with_queries
from harness.judging.gate.policy import TIERS, Splits, Tier
from harness.measuring.questions import questions_of

Rows = npt.NDArray[np.int64]
_TOLERATED = 0.1
"""The share of the queries by which a tier may miss its size because related queries stay together."""


@dataclass(frozen=True)
class Assignment:
    """The tiers of the queries of a collection."""

    tiers: npt.NDArray[np.int8]
    """Indices in `TIERS`, one per query."""
    clustered: bool
    """Whether queries that share a relevant document are in the same tier; False if there are too many of them."""
    digest: str
    """Digest of the ids and their tiers."""

    def rows(self, tier: Tier) -> Rows:
        """Return the rows of the queries of one tier."""
        return np.flatnonzero(self.tiers == TIERS.index(tier))


def assign(collection: Collection, splits: Splits, among: Sequence[Collection] = ()) -> Assignment:
    """Assign the queries of a whole collection to tiers.

    Queries that share a relevant document, a text or a question stay together, because tuning on one of them also tunes
    on the others. If too many are related for the declared shares (for instance 50 queries over few documents), every
    query is assigned separately, and `clustered` is False.

    Args:
        among: whole collections. Those of the same parallel set are assigned together. If all have the same questions
            and related queries, this makes no difference. Default: none.
    """
    members = [collection, *(one for one in among if _is_of(one, collection))]
    ids = sorted({name for one in members for name in one.queries.ids()})
    places = {name: place for place, name in enumerate(ids)}
    order_keys = [_order_key(name, splits.salt) for name in ids]
    wanted = _sizes(len(ids), splits)
    tiers = _dealt(_clusters(_joint(members, places)), order_keys, wanted)
    clustered = bool((abs(np.bincount(tiers, minlength=len(TIERS)) - wanted) <= max(1, _TOLERATED * len(ids))).all())
    if not clustered:
        tiers = _dealt([[row] for row in range(len(ids))], order_keys, wanted)
    own = tiers[[places[name] for name in collection.queries.ids()]]
    made_of = {"queries": dict(zip(collection.queries.ids(), own.tolist(), strict=True)), "clustered": clustered}
    return Assignment(own.astype(np.int8), clustered, digest(made_of)[:12])


def part(
    collection: Collection, tier: Tier, splits: Splits, among: Sequence[Collection] = ()
) -> tuple[Collection, Assignment]:
    """Return the queries of one tier as a collection. Its fingerprint is part of every identity.

    Args:
        among: see `assign`.

    Raises:
        UsageError: the policy gives this tier no queries.
        DataError: the collection has too few queries.
    """
    if not splits.share(tier):
        raise UsageError(f"the policy gives the tier '{tier}' no queries; raise [splits] {tier}")
    found = assign(collection, splits, among)
    rows = found.rows(tier)
    if not len(rows):
        raise DataError(
            f"{collection.name}: none of its {len(collection.queries)} queries is in the tier '{tier}'; "
            f"raise [splits] {tier}, or leave the collection out"
        )
    return with_queries(collection, rows), found


def relatives(collection: Collection) -> Rows:
    """Return for every query the lowest row among its related queries, int64 [queries]."""
    parent = list(range(len(collection.queries)))
    qrels = collection.qrels
    relevant = qrels.grades > 0
    documents = collection.corpus.digests[qrels.documents[relevant]]
    _join(parent, qrels.queries[relevant].tolist(), _codes(documents))
    _join(parent, range(len(parent)), _codes(collection.queries.digests))
    if collection.changes is not None:
        _, questions = np.unique([question_of(name) for name in collection.queries.ids()], return_inverse=True)
        _join(parent, range(len(parent)), questions)
    return np.array([_root(parent, row) for row in range(len(parent))], np.int64)


def _is_of(one: Collection, collection: Collection) -> bool:
    """Whether `one` is another collection of the same parallel set."""
    return one is not collection and questions_of(one).drawn_from == questions_of(collection).drawn_from


def _joint(members: Sequence[Collection], places: Mapping[str, int]) -> Rows:
    """Return for every id the lowest place among its related queries in any of the collections."""
    parent = list(range(len(places)))
    for one in members:
        rows = [places[name] for name in one.queries.ids()]
        for place, root in zip(rows, relatives(one).tolist(), strict=True):
            _unite(parent, place, rows[root])
    return np.array([_root(parent, place) for place in range(len(places))], np.int64)


def _codes(digests: npt.NDArray[np.uint64]) -> Rows:
    _, codes = np.unique(np.ascontiguousarray(digests).view("V16").ravel(), return_inverse=True)
    return np.asarray(codes, np.int64)


def _join(parent: list[int], rows: Sequence[int], keys: npt.NDArray[np.integer]) -> None:
    """Join all rows that have the same key."""
    first: dict[int, int] = {}
    for row, key in zip(rows, keys.tolist(), strict=True):
        _unite(parent, row, first.setdefault(key, row))


def _unite(parent: list[int], one: int, other: int) -> None:
    low, high = sorted((_root(parent, one), _root(parent, other)))
    parent[high] = low


def _root(parent: list[int], row: int) -> int:
    while parent[row] != row:
        parent[row] = parent[parent[row]]
        row = parent[row]
    return row


def _clusters(relatives: Rows) -> list[list[int]]:
    found: dict[int, list[int]] = {}
    for row, root in enumerate(relatives.tolist()):
        found.setdefault(root, []).append(row)
    return list(found.values())


def _sizes(queries: int, splits: Splits) -> Rows:
    """Return the sizes of the tiers, which sum to `queries`, by largest remainders."""
    exact = np.array([splits.share(tier) * queries for tier in TIERS])
    sizes = np.floor(exact + 1e-9).astype(np.int64)
    short = queries - int(sizes.sum())
    sizes[np.argsort(sizes - exact, kind="stable")[:short]] += 1
    return sizes


def _dealt(clusters: Sequence[Sequence[int]], order_keys: Sequence[bytes], wanted: Rows) -> Rows:
    """Assign each cluster, in hash order, to the tier that lacks the greatest share of its size."""
    tiers = np.empty(len(order_keys), np.int64)
    left = wanted.astype(np.float64)
    size = np.maximum(wanted, 1)
    for cluster in sorted(clusters, key=lambda rows: min(order_keys[row] for row in rows)):
        chosen = int(np.argmax(np.where(wanted > 0, left / size, -np.inf)))
        tiers[list(cluster)] = chosen
        left[chosen] -= len(cluster)
    return tiers


def _order_key(query_id: str, salt: str) -> bytes:
    return blake2b(f"{salt}:{query_id}".encode("utf-8", "surrogatepass"), digest_size=16).digest()
