"""The special tokens that a tokenizer puts around and between the two texts of a pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from adapters.pair_inputs import Ids, Sequenced

PROBES = (("what is a cat", "a cat is a small animal"), ("a", "b"), ("1", "2"))
"""Pairs of which a tokenizer should know at least one."""


@dataclass(frozen=True)
class PairTemplate:
    """The special tokens around the two texts of a pair, with token types."""

    prefix: Sequenced
    middle: Sequenced
    suffix: Sequenced
    query_type: int
    document_type: int

    @property
    def size(self) -> int:
        """Special tokens of a pair."""
        return len(self.prefix[0]) + len(self.middle[0]) + len(self.suffix[0])

    def join(self, query: Ids, document: Ids) -> Sequenced:
        """The whole input of a pair."""
        ids = np.concatenate([self.prefix[0], query, self.middle[0], document, self.suffix[0]])
        query_types = np.full(len(query), self.query_type, np.int32)
        document_types = np.full(len(document), self.document_type, np.int32)
        types = np.concatenate([self.prefix[1], query_types, self.middle[1], document_types, self.suffix[1]])
        return ids, types


def probe_template(tokenizer: Any) -> PairTemplate | None:
    """Read the special tokens off a pair that the tokenizer joined; None if they are not around and between the two
    texts."""
    tokenizer.no_truncation()
    tokenizer.no_padding()
    for query, document in PROBES:
        encoding = tokenizer.encode(query, document)
        owners = encoding.sequence_ids
        if 0 in owners and 1 in owners:
            return _template(encoding, owners)
    return None


def _template(encoding: Any, owners: list[int | None]) -> PairTemplate | None:
    ids, types = np.array(encoding.ids, np.int32), np.array(encoding.type_ids, np.int32)
    query = [place for place, owner in enumerate(owners) if owner == 0]
    document = [place for place, owner in enumerate(owners) if owner == 1]
    if query[-1] > document[0]:
        return None

    def part(begin: int, end: int) -> Sequenced:
        return ids[begin:end], types[begin:end]

    return PairTemplate(
        part(0, query[0]),
        part(query[-1] + 1, document[0]),
        part(document[-1] + 1, len(ids)),
        int(types[query[0]]),
        int(types[document[0]]),
    )
