"""A mirror folder: what a machine without a network needs for suites and models, told before it is fetched."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from adapters.errors import DataError, HarnessError, UsageError
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

VARIABLE = "HARNESS_MIRROR"
"""The mirror where none is named; `adapters.models` looks for models there."""
Where = Literal["auto", "mteb", "beir", "irds"]
_OF_FOLDERS = (None, "embedder", "cross-encoder", "causal-lm", "onnx")


@dataclass(frozen=True)
class Piece:
    """One thing that is brought as a whole or not at all."""

    wanted: Repository | BeirName | str
    """A dataset or model of the hub, a zip file of BEIR, or the id of a data set of ir_datasets."""
    path: Path
    """Where it lies in the mirror."""
    there: bool
    """Whether it is complete, so that nothing is fetched."""
    bytes: int | None = None
    """None where nobody says it before it is fetched."""

    @property
    def kind(self) -> str:
        """`dataset`, `model`, `zip` or `irds`."""
        if isinstance(self.wanted, Repository):
            return self.wanted.kind
        return "zip" if isinstance(self.wanted, BeirName) else "irds"

    @property
    def name(self) -> str:
        """As its origin names it."""
        if isinstance(self.wanted, Repository):
            return self.wanted.name
        return f"{self.wanted.zip}.zip" if isinstance(self.wanted, BeirName) else self.wanted

    @property
    def revision(self) -> str | None:
        """Of the hub; None where none was asked for."""
        return self.wanted.revision if isinstance(self.wanted, Repository) else None

    @property
    def label(self) -> str:
        """Kind, name and revision on one line."""
        return f"{self.kind} {self.name}{f'@{self.revision}' if self.revision else ''}"

    @property
    def size(self) -> str:
        """The size for people."""
        return "unknown size" if self.bytes is None else _people(self.bytes)

    def as_dict(self) -> dict[str, object]:
        """For JSON; `bytes` is null where the size is not known."""
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
    """Tell what would be brought, bring it unless it is a dry run, and return the pieces as they are then.

    Raises:
        UsageError: no mirror, nothing to fetch, or an unknown target, source or model.
        DataError, ModelError: something cannot be fetched, or the disk has no room for it.
    """
    if mirror is None:
        raise UsageError(f"where to? name a folder with --mirror or {VARIABLE}")
    if not targets and not models:
        raise UsageError("nothing to fetch; name a suite such as beir/scifact, or a model with --model")
    pieces = plan_fetch(targets, mirror, models, source)
    if dry_run:
        return pieces
    fetch(pieces, mirror, reporter or Silent())
    return [replace(piece, there=True) for piece in pieces]


def plan_fetch(targets: Sequence[str], mirror: Path, models: Sequence[str] = (), source: Where = "auto") -> list[Piece]:
    """The pieces of suites (`beir`, `miracl/sw`, `mteb/SciFact`) and of models (specs), each once; writes nothing.

    `auto` is what a run reads: what is in the mirror, else mteb's dataset where mteb is installed, else BEIR's zip
    file, else ir_datasets. A dataset of the hub is brought with all of its languages.

    Raises:
        UsageError: an unknown target, one that the source lacks, or a model that is not of the hub.
    """
    mirror = mirror.expanduser()
    if mirror.exists() and not mirror.is_dir():
        raise UsageError(f"the mirror '{mirror}' is a file; name a folder with --mirror or {VARIABLE}")
    origin = SourceChoice(source=source, mirror=mirror)
    sources = [one for target in targets for one in suite_sources(target, origin=origin)]
    found = [_of_source(one, mirror) for one in sources if isinstance(one, SuiteSource)]
    return _sized(list(dict.fromkeys([*found, *(_of_model(text, mirror) for text in models)])))


def fetch(pieces: Sequence[Piece], mirror: Path, reporter: Reporter) -> None:
    """Bring what is not there, in order. A piece that broke off goes on where it was, and none is there half.

    Raises:
        DataError, ModelError: one cannot be fetched, or the disk has no room for those whose size is known.
        MissingExtra: the package that one is fetched with is not installed.
    """
    missing = [piece for piece in pieces if not piece.there]
    reporter.note(_summary(missing, len(pieces) - len(missing), mirror))
    _check_room(missing, mirror.expanduser())
    try:
        for number, piece in enumerate(missing, 1):
            reporter.note(f"fetching {piece.label}, {piece.size} ({number} of {len(missing)})")
            _bring(piece, reporter)
    except OSError as error:
        raise DataError(
            f"{error.filename or mirror}: cannot be written ({error.strerror}); name another --mirror"
        ) from (error)


def _of_source(source: SuiteSource, mirror: Path) -> Piece:
    inner = source.inner
    if isinstance(inner, DownloadedZip):
        path = mirror / "beir" / f"{inner.zip.zip}.zip"
        # Several collections may lie in one zip file, each with a folder and split of its own.
        whole = replace(inner.zip, folder=None, split="")
        return Piece(whole, path, path.is_file() and path.stat().st_size == whole.bytes, whole.bytes)
    if isinstance(inner, IrDataset):
        home = mirror / "irds"
        return Piece(inner.dataset, home, _has_irds(home, inner.dataset))
    path = mirrored(source.entry, mirror)
    names = source.entry.mteb
    # What mteb_task asks of a mirror.
    return Piece(Repository("dataset", names.path, names.revision), path, (path / "README.md").is_file())


def _has_irds(home: Path, dataset: str) -> bool:
    if not home.is_dir():
        return False
    files = downloads(library(home.resolve()), dataset)
    return all(
        Path(one.path(force=False)).exists() or (home / "downloads" / str(one.expected_md5)).exists() for one in files
    )


def _of_model(text: str, mirror: Path) -> Piece:
    without_model = text.startswith(("run:", "control:"))
    spec = parse("-" if without_model else text)
    if spec.kind not in _OF_FOLDERS or not is_hub_name(spec.model):
        raise UsageError(f"'{text}' is no model of the hub, such as 'BAAI/bge-reranker-v2-m3' or 'onnx:ORG/NAME'")
    onnx = spec.kind == "onnx"
    path = mirrored_model(mirror, spec.model, spec.revision)
    code = spec.options.get("code") == "own"
    more = ONNX_FILES if onnx else CODE_FILES if code else ()
    allow = (*MODEL_FILES, *more)
    there = any(path.rglob(more[0] if more else "*.safetensors"))
    return Piece(Repository("model", spec.model, spec.revision, allow), path, there)


def _sized(pieces: Sequence[Piece]) -> list[Piece]:
    """With the hub's sizes for what is not there."""
    asked = [piece.wanted for piece in pieces if isinstance(piece.wanted, Repository) and not piece.there]
    known = dict(zip(asked, sizes(asked), strict=True))
    return [
        replace(piece, bytes=known[piece.wanted])
        if isinstance(piece.wanted, Repository) and piece.wanted in known
        else piece
        for piece in pieces
    ]


