"""The beginning of a run: its identity, and its record before the first stage."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from adapters.contents import Contents
from adapters.errors import DataError
from adapters.identity import digest
from adapters.models import open_folder
from adapters.typed_file import read_json
from harness.data.collection import Collection
from harness.result.adaptation.record import AdaptationRecord, SettingRow, TeacherFacts
from harness.result.secrets import public, public_values, without_secrets
from harness.scoring.session import Session
from training.adapting.settings import AdaptationSettings
from training.adapting.targets import Tiers
from training.configuration import GivenSetting
from training.job import write_json
from training.teaching.teachers import TeacherOrigin, read_facts
from training.validating.leak import KnownQueries, known_queries

_VERSION = 1
_KNOWN = "known.json"


def about(settings: AdaptationSettings, tiers: Tiers, *, despite_teacher: bool) -> dict[str, object]:
    """The identity of a run: everything that decides the result and is known before the first stage."""
    return {
        "version": _VERSION,
        "wishes": settings.describe(),
        "base": Contents(open_folder(settings.base)).identity(),
        "ingredients": [Contents(open_folder(path)).identity() for path in settings.ingredients],
        "tiers": tiers.describe(),
        "policy": asdict(tiers.gate.policy),
        "despite_teacher": despite_teacher,
    }


def first_record(
    settings: AdaptationSettings,
    tiers: Tiers,
    out: Path,
    job: Mapping[str, object],
    given: Sequence[GivenSetting] = (),
) -> AdaptationRecord:
    """The record of a run before its first stage."""
    origins, policy = read_facts(settings.teacher_facts, settings.all_teachers), tiers.gate.policy
    return AdaptationRecord(
        run=f"adapt-{digest(job)[:12]}",
        name=out.resolve().name,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=0.0,
        base={"name": settings.base, **Contents(open_folder(settings.base)).identity()},
        teachers=tuple(_teacher(spec, origins.get(spec, TeacherOrigin())) for spec in settings.all_teachers),
        generator=public(settings.generator),
        corpora=(),
        first_stage=tiers.gate.first_stage,
        depth=policy.depth,
        measure=tiers.gate.measure,
        policy=public_values(json.loads(json.dumps(asdict(policy)))),
        settings=tuple(SettingRow(one.key, one.value, one.origin) for one in given),
    )


def known_of(tiers: Tiers) -> list[KnownQueries]:
    """The queries that this run is measured on, and all queries of the gate's and the final collections."""
    parts = [one for stage in tiers.stages for one in stage.collections]
    return [
        KnownQueries(one.name, one.split, list(one.queries)) for one in (*parts, *tiers.gate_whole, *tiers.final_whole)
    ]


def judging_queries(tiers: Tiers) -> list[KnownQueries]:
    """The queries that choose and judge: those of dev, of the gate and of the final split."""
    parts = [one for stage in (tiers.dev, tiers.gate, tiers.final) for one in stage.collections]
    return [KnownQueries(one.name, one.split, list(one.queries)) for one in parts]


def known_at_start(tiers: Tiers, out: Path, session: Session, trained: Sequence[Collection] = ()) -> list[KnownQueries]:
    """The queries that must not be trained on: those of all tiers, and of all collections that the workspace had when
    the run began. So a run that continues after a kill has the same queries, even if the workspace has new
    collections.

    Args:
        trained: collections whose queries the user wants to train on. They are not known queries, unless the store has
            results on them or a tier has them.
    """
    parts = [one for stage in tiers.stages for one in stage.collections]
    measured = (*parts, *tiers.gate_whole, *tiers.final_whole)
    judging = {one.part_of or one.fingerprint for one in measured}
    excused = [one for one in trained if (one.part_of or one.fingerprint) not in judging]
    queries = known_queries(session.workspace, measured, excused)
    file = out / _KNOWN
    if not file.exists():
        write_json(file, {"collections": [one.label for one in queries]})
    labels = _labels(file)
    return [one for one in queries if one.label in labels]


@dataclass(frozen=True)
class _Known:
    """The file of the collections whose queries must not be trained on."""

    collections: tuple[str, ...]


def _labels(file: Path) -> set[str]:
    known = read_json(file, _Known, error=DataError, advice="damaged; delete the file and run again")
    return set(known.collections)


def _teacher(spec: str, origin: TeacherOrigin) -> TeacherFacts:
    return TeacherFacts(without_secrets(spec), origin.licence, origin.training_sets)
