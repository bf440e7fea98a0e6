"""A system: a first stage, or a first stage with a reranker at a depth. Its identity is a digest of their content."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Protocol, cast
from urllib.parse import parse_qsl

import numpy as np

from adapters.budgets import CallRecord, recorded
from adapters.errors import DataError, UsageError, did_you_mean
from adapters.identity import digest, file_digest
from adapters.protocols import ListwiseReranker, Reranker
from adapters.spec import identity_of, open_ranker, refuse_early, remarks_of
from harness.data.collection import Collection
from harness.data.runs import Run
from harness.data.trec import read_run
from harness.data.unpacked import refuse_no_file
from harness.measuring.alarms.alarm import Alarm
from harness.measuring.controls import CONTROLS, control_scores, length_scores, noisy_oracle
from harness.scoring.alarms.candidates import outside_corpus
from harness.scoring.engine import AdapterSource
from harness.scoring.ground import CandidatePool
from harness.scoring.ledger.store import Entries
from harness.scoring.listwise import listwise_identity, reorder
from harness.scoring.rerank import rerank
from harness.scoring.retrieve import GIVEN, FirstStage, ModelStage, bound, first_stage, remarked, source_of
from harness.scoring.session import Session
from harness.workspace import Workspace

EVALUATOR = 1
"""Raise this number when a change of the code can change a value: results of different evaluators have different
ids."""


@dataclass(frozen=True)
class Scores:
    """A scored run, and the identity of the system that scored it."""

    run: Run
    identity: Mapping[str, object]
    entries: Entries | None = None
    fresh: int = 0
    seconds: float = 0.0
    alarms: tuple[Alarm, ...] = ()
    """Alarms from the scoring."""
    calls: tuple[CallRecord, ...] = ()
    """How the model is called in this workspace, on each kind of device; empty if that is not recorded."""


@dataclass(frozen=True)
class MadeOf:
    """Everything that determines a result."""

    content: Mapping[str, object]

    @property
    def id(self) -> str:
        """The id, 12 hex digits of a digest of the content."""
        return digest(self.content)[:12]


class SecondStage(Protocol):
    """The protocol of rerankers of any kind: they give the candidates their final scores."""

    @property
    def name(self) -> str: ...
    def check(self) -> None:
        """Raise the errors that can be found before anything expensive is done."""
        ...

    def score(self, ground: CandidatePool, session: Session) -> Scores: ...


@dataclass(frozen=True)
class ModelReranker:
    """A reranker adapter that scores pairs. Known scores come from the ledger."""

    name: str
    cache: Path

    @cached_property
    def _reranker(self) -> Reranker:
        return cast(Reranker, open_ranker(self.name))

    @property
    def scores_pairs(self) -> bool:
        """Whether the adapter scores pairs; False if it only orders whole lists."""
        return hasattr(self._reranker, "score")

    def check(self) -> None:
        """Check that the files of the model can be loaded."""
        refuse_early(self._reranker)

    def on(self, collection: Collection) -> Reranker:
        """The adapter, bound to a collection."""
        return cast(Reranker, bound(self._reranker, collection, self.cache, collection.rules.instruction))

    def uncached(self, collection: Collection) -> Reranker:
        """The adapter, bound without the vectors that it keeps on the disk or in memory."""
        return cast(Reranker, bound(self._reranker, collection, None, collection.rules.instruction))

    def source(self, collection: Collection) -> AdapterSource:
        """What another process opens the same adapter from."""
        adapter = self.on(collection)
        return source_of(self.name, "reranker", adapter, collection, self.cache, collection.rules.instruction)

    def score(self, ground: CandidatePool, session: Session) -> Scores:
        """Score the candidates that are not in the ledger."""
        collection = ground.collection
        reranker = self.on(collection)
        title, source = f"{collection.name}: {self.name}", self.source(collection)
        done = rerank(collection, ground.candidates, reranker, session, title, source)
        assumed = tuple(Alarm("assumed", remark) for remark in remarks_of(reranker))
        identity = identity_of(reranker)
        calls = recorded(session.workspace.cache, identity)
        if done.fresh:
            self._say(calls, session)
        return Scores(done.run, identity, done.entries, done.fresh, done.seconds, assumed, calls)

    def _say(self, calls: tuple[CallRecord, ...], session: Session) -> None:
        """Note how the model is called, once in a run."""
        for call in calls:
            if call not in self._said:
                self._said.add(call)
                session.reporter.note(f"{self.name}: {call}")

    @cached_property
    def _said(self) -> set[CallRecord]:
        return set()


@dataclass(frozen=True)
class ListReranker:
    """A listwise adapter, which orders whole candidate lists. Known orders come from the ledger."""

    name: str
    cache: Path

    @cached_property
    def _reranker(self) -> ListwiseReranker:
        return cast(ListwiseReranker, open_ranker(self.name))

    def check(self) -> None:
        """Open the adapter and compute its identity."""
        refuse_early(self._reranker)

    def on(self, collection: Collection) -> ListwiseReranker:
        """The adapter, bound to a collection."""
        return cast(ListwiseReranker, bound(self._reranker, collection, self.cache, collection.rules.instruction))

    def score(self, ground: CandidatePool, session: Session) -> Scores:
        """Order the lists that are not in the ledger."""
        reranker = self.on(ground.collection)
        title = f"{ground.collection.name}: {self.name}"
        done = reorder(ground.collection, ground.candidates, reranker, session, title)
        identity = listwise_identity(reranker)
        return Scores(done.run, identity, fresh=done.fresh, seconds=done.seconds, alarms=done.alarms)


@dataclass(frozen=True)
class RunFileReranker:
    """Scores from a TREC run file."""

    name: str
    file: Path

    def check(self) -> None:
        """Check that the file exists."""
        refuse_no_file(self.file, "run file")

    def score(self, ground: CandidatePool, session: Session) -> Scores:
        """Look up every candidate in the file. A missing candidate is an error."""
        collection, candidates = ground.collection, ground.candidates
        given = remarked(read_run(self.file, collection), self.file, collection, session)
        run = looked_up(given, candidates, self.file, collection)
        return Scores(run, {"run-file": file_digest(self.file)}, alarms=tuple(outside_corpus(given)))


def looked_up(given: Run, candidates: Run, file: Path, collection: Collection) -> Run:
    """Return the candidates with their scores in another run of the same collection.

    Raises:
        DataError: the run lacks a candidate.
    """
    size = len(collection.corpus)
    keys = given.queries * size + given.documents
    order = np.argsort(keys)
    wanted = candidates.queries * size + candidates.documents
    place = np.searchsorted(keys, wanted, sorter=order).clip(max=len(keys) - 1)
    found = keys[order[place]] == wanted
    if not found.all():
        raise DataError(
            f"{file}: {int((~found).sum()):,} of {len(wanted):,} candidates of {collection.name} have no "
            "score in it; score every candidate, or lower --depth to what was scored"
        )
    return candidates.rescored(given.scores[order[place]])


@dataclass(frozen=True)
class ControlReranker:
    """A control instead of a model: `control:random?seed=1`, `control:oracle?noise=0.2`, `control:length`."""

    name: str

    def _parsed(self) -> tuple[str, int, float]:
        kind, _, options = self.name.removeprefix("control:").partition("?")
        if kind not in (known := (*CONTROLS, "length")):
            raise UsageError(f"unknown control '{kind}'.{did_you_mean(kind, known)}")
        given = dict(parse_qsl(options, keep_blank_values=True))
        noise = given.pop("noise", "0") if kind == "oracle" else "0"
        if set(given) - {"seed"} or not given.get("seed", "0").isdecimal():
            raise UsageError(f"'{self.name}': a control has one option, seed, a whole number")
        if not re.fullmatch(r"0(\.\d+)?|1(\.0+)?", noise):
            raise UsageError(f"'{self.name}': noise has to be from 0 to 1; it is the share of labels that are replaced")
        return kind, int(given.get("seed", "0")), float(noise)

    def check(self) -> None:
        """Check that the control exists."""
        self._parsed()

    def score(self, ground: CandidatePool, session: Session) -> Scores:
        """Score the candidates without a model."""
        kind, seed, noise = self._parsed()
        if kind == "length":
            scores = length_scores(ground.collection, ground.candidates)
        else:
            scores = noisy_oracle(ground.judged, noise, seed) if noise else control_scores(kind, ground.judged, seed)
        identity = {"control": kind, "seed": seed, **({"noise": noise} if noise else {})}
        return Scores(ground.candidates.rescored(scores), identity)


@dataclass(frozen=True)
class System:
    """A system to evaluate."""

    first_stage: FirstStage
    depth: int
    reranker: SecondStage | None = None

    @property
    def name(self) -> str:
        """The spec that the user gave."""
        return self.reranker.name if self.reranker else self.first_stage.name

    @property
    def label(self) -> str:
        """The name, marked for a first stage, because a reranker may have the same name."""
        return self.name if self.reranker else f"{self.name} (first stage)"

    def check(self) -> None:
        """Raise the errors that can be found before anything expensive is done."""
        if self.reranker:
            self.reranker.check()
        else:
            self.first_stage.check()

    def uncached(self, collection: Collection) -> Callable[[], Reranker] | None:
        """What gives the model as a reranker of pairs that knows no vectors yet; None if it scores no pairs."""
        if isinstance(self.reranker, ModelReranker):
            return partial(self.reranker.uncached, collection)
        first = self.first_stage
        if self.reranker is None and isinstance(first, ModelStage) and first.embeds:
            return partial(first.uncached, collection)
        return None

    def score(self, ground: CandidatePool, session: Session) -> Scores:
        """Score the frozen candidates with this system."""
        if self.reranker is None:
            assumed = tuple(Alarm("assumed", remark) for remark in remarks_of(self.first_stage))
            return Scores(ground.candidates, self.first_stage.identity(ground.collection), alarms=assumed)
        return self.reranker.score(ground, session)

    def made_of(self, ground: CandidatePool, scores: Scores) -> MadeOf:
        """Everything that determines the values of this system on a collection."""
        return MadeOf({
            "evaluator": EVALUATOR,
            "collection": ground.collection.fingerprint,
            "retriever": dict(self.first_stage.identity(ground.collection)),
            "depth": None if self.first_stage.name == GIVEN else self.depth,  # given lists are not cut
            "candidates": ground.candidates.digest,
            "reranker": dict(scores.identity) if self.reranker else None,
        })  # fmt: skip


def systems(first: str, rerankers: list[str], depth: int, workspace: Workspace) -> list[System]:
    """The first stage alone, and with each reranker. Specs that cannot work are refused first.

    Raises:
        HarnessError: the depth is below 1, or a spec cannot work.
    """
    if depth < 1:
        raise UsageError(f"--depth {depth}: at least one candidate is needed")
    stage = first_stage(first, workspace)
    all_systems = [System(stage, depth), *(System(stage, depth, _second_stage(name, workspace)) for name in rerankers)]
    for system in all_systems:
        system.check()
    return all_systems


def _second_stage(spec: str, workspace: Workspace) -> SecondStage:
    if spec.startswith("run:"):
        return RunFileReranker(spec, Path(spec.removeprefix("run:")))
    if spec.startswith("control:"):
        return ControlReranker(spec)
    model = ModelReranker(spec, workspace.cache)
    return model if model.scores_pairs else ListReranker(spec, workspace.cache)