def _bring(piece: Piece, reporter: Reporter) -> None:
    if isinstance(piece.wanted, Repository):
        fetch_folder(piece.wanted, piece.path)
    elif isinstance(piece.wanted, BeirName):
        _bring_zip(piece.wanted, piece.path, reporter)
    else:
        _bring_irds(piece.wanted, piece.path)


def _bring_zip(wanted: BeirName, path: Path, reporter: Reporter) -> None:
    done = 0
    with reporter.stage(f"{path.name}, bytes", wanted.bytes) as advance:

        def show(arrived: int, _: int | None) -> None:
            nonlocal done
            advance(arrived - done)
            done = arrived

        fetch_zip(wanted, path.parent, show)


def _bring_irds(dataset: str, home: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    files = downloads(library(home.resolve()), dataset)
    try:
        for one in files:
            one.path()
    except HarnessError:
        raise
    except Exception as error:  # whatever the library and the network raise
        raise cannot(dataset, error, home) from error


def _summary(missing: Sequence[Piece], complete: int, mirror: Path) -> str:
    known = [piece.bytes for piece in missing if piece.bytes is not None]
    unknown = len(missing) - len(known)
    told = [_people(sum(known))] if known else []
    told += [f"{unknown} of unknown size"] if unknown else []
    parts = [f"{len(missing)} to fetch into {mirror}: {', '.join(told)}"] if missing else ["nothing to fetch"]
    parts += [f"{complete} there already"] if complete else []
    return ", ".join(parts)


def _check_room(missing: Sequence[Piece], mirror: Path) -> None:
    wanted = sum(max((piece.bytes or 0) - _arrived(piece), 0) for piece in missing)
    there = next(folder for folder in (mirror.absolute(), *mirror.absolute().parents) if folder.exists())
    free = shutil.disk_usage(there).free
    if wanted > free:
        raise DataError(f"{mirror}: {wanted} bytes are missing and {free} are free on the disk; make room")


def _arrived(piece: Piece) -> int:
    """Bytes of an earlier try."""
    if piece.kind == "zip":
        part = piece.path.with_name(f"{piece.path.name}.part")
        return part.stat().st_size if part.is_file() else 0
    if piece.kind == "irds":
        return 0
    folders = (piece.path, unfinished(piece.path))
    return sum(file.stat().st_size for folder in folders for file in folder.rglob("*") if file.is_file())


def _people(size: int) -> str:
    for unit, least in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= least:
            return f"{size / least:,.1f} {unit}"
    return f"{size} bytes"
