"""Fetch a repository of the Hugging Face hub into a folder. An interrupted fetch is resumed, and the folder gets its
name when it is complete."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from adapters.errors import DataError, EnvironmentFailure, HarnessError, ModelError, class_of_fetch, need
from adapters.models import convert_command
from harness.data.sources.mteb_data import first_line
from harness.workspace import replace_folder

_EXTRA = {"dataset": "mteb", "model": "models"}
_TIMEOUT = 10.0
_AGAIN = "run the same command again to resume"


@dataclass(frozen=True)
class Repository:
    """A repository of the hub and the files to fetch."""

    kind: Literal["dataset", "model"]
    name: str
    revision: str | None = None
    """A commit, a branch or a tag; None is the newest commit."""
    allow: tuple[str, ...] | None = None
    """Patterns of the files to fetch; None is all files."""

    @property
    def label(self) -> str:
        """For messages."""
        return f"{self.kind} '{self.name}{f'@{self.revision}' if self.revision else ''}'"


@dataclass(frozen=True)
class Listing:
    """The files to fetch from one commit, with their sizes in bytes; None if the hub does not give a size."""

    commit: str | None
    files: Mapping[str, int | None]

    @property
    def bytes(self) -> int | None:
        """The size of all files; None if one is not known."""
        known = [size for size in self.files.values() if size is not None]
        return sum(known) if len(known) == len(self.files) else None


def sizes(repositories: Iterable[Repository]) -> list[int | None]:
    """The size of each repository in bytes, None if the hub does not give it. After the first request without an answer
    no more are sent."""
    found: list[int | None] = []
    answers = True
    for repository in repositories:
        size = None
        if answers:
            try:
                size = _listing(repository).bytes
            except Exception as error:
                answers = hasattr(error, "response")
        found.append(size)
    return found


def unfinished(folder: Path) -> Path:
    """The name of a folder while it is being fetched. No repository can have that name."""
    return folder.with_name(f".{folder.name}.part")


def fetch_folder(repository: Repository, folder: Path) -> None:
    """Fetch a repository to `folder`. Received files survive a kill; they are in `unfinished(folder)` until every file
    has the size that the hub gives.

    Raises:
        DataError: the hub has no such dataset.
        ModelError: the hub has no such model, or it has no safetensors or ONNX weights.
        EnvironmentFailure: the hub cannot be reached, the connection broke off, or the disk is full.
        MissingExtra: huggingface_hub is not installed.
    """
    hub = need("huggingface_hub", _EXTRA[repository.kind], f"fetching '{repository.name}'")
    part = unfinished(folder)
    # Without a network the hub's client takes an incomplete folder for a complete one, so we ask the hub first.
    try:
        listing = _listing(repository)
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
        missing = DataError if repository.kind == "dataset" else ModelError
        raise _error(repository, _reason(error), class_of_fetch(error, missing)) from error
    _check_whole(repository, listing, part)
    replace_folder(part, folder)


def _listing(repository: Repository) -> Listing:
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
            f"`{convert_command(repository.name)}`, and use OUT instead"
        )


def _check_whole(repository: Repository, listing: Listing, part: Path) -> None:
    for name, size in listing.files.items():
        file = part / name
        if not file.is_file() or (size is not None and file.stat().st_size != size):
            received = file.stat().st_size if file.is_file() else 0
            reason = f"'{name}' is incomplete, {received} of {'?' if size is None else size} bytes"
            raise _error(repository, reason, EnvironmentFailure)


def _reason(error: Exception) -> str:
    if type(error).__name__ == "OfflineModeIsEnabled":
        return "HF_HUB_OFFLINE is set, so nothing is fetched; unset it on a machine with a network"
    if not hasattr(error, "response") and isinstance(error, OSError) and error.strerror:
        return error.strerror
    if type(error).__module__.partition(".")[0] in ("httpx", "httpx2", "requests", "urllib3"):
        return f"the hub cannot be reached ({first_line(error)}); check the network"
    return first_line(error)


def _error(repository: Repository, reason: str, kind: type[HarnessError]) -> HarnessError:
    return kind(f"cannot fetch the {repository.label}: {reason}; {_AGAIN}")
