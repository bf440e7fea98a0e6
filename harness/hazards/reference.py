"""An independent reference on the user's own model and candidates: the scores of sentence-transformers itself.

A model that is read in another way than its makers meant gives numbers that look like any others. The check runs by
itself once for every reranker, before a long run; `harness check --reference sentence-transformers` asks for it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from adapters.errors import UsageError
from adapters.identity import digest
from adapters.protocols import Floats, Reranker
from adapters.reference import NoReference, reference_scores
from adapters.spec import identity_of, open_reranker
from harness.bench import Bench
from harness.collection import Collection, sampling_order
from harness.costs.plan import plan
from harness.ground import Ground, part_of
from harness.hazards.alarm import Alarm
from harness.hazards.shift import Shift, shift
from harness.hazards.trials import Request, natural, request_of, with_option
from harness.rerank import is_known
from harness.retrieve import bound
from harness.runs import cut
from harness.system import ModelReranker, System
from harness.workspace import write_atomically

LONG = 10_000
"""Pairs from which on a run is worth a check that costs a minute."""
TOLERANCE = 1e-3
"""Largest difference, as a share of the standard deviation of the reference's scores, that is one of rounding."""
_QUERIES, _DEPTH = 10, 10


@dataclass(frozen=True)
class Agreement:
    """What the comparison found."""

    shift: Shift | None
    """From the reference to ours; None where there is no reference."""
    turned_far: int = 0
    """Pairs of candidates in the other order whose reference scores differ by more than the tolerance."""
    note: str = ""
    """Why there is no reference."""

    @property
    def agrees(self) -> bool | None:
        """Whether the scores are those of the reference; None where there is none."""
        if self.shift is None:
            return None
        return self.shift.relative <= TOLERANCE and not self.turned_far

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """A hard alarm where the scores are other ones."""
        if self.agrees is not False:
            return ()
        assert self.shift is not None
        moved = self.shift
        return (
            Alarm(
                "other-scores",
                f"its scores are not those of sentence-transformers: they differ by up to {moved.largest:.2g} "
                f"({100 * moved.relative:.1f} % of their standard deviation), {100 * moved.turned:.1f} % of the pairs "
                f"of candidates stand in the other order, nDCG@10 moves by {100 * moved.gain:+z.2f} points",
            ),
        )


def compare_with_reference(spec: str, grounds: Sequence[Ground]) -> Agreement:
    """Score the candidates with the reranker in float32 and with sentence-transformers.

    Raises:
        ModelError: the reranker itself cannot score them.
    """
    adapters = [_bound(spec, ground) for ground in grounds]
    requests = [request_of(ground) for ground in grounds]
    try:
        theirs = [_reference(adapter, request) for adapter, request in zip(adapters, requests, strict=True)]
    except NoReference as error:
        return Agreement(None, note=str(error))
    ours = [natural(adapter, request) for adapter, request in zip(adapters, requests, strict=True)]
    limit = TOLERANCE * float(np.concatenate(theirs).std())
    turned = sum(_turned_far(*one, limit) for one in zip(grounds, theirs, ours, strict=True))
    return Agreement(shift(grounds, theirs, ours), turned)


class ReferenceCheck:
    """The check of one run: each reranker that has many pairs before it is compared once, ever, in its workspace.

    Args:
        collections: all those of the run.
    """

    def __init__(self, collections: Sequence[Collection], bench: Bench) -> None:
        self._collections, self._bench = collections, bench

    def look(self, ground: Ground, system: System) -> tuple[Alarm, ...]:
        """The alarms of the comparison, from the record or made now; none where it is not worth its while."""
        if not isinstance(system.reranker, ModelReranker) or not len(ground.candidates):
            return ()
        reranker = system.reranker.on(ground.collection)
        if not hasattr(reranker, "reference"):
            return ()
        file = self._file(reranker)
        known = _read(file)
        if known is not None:
            return known.alarms
        pairs = plan(self._collections, system.depth, [system.name], first_stage=system.first_stage.name).total.pairs
        if pairs <= LONG or is_known(ground.collection, ground.candidates, reranker, self._bench.ledger):
            return ()
        return self._compared(ground, system.name, file).alarms

    def _compared(self, ground: Ground, spec: str, file: Path) -> Agreement:
        some = _some(ground)
        report = self._bench.reporter.note
        report(f"{spec}: {len(some.candidates)} pairs are scored by sentence-transformers too, for comparison")
        found = compare_with_reference(spec, [some])
        if found.shift is None:
            report(f"{spec}: not compared with sentence-transformers: {found.note}")
        else:
            what = "differs" if not found.agrees else "agrees"
            report(f"{spec}: {what} with sentence-transformers, largest difference {found.shift.largest:.2g}")
        with write_atomically(file) as unfinished:
            unfinished.write_text(json.dumps(asdict(found)), "utf-8")
        return found

    def _file(self, reranker: Reranker) -> Path:
        folder = self._bench.workspace.references
        folder.mkdir(exist_ok=True)
        return folder / f"{digest(identity_of(reranker))}.json"


def _bound(spec: str, ground: Ground) -> Reranker:
    """The reranker in float32, which is what the reference computes in."""
    try:
        adapter = open_reranker(with_option(spec, "dtype", "float32"))
    except UsageError:  # it has no such option
        adapter = open_reranker(spec)
    collection = ground.collection
    found: Reranker = bound(adapter, collection, None, collection.rules.instruction)  # type: ignore[assignment]
    return found


def _reference(adapter: Reranker, request: Request) -> Floats:
    call = getattr(adapter, "reference", None)
    if call is None:
        raise NoReference("it is no model that sentence-transformers can load")
    return reference_scores(call(), request.queries, request.documents, request.pairs)


def _turned_far(ground: Ground, theirs: Floats, ours: Floats, limit: float) -> int:
    found = 0
    for start, stop in zip(ground.candidates.offsets[:-1], ground.candidates.offsets[1:], strict=True):
        first = theirs[start:stop, None].astype(np.float64) - theirs[None, start:stop]
        second = ours[start:stop, None] - ours[None, start:stop]
        found += int(((first * second < 0) & (np.abs(first) > limit)).sum()) // 2
    return found


def _some(ground: Ground) -> Ground:
    """A few queries of the ground with their first candidates."""
    rows = np.sort(sampling_order(ground.collection.queries.ids())[:_QUERIES])
    part = part_of(ground, rows)
    candidates = cut(part.candidates, _DEPTH)
    return Ground(part.collection, part.measures, candidates, replace(part.judged, run=candidates))


def _read(file: Path) -> Agreement | None:
    """What was found before; None where nothing was, or it cannot be read."""
    try:
        content = json.loads(file.read_text("utf-8"))
        moved = content["shift"]
        return Agreement(None if moved is None else Shift(**moved), content["turned_far"], content["note"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
