"""Dev evaluation during training: the harness measures checkpoints on dev queries, as they are scored afterwards.

Every measurement is recorded as a look at dev. Queries that judge a checkpoint later are refused, and so are dev
queries that the checkpoint is trained on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from adapters.errors import UsageError
from harness.api import collections_of, first_stage_of
from harness.data.collection import Collection
from harness.judging.gate.looks import LookLog
from harness.judging.gate.policy import Policy, read_policy
from harness.judging.gate.stage import Stage
from harness.progress import Reporter, Silent
from harness.scoring.session import Session, opened
from harness.workspace import Workspace
from training.adapting.deciding import dev_look
from training.adapting.scoring import ArmScores, measure, spec_of
from training.adapting.targets import AdaptTargets, plain, tiers_of
from training.settings import DevEvaluation

_JUDGING_SPLITS = ("test", "final")
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
    return Dev(stage, chosen.every, chosen.patience)


def _dev_tier(chosen: DevEvaluation, policy: Policy, session: Session) -> Stage:
    return tiers_of(AdaptTargets(str(chosen.target), chosen.split), policy, session).dev


def _whole(chosen: DevEvaluation, policy: Policy, session: Session, tell: Callable[[str], None]) -> Stage:
    collections = collections_of([str(chosen.target)], session.workspace, split=chosen.split, tell=tell)
    first = policy.first_stage or first_stage_of(collections)
    stage = Stage(tuple(collections), policy, "dev", first, session, ())
    _refuse_judging(collections)
    _refuse_gated(stage, session)
    return stage


def _refuse_judging(collections: Sequence[Collection]) -> None:
    for one in collections:
        if one.split in _JUDGING_SPLITS:
            raise UsageError(
                f"{one.name}: the split '{one.split}' judges a checkpoint and cannot choose its best step; name "
                "another split with --dev-split, or the policy of your gate with --policy, to use only its dev tier"
            )


def _refuse_gated(stage: Stage, session: Session) -> None:
    looks = LookLog(session.workspace.results).all()
    for look in looks:
        if look.tier != "dev" and set(look.collections) & set(stage.whole):
            raise UsageError(
                f"a gate has judged checkpoints on these queries ({look.id}); name its policy with --policy, to use "
                "only its dev tier"
            )
