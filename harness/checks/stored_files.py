"""Verifies every file that the workspace keeps, except its two databases. Nothing is set aside or made again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from adapters import precision_probe
from adapters.budgets import read_record
from adapters.sums import DAMAGED, DamagedFile, NoChecksum, load_arrays, read_sealed
from adapters.vectors import VectorStore
from harness.checks import reference
from harness.data import detection, label_versions
from harness.data.sources import beir_download, request, seen, stored
from harness.workspace import Workspace

Check = Callable[[Path], None]
"""Raises `DamagedFile` if something is wrong with a file or folder."""


@dataclass(frozen=True)
class VerifiedFiles:
    """What was found of one kind of files."""

    kind: str
    files: int
    """Files that were read."""
    bytes: int
    damaged: tuple[str, ...]
    """A line for each damaged file: its path and what is wrong."""
    unproven: int
    """Files without checksums that nothing proves: an earlier version wrote them."""
    cure: str
    """What happens to the damaged ones, or what to do."""


def verified(workspace: Workspace) -> Iterator[VerifiedFiles]:
    """Verify every kind of files in turn."""
    folders = [folder for folder in _in(workspace.collections, "*") if stored.is_there(folder)]
    yield _checked("collections", folders, _collection, "the next run with it reads its source again")
    yield _checked(
        "entries", _in(workspace.collections / "seen", "*.json"), _entry, "the next run reads the source again"
    )
    requests = _in(workspace.collections / request.FOLDER, "*.json")
    yield _checked("requests", requests, _request, "delete it; the next run writes it again")
    versions = _in(workspace.path / label_versions.FOLDER, "*/*.json")
    yield _checked("labels", versions, label_versions.verify, "restore it from a copy, or import the labels again")
    yield _checked("candidates", _in(workspace.runs, "*.npz"), _arrays, "the next run searches them again")
    scores = _in(workspace.scored, "*.npz")
    yield _checked("scores", scores, _arrays, "run the evaluation again; known pairs are not scored again")
    yield _checked("terms", _in(workspace.cache, "terms-*.npz"), _arrays, "the next run counts them again")
    stores = [folder for folder in _in(workspace.cache / "embeddings", "*") if folder.is_dir()]
    yield _checked("vectors", stores, _vectors, "the next run embeds their texts again")
    calls = _in(workspace.cache / "calls", "*.json")
    yield _checked("calls", calls, _call, "the next run with the model decides again how it is called")
    formats = _in(workspace.cache / precision_probe.FOLDER, "*.json")
    yield _checked("number formats", formats, _format, "the next run with --dtype auto measures it again")
    records = _in(workspace.references, "*.json")
    yield _checked("references", records, _record, "the next long run with the reranker compares it again")
    zips = _in(workspace.downloads, "*.zip")
    yield _checked("downloads", zips, beir_download.verify, "delete it; the next run that reads it fetches it again")


def _checked(kind: str, places: Iterable[Path], check: Check, cure: str) -> VerifiedFiles:
    files, size, unproven, damaged = 0, 0, 0, list[str]()
    for place in places:
        inside = [file for file in (_in(place, "*") if place.is_dir() else [place]) if file.is_file()]
        files, size = files + len(inside), size + sum(file.stat().st_size for file in inside)
        try:
            check(place)
        except NoChecksum:
            unproven += 1
        except DamagedFile as damage:
            damaged += str(damage).split("\n")
    return VerifiedFiles(kind, files, size, tuple(damaged), unproven, cure)


def _in(folder: Path, pattern: str) -> list[Path]:
    found = sorted(folder.glob(pattern)) if folder.is_dir() else []
    return [place for place in found if place.suffix != DAMAGED and not place.name.startswith(".")]


def _collection(folder: Path) -> None:
    stored.verify(folder, stored.description_in(folder))
    if (folder / detection.FILE).exists():
        read_sealed(folder / detection.FILE, detection.KeptLanguage, folder.name)


def _request(file: Path) -> None:
    read_sealed(file, request.SourceRequest, file.stem)


def _entry(file: Path) -> None:
    _, proven = read_sealed(file, seen.SourceEntry, file.stem)
    if not proven:
        raise NoChecksum(f"{file}: it has no digest")


def _call(file: Path) -> None:
    read_record(file)


def _record(file: Path) -> None:
    reference.read_record(file)


def _format(file: Path) -> None:
    precision_probe.read_choice(file)


def _arrays(file: Path) -> None:
    load_arrays(file, file.stem)


def _vectors(folder: Path) -> None:
    """Verify a store without opening it for use, which would set damaged shards aside."""
    damaged = VectorStore.damaged(folder)
    if damaged:
        raise DamagedFile("\n".join(damaged))
