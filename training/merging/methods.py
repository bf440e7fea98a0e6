"""The methods of merging. Most of them are sums of the checkpoints' tensors with coefficients that depend only on the
inner products of these tensors. So a method is a function of a small matrix, and never reads a tensor.

The definitions are those of mergekit 0.1.5, after these papers: linear (arXiv 2203.05482), task arithmetic
(2212.04089), TIES (2306.01708), DARE (2311.03099), DELLA (2406.11617), model breadcrumbs (2312.06795), model stock
(2403.19522), Karcher mean (2603.04972); slerp is Shoemake's (1985).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from adapters.errors import ModelError, UsageError

Scalar = float | bool
Products = npt.NDArray[np.float64]
"""Shape [n, n]: inner products of the n flattened tensors, or of their differences to the base."""
Axis = Literal["last", "first"]
Coefficients = npt.NDArray[np.float64]

NEARLY_PARALLEL = 0.9995
"""The cosine above which slerp is linear, as in mergekit."""
_EPS = 1e-8
_CANCELLED = 1e-3
"""A mean of unit vectors that is shorter than this may be rounding alone, because inner products are in float32."""


@dataclass(frozen=True)
class Values:
    """The settings of a method for one tensor."""

    shared: Mapping[str, Scalar]
    per_input: Mapping[str, Coefficients]
    """Each value has shape [n]."""

    def number(self, name: str) -> float:
        return float(self.shared[name])


@dataclass(frozen=True)
class Solution:
    """The coefficient of each tensor (or difference), and the name of the case that the method took."""

    coefficients: Coefficients
    path: str


Solve = Callable[[Products, Values], Solution]
Thinning = Literal["largest", "random", "middle", "ranked"]
"""The largest (TIES), any (DARE), all but the largest and the smallest (breadcrumbs), large ones more often than small
ones of a row (DELLA)."""


@dataclass(frozen=True)
class Method:
    """A method: its parameters and its solution. Defaults are mergekit's; a default of None means required."""

    solve: Solve | None
    """None for a method that is not a fixed sum; see `sparse`."""
    space: Literal["weights", "deltas", "deltas if there is a base"]
    base: Literal["required", "optional", "ignored"]
    least: int
    most: int | None = None
    counts_others: bool = False
    """Whether `least` and `most` count the inputs without the base."""
    shared: Mapping[str, Scalar | None] = field(default_factory=dict)
    per_input: Mapping[str, Scalar | None] = field(default_factory=dict)
    thinning: Thinning | None = None
    """Which elements of the differences are kept, for a method that adds thinned differences."""
    by_sign: bool = False
    """Whether only elements with the sign of the sum are added, as in TIES."""
    unsupported: Mapping[str, Scalar] = field(default_factory=dict)
    """Settings of mergekit that are not supported, except for this value."""


def linear(_: Products, values: Values) -> Solution:
    """The weighted mean, or the weighted sum if `normalize` is off."""
    weight = values.per_input["weight"]
    return Solution(weight / _total(weight, "linear") if values.shared["normalize"] else weight, "linear")


def slerp(products: Products, values: Values) -> Solution:
    """From the first tensor (t = 0) to the second (t = 1) along the arc between their directions.

    The coefficients apply to the tensors themselves, so the norm of the result is not the interpolated norm.
    """
    return Solution(*_arc(products, values.number("t")))


def _arc(products: Products, t: float) -> tuple[Coefficients, str]:
    cosine = _cosine(products, 0, 1)
    if abs(cosine) > NEARLY_PARALLEL:
        return np.array([1 - t, t]), "linear: cosine above 0.9995"
    angle = math.acos(cosine)
    return np.array([math.sin((1 - t) * angle), math.sin(t * angle)]) / math.sin(angle), "slerp"


def _cosine(products: Products, first: int, second: int) -> float:
    norms = [math.sqrt(products[index, index]) for index in (first, second)]
    scale = [norm if norm > _EPS else 1.0 for norm in norms]
    return float(min(1.0, max(-1.0, products[first, second] / scale[0] / scale[1])))


def sequential_slerp(products: Products, values: Values) -> Solution:
    """Our own method: m_1 = v_1, m_k = slerp(m_(k-1), v_k) at t = w_k / (w_1 + ... + w_k). The order matters."""
    weight = values.per_input["weight"]
    if weight[0] <= 0 or (weight < 0).any():
        raise ModelError("merge: sequential_slerp needs weights that are not negative, and the first above 0")
    mixed, paths = np.eye(len(weight))[0], []
    for index in range(1, len(weight)):
        pair = np.stack([mixed, np.eye(len(weight))[index]])
        (left, right), path = _arc(pair @ products @ pair.T, weight[index] / weight[: index + 1].sum())
        mixed = left * pair[0] + right * pair[1]
        paths.append(path)
    return Solution(mixed, "slerp" if "slerp" in paths else paths[-1])


def share(values: Values) -> float:
    """How far nuslerp goes from the first tensor (0) to the second (1)."""
    weight = values.per_input["weight"]
    return 0.5 if abs(weight.sum()) < 1e-6 else float(weight[1] / weight.sum())


