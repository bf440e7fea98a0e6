"""The queries of the arms: synthetic, real and of a wrong domain, without those of the test, as many of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from adapters.errors import DataError, UsageError
from adapters.identity import digest, text_digest
from harness.checks.near_duplicates import Index, normalised
from harness.checks.overlap import THRESHOLD
from harness.data.collection import Collection, Rules, sampling_order
from harness.data.columns import corpus_fingerprint
from harness.data.qrels import Qrels
from training.corpus import asking
from training.mining.mine import Asked
from training.mining.pool import ABSENT
from training.utility.arms import Queries

_AT_ONCE = 10_000
_NO_ROWS = np.empty(0, np.int32)


@dataclass(frozen=True)
class Query:
    """One query of a set."""

    id: str
    text: str
    document: str | None = None
    """The document that it was written from."""
    grades: Mapping[int, int] = field(default_factory=dict)
    """What people said of documents, by the row of the corpus; only real queries have any."""


@dataclass(frozen=True)
class CorpusQueries:
    """Queries on the corpus that they are asked of."""

    name: Queries
    corpus: Collection
    """Without queries and judgments."""
    target: str
    """How the user named the corpus."""
    language: str | None
    queries: tuple[Query, ...]
    given: int
    """Before any was removed."""
    removed: Mapping[str, int] = field(default_factory=dict)
    """By reason."""
    highest: int = 1
    """The highest grade that a judgment can have here."""

    def __len__(self) -> int:
        return len(self.queries)

    @property
    def digest(self) -> str:
        """Identity of corpus, queries and judgments."""
        rows = [
            {"id": one.id, "text": text_digest(one.text).hex(), "document": one.document,
             "grades": sorted(map(list, one.grades.items()))}
            for one in self.queries
        ]  # fmt: skip
        return digest({"corpus": self.corpus.fingerprint, "queries": rows, "highest": self.highest})

    def without(self, reason: str, wrong: Callable[[Query], bool]) -> CorpusQueries:
        """The set without the queries of which this is true; they are counted under the reason."""
        kept = tuple(one for one in self.queries if not wrong(one))
        lost = len(self.queries) - len(kept)
        return replace(self, queries=kept, removed={**self.removed, reason: lost}) if lost else self

    def counts(self) -> dict[str, object]:
        """What the manifest says of it."""
        return {"given": self.given, "removed": dict(self.removed), "left": len(self)}


def synthetic_set(name: Queries, corpus: Collection, target: str, asked: Asked) -> CorpusQueries:
    """Queries that were written for documents, each text once. Where some name their source document, those that name
    none are left out: with them the arm of the source labels would have other queries."""
    sources = asked.sources.tolist()
    documents = corpus.corpus.ids(asked.sources.clip(min=0))
    rows = zip(asked.ids, asked.texts, documents, sources, strict=True)
    queries = tuple(Query(id_, text, None if row == ABSENT else document) for id_, text, document, row in rows)
    found = _each_once(CorpusQueries(name, corpus, target, corpus.language or asked.language, queries, len(queries)))
    if not any(one.document for one in found.queries):
        return found
    return found.without("without a source document", lambda one: one.document is None)


def real_set(collection: Collection, target: str) -> CorpusQueries:
    """Queries with human judgments, each text once; one without a relevant document has no order to learn.

    Raises:
        UsageError: every query is asked twice, with a changed instruction; such judgments are no labels.
    """
    if collection.changes is not None:
        raise UsageError(f"--real {target}: its queries come in pairs with changed instructions; name another")
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


def without_test_queries(found: CorpusQueries, test: Collection) -> CorpusQueries:
    """The set without queries that are the same as one of the test's, or nearly: those would measure memory.

    Nearly the same: equal but for case and punctuation, or with 80 % of the character trigrams shared.
    """
    known = list(dict.fromkeys(filter(None, map(normalised, test.queries))))
    if not known:
        return found
    alike = {found.queries[row].id for row in _alike([normalised(one.text) for one in found.queries], Index(known))}
    exact = set(known)
    same = found.without("the same as a test query", lambda one: normalised(one.text) in exact)
    return same.without("nearly the same as a test query", lambda one: one.id in alike)


def drawn(sets: Sequence[CorpusQueries], limit: int | None, seed: int) -> list[CorpusQueries]:
    """As many queries of every set: a draw by a hash of the ids, so that the order of a file decides nothing.

    Raises:
        DataError: a set has none left.
    """
    for one in sets:
        if not len(one):
            lost = ", ".join(f"{count} {reason}" for reason, count in one.removed.items())
            raise DataError(f"the {one.name} set: none of its {one.given} queries can be used ({lost})")
    size = min([len(one) for one in sets] + ([limit] if limit else []))
    return [first(one, size, seed) for one in sets]


def first(found: CorpusQueries, size: int, seed: int) -> CorpusQueries:
    """The first queries of the draw, in its order."""
    order = sampling_order([one.id for one in found.queries], seed)[:size]
    return replace(found, queries=tuple(found.queries[row] for row in order.tolist()))


def _each_once(found: CorpusQueries) -> CorpusQueries:
    seen: set[str] = set()

    def again(one: Query) -> bool:
        known = one.text in seen
        seen.add(one.text)
        return known

    return found.without("repeated", again)


def _alike(texts: Sequence[str], index: Index) -> Iterable[int]:
    for start in range(0, len(texts), _AT_ONCE):
        for found in index.search(texts[start : start + _AT_ONCE], THRESHOLD):
            yield from (start + found.asked).tolist()


def _bare(collection: Collection) -> Collection:
    """The corpus as it is mined; the rule of identical ids stays, for these are the collection's own queries."""
    rules = collection.rules
    return replace(
        asking(collection, [], []),
        qrels=Qrels(_NO_ROWS, _NO_ROWS, _NO_ROWS),
        given=None,
        rules=Rules(rules.instruction, rules.first_stage_instruction, drop_identical_ids=rules.drop_identical_ids),
        fingerprint=corpus_fingerprint(collection.corpus),
    )
