"""A collection's entry in the table of its suite, and whether its data match that entry."""

from __future__ import annotations

from harness.data.collection import Collection
from harness.data.sources.stored import DRIFTED
from harness.data.suites.targets import SuiteCollection, is_suite_target, suites


def entry_of(collection: Collection) -> SuiteCollection | None:
    """The entry that the collection's name (`<suite>/<entry>`) refers to; None if no suite has it."""
    return entry_named(collection.name)


def entry_named(name: str) -> SuiteCollection | None:
    """The entry for a collection's name, with or without the mark of drifted data; None if no suite has it."""
    target = name.replace(DRIFTED, "").strip()
    if not is_suite_target(target) or target.split("/")[0] not in suites():
        return None
    return next((one for one in suites()[target.split("/")[0]].collections if one.target == target), None)


def is_drifted(collection: Collection) -> bool:
    """Whether the data differ from the suite's and were accepted anyway."""
    return DRIFTED in collection.name or DRIFTED in (collection.rules.note or "")
