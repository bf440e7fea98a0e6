"""Values of a recipe that change nothing, such as those of a filter that fits no tensor. mergekit passes over them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from training.merging.plan import Step
from training.merging.recipe import Filtered, Recipe, Settings


def notes_on_values(recipe: Recipe, tensors: Collection[str], steps: Sequence[Step]) -> list[str]:
    """Remarks on filters without effect, on densities above 1, and on slerps that go beyond a model.

    Args:
        tensors: the names of all tensors of the base and of the output.
        steps: how each tensor is merged.
    """
    filters = (note for settings in _scopes(recipe) for note in _of_filters(settings, tensors))
    return [*dict.fromkeys(filters), *_of_densities(steps), *_of_t(steps)]


def _scopes(recipe: Recipe) -> Iterator[Settings]:
    for one in recipe.slices:
        yield from (source.settings for source in one.sources)
        yield one.settings
    yield from (one.settings for one in recipe.inputs)
    yield from recipe.settings


def _of_filters(settings: Settings, tensors: Collection[str]) -> Iterator[str]:
    for name, setting in settings.items():
        is_decided = False
        for one in setting if isinstance(setting, tuple) else ():
            if not isinstance(one, Filtered):
                continue
            if is_decided:
                where = one.filter or "*"
                yield f"the value of '{name}' for '{where}' comes after one for all tensors, and is not used"
            elif not any(map(one.fits, tensors)):
                yield f"no tensor has '{one.filter}' in its name, so this filter of '{name}' changes nothing"
            is_decided = is_decided or one.filter in {None, "*"}


def _of_densities(steps: Sequence[Step]) -> list[str]:
    values = [step.values.per_input.get("density") for step in steps if step.values is not None]
    above = sorted({float(one) for found in values if found is not None for one in found if one > 1})
    shown = ", ".join(f"{one:g}" for one in above[:3])
    return [f"density is a share from 0 to 1; with {shown} nothing is left out"] if above else []


def _of_t(steps: Sequence[Step]) -> list[str]:
    """mergekit takes every t without a word. So do we, because a recipe may want it, but it is seldom meant."""
    values = [step.values.number("t") for step in steps if step.values is not None and "t" in step.values.shared]
    beyond = [one for one in values if not 0 <= one <= 1]
    shown = ", ".join(f"{one:g}" for one in sorted(set(beyond))[:3])
    count = f"{len(beyond):,} of {len(values):,} tensors"
    return (
        [f"t from 0 to 1 lies between the models; with {shown} {count} are extrapolated beyond one"] if beyond else []
    )
