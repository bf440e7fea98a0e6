"""What the user named and chose."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path

from adapters.errors import UsageError
from training.configuration import require
from training.examples import Example, Examples
from training.losses import check_targets
from training.settings import Settings, settings_of
from training.stages import Mining, Plan, plan_of
from training.utility.config import Real, Test, UtilityConfig, UtilityTraining

_NEEDED = {
    "base": "--base", "synthetic.corpus": "--corpus", "synthetic.queries": "--queries", "teaching.teacher": "--teacher",
    "test.collection": "--test",
}  # fmt: skip


@dataclass(frozen=True)
class UtilityInputs:
    """Where the data lie, as the user named them."""

    corpus: str
    queries: Path
    real: str
    test: str
    real_split: str = Real.split
    test_split: str | None = None
    wrong: Path | None = None
    wrong_corpus: str | None = None


@dataclass(frozen=True)
class UtilitySettings:
    """What is trained, by whom, and how it is measured. The same for all arms."""

    base: str
    teacher: str
    settings: Settings
    """Labels of all arms run from 0 to 1; the seed is the first of `seeds`."""
    seeds: int = UtilityTraining.seeds
    retrievers: tuple[str, ...] = ()
    pool_depth: int = Mining.depth
    plan: Plan = field(default_factory=Plan)
    queries: int | None = None
    """At most so many of each set."""
    facts: Path | None = None
    """A TOML file with the teacher's licence and training sets."""
    first_stage: str = Test.first_stage
    depth: int = Test.depth
    measure: str | None = None
    """None takes the main one of the test collection."""

    def __post_init__(self) -> None:
        if self.plan.drop_above is not None:
            raise UsageError("the arms need the same documents under every label; drop_above has no place here")
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


def given_of(config: UtilityConfig) -> UtilityInputs:
    """Where a configuration says that the data lie.

    Raises:
        UsageError: a key that is needed is missing.
    """
    if not config.real.collection:
        raise UsageError(
            "without real annotations there is nothing to compare synthetic queries with; name a judged collection "
            "with --real, or as real.collection in the configuration"
        )
    require(config, _NEEDED)
    synthetic, test, wrong = config.synthetic, config.test, config.wrong
    return UtilityInputs(
        str(synthetic.corpus), Path(str(synthetic.queries)), config.real.collection, str(test.collection),
        config.real.split, test.split, wrong.queries, wrong.corpus,
    )  # fmt: skip


def wishes_of(config: UtilityConfig) -> UtilitySettings:
    """What a configuration says of the trainings and of the test.

    Raises:
        UsageError: base or teacher is missing, or the loss does not take labels from 0 to 1.
    """
    require(config, _NEEDED)
    settings, test = settings_of(config.training, seed=config.seed), config.test
    return UtilitySettings(
        str(config.base), str(config.teaching.teacher), settings, config.training.seeds,
        config.mining.retrievers, config.mining.depth, plan_of(config.sampling, config.seed), config.queries_each,
        config.teaching.facts, test.first_stage, test.depth, test.measure,
    )  # fmt: skip
