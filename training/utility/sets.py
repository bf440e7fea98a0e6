"""The sets of queries of the arms: synthetic, real and from a wrong domain, without test queries, and of equal size."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

import numpy as np

from adapters.errors import DataError, UsageError
from adapters.identity import digest, text_digest
from harness.data.collection import Collection, Rules, sampling_order
from harness.data.columns import corpus_fingerprint
from harness.data.qrels import Qrels
from training.corpus import asking
from training.mining.mine import SourcedQueries
from training.mining.pool import ABSENT
from training.stages import LEAK_THRESHOLD
from training.utility.arms import Queries
from training.validating.alike import HOW, alike

ALIKE = {
    "exact": "the same as a test query", "trigrams": "nearly the same as a test query",
    "contained": "with a test query inside",
}  # fmt: skip
"""The reasons for which queries that resemble a test query are removed, by how they match."""
_NO_ROWS = np.empty(0, np.int32)


@dataclass(frozen=True)
class Query:
    """One query of a set."""

    id: str
    text: str
    document: str | None = None
    """The document that the query was written from."""
    grades: Mapping[int, int] = field(default_factory=dict)
    """Human grades by corpus row; empty for synthetic queries."""
    language: str | None = None
    """The language that the query declares, if the queries of its set declare several."""


@dataclass(frozen=True)
class CorpusQueries:
    """A set of queries with its corpus."""

    name: Queries
    corpus: Collection
    """The corpus, without queries and judgments."""
    target: str
    """The name of the corpus as the user gave it."""
    language: str | None
    queries: tuple[Query, ...]
    given: int
    """The number of queries before any was removed."""
    removed: Mapping[str, int] = field(default_factory=dict)
    """The number of removed queries, by reason."""
    highest: int = 1
    """The highest grade in the collection."""

    def __len__(self) -> int:
        return len(self.queries)

    @property
    def digest(self) -> str:
        """The digest of corpus, queries and judgments."""
        rows = [
            {"id": one.id, "text": text_digest(one.text).hex(), "document": one.document,
             "grades": sorted(map(list, one.grades.items()))}
            for one in self.queries
        ]  # fmt: skip
        return digest({"corpus": self.corpus.fingerprint, "queries": rows, "highest": self.highest})

    def without(self, reason: str, wrong: Callable[[Query], bool]) -> CorpusQueries:
        """The set without the queries for which `wrong` is true. They are counted under the reason."""
        kept = tuple(one for one in self.queries if not wrong(one))
        lost = len(self.queries) - len(kept)
        return replace(self, queries=kept, removed={**self.removed, reason: lost}) if lost else self

    def counts(self) -> dict[str, object]:
        """The entries of the manifest."""
        return {"given": self.given, "removed": dict(self.removed), "left": len(self)}


def synthetic_set(name: Queries, corpus: Collection, target: str, sourced: SourcedQueries) -> CorpusQueries:
    """Synthetic queries, each text once. If some name their source document, queries without one are left out, because
    the arm with source labels could not use them."""
    sources = sourced.sources.tolist()
    documents = corpus.corpus.ids(sourced.sources.clip(min=0))
    languages = sourced.languages or (None,) * len(sources)
    rows = zip(sourced.ids, sourced.texts, documents, sources, languages, strict=True)
    queries = tuple(
        Query(id_, text, None if row == ABSENT else document, language=language)
        for id_, text, document, row, language in rows
    )
    language = corpus.language or sourced.language
    query_set = _each_once(CorpusQueries(name, corpus, target, language, queries, len(queries)))
    if not any(one.document for one in query_set.queries):
        return query_set
    return query_set.without("without a source document", lambda one: one.document is None)


def real_set(collection: Collection, target: str) -> CorpusQueries:
    """Queries with human judgments and at least one relevant document, each text once.

    Raises:
        UsageError: the queries come in pairs with changed instructions, whose judgments are not labels of single
            queries.
    """
    if collection.changes is not None:
        raise UsageError(f"--real {target}: its queries have changed instructions; name another collection")
    grades: dict[int, dict[int, int]] = {}
    qrels = collection.qrels
    for query, document, grade in zip(
        qrels.queries.tolist(), qrels.documents.tolist(), qrels.grades.tolist(), strict=True
    ):
        grades.setdefault(query, {})[document] = grade
    named = zip(collection.queries.ids(), collection.queries, strict=True)
    queries = tuple(Query(id_, text, grades=grades.get(row, {})) for row, (id_, text) in enumerate(named))
    highest = int(qrels.all_grades.max(initial=1))
    found = CorpusQueries(
        "real", _bare(collection), target, collection.language, queries, len(queries), highest=highest
    )
    found = found.without("empty", lambda one: not one.text.strip())
    return _each_once(found.without("without a relevant document", lambda one: max(one.grades.values(), default=0) < 1))


def without_test_queries(query_set: CorpusQueries, test: Collection) -> CorpusQueries:
    """The set without queries that are the same as a test query, nearly the same, or contain one, by the rule of
    `validating.alike`."""
    found: dict[str, str] = {}
    for like in alike([one.text for one in query_set.queries], list(test.queries), LEAK_THRESHOLD):
        id_ = query_set.queries[like.row].id
        found[id_] = min(found.get(id_, like.how), like.how, key=HOW.index)
    for how, reason in ALIKE.items():
        query_set = _without_ids(query_set, reason, {id_ for id_, own in found.items() if own == how})
    return query_set


def drawn(sets: Sequence[CorpusQueries], limit: int | None, seed: int) -> list[CorpusQueries]:
    """The same number of queries of each set, drawn by a hash of the ids, so that the order of a file does not matter.

    Raises:
        DataError: a set has no query left.
    """
    for one in sets:
        if not len(one):
            lost = ", ".join(f"{count} {reason}" for reason, count in one.removed.items())
            raise DataError(f"the {one.name} set: none of its {one.given} queries can be used ({lost})")
    size = min([len(one) for one in sets] + ([limit] if limit else []))
    return [first(one, size, seed) for one in sets]


def first(query_set: CorpusQueries, size: int, seed: int) -> CorpusQueries:
    """The first queries of the draw, in its order."""
    order = sampling_order([one.id for one in query_set.queries], seed)[:size]
    return replace(query_set, queries=tuple(query_set.queries[row] for row in order.tolist()))


def _each_once(query_set: CorpusQueries) -> CorpusQueries:
    seen: set[str] = set()

    def again(one: Query) -> bool:
        known = one.text in seen
        seen.add(one.text)
        return known

    return query_set.without("repeated", again)


def _without_ids(query_set: CorpusQueries, reason: str, ids: Set[str]) -> CorpusQueries:
    return query_set.without(reason, lambda one: one.id in ids)


def _bare(collection: Collection) -> Collection:
    """The corpus for mining. The rule for identical ids is kept, because these are the collection's own queries."""
    rules = collection.rules
    return replace(
        asking(collection, [], []),
        qrels=Qrels(_NO_ROWS, _NO_ROWS, _NO_ROWS),
        given=None,
        rules=Rules(rules.instruction, rules.first_stage_instruction, drop_identical_ids=rules.drop_identical_ids),
        fingerprint=corpus_fingerprint(collection.corpus),
    )
