"""A workspace that may only be read, as an artefact of a CI job or somebody else's folder is."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NOBODY = 65534


@contextmanager
def read_only(*workspaces: Path) -> Iterator[list[Path]]:
    """Copies of workspaces, in folders that cannot be written; the superuser is somebody else until
    they are gone."""
    with tempfile.TemporaryDirectory() as outer:
        made = [_copied(one, Path(outer, f"artefact-{place}")) for place, one in enumerate(workspaces)]
        Path(outer).chmod(0o755)
        with _unprivileged():
            yield made
        for folder in made:
            for path in (folder, *folder.rglob("*")):
                path.chmod(0o755)


def _copied(workspace: Path, made: Path) -> Path:
    shutil.copytree(workspace, made)
    for path in (made, *made.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    return made


@contextmanager
def _unprivileged() -> Iterator[None]:
    """The superuser may write everywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(_NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
