"""The corpora that a checkpoint is adapted on. Its results on them say little about other corpora and are marked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from adapters.errors import DataError
from adapters.typed_file import read_value
from adapters.typed_values import typed
from harness.workspace import Workspace
from training.corpus import corpus_of
from training.job import MANIFEST
from training.teaching.teach import STAGE

_ADVICE = "make the examples again, or move the file away"


@dataclass(frozen=True)
class _Taught:
    """The keys that are read from the manifest of `train teach`."""

    open_keys: ClassVar[bool] = True
    corpus_name: str
    corpus: str
    """The fingerprint of the corpus."""


def corpora_of(paths: Iterable[Path], workspace: Workspace | None = None) -> tuple[str, ...]:
    """Names and fingerprints of the corpora that training data were made from, where they are known: from the manifest
    for examples in a folder of `train teach`, from its own corpus for a folder in BEIR's layout.

    Raises:
        DataError: a manifest is damaged, or a corpus has errors.
    """
    return tuple(sorted({one for path in paths for one in _corpus(path, workspace)}))


def _corpus(path: Path, workspace: Workspace | None) -> tuple[str, ...]:
    if path.is_dir():
        corpus = corpus_of(str(path), workspace or Workspace.open())
        return corpus.name, corpus.fingerprint
    file = path.parent / MANIFEST
    if not file.is_file():
        return ()
    manifest = read_value(file, advice=_ADVICE)
    if not isinstance(manifest, dict) or manifest.get("stage") != STAGE:
        return ()
    taught = typed(_Taught, manifest, str(file), error=DataError, advice=_ADVICE)
    return taught.corpus_name, taught.corpus
