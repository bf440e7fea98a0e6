"""The anchor that the proposals of an adaptation are compared with. It is chosen once, before training, and kept."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from adapters.errors import DataError, HarnessError, UsageError
from adapters.identity import digest
from adapters.spec import identity_of
from adapters.typed_file import read_json
from harness.data.collection import Collection
from harness.judging.gate.looks import LookLog, SystemRecord
from harness.judging.gate.policy import BEST_ACCEPTED, Policy
from harness.judging.gate.restemmed import refuse_accepted
from harness.judging.gate.stage import Stage, split_of
from harness.result.store import Results
from harness.scoring.ground import prepare
from harness.scoring.system import ModelReranker, System
from training.adapting.targets import Tiers
from training.job import write_json

FILE = "anchor.json"


@dataclass(frozen=True)
class TierAnchor:
    """The names of the anchor in each tier."""

    name: str
    """The name to print."""
    dev: str
    """A spec that can be opened, because dev measures the anchor itself."""
    gate: str
    """The value for a policy: a spec, or `best-accepted`."""
    final: str
    note: str = ""


def anchor_of(tiers: Tiers, policy: Policy, base: str, out: Path) -> TierAnchor:
    """The policy's anchor, or the base if the policy says `best-accepted` and nothing was accepted on these queries
    yet. It is chosen once and kept in `out`, so that a killed run continues with the same anchor.

    Args:
        base: the spec of the base, which has a score head.

    Raises:
        UsageError: the best accepted system cannot be opened and was not measured on the final queries.
    """
    file = out / FILE
    if file.exists():
        return _read(file)
    found = _chosen(tiers, policy, base)
    write_json(file, asdict(found))
    return found


def _chosen(tiers: Tiers, policy: Policy, base: str) -> TierAnchor:
    if policy.anchor != BEST_ACCEPTED:
        return TierAnchor(policy.anchor, policy.anchor, policy.anchor, policy.anchor)
    for stage in (tiers.gate, tiers.final):
        refuse_accepted(stage, LookLog(stage.session.workspace.results))
    best, last = _best(tiers.gate), _best(tiers.final)
    if best is None:
        return TierAnchor(
            "base", base, base, BEST_ACCEPTED if last else base, "nothing was accepted on these queries yet"
        )
    still = _is_still_there(tiers.gate, best)
    if last is None and not still:
        raise UsageError(
            f"the best accepted system '{best.name}' cannot be opened as it was, and was not measured on the final "
            f"queries; name an anchor in the policy: anchor = '...'"
        )
    note = "" if still else f"'{best.name}' cannot be opened as it was: on dev the proposals are compared with the base"
    return TierAnchor(
        best.name, best.name if still else base, BEST_ACCEPTED, BEST_ACCEPTED if last else best.name, note
    )  # fmt: skip


def _best(stage: Stage) -> SystemRecord | None:
    looks = LookLog(stage.session.workspace.results)
    return looks.best(split_of(_candidates(stage)), stage.measure) if looks.accepted() else None


def _candidates(stage: Stage) -> dict[str, str]:
    """Digests of a stage's candidates, by the fingerprint of their collection. No reranker is called."""
    first = stage.system(stage.first_stage)
    measures = [stage.policy.measure] if stage.policy.measure else []
    grounds = [prepare(one, first.first_stage, first.depth, measures, stage.session) for one in stage.collections]
    return {one.collection.fingerprint: one.candidates.candidates for one in grounds}


def _is_still_there(stage: Stage, best: SystemRecord) -> bool:
    """Whether the name still opens the accepted system. A folder may have another model by now."""
    with Results(stage.session.workspace.results) as results:
        stored = {one.collection.fingerprint: one for one in map(results.find, best.evaluations)}
    try:
        system = stage.system(best.name)
        return all(
            digest({"reranker": stored[one.fingerprint].identity["reranker"]}) == _identity(system, one)
            for one in stage.collections
        )
    except (HarnessError, OSError):
        return False


def _identity(system: System, collection: Collection) -> str | None:
    if system.reranker is None:
        return digest({"reranker": None})
    if not isinstance(system.reranker, ModelReranker):
        return None
    return digest({"reranker": dict(identity_of(system.reranker.on(collection)))})


def _read(file: Path) -> TierAnchor:
    advice = "damaged; delete the file and run again"
    return read_json(file, TierAnchor, error=DataError, advice=advice, complete=True)
