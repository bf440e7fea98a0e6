"""`harness merge search`: the best merge on dev within a number of looks, judged once."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from adapters.contents import Contents
from adapters.models import open_folder
from harness.numbers import points, signed, signed_interval
from harness.result.adaptation.record import ArmRecord
from harness.result.secrets import without_secrets
from harness.scoring.session import Session
from harness.workspace import write_atomically
from training.adapting.anchor import anchor_of
from training.adapting.closing import MODEL, keep_model
from training.adapting.deciding import Deciding, LookVerdict
from training.adapting.scoring import rows, spec_of
from training.configuration import Configured, require
from training.job import begin, finish, write_json
from training.merging.agreement import agree
from training.merging.checkpoint import open_checkpoint
from training.searching.config import SearchConfig
from training.searching.measured import CANDIDATES, Trail, Tried
from training.searching.selection import SearchChoice, WinnerLead, leads, selection
from training.searching.targets import SearchTargets, targets_of

STAGE = "search"
RESULT, PAGE = "search.json", "search.md"
_VERSION = 1
Page = Callable[[Mapping[str, Any], Path], str]


def search(chosen: Configured[SearchConfig], out: Path, session: Session, page: Page | None = None) -> dict[str, Any]:
    """Search for a merge, keep the best as `out/model`, and let the gate judge it once if there is a policy.

    A killed search continues when it is called again with the same arguments, and gives the same result. It writes
    `search.json`, `search.md` if `page` is given, and `manifest.json` last.

    Returns:
        The content of `search.json`.

    Raises:
        UsageError: a required key is missing, `out` is not this search, or a target cannot be used (see `targets_of`).
        HarnessError: a model or a collection cannot be used, or the checkpoints cannot be merged. Finished looks are
            kept.
    """
    config = chosen.config
    require(config, {"ingredients": "--ingredient", "dev.collection": "--dev"})
    targets = targets_of(config, out, session)
    home, *others = map(open_checkpoint, config.ingredients)
    agree(home, others)  # what cannot be merged is refused before it takes looks
    about = {"version": _VERSION, **_about(config, targets)}
    finished = begin(out, STAGE, about)
    if finished is not None:
        return dict(finished["result"])
    for line in chosen.lines():
        session.reporter.note(line)
    trail = Trail(targets.dev, out, config.looks)
    trail.ingredients(config.ingredients, targets.known)
    trail.search(config.family, layers=config.layers)
    result = _judged(config, targets, trail)
    write_json(out / RESULT, result)
    if page:
        with write_atomically(out / PAGE) as unfinished:
            unfinished.write_text(page(result, out), "utf-8")
    shutil.rmtree(out / CANDIDATES, ignore_errors=True)
    configuration = [asdict(one) for one in chosen.settings]
    return dict(finish(out, STAGE, {**about, "configuration": configuration, "result": result})["result"])


def _about(config: SearchConfig, targets: SearchTargets) -> dict[str, object]:
    return {
        "ingredients": [Contents(open_folder(path)).identity() for path in config.ingredients],
        "family": config.family, "looks": config.looks, "layers": config.layers, "targets": targets.describe(),
    }  # fmt: skip


def _judged(config: SearchConfig, targets: SearchTargets, trail: Trail) -> dict[str, Any]:
    """The result, after the look at the gate."""
    singles = [one.name for one in trail.singles]
    winner = max(trail.scores, key=lambda name: trail.scores[name].value)  # of equal ones the first
    best = max(singles, key=lambda name: trail.scores[name].value)
    picked, verdict = selection(trail.scores, winner, best), None
    arm = next(one.arm for one in trail.tried if one.arm.name == winner)
    if winner not in singles:
        keep_model(arm, trail.out)
        if targets.tiers is not None:
            single = next(one for one in trail.singles if one.name == best)
            anchor = anchor_of(targets.tiers, targets.tiers.gate.policy, spec_of(single.path), trail.out)
            model = ArmRecord(MODEL, arm.kind, str(trail.out / MODEL), arm.parts)
            verdict = Deciding(targets.tiers, anchor, trail.out).at("gate", model)
    return {
        **_described(config, targets, trail), "best_ingredient": best, "winner": winner,
        "selection": {**asdict(picked), "corrected": picked.corrected},
        "gate": None if verdict is None else _gate(verdict),
        "answer": _answer(winner, best, picked, verdict, trail, singles),
    }  # fmt: skip


def _described(config: SearchConfig, targets: SearchTargets, trail: Trail) -> dict[str, Any]:
    singles = [one.name for one in trail.singles]
    best = max(singles, key=lambda name: trail.scores[name].value)
    apart, dev = leads(trail.scores, best), targets.dev
    return {
        "family": config.family,
        "measure": dev.measure,
        "dev": [
            {"collection": one.name, "language": one.language, "queries": len(one.queries)} for one in dev.collections
        ],
        "first_stage": {"spec": without_secrets(dev.first_stage), "value": trail.first_stage.value},
        "looks": {"allowed": trail.most, "taken": len(trail.tried)},
        "tried": [_row(number, one, trail, apart) for number, one in enumerate(trail.tried, 1)],
        "curve": _curve(trail),
        "languages": _languages(trail),
    }  # fmt: skip


def _row(number: int, one: Tried, trail: Trail, apart: Mapping[str, WinnerLead]) -> dict[str, Any]:
    found: dict[str, Any] = {"number": number, "name": one.arm.name, "phase": one.phase, "look": one.look}
    if one.proposal is None:
        found |= {"given": one.arm.path, "queries_known": one.arm.queries_known}
    else:
        found |= {"parts": list(one.arm.parts), "weights": [list(own) for own in one.proposal.weights]}
        found |= {"t": None if one.proposal.t is None else list(one.proposal.t)}
    if one.arm.refused:
        return {**found, "refused": one.arm.refused[0]}
    last = rows(trail.scores[one.arm.name], "dev")[-1]  # the macro average, or the only collection
    return {**found, "value": last.value, "low": last.low, "high": last.high, "lead": asdict(apart[one.arm.name])}


def _curve(trail: Trail) -> list[dict[str, Any]]:
    """The names of what was measured along a constant t, by t; empty for three or more ingredients."""
    if len(trail.singles) != 2:
        return []
    start, end = (one.name for one in trail.singles)
    inner = {one.arm.t: one.arm.name for one in trail.tried if one.phase == "curve" and one.arm.t is not None}
    points_at = {0.0: start, 1.0: end, **{t: name for t, name in inner.items() if name in trail.scores}}
    return [{"t": t, "name": points_at[t]} for t in sorted(points_at)]


def _languages(trail: Trail) -> list[dict[str, Any]]:
    """For each collection the ingredient that is the best there: a choice for a router, no single model."""
    table = {one.name: rows(trail.scores[one.name], "dev") for one in trail.singles}
    some = next(iter(table.values()))
    places = [place for place, row in enumerate(some) if row.evaluation is not None]
    found = []
    for place in places if len(places) > 1 else []:
        best = max(table, key=lambda name: table[name][place].value)
        values = {name: own[place].value for name, own in table.items()}
        row = table[best][place]
        found.append({"collection": row.collection, "language": row.language, "best": best, "values": values})
    return found


def _gate(verdict: LookVerdict) -> dict[str, Any]:
    row = verdict.row
    return {
        "state": verdict.state, "better": verdict.better, "delta": verdict.delta, "reasons": list(verdict.reasons),
        "look": None if row is None else row.id, "anchor": None if row is None else row.anchor,
        "interval": None if row is None else [row.low, row.high],
    }  # fmt: skip


def _answer(  # noqa: PLR0917
    winner: str, best: str, picked: SearchChoice, verdict: LookVerdict | None, trail: Trail, singles: list[str],
) -> str:  # fmt: skip
    if winner in singles:
        return f"no merge is ahead of the best ingredient, {best}, on dev; nothing was proposed to the gate"
    lead = picked.lead
    said = (
        f"the best on dev is {winner}: {signed(lead.delta)} {signed_interval((lead.low, lead.high))} points from the "
        f"best ingredient, {best}"
    )
    if picked.corrected is not None:
        said += (
            f"; it was chosen among {len(trail.scores)}, so about {points(max(0.0, picked.optimism or 0.0))} of it is "
            f"luck, and {signed(picked.corrected)} is expected"
        )
    if verdict is not None:
        reasons = f" ({verdict.reasons[0]})" if verdict.reasons else ""
        return f"{said}. The gate says: {verdict.state}{reasons}"
    command = f"harness gate --policy POLICY --candidate {trail.out / MODEL}"
    return f"{said}. Nothing is claimed, because no policy was given: {command}"
