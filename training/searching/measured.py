"""Make a proposed merge and measure it on dev. Every checkpoint that is measured is a recorded look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from adapters.errors import ModelError
from harness.judging.gate.looks import LookLog
from harness.judging.gate.stage import Stage
from harness.numbers import points
from harness.result.adaptation.record import ArmRecord
from harness.result.adaptation.vocabulary import FIRST_STAGE
from training.adapting.deciding import dev_look
from training.adapting.ingredients import against, named
from training.adapting.scoring import ArmScores, measure, spec_of
from training.merging.checkpoint import open_checkpoint
from training.merging.layers import count_of
from training.merging.merge import merge
from training.merging.recipe import Input, Plain, Recipe
from training.searching.config import Family
from training.searching.proposals import Phase, Proposal, Search, among_many, between_two
from training.validating.leak import KnownQueries

REFUSED = -1.0
"""What a search is sent for a merge that cannot be measured: worse than every value."""
CANDIDATES = "candidates"


@dataclass(frozen=True)
class Tried:
    """One look: a checkpoint that was measured, or refused."""

    arm: ArmRecord
    phase: Phase
    proposal: Proposal | None
    """None for an ingredient."""
    look: str | None
    """The id in the ledger of looks; None if it was refused."""


@dataclass
class Trail:
    """The looks of a search, in order."""

    dev: Stage
    out: Path
    most: int
    tried: list[Tried] = field(default_factory=list)
    scores: dict[str, ArmScores] = field(default_factory=dict)
    """Of all that were measured, by name."""

    def __post_init__(self) -> None:
        self.first_stage = measure(FIRST_STAGE, self.dev.first_stage, self.dev)

    @property
    def left(self) -> int:
        return self.most - len(self.tried)

    @property
    def singles(self) -> list[ArmRecord]:
        """The ingredients that can be merged."""
        return [one.arm for one in self.tried if one.proposal is None and not one.arm.refused]

    def ingredients(self, paths: Sequence[str], known: Sequence[KnownQueries]) -> None:
        """Measure the ingredients.

        Raises:
            ModelError: fewer than two can be merged.
        """
        for one in named(paths):
            self.add(against(one, known), "single", None)
        if len(self.singles) < 2:
            refused = [f"{one.arm.name}: {one.arm.refused[0]}" for one in self.tried if one.arm.refused]
            raise ModelError(f"fewer than two ingredients can be merged; {'; '.join(refused)}")

    def search(self, family: Family, *, layers: bool) -> None:
        """Make and measure merges until the looks are spent, or nothing is left to try."""
        parts = self.singles
        values = [self.scores[one.name].value for one in parts]
        search: Search = (
            between_two(values, layers=_anchors(parts[0].path) if layers else 0, looks=self.left) if len(parts) == 2
            else among_many(values, ordered=family == "slerp", looks=self.left)
        )  # fmt: skip
        proposal = next(search, None)
        while proposal is not None and self.left:
            value = self.add(self._made(proposal, parts, family), proposal.phase, proposal)
            try:
                proposal = search.send(value)
            except StopIteration:
                return

    def _made(self, proposal: Proposal, parts: Sequence[ArmRecord], family: Family) -> ArmRecord:
        chosen = [parts[place] for place in proposal.order]
        t = proposal.t[0] if proposal.t is not None and len(proposal.t) == 1 else None
        names, folder = tuple(one.name for one in chosen), self.out / CANDIDATES / proposal.name
        arm = ArmRecord(proposal.name, family if len(chosen) > 2 else "curve", str(folder), names, t)
        folder.parent.mkdir(exist_ok=True)
        try:
            merge(recipe_of(proposal, [one.path for one in chosen], family), folder)
        except ModelError as error:
            return replace(arm, refused=(str(error),))
        return arm

    def add(self, arm: ArmRecord, phase: Phase, proposal: Proposal | None) -> float:
        """Measure a checkpoint on dev, and record the look. Return its value."""
        scores: ArmScores | None = None
        if not arm.refused:
            try:
                scores = measure(arm.name, spec_of(arm.path), self.dev)
            except ModelError as error:
                arm = replace(arm, refused=(str(error),))
        look = None if scores is None else self._kept(scores)
        self.tried.append(Tried(arm, phase, proposal, look))
        if scores is not None:
            self.scores[arm.name] = scores
        said = arm.refused[0] if scores is None else points(scores.value)
        self.dev.session.reporter.note(f"look {len(self.tried)} of {self.most}: {arm.name} {said}")
        return REFUSED if scores is None else scores.value

    def _kept(self, scores: ArmScores) -> str:
        """Record a look at dev, and return its id."""
        log = LookLog(self.dev.session.workspace.results)
        return log.keep(dev_look(self.dev, self.first_stage, scores)).id


def _anchors(path: str) -> int:
    """The number of values of a t that changes over the layers: three, or two for models of one or two layers."""
    return 3 if count_of(open_checkpoint(path)) > 2 else 2


def recipe_of(proposal: Proposal, paths: Sequence[str], family: Family) -> Recipe:
    """The recipe of a proposal."""
    if family == "slerp" and proposal.t is not None:
        return Recipe("slerp", tuple(map(Input, paths)), paths[0], ({"t": _setting(proposal.t)},))
    inputs = tuple(
        Input(path, {"weight": _setting(own)}) for path, own in zip(paths, proposal.weights, strict=True)
    )  # fmt: skip
    return Recipe("sequential_slerp" if family == "slerp" else "linear", inputs)


def _setting(values: tuple[float, ...]) -> Plain:
    return values[0] if len(values) == 1 else values
