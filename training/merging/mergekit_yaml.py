"""Read mergekit's YAML as a recipe. Features of mergekit that are not supported are refused by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, ClassVar

from msgspec import Meta

from adapters import typed_file
from adapters.errors import UsageError, did_you_mean
from adapters.paths import is_folder, user_path
from adapters.typed_values import Place, Positive, typed
from adapters.typed_words import Then
from training.merging import chat_template
from training.merging.leftover import without_leftovers
from training.merging.methods import METHODS
from training.merging.recipe import (
    Input,
    LayerSlice,
    Recipe,
    Settings,
    SliceSource,
    TokenSource,
    base_first,
    check,
)
from training.merging.yaml_values import Dtype, ModelName, Parameters, TokenRow, method_name

_UNSUPPORTED = "is not supported here"


def read_yaml(file: Path) -> Recipe:
    """Read the recipe in a file. A relative path of a model is relative to the file if such a folder exists.

    Raises:
        UsageError: the file is not YAML, or has something that is not supported. The message names the file and the
            key.
    """
    content = typed_file.read_yaml(file, dict)
    written, remarks = _written(content, Place(str(file), table="mapping"))
    try:
        return replace(_recipe(written, file.parent), remarks=remarks)
    except UsageError as error:
        raise UsageError(f"{file}: {error}") from None


def from_mapping(content: object, folder: Path = Path()) -> Recipe:
    """The recipe in parsed YAML. Keys that mergekit ignores are left out, with a remark.

    Raises:
        UsageError: the content has something that is not supported. The message names the key.
    """
    written, remarks = _written(content, Place("the recipe", table="mapping"))
    return replace(_recipe(written, folder), remarks=remarks)


def _written(content: object, at: Place) -> tuple[_Written, tuple[str, ...]]:
    """The supported keys, and remarks on those that mergekit ignores."""
    cleaned, remarks = without_leftovers(content)
    return typed(_Written, cleaned, at), remarks


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


@dataclass(frozen=True)
class _Model:
    """A checkpoint in a recipe."""

    unknown_key: ClassVar[str] = _UNSUPPORTED
    model: ModelName
    parameters: Parameters | None = None


@dataclass(frozen=True)
class _Source:
    """Layers of a checkpoint in a slice."""

    unknown_key: ClassVar[str] = _UNSUPPORTED
    model: ModelName
    layer_range: tuple[int, int]
    parameters: Parameters | None = None


@dataclass(frozen=True)
class _Slice:
    """Layers of checkpoints."""

    unknown_key: ClassVar[str] = _UNSUPPORTED
    sources: Annotated[tuple[_Source, ...], Meta(min_length=1)]
    base_model: ModelName | None = None
    parameters: Parameters | None = None


@dataclass(frozen=True)
class _Module:
    """The models or slices of a part of the network; text models have the part `default` only."""

    unknown_key: ClassVar[str] = _UNSUPPORTED
    models: Annotated[tuple[_Model, ...], Meta(min_length=1)] | None = None
    slices: Annotated[tuple[_Slice, ...], Meta(min_length=1)] | None = None
    parameters: Parameters | None = None

    def problem(self) -> str | None:
        """Why the values contradict each other; None if they do not."""
        return "give either 'models' or 'slices'" if (self.models is None) == (self.slices is None) else None


@dataclass(frozen=True)
class _Token:
    """The row of a token."""

    unknown_key: ClassVar[str] = _UNSUPPORTED
    source: TokenRow = field(default_factory=dict)
    force: bool = False


@dataclass(frozen=True)
class _Tokenizer:
    """The keys of `tokenizer` that are supported."""

    unknown_key: ClassVar[str] = _UNSUPPORTED
    source: ModelName = "union"
    tokens: Mapping[str, _Token] | None = None
    pad_to_multiple_of: Positive | None = None


def _single_module(modules: Mapping[str, _Module]) -> Mapping[str, _Module]:
    if list(modules) != ["default"]:
        named = ", ".join(map(str, modules)) or "none"
        raise ValueError(f"{_UNSUPPORTED}, except for a single module 'default'; the recipe has {named}")
    return modules


@dataclass(frozen=True)
class _Written:
    """The keys of a recipe that are supported."""

    unknown_key: ClassVar[str] = _UNSUPPORTED
    merge_method: Annotated[str, Then(method_name)]
    models: Annotated[tuple[_Model, ...], Meta(min_length=1)] | None = None
    slices: Annotated[tuple[_Slice, ...], Meta(min_length=1)] | None = None
    base_model: ModelName | None = None
    dtype: Dtype | None = None
    out_dtype: Dtype | None = None
    modules: Annotated[Mapping[str, _Module], Then(_single_module)] | None = None
    parameters: Parameters | None = None
    tokenizer_source: ModelName | None = None
    tokenizer: _Tokenizer | None = None
    chat_template: str | None = None
    seed: int = 0

    def problem(self) -> str | None:
        """Why the values contradict each other; None if they do not."""
        if self.tokenizer is not None and self.tokenizer_source is not None:
            return "give either 'tokenizer_source' or 'tokenizer'"
        given = [one for one in (self.models, self.slices, self.modules) if one is not None]
        return None if len(given) == 1 else "give either 'models' or 'slices'"

    @property
    def content(self) -> _Written | _Module:
        """What has the models or slices: the recipe, or its only module."""
        return self if self.modules is None else self.modules["default"]


def _recipe(written: _Written, folder: Path) -> Recipe:
    base = None if written.base_model is None else _found(written.base_model, folder)
    content = written.content
    scopes = (written.parameters,) if content is written else (content.parameters, written.parameters)
    settings = tuple(one for one in scopes if one)
    recipe = Recipe(
        written.merge_method, (), base, settings, written.out_dtype or written.dtype, written.seed,
    )  # fmt: skip
    recipe = _with_slices(recipe, content.slices, folder) if content.slices else _with_models(recipe, content, folder)
    _check_tokenizer(written, recipe, folder)
    return replace(
        recipe, by_token=written.tokenizer is not None or written.tokenizer_source is not None,
        tokens=_tokens(written.tokenizer, recipe, folder),
        pad_to=written.tokenizer.pad_to_multiple_of if written.tokenizer else None,
        chat_template=chat_template.written(written.chat_template) if written.chat_template else None,
    )  # fmt: skip


def _tokens(written: _Tokenizer | None, recipe: Recipe, folder: Path) -> tuple[TokenSource, ...]:
    """The rows that the recipe names. Their models have to be among those that are merged."""
    found = []
    for token, one in ((written and written.tokens) or {}).items():
        source = dict(one.source)
        if "model" in source:
            source["model"] = _found(str(source["model"]), folder)
            if source["model"] not in {each.model for each in recipe.inputs}:
                raise UsageError(
                    f"tokenizer: tokens: {token!r} has its row from '{source['model']}', which is not merged here; "
                    "name a model of the recipe"
                )
        found.append(TokenSource(token, one.force, **source))  # type: ignore[arg-type]
    return tuple(found)


def _with_models(recipe: Recipe, written: _Written | _Module, folder: Path) -> Recipe:
    inputs = _inputs(written, recipe.base, folder)
    return check(replace(recipe, inputs=base_first(recipe.method, inputs, recipe.base)))


def _with_slices(recipe: Recipe, slices: Sequence[_Slice], folder: Path) -> Recipe:
    """Older recipes name models in one slice over all layers, which is the same as `models`."""
    read = tuple(_slice(one, folder) for one in slices)
    if len(read) == 1 and read[0].base is None and all(_all_layers(one) for one in read[0].sources):
        recipe = replace(recipe, settings=(*([read[0].settings] if read[0].settings else []), *recipe.settings))
        return check(replace(recipe, inputs=base_first(recipe.method, read[0].inputs, recipe.base)))
    models = dict.fromkeys(source.model for one in read for source in one.sources)
    bases = dict.fromkeys(one.base for one in read if one.base is not None)
    stacked = replace(recipe, slices=read, inputs=tuple(Input(name) for name in {**models, **bases}))
    for part in (stacked.before, *(stacked.part(one) for one in read), stacked.after):
        check(part)
    return stacked


def _slice(written: _Slice, folder: Path) -> LayerSlice:
    sources = tuple(_source(one, folder) for one in written.sources)
    if len(lengths := {source.last - source.first for source in sources}) > 1:
        raise UsageError(f"the sources of a slice have {sorted(lengths)} layers; give all the same number")
    base = None if written.base_model is None else _found(written.base_model, folder)
    return LayerSlice(sources, base, written.parameters or {})


def _source(written: _Source, folder: Path) -> SliceSource:
    first, last = written.layer_range
    name = _found(written.model, folder)
    layers = _layers(name)
    if not 0 <= first < last <= layers:
        raise UsageError(f"layer_range {[first, last]} of {name}: it has the layers [0, {layers}]; name some of these")
    return SliceSource(name, first, last, written.parameters or {})


def _all_layers(source: SliceSource) -> bool:
    return (source.first, source.last) == (0, _layers(source.model))


def _layers(name: str) -> int:
    from training.merging.checkpoint import open_checkpoint
    from training.merging.layers import count_of

    return count_of(open_checkpoint(name))


def _inputs(written: _Written | _Module, base: str | None, folder: Path) -> tuple[Input, ...]:
    inputs = tuple(_input(one, folder) for one in written.models or ())
    named = {one.model for one in inputs}
    return (*inputs, *([Input(base)] if base is not None and base not in named else []))


def _input(one: _Model, folder: Path) -> Input:
    return Input(_found(one.model, folder), one.parameters or {})


def _found(value: str, folder: Path) -> str:
    near = folder / value
    path = str(near) if is_folder(near) and not Path(value).is_absolute() else value
    if "+" in value and not user_path(path).is_dir():
        raise UsageError(f"'{value}' names a LoRA adapter on a model; run peft's merge_and_unload and save it first")
    return path


def _check_tokenizer(written: _Written, recipe: Recipe, folder: Path) -> None:
    """All tokenizers must be equal, so the union of them is the base's, and so is that of each model."""
    key, source = "tokenizer_source", written.tokenizer_source
    if written.tokenizer is not None:
        key, source = "tokenizer: source", written.tokenizer.source
    models = {one.model for one in recipe.inputs} | {recipe.home}
    if source not in {None, "base", "union"} and _found(str(source), folder) not in models:
        raise UsageError(f"{key} '{source}' is not supported; name base, union or a model of the recipe")
