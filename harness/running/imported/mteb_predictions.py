"""mteb's predictions (`prediction_folder`): `{subset: {split: {query: {document: score}}}}`, and the model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from adapters.errors import UsageError
from harness.data.collection import Collection
from harness.data.suites.targets import SuiteCollection, find, is_suite_target

META = "mteb_model_meta"


def stated(content: Mapping[str, object]) -> dict[str, object]:
    """Return name and revision of the model."""
    meta = content.get(META)
    return {key: value for key, value in meta.items() if isinstance(value, str)} if isinstance(meta, Mapping) else {}


def stated_name(content: Mapping[str, object]) -> str | None:
    """Return the name of the model; None if the file does not state it."""
    name = stated(content).get("model_name")
    return str(name) if name else None


def part_of(path: Path, content: Mapping[str, object], collection: Collection) -> object:
    """Return `{query: {document: score}}` of a collection's subset and split. If the collection belongs to no suite,
    return the only subset and split.

    Raises:
        UsageError: the file lacks the subset or split, or has several and none can be chosen.
    """
    entry = _entry(collection.name)
    subsets = {key: value for key, value in content.items() if key != META and isinstance(value, Mapping)}
    there = [(subset, split) for subset, splits in subsets.items() for split in splits]
    wanted = there[0] if entry is None and len(there) == 1 else (entry and (entry.mteb.subset, entry.mteb.split))
    if wanted not in there:
        found = ", ".join(f"{subset}/{split}" for subset, split in there[:5]) or "none"
        raise UsageError(f"{path}: no predictions of {collection.name}; its subsets and splits: {found}")
    return subsets[wanted[0]][wanted[1]]


def _entry(name: str) -> SuiteCollection | None:
    if not is_suite_target(name):
        return None
    return next((one for one in find(name.split("/")[0]) if one.target == name), None)
