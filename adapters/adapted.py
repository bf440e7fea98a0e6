"""What a checkpoint was adapted on, as the file beside its weights says that fitting or merging left there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from adapters.errors import ModelError
from adapters.typed_file import read_value

KEY = "adapted_on"
_MADE_BY = "harness train fit"


def adapted_on(folder: Path) -> list[str]:
    """Names and fingerprints of the corpora that a checkpoint was trained for, sorted; empty where nothing says so.

    Raises:
        ModelError: a file that would say so is damaged.
    """
    fitted, merged = _object(folder / "manifest.json"), _object(folder / "merge.json")
    named = [merged.get(KEY), fitted.get(KEY) if fitted.get("made_by") == _MADE_BY else None]
    return sorted({str(corpus) for listed in named if isinstance(listed, list) for corpus in listed})


def told(folder: Path) -> dict[str, object]:
    """As part of an identity: nothing where there is nothing to say, so all other models keep their identity."""
    found = adapted_on(folder)
    return {KEY: found} if found else {}


def _object(file: Path) -> dict[str, Any]:
    """Other tools write files of these names too, with other content."""
    if not file.is_file():
        return {}
    content = read_value(file, error=ModelError, advice="make the checkpoint again, or take it from its source")
    return content if isinstance(content, dict) else {}
