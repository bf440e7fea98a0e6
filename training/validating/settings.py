"""The settings of a validation."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.errors import UsageError
from training.validating.leak import THRESHOLD


@dataclass(frozen=True)
class ValidationSettings:
    """The settings of a validation. Rows that need real queries, vectors or a teacher that are not set say so."""

    real: str | None = None
    """A collection of real queries; V2, V9, V10 and V11 use its judgments."""
    real_split: str = "train"
    real_queries: int | None = None
    """Use this number of real queries, always the same; None for all."""
    wrong: str | None = None
    """Queries of another domain: a folder of synthetic queries, or a collection."""
    wrong_corpus: str | None = None
    evaluations: tuple[str, ...] = ()
    """Collections whose queries are evaluation queries, in addition to those in the workspace."""
    embedder: str | None = None
    teachers: tuple[str, ...] = ()
    student: str | None = None
    retrievers: tuple[str, ...] = ()
    """First stages for V9; the first one is also used for V11. Empty: BM25, and the embedder if there is one."""
    depth: int = 100
    max_length: int | None = None
    """The student's maximum length in tokens, which the teachers use too."""
    threshold: float = THRESHOLD
    """V13: the Jaccard coefficient from which a query is a near-duplicate."""
    profile: str | None = None
    """V14: the profile that the queries are checked against, by name or as a TOML file; None for no check."""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.real is None and self.real_queries is not None:
            raise UsageError("--sample-queries samples real queries; name them with --real")
        if self.wrong is None and self.wrong_corpus is not None:
            raise UsageError("--wrong-corpus is the corpus of queries of another domain; name them with --wrong")
        if self.student is not None and not self.teachers:
            raise UsageError("--student is compared with a teacher; name one with --teacher")

    @property
    def stages(self) -> tuple[str, ...]:
        """The first stages that search."""
        return self.retrievers or ("bm25", *([self.embedder] if self.embedder else []))
