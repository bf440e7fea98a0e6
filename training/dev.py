"""Dev evaluation during training: the harness measures checkpoints on dev queries, as they are scored afterwards.

Every measurement is recorded as a look at dev. Queries that judge a checkpoint later are refused, and so are dev
queries that the checkpoint is trained on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from adapters.errors import UsageError
from harness.api import collections_of, first_stage_of
from harness.judging.gate.looks import LookLog
from harness.judging.gate.policy import Policy, read_policy
from harness.judging.gate.stage import Stage
from harness.progress import Reporter, Silent
from harness.scoring.session import Session, opened
from harness.workspace import Workspace
from training.adapting.deciding import dev_look
from training.adapting.scoring import ArmScores, measure, spec_of
from training.adapting.targets import AdaptTargets, plain, refuse_judging, tiers_of
from training.settings import DevEvaluation

_FIRST_STAGE = "first-stage"


@dataclass(frozen=True)
class Dev:
    """The dev queries of a training run, and how often it is measured on them."""

    stage: Stage
    every: int
    patience: int | None = None

    def describe(self) -> dict[str, object]:
        """Everything that decides which step is kept."""
        return {
            "queries": [one.fingerprint for one in self.stage.collections],
            "first_stage": self.stage.first_stage,
            "depth": self.stage.policy.depth,
            "measure": self.stage.measure,
            "every": self.every,
            "patience": self.patience,
        }

    def value(self, checkpoint: Path) -> float:
        """The measure of a checkpoint, a fraction. The look is recorded.

        Raises:
            ModelError: the checkpoint gives NaN, or ranks planted answers in reverse.
        """
        found = measure(checkpoint.name, spec_of(str(checkpoint)), self.stage)
        LookLog(self.stage.session.workspace.results).keep(dev_look(self.stage, self._anchor, found))
        return found.value

    def refuse_trained(self, queries: Iterable[str]) -> None:
        """Refuse dev queries that the checkpoint is trained on.

        Raises:
            UsageError: a training query is a dev query.
        """
        trained = set(map(plain, queries))
        for one in self.stage.collections:
            if shared := [text for text in one.queries if plain(text) in trained]:
                raise UsageError(
                    f"{one.name}: {len(shared):,} of the {len(one.queries):,} dev queries are training queries, such "
                    f"as '{shared[0][:60]}'; leave them out of the training data, or name another dev collection"
                )

    @cached_property
    def _anchor(self) -> ArmScores:
        """The first stage, which looks compare a checkpoint with."""
        return measure(_FIRST_STAGE, self.stage.first_stage, self.stage)


@contextmanager
def opened_dev(chosen: DevEvaluation, workspace: Path | None, reporter: Reporter) -> Iterator[Dev | None]:
    """The dev queries as long as the workspace is open; None if no dev collection is named.

    Raises:
        UsageError, DataError: see `dev_of`.
    """
    if chosen.target is None:
        yield None
        return
    with opened(Workspace.open(workspace), Silent()) as session:  # the run notes the values
        yield dev_of(chosen, session, reporter.note)


def dev_of(chosen: DevEvaluation, session: Session, tell: Callable[[str], None] = lambda _: None) -> Dev | None:
    """Load the dev queries; None if no dev collection is named.

    Args:
        tell: gets a line for each part of the target that is skipped. Default: nobody does.

    Raises:
        UsageError: the queries are those of a gate or of a split that judges.
        DataError: a collection has errors.
    """
    if chosen.target is None:
        return None
    policy = read_policy(chosen.policy) if chosen.policy else Policy(targets=(chosen.target,))
    policy = policy.overridden(first_stage=chosen.first_stage, depth=chosen.depth, measure=chosen.measure)
    stage = _dev_tier(chosen, policy, session) if chosen.policy else _whole(chosen, policy, session, tell)
    refuse_judging(stage, "the best step of a training", with_policy=chosen.policy is not None)
    return Dev(stage, chosen.every, chosen.patience)


def _dev_tier(chosen: DevEvaluation, policy: Policy, session: Session) -> Stage:
    return tiers_of(AdaptTargets(str(chosen.target), chosen.split), policy, session).dev


def _whole(chosen: DevEvaluation, policy: Policy, session: Session, tell: Callable[[str], None]) -> Stage:
    collections = collections_of([str(chosen.target)], session.workspace, split=chosen.split, tell=tell)
    first = policy.first_stage or first_stage_of(collections)
    return Stage(tuple(collections), policy, "dev", first, session, ())
