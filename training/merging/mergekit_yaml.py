"""Read mergekit's YAML as a recipe. Features of mergekit that are not supported are refused by name."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from adapters import typed_file
from adapters.errors import UsageError, did_you_mean
from adapters.paths import is_folder, user_path
from adapters.typed_values import Place, typed
from adapters.typed_words import Then
from training.merging.leftover import without_leftovers
from training.merging.methods import METHODS, Scalar
from training.merging.recipe import Filtered, Input, Plain, Recipe, Setting, Settings, check

_UNSUPPORTED = "is not supported here"
DTYPES = {"bfloat16": "BF16", "float16": "F16", "float32": "F32"}


def read_yaml(file: Path) -> Recipe:
    """Read the recipe in a file. A relative path of a model is relative to the file if such a folder exists.

    Raises:
        UsageError: the file is not YAML, or has something that is not supported. The message names the file and the
            key.
    """
    content = typed_file.read_yaml(file, dict)
    try:
        return _read(content, Place(str(file), table="mapping"), file.parent)
    except UsageError as error:
        raise UsageError(f"{file}: {error}") from None


def from_mapping(content: object, folder: Path = Path()) -> Recipe:
    """The recipe in parsed YAML. Keys that mergekit ignores are left out, with a remark.

    Raises:
        UsageError: the content has something that is not supported. The message names the key.
    """
    return _read(content, Place("the recipe", table="mapping"), folder)


def _read(content: object, at: Place, folder: Path) -> Recipe:
    cleaned, remarks = without_leftovers(content)
    return replace(_recipe(typed(_Written, cleaned, at), folder), remarks=remarks)


def from_options(
    method: str,
    models: Sequence[str],
    *,
    base: str | None = None,
    t: float | None = None,
    weights: Sequence[float] = (),
    dtype: str | None = None,
) -> Recipe:
    """The recipe from options of the command line. Without weights all checkpoints have the same. The default base of
    slerp is the first one.

    Raises:
        UsageError: the method is unknown, or does not accept an option.
    """
    if method not in METHODS:
        raise UsageError(f"the merge method '{method}' is not supported.{did_you_mean(method, METHODS)}")
    if weights and len(weights) != len(models):
        raise UsageError(f"{len(models)} models and {len(weights)} weights; give one for each --model, in their order")
    if method == "slerp" and base is None and models:
        base = models[0]
    weighted = "weight" in METHODS[method].per_input
    if weights and not weighted:
        raise UsageError(f"{method} takes no --weight")
    given: list[float | None] = list(weights) or [1.0 if weighted else None] * len(models)
    inputs = tuple(Input(m, {} if w is None else {"weight": w}) for m, w in zip(models, given, strict=True))
    if base is not None and base not in models:
        inputs = (*inputs, Input(base))
    settings: tuple[Settings, ...] = () if t is None else ({"t": t},)
    return check(Recipe(method, base_first(method, inputs, base), base, settings, dtype))


def base_first(method: str, inputs: tuple[Input, ...], base: str | None) -> tuple[Input, ...]:
    """Order the inputs of slerp, which goes from the base to the other."""
    return tuple(sorted(inputs, key=lambda one: one.model != base)) if method == "slerp" else inputs


def _method(name: str) -> str:
    if name not in METHODS:
        raise ValueError(f"'{name}' is not supported.{did_you_mean(name, METHODS)}")
    return name


def _model_name(value: object) -> str:
    if isinstance(value, Mapping):
        raise ValueError(f"{dict(value)} is not supported in this form; write the model's path or hub name")
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{value!r} is not a path or a hub name of a model")
    return value


def _dtype(written: str) -> str:
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
    return Filtered(_plain(name, entry["value"]), None if where is None else str(where))


def _plain(name: str, value: object) -> Plain:
    if isinstance(value, list):
        if not value:
            raise ValueError(f"'{name}' is an empty list")
        return tuple(_scalar(name, one) for one in value)
    return _scalar(name, value)


def _scalar(name: str, value: object) -> Scalar:
    """A number. YAML reads `1e-3` as a text, so texts that are numbers are accepted."""
    if isinstance(value, bool):
        return value
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"'{name}' has the value {value!r}, which is not a number")
    return number


_Name = Annotated[str, Then(_model_name, written=object)]
_Dtype = Annotated[str, Then(_dtype)]
_Parameters = Annotated[Settings, Then(_settings, written=Mapping[str, object] | None)]


@dataclass(frozen=True)
class _Model:
    """A checkpoint in a recipe."""

    unknown_key: ClassVar[str] = _UNSUPPORTED
    model: _Name
    parameters: _Parameters | None = None


@dataclass(frozen=True)
class _Source(_Model):
    """A checkpoint in a slice."""

    layer_range: tuple[int, int] | None = None


@dataclass(frozen=True)
class _Slice:
    """Layers of checkpoints."""

    unknown_key: ClassVar[str] = _UNSUPPORTED
    sources: Annotated[tuple[_Source, ...], Meta(min_length=1)]
    parameters: _Parameters | None = None


@dataclass(frozen=True)
class _Written:
    """The keys of a recipe that are supported."""

    unknown_key: ClassVar[str] = _UNSUPPORTED
    merge_method: Annotated[str, Then(_method)]
    models: Annotated[tuple[_Model, ...], Meta(min_length=1)] | None = None
    slices: Annotated[tuple[_Slice, ...], Meta(min_length=1)] | None = None
    base_model: _Name | None = None
    dtype: _Dtype | None = None
    out_dtype: _Dtype | None = None
    parameters: _Parameters | None = None
    tokenizer_source: str | None = None
    seed: int = 0

    def problem(self) -> str | None:
        """Why the values contradict each other; None if they do not."""
        return "give either 'models' or 'slices'" if (self.models is None) == (self.slices is None) else None


def _recipe(written: _Written, folder: Path) -> Recipe:
    base = None if written.base_model is None else _found(written.base_model, folder)
    inputs = _inputs(written, base, folder)
    _check_tokenizer(written.tokenizer_source, base or inputs[0].model, folder)
    only = written.slices[0].parameters if written.slices else None
    settings = tuple(scope for scope in (only, written.parameters) if scope)
    dtype = written.out_dtype or written.dtype
    method = written.merge_method
    return check(Recipe(method, base_first(method, inputs, base), base, settings, dtype, written.seed))


def _inputs(written: _Written, base: str | None, folder: Path) -> tuple[Input, ...]:
    if written.slices:
        return tuple(_input(one, folder) for one in _only_slice(written.slices, folder).sources)
    inputs = tuple(_input(one, folder) for one in written.models or ())
    named = {one.model for one in inputs}
    return (*inputs, *([Input(base)] if base is not None and base not in named else []))


def _only_slice(slices: Sequence[_Slice], folder: Path) -> _Slice:
    """The only slice. Older recipes name models in one slice over all layers; several slices would build another
    architecture."""
    if len(slices) != 1:
        raise UsageError(f"{len(slices)} 'slices' are not supported; use one over all layers")
    _check_layers(slices[0].sources, folder)
    return slices[0]


def _check_layers(sources: Sequence[_Source], folder: Path) -> None:
    from training.merging.checkpoint import open_checkpoint

    for source in sources:
        name = _found(source.model, folder)
        config = open_checkpoint(name).folder.config
        layers = config.get("num_hidden_layers") or config.get("num_layers")
        layer_range = list(source.layer_range or ())
        if layer_range != [0, layers]:
            raise UsageError(
                f"layer_range {layer_range} of {name} is not supported; only all its layers, [0, {layers}]"
            )


def _input(one: _Model, folder: Path) -> Input:
    return Input(_found(one.model, folder), one.parameters or {})


def _found(value: str, folder: Path) -> str:
    near = folder / value
    path = str(near) if is_folder(near) and not Path(value).is_absolute() else value
    if "+" in value and not user_path(path).is_dir():
        raise UsageError(f"'{value}' names a LoRA adapter on a model; run peft's merge_and_unload and save it first")
    return path


def _check_tokenizer(source: str | None, home: str, folder: Path) -> None:
    if source in {None, "base"} or (source is not None and source != "union" and _found(source, folder) == home):
        return
    raise UsageError(
        f"tokenizer_source '{source}' is not supported; tokenizers must be equal, and the base's is kept; remove it"
    )
