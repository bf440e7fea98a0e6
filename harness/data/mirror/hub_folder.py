"""One repository of the Hugging Face hub as a folder: resumed where it broke off, and named when it is whole."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from adapters.errors import DataError, HarnessError, ModelError, need
from adapters.models import convert_command
from harness.data.sources.mteb_data import first_line
from harness.workspace import replace_folder

_EXTRA = {"dataset": "mteb", "model": "models"}
_TIMEOUT = 10.0
_AGAIN = "run the same command again and it goes on where it was"


@dataclass(frozen=True)
class Repository:
    """What is wanted of the hub."""

    kind: Literal["dataset", "model"]
    name: str
    revision: str | None = None
    """A commit, a branch or a tag; None is the newest commit."""
    allow: tuple[str, ...] | None = None
    """Patterns of the files that are wanted; None is all of them."""

    @property
    def label(self) -> str:
        """For messages."""
        return f"{self.kind} '{self.name}{f'@{self.revision}' if self.revision else ''}'"


@dataclass(frozen=True)
class Listing:
    """The wanted files of one commit, with their bytes where the hub says them."""

    commit: str | None
    files: Mapping[str, int | None]

    @property
    def bytes(self) -> int | None:
        """Of all files; None where one of them is not known."""
        known = [size for size in self.files.values() if size is not None]
        return sum(known) if len(known) == len(self.files) else None


def sizes(repositories: Iterable[Repository]) -> list[int | None]:
    """The bytes of each repository, None where the hub does not say. Once it does not answer, it is not asked again."""
    found: list[int | None] = []
    answers = True
    for repository in repositories:
        size = None
        if answers:
            try:
                size = _asked(repository).bytes
            except Exception as error:
                answers = hasattr(error, "response")
        found.append(size)
    return found


def unfinished(folder: Path) -> Path:
    """Where a folder lies while it is being filled; no repository can have that name."""
    return folder.with_name(f".{folder.name}.part")


def fetch_folder(repository: Repository, folder: Path) -> None:
    """Bring the repository to `folder`. What arrived survives a kill and lies in `unfinished(folder)` until every file
    has the size that the hub tells.

    Raises:
        DataError: a dataset cannot be fetched; ModelError: a model cannot, or has no safetensors or ONNX weights.
        MissingExtra: huggingface_hub is not installed.
    """
    hub = need("huggingface_hub", _EXTRA[repository.kind], f"fetching '{repository.name}'")
    part = unfinished(folder)
    # The hub's client takes a folder that is half there for a whole one when there is no network, so we ask first.
    try:
        listing = _asked(repository)
        _check_weights(repository, listing)
        if folder.is_dir() and not part.exists():
            folder.rename(part)
        part.mkdir(parents=True, exist_ok=True)
        hub.snapshot_download(
            repository.name,
            repo_type=repository.kind,
            revision=listing.commit or repository.revision,
            local_dir=part,
            allow_patterns=repository.allow and list(repository.allow),
        )
    except HarnessError:
        raise
    except Exception as error:  # the client raises a dozen unrelated classes for "not there" and "no network"
        raise _error(repository, _reason(error)) from error
    _check_whole(repository, listing, part)
    replace_folder(part, folder)


def _asked(repository: Repository) -> Listing:
    hub = need("huggingface_hub", _EXTRA[repository.kind], f"fetching '{repository.name}'")
    info: Any = hub.HfApi().repo_info(
        repository.name,
        repo_type=repository.kind,
        revision=repository.revision,
        timeout=_TIMEOUT,
        files_metadata=True,
    )
    files = {each.rfilename: each.size for each in info.siblings or ()}
    patterns = ("*",) if repository.allow is None else repository.allow
    return Listing(info.sha, {name: files[name] for name in files if _matches(name, patterns)})


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _check_weights(repository: Repository, listing: Listing) -> None:
    wanted = ("*.safetensors", "*.onnx", "*.py")  # a repository may hold nothing but the code of others
    if repository.kind == "model" and not any(_matches(name, wanted) for name in listing.files):
        raise ModelError(
            f"the {repository.label} has no safetensors weights on the hub, and pickled ones are not read; run "
            f"`{convert_command(repository.name)}`, and name OUT"
        )


def _check_whole(repository: Repository, listing: Listing, part: Path) -> None:
    for name, size in listing.files.items():
        file = part / name
        if not file.is_file() or (size is not None and file.stat().st_size != size):
            there = file.stat().st_size if file.is_file() else 0
            raise _error(repository, f"'{name}' is not whole, {there} of {'?' if size is None else size} bytes")


def _reason(error: Exception) -> str:
    if type(error).__name__ == "OfflineModeIsEnabled":
        return "HF_HUB_OFFLINE is set, so nothing is fetched; unset it where there is a network"
    if not hasattr(error, "response") and isinstance(error, OSError) and error.strerror:
        return error.strerror
    if type(error).__module__.partition(".")[0] in ("httpx", "httpx2", "requests", "urllib3"):
        return f"the hub cannot be reached ({first_line(error)}); is there a network?"
    return first_line(error)


def _error(repository: Repository, reason: str) -> HarnessError:
    kind = DataError if repository.kind == "dataset" else ModelError
    return kind(f"cannot fetch the {repository.label}: {reason}; {_AGAIN}")
