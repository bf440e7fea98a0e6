"""The corpora that a checkpoint is adapted on. Its results on them say little about other corpora and are marked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from adapters.errors import DataError
from adapters.lineage import marks_of
from adapters.typed_file import read_value
from adapters.typed_values import typed
from harness.data.columns import corpus_fingerprint
from harness.data.sources.build import collection_of
from harness.data.sources.suite_source import other_split
from harness.data.suites.targets import is_suite_target
from harness.workspace import Workspace
from training.corpus import corpus_of
from training.job import MANIFEST
from training.sources.dataset import is_dataset
from training.teaching.teach import STAGE

_SPLIT = "train"
"""The split of a suite's collection that training reads. Other splits have the same corpus."""
_ADVICE = "make the examples again, or move the file away"


@dataclass(frozen=True)
class _Taught:
    """The keys that are read from the manifest of `train teach`."""

    open_keys: ClassVar[bool] = True
    corpus_name: str
    corpus: str
    """The fingerprint of the corpus."""
    teacher_identities: tuple[dict[str, Any], ...] = ()


def corpora_of(sources: Iterable[str | Path], workspace: Workspace | None = None) -> tuple[str, ...]:
    """Names and fingerprints of the corpora that training data were made from, where they are known: from the manifest
    for examples in a folder of `train teach`, from its own corpus for a folder in BEIR's layout.

    Raises:
        DataError: a manifest is damaged, or a corpus has errors.
    """
    return tuple(sorted({one for source in sources for one in _corpus(str(source), workspace)}))


def teachers_of(sources: Iterable[str | Path]) -> tuple[str, ...]:
    """Digests of the teachers whose scores training data hold, where a manifest of `train teach` names them: those by
    which `adapters.lineage` recognises a model.

    Raises:
        DataError: a manifest is damaged.
    """
    found = (_taught(Path(source)) for source in sources if not Path(source).is_dir())
    return marks_of_teachers(one for taught in found if taught is not None for one in taught.teacher_identities)


def marks_of_teachers(identities: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Digests by which `adapters.lineage` recognises teachers, from `teacher_identities` in manifests."""
    return tuple(sorted({mark for identity in identities for mark in marks_of(identity)[0]}))


def _corpus(source: str, workspace: Workspace | None) -> tuple[str, ...]:
    path = Path(source)
    if not path.exists() and is_suite_target(source):
        workspace = workspace or Workspace.open()
        collection = collection_of(other_split(source, _SPLIT, workspace=workspace), workspace)
        return collection.name, corpus_fingerprint(collection.corpus)
    if path.is_dir() and not is_dataset(path):
        corpus = corpus_of(source, workspace or Workspace.open())
        return corpus.name, corpus.fingerprint
    taught = _taught(path)
    return () if taught is None else (taught.corpus_name, taught.corpus)


def _taught(path: Path) -> _Taught | None:
    """The manifest next to a file of examples; None if there is none of `train teach`."""
    file = path.parent / MANIFEST
    if not file.is_file():
        return None
    manifest = read_value(file, advice=_ADVICE)
    if not isinstance(manifest, dict) or manifest.get("stage") != STAGE:
        return None
    return typed(_Taught, manifest, str(file), error=DataError, advice=_ADVICE)
