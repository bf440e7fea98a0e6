"""Fetch a mirror folder: the data and models that a machine without a network needs. The sizes are shown first."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from adapters.errors import EnvironmentFailure, HarnessError, UsageError
from adapters.models import CODE_FILES, MODEL_FILES, ONNX_FILES, is_hub_name, mirrored_model
from adapters.spec import parse
from harness.data.mirror.hub_folder import Repository, fetch_folder, sizes, unfinished
from harness.data.sources.beir_download import DownloadedZip, fetch_zip
from harness.data.sources.ir_dataset import IrDataset
from harness.data.sources.irds_library import cannot, downloads, library
from harness.data.sources.mteb_task import mirrored
from harness.data.sources.origin import SourceChoice
from harness.data.sources.suite_source import SuiteSource, suite_sources
from harness.data.suites.table import BeirName
from harness.progress import Reporter, Silent
from harness.workspace import readable_size

VARIABLE = "HARNESS_MIRROR"
"""The environment variable with the default mirror. `adapters.models` looks for models there."""
Where = Literal["auto", "mteb", "beir", "irds"]
_OF_FOLDERS = (None, "embedder", "cross-encoder", "causal-lm", "onnx")


@dataclass(frozen=True)
class Piece:
    """One thing to fetch, completely or not at all."""

    wanted: Repository | BeirName | str
    """A dataset or model of the hub, a zip file of BEIR, or the id of a data set of ir_datasets."""
    path: Path
    """Its path in the mirror."""
    there: bool
    """Whether it is complete in the mirror, so that nothing is fetched."""
    bytes: int | None = None
    """Its size; None if it is not known before the fetch."""

    @property
    def kind(self) -> str:
        """`dataset`, `model`, `zip` or `irds`."""
        if isinstance(self.wanted, Repository):
            return self.wanted.kind
        return "zip" if isinstance(self.wanted, BeirName) else "irds"

    @property
    def name(self) -> str:
        """Its name at the source."""
        if isinstance(self.wanted, Repository):
            return self.wanted.name
        return f"{self.wanted.zip}.zip" if isinstance(self.wanted, BeirName) else self.wanted

    @property
    def revision(self) -> str | None:
        """The revision on the hub; None if none was given."""
        return self.wanted.revision if isinstance(self.wanted, Repository) else None

    @property
    def label(self) -> str:
        """Kind, name and revision on one line."""
        return f"{self.kind} {self.name}{f'@{self.revision}' if self.revision else ''}"

    @property
    def size(self) -> str:
        """The size in readable units."""
        return "unknown size" if self.bytes is None else readable_size(self.bytes)

    def as_dict(self) -> dict[str, object]:
        """For JSON; `bytes` is null if the size is not known."""
        return {
            "kind": self.kind,
            "name": self.name,
            "revision": self.revision,
            "bytes": self.bytes,
            "there": self.there,
            "path": str(self.path),
        }


def run_fetch(
    targets: Sequence[str],
    models: Sequence[str] = (),
    mirror: Path | None = None,
    source: Where = "auto",
    reporter: Reporter | None = None,
    *,
    dry_run: bool = False,
) -> list[Piece]:
    """Fetch suites and models into a mirror, and return the pieces. In a dry run nothing is fetched.

    Raises:
        UsageError: there is no mirror or nothing to fetch, or a target, source or model is unknown.
        DataError, ModelError: something cannot be fetched, or the disk does not have enough space.
    """
    if mirror is None:
        raise UsageError(f"no mirror; name a folder with --mirror or {VARIABLE}")
    if not targets and not models:
        raise UsageError("nothing to fetch; name a suite such as beir/scifact, or a model with --model")
    pieces = plan_fetch(targets, mirror, models, source)
    if dry_run:
        return pieces
    fetch(pieces, mirror, reporter or Silent())
    return [replace(piece, there=True) for piece in pieces]


def plan_fetch(targets: Sequence[str], mirror: Path, models: Sequence[str] = (), source: Where = "auto") -> list[Piece]:
    """The pieces of suites (`beir`, `miracl/sw`, `mteb/SciFact`) and of models (specs), each once. It writes nothing.

    `auto` is what a run would read: what is in the mirror, else mteb's dataset if mteb is installed, else BEIR's zip
    file, else ir_datasets. A dataset of the hub is fetched with all of its languages.

    Raises:
        UsageError: a target is unknown, the source lacks it, or a model is not on the hub.
    """
    mirror = mirror.expanduser()
    if mirror.exists() and not mirror.is_dir():
        raise UsageError(f"the mirror '{mirror}' is a file; name a folder with --mirror or {VARIABLE}")
    origin = SourceChoice(source=source, mirror=mirror)
    sources = [each for target in targets for each in suite_sources(target, origin=origin)]
    data = [_of_source(each, mirror) for each in sources if isinstance(each, SuiteSource)]
    return _sized(list(dict.fromkeys([*data, *(_of_model(text, mirror) for text in models)])))


def fetch(pieces: Sequence[Piece], mirror: Path, reporter: Reporter) -> None:
    """Fetch the missing pieces in order. An interrupted piece is resumed, and it gets its name when it is complete.

    Raises:
        DataError, ModelError: a piece is not there, or not what it should be.
        EnvironmentFailure: a piece cannot be fetched, or the disk does not have enough space for the known sizes.
        MissingExtra: the package that fetches a piece is not installed.
    """
    missing = [piece for piece in pieces if not piece.there]
    reporter.note(_summary(missing, len(pieces) - len(missing), mirror))
    _check_space(missing, mirror.expanduser())
    try:
        for number, piece in enumerate(missing, 1):
            reporter.note(f"fetching {piece.label}, {piece.size} ({number} of {len(missing)})")
            _fetch_piece(piece, reporter)
    except OSError as error:
        raise EnvironmentFailure(
            f"{error.filename or mirror}: cannot be written ({error.strerror}); name another --mirror"
        ) from error


def _of_source(source: SuiteSource, mirror: Path) -> Piece:
    inner = source.inner
    if isinstance(inner, DownloadedZip):
        path = mirror / "beir" / f"{inner.zip.zip}.zip"
        # A zip file may have several collections, each with its own folder and split.
        whole = replace(inner.zip, folder=None, split="")
        return Piece(whole, path, path.is_file() and path.stat().st_size == whole.bytes, whole.bytes)
    if isinstance(inner, IrDataset):
        home = mirror / "irds"
        return Piece(inner.dataset, home, _has_irds(home, inner.dataset))
    path = mirrored(source.entry, mirror)
    names = source.entry.mteb
    # `mteb_task` requires this file too.
    return Piece(Repository("dataset", names.path, names.revision), path, (path / "README.md").is_file())


def _has_irds(home: Path, dataset: str) -> bool:
    if not home.is_dir():
        return False
    files = downloads(library(home.resolve()), dataset)
    return all(
        Path(file.path(force=False)).exists() or (home / "downloads" / str(file.expected_md5)).exists()
        for file in files
    )


def _of_model(text: str, mirror: Path) -> Piece:
    without_model = text.startswith(("run:", "control:"))
    spec = parse("-" if without_model else text)
    if spec.kind not in _OF_FOLDERS or not is_hub_name(spec.model):
        raise UsageError(
            f"'{text}' is not a model of the hub; name one such as 'BAAI/bge-reranker-v2-m3' or 'onnx:ORG/NAME'"
        )
    onnx = spec.kind == "onnx"
    path = mirrored_model(mirror, spec.model, spec.revision)
    code = spec.options.get("code") == "own"
    more = ONNX_FILES if onnx else CODE_FILES if code else ()
    allow = (*MODEL_FILES, *more)
    there = any(path.rglob(more[0] if more else "*.safetensors"))
    return Piece(Repository("model", spec.model, spec.revision, allow), path, there)


def _sized(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces, with the hub's sizes for those that are missing."""
    missing = [piece.wanted for piece in pieces if isinstance(piece.wanted, Repository) and not piece.there]
    bytes_of = dict(zip(missing, sizes(missing), strict=True))
    return [
        replace(piece, bytes=bytes_of[piece.wanted])
        if isinstance(piece.wanted, Repository) and piece.wanted in bytes_of
        else piece
        for piece in pieces
    ]


