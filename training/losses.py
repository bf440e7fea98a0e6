"""Losses of grouped scores: the student's and the teacher's scores of the documents of each query.

Every loss is a function of flat float32 scores s (the student's raw logits), targets t and group sizes. The ranking
losses of sentence-transformers are used where they exist; the others are defined here.

To add a loss, add a line to the list below or call `register`. Nothing else has to change.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from adapters.errors import DataError, need
from training.examples import Examples
from training.settings import Loss

if TYPE_CHECKING:
    from torch import Tensor

    Grouped = Callable[[Tensor, Tensor, Sequence[int]], Tensor]

_PURPOSE = "training"


@dataclass(frozen=True)
class LossDefinition:
    """A loss.

    Args:
        made: returns the loss for a temperature and the smallest gap of the targets. The loss takes scores and targets,
            float32 [pairs], and the number of documents of each query; it returns a scalar.
        lowest: the lowest target that it accepts. Default: no limit.
        highest: the highest target that it accepts. Default: no limit.
        pointwise: whether it looks at each document alone. Other losses need a query with different targets. Default:
            False.
    """

    made: Callable[[float, float], Grouped]
    lowest: float = -math.inf
    highest: float = math.inf
    pointwise: bool = False

    @property
    def range(self) -> str:
        """The targets that it accepts, in words."""
        if math.isinf(self.lowest):
            return f"of at most {self.highest:g}"
        return f"from {self.lowest:g}" + ("" if math.isinf(self.highest) else f" to {self.highest:g}")


_LARGEST = 1e38
"""A bound of targets that float32 and the sums of a loss can hold."""


def check_targets(loss: Loss, examples: Examples, where: str = "", remedy: str = "set scale, shift or sigmoid") -> None:
    """Refuse targets that a loss does not accept.

    Args:
        where: the training that has this loss and the key that names the loss, as the start of the message.
        remedy: what a user can do to bring the targets into range.

    Raises:
        DataError: a target is outside the range of the loss, or a loss that compares documents gets no query with
            different scores.
    """
    accepted, (low, high) = LOSSES[loss.name], _range(loss, examples)
    if not (abs(low) <= _LARGEST and abs(high) <= _LARGEST):
        raise DataError(f"{where}the targets are {low:g} to {high:g}, too large for float32; {remedy}")
    if not (low >= accepted.lowest and high <= accepted.highest):
        raise DataError(
            f"{where}{loss.name} needs targets {accepted.range}, but they are {low:g} to {high:g}; {remedy}"
        )
    if not accepted.pointwise and not examples.facts.compares:
        raise DataError(f"{where}{loss.name} compares the documents of a query, but no query has two different scores")


def _range(loss: Loss, examples: Examples) -> tuple[float, float]:
    if loss.sigmoid:
        return 0.0, 1.0
    low, high = ((score - loss.shift) * loss.scale for score in (examples.facts.lowest, examples.facts.highest))
    return low, high


def hinge(gap: float = 0.0) -> Grouped:
    """Soft-margin pairwise hinge: mean over the pairs with t_i - t_j > gap of max(0, (t_i - t_j) - (s_i - s_j)), then
    over the queries that have such pairs. The margin is the teacher's gap, so a student that separates more is not
    penalised. It follows the description of Querit-Reranker (arXiv 2606.19037), whose constants are not published."""

    def loss(scores: Tensor, targets: Tensor, sizes: Sequence[int]) -> Tensor:
        return _pairwise(scores, targets, sizes, gap, lambda wanted, got: (wanted - got).relu())

    return loss


def margin_mse(gap: float = 0.0) -> Grouped:
    """MarginMSE over all pairs with t_i - t_j > gap: mean of ((s_i - s_j) - (t_i - t_j))^2, then over queries
    (Hofstätter et al. 2020, arXiv 2010.02666, with every pair of a list instead of one positive and one negative)."""

    def loss(scores: Tensor, targets: Tensor, sizes: Sequence[int]) -> Tensor:
        return _pairwise(scores, targets, sizes, gap, lambda wanted, got: (wanted - got).square())

    return loss


def kl(temperature: float) -> Grouped:
    """Listwise KL(softmax(t / T) || softmax(s / T)) * T^2, mean over queries (Hinton et al. 2015, arXiv 1503.02531)."""

    def loss(scores: Tensor, targets: Tensor, sizes: Sequence[int]) -> Tensor:
        torch = need("torch", "models", _PURPOSE)
        each = []
        for s, t in _groups(scores, targets, sizes):
            teacher = (t / temperature).log_softmax(0)
            each.append((teacher.exp() * (teacher - (s / temperature).log_softmax(0))).sum() * temperature**2)
        mean: Tensor = torch.stack(each).mean()
        return mean

    return loss


def infonce(temperature: float) -> Grouped:
    """InfoNCE within a list: -log softmax(s / T) of the document with the highest target, with the other documents as
    negatives, mean over queries (van den Oord et al. 2018, arXiv 1807.03748). If several documents have the highest
    target, each is compared with the lower ones only, and their mean counts. A query whose targets are all equal has no
    negative and does not count."""

    def loss(scores: Tensor, targets: Tensor, sizes: Sequence[int]) -> Tensor:
        torch = need("torch", "models", _PURPOSE)
        each = []
        for s, t in _groups(scores / temperature, targets, sizes):
            best = t == t.max()
            if not best.all():
                each.append((torch.logaddexp(s[best], s[~best].logsumexp(0)) - s[best]).mean())
        mean: Tensor = torch.stack(each).mean() if each else scores.sum() * 0
        return mean

    return loss


def bce(scores: Tensor, targets: Tensor, _: Sequence[int]) -> Tensor:
    """Cross-entropy with soft targets in 0..1: mean over pairs of -t log sigmoid(s) - (1 - t) log sigmoid(-s)."""
    functional = need("torch.nn.functional", "models", _PURPOSE)
    mean: Tensor = functional.binary_cross_entropy_with_logits(scores, targets)
    return mean


def mse(scores: Tensor, targets: Tensor, _: Sequence[int]) -> Tensor:
    """Mean over pairs of (s - t)^2."""
    return (scores - targets).square().mean()


def library(name: str, **settings: Any) -> Grouped:
    """A loss of sentence-transformers' CrossEncoder, with its definition and its treatment of ties, applied to given
    scores."""

    def loss(scores: Tensor, targets: Tensor, sizes: Sequence[int]) -> Tensor:
        losses = need("sentence_transformers.cross_encoder.losses", "models", f"the loss {name}")
        torch = need("torch", "models", _PURPOSE)
        function = getattr(losses, name)(_known_scores(torch, scores), mini_batch_size=-1, **settings)
        nothing = [[""] * size for size in sizes]
        value: Tensor = function([[""] * len(sizes), nothing], list(torch.split(targets, list(sizes))))
        return value

    return loss


LOSSES: dict[str, LossDefinition] = {}
"""The losses by name."""


def register(name: str, definition: LossDefinition) -> LossDefinition:
    """Add a loss to every command, configuration and help text of training. A process whose help should list it
    registers it before it imports `harness.cli`.

    Raises:
        ValueError: the name has a character other than lower-case letters, digits and '-', or another loss has it.
    """
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        raise ValueError(f"a loss cannot be called '{name}'; use lower-case letters, digits and '-', a letter first")
    if name in LOSSES:
        raise ValueError(f"a loss '{name}' exists already; choose another name")
    LOSSES[name] = definition
    return definition


for _name, _definition in {
    "hinge": LossDefinition(lambda _, gap: hinge(gap)),
    "margin-mse": LossDefinition(lambda _, gap: margin_mse(gap)),
    "bce": LossDefinition(lambda *_: bce, lowest=0, highest=1, pointwise=True),
    "mse": LossDefinition(lambda *_: mse, pointwise=True),
    "ranknet": LossDefinition(lambda *_: library("RankNetLoss", reduction_log="natural")),
    "lambda": LossDefinition(lambda *_: library("LambdaLoss"), lowest=0, highest=30),  # its gains are 2^t - 1
    "listnet": LossDefinition(lambda *_: library("ListNetLoss")),
    "adr-mse": LossDefinition(lambda *_: library("ADRMSELoss")),
    "kl": LossDefinition(lambda temperature, _: kl(temperature)),
    "infonce": LossDefinition(lambda temperature, _: infonce(temperature)),
}.items():
    register(_name, _definition)


def _pairwise(
    scores: Tensor, targets: Tensor, sizes: Sequence[int], gap: float, cost: Callable[[Tensor, Tensor], Tensor]
) -> Tensor:
    torch = need("torch", "models", _PURPOSE)
    each = []
    for s, t in _groups(scores, targets, sizes):
        wanted, got = t[:, None] - t, s[:, None] - s
        ordered = wanted > gap
        if ordered.any():
            each.append(cost(wanted[ordered], got[ordered]).mean())
    mean: Tensor = torch.stack(each).mean() if each else scores.sum() * 0
    return mean


def _groups(scores: Tensor, targets: Tensor, sizes: Sequence[int]) -> Any:
    split = need("torch", "models", _PURPOSE).split
    return zip(split(scores, list(sizes)), split(targets, list(sizes)), strict=True)


def _known_scores(torch: Any, scores: Tensor) -> Any:
    """A model, as the library's losses expect one, that returns the given scores for any input."""

    class KnownScores(torch.nn.Module):  # type: ignore[misc]
        num_labels = 1
        device = scores.device

        def preprocess(self, pairs: object, **_: object) -> dict[str, Tensor]:
            return {"scores": scores}

        def forward(self, known: dict[str, Tensor]) -> dict[str, Tensor]:
            return known

    return KnownScores()
