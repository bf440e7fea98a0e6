"""A collection's line in the table of its suite, and whether its data are those of that line."""

from __future__ import annotations

from harness.data.collection import Collection
from harness.data.sources.stored import DRIFTED
from harness.data.suites.targets import SuiteCollection, is_suite_target, suites


def entry_of(collection: Collection) -> SuiteCollection | None:
    """The line that the collection's name says (`<suite>/<entry>`); None where no suite has it."""
    return entry_named(collection.name)


def entry_named(name: str) -> SuiteCollection | None:
    """As `entry_of`, by the name, with or without the mark of drifted data."""
    target = name.replace(DRIFTED, "").strip()
    if not is_suite_target(target) or target.split("/")[0] not in suites():
        return None
    return next((one for one in suites()[target.split("/")[0]].collections if one.target == target), None)


def is_drifted(collection: Collection) -> bool:
    """Whether its data were let through although they differ from the suite's."""
    return DRIFTED in collection.name or DRIFTED in (collection.rules.note or "")
