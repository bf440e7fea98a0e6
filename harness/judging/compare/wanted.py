"""Which of the stored evaluations a comparison may look at: some collections, one first stage, one depth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adapters.errors import UsageError, did_you_mean
from harness.judging.compare.naming import Named, depth_of, named
from harness.result.stored import Stored


@dataclass(frozen=True)
class Wanted:
    """Empty or None for all."""

    collections: Sequence[str] = ()
    """Names, suites (`beir` for `beir/scifact`), or first digits of a fingerprint."""
    first_stage: str | None = None
    depth: int | None = None


ANY = Wanted()


def narrowed(stored: Sequence[Stored], wanted: Wanted) -> list[Stored]:
    """What is left, in the old order.

    Raises:
        UsageError: nothing was measured on one of the collections, on that first stage, or at that depth.
    """
    kept = list(stored)
    for asked in wanted.collections:
        if not any(_is_called(one, asked) for one in stored):
            names = {one.collection.name for one in stored}
            raise UsageError(f"nothing was measured on '{asked}'.{did_you_mean(asked, names)}")
    if wanted.collections:
        kept = [one for one in kept if any(_is_called(one, asked) for asked in wanted.collections)]
    if wanted.first_stage is not None:
        stages = {one.first_stage for one in kept}
        if wanted.first_stage not in stages:
            hint = did_you_mean(wanted.first_stage, stages)
            raise UsageError(f"nothing was measured on the first stage '{wanted.first_stage}'.{hint}")
        kept = [one for one in kept if one.first_stage == wanted.first_stage]
    if wanted.depth is not None:
        depths = sorted({depth for one in kept if (depth := depth_of(one)) is not None})
        kept = [one for one in kept if depth_of(one) in {None, wanted.depth}]
        if not kept:
            raise UsageError(f"nothing was measured at depth {wanted.depth}; there is {', '.join(map(str, depths))}")
    return kept


def named_among(name: str, kept: Sequence[Stored], stored: Sequence[Stored]) -> Named:
    """`naming.named` among what is left; the error of a system that only the rest has says so.

    Raises:
        UsageError: there is none.
    """
    try:
        return named(name, kept)
    except UsageError:
        if len(kept) == len(stored):
            raise
        found = named(name, stored).evaluations
    where = dict.fromkeys(f"{one.collection.name} on {one.first_stage}, depth {one.depth}" for one in found)
    raise UsageError(f"'{name}' was measured elsewhere only: {'; '.join(list(where)[:5])}")


def _is_called(stored: Stored, asked: str) -> bool:
    name, fingerprint = stored.collection.name, stored.collection.fingerprint
    return name == asked or name.startswith(f"{asked}/") or (len(asked) >= 6 and fingerprint.startswith(asked))
