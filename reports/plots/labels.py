"""Short and distinct labels for rows, columns and lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from harness.result.keys import FIRST_STAGE, CollectionKey, SystemKey
from reports.plots.fonts import shown
from reports.plots.languages import language_label
from reports.wide import middle_cut

LONGEST = 38


def system_labels(systems: Sequence[SystemKey], longest: int = LONGEST) -> dict[SystemKey, str]:
    """A distinct label for each system.

    It is the last part of the path if that is enough, with the first stage and the depth if they differ between
    systems. Long labels are cut in the middle.
    """
    stages, depths = {one.first_stage for one in systems}, {one.depth for one in systems}
    names = dict(zip(systems, _distinct([one.label for one in systems], _last), strict=True))
    full = {}
    for one in systems:
        over = f" over {_last(one.first_stage)}" if len(stages) > 1 and one.reranker else ""
        depth = f" @{one.depth}" if len(depths) > 1 else ""
        full[one] = names[one] + over + depth
    return dict(zip(systems, _unique([middle_cut(shown(name), longest) for name in full.values()]), strict=True))


def collection_labels(collections: Sequence[CollectionKey], longest: int = LONGEST) -> dict[CollectionKey, str]:
    """A distinct label for each collection, without the suite or folder that all share."""
    heads = {one.name.partition("/")[0] if "/" in one.name else None for one in collections}
    shared = len(collections) > 1 and len(heads) == 1 and None not in heads
    names = [_within(one) if shared else one.name for one in collections]
    drawn = [middle_cut(shown(name, one.language), longest) for name, one in zip(names, collections, strict=True)]
    return dict(zip(collections, _unique(drawn), strict=True))


def _within(one: CollectionKey) -> str:
    name = one.name.partition("/")[2]
    return language_label(name) if name == one.language else name


def signed(points: float, digits: int = 1) -> str:
    """Points with a sign, such as `+3.2` or `−0.4`; zero has no sign."""
    text = f"{points:+z.{digits}f}"
    return text[1:] if float(text) == 0 else text.replace("-", "−")


def counted(number: int, thing: str) -> str:
    """A number with a noun, such as `1 system` or `1,200 queries`."""
    if number == 1:
        return f"1 {thing}"
    return f"{number:,} {thing[:-1] + 'ies' if thing.endswith('ry') else thing + 's'}"


def spread(places: Sequence[float], gap: float) -> list[float]:
    """The places moved apart as little as needed for a distance of `gap`. Their order stays the same."""
    blocks: list[tuple[float, list[int]]] = []  # centre, members from the lowest
    for index in sorted(range(len(places)), key=lambda one: places[one]):
        blocks.append((places[index], [index]))
        while len(blocks) > 1 and _overlap(blocks[-2], blocks[-1], gap):
            members = blocks[-2][1] + blocks[-1][1]
            blocks[-2:] = [(sum(places[one] for one in members) / len(members), members)]
    moved = dict.fromkeys(range(len(places)), 0.0)
    for centre, members in blocks:
        for place, index in enumerate(members):
            moved[index] = centre + (place - (len(members) - 1) / 2) * gap
    return list(moved.values())


def _overlap(low: tuple[float, list[int]], high: tuple[float, list[int]], gap: float) -> bool:
    return low[0] + len(low[1]) / 2 * gap > high[0] - len(high[1]) / 2 * gap + 1e-12


def _last(label: str) -> str:
    stage = FIRST_STAGE if label.endswith(FIRST_STAGE) else ""
    model, mark, options = label.removesuffix(FIRST_STAGE).partition("?")
    return (model.rstrip("/").rsplit("/", 1)[-1] or model) + mark + options + stage


def _distinct(names: Sequence[str], shorter: Callable[[str], str]) -> list[str]:
    longer: dict[str, set[str]] = {}
    for name in names:
        longer.setdefault(shorter(name), set()).add(name)
    return [shorter(name) if len(longer[shorter(name)]) == 1 else name for name in names]


def _unique(names: Sequence[str]) -> list[str]:
    counts, seen, unique = Counter(names), Counter[str](), []
    for name in names:
        seen[name] += 1
        unique.append(f"{name} #{seen[name]}" if counts[name] > 1 else name)
    return unique
