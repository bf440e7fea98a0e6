"""Reads the README.md of a model folder for the model's name and base."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from adapters.models import ModelFolder

_HEADING = re.compile(r"\s{0,3}(?:#{1,6}\s+(.+)|<h[1-6][^>]*>(.+?)</h[1-6]>)", re.IGNORECASE)
_NAMED = re.compile(r"(?:- +)?(?:name|base_model): *(\S.*)")
"""In the metadata: the base that a model was trained from, and the model whose results are listed."""
_LISTED = re.compile(r"^base_model:[ \t]*\n((?:[ \t]*- .*\n?)+)", re.MULTILINE)


@dataclass(frozen=True)
class ModelCard:
    """A README.md in two parts: `metadata` between lines of three hyphens, and `body`."""

    metadata: str = ""
    body: str = ""

    @property
    def title(self) -> str:
        """The first heading of the first level, or ''."""
        lines = (line for line in self.body.splitlines() if line.startswith("# "))
        return next(lines, "").lstrip("# ").strip()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the model and its base: the first heading, `base_model`, and the names in `model-index`."""
        listed = [line.strip(" -") for found in _LISTED.findall(self.metadata) for line in found.splitlines()]
        named = (_NAMED.fullmatch(line.strip()) for line in self.metadata.splitlines())
        heading = next((found for found in map(_HEADING.match, self.body.splitlines()) if found), None)
        title = [] if heading is None else [heading[1] or heading[2]]
        return tuple(text.strip("'\" ") for text in (*title, *listed, *(found[1] for found in named if found)))


def card_of(folder: ModelFolder) -> ModelCard:
    """The card of a folder; an empty one if there is no README.md."""
    file: Path = folder.path / "README.md"
    try:
        text = file.read_text("utf-8", errors="replace") if file.is_file() else ""
    except OSError:
        return ModelCard()
    start, _, rest = text.partition("\n")
    metadata, end, body = f"\n{rest}".partition("\n---")
    if start.strip() != "---" or not end:
        return ModelCard(body=text)
    return ModelCard(f"{metadata.strip()}\n", body.partition("\n")[2])
