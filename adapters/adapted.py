"""Which corpora a checkpoint was adapted on, by the file that fitting or merging writes next to its weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from adapters.errors import ModelError
from adapters.typed_file import read_value

KEY = "adapted_on"
_MADE_BY = "harness train fit"


def adapted_on(folder: Path) -> list[str]:
    """Names and fingerprints of the corpora that a checkpoint was trained for, sorted; empty if no file names any.

    Raises:
        ModelError: manifest.json or merge.json is damaged.
    """
    fitted, merged = _object(folder / "manifest.json"), _object(folder / "merge.json")
    named = [merged.get(KEY), fitted.get(KEY) if fitted.get("made_by") == _MADE_BY else None]
    return sorted({str(corpus) for listed in named if isinstance(listed, list) for corpus in listed})


def adapted_identity(folder: Path) -> dict[str, object]:
    """The part of an identity that names these corpora; empty if there are none, so other identities do not change."""
    corpora = adapted_on(folder)
    return {KEY: corpora} if corpora else {}


def _object(file: Path) -> dict[str, Any]:
    """The JSON object of a file; empty for other content, because other tools write files of these names too."""
    if not file.is_file():
        return {}
    content = read_value(file, error=ModelError, advice="make the checkpoint again, or take it from its source")
    return content if isinstance(content, dict) else {}
