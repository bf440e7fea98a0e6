"""Results as files that others read: one JSON document, and TREC run files."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from harness.environment import environment
from harness.evaluation import Evaluation
from harness.measuring.paired_measures import Paired
from harness.parallel import notes as parallel_notes
from harness.stemming import notes, of_evaluations, parts_of_evaluation
from harness.suites.table import PAIRED_MEASURE
from harness.summary import (
    Summary,
    has_official,
    paired_by_system,
    summarise,
    summarise_official,
    summarise_paired,
)
from harness.trec import write_run

FORMAT = 1


def as_dict(evaluations: Sequence[Evaluation], skipped: Sequence[str] = ()) -> dict[str, object]:
    """Everything that a table shows and what made it, as plain JSON values; fractions, not points."""
    sets = parallel_notes([evaluation.collection for evaluation in _first_of_each_collection(evaluations)])
    lines = [*sets, *notes(of_evaluations(evaluations)), *skipped]
    return {
        "format": FORMAT,
        "environment": environment(),
        "collections": [_collection(evaluation) for evaluation in _first_of_each_collection(evaluations)],
        "evaluations": [_evaluation(evaluation) for evaluation in evaluations],
        "macro": _macro(evaluations),
        **({"notes": lines} if lines else {}),
        **({"macro_official": official} if (official := _macro_official(evaluations)) else {}),
        **({"macro_paired": paired} if (paired := _macro_paired(evaluations)) else {}),
    }


def write_results(out: Path, evaluations: Sequence[Evaluation], skipped: Sequence[str] = ()) -> None:
    """Write `results.json` and `runs/<collection>.<system>.<id>.trec`."""
    runs = out / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    for evaluation in evaluations:
        name = f"{_slug(evaluation.collection.name)}.{_slug(evaluation.system.label)}.{evaluation.id}.trec"
        write_run(runs / name, evaluation.run, evaluation.collection, evaluation.id)
    text = json.dumps(as_dict(evaluations, skipped), ensure_ascii=False, indent=1, allow_nan=False)
    (out / "results.json").write_text(text + "\n", "utf-8")


def _evaluation(evaluation: Evaluation) -> dict[str, object]:
    return {
        "id": evaluation.id,
        "collection": evaluation.collection.fingerprint,
        "system": evaluation.system.label,
        "first_stage": evaluation.system.first_stage.name,
        "reranker": evaluation.system.reranker.name if evaluation.system.reranker else None,
        "depth": evaluation.system.depth,
        "measures": {str(measure): _figures(summarise([evaluation], measure)) for measure in evaluation.measures},
        **({"paired": _paired(evaluation, evaluation.paired)} if evaluation.paired else {}),
        "controls": evaluation.ground.means(),
        "audit": evaluation.audited,
        "alarms": [alarm.as_dict() for alarm in evaluation.alarms],
        "pairs_scored_now": evaluation.fresh,
        "pairs_per_second": evaluation.pairs_per_second,
        "made_of": evaluation.made_of.content,
        **({"bm25": stemming} if (stemming := parts_of_evaluation(evaluation)) else {}),
    }


def _collection(evaluation: Evaluation) -> dict[str, object]:
    collection = evaluation.collection
    return {
        "fingerprint": collection.fingerprint,
        "name": collection.name,
        "split": collection.split,
        "language": collection.language,
        "detected_language": collection.detected_language,
        "group": collection.group,
        "parallel": collection.parallel,
        "parallel_by": collection.parallel_by,
        "sampled_from": collection.sampled_from,
        "counts": asdict(collection.counts),
        "rules": asdict(collection.rules),
    }


def _macro(evaluations: Sequence[Evaluation]) -> dict[str, dict[str, object]]:
    groups: dict[str, list[Evaluation]] = {}
    for evaluation in evaluations:
        groups.setdefault(evaluation.system.label, []).append(evaluation)
    return {
        label: {
            str(measure): _figures(summarise(measured, measure))
            for measure in dict.fromkeys(measure for evaluation in group for measure in evaluation.measures)
            if (measured := [evaluation for evaluation in group if measure in evaluation.measures])
        }
        for label, group in groups.items()
    }


def _macro_official(evaluations: Sequence[Evaluation]) -> dict[str, dict[str, object]]:
    if not has_official(evaluations):
        return {}
    groups: dict[str, list[Evaluation]] = {}
    for evaluation in evaluations:
        groups.setdefault(evaluation.system.label, []).append(evaluation)
    return {label: _figures(summarise_official(group)) for label, group in groups.items()}


def _paired(evaluation: Evaluation, paired: Paired) -> dict[str, object]:
    each = dict(zip(paired.questions, paired.values.tolist(), strict=True))
    return {PAIRED_MEASURE: {**_pairs([evaluation]), "per_question": each, "missing": list(paired.missing)}}


def _macro_paired(evaluations: Sequence[Evaluation]) -> dict[str, dict[str, object]]:
    return {label: {PAIRED_MEASURE: _pairs(group)} for label, group in paired_by_system(evaluations).items()}


def _pairs(evaluations: Sequence[Evaluation]) -> dict[str, object]:
    return {key: _json(value) for key, value in asdict(summarise_paired(evaluations)).items()}


def _figures(summary: Summary) -> dict[str, object]:
    figures = {key: value for key, value in asdict(summary).items() if key != "measure"}
    return {key: _json(value) for key, value in figures.items()} | {"headroom": _json(summary.headroom)}


def _json(value: object) -> object:
    if isinstance(value, tuple):
        return [_json(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _first_of_each_collection(evaluations: Sequence[Evaluation]) -> list[Evaluation]:
    return list({evaluation.collection.fingerprint: evaluation for evaluation in reversed(evaluations)}.values())[::-1]


def _slug(text: str) -> str:
    # File systems count bytes: 60 for a name leave room for two and an id.
    return re.sub(r"[^\w.-]+", "-", text).encode()[-60:].decode(errors="ignore").strip("-")
