"""Whether a result that was stored before parallel sets were kept is of one, by its name. Imports no array library."""

from __future__ import annotations

from typing import Literal

from harness.data.suites.targets import find, suite_names

_SAMPLE, _SAMPLE_NOTE = "demo", "demo is a sample made for this project"
"""The set of the packaged sample, and how the note of its collections begins: a user's folder may have its name."""


def known_by_name(name: str, note: str | None) -> tuple[str | None, Literal["declared"] | None]:
    """`parallel` and `parallel_by` of a stored collection where its name says them: of the packaged sample, and of
    suites that declare them. Both None for anything else, which nobody guesses.

    Args:
        note: of its rules.
    """
    head, slash, rest = name.partition("/")
    if head == _SAMPLE and slash and (note or "").startswith(_SAMPLE_NOTE):
        return _SAMPLE, "declared"
    if head not in suite_names():
        return None, None
    entry = next((one for one in find(head) if one.name == rest), None)
    if entry is None or entry.parallel is None:
        return None, None
    return (entry.within if entry.parallel else None), "declared"
