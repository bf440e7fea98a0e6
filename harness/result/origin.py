"""The origin of an imported number, and the mark that its name gets wherever it is shown."""

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
"""The key of the origin in the identity of imported results."""
MARK = " (imported)"
"""The end of an imported system's name, in the store and therefore in every table."""
_NAME = re.compile(r"\w[\w ./@+,=-]*")


@dataclass(frozen=True)
class ImportOrigin:
    """The origin of an imported result. It is part of the identity, under the key `imported`."""

    kind: Literal["run", "mean"]
    """`run`: a run that was measured here; `mean`: means that were measured elsewhere."""
    format: str
    source: str
    """The name of the file, without the folder."""
    digest: str
    """The digest of the file's bytes."""
    evaluator: str
    """The program that computed the values."""
    stated: Mapping[str, object] = field(default_factory=dict)
    """What the file states: models, revisions, data set."""

    @property
    def identity(self) -> dict[str, object]:
        """Return the origin as plain values."""
        return {**vars(self), "stated": dict(self.stated)}


def origin_of(
    path: Path,
    kind: Literal["run", "mean"],
    format: str,
    evaluator: str,
    stated: Mapping[str, object] | None = None,
) -> ImportOrigin:
    """Return the origin of one file."""
    return ImportOrigin(kind, format, path.name, file_digest(path), evaluator, stated or {})


def stored_identity(made_of: Mapping[str, object]) -> Mapping[str, object]:
    """Return the identity to store. An imported file may state an address with a password, which is stored as `***`;
    the id is made from the original."""
    return public_values(made_of) if KEY in made_of else made_of


def marked(name: str) -> str:
    """Return the name under which an imported system is stored.

    Raises:
        UsageError: the name looks like a spec, or has other characters than allowed.
    """
    plain = name.removesuffix(MARK).strip()
    if not _NAME.fullmatch(plain):
        raise UsageError(
            f"--name '{name}': use letters, digits and . / @ + , = - _ and spaces; ':' and '?' are for specs"
        )
    return plain + MARK
