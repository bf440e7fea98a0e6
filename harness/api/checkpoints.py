"""The calls that make checkpoints: merge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from adapters.errors import UsageError
from harness.api import arguments

if TYPE_CHECKING:
    from training.merging.merge import Merged
    from training.merging.recipe import Recipe


def merge(
    out: str | Path,
    recipe: str | Path | Mapping[str, object] | None = None,
    *,
    method: str | None = None,
    models: str | Path | Sequence[str | Path] | None = None,
    base: str | Path | None = None,
    t: float | None = None,
    weights: Sequence[float] | None = None,
    dtype: Literal["bfloat16", "float16", "float32"] | None = None,
    shard_mb: int | None = None,
) -> Merged:
    """Merge checkpoints of one architecture, as `harness merge` does. No whole model is ever in memory.

    Give a recipe, or a method and models.

    Args:
        out: the folder to make. If it holds the same merge already, that is returned.
        recipe: a file in mergekit's YAML, or what such a file holds as a dictionary.
        method: slerp, linear, model_stock and so on, if there is no recipe.
        models: the checkpoints to merge: folders or hub names.
        base: the base. Default for slerp: the first of the models.
        t: how far slerp goes: 0 is the base, 1 the other model.
        weights: one for each of the models, in that order. Default: all the same.
        dtype: the number format of the output. Default: that of the base.
        shard_mb: split the weights into files of this size, in megabytes. Default: as the base does.

    Returns:
        A `Merged`: `path`, `id`, `new` (False if the merge was there already) and `report`, which says what was done to
        each tensor.

    Raises:
        HarnessError: the checkpoints do not fit together, the recipe is wrong, or `out` holds something else.

    Examples:
        >>> from pathlib import Path
        >>> import harness
        >>> from adapters import tiny
        >>> a, b = tiny.cross_encoder(Path("a")), tiny.cross_encoder(Path("b"), seed=1)
        >>> merged = harness.merge("merged", method="linear", models=[a, b])
        >>> merged.path.name, merged.new
        ('merged', True)
    """
    from training.merging.merge import merge as run

    megabytes = arguments.optional_whole("shard_mb", shard_mb)
    named, home = arguments.names_of("models", models), arguments.optional_name("base", base)
    if recipe is None:
        declared = _of_options(method, named, base=home, t=t, weights=weights, dtype=dtype)
    elif any((method, named, home, dtype)) or t is not None or weights is not None:
        raise UsageError(
            "a recipe says everything itself; --method, --model, --base, --t, --weight, --dtype are without one"
        )
    else:
        declared = _read(recipe)
    return run(declared, Path(out), shard_bytes=None if megabytes is None else megabytes * 1_000_000)


def _read(recipe: str | Path | Mapping[str, object]) -> Recipe:
    from training.merging.mergekit_yaml import from_mapping, read_yaml

    return from_mapping(recipe) if isinstance(recipe, Mapping) else read_yaml(Path(recipe))


def _of_options(
    method: str | None,
    models: Sequence[str],
    *,
    base: str | None,
    t: float | None,
    weights: Sequence[float] | None,
    dtype: str | None,
) -> Recipe:
    from training.merging.mergekit_yaml import DTYPES, from_options

    if method is None:
        raise UsageError("name a recipe, or a method and the models that are merged")
    if dtype is not None:
        arguments.one_of("dtype", dtype, list(DTYPES))
    if weights is not None and not isinstance(weights, Iterable):
        raise UsageError(f"weights is a list of numbers, not {weights!r}")
    numbers = [arguments.number("weights", one) for one in weights or ()]
    share = None if t is None else arguments.number("t", t)
    return from_options(method, models, base=base, t=share, weights=numbers, dtype=dtype)
