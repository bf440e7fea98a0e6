"""Plug-ins for our own harness that plant faults of scores: as a user would write them, named by a spec string."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from pathlib import Path

import numpy as np

from adapters.protocols import Floats, IndexPairs, Scored


class Scripted:
    """Gives every pair the score that a file has for it, leaves out those that have none there, and answers other texts
    (the orientation probe's) by shared words, with the planted fault in those scores too."""

    def __init__(self, *, scores: str) -> None:
        text = Path(scores).read_text("utf-8")
        self.identity = {"adapter": "planted", "scores": blake2b(text.encode(), digest_size=16).hexdigest()}
        content = json.loads(text)
        self._scores: dict[tuple[str, str], float | None] = {
            (query, document): score for query, document, score in content["pairs"]
        }
        self._best, self._worst = map(float, content["range"])

    def score(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Floats:
        """In the order of the pairs."""
        found = (self._value(queries[q], documents[d]) for q, d in pairs)
        return np.array([score for score in found if score is not None])

    def _value(self, query: str, document: str) -> float | None:
        if (query, document) in self._scores:
            return self._scores[query, document]
        answered = query == document or shared(query.split(), document.split())
        return self._best if answered else self._worst


class QueryFirst:
    """Counts shared words in the first 1,024 words of query and document together, and says what it read."""

    def __init__(self, *, scores: str) -> None:
        self.identity = {"adapter": "planted query first", "max_length": 1024}

    def score(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Floats:
        """In the order of the pairs."""
        return np.concatenate([part.scores for part in self.stream(queries, documents, pairs)])

    def stream(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Iterator[Scored]:
        """All pairs in one batch."""
        whole = [(queries[q].split(), documents[d].split()) for q, d in pairs]
        seen = [(query, document[: max(0, 1024 - len(query))]) for query, document in whole]
        digests = [blake2b(" ".join([*q, *d][:1024]).encode(), digest_size=8).digest() for q, d in seen]
        scores = np.array([shared(q, d) for q, d in seen], np.float32)
        tokens, kept = (np.array([len(d) for _, d in texts], np.int32) for texts in (whole, seen))
        inputs = np.array([int.from_bytes(one, "big") for one in digests], np.uint64)
        yield Scored(np.arange(len(pairs)), scores, tokens, kept, inputs)


def shared(query: Sequence[str], document: Sequence[str]) -> int:
    """Longer words of the query whose beginning the document has."""
    there = {word.casefold()[:4] for word in document}
    return sum(len(word) > 3 and word.casefold()[:4] in there for word in query)
