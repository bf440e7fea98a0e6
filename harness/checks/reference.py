"""Compares a reranker's scores with those of sentence-transformers, on the user's model and candidates.

A model that is read in another way than its authors meant gives numbers that look normal. The check runs automatically
once for every reranker, before a long run, and with `harness check --reference sentence-transformers`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from urllib.parse import quote

import numpy as np

from adapters.errors import UsageError
from adapters.identity import digest
from adapters.protocols import Floats, IndexPairs, Reranker, StreamingReranker
from adapters.reference import NoReference, Reference, ReferenceCall, reference_scores
from adapters.spec import identity_of, open_reranker, with_option
from adapters.sums import DamagedFile, read_sealed, save_sealed, set_aside
from harness.checks.shift import Shift, shift
from harness.checks.trials import Request, natural, request_of
from harness.data.collection import Collection, sampling_order
from harness.data.runs import cut
from harness.measuring.alarms.alarm import Alarm
from harness.scoring.costs.plan import plan
from harness.scoring.ground import CandidatePool, part_of
from harness.scoring.rerank import is_known
from harness.scoring.retrieve import bound
from harness.scoring.session import Session
from harness.scoring.system import ModelReranker, System

LONG = 10_000
"""The number of pairs from which on a run is worth a check that takes a minute."""
TOLERANCE = 1e-3
"""The largest difference that counts as rounding, as a share of the standard deviation of the reference's scores."""
_QUERIES, _DEPTH = 10, 10
_RECORD = 2
"""The version of the record. It increases when earlier records may be wrong."""
_SHORTENINGS, _SHORTER = 8, 0.9


@dataclass(frozen=True)
class ReferenceAgreement:
    """The result of the comparison."""

    shift: Shift | None
    """The change from the reference's scores to ours; None if there is no reference."""
    turned_far: int = 0
    """The number of swapped pairs of candidates whose reference scores differ by more than the tolerance."""
    note: str = ""
    """Why there is no reference."""
    own: Shift | None = None
    """The change from the scores with sentence-transformers' default prompts; None if there is no difference."""
    prompts: str = ""
    """The default prompts, the prompts that are used, and how to choose the defaults."""

    @property
    def agrees(self) -> bool | None:
        """Whether the scores agree with the reference; None if there is no reference."""
        if self.shift is None:
            return None
        return self.shift.relative <= TOLERANCE and not self.turned_far

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """A hard alarm if the scores differ; remarks if nothing could be compared, or if the prompts are not those of
        sentence-transformers."""
        if self.shift is None:
            return (Alarm("not-compared", f"its scores were not compared with sentence-transformers: {self.note}"),)
        found = () if self.agrees else (Alarm("other-scores", f"its scores are not those {_moved(self.shift)}"),)
        return found if self.own is None else (*found, self.remark)

    @property
    def remark(self) -> Alarm:
        """The remark about the difference that the prompts make."""
        assert self.own is not None
        return Alarm("other-prompts", f"{self.prompts}; the scores are not those {_moved(self.own)}")


def _moved(moved: Shift) -> str:
    return (
        f"of sentence-transformers: they differ by up to {moved.largest:.2g} ({100 * moved.relative:.1f} % of their "
        f"standard deviation), {100 * moved.turned:.1f} % of the pairs of candidates are swapped, nDCG@10 changes by "
        f"{100 * moved.gain:+z.2f} points"
    )


def compare_with_reference(spec: str, grounds: Sequence[CandidatePool]) -> ReferenceAgreement:
    """Score the candidates with the reranker in float32 and with sentence-transformers.

    Raises:
        ModelError: the reranker cannot score the candidates.
    """
    adapters = [_bound(spec, ground) for ground in grounds]
    try:
        calls = [_call(adapter) for adapter in adapters]
        asked = zip(calls, adapters, grounds, strict=True)
        requests = [_comparable(call, adapter, request_of(ground)) for call, adapter, ground in asked]
        found = [
            reference_scores(call, request.queries, request.documents, request.pairs)
            for call, request in zip(calls, requests, strict=True)
        ]
    except NoReference as error:
        return ReferenceAgreement(None, note=str(error))
    theirs = [one.scores for one in found]
    ours = [natural(adapter, request) for adapter, request in zip(adapters, requests, strict=True)]
    limit = TOLERANCE * float(np.concatenate(theirs).std())
    turned = sum(_turned_far(*one, limit) for one in zip(grounds, theirs, ours, strict=True))
    own = shift(grounds, [one.scores if one.own is None else one.own for one in found], ours)
    other = next((pair for pair in zip(adapters, found, strict=True) if pair[1].own is not None), None)
    if other is None or own.relative <= TOLERANCE:
        return ReferenceAgreement(shift(grounds, theirs, ours), turned)
    return ReferenceAgreement(shift(grounds, theirs, ours), turned, "", own, _prompts(*other))


