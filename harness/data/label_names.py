"""How a label version is named: `TARGET?labels=NAME`, also in the names of collections. Imports nothing."""

from __future__ import annotations

from collections.abc import Iterable

OPTION = "?labels="
PEOPLE, JUDGE = "people", "judge:"


def split_target(target: str) -> tuple[str, str | None]:
    """Return a target without its label version, and the name of the version; None if it names none."""
    bare, option, name = target.rpartition(OPTION)
    return (bare, name) if option else (target, None)


def other_versions(names: Iterable[str]) -> list[str]:
    """Return the names of collections that are other label versions of one that is kept. The published judgments are
    kept; if they are not among the names, the last version.

    Args:
        names: of collections, with their versions, the newest last.
    """
    known = list(dict.fromkeys(names))
    kept: dict[str, str] = {}
    for name in known:
        bare, version = split_target(name)
        if version is None or kept.get(bare) != bare:
            kept[bare] = name
    return [name for name in known if kept[split_target(name)[0]] != name]
