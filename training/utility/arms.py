"""The arms of the ablation, and the comparisons of two arms that each isolate one cause."""

from __future__ import annotations

from collections.abc import Collection as Names
from dataclasses import dataclass
from typing import Literal

Queries = Literal["synthetic", "real", "wrong"]
Labels = Literal["teacher", "human", "source", "shuffled"]

BASE = "base"
"""The name of the student before training."""
_QUERIES = {"synthetic": "synthetic queries", "real": "real queries", "wrong": "synthetic queries of a wrong domain"}
_LABELS = {
    "teacher": "teacher labels", "human": "human labels", "source": "the source document as the positive",
    "shuffled": "shuffled teacher labels",
}  # fmt: skip


@dataclass(frozen=True)
class Arm:
    """The queries and labels that one student is trained on."""

    name: str
    queries: Queries
    labels: Labels

    @property
    def title(self) -> str:
        """A description to print."""
        return f"{_QUERIES[self.queries]}, {_LABELS[self.labels]}"


ARMS = (
    Arm("a", "synthetic", "teacher"),
    Arm("b", "real", "human"),
    Arm("c", "real", "teacher"),
    Arm("d", "synthetic", "source"),
    Arm("e", "wrong", "teacher"),
    Arm("f", "synthetic", "shuffled"),
)


@dataclass(frozen=True)
class Contrast:
    """Two arms that differ in one thing: first minus second."""

    name: str
    first: str
    second: str
    above: str
    """The conclusion if the first arm is above the second."""
    below: str


CONTRASTS = (
    Contrast("query shift", "a", "c", "synthetic queries teach more than real ones", "synthetic queries teach less"),
    Contrast("label noise", "c", "b", "the teacher's labels are worth more than human ones", "they are worth less"),
    Contrast("domain value", "a", "e", "queries of the domain are worth it", "queries of another domain teach more"),
    Contrast("teacher value", "a", "d", "the teacher adds to the source document", "the teacher takes away"),
    Contrast("label order", "a", "f", "the labels say which document is better", "shuffled labels teach more"),
)


def arms_with(sets: Names[str], *, sources: bool) -> tuple[tuple[Arm, ...], dict[str, str]]:
    """The arms that can be trained, and the reason why each of the others cannot.

    Args:
        sets: the names of the available sets of queries.
        sources: whether the synthetic queries name their source documents.
    """
    left_out: dict[str, str] = {}
    for arm in ARMS:
        if arm.queries not in sets:
            left_out[arm.name] = f"no {_QUERIES[arm.queries]} were given"
        elif arm.labels == "source" and not sources:
            left_out[arm.name] = "the synthetic queries do not name their source documents"
    return tuple(arm for arm in ARMS if arm.name not in left_out), left_out
