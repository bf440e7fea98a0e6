"""The recipe of a merge, and its settings for one tensor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from adapters.errors import UsageError
from training.merging.methods import METHODS, Method, Scalar

DTYPES = {"bfloat16": "BF16", "float16": "F16", "float32": "F32"}
"""The formats of the output, and their names in safetensors."""
Plain = Scalar | tuple[Scalar, ...]
"""One value, or a gradient over the layers from the first to the last."""


@dataclass(frozen=True)
class Filtered:
    """A value for the tensors whose name contains `filter`; None and '*' match all."""

    value: Plain
    filter: str | None = None

    def fits(self, tensor: str) -> bool:
        return self.filter in {None, "*"} or str(self.filter) in tensor


Setting = Plain | tuple[Filtered, ...]
Settings = Mapping[str, Setting]


@dataclass(frozen=True)
class Input:
    """A checkpoint to merge, with its own settings."""

    model: str
    settings: Settings = field(default_factory=dict)


@dataclass(frozen=True)
class SliceSource:
    """Layers of a checkpoint: from `first` up to, but not including, `last`."""

    model: str
    first: int
    last: int
    settings: Settings = field(default_factory=dict)


@dataclass(frozen=True)
class LayerSlice:
    """Consecutive layers of the output, merged from the same number of layers of each source."""

    sources: tuple[SliceSource, ...]
    base: str | None = None
    """Default: the recipe's base."""
    settings: Settings = field(default_factory=dict)

    @property
    def inputs(self) -> tuple[Input, ...]:
        return tuple(Input(one.model, one.settings) for one in self.sources)

    def __len__(self) -> int:
        return self.sources[0].last - self.sources[0].first


@dataclass(frozen=True)
class TokenSource:
    """Where the row of a token in the embedding comes from."""

    token: str
    force: bool = False
    """Whether the row takes the place of the models' own rows. Without it, only a token that no model has gets it."""
    zero: bool = False
    """A row of zeros."""
    model: str | None = None
    """The model whose row it is."""
    other: str | int | None = None
    """Another token of this model, or its id; None for the same token."""

    def check(self, known: bool) -> None:
        """Refuse a source that gives no row.

        Args:
            known: whether the models have the token.

        Raises:
            UsageError: there is no source, or it is a token that no model has.
        """
        if not self.zero and self.model is None:
            raise UsageError(f"tokenizer: tokens: {self.token!r} needs a source: a model, a model_token, or zero")
        if not known and self.model is not None and self.other is None:
            raise UsageError(
                f"tokenizer: tokens: no model has the token {self.token!r}; give the row of another token as source "
                "(kind: model_token), or zero"
            )


@dataclass(frozen=True)
class Recipe:
    """A merge. Settings are looked up in this order: those of the input, each of `settings`, the method's default."""

    method: str
    inputs: tuple[Input, ...]
    """In the order in which the method reads them. Includes the base if the method uses it."""
    base: str | None = None
    settings: tuple[Settings, ...] = ()
    dtype: str | None = None
    """The dtype of the output: bfloat16, float16 or float32; None for the dtypes of the base's tensors."""
    seed: int = 0
    """The seed of DARE's random masks."""
    remarks: tuple[str, ...] = ()
    """Remarks on keys of the file that are not read. They are for the report and not part of the merge's id."""
    by_token: bool = False
    """Whether the embedding gets one row per token, as mergekit does if a recipe has a tokenizer section."""
    tokens: tuple[TokenSource, ...] = ()
    """Rows of the embedding that are not those of the models."""
    pad_to: int | None = None
    """The number of rows of the embedding becomes a multiple of this; None for one row per token."""
    chat_template: str | None = None
    """The chat template of the output, or auto; None for that of the base."""
    slices: tuple[LayerSlice, ...] = ()
    """The layers of the output, if they are not those of the inputs one by one. `inputs` then names all models."""

    @property
    def rule(self) -> Method:
        return METHODS[self.method]

    @property
    def home(self) -> str:
        """The checkpoint whose configuration, tokenizer and file layout the output gets."""
        return self.base or self.inputs[0].model

    def part(self, one: LayerSlice) -> Recipe:
        """The recipe of a slice's layers."""
        base = one.base or self.base
        settings = (*([one.settings] if one.settings else []), *self.settings)
        inputs = base_first(self.method, one.inputs, base)
        return replace(self, inputs=inputs, base=base, settings=settings, slices=())

    @property
    def before(self) -> Recipe:
        """The recipe of the tensors before the layers, such as the embeddings: the models of the first slice."""
        return self.part(self.slices[0])

    @property
    def after(self) -> Recipe:
        """The recipe of the tensors after the layers: the models of the last slice. As in mergekit, these are not more
        than the first slice has."""
        last = self.slices[-1]
        return self.part(replace(last, sources=last.sources[: len(self.slices[0].sources)]))

    def shared(self, name: str, tensor: str, depth: float) -> Scalar:
        """A setting of the method for a tensor; `depth` is that of its layer, 0 (first) to 1 (last)."""
        return self._resolved(name, self.settings, tensor, depth, self.rule.shared[name])

    def of_input(self, index: int, name: str, tensor: str, depth: float) -> float:
        """A setting of one input for a tensor."""
        scopes = (self.inputs[index].settings, *self.settings)
        return float(self._resolved(name, scopes, tensor, depth, self.rule.per_input[name]))

    def _resolved(
        self, name: str, scopes: Iterable[Settings], tensor: str, depth: float, default: Scalar | None
    ) -> Scalar:
        for settings in scopes:
            value = _evaluate(settings[name], tensor, depth) if name in settings else None
            if value is not None:
                return value
        if default is None:
            raise UsageError(
                f"merge: {self.method} needs '{name}'; set it (--{name}, or in parameters); {tensor} has none"
            )
        return default