def nuslerp(products: Products, values: Values) -> Solution:
    """Slerp by weights, without the switch to linear at 0.9995. With a base it uses the differences to the base.

    With `nuslerp_flatten: false` each row is a vector of its own; see `rows`.
    """
    t = share(values)
    norms = np.maximum(np.sqrt(np.diag(products)), 1e-7)
    cosine = min(1.0, max(-1.0, products[0, 1] / norms[0] / norms[1]))
    # In float32 such angles are zero, and the two formulas agree to seven digits.
    if 1 - cosine**2 <= 1e-7:
        return Solution(np.array([1 - t, t]), "linear: parallel")
    angle = math.acos(cosine)
    return Solution(np.array([math.sin((1 - t) * angle), math.sin(t * angle)]) / math.sin(angle), "slerp")


def multislerp(products: Products, values: Values) -> Solution:
    """The weighted mean of the directions, with the weighted mean of the lengths.

    mergekit goes through the tangent space at this mean, where the weighted sum is zero by construction. The result is
    the same. Only where the directions cancel out it differs: mergekit fails, or rounding decides about the result.
    """
    weight, eps = values.per_input["weight"], values.number("eps")
    if len(products) == 1:
        return Solution(np.ones(1), "one checkpoint")
    if values.shared["normalize_weights"]:
        weight = weight / _total(weight, "multislerp")
    norms = np.sqrt(np.diag(products))
    if _length(weight / np.where(norms > 0, norms, np.inf), products) >= max(eps, _CANCELLED):
        directions = weight / (norms + eps)
        return Solution(directions / _length(directions, products) * (weight @ norms), "multislerp")
    if np.allclose(np.abs(products), np.outer(norms, norms), atol=0):  # they are on one line, as single numbers are
        return Solution(weight, "linear: the directions cancel out")
    raise ModelError(
        "the weighted directions of the checkpoints cancel out, so multislerp has no mean; change the weights"
    )


def karcher(products: Products, values: Values) -> Solution:
    """The mean on the sphere by iteration, with equal weights and the mean of the lengths."""
    if len(products) == 1:
        return Solution(np.ones(1), "one checkpoint")
    tolerance, norms = values.number("tol"), np.sqrt(np.diag(products))
    valid = np.flatnonzero(norms > tolerance)
    if not len(valid):
        return Solution(np.zeros(len(norms)), "all zero")
    cosines = products[np.ix_(valid, valid)] / np.outer(norms[valid], norms[valid])
    mean = _karcher_mean(cosines, int(values.number("max_iter")), tolerance)
    coefficients = np.zeros(len(norms))
    coefficients[valid] = mean / norms[valid] * norms.mean()
    return Solution(coefficients, "karcher")


def _karcher_mean(cosines: Products, most: int, tolerance: float) -> Coefficients:
    """The coefficients of unit vectors in their mean on the sphere; `cosines` are their inner products."""
    share = np.full(len(cosines), 1 / len(cosines))
    length = _length(share, cosines)
    mean = np.eye(len(cosines))[0] if length < tolerance else share / length
    for _ in range(most):
        along = np.clip(cosines @ mean, -1, 1)
        angles = np.arccos(along)
        pull = np.where(angles < tolerance, 0, share * angles / np.maximum(np.sin(angles), 1e-300))
        tangent = pull - (pull @ along) * mean
        length = _length(tangent, cosines)
        if length < tolerance:
            break
        mean = math.cos(length) * mean + math.sin(length) / length * tangent
        mean = mean / _length(mean, cosines)
    return mean


def _length(coefficients: Coefficients, products: Products) -> float:
    return math.sqrt(max(0.0, float(coefficients @ products @ coefficients)))


def task_arithmetic(_: Products, values: Values) -> Solution:
    """The base plus lambda times the weighted sum of the differences to the base."""
    weight = values.per_input["weight"]
    total = weight.sum()
    divisor = total if values.shared["normalize"] and abs(total) >= 1e-8 else 1.0
    return Solution(weight / divisor * values.number("lambda"), "task arithmetic")


def model_stock(products: Products, _: Values) -> Solution:
    """A point between the base and the mean of the others that depends on the mean cosine of the differences."""
    count = len(products)
    norms = np.sqrt(np.diag(products))
    pairs = [(i, j) for i in range(count) for j in range(i + 1, count)]
    cosines = [np.clip(products[i, j] / max(norms[i] * norms[j], 1e-6), -1, 1) for i, j in pairs]
    cosine = float(np.mean(cosines))
    denominator = 1 + (count - 1) * cosine
    share = 0.0 if abs(denominator) < 1e-6 else count * cosine / denominator
    return Solution(np.full(count, share / count), f"model stock: {share:.4f} of the way to the mean")


def passthrough(_: Products, values: Values) -> Solution:
    """The only tensor, times `scale`."""
    return Solution(values.per_input["scale"], "passthrough")


