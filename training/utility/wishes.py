"""What the user named and chose."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path

from adapters.errors import UsageError
from training.examples import Example, Examples
from training.losses import Loss, check_targets
from training.mining.sampling import SamplePlan
from training.settings import Settings

FIRST_STAGE = "bm25"


@dataclass(frozen=True)
class Given:
    """Where the data lie, as the user named them."""

    corpus: str
    queries: Path
    real: str
    test: str
    real_split: str = "train"
    test_split: str | None = None
    wrong: Path | None = None
    wrong_corpus: str | None = None

    def __post_init__(self) -> None:
        if self.wrong is not None and self.wrong_corpus is None:
            raise UsageError("the queries of --wrong were written from a corpus; name it with --wrong-corpus")
        if self.wrong is None and self.wrong_corpus is not None:
            raise UsageError("--wrong-corpus has no queries; name them with --wrong")


@dataclass(frozen=True)
class Wishes:
    """What is trained, by whom, and how it is measured. The same for all arms."""

    base: str
    teacher: str
    settings: Settings = field(default_factory=lambda: Settings(loss=Loss(scale=10.0)))
    """Labels of all arms run from 0 to 1; the seed is the first of `seeds`."""
    seeds: int = 3
    retrievers: tuple[str, ...] = ()
    pool_depth: int = 50
    plan: SamplePlan = field(default_factory=SamplePlan)
    queries: int | None = None
    """At most so many of each set."""
    facts: Path | None = None
    """A TOML file with the teacher's licence and training sets."""
    first_stage: str = FIRST_STAGE
    depth: int = 100
    measure: str | None = None
    """None takes the main one of the test collection."""

    def __post_init__(self) -> None:
        if self.seeds < 1 or (self.queries is not None and self.queries < 1):
            raise UsageError("--seeds and --queries-each start at 1")
        if self.plan.drop_above is not None:
            raise UsageError("the arms need the same documents under every label; --drop-above has no place here")
        check_targets(self.settings.loss, Examples((Example("", ("", " "), (0.0, 1.0)),)))

    def describe(self) -> dict[str, object]:
        """What decides the result, beside the content of models and texts."""
        return {
            "settings": self.settings.describe(),
            "seeds": self.seeds,
            "pool_depth": self.pool_depth,
            "plan": asdict(self.plan),
            "queries": self.queries,
            "depth": self.depth,
            "measure": self.measure,
        }