def _fetch_piece(piece: Piece, reporter: Reporter) -> None:
    if isinstance(piece.wanted, Repository):
        fetch_folder(piece.wanted, piece.path)
    elif isinstance(piece.wanted, BeirName):
        _fetch_zip(piece.wanted, piece.path, reporter)
    else:
        _fetch_irds(piece.wanted, piece.path)


def _fetch_zip(wanted: BeirName, path: Path, reporter: Reporter) -> None:
    done = 0
    with reporter.stage(f"{path.name}, bytes", wanted.bytes) as advance:

        def show(arrived: int, _: int | None) -> None:
            nonlocal done
            advance(arrived - done)
            done = arrived

        fetch_zip(wanted, path.parent, show)


def _fetch_irds(dataset: str, home: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    files = downloads(library(home.resolve()), dataset)
    try:
        for file in files:
            file.path()
    except HarnessError:
        raise
    except Exception as error:  # the library passes on all errors of its parsers and the network
        raise cannot(dataset, error, home) from error


def _summary(missing: Sequence[Piece], complete: int, mirror: Path) -> str:
    known = [piece.bytes for piece in missing if piece.bytes is not None]
    unknown = len(missing) - len(known)
    amounts = [readable_size(sum(known))] if known else []
    amounts += [f"{unknown} of unknown size"] if unknown else []
    parts = [f"{len(missing)} to fetch into {mirror}: {', '.join(amounts)}"] if missing else ["nothing to fetch"]
    parts += [f"{complete} already there"] if complete else []
    return ", ".join(parts)


def _check_space(missing: Sequence[Piece], mirror: Path) -> None:
    needed = sum(max((piece.bytes or 0) - _received(piece), 0) for piece in missing)
    existing = next(folder for folder in (mirror.absolute(), *mirror.absolute().parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    if needed > free:
        raise EnvironmentFailure(
            f"{mirror}: {needed} bytes are needed and {free} are free on the disk; free some space"
        )


def _received(piece: Piece) -> int:
    """Bytes from an earlier try."""
    if piece.kind == "zip":
        part = piece.path.with_name(f"{piece.path.name}.part")
        return part.stat().st_size if part.is_file() else 0
    if piece.kind == "irds":
        return 0
    folders = (piece.path, unfinished(piece.path))
    return sum(file.stat().st_size for folder in folders for file in folder.rglob("*") if file.is_file())
