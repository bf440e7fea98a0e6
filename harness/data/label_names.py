"""How a label version is named: `TARGET?labels=NAME`, also in the names of collections. Imports nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable

OPTION = "?labels="
PEOPLE, JUDGE = "people", "judge:"
_JUDGES = re.compile(rf"(?<=\S) \({JUDGE}[^()]*\)$")
NOT_BY_PEOPLE = "NOT ALL LABELS ARE BY PEOPLE"
"""What every note about a version with labels of a judge says."""


def without_judges(name: str) -> str:
    """Return the name of a label version without the judges behind it: `a?labels=x` for `a?labels=x (judge:m)`."""
    return _JUDGES.sub("", name) if OPTION in name else name


def by_judges(name: str) -> bool:
    """Whether the name of a collection says that a judge gave labels of it."""
    return without_judges(name) != name


def split_target(target: str) -> tuple[str, str | None]:
    """Return a target without its label version, and the name of the version; None if it names none. The judges that
    tables show behind the name may be there."""
    bare, option, name = without_judges(target).rpartition(OPTION)
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
