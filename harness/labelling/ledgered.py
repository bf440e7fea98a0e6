"""Judgments through the ledger: a pair that a judge has judged is not judged again, also after a kill."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from adapters.errors import ModelError
from adapters.identity import text_digests
from adapters.judges.pairs import distinct, named
from adapters.judges.streamed import ScoreJudge
from adapters.protocols import Floats, Identity, Judge, Scored, StreamingJudge
from adapters.spec import identity_of
from harness.progress import Reporter, Silent
from harness.scoring.ledger.store import Entries, Ledger
from harness.workspace import Workspace

_AT_ONCE = 256
"""Pairs in a call of a judge that does not stream; a killed run loses at most so much."""
Stream = Callable[[Sequence[str], Sequence[str]], Iterator[Scored]]


@dataclass(frozen=True)
class JudgedPairs:
    """The values of pairs, and how they were made."""

    values: Floats
    """float32 [pairs] in [0, 1]; raw scores where no threshold is known yet."""
    fresh: int
    """Different pairs that were judged now; the others were in the ledger."""
    counted: int
    """Pairs whose tokens the judge counts."""
    truncated: int
    """Pairs of which it did not read all tokens."""
    asked_again: Mapping[str, int] = field(default_factory=dict)
    """How often a server was asked again, by reason."""


def judged(judge: Judge, premises: Sequence[str], claims: Sequence[str], workspace: Workspace) -> Floats:
    """The values of pairs, float32 [len(claims)]. Those in the ledger of the workspace are not computed again.

    Raises:
        ModelError: a value is not in [0, 1], in a line that names the pair.
        HarnessError: the judge fails.
    """
    with Ledger(workspace.ledger) as ledger:
        return judgments(judge, premises, claims, ledger).values


def judgments(
    judge: Judge, premises: Sequence[str], claims: Sequence[str], ledger: Ledger, reporter: Reporter | None = None
) -> JudgedPairs:
    """The values of pairs, with counts. As `judged`."""
    if isinstance(judge, ScoreJudge):  # another threshold asks nothing again
        found = scores(judge, premises, claims, ledger, reporter)
        values = judge.values(found.values)
        _refuse(judge, values, premises, claims)
        return JudgedPairs(values, found.fresh, found.counted, found.truncated)

    def checked(some: Sequence[str], others: Sequence[str]) -> Iterator[Scored]:
        for scored in _stream_of(judge)(some, others):
            rows = scored.rows.tolist()
            _refuse(judge, scored.scores, [some[row] for row in rows], [others[row] for row in rows])
            yield scored

    found = _known_or_made(judge.name, identity_of(judge), checked, (premises, claims), False, ledger, reporter)
    return JudgedPairs(found.values, found.fresh, found.counted, found.truncated, getattr(judge, "asked_again", {}))


def scores(
    judge: ScoreJudge, premises: Sequence[str], claims: Sequence[str], ledger: Ledger, reporter: Reporter | None = None
) -> JudgedPairs:
    """The raw scores of pairs, under the identity of the judge's reranker."""
    identity = identity_of(judge.scorer)
    texts = premises, claims
    return _known_or_made(judge.name, identity, judge.raw, texts, judge.premise_first, ledger, reporter)


