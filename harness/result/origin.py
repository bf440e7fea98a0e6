"""Where an imported number is from, and the mark that its name carries wherever it is shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from adapters.errors import UsageError
from adapters.identity import file_digest
from harness.result.secrets import public_values

KEY = "imported"
"""In the identity of everything that somebody else computed."""
MARK = " (imported)"
"""The end of an imported system's name: in the store, and so in every table."""
_NAME = re.compile(r"\w[\w ./@+,=-]*")


@dataclass(frozen=True)
class ImportOrigin:
    """Stands in the identity of an imported result under the key `imported`."""

    kind: Literal["run", "mean"]
    """A run that was measured here, or means that somebody else measured."""
    format: str
    source: str
    """The name of the file, without its folder."""
    digest: str
    """Of its bytes."""
    evaluator: str
    """Who computed the values."""
    stated: Mapping[str, object] = field(default_factory=dict)
    """What the file says of itself: models, revisions, data set."""

    @property
    def identity(self) -> dict[str, object]:
        """As plain values."""
        return {**vars(self), "stated": dict(self.stated)}


def origin_of(
    path: Path,
    kind: Literal["run", "mean"],
    format: str,
    evaluator: str,
    stated: Mapping[str, object] | None = None,
) -> ImportOrigin:
    """The origin of one file."""
    return ImportOrigin(kind, format, path.name, file_digest(path), evaluator, stated or {})


def stored_identity(made_of: Mapping[str, object]) -> Mapping[str, object]:
    """What made a value, for the store; its id is of what it was. What an imported file says of itself may hold an
    address with a password, which becomes `***`."""
    return public_values(made_of) if KEY in made_of else made_of


def marked(name: str) -> str:
    """The name under which an imported system is stored.

    Raises:
        UsageError: the name could be read as a spec or not at all.
    """
    plain = name.removesuffix(MARK).strip()
    if not _NAME.fullmatch(plain):
        raise UsageError(
            f"--name '{name}': take letters, digits and . / @ + , = - _ and spaces; ':' and '?' are for specs"
        )
    return plain + MARK
