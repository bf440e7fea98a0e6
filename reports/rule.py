"""The rule of significance in words, for the notes under tables and plots."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from harness.data.sources.stored import DRIFTED
from harness.measuring.statistics.bootstrap import RESAMPLES
from harness.measuring.statistics.flips import FLIPS
from harness.result.figure import COLLECTIONS, GROUPS, LANGUAGES, SYSTEMS, Figure
from harness.result.gathered import Grid

TEST = f"two-sided randomisation test over questions, {FLIPS:,} sign flips"
INTERVAL = f"95 % bootstrap interval over questions, {RESAMPLES:,} resamples, for these collections"
UNIT = "a question is a query; in a parallel set the same query in all languages is one question"
_CORRECTED = {
    SYSTEMS: ("an average, or the only collection, over the", "system", " with one first stage"),
    COLLECTIONS: ("a collection over the", "collection", " of its system"),
    GROUPS: ("a group over the", "group", " of its system"),
    LANGUAGES: ("a language over the", "language", " of its system"),
}


def correction(families: Mapping[str, Iterable[Figure]]) -> str:
    """A phrase with what the p-values were corrected over and the sizes of the families; empty if nothing was tested.

    Args:
        families: figures by what they were corrected over.
    """
    sizes_by_family = {
        family: sorted({one.difference.family for one in own if one.difference is not None})
        for family, own in families.items()
    }
    parts = []
    for family, sizes in sizes_by_family.items():
        if sizes and sizes[-1] > 1:
            before, name, after = _CORRECTED[family]
            shown = f"{sizes[0]}" if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
            parts.append(f"{before} {shown} {name}s{after}")
    if parts:
        return f"p-values corrected by step-down MaxT: {', '.join(parts)}"
    return "one difference, so its p-value needs no correction" if any(sizes_by_family.values()) else ""


def notes(families: Mapping[str, Iterable[Figure]]) -> list[str]:
    """Notes on the test, the correction and the unit; empty if nothing was tested."""
    corrected = correction(families)
    if not corrected:
        return []
    return [f"differences to the first stage: {TEST}; its 95 % interval is not corrected; {corrected}", UNIT]


def sets(grid: Grid) -> list[str]:
    """The parallel sets of a grid, such as `demo: 20 questions in 10 languages`."""
    questions: dict[str, set[str]] = {}
    members: dict[str, set[tuple[str, str, str | None]]] = {}
    for collection in grid.collections:
        cells = (grid.cells.get((system, collection)) for system in grid.systems)
        first = next((cell.questions for cell in cells if cell is not None), None)
        if first is not None:
            questions.setdefault(first.drawn_from, set()).update(first.ids)
            # A sample, or other data of one name, is the same member.
            member = (collection.name.replace(DRIFTED, "").strip(), collection.split, collection.language)
            members.setdefault(first.drawn_from, set()).add(member)
    return [
        f"{name}: {len(questions[name]):,} questions in {_counted(own)}"
        for name, own in members.items()
        if len(own) > 1
    ]


def _counted(members: Collection[tuple[str, str, str | None]]) -> str:
    languages = {language for _, _, language in members}
    where = "collections" if None in languages or len(languages) < len(members) else "languages"
    return f"{len(members)} {where}"