def axis_of(method: str, values: Values, shape: tuple[int, ...]) -> Axis | None:
    """The axis whose lines are vectors of their own for nuslerp; None if the whole tensor is one vector."""
    if "nuslerp_flatten" not in METHODS[method].shared or len(shape) < 2 or values.shared["nuslerp_flatten"]:
        return None
    return "first" if values.shared["nuslerp_row_wise"] else "last"


def whole(method: str, values: Values, shape: tuple[int, ...]) -> int:
    """The number of consecutive elements that the method reads together."""
    axis = axis_of(method, values, shape)
    if axis == "last":
        return shape[-1]
    if METHODS[method].thinning == "ranked" and len(shape) < 2:
        return math.prod(shape)
    return math.prod(shape[1:]) if axis == "first" or METHODS[method].thinning == "ranked" else 1


def check_values(method: str, values: Values) -> None:
    """Check the settings of one tensor against each other.

    Raises:
        UsageError: a `density` is negative, or plus or minus `epsilon` it is no probability.
    """
    least = min(values.per_input.get("density", ()), default=0.0)
    if least < 0:
        raise UsageError(f"merge: density is the share of the differences that {method} keeps; {least:g} is below 0")
    if METHODS[method].thinning != "ranked":
        return
    for density, epsilon in zip(values.per_input["density"], values.per_input["epsilon"], strict=True):
        if 0 < density < 1 and not (density - epsilon > 0 and density + epsilon < 1):
            raise UsageError(
                f"merge: {method} keeps elements with probabilities from density - epsilon to density + epsilon, so "
                f"both must be between 0 and 1; density is {density:g} and epsilon {epsilon:g}"
            )


def _total(weights: Coefficients, method: str) -> float:
    """The sum of the weights, which they are divided by."""
    with np.errstate(over="ignore"):
        total = float(weights.sum())
    if not math.isfinite(total):
        raise UsageError(f"merge: the sum of the weights of {method} is too large; use smaller ones")
    if abs(total) < 1e-12:
        raise UsageError(f"merge: the weights of {method} sum to zero, so they cannot be normalised")
    return total


_TASK: dict[str, Scalar | None] = {"lambda": 1.0, "normalize": False, "rescale": False, "int8_mask": False}
_DARE: dict[str, Scalar | None] = {**_TASK, "rescale": True}
_TIES: dict[str, Scalar | None] = {**_TASK, "normalize": True}
_WEIGHT: dict[str, Scalar | None] = {"weight": None}
_SPARSE: dict[str, Scalar | None] = {"weight": None, "density": 1.0}
_DELLA: dict[str, Scalar | None] = {**_SPARSE, "epsilon": 0.15}
_CRUMBS: dict[str, Scalar | None] = {**_SPARSE, "gamma": 0.01}
_EITHER: Literal["deltas if there is a base"] = "deltas if there is a base"
_MULTI: dict[str, Scalar | None] = {"normalize_weights": True, "eps": _EPS}


def _thinned(
    thinning: Thinning, shared: Mapping[str, Scalar | None], per_input: Mapping[str, Scalar | None], *,
    by_sign: bool = False,
) -> Method:  # fmt: skip
    return Method(None, "deltas", "required", 1, None, True, shared, per_input, thinning, by_sign)


METHODS: dict[str, Method] = {
    "linear": Method(linear, "weights", "ignored", 1, shared={"normalize": True}, per_input=_WEIGHT),
    "slerp": Method(slerp, "weights", "required", 2, 2, shared={"t": None}),
    "nuslerp": Method(
        nuslerp, _EITHER, "optional", 2, 2, True, per_input=_WEIGHT,
        shared={"nuslerp_flatten": True, "nuslerp_row_wise": False},
    ),
    "multislerp": Method(multislerp, _EITHER, "optional", 1, None, True, shared=_MULTI, per_input=_WEIGHT),
    "karcher": Method(karcher, "weights", "ignored", 1, shared={"max_iter": 10.0, "tol": 1e-5}),
    "task_arithmetic": Method(task_arithmetic, "deltas", "required", 1, None, True, _TASK, _SPARSE),
    "ties": _thinned("largest", _TIES, _SPARSE, by_sign=True),
    "dare_ties": _thinned("random", _DARE, _SPARSE, by_sign=True),
    "dare_linear": _thinned("random", _DARE, _SPARSE),
    "della": _thinned("ranked", {**_DARE, "normalize": True}, _DELLA, by_sign=True),
    "della_linear": _thinned("ranked", _DARE, _DELLA),
    "breadcrumbs": _thinned("middle", _TASK, _CRUMBS),
    "breadcrumbs_ties": _thinned("middle", _TASK, _CRUMBS, by_sign=True),
    "passthrough": Method(passthrough, "weights", "ignored", 1, 1, per_input={"scale": 1.0}),
    "model_stock": Method(model_stock, "deltas", "required", 2, None, True, unsupported={"filter_wise": False}),
    "sequential_slerp": Method(sequential_slerp, "weights", "ignored", 2, per_input={"weight": 1.0}),
}  # fmt: skip
