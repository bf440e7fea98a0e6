"""mergekit's YAML as a recipe. What mergekit would do and we cannot is refused by its name, never ignored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from adapters.errors import UsageError, did_you_mean, need
from training.merging.leftover import without_leftovers
from training.merging.methods import METHODS, Scalar
from training.merging.recipe import Filtered, Input, Plain, Recipe, Setting, Settings, check

_TOP = {
    "merge_method", "models", "slices", "base_model", "dtype", "out_dtype", "parameters", "tokenizer_source", "seed",
}  # fmt: skip
DTYPES = {"bfloat16": "BF16", "float16": "F16", "float32": "F32"}


def read_yaml(file: Path) -> Recipe:
    """The recipe in a file; model paths that are relative are so to the file where such a folder is there.

    Raises:
        UsageError: not YAML, or it asks for what is not supported. The message names the key.
    """
    yaml = need("yaml", "train", "reading a merge recipe")
    try:
        content = yaml.safe_load(file.read_text("utf-8"))
    except FileNotFoundError:
        raise UsageError(f"{file}: there is no such recipe") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{file}: not YAML ({' '.join(str(error).split())})") from None
    try:
        return from_mapping(content, file.parent)
    except UsageError as error:
        raise UsageError(f"{file}: {error}") from None


def from_mapping(content: object, folder: Path = Path()) -> Recipe:
    """The recipe that parsed YAML says. What mergekit ignores is left out, with a remark."""
    cleaned, remarks = without_leftovers(content)
    recipe = _mapping(cleaned, "a merge recipe")
    for key in recipe:
        if key not in _TOP:
            raise UsageError(f"'{key}' is not supported here.{did_you_mean(str(key), _TOP)}")
    method = str(recipe.get("merge_method"))
    if method not in METHODS:
        raise UsageError(f"the merge_method '{method}' is not supported.{did_you_mean(method, METHODS)}")
    base = _model(recipe["base_model"], folder) if recipe.get("base_model") is not None else None
    inputs, slice_settings = _inputs(recipe, base, folder)
    _check_tokenizer(recipe.get("tokenizer_source"), base or inputs[0].model, folder)
    settings = tuple(scope for scope in (slice_settings, _settings(recipe.get("parameters"))) if scope)
    seed = recipe.get("seed", 0)
    if not isinstance(seed, int):
        raise UsageError("'seed' has to be a whole number")
    return check(Recipe(method, base_first(method, inputs, base), base, settings, _dtype(recipe), seed, remarks))


def from_options(
    method: str,
    models: Sequence[str],
    *,
    base: str | None = None,
    t: float | None = None,
    weights: Sequence[float] = (),
    dtype: str | None = None,
) -> Recipe:
    """The recipe of a short command. Without weights every checkpoint has the same; slerp's base is the first one.

    Raises:
        UsageError: the method is not known, or does not take what is given.
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
    """slerp goes from the base to the other, whichever is named first."""
    return tuple(sorted(inputs, key=lambda one: one.model != base)) if method == "slerp" else inputs


def _inputs(recipe: Mapping[str, Any], base: str | None, folder: Path) -> tuple[tuple[Input, ...], Settings]:
    if ("models" in recipe) == ("slices" in recipe):
        raise UsageError("give either 'models' or 'slices'")
    if "models" in recipe:
        inputs = tuple(_input(one, folder, {"model", "parameters"}) for one in _sequence(recipe["models"], "models"))
        named = {one.model for one in inputs}
        return (*inputs, *([Input(base)] if base is not None and base not in named else [])), {}
    return _sliced(_sequence(recipe["slices"], "slices"), folder)


