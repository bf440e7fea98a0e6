"""Mixtures of sources: how many examples of each an epoch draws.

An epoch has as many examples as all sources together. Of each source it draws its share, without replacement until all
of its examples were drawn, then again. So a small source is repeated, and of a large one another epoch draws others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from pathlib import Path

from adapters.errors import UsageError
from adapters.typed_file import read_toml
from adapters.typed_values import typed
from training.batches import apportioned
from training.examples import Examples, SourcePart
from training.settings import AboveZero
from training.sources import Negatives, join, read_examples
from training.stages import MixedSource, mixture_problem


@dataclass(frozen=True)
class Mix:
    """A file of sources."""

    source: tuple[MixedSource, ...]
    temperature: AboveZero | None = None
    """Draw source i with a probability in proportion to n_i ** (1 / temperature), where n_i is its number of examples.
    1 is in proportion to the numbers; the higher, the more of the small sources. Default: weights, or each once."""


def read_mix(file: Path) -> Mix:
    """Read a file of sources.

    Raises:
        UsageError: the file cannot be read, or a key is unknown or has another type.
    """
    mix: Mix = typed(Mix, read_toml(file, dict), str(file))
    draws([1], [], mix.temperature)
    if not mix.source:
        raise UsageError(f"{file}: no [[source]]; write at least one")
    if problem := mixture_problem(mix.source, mix.temperature):
        raise UsageError(f"{file}: {problem}")
    return mix


def of_options(
    data: Sequence[str], weights: Sequence[float] = (), temperature: float | None = None, limit: int | None = None
) -> Mix:
    """The sources of a command line.

    Raises:
        UsageError: there is another number of weights than sources, or a number is not above 0.
    """
    draws([1] * len(data), weights, temperature)
    each: Sequence[float | None] = weights or [None] * len(data)
    return Mix(tuple(MixedSource(one, weight, limit) for one, weight in zip(data, each, strict=True)), temperature)


def examples_of(
    mix: Mix,
    *,
    negatives: Negatives | None = None,
    store: Path | None = None,
    kept: Callable[[Examples], Examples] = lambda examples: examples,
) -> Examples:
    """Read the sources of a mixture; see `training.sources.read_examples`.

    Args:
        kept: leaves examples of a source out before its share is computed.

    Raises:
        UsageError: a source does not exist, or weights and a temperature are both given.
        DataError: a row has errors.
    """
    parts = [
        kept(read_examples(one.data, limit=one.limit, negatives=negatives, store=store, instruction=one.instruction))
        for one in mix.source
    ]
    weights = [one.weight for one in mix.source if one.weight is not None]
    return mixed([(one.data, part) for one, part in zip(mix.source, parts, strict=True)], weights, mix.temperature)


def mixed(
    sources: Sequence[tuple[str, Examples]], weights: Sequence[float] = (), temperature: float | None = None
) -> Examples:
    """Examples of several sources, in order, with the number that an epoch draws of each.

    Args:
        sources: their names and examples.
        weights: one for each source, or none.
        temperature: see `Mix`. With neither weights nor a temperature, an epoch has every example once.

    Raises:
        UsageError: there are weights and a temperature, another number of weights than sources, or a weight or
            temperature that is not above 0.
    """
    together = join([part for _, part in sources])
    if not weights and temperature is None:
        return together
    sizes = [len(part) for _, part in sources]
    drawn = draws(sizes, weights, temperature)
    parts = (SourcePart(name, *numbers) for (name, _), *numbers in zip(sources, sizes, drawn, strict=True))
    return Examples(together.rows, together.rejected, tuple(parts))


def draws(sizes: Sequence[int], weights: Sequence[float] = (), temperature: float | None = None) -> list[int]:
    """The examples that an epoch draws of each source, as many in all as there are. A source without examples gives
    none, whatever its weight.

    Raises:
        UsageError: see `mixed`.
    """
    if weights and temperature is not None:
        raise UsageError("weights and a temperature are two ways to mix sources; give only one")
    if weights and len(weights) != len(sizes):
        raise UsageError(
            f"weights: {len(weights)}, sources: {len(sizes)}; give one weight for each source, in the same order"
        )
    if wrong := [one for one in weights if not 0 < one < inf]:
        raise UsageError(f"the weight {wrong[0]:g} is not above 0 and finite; leave out a source that is not wanted")
    if temperature is not None and not 0 < temperature < inf:
        raise UsageError(f"the temperature {temperature:g} is not above 0 and finite")
    return apportioned(sum(sizes), _shares(sizes, weights, temperature))


def _shares(sizes: Sequence[int], weights: Sequence[float], temperature: float | None) -> list[float]:
    if weights:
        shares = [weight if size else 0.0 for size, weight in zip(sizes, weights, strict=True)]
        if not isfinite(sum(shares)):
            raise UsageError("the sum of the weights is too large; use smaller ones")
        return shares
    try:
        shares = [float(size) ** (1 / (temperature or 1.0)) for size in sizes]
    except OverflowError:
        shares = [inf]
    if not isfinite(sum(shares)):
        raise UsageError(f"with the temperature {temperature:g} the shares are too large; use a higher one")
    return shares
