"""The configuration of a search for a merge: every key of its TOML file, with its default and its meaning."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from adapters.typed_values import Positive
from training.keys import check

Family = Literal["slerp", "linear"]


@dataclass(frozen=True)
class SearchDev:
    """The queries that merges are chosen on."""

    collection: str | None = None
    """The collection that merges are chosen on. Needed."""
    split: str | None = None
    """The split of the judgments. Default: test, or the only split. test and final are refused, unless the policy
    keeps a part of them as dev."""
    first_stage: str | None = None
    """The first stage whose candidates are reranked: a spec, given, or run:FILE. Default: the policy's, otherwise
    as in harness run."""
    depth: Positive | None = None
    """Candidates per query. Default: the policy's, otherwise 100."""
    measure: str | None = None
    """The measure that chooses. Default: the policy's, otherwise the main measure of the collection."""
    languages: tuple[str, ...] = ()
    """Use only these languages. Default: the policy's."""
    parallel: bool | None = None
    """Whether queries with the same id in the collections of a set are one question in several languages. Default: as
    declared, otherwise as detected."""


@dataclass(frozen=True)
class SearchGate:
    """The only look at the gate, for the winner."""

    policy: Path | None = None
    """The policy, a TOML file. If it names no targets, the dev collection is used. Default: no look, and no claim."""
    split: str | None = None
    """The split of the judgments of the gate's targets. Default: the split of dev, if they are the same collection."""
    release: str | None = None
    """The release whose looks are counted. Default: the policy's."""


@dataclass(frozen=True)
class SearchConfig:
    """A search for the best merge of checkpoints of one architecture.

    Paths are relative to the current folder. Keys without a default are needed.
    """

    ingredients: tuple[str, ...] = ()
    """The checkpoints to merge: folders or hub names, two or more. With two, the first is t = 0. Needed."""
    family: Family = "slerp"
    """How they are merged: slerp (with three or more, a chain of slerps) or linear."""
    looks: Positive = 20
    """The number of checkpoints that are measured on dev, including the ingredients."""
    layers: bool = True
    """With two ingredients, also try a t that changes over the layers: three values, interpolated, like
    mergekit's gradients."""
    dev: SearchDev = field(default_factory=SearchDev)
    gate: SearchGate = field(default_factory=SearchGate)

    def __post_init__(self) -> None:
        check(self)

    def problem(self) -> str | None:
        """Why the values contradict each other; None if they do not."""
        if len(set(self.ingredients)) < len(self.ingredients):
            return "ingredients names a checkpoint twice; name each once"
        if 0 < len(self.ingredients) < 2:
            return "ingredients names one checkpoint; name two or more"
        if self.ingredients and self.looks <= len(self.ingredients):
            return f"looks = {self.looks} is spent by the {len(self.ingredients)} ingredients; allow more"
        return None
