"""The parallel set of a result from before parallel sets were stored, by its name. Imports no array library."""

from __future__ import annotations

from typing import Literal

from harness.data.suites.targets import find, suite_names

_SAMPLE, _SAMPLE_NOTE = "demo", "demo is a sample made for this project"
"""The set of the packaged sample, and the beginning of its note. The note matters because a user's folder may have the
same name."""


def known_by_name(name: str, note: str | None) -> tuple[str | None, Literal["declared"] | None]:
    """Return `parallel` and `parallel_by` of a stored collection: of the packaged sample, and of suites that declare
    them. Both are None for any other collection.

    Args:
        note: the note of the collection's rules.
    """
    head, slash, rest = name.partition("/")
    if head == _SAMPLE and slash and (note or "").startswith(_SAMPLE_NOTE):
        return _SAMPLE, "declared"
    if head not in suite_names():
        return None, None
    entry = next((entry for entry in find(head) if entry.name == rest), None)
    if entry is None or entry.parallel is None:
        return None, None
    return (entry.within if entry.parallel else None), "declared"
