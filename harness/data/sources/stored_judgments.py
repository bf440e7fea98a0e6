"""The judgments and candidate lists of a collection as named arrays, and their part of its fingerprint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from adapters.identity import array_digest
from adapters.sums import Array
from harness.data.collection import Changes, GivenCandidates
from harness.data.qrels import NOTHING_MISSING, Missing, Qrels


@dataclass(frozen=True)
class StoredJudgments:
    """Everything of a collection but its texts and its description."""

    qrels: Qrels
    given: GivenCandidates | None
    changes: Changes | None

    @classmethod
    def of(cls, arrays: Mapping[str, Any]) -> StoredJudgments:
        """The judgments in the arrays of a file.

        Raises:
            KeyError: an array is missing.
        """
        qrels = Qrels(arrays["queries"], arrays["documents"], arrays["grades"], _missing(arrays))
        given = None
        if "given_offsets" in arrays:
            given = GivenCandidates(arrays["given_offsets"], arrays["given_documents"])
        return cls(qrels, given, _changes(arrays) if "changed_questions" in arrays else None)

    def arrays(self) -> dict[str, Array]:
        """The arrays to write."""
        missing, changes = self.qrels.missing, self.changes
        found: dict[str, Array] = {**self._judged, **self._given}
        if len(missing):
            ids = np.array(missing.ids, np.str_)
            found |= {"missing_queries": missing.queries, "missing_grades": missing.grades, "missing_ids": ids}
        if changes is not None:
            questions = np.array(changes.questions, np.str_)
            found |= {
                "changed_questions": questions, "changed_offsets": changes.offsets,
                "changed_documents": changes.documents,
            }  # fmt: skip
        return found

    def content(self) -> dict[str, object]:
        """The entries of the fingerprint. Some keys exist only if there is something, so that the fingerprints of other
        collections do not change."""
        missing, changes = self.qrels.missing, self.changes
        found: dict[str, object] = {
            "qrels": array_digest(*self._judged.values()),
            "given": array_digest(*self._given.values()) if self.given else None,
        }
        if len(missing):
            found["missing"] = [list(missing.ids), array_digest(missing.queries, missing.grades)]
        if changes:
            found["changes"] = [list(changes.questions), array_digest(changes.offsets, changes.documents)]
        return found

    @property
    def _judged(self) -> dict[str, Array]:
        qrels = self.qrels
        return {"queries": qrels.queries, "documents": qrels.documents, "grades": qrels.grades}

    @property
    def _given(self) -> dict[str, Array]:
        given = self.given
        return {"given_offsets": given.offsets, "given_documents": given.documents} if given else {}


def _missing(arrays: Mapping[str, Any]) -> Missing:
    if "missing_ids" not in arrays:
        return NOTHING_MISSING
    ids = tuple(map(str, arrays["missing_ids"].tolist()))
    return Missing(arrays["missing_queries"], arrays["missing_grades"], ids)


def _changes(arrays: Mapping[str, Any]) -> Changes:
    questions = tuple(map(str, arrays["changed_questions"].tolist()))
    return Changes(questions, arrays["changed_offsets"], arrays["changed_documents"])
