"""The calls that make checkpoints: merge, merge_search and adapt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from adapters.errors import UsageError
from harness.api import arguments

if TYPE_CHECKING:
    from harness.progress import Reporter
    from harness.result.adaptation.record import AdaptationRecord
    from training.adapting.config import AdaptConfig
    from training.merging.merge import Merged
    from training.merging.recipe import Recipe
    from training.searching.config import SearchConfig


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
    """Merge checkpoints of one architecture, as `harness merge` does. Tensors are read one at a time.

    Give a recipe, or a method and models.

    Args:
        out: the folder to create. If it already contains the same merge, that merge is returned.
        recipe: a file in mergekit's YAML, or the content of such a file as a dictionary.
        method: slerp, linear, model_stock and so on, if there is no recipe.
        models: the checkpoints to merge: folders or hub names.
        base: the base. Default for slerp: the first of the models.
        t: how far slerp goes: 0 is the base, 1 the other model. Needed for slerp.
        weights: one for each model, in the same order. Default: equal weights.
        dtype: the number format of the output. Default: that of the base.
        shard_mb: split the weights into files of this size, in megabytes. Default: as the base does.

    Returns:
        A `Merged`: `path`, `id`, `new` (False if the merge already existed) and `report`, which says what was done to
        each tensor.

    Raises:
        HarnessError: the checkpoints have different architectures, the recipe is wrong, or `out` contains something
            else.

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
            "a recipe already contains --method, --model, --base, --t, --weight and --dtype; leave them out"
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
    from training.merging.mergekit_yaml import from_options
    from training.merging.recipe import DTYPES

    if method is None:
        raise UsageError("name a recipe, or a method and the models to merge")
    if dtype is not None:
        arguments.one_of("dtype", dtype, list(DTYPES))
    if weights is not None and not isinstance(weights, Iterable):
        raise UsageError(f"weights must be a list of numbers, not {weights!r}")
    numbers = [arguments.number("weights", one) for one in weights or ()]
    share = None if t is None else arguments.number("t", t)
    return from_options(method, models, base=base, t=share, weights=numbers, dtype=dtype)


def merge_search(
    config: SearchConfig | Mapping[str, object] | str | Path,
    out: str | Path,
    *,
    workers: int | Literal["auto"] = 1,
    workspace: str | Path | None = None,
    reporter: Reporter | None = None,
) -> dict[str, Any]:
    """Search for the best merge of checkpoints on dev within a number of looks, as `harness merge search` does.

    To continue a killed search, call it again with the same configuration and the same `out`.

    Args:
        config: a TOML file as `harness merge search --print-config` prints it, the same keys as a mapping of mappings,
            or a `training.searching.config.SearchConfig`. Keys that are left out get their defaults.
        out: the folder of the search. The best merge is in `out/model`.
        workers: the number of processes that score, as in `run`.
        workspace: the folder for results and scored pairs. Default: HARNESS_WORKSPACE or `./.harness`.
        reporter: gets a line for every look. Default: standard error if it is a terminal, else none.

    Returns:
        The content of `search.json`: `tried`, `curve`, `languages`, `winner`, `selection`, `gate` and `answer`.

    Raises:
        HarnessError: a key is unknown, missing or has an invalid value, dev is a test split, `out` contains something
            else, or the checkpoints cannot be measured or merged. Finished looks are kept.

    Examples:
        >>> import harness
        >>> harness.merge_search({"ingredients": ["./a"]}, "merged")
        Traceback (most recent call last):
        adapters.errors.UsageError: ...
    """
    from harness.workspace import Workspace
    from reports.tables.merge_search import page
    from training.configuration import configured, given_layer
    from training.searching.config import SearchConfig
    from training.searching.search import search

    chosen = configured(SearchConfig, [given_layer(config, SearchConfig)])
    place = Workspace.open(arguments.file_of(workspace))
    with arguments.working(place, arguments.reporter_of(reporter), workers=workers) as session:
        return search(chosen, Path(out), session, page)


def adapt(
    config: AdaptConfig | Mapping[str, object] | str | Path,
    out: str | Path,
    *,
    workers: int | Literal["auto"] = 1,
    workspace: str | Path | None = None,
    reporter: Reporter | None = None,
) -> AdaptationRecord:
    """Adapt a reranker to a corpus without labels, and keep the result only if it is better; see docs/adapting.md.

    To continue a killed run, call it again with the same configuration and the same `out`.

    Args:
        config: a TOML file as `harness train adapt --print-config` prints it, the same keys as a mapping of mappings,
            or a `training.adapting.config.AdaptConfig`. Keys that are left out get their defaults.
        out: the folder of the run.
        workers: the number of processes that score and embed, as in `run`. Training does not use it.
        workspace: the folder for results, scored pairs and caches. Default: HARNESS_WORKSPACE or `./.harness`.
        reporter: gets a line for every step. Default: standard error if it is a terminal, else none.

    Returns:
        The record. Its `state` is accepted, refused, inconclusive or invalid, and `reasons` says why. An accepted
        checkpoint is in `out/model`.

    Raises:
        HarnessError: a key is unknown, missing or has an invalid value, `out` contains another run, or a model, a
            corpus or a collection cannot be used. Finished steps are kept.

    Examples:
        >>> import harness
        >>> harness.adapt({"base": "./student"}, "adapted")
        Traceback (most recent call last):
        adapters.errors.UsageError: ...
    """
    from harness.workspace import Workspace
    from training.adapting.config import AdaptConfig
    from training.adapting.start import run as run_adaptation
    from training.configuration import configured, given_layer

    chosen = configured(AdaptConfig, [given_layer(config, AdaptConfig)])
    place = Workspace.open(arguments.file_of(workspace))
    with arguments.working(place, arguments.reporter_of(reporter), workers=workers) as session:
        return run_adaptation(chosen, Path(out), session)
