"""The values of a spec's options, with the types of the arguments that they become."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Mapping
from typing import Literal

from adapters.errors import UsageError, did_you_mean


def typed_options(spec: str, options: Mapping[str, str], factory: Callable[..., object]) -> dict[str, object]:
    """The options of a spec as the keyword arguments that a class or function takes.

    Args:
        spec: the spec as it was written, for messages.

    Raises:
        UsageError: an option is unknown, or its value is not of the type that the argument has.
    """
    signature = inspect.signature(factory)
    hints = typing.get_type_hints(factory.__init__ if inspect.isclass(factory) else factory)
    known = [p.name for p in signature.parameters.values() if p.kind is p.KEYWORD_ONLY and p.name != "revision"]
    typed: dict[str, object] = {}
    for name, value in options.items():
        if name not in known:
            raise UsageError(f"'{spec}': unknown option '{name}'.{did_you_mean(name, known)}")
        typed[name] = _value(spec, name, value, hints.get(name, str))
    return typed


def _value(spec: str, name: str, value: str, hint: object) -> object:
    choices = typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,)
    if type(None) in choices and value == "none":
        return None
    literals = [choice for choice in choices if typing.get_origin(choice) is Literal]
    if literals:
        allowed: dict[str, object] = {str(a): a for choice in literals for a in typing.get_args(choice)}
        if value not in allowed:
            raise UsageError(f"'{spec}': {name}={value} is not possible.{did_you_mean(value, allowed)}")
        return allowed[value]
    for kind in choices:
        if kind is bool and value in ("true", "false"):
            return value == "true"
        if kind in (int, float):
            try:
                return kind(value)
            except ValueError:
                continue
        if kind is str:
            return value
    wanted = " or ".join(getattr(choice, "__name__", str(choice)) for choice in choices if choice is not type(None))
    raise UsageError(f"'{spec}': {name}={value} is not {wanted}; write such a value after ?{name}=")
