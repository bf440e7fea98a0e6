"""Imported runs as systems. They are measured and audited like all others, and their results are marked."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.errors import UsageError
from harness.data.collection import Collection
from harness.data.runs import Run, cut
from harness.result.origin import KEY, marked
from harness.running.imported.formats import RunFile
from harness.scoring.alarms.candidates import outside_corpus
from harness.scoring.ground import CandidatePool
from harness.scoring.retrieve import FirstStage, remarked
from harness.scoring.session import Session
from harness.scoring.system import MadeOf, Scores, System, looked_up


@dataclass(frozen=True)
class ImportedStage:
    """An imported run whose documents are the candidates."""

    name: str
    """The name with the mark for imported systems."""
    file: RunFile

    def check(self) -> None:
        """The file was read when its format was looked at."""

    def identity(self, collection: Collection) -> dict[str, object]:
        """Return an identity of the file's bytes and the name."""
        return {KEY: self.file.origin.identity, "name": self.name}

    def candidates(self, collection: Collection, depth: int, session: Session) -> Run:
        """Return the best documents of the run."""
        return cut(remarked(self.file.read(collection), self.file.path, collection, session), depth)


@dataclass(frozen=True)
class ImportedReranker:
    """An imported run whose scores reorder candidates."""

    name: str
    """The name with the mark for imported systems."""
    file: RunFile

    def check(self) -> None:
        """The file was read when its format was looked at."""

    def score(self, ground: CandidatePool, session: Session) -> Scores:
        """Return the scores of all candidates. A candidate that the file lacks is an error."""
        given = remarked(self.file.read(ground.collection), self.file.path, ground.collection, session)
        run = looked_up(given, ground.candidates, self.file.path, ground.collection)
        if left := len(given) - len(run):
            session.reporter.note(f"{self.file.path}: {left:,} scored documents are not candidates, and are left out")
        identity = {KEY: self.file.origin.identity, "name": self.name}
        return Scores(run, identity, alarms=tuple(outside_corpus(given)))


@dataclass(frozen=True)
class ImportedSystem(System):
    """A system whose identity contains its origin."""

    def made_of(self, ground: CandidatePool, scores: Scores) -> MadeOf:
        """Return the identity of the system, with its origin."""
        return MadeOf({**super().made_of(ground, scores).content, KEY: scores.identity[KEY]})


def imported_systems(file: RunFile, name: str | None, first: RunFile | FirstStage | None, depth: int) -> list[System]:
    """Return the first stage, and the file as a system over it; without `first`, the file is the first stage.

    Args:
        name: the name of the system. Default: the name that the file states.
        first: the candidates that the file reorders: another run, named as it states or after its file, or a first
            stage.
        depth: candidates per query.

    Raises:
        UsageError: the system has no name, or its name is not allowed.
    """
    found = name or file.stated_name
    if not found:
        raise UsageError(f"{file.path}: a run in the format {file.format} names no system; name it with --name")
    own = marked(found)
    if first is None:
        return [ImportedSystem(ImportedStage(own, file), depth)]
    if not isinstance(first, RunFile):
        return [System(first, depth), ImportedSystem(first, depth, ImportedReranker(own, file))]
    stage = ImportedStage(marked(first.stated_name or first.path.name.split(".")[0]), first)
    return [ImportedSystem(stage, depth), ImportedSystem(stage, depth, ImportedReranker(own, file))]
