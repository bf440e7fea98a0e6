"""The inputs and settings of an ablation."""

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
    """The data of an ablation, by the names that the user gave."""

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
    """How all arms are trained and measured."""

    base: str
    teacher: str
    training: Settings
    """The settings of each training. The labels of all arms run from 0 to 1; the seed is the first of `seeds`."""
    seeds: int = UtilityTraining.seeds
    retrievers: tuple[str, ...] = ()
    pool_depth: int = Mining.depth
    plan: Plan = field(default_factory=Plan)
    queries: int | None = None
    """The largest number of queries in each set; None for all."""
    facts: Path | None = None
    """A TOML file with the teacher's licence and training sets."""
    first_stage: str = Test.first_stage
    depth: int = Test.depth
    measure: str | None = None
    """None for the main measure of the test collection."""

    def __post_init__(self) -> None:
        if self.plan.drop_above is not None:
            raise UsageError("leave out drop_above: the arms need the same documents under all labels")
        check_targets(self.training.loss, Examples((Example("", ("", " "), (0.0, 1.0)),)))

    def describe(self) -> dict[str, object]:
        """The settings that decide the result, as plain values."""
        return {
            "settings": self.training.describe(),
            "seeds": self.seeds,
            "pool_depth": self.pool_depth,
            "plan": asdict(self.plan),
            "queries": self.queries,
            "depth": self.depth,
            "measure": self.measure,
        }


def given_of(config: UtilityConfig) -> UtilityInputs:
    """The inputs of a configuration.

    Raises:
        UsageError: a required key is missing.
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
    """The settings of a configuration.

    Raises:
        UsageError: base or teacher is missing, or the loss does not accept labels from 0 to 1.
    """
    require(config, _NEEDED)
    training, test = settings_of(config.training, seed=config.seed), config.test
    return UtilitySettings(
        str(config.base), str(config.teaching.teacher), training, config.training.seeds,
        config.mining.retrievers, config.mining.depth, plan_of(config.sampling, config.seed), config.queries_each,
        config.teaching.facts, test.first_stage, test.depth, test.measure,
    )  # fmt: skip
