"""Half precision: which number formats a device computes in, and the parts of a network that stay in float32.

Rounding in the body of a network moves a score a little. Rounding in its last layers puts scores on a coarse grid, so
that different documents get equal scores. So heads, pooling and whatever follows are computed in float32.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from adapters.errors import UsageError, need

Dtype = Literal["float32", "float16", "bfloat16"]
"""The number format of weights, by its name in torch."""
WHOLE: Dtype = "float32"
HALVES: tuple[Dtype, ...] = ("bfloat16", "float16")


def head_identity(dtype: str) -> dict[str, object]:
    """What an identity says about the head: nothing in float32, so that earlier scores in float32 stay valid."""
    return {} if dtype == WHOLE else {"head": WHOLE}


def dtype_in(identity: Mapping[str, object]) -> str | None:
    """The number format in the identity of an adapter or of one that it is made of; None for what has none: BM25, runs,
    controls, imported values."""
    found = identity.get("dtype")
    if isinstance(found, str):
        return found
    inner = (dtype_in(value) for value in identity.values() if isinstance(value, Mapping))
    return next((one for one in inner if one is not None), None)


def refuse_impossible(dtype: str, device: str) -> None:
    """Refuse a number format that a device cannot compute in.

    Raises:
        UsageError: the device has no such operations.
    """
    if dtype == WHOLE:
        return
    try:
        _attempt(dtype, device)
    except (RuntimeError, TypeError) as error:  # NotImplementedError is a RuntimeError
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UsageError(f"dtype={dtype} cannot be used on the device {device}: {reason}; use dtype=float32") from None


def _attempt(dtype: str, device: str) -> None:
    """Make the operations of a network once, on four numbers."""
    torch = need("torch", "models", "running a model")
    one = torch.ones(2, 2, device=device, dtype=getattr(torch, dtype))
    made = torch.nn.functional.linear(torch.nn.functional.layer_norm(one, (2,)), one)
    torch.nn.functional.softmax(torch.nn.functional.gelu(made), dim=-1).sum().item()


def keep_head(network: Any) -> None:
    """Compute the head of a network in float32: every module next to its body, and the body's pooler.

    A head that shares its weights with the body, as a language model's often does, gets a copy of them.

    Args:
        network: a model of transformers with a head, in half precision. It is changed.
    """
    body = network.base_model
    for name, part in heads_of(network, body):
        shared = {id(one) for one in body.parameters()} if body is not network else set()
        own = copy.deepcopy(part) if any(id(one) in shared for one in part.parameters()) else part
        setattr(network, name, _in_float32(own))
    pooler = getattr(body, "pooler", None)
    if body is not network and hasattr(pooler, "register_forward_pre_hook"):
        _in_float32(pooler)


def heads_of(network: Any, body: Any) -> list[tuple[str, Any]]:
    """The modules next to the body; the last module with weights if the network does not name its body."""
    parts = [(name, part) for name, part in network.named_children() if part is not body]
    if body is not network:
        return parts
    return [one for one in parts if any(True for _ in one[1].parameters())][-1:]


def keep_modules(model: Any, *, pairs: bool) -> None:
    """Compute what follows the network of a sentence-transformers model in float32: pooling, projections, scaling.

    Args:
        model: a `SentenceTransformer` or a `CrossEncoder` in half precision. It is changed.
        pairs: whether its network has a head.
    """
    first, *rest = model
    routes = getattr(first, "sub_modules", None)
    for chain in [list(route) for route in routes.values()] if routes else [[first]]:
        _keep_chain(chain, pairs=pairs)
    for module in rest:
        _in_float32(module)


def _keep_chain(chain: Sequence[Any], *, pairs: bool) -> None:
    network, *rest = chain
    inner = getattr(network, "auto_model", None) or getattr(network, "model", None)
    if pairs and hasattr(inner, "base_model"):
        keep_head(inner)
    network.register_forward_hook(_widened_output)
    for module in rest:
        _in_float32(module)


def _in_float32(module: Any) -> Any:
    """The module with weights in float32, which takes inputs of any format."""
    module.float()
    for part in module.modules():
        part.register_forward_pre_hook(_widened_input, with_kwargs=True)
    return module


def _widened_input(_: Any, given: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, Any]:
    return _widened(given), _widened(named)


def _widened_output(_: Any, __: Any, found: Any) -> Any:
    return _widened(found)


def _widened(value: Any) -> Any:
    """The value with every tensor in half precision as float32."""
    if isinstance(value, Mapping):
        return {key: _widened(one) for key, one in value.items()} if type(value) is dict else value
    if type(value) in (tuple, list):
        return type(value)(map(_widened, value))
    return value.float() if hasattr(value, "is_floating_point") and value.is_floating_point() else value
