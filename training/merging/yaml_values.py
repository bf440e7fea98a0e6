"""The values of a recipe in mergekit's YAML: names of models, methods and formats, and settings with filters and
gradients."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any

from adapters.errors import did_you_mean
from adapters.typed_words import Then
from training.merging.methods import METHODS, Scalar
from training.merging.recipe import DTYPES, Filtered, Plain, Setting, Settings

_FLAGS = {
    name
    for method in METHODS.values()
    for name, default in {**method.shared, **method.unsupported}.items()
    if isinstance(default, bool)
}
"""The parameters that are true or false."""


def method_name(name: str) -> str:
    if name not in METHODS:
        raise ValueError(f"'{name}' is not supported.{did_you_mean(name, METHODS)}")
    return name


def _model_name(value: object) -> str:
    """A path or hub name, also from mergekit's long form: `model: {model: {path, revision}}`."""
    if isinstance(value, Mapping):
        return _long_name(value)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{value!r} is not a path or a hub name of a model")
    return value


def _long_name(value: Mapping[object, object]) -> str:
    inner = value.get("model")
    for key, reason in (
        ("lora", "merge_and_unload it and save the model first"),
        ("override_architecture", "leave it out"),
    ):
        if value.get(key) is not None:
            raise ValueError(f"'{key}' of a model is not supported; {reason}")
    path = inner if isinstance(inner, Mapping) else {"path": inner}
    known = set(value) <= {"model", "lora", "override_architecture"} and set(path) <= {"path", "revision"}
    if not known or not isinstance(path.get("path"), str):
        raise ValueError(f"{dict(value)} is not a model; write its path or hub name, or {{model: {{path, revision}}}}")
    name, revision = str(path["path"]), path.get("revision")
    return name if revision is None else f"{name}@{revision}"


def dtype_name(written: str) -> str:
    name = written.removeprefix("torch.")
    if name not in DTYPES:
        raise ValueError(f"'{written}' is not supported.{did_you_mean(name, DTYPES)}")
    return name


def _settings(parameters: Mapping[str, object] | None) -> Settings:
    return {name: _setting(name, value) for name, value in (parameters or {}).items()}


def _setting(name: str, value: object) -> Setting:
    if isinstance(value, Mapping):
        value = [value]
    if isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
        return tuple(_filtered(name, one) for one in value)
    return _plain(name, value)


def _filtered(name: str, entry: Mapping[str, Any]) -> Filtered:
    if set(entry) - {"value", "filter"} or "value" not in entry:
        raise ValueError(f"an entry of '{name}' has 'value' and 'filter', nothing else")
    where = entry.get("filter")
    if isinstance(where, list | Mapping):
        raise ValueError(f"a filter of '{name}' is not a text; write an entry with 'filter' and 'value' for each text")
    return Filtered(_plain(name, entry["value"]), None if where is None else str(where))


def _plain(name: str, value: object) -> Plain:
    if isinstance(value, list):
        if not value:
            raise ValueError(f"'{name}' is an empty list")
        return tuple(_scalar(name, one) for one in value)
    return _scalar(name, value)


def _scalar(name: str, value: object) -> Scalar:
    """A number, or true or false, which published recipes also write as 1.0 or 0.0. YAML reads `1e-3` as a text, so
    texts that are numbers are accepted."""
    if isinstance(value, bool):
        return value
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"'{name}' has the value {value!r}, which is not a number")
    return bool(number) if name in _FLAGS and value in (0, 1) else number


def _token_source(value: object) -> Mapping[str, object]:
    """The source of a token: nothing, a model, or a mapping with a kind."""
    if value is None:
        return {}
    if not isinstance(value, Mapping) or "kind" not in value:
        return {"model": _model_name(value)}
    kind, rest = value["kind"], {key: one for key, one in value.items() if key != "kind"}
    if kind == "zero" and not rest:
        return {"zero": True}
    ways = [key for key in ("token", "token_id") if rest.get(key) is not None]
    if kind != "model_token" or set(rest) - {"model", "token", "token_id"} or "model" not in rest or len(ways) != 1:
        raise ValueError(
            f"{dict(value)} is not a source; write a model, {{kind: zero}}, or {{kind: model_token, model, token}} "
            "with token or token_id"
        )
    other = rest[ways[0]]
    if not isinstance(other, str if ways[0] == "token" else int) or isinstance(other, bool):
        raise ValueError(f"'{ways[0]}' has the value {other!r}; write a {'text' if ways[0] == 'token' else 'number'}")
    return {"model": _model_name(rest["model"]), "other": other}


ModelName = Annotated[str, Then(_model_name, written=object)]
Dtype = Annotated[str, Then(dtype_name)]
Parameters = Annotated[Settings, Then(_settings, written=Mapping[str, object] | None)]
TokenRow = Annotated[Mapping[str, object], Then(_token_source, written=object)]
"""A source of a token as fields of `training.merging.recipe.TokenSource`."""