def _sliced(slices: list[Any], folder: Path) -> tuple[tuple[Input, ...], Settings]:
    """One slice over all layers is how older recipes name models; several would build another architecture."""
    if len(slices) != 1:
        raise UsageError(f"{len(slices)} 'slices' are not supported; one over all layers is")
    only = _mapping(slices[0], "a slice")
    for key in only:
        if key not in {"sources", "parameters"}:
            raise UsageError(f"'{key}' of a slice is not supported")
    sources = _sequence(only.get("sources"), "sources")
    _check_layers([_mapping(one, "a source") for one in sources], folder)
    allowed = {"model", "parameters", "layer_range"}
    return tuple(_input(one, folder, allowed) for one in sources), _settings(only.get("parameters"))


def _check_layers(sources: list[Mapping[str, Any]], folder: Path) -> None:
    from training.merging.checkpoint import open_checkpoint

    for source in sources:
        name = _model(source.get("model"), folder)
        config = open_checkpoint(name).folder.config
        layers = config.get("num_hidden_layers") or config.get("num_layers")
        if list(source.get("layer_range") or []) != [0, layers]:
            asked = source.get("layer_range")
            raise UsageError(f"layer_range {asked} of {name} is not supported; only all its layers, [0, {layers}]")


def _input(one: object, folder: Path, allowed: set[str]) -> Input:
    entry = _mapping(one, "a model")
    for key in entry:
        if key not in allowed:
            raise UsageError(f"'{key}' of a model is not supported")
    return Input(_model(entry.get("model"), folder), _settings(entry.get("parameters")))


def _model(value: object, folder: Path) -> str:
    if isinstance(value, Mapping):
        raise UsageError(f"the model {dict(value)} is not supported in this form; write its path or hub name")
    if not isinstance(value, str) or not value:
        raise UsageError("a model has no path and no hub name; write 'model: PATH'")
    beside = folder / value
    found = str(beside) if beside.is_dir() and not Path(value).is_absolute() else value
    if "+" in value and not Path(found).expanduser().is_dir():
        raise UsageError(f"'{value}' asks for a LoRA adapter on a model; run peft's merge_and_unload and save it first")
    return found


def _check_tokenizer(source: object, home: str, folder: Path) -> None:
    if source in {None, "base"} or (isinstance(source, str) and source != "union" and _model(source, folder) == home):
        return
    raise UsageError(
        f"tokenizer_source '{source}' is not supported; tokenizers have to be equal and the base's is kept: remove it"
    )


def _dtype(recipe: Mapping[str, Any]) -> str | None:
    asked = recipe.get("out_dtype") or recipe.get("dtype")
    if asked is None:
        return None
    name = str(asked).removeprefix("torch.")
    if name not in DTYPES:
        raise UsageError(f"the dtype '{asked}' is not supported.{did_you_mean(name, DTYPES)}")
    return name


def _settings(parameters: object) -> Settings:
    if parameters is None:
        return {}
    return {str(name): _setting(str(name), value) for name, value in _mapping(parameters, "'parameters'").items()}


def _setting(name: str, value: object) -> Setting:
    if isinstance(value, Mapping):
        value = [value]
    if isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
        return tuple(_filtered(name, one) for one in value)
    return _plain(name, value)


def _filtered(name: str, entry: Mapping[str, Any]) -> Filtered:
    if set(entry) - {"value", "filter"} or "value" not in entry:
        raise UsageError(f"an entry of '{name}' has 'value' and 'filter', nothing else")
    where = entry.get("filter")
    return Filtered(_plain(name, entry["value"]), None if where is None else str(where))


def _plain(name: str, value: object) -> Plain:
    if isinstance(value, list):
        if not value:
            raise UsageError(f"the parameter '{name}' is an empty list")
        return tuple(_scalar(name, one) for one in value)
    return _scalar(name, value)


def _scalar(name: str, value: object) -> Scalar:
    if isinstance(value, bool):
        return value
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise UsageError(f"the parameter '{name}' has the value {value!r}, which is no number") from None


def _mapping(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise UsageError(f"{what} has to be keys with values")
    return value


def _sequence(value: object, what: str) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise UsageError(f"'{what}' has to be a list with at least one entry")
    return value
