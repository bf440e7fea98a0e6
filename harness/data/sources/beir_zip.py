"""A zip file of BEIR's layout, as BEIR distributes its collections; nothing is unpacked to disk."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from adapters.errors import DataError, UsageError, class_of
from harness.data.sources.beir_folder import is_beir
from harness.data.sources.layout import has_all_names
from harness.data.unpacked import UNREADABLE, reason_of, refuse_ratio


class Zip:
    """The files of a collection in a zip file, possibly in a folder inside. If the file holds several collections,
    `folder` selects one.

    Raises:
        DataError: the file is not a readable zip file.
        UsageError: it holds no collection, or several and no folder is given.
    """

    def __init__(self, path: Path, folder: str | None = None) -> None:
        self.path = path
        try:
            with zipfile.ZipFile(path) as archive:
                stored = [name for name in archive.namelist() if not name.endswith("/") and "__MACOSX" not in name]
        except (*UNREADABLE, ValueError) as error:
            kind = class_of(error, DataError)
            raise kind(f"{path}: cannot be read as a zip file ({reason_of(error)}); fetch it again") from error
        self._prefix = f"{folder}/" if folder else _prefix(stored, path)
        if not _is_root(self._prefix, stored):
            raise UsageError(f"{path}: no corpus.jsonl in the folder '{folder}' inside; fetch the right file")
        inside = [name for name in stored if name.startswith(self._prefix)]
        for name in (name for name, count in Counter(inside).items() if count > 1):
            raise DataError(f"{path}: it holds {name} more than once; pack it again with one file of that name")
        self._names = sorted(name.removeprefix(self._prefix) for name in inside)

    def names(self) -> list[str]:
        """The files of the collection."""
        return self._names

    def label(self, name: str) -> str:
        """The path of the zip file, then the one inside."""
        return f"{self.path}/{self._prefix}{name}"

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Open a file, unpacked while it is read.

        Raises:
            DataError: it unpacks further than any text.
        """
        with zipfile.ZipFile(self.path) as archive:
            entry = archive.getinfo(self._prefix + name)
            refuse_ratio(entry.file_size, entry.compress_size, self.label(name))
            with archive.open(entry) as stored:
                yield stored

    def content(self, name: str) -> bytes:
        """The whole content of a small file.

        Raises:
            DataError: it cannot be unpacked.
        """
        try:
            with self.open(name) as stored:
                return stored.read()
        except UNREADABLE as error:
            raise DataError(f"{self.label(name)}: cannot be read ({reason_of(error)}); fetch it again") from error

    def on_disk(self, names: Sequence[str]) -> list[Path]:
        """The zip file."""
        return [self.path]


def _prefix(stored: Sequence[str], path: Path) -> str:
    folders = {str(folder) for name in stored for folder in PurePosixPath(name).parents}
    prefixes = sorted(prefix for prefix in ("" if f == "." else f"{f}/" for f in folders) if _is_root(prefix, stored))
    if not prefixes:
        raise UsageError(f"{path}: no corpus.jsonl inside; name the zip file of one collection in BEIR's layout")
    if len(prefixes) > 1:
        inside = ", ".join(prefix or "." for prefix in prefixes)
        raise UsageError(f"{path}: several collections inside ({inside}); unpack it and name the folder")
    return prefixes[0]


def _is_root(prefix: str, stored: Sequence[str]) -> bool:
    names = [name.removeprefix(prefix) for name in stored if name.startswith(prefix)]
    return is_beir(names) or has_all_names(names)
