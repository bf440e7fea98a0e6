"""Whether a judge is independent of the systems that it judges. A judge that is not would praise its own errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from adapters.errors import UsageError
from adapters.lineage import Lineage, descended, lineage_of, marks_of
from adapters.paths import user_path
from adapters.protocols import Judge
from adapters.spec import parse
from harness.result.stored import Stored


def refuse_circular(judge: Judge | Lineage, candidates: Sequence[str | Lineage], *, corrected: bool) -> tuple[str, ...]:
    """Refuse a judge that is a candidate or its teacher, was fitted from one of them or by the same teacher, or is a
    model that a candidate was fitted from.

    Every statement that rests on a judge calls this first.

    Args:
        judge: the judge, or its lineage.
        candidates: specs or folders of the systems that are judged, or their lineages.
        corrected: whether labels of people correct the judge. Then it is not refused but named.

    Returns:
        Remarks that every statement has to show: why the judge is not independent, and common backbones.

    Raises:
        UsageError: the judge is not independent, and no labels of people correct it.
        ModelError: a manifest is damaged.
    """
    own = judge if isinstance(judge, Lineage) else lineage_of(judge)
    others = [one if isinstance(one, Lineage) else lineage_of(one) for one in candidates]
    reasons = [reason for other in others for reason in _reasons(own, other)]
    if reasons and not corrected:
        raise UsageError(
            f"{reasons[0]}, so its judgments are not independent of it; label some items to correct the judge, or name "
            "another judge"
        )
    marked = [f"NOT INDEPENDENT: {reason}; only the labels of people correct this" for reason in reasons]
    return (*marked, *(remark for other in others for remark in _backbones(own, other)))


def lineage_of_stored(stored: Stored) -> Lineage:
    """Return the lineage of a stored system, with what the manifest in its folder adds if that is still there. The
    folder is that of its spec, with a kind before it or without, as in `cross-encoder:./checkpoint`."""
    made = stored.identity.get("reranker") or stored.identity.get("retriever")
    own, bases = marks_of(made if isinstance(made, Mapping) else {"name": stored.system})
    return descended(stored.system, own, _folder_in(stored.system), bases)


def _folder_in(system: str) -> list[Path]:
    try:
        folder = user_path(parse(system).model)
    except UsageError:  # an imported name is no spec, and a kind may be of a package that is not installed here
        return []
    return [folder] if folder.is_dir() else []


def _reasons(judge: Lineage, candidate: Lineage) -> Iterator[str]:
    who, system = f"the judge {judge.name}", candidate.name
    if judge.own & candidate.own:
        yield f"{who} is the candidate {system}"
    elif judge.own & candidate.teachers:
        yield f"{who} is a teacher of the candidate {system}"
    elif judge.own & candidate.models:
        yield f"{who} is the model that the candidate {system} was fitted from"
    elif judge.models & candidate.own:
        yield f"{who} was fitted from the candidate {system}"
    elif judge.models & candidate.teachers:
        yield f"{who} was fitted from a teacher of the candidate {system}"
    elif judge.teachers & candidate.own:
        yield f"{who} was taught by the candidate {system}"
    elif judge.teachers & candidate.teachers:
        yield f"{who} was taught by a teacher of the candidate {system}"


def _backbones(judge: Lineage, candidate: Lineage) -> Iterator[str]:
    if judge.models & candidate.models:
        yield f"the judge {judge.name} and {candidate.name} were fitted from a common backbone"