def _known_or_made(  # noqa: PLR0917
    name: str,
    identity: Identity,
    stream: Stream,
    texts: tuple[Sequence[str], Sequence[str]],
    premise_first: bool,
    ledger: Ledger,
    reporter: Reporter | None,
) -> JudgedPairs:
    """Look up pairs, compute those that are missing and record them as they come."""
    premises, claims = texts
    if len(premises) != len(claims):
        raise ValueError(f"{len(premises)} premises for {len(claims)} claims")
    left, right = (premises, claims) if premise_first else (claims, premises)
    (queries, of_query), (documents, of_document) = distinct(left), distinct(right)
    pairs, inverse = np.unique(np.stack([of_query, of_document], axis=1), axis=0, return_inverse=True)
    digests = text_digests(queries), text_digests(documents)
    scorer = ledger.scorer(dict(identity))
    known, entries = ledger.known(scorer, *digests, pairs)
    missing = np.flatnonzero(~known)
    if len(missing):
        some, others = [queries[row] for row in pairs[missing, 0]], [documents[row] for row in pairs[missing, 1]]
        asked = (some, others) if premise_first else (others, some)
        with (reporter or Silent()).stage(f"judge {name}", len(missing)) as advance:
            for scored in _once(name, stream(*asked), asked):
                ledger.record(scorer, *digests, pairs[missing[scored.rows]], _entries(scored))
                advance(len(scored.rows))
        ledger.compact(scorer)
        known, entries = ledger.known(scorer, *digests, pairs)
        if not known.all():
            raise ModelError(f"the judge {name}: {int((~known).sum())} pairs came back without a value")
    counted = entries.tokens >= 0
    cut = counted & (entries.kept < entries.tokens)
    at = inverse.reshape(-1)
    return JudgedPairs(entries.score[at], len(missing), int(counted[at].sum()), int(cut[at].sum()))


def _once(name: str, stream: Iterator[Scored], texts: tuple[Sequence[str], Sequence[str]]) -> Iterator[Scored]:
    """Refuse pairs that were not asked for or come twice, and values that are not finite."""
    seen = np.zeros(len(texts[0]), bool)
    for scored in stream:
        rows = scored.rows
        if len(rows) != len(scored.scores) or (len(rows) and not 0 <= rows.min() <= rows.max() < len(seen)):
            raise ModelError(f"the judge {name} returned values for pairs that were not asked for")
        if seen[rows].any() or len(np.unique(rows)) < len(rows):
            raise ModelError(f"the judge {name} returned a pair twice; every pair has one value")
        if (bad := np.flatnonzero(~np.isfinite(scored.scores))).size:
            row = int(rows[bad[0]])
            raise ModelError(_outside(name, float(scored.scores[bad[0]]), texts[0][row], texts[1][row]))
        seen[rows] = True
        yield scored


def _stream_of(judge: Judge) -> Stream:
    return judge.stream if isinstance(judge, StreamingJudge) else lambda *texts: _in_parts(judge, *texts)


def _in_parts(judge: Judge, premises: Sequence[str], claims: Sequence[str]) -> Iterator[Scored]:
    for start in range(0, len(claims), _AT_ONCE):
        rows = np.arange(start, min(start + _AT_ONCE, len(claims)))
        values = np.asarray(judge.judge(premises[start : start + _AT_ONCE], claims[start : start + _AT_ONCE]))
        if values.shape != rows.shape:
            raise ModelError(f"the judge {judge.name} returned an array {list(values.shape)} for {len(rows)} pairs")
        unknown = np.full(len(rows), -1, np.int32)
        yield Scored(rows, values.astype(np.float32), unknown, unknown, np.zeros(len(rows), np.uint64))


def _refuse(judge: Judge, values: Floats, premises: Sequence[str], claims: Sequence[str]) -> None:
    """Refuse a value outside [0, 1], or one that is not among the judge's grades."""
    wrong = ~((values >= 0) & (values <= 1))
    if judge.grades is not None:
        wrong |= ~np.isin(values, np.array(judge.grades, np.float32))
    if (bad := np.flatnonzero(wrong)).size:
        row = int(bad[0])
        raise ModelError(_outside(judge.name, float(values[row]), premises[row], claims[row], judge.grades))


def _outside(name: str, value: float, premise: str, claim: str, grades: tuple[float, ...] | None = None) -> str:
    wanted = "in [0, 1]" if grades is None else f"one of {', '.join(f'{grade:g}' for grade in grades)}"
    return (
        f"the judge {name} returned {value:g} for {named(premise, claim)}; a value has to be {wanted}; nothing of this "
        "call was kept"
    )


def _entries(scored: Scored) -> Entries:
    return Entries(scored.scores, scored.tokens, scored.kept, scored.inputs)
