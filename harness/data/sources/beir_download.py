"""BEIR's zip files: from a mirror, from earlier downloads, or fetched now. Each is checked by its md5 sum."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from adapters.errors import DataError, EnvironmentFailure, HarnessError, UsageError
from adapters.sums import DamagedFile, NoChecksum
from adapters.typed_file import read_json
from harness.data.sources import seen
from harness.data.sources.beir_folder import BeirSource, beir_source
from harness.data.sources.beir_zip import Zip
from harness.data.sources.declared import DeclaredCollection
from harness.data.sources.dirt import Dirt
from harness.data.sources.download import Progress, download, file_md5
from harness.data.sources.origin import SourceChoice
from harness.data.sources.source import ConvertedSource
from harness.data.suites.table import BeirName, SuiteCollection
from harness.workspace import write_atomically

URL = "https://public.ukp.informatik.tu-darmstadt.de/thakur/BEIR/datasets"
VARIABLE = "HARNESS_BEIR_URL"
"""The environment variable with another address of the same zip files, for when URL is slow or unreachable."""


@dataclass(frozen=True)
class DownloadedZip:
    """A collection in one of BEIR's zip files. The zip file is located or fetched when it is read."""

    name: str
    declared: DeclaredCollection
    zip: BeirName
    mirror: Path | None
    downloads: Path
    progress: Progress | None = None

    @property
    def split(self) -> str:
        """The split in the suite's table."""
        return self.zip.split

    @property
    def origin(self) -> str:
        """The zip file with its md5 sum, and the folder inside."""
        return f"beir zip {self.zip.zip} {self.zip.md5} {self.zip.folder or ''}".rstrip()

    def files(self) -> Sequence[Path]:
        """The zip file; it is fetched if it is neither in the mirror nor in the downloads.

        Raises:
            DataError: the file cannot be fetched, or is not the expected one.
        """
        return [self._path]

    def convert(self, folder: Path, dirt: Dirt) -> ConvertedSource:
        """Convert it as any zip file."""
        return self._inside.convert(folder, dirt)

    @cached_property
    def _path(self) -> Path:
        file = f"{self.zip.zip}.zip"
        folders = [self.mirror / "beir"] if self.mirror else []
        for folder in (*folders, self.downloads):
            if (folder / file).exists():
                return checked(folder / file, self.zip)
        if self.mirror:
            command = f"harness fetch {self.name} --source beir --mirror {shlex.quote(str(self.mirror))}"
            raise EnvironmentFailure(
                f"{self.mirror / 'beir' / file}: not found; on a machine with a network, run: {command}"
            )
        return fetch_zip(self.zip, self.downloads, self.progress)

    @property
    def _inside(self) -> BeirSource:
        return beir_source(Zip(self._path, self.zip.folder), self.name, self.split, self.declared)


def beir_zip_source(
    entry: SuiteCollection,
    declared: DeclaredCollection,
    origin: SourceChoice,
    downloads: Path,
    progress: Progress | None = None,
) -> DownloadedZip:
    """A collection of a suite from BEIR's zip file: `<mirror>/beir/<zip>.zip`, else `<downloads>/<zip>.zip`. If neither
    exists, the zip file is fetched to the downloads, unless there is a mirror.

    Raises:
        UsageError: BEIR does not distribute the collection.
    """
    if entry.beir is None:
        raise UsageError(f"{entry.target}: BEIR has no zip file of it; choose another --source")
    mirror = origin.mirror and origin.mirror.expanduser()
    return DownloadedZip(entry.target, declared, entry.beir, mirror, downloads, progress)


def fetch_zip(wanted: BeirName, folder: Path, progress: Progress | None = None) -> Path:
    """Return the zip file in `folder`. If it is missing, fetch it from HARNESS_BEIR_URL, else from URL.

    Raises:
        DataError: the file cannot be fetched, or is not the expected one.
    """
    target = folder / f"{wanted.zip}.zip"
    if target.exists():
        return checked(target, wanted)
    address = f"{(os.environ.get(VARIABLE) or URL).rstrip('/')}/{wanted.zip}.zip"
    download(address, target, md5=wanted.md5, size=wanted.bytes, progress=progress)
    _remember(target, wanted, seen.stamp([target]))
    return target


def checked(file: Path, wanted: BeirName) -> Path:
    """Return the file if it is the expected one. The md5 sum is computed once and noted in `<file>.checked` with the
    file's stamp; it is computed again only if the stamp changes.

    Raises:
        DataError: the file is truncated, or its md5 sum is another one.
    """
    stamp = seen.stamp([file])
    if _known(file, wanted, stamp):
        return file
    size = file.stat().st_size
    if size < wanted.bytes:
        raise DataError(f"{file}: truncated, {size} of {wanted.bytes} bytes; delete it and fetch it again")
    md5 = file_md5(file)
    if md5 != wanted.md5:
        raise DataError(f"{file}: md5 {md5}, not {wanted.md5}; delete it and fetch it again")
    _remember(file, wanted, stamp)
    return file


def verify(file: Path) -> None:
    """Compare a zip file with the md5 sum in its note.

    Raises:
        NoChecksum: there is no note.
        DamagedFile: the sum is another one, or the note cannot be read.
    """
    if not _note(file).exists():
        raise NoChecksum(f"{file}: it has no note of its md5 sum")
    known = read_json(_note(file), _Checked, error=DamagedFile)
    if (md5 := file_md5(file)) != known.md5:
        raise DamagedFile(f"{file}: md5 {md5}, not {known.md5}")


@dataclass(frozen=True)
class _Checked:
    """The result of an earlier check."""

    md5: str
    file: object
    """The stamp of the file."""


def _note(file: Path) -> Path:
    return file.with_name(f"{file.name}.checked")


def _known(file: Path, wanted: BeirName, stamp: seen.Stamp) -> bool:
    with suppress(HarnessError):
        return read_json(_note(file), _Checked) == _Checked(wanted.md5, stamp)
    return False


def _remember(file: Path, wanted: BeirName, stamp: seen.Stamp) -> None:
    if not seen.settled(stamp, seen.now_ns()):
        return
    # A mirror may be read-only; then the sum is computed every time.
    with suppress(OSError), write_atomically(_note(file)) as path:
        path.write_text(json.dumps({"md5": wanted.md5, "file": stamp}), "utf-8")