def _evaluate(setting: Setting, tensor: str, depth: float) -> Scalar | None:
    """The value of a setting for a tensor: the first filter that fits, gradients interpolated, as in mergekit 0.1.5."""
    if not isinstance(setting, tuple):
        return setting
    if not setting:
        return None
    if isinstance(setting[0], Filtered):
        fitting = (one.value for one in setting if isinstance(one, Filtered) and one.fits(tensor))
        value = next(fitting, None)
        return None if value is None else _evaluate(value, tensor, depth)
    return _along([value for value in setting if not isinstance(value, Filtered)], depth)


def _along(values: list[Scalar], depth: float) -> Scalar:
    place = depth * (len(values) - 1)
    left = int(place)
    if any(isinstance(value, bool) for value in values):
        return values[left]
    right = min(len(values) - 1, left + 1)
    share = place - left
    return (1 - share) * values[left] + share * values[right]


def base_first(method: str, inputs: tuple[Input, ...], base: str | None) -> tuple[Input, ...]:
    """Order the inputs of slerp, which goes from the base to the other."""
    return tuple(sorted(inputs, key=lambda one: one.model != base)) if method == "slerp" else inputs


def check(recipe: Recipe) -> Recipe:
    """Check a recipe against its method.

    Raises:
        UsageError: the recipe has too few or too many inputs, no base, or a setting that the method does not have.
    """
    rule, names = recipe.rule, [one.model for one in recipe.inputs]
    if rule.base == "required" and recipe.base is None:
        raise UsageError(f"merge: {recipe.method} needs a base; name it (base_model: in YAML, --base)")
    if recipe.base is not None and rule.base == "required" and recipe.base not in names:
        raise UsageError(f"merge: the base {recipe.base} is not among the sources of the slice; add it there")
    counted = len([name for name in names if name != recipe.base]) if rule.counts_others else len(names)
    if counted < rule.least or (rule.most is not None and counted > rule.most):
        wanted = f"{rule.least}" if rule.most == rule.least else f"at least {rule.least}"
        others = " besides the base" if rule.counts_others else ""
        raise UsageError(f"merge: {recipe.method} takes {wanted} checkpoints{others}; the recipe names {counted}")
    if len(set(names)) != len(names):
        raise UsageError("merge: a checkpoint occurs twice in the recipe; name it once, with the sum of its weights")
    _check_settings(recipe)
    return recipe


def _check_settings(recipe: Recipe) -> None:
    parameters = {**recipe.rule.shared, **recipe.rule.per_input}
    for settings in (*recipe.settings, *(one.settings for one in recipe.inputs)):
        for name, setting in settings.items():
            if name in recipe.rule.unsupported and setting == recipe.rule.unsupported[name]:
                continue
            if name in recipe.rule.unsupported:
                raise UsageError(
                    f"merge: '{name}: {str(setting).lower()}' of {recipe.method} is not supported; remove it"
                )
            if name not in parameters:
                raise UsageError(
                    f"merge: {recipe.method} has no parameter '{name}' here; it has {', '.join(sorted(parameters))}"
                )
            _check_kind(name, setting, parameters[name])
    for one in recipe.inputs:
        for name in one.settings:
            if name not in recipe.rule.per_input:
                raise UsageError(
                    f"merge: '{name}' is one value for all models of {recipe.method}; do not set it for {one.model}"
                )


def _check_kind(name: str, setting: Setting, default: Scalar | None) -> None:
    values = [setting] if not isinstance(setting, tuple) else [getattr(one, "value", one) for one in setting]
    flat = [one for value in values for one in (value if isinstance(value, tuple) else (value,))]
    if any(isinstance(one, bool) != isinstance(default, bool) for one in flat):
        kind = "true or false" if isinstance(default, bool) else "a number"
        raise UsageError(f"merge: the parameter '{name}' must be {kind}")
