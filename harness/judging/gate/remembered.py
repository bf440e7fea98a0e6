"""A stored system that uses the scores of its evaluations instead of its model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from adapters.errors import DataError
from harness.result.recall import recall
from harness.result.stored import Stored
from harness.scoring.ground import CandidatePool
from harness.scoring.retrieve import FirstStage
from harness.scoring.session import Session
from harness.scoring.system import Scores, System
from harness.workspace import Workspace


@dataclass(frozen=True)
class Remembered:
    """A reranker that looks up stored scores. Its identity is that of the reranker that computed them."""

    name: str
    stored: Mapping[str, Stored]
    """The evaluations, by fingerprint of the whole collection."""
    workspace: Workspace
    """The workspace with the scores."""

    def check(self) -> None:
        """Do nothing. Missing scores are found when they are looked up."""

    def score(self, ground: CandidatePool, session: Session) -> Scores:
        """Return the scores of some queries of an evaluation.

        Raises:
            DataError: the scores are no longer in the workspace, or are of other candidates.
        """
        kept = recall(self.workspace, self.stored[ground.collection.part_of or ground.collection.fingerprint].id)
        size, rows = len(kept.collection.corpus), {name: row for row, name in enumerate(kept.collection.queries.ids())}
        places = np.array([rows.get(name, -1) for name in ground.collection.queries.ids()], np.int64)
        known = kept.run.queries * size + kept.run.documents
        asked = places[ground.candidates.queries] * size + ground.candidates.documents
        order = np.argsort(known)
        found = order[np.searchsorted(known, asked, sorter=order).clip(max=len(known) - 1)]
        if (known[found] != asked).any():
            raise DataError(f"{ground.collection.name}: '{self.name}' was measured on other candidates; run it again")
        identity = cast(Mapping[str, Any], kept.stored.identity["reranker"])
        return Scores(ground.candidates.rescored(kept.run.scores[found]), identity)


def remembered(
    name: str, stored: Mapping[str, Stored], workspace: Workspace, first_stage: FirstStage, depth: int
) -> System:
    """Return the system of stored evaluations. A first stage needs no scores."""
    if all(one.reranker is None for one in stored.values()):
        return System(first_stage, depth)
    whole = {one.collection.whole: one for one in stored.values()}
    return System(first_stage, depth, Remembered(name, whole, workspace))
