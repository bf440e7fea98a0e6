"""How much questions differed in earlier gates against the same anchor, how low their lower bounds were, and the claims
that follow from both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

import numpy as np

from adapters.errors import HarnessError
from harness.data.collection import Collection, question_of
from harness.judging.compare.paired import PairedValues, joined
from harness.judging.compare.side import ComparedSide, stored_side
from harness.judging.gate.claims import PartClaim, PartQuestions, claims_of, languages
from harness.judging.gate.looks import Look
from harness.judging.gate.policy import BEST_ACCEPTED
from harness.judging.gate.stage import Stage
from harness.measuring.questions import questions_of
from harness.measuring.statistics.chance import size_of
from harness.measuring.statistics.design import Design
from harness.measuring.statistics.equivalence import lower_bound
from harness.measuring.statistics.error import estimate
from harness.measuring.statistics.rare import cautious_bound
from harness.measuring.votes import shares
from harness.result.secrets import without_secrets
from harness.result.store import Results

AVERAGE = ""
"""The key of the macro average over all collections."""
LEAST = 20
"""An earlier gate with fewer questions of a part says nothing about its spread."""


@dataclass(frozen=True)
class Spreads:
    """Standard deviations of a question's difference in earlier gates, and how low their bounds were."""

    anchor: str
    looks: int = 0
    """The number of earlier gates against this anchor whose values are stored."""
    sds: Mapping[str, float] = field(default_factory=dict)
    """The median over these gates, a fraction, by key of the part; see `PartClaim.key`."""
    stretches: Mapping[str, float] = field(default_factory=dict)
    """The median of `PartClaim.stretch` over these gates, by key of the part."""


def planned_claims(stage: Stage, spreads: Spreads) -> tuple[PartClaim, ...]:
    """Return the parts of a gate and which of them a pass claims, before anything is scored."""
    parts = [asked(one) for one in stage.collections]
    votes = shares([one.group for one in stage.collections])
    return claims_of(parts, votes, stage.policy, stage.tier, spreads=spreads.sds, stretches=spreads.stretches)


def earlier_spreads(stage: Stage, looks: Sequence[Look]) -> Spreads:
    """Read the paired values of earlier looks at these collections against the anchor of the policy.

    The anchor is found by name; `best-accepted` is the accepted system with the highest macro average on these
    collections. Looks whose evaluations cannot be read any more are left out.

    Args:
        looks: the looks of the gate's workspace, and of the anchor's if it is another one.
    """
    alike = [look for look in looks if look.measure == stage.measure and set(look.collections) & set(stage.whole)]
    anchor = _anchor(stage, alike)
    found = list[dict[str, _Spread]]()
    for look in alike:
        if look.alpha and look.anchor.name == anchor:
            found += _spreads(stage, look)
    keys = dict.fromkeys(key for one in found for key in one)
    sds = {key: float(median(one[key].sd for one in found if key in one)) for key in keys}
    stretches = {key: float(median(one[key].stretch for one in found if key in one)) for key in keys}
    return Spreads(anchor, len(found), sds, stretches)


def asked(collection: Collection) -> PartQuestions:
    """Return the questions of a collection, before anything is scored."""
    ids = None if collection.changes is None else list(dict.fromkeys(map(question_of, collection.queries.ids())))
    own = questions_of(collection, ids)
    return PartQuestions(collection.name, collection.fingerprint, collection.language, own)


def _anchor(stage: Stage, looks: Sequence[Look]) -> str:
    """Return the name of the anchor as looks store it."""
    if stage.policy.anchor != BEST_ACCEPTED:
        return without_secrets(stage.policy.anchor)
    accepted = [system for look in looks if look.accepted for system in (look.anchor, look.candidate)]
    best = max(accepted, key=lambda one: -1.0 if one.macro is None else one.macro, default=None)
    return BEST_ACCEPTED if best is None else best.name


@dataclass(frozen=True)
class _Spread:
    sd: float
    stretch: float


def _spreads(stage: Stage, look: Look) -> list[dict[str, _Spread]]:
    """Return the spreads of one look by key of the part; nothing if its values cannot be read."""
    try:
        pairs = _pairs(stage, look)
    except HarnessError:
        return []
    places = {one.part_of or one.fingerprint: one for one in stage.collections}
    parts = [(places[key].fingerprint, [pair]) for key, pair in pairs.items() if key in places]
    for name, members in languages([one.language for one in stage.collections]):
        wanted = [stage.collections[place] for place in members]
        keys = [one.part_of or one.fingerprint for one in wanted]
        if all(key in pairs for key in keys):
            parts.append((name, [pairs[key] for key in keys]))
    if all(key in pairs for key in places):
        parts.append((AVERAGE, [pairs[key] for key in places]))
    alpha = stage.policy.alpha_of(stage.tier)
    measured = {key: found for key, members in parts if (found := _spread(members, alpha)) is not None}
    return [measured] if measured else []


def _spread(pairs: Sequence[PairedValues], alpha: float) -> _Spread | None:
    """Return the spread of a question's difference; None with fewer than 20 questions."""
    design = Design(tuple(one.questions for one in pairs), shares([one.group for one in pairs]))
    if design.questions < LEAST or not design.holds(2):
        return None
    values = [one.deltas for one in pairs]
    found = estimate(design, values)
    plain = found.mean - lower_bound(design, values, alpha)
    used = found.mean - cautious_bound(design, values, alpha).value
    return _Spread(found.se * float(np.sqrt(size_of(design).draws)), max(1.0, used / plain) if plain > 0 else 1.0)


def _pairs(stage: Stage, look: Look) -> dict[str, PairedValues]:
    """Return the paired values of a look by fingerprint of the whole collection."""
    with Results(stage.session.workspace.results) as own, Results(stage.reference.results) as reference:
        theirs, ours = (_sides(stage, (own, reference), side.evaluations) for side in (look.anchor, look.candidate))
    return {key: joined(theirs[key], ours[key]) for key in ours if key in theirs}


def _sides(stage: Stage, stores: Sequence[Results], ids: Sequence[str]) -> dict[str, ComparedSide]:
    sides = [_side(stage, stores, id) for id in ids]
    return {side.collection.whole: side for side in sides}


def _side(stage: Stage, stores: Sequence[Results], id: str) -> ComparedSide:
    """Read an evaluation from the first store that has it."""
    own, reference = stores
    try:
        store, found = own, own.find(id)
    except HarnessError:
        store, found = reference, reference.find(id)
    (measure,) = stage.measures_of([found.collection]).values()
    return stored_side(store, found, measure)
