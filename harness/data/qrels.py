"""Judgments of a collection as columns, including judgments of documents that the corpus lacks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Missing:
    """Judgments of documents that the corpus lacks, sorted by query and id. No system can find such a document, but it
    counts in the ideal ranking and among the relevant documents, as in trec_eval."""

    queries: Rows
    grades: Rows
    ids: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)

    def of(self, queries: npt.NDArray[np.int32]) -> Missing:
        """The judgments of some queries; `queries` has the new row of every query, -1 for a query that is left out."""
        kept = np.flatnonzero(queries[self.queries] >= 0)
        ids = tuple(self.ids[row] for row in kept.tolist())
        return Missing(queries[self.queries[kept]], self.grades[kept], ids)


_NO_ROWS = np.empty(0, np.int32)
NOTHING_MISSING = Missing(_NO_ROWS, _NO_ROWS, ())


@dataclass(frozen=True)
class Qrels:
    """Judgments as rows sorted by (query, document). A document without a row is unjudged."""

    queries: Rows
    documents: Rows
    grades: Rows
    """0 (judged, not relevant) or higher."""
    missing: Missing = NOTHING_MISSING

    def __len__(self) -> int:
        """The number of judgments of documents that the corpus has."""
        return len(self.grades)

    @property
    def all_queries(self) -> Rows:
        """The query of every judgment; judgments of missing documents come last."""
        return np.concatenate([self.queries, self.missing.queries])

    @property
    def all_grades(self) -> Rows:
        """The grade of every judgment, aligned with `all_queries`."""
        return np.concatenate([self.grades, self.missing.grades])


def missing_note(documents: object, judgments: object) -> str | None:
    """One sentence on the judged documents that a corpus lacks; None if there are none, or if a count is unknown."""
    if not isinstance(documents, int) or not isinstance(judgments, int) or not judgments:
        return None
    of = f"{documents:,} judged document{'s' if documents > 1 else ''}"
    several = f" ({judgments:,} judgments)" if judgments > documents else ""
    if documents == 1:
        return f"{of}{several} is not in the corpus; it counts in the ideal ranking"
    return f"{of}{several} are not in the corpus; they count in the ideal ranking"
