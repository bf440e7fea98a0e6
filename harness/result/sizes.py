"""What a workspace needs on the disk, by kind."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from harness.workspace import Workspace, readable_size


def bytes_of(path: Path) -> int:
    """The size of a file, or of all files in a folder; 0 if there is neither."""
    if path.is_dir():
        return sum(file.lstat().st_size for file in path.rglob("*") if not file.is_dir())
    return path.lstat().st_size if path.exists() else 0


def bytes_by_kind(workspace: Workspace) -> dict[str, int]:
    """The bytes of each kind of content, the largest first, without what is empty."""
    kinds: dict[str, Iterable[Path]] = {
        "results": _database(workspace.results),
        "scored pairs": _database(workspace.ledger),
        "scores of results": [workspace.scored],
        "candidates": [workspace.runs],
        "collections": [workspace.collections],
        "label versions": [workspace.path / "labels"],
        "vectors and terms": [workspace.cache],
        "downloads": [workspace.downloads],
    }
    sizes = {kind: sum(map(bytes_of, paths)) for kind, paths in kinds.items()}
    return dict(sorted(((kind, size) for kind, size in sizes.items() if size), key=lambda one: -one[1]))


def on_disk(workspace: Workspace) -> str:
    """The sizes of all kinds in one line; '' for an empty workspace."""
    sizes = bytes_by_kind(workspace)
    parts = ", ".join(f"{kind} {readable_size(size)}" for kind, size in sizes.items())
    return f"on disk: {readable_size(sum(sizes.values()))} ({parts})" if parts else ""


def _database(file: Path) -> list[Path]:
    return [file, file.with_name(f"{file.name}-wal")]
