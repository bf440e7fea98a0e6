"""Both sides of a gate need one number format. Two of them are refused before anything is scored."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from adapters.errors import HarnessError, UsageError
from adapters.precision import dtype_in
from adapters.spec import identity_of
from harness.data.collection import Collection
from harness.judging.gate.policy import BEST_ACCEPTED, Policy
from harness.scoring.precision import with_dtype
from harness.scoring.session import Session
from harness.scoring.system import ModelReranker, System


def in_format(policy: Policy, first: str, dtype: str | None, session: Session, *, stored: bool) -> tuple[Policy, str]:
    """Return a policy and a first stage whose specs have the number format of the gate.

    Args:
        dtype: see `with_dtype`.
        stored: whether the anchor is only looked up in a store. Its name stays, like that of an anchor that is no spec.
    """
    place, shown, anchor = session.workspace.cache, session.reporter, policy.anchor
    with suppress(HarnessError):
        if not stored and anchor != BEST_ACCEPTED:
            anchor = with_dtype(anchor, dtype, "retriever" if anchor == first else "reranker", place, shown)
    return replace(policy, anchor=anchor), with_dtype(first, dtype, "retriever", place, shown)


def refuse_formats(anchor: System, candidate: System, collection: Collection) -> None:
    """Refuse an anchor and a candidate that compute in different number formats.

    Args:
        collection: any collection of the gate; the format does not depend on it.

    Raises:
        UsageError: the formats differ. The message names both.
    """
    theirs, ours = _dtype(anchor, collection), _dtype(candidate, collection)
    if None not in (theirs, ours) and theirs != ours:
        raise UsageError(
            f"the anchor '{anchor.name}' computes in {theirs} and the candidate '{candidate.name}' in {ours}; a gate "
            f"needs one number format: write ?dtype={ours} after the anchor, or ?dtype={theirs} after the candidate"
        )


def _dtype(system: System, collection: Collection) -> str | None:
    if isinstance(system.reranker, ModelReranker):
        return dtype_in(identity_of(system.reranker.on(collection)))
    return dtype_in(system.first_stage.identity(collection)) if system.reranker is None else None
