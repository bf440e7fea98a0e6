"""The stored results of a system in the form that mteb's leaderboard takes. No model is run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from adapters.errors import UsageError, need
from harness.result.gathered import view
from harness.result.keys import CollectionKey, SystemKey
from harness.result.result import Result
from harness.result.select import one_system
from harness.result.stored import Stored
from leaderboards.mteb_check import check_with_mteb
from leaderboards.sheets import is_drifted
from reports.model_name import model_name
from reports.mteb_parts import part_of
from reports.mteb_results import mteb_files, write_files


@dataclass(frozen=True)
class Submission:
    """The files that were written, and the stored results that were left out."""

    system: SystemKey
    files: tuple[Path, ...]
    left_out: tuple[str, ...]
    """Collections that mteb does not have, samples of collections that were also measured whole, and what the view
    leaves out."""


def submit(
    system: str,
    out: Path,
    workspace: Path,
    collections: Sequence[str] = (),
    *,
    first_stage: str | None = None,
    depth: int | None = None,
) -> Submission:
    """Write a system's newest stored results in mteb's layout below `out`. mteb's own classes read them first.

    Args:
        system: a name; see `harness.result.select`.
        out: the folder.
        workspace: the workspace.
        collections: names of collections. Default: all collections of suites.
        first_stage: only results with this first stage, and results on given lists. Default: any.
        depth: only results with this depth, and results on given lists. Default: any.

    Raises:
        UsageError: the name matches no system or several; a task lacks a split, a subset or its official measure; a
            result is a sample, drifted, imported or has a hard alarm; or the folder holds another system's results.
        MissingExtra: mteb is not installed.
        DataError: mteb refuses what would be written.
    """
    need("mteb", "mteb", "harness submit")
    shown = view(workspace, [system], collections)
    own = [one for one in shown.results if one.id in shown.named]
    selected = _of_one_system(own, system, first_stage, depth)
    newest = _newest(selected)
    left_out = [] if collections else [key for key in newest if key.entry is None or _has_better(key, newest)]
    parts = []
    for key, results in newest.items():
        if key not in left_out:
            _refuse(key, results[0].stored)
            parts.append(part_of(results))
    if not parts:
        raise UsageError(
            f"{system} has no results on a suite, so mteb has no task for them: {', '.join(_names(left_out))}"
        )
    files = mteb_files(out, parts)
    check_with_mteb(files, out)
    names = (*_names(left_out), *(line.removeprefix("left out: ") for line in shown.left_out.lines))
    return Submission(selected[0].system, tuple(write_files(files)), names)


def _of_one_system(found: Sequence[Result], name: str, first_stage: str | None, depth: int | None) -> list[Result]:
    """The results of the one system that the name selects. Results on given lists go with any first stage and depth."""
    own = [one for one in found if _fits(one.system, first_stage, depth)]
    if not own:
        raise UsageError(f"no results of {name} with this --first-stage and --depth; see `harness list systems`")
    one_system(name, [one.stored for one in own])
    searched = dict.fromkeys((key.first_stage, key.depth) for key in (one.system for one in own) if not _is_given(key))
    if len(searched) > 1:
        stages = ", ".join(f"{stage} top {count}" for stage, count in sorted(searched))
        raise UsageError(f"{name} was measured on {stages}: mteb takes one; choose with --first-stage and --depth")
    if model_name(own[0].stored.system) is None:
        raise UsageError(f"{name} is not a model: mteb takes no results of given lists and controls")
    return own


def _fits(key: SystemKey, first_stage: str | None, depth: int | None) -> bool:
    if _is_given(key):
        return True
    return first_stage in (None, key.first_stage) and depth in (None, key.depth)


def _is_given(key: SystemKey) -> bool:
    return key.first_stage == "given"


def _newest(found: Sequence[Result]) -> dict[CollectionKey, list[Result]]:
    """The measures of the newest evaluation on each collection. Older evaluations may be of other weights."""
    newest: dict[CollectionKey, list[Result]] = {}
    for key in dict.fromkeys(one.collection for one in found):
        own = [one for one in found if one.collection == key]
        latest = max(own, key=lambda one: one.stored.updated).id
        newest[key] = [one for one in own if one.id == latest]
    return newest


def _has_better(key: CollectionKey, others: Mapping[CollectionKey, object]) -> bool:
    """Whether a collection is a sample or drifted, while the published collection was also measured whole."""
    if not key.sampled_from and not is_drifted(key):
        return False
    return any(one.entry == key.entry and not one.sampled_from and not is_drifted(one) for one in others)


def _names(keys: Sequence[CollectionKey]) -> list[str]:
    return [f"{key.name} (a sample)" if key.sampled_from else key.name for key in keys]


def _refuse(key: CollectionKey, stored: Stored) -> None:
    if "imported" in stored.identity:
        raise UsageError(f"{key.name}: {stored.id} was imported; only those who computed it can submit it")
    if alarms := hard_alarms(stored):
        raise UsageError(f"{key.name}: {alarms[0]}: not submitted with this alarm; see harness show {stored.id}")


def hard_alarms(stored: Stored) -> list[str]:
    """The alarms of an evaluation that forbid to use its numbers."""
    return [alarm.named for alarm in stored.audit.alarms if alarm.hard]
