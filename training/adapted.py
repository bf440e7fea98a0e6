"""Which corpora a checkpoint is adapted on: its number on one of them says little about others, and is marked."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from adapters.errors import DataError
from harness.workspace import Workspace
from training.corpus import corpus_of
from training.job import MANIFEST
from training.teaching.teach import STAGE


def corpora_of(paths: Iterable[Path], workspace: Workspace | None = None) -> tuple[str, ...]:
    """Names and fingerprints of the corpora that training data were made of, as far as they can be known: of examples
    in a folder of `train teach` from its manifest, of a folder in BEIR's layout from its own corpus.

    Raises:
        DataError: a manifest is damaged, or a corpus cannot be trusted.
    """
    return tuple(sorted({one for path in paths for one in _corpus(path, workspace)}))


def _corpus(path: Path, workspace: Workspace | None) -> tuple[str, ...]:
    if path.is_dir():
        corpus = corpus_of(str(path), workspace or Workspace.open())
        return corpus.name, corpus.fingerprint
    file = path.parent / MANIFEST
    if not file.is_file():
        return ()
    try:
        manifest = json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise DataError(f"{file}: not JSON ({error}); make the examples again, or move it away") from None
    if not isinstance(manifest, dict) or manifest.get("stage") != STAGE:
        return ()
    return str(manifest["corpus_name"]), str(manifest["corpus"])
