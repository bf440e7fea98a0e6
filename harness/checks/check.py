"""`harness check`: trials of a reranker on a few candidates, and how much a measure changes when it scores again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from adapters.errors import UsageError
from adapters.identity import digest
from adapters.protocols import Floats
from adapters.spec import identity_of
from harness.checks.invariance import Examination, InvarianceFinding
from harness.checks.permutation import ListExamination
from harness.checks.reference import compare_with_reference
from harness.checks.same_model import refuse_format, same_model
from harness.checks.shift import Verdict
from harness.checks.stored_scores import stored
from harness.data.collection import Collection, sample_queries
from harness.measuring.alarms.alarm import Alarm
from harness.measuring.measures import parse
from harness.result.store import Results
from harness.scoring.costs.plan import within_budget
from harness.scoring.ground import CandidatePool, is_paired, prepare
from harness.scoring.listwise import listwise_identity
from harness.scoring.retrieve import GIVEN
from harness.scoring.session import Session
from harness.scoring.system import ListReranker, ModelReranker, System, systems

PAIRS, DEPTH = 200, 10
REFERENCE = "sentence-transformers"


@dataclass(frozen=True)
class Noise:
    """How much the mean of a stored evaluation changes when its reranker scores again."""

    evaluation: str
    measure: str
    difference: float
    """The absolute difference, a fraction."""


@dataclass(frozen=True)
class Checked:
    """The result of a check."""

    reranker: str
    collections: tuple[str, ...]
    queries: int
    pairs: int
    findings: tuple[InvarianceFinding, ...]
    noise: tuple[Noise, ...] = ()

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """The alarms of all trials."""
        return tuple(one.alarm for one in self.findings if one.alarm)

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of the trials."""
        found = {one.verdict for one in self.findings}
        return "broken" if "broken" in found else "suspicious" if "suspicious" in found else "OK"


def check(
    spec: str,
    collections: Sequence[Collection],
    session: Session,
    *,
    first_stage: str | None = None,
    depth: int = DEPTH,
    pairs: int = PAIRS,
    sample: int | None = None,
    reference: bool = False,
    dtype: str | None = None,
) -> Checked:
    """Score a few candidates of each collection in many ways.

    Args:
        first_stage: a spec. Default: the candidate lists if all collections have them, else BM25.
        depth: candidates per query. Default: 10.
        pairs: the approximate number of pairs, spread evenly over the queries of the collections. Default: 200.
        sample: use this number of queries of each collection instead.
        reference: also compare with the scores of sentence-transformers. Default: False.
        dtype: also test, on all queries or on `sample` of each collection, whether the model is the same in this number
            format; see `harness.checks.same_model`. Default: not tested.

    Raises:
        UsageError: the spec names no model, or sets the number format that `dtype` is about.
        ModelError: the model cannot score these candidates.
    """
    first = first_stage or (GIVEN if all(one.given is not None for one in collections) else "bm25")
    _, system = systems(first, [spec], depth, session.workspace)
    if not isinstance(system.reranker, ModelReranker | ListReranker):
        raise UsageError(f"'{spec}' runs no model, so there is nothing to check; name a reranker")
    if dtype is not None:
        refuse_format(spec, dtype)
    grounds = _grounds(_sampled(collections, first, depth, pairs, sample), system, session)
    if isinstance(system.reranker, ListReranker):
        scored: Examination | ListExamination = ListExamination(spec, grounds)
    else:
        scored = Examination(spec, grounds)
    findings = _followed(scored, session)
    if isinstance(scored, Examination):
        findings.append(stored(scored, session, scored.own))
        if reference:
            findings += _referred(spec, grounds, session)
    if dtype is not None:
        asked = list(collections) if sample is None else [sample_queries(one, sample) for one in collections]
        findings.append(same_model(spec, dtype, asked, first, depth, session))
    noise = _keep_noise(grounds, system, scored.first, scored.again, session)
    queries = sum(ground.judged.queries for ground in grounds)
    names = tuple(ground.collection.name for ground in grounds)
    return Checked(spec, names, queries, sum(map(len, scored.first)), tuple(findings), noise)


def _referred(spec: str, grounds: Sequence[CandidatePool], session: Session) -> list[InvarianceFinding]:
    """Return the comparison with sentence-transformers, and another one with its default prompts if they differ."""
    pairs = sum(len(one.candidates) for one in grounds)
    session.reporter.note(f"{spec}: {pairs} pairs are also scored by sentence-transformers")
    found = compare_with_reference(spec, grounds)
    if found.shift is None:
        return [InvarianceFinding(REFERENCE, "not possible", note=found.note, alarm=found.alarms[0])]
    alarm = None if found.agrees else found.alarms[0]
    compared = InvarianceFinding(REFERENCE, "broken" if alarm else "OK", found.shift, "in float32", alarm)
    if found.own is None:
        return [compared]
    return [compared, InvarianceFinding(REFERENCE, "suspicious", found.own, "with its own prompts", found.remark)]


def _sampled(
    collections: Sequence[Collection], first: str, depth: int, pairs: int, sample: int | None
) -> list[Collection]:
    if sample is not None:
        return [sample_queries(one, sample) for one in collections]
    try:
        counts: Sequence[int] = within_budget(collections, depth, pairs, first_stage=first)
    except UsageError:  # even one query of each collection has more pairs
        counts = [1] * len(collections)
    return [sample_queries(one, count) for one, count in zip(collections, counts, strict=True)]


def _grounds(collections: Sequence[Collection], system: System, session: Session) -> list[CandidatePool]:
    grounds = [prepare(one, system.first_stage, system.depth, ["nDCG@10"], session) for one in collections]
    filled = [ground for ground in grounds if len(ground.candidates)]
    if not filled:
        raise UsageError("the first stage found no candidates here; name another --first-stage or target")
    return filled


def _followed(examined: Examination | ListExamination, session: Session) -> list[InvarianceFinding]:
    findings = []
    with session.reporter.stage(f"checking {examined.spec}", None) as advance:
        for finding in examined.findings():
            findings.append(finding)
            advance(1)
    return findings


def _keep_noise(
    grounds: Sequence[CandidatePool], system: System, first: Sequence[Floats], again: Sequence[Floats], session: Session
) -> tuple[Noise, ...]:
    """Store the noise of every evaluation of this reranker on these collections or samples of them. Samples change
    more."""
    found = []
    with Results(session.workspace.results) as results:
        evaluations = [one for one in results.all() if one.reranker]
        for ground, before, after in zip(grounds, first, again, strict=True):
            mine, whole = _identity(system, ground), ground.collection.part_of or ground.collection.fingerprint
            for one in evaluations:
                same = one.collection.whole == whole
                if not same or digest(one.identity["reranker"]) != mine:  # type: ignore[arg-type]
                    continue
                for measure in (name for name in one.means if not is_paired(name)):
                    values = [ground.judged.values([parse(measure)], scores).mean() for scores in (before, after)]
                    found.append(Noise(one.id, measure, float(np.abs(values[1] - values[0]))))
                    results.keep_noise(one.id, measure, found[-1].difference)
    return tuple(found)


def _identity(system: System, ground: CandidatePool) -> str:
    if isinstance(system.reranker, ListReranker):
        return digest(listwise_identity(system.reranker.on(ground.collection)))
    assert isinstance(system.reranker, ModelReranker)
    return digest(identity_of(system.reranker.on(ground.collection)))