class ReferenceCheck:
    """The check of one run. Each reranker with many pairs to score is compared once per workspace.

    Args:
        collections: all collections of the run.
    """

    def __init__(self, collections: Sequence[Collection], session: Session) -> None:
        self._collections, self._session = collections, session
        self._failed: dict[Path, ReferenceAgreement] = {}
        """Rerankers that could not be compared in this run. The next run tries again: it may have more memory."""

    def look(self, ground: CandidatePool, system: System) -> tuple[Alarm, ...]:
        """Return the alarms of the comparison, from the record or computed now; none if the run is too short."""
        if not isinstance(system.reranker, ModelReranker) or not len(ground.candidates):
            return ()
        reranker = system.reranker.on(ground.collection)
        if not hasattr(reranker, "reference"):
            return ()
        file = self._file(reranker)
        lost = False
        try:
            known = self._failed.get(file) or _read(file)
        except DamagedFile as damage:
            set_aside(file, damage, "the reranker is compared again")
            known, lost = None, True
        if known is not None:
            return known.alarms
        pairs = plan(self._collections, system.depth, [system.name], first_stage=system.first_stage.name).total.pairs
        known_pairs = is_known(ground.collection, ground.candidates, reranker, self._session.ledger)
        if not lost and (pairs <= LONG or known_pairs):
            return ()
        return self._compared(ground, system.name, file).alarms

    def _compared(self, ground: CandidatePool, spec: str, file: Path) -> ReferenceAgreement:
        some = _some(ground)
        report = self._session.reporter.note
        report(f"{spec}: {len(some.candidates)} pairs are also scored by sentence-transformers, for comparison")
        found = compare_with_reference(spec, [some])
        if found.shift is None:
            self._failed[file] = found
            report(f"{spec}: not compared with sentence-transformers: {found.note}")
            return found
        what = "differs" if not found.agrees else "agrees"
        report(f"{spec}: {what} with sentence-transformers, largest difference {found.shift.largest:.2g}")
        save_sealed(file, file.stem, asdict(found))
        return found

    def _file(self, reranker: Reranker) -> Path:
        folder = self._session.workspace.references
        folder.mkdir(exist_ok=True)
        return folder / f"{digest({'record': _RECORD, 'identity': identity_of(reranker)})}.json"


def _bound(spec: str, ground: CandidatePool) -> Reranker:
    """Return the reranker in float32, the precision of the reference."""
    try:
        adapter = open_reranker(with_option(spec, "dtype", "float32"))
    except UsageError:  # the reranker has no such option
        adapter = open_reranker(spec)
    collection = ground.collection
    found: Reranker = bound(adapter, collection, None, collection.rules.instruction)  # type: ignore[assignment]
    return found


def _call(adapter: Reranker) -> ReferenceCall:
    call = getattr(adapter, "reference", None)
    if call is None:
        raise NoReference("sentence-transformers cannot load this kind of model")
    found: ReferenceCall = call()
    return found


def _comparable(call: ReferenceCall, adapter: Reranker, request: Request) -> Request:
    """Return the request, with shorter documents if sentence-transformers would truncate the inputs differently.

    Raises:
        NoReference: the truncation is not known, or cannot be avoided.
    """
    if not call.whole:
        return request
    if not isinstance(adapter, StreamingReranker):
        raise NoReference("sentence-transformers truncates long inputs differently")
    documents, rows = list(request.documents), np.arange(len(request.pairs))
    for _ in range(_SHORTENINGS):
        shares = _kept(adapter, request.queries, documents, request.pairs[rows])
        rows, shares = rows[shares < 1], shares[shares < 1]
        if not len(rows):
            return replace(request, documents=documents)
        cut = request.pairs[rows, 1]
        for document in np.unique(cut).tolist():
            kept = len(documents[document]) * float(shares[cut == document].min()) * _SHORTER
            documents[document] = documents[document][: int(kept)]
    raise NoReference("sentence-transformers truncates long inputs differently, and no document is short enough")


def _kept(adapter: StreamingReranker, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Floats:
    """Return the share of each document's tokens that reaches the model, [pairs]."""
    shares = np.ones(len(pairs), np.float32)
    for part in adapter.stream(queries, documents, pairs):
        shares[part.rows] = np.where(part.kept < part.tokens, part.kept / np.maximum(part.tokens, 1), 1)
    return shares


def _prompts(adapter: Reranker, reference: Reference) -> str:
    """Return a sentence about the prompts that are used, those of sentence-transformers, and the options to choose
    them."""
    used = getattr(getattr(adapter, "embedder", adapter), "prompts", {})
    ours = (used.get("query", ""), used.get("document", ""))
    options = [
        f"{name}={quote(theirs, safe='')}"
        for name, mine, theirs in zip(("query_prompt", "document_prompt"), ours, reference.own_prompts, strict=True)
        if mine != theirs
    ]
    return (
        f"its folder is read as the prompts {ours[0]!r} before queries and {ours[1]!r} before documents, but "
        f"sentence-transformers uses {reference.own_prompts[0]!r} and {reference.own_prompts[1]!r} by default "
        f"(choose these with ?{'&'.join(options)})"
    )


def _turned_far(ground: CandidatePool, theirs: Floats, ours: Floats, limit: float) -> int:
    found = 0
    for start, stop in zip(ground.candidates.offsets[:-1], ground.candidates.offsets[1:], strict=True):
        first = theirs[start:stop, None].astype(np.float64) - theirs[None, start:stop]
        second = ours[start:stop, None] - ours[None, start:stop]
        found += int(((first * second < 0) & (np.abs(first) > limit)).sum()) // 2
    return found


def _some(ground: CandidatePool) -> CandidatePool:
    """Return a few queries with their first candidates."""
    rows = np.sort(sampling_order(ground.collection.queries.ids())[:_QUERIES])
    part = part_of(ground, rows)
    candidates = cut(part.candidates, _DEPTH)
    return CandidatePool(part.collection, part.measures, candidates, replace(part.judged, run=candidates))


def _read(file: Path) -> ReferenceAgreement | None:
    """Return the record of an earlier comparison; None if there is none."""
    known = read_record(file) if file.exists() else None
    return known if known is not None and known.shift is not None else None


def read_record(file: Path) -> ReferenceAgreement:
    """Return the record of a comparison.

    Raises:
        DamagedFile: it is not what was written.
    """
    return read_sealed(file, ReferenceAgreement, file.stem, complete=True)[0]
