"""What a user may choose for a validation."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.errors import UsageError
from training.validating.leak import THRESHOLD


@dataclass(frozen=True)
class ValidationSettings:
    """Without real queries, vectors or a teacher the rows that need them say so."""

    real: str | None = None
    """A collection of real queries; V2, V9, V10 and V11 use its judgments."""
    real_split: str = "train"
    real_queries: int | None = None
    """Take so many of them, always the same; None: all."""
    wrong: str | None = None
    """Queries of another domain: a folder of synthetic ones, or a collection."""
    wrong_corpus: str | None = None
    evaluations: tuple[str, ...] = ()
    """Collections whose queries are evaluation queries, beside those that the workspace knows."""
    embedder: str | None = None
    teachers: tuple[str, ...] = ()
    student: str | None = None
    retrievers: tuple[str, ...] = ()
    """For V9, and the first for V11; none: BM25, and the embedder where there is one."""
    depth: int = 100
    max_length: int | None = None
    """Tokens that the student reads; the teacher is cut there."""
    threshold: float = THRESHOLD
    """V13: Jaccard coefficient from which a query is a near-duplicate."""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.real is None and self.real_queries is not None:
            raise UsageError("--sample-queries is of real queries; name them with --real")
        if self.wrong is None and self.wrong_corpus is not None:
            raise UsageError("--wrong-corpus is of the queries of another domain; name them with --wrong")
        if self.student is not None and not self.teachers:
            raise UsageError("--student is held against a teacher; name it with --teacher")

    @property
    def stages(self) -> tuple[str, ...]:
        """The first stages that are asked."""
        return self.retrievers or ("bm25", *([self.embedder] if self.embedder else []))
