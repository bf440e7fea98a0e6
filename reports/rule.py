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
UNIT = "a question is a query; in a parallel set it is the same query in all languages, and counts once"
_CORRECTED = {
    SYSTEMS: ("an average, or the only collection, over the", "system", " with one first stage"),
    COLLECTIONS: ("a collection over the", "collection", " of its system"),
    GROUPS: ("a group over the", "group", " of its system"),
    LANGUAGES: ("a language over the", "language", " of its system"),
}


def correction(families: Mapping[str, Iterable[Figure]]) -> str:
    """What the p-values were corrected over, with the sizes of the families; empty where nothing was tested.

    Args:
        families: figures by what they were corrected over.
    """
    known = {
        family: sorted({one.difference.family for one in own if one.difference is not None})
        for family, own in families.items()
    }
    found = []
    for family, sizes in known.items():
        if sizes and sizes[-1] > 1:
            before, name, after = _CORRECTED[family]
            shown = f"{sizes[0]}" if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
            found.append(f"{before} {shown} {name}s{after}")
    if found:
        return f"p-values corrected by step-down MaxT: {', '.join(found)}"
    return "there is nothing to correct the p-value for" if any(known.values()) else ""


def notes(families: Mapping[str, Iterable[Figure]]) -> list[str]:
    """The test, the correction and the unit; none where nothing was tested."""
    said = correction(families)
    return [f"differences to the first stage: {TEST}; its 95 % interval is not corrected; {said}", UNIT] if said else []


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
