"""The packaged sample as a user's own folders, which declare nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import harness

SAMPLE = Path(harness.__file__).parent / "data" / "sample"


def undeclared(folder: Path, language: str, name: str | None = None) -> Path:
    """A copy of the sample in a language, in a folder whose name says nothing."""
    return Path(shutil.copytree(SAMPLE / language, folder / (name or f"sample-{language}")))


def texts(language: str) -> list[str]:
    """The documents of the sample in a language."""
    lines = (SAMPLE / language / "corpus.jsonl").read_text("utf-8").splitlines()
    return [f"{row.get('title') or ''} {row['text']}".strip() for row in map(json.loads, lines)]
