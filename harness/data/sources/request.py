"""How the source of a stored collection was named, so that it can be read again without the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from adapters.errors import DataError
from adapters.sums import DamagedFile, read_sealed, save_sealed, set_aside
from harness.data.label_names import split_target
from harness.data.sources.origin import SourceChoice
from harness.data.sources.recognise import DEMO, chosen_sources
from harness.data.sources.source import Source
from harness.data.suites.targets import is_suite_target
from harness.workspace import Workspace

FOLDER = "requests"
"""The folder of these files in that of the collections. A collection that is made again keeps its request."""


@dataclass(frozen=True)
class SourceRequest:
    """The arguments with which a source was found. Paths are absolute."""

    targets: tuple[str, ...]
    split: str | None
    languages: tuple[str, ...]
    rules: str | None
    source: str
    mirror: str | None
    allow_drift: bool
    origin: str
    """The identity of the source among those that the arguments name."""
    of_split: str
    """Its split."""

    def open(self, workspace: Workspace) -> Source:
        """Find the source again.

        Args:
            workspace: it has the downloads.

        Raises:
            HarnessError: the source is not there any more.
        """
        choice = SourceChoice(self.source, _path(self.mirror), self.allow_drift)  # type: ignore[arg-type]
        found = chosen_sources(
            self.targets, self.split, self.languages, _path(self.rules), origin=choice, workspace=workspace
        )
        for source in found.sources:
            if (source.origin, source.split) == (self.origin, self.of_split):
                return source
        raise DataError(f"{', '.join(self.targets)} no longer names {self.origin}")


def requested(
    targets: Sequence[str], split: str | None, languages: Sequence[str], rules: Path | None, choice: SourceChoice
) -> SourceRequest:
    """The request of some targets, without the source that it led to."""
    absolute = tuple(target if _is_name(target) else _absolute(Path(target)) for target in targets)
    files = (None if file is None else _absolute(file) for file in (rules, choice.mirror))
    rules_file, mirror = files
    return SourceRequest(
        absolute, split, tuple(languages), rules_file, choice.source, mirror, choice.allow_drift, "", ""
    )


def keep(workspace: Workspace, fingerprint: str, request: SourceRequest) -> None:
    """Write the request for a collection that has none."""
    file = _file(workspace, fingerprint)
    if not file.exists():
        file.parent.mkdir(exist_ok=True)
        save_sealed(file, fingerprint, asdict(request))


def kept(workspace: Workspace, fingerprint: str) -> SourceRequest | None:
    """The request for a collection; None if an earlier version stored the collection. A damaged one is set aside with a
    warning."""
    file = _file(workspace, fingerprint)
    if not file.exists():
        return None
    try:
        return read_sealed(file, SourceRequest, fingerprint)[0]
    except DamagedFile as damage:
        set_aside(file, damage, "the next run writes it again")
        return None


def _file(workspace: Workspace, fingerprint: str) -> Path:
    return workspace.collections / FOLDER / f"{fingerprint}.json"


def _is_name(target: str) -> bool:
    target, _ = split_target(target)
    return target == DEMO or target.startswith(f"{DEMO}/") or is_suite_target(target)


def _absolute(path: Path) -> str:
    return str(path.expanduser().resolve())


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)
