"""Imported runs as systems: they are measured and audited like all others, and everything that they make is marked."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.errors import UsageError
from harness.data.collection import Collection
from harness.data.runs import Run, cut
from harness.progress import Reporter
from harness.result.origin import KEY, marked
from harness.running.imported.formats import RunFile
from harness.scoring.alarms.candidates import outside_corpus
from harness.scoring.ground import CandidatePool
from harness.scoring.retrieve import FirstStage
from harness.scoring.session import Session
from harness.scoring.system import MadeOf, Scores, System, looked_up


@dataclass(frozen=True)
class ImportedStage:
    """A run whose documents are the candidates."""

    name: str
    """Marked."""
    file: RunFile

    def check(self) -> None:
        """The file was read when its format was looked at."""

    def identity(self, collection: Collection) -> dict[str, object]:
        """The bytes of the file, and the name that it was given."""
        return {KEY: self.file.origin.identity, "name": self.name}

    def candidates(self, collection: Collection, depth: int, reporter: Reporter) -> Run:
        """The best of the file."""
        return cut(self.file.read(collection), depth)


@dataclass(frozen=True)
class ImportedReranker:
    """A run whose scores reorder candidates."""

    name: str
    """Marked."""
    file: RunFile

    def check(self) -> None:
        """The file was read when its format was looked at."""

    def score(self, ground: CandidatePool, session: Session) -> Scores:
        """Look every candidate up in the file; one that it lacks is an error, never a zero."""
        given = self.file.read(ground.collection)
        run = looked_up(given, ground.candidates, self.file.path, ground.collection)
        if left := len(given) - len(run):
            session.reporter.note(f"{self.file.path}: {left:,} scored documents are no candidates, and are left out")
        identity = {KEY: self.file.origin.identity, "name": self.name}
        return Scores(run, identity, alarms=tuple(outside_corpus(given)))


@dataclass(frozen=True)
class ImportedSystem(System):
    """A system whose identity says that somebody else computed it."""

    def made_of(self, ground: CandidatePool, scores: Scores) -> MadeOf:
        """As of any system, and where it is from."""
        return MadeOf({**super().made_of(ground, scores).content, KEY: scores.identity[KEY]})


def imported_systems(file: RunFile, name: str | None, first: RunFile | FirstStage | None, depth: int) -> list[System]:
    """The first stage, and the file over it; without a first stage the file is one.

    Args:
        name: needed where the file states none.
        first: another run, which has the name that it states or its file's, or a first stage of ours; the file reorders
            its candidates.

    Raises:
        UsageError: the system has no name, or one that cannot be taken.
    """
    found = name or file.stated_name
    if not found:
        raise UsageError(f"{file.path}: a run in the format {file.format} names no system; give it one with --name")
    own = marked(found)
    if first is None:
        return [ImportedSystem(ImportedStage(own, file), depth)]
    if not isinstance(first, RunFile):
        return [System(first, depth), ImportedSystem(first, depth, ImportedReranker(own, file))]
    stage = ImportedStage(marked(first.stated_name or first.path.name.split(".")[0]), first)
    return [ImportedSystem(stage, depth), ImportedSystem(stage, depth, ImportedReranker(own, file))]
