"""Writes results as files for other programs: one JSON document, and TREC run files."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from harness.data.parallel import notes as parallel_notes
from harness.data.suites.table import PAIRED_MEASURE
from harness.data.trec import write_run
from harness.measuring.paired_measures import PMRR
from harness.result.environment import environment
from harness.result.evaluation import Evaluation
from harness.result.stemming import notes, of_evaluations, parts_of_evaluation
from harness.result.summary import OFFICIAL, Summary, has_official, summarise, summarise_official
from harness.workspace import write_atomically

FORMAT = 1


def as_dict(evaluations: Sequence[Evaluation], skipped: Sequence[str] = ()) -> dict[str, object]:
    """Return every figure and what it was made from, as plain JSON values. Values are fractions."""
    sets = parallel_notes([evaluation.collection for evaluation in _first_of_each_collection(evaluations)])
    lines = [*sets, *notes(of_evaluations(evaluations)), *skipped]
    summaries = {name: summarise(evaluations, name) for name in _measures(evaluations)}
    own = {name: one for name, one in summaries.items() if name != PAIRED_MEASURE}
    paired = {name: one for name, one in summaries.items() if name == PAIRED_MEASURE}
    official = {OFFICIAL: summarise_official(evaluations)} if has_official(evaluations) else {}
    return {
        "format": FORMAT,
        "environment": environment(),
        "collections": [_collection(evaluation) for evaluation in _first_of_each_collection(evaluations)],
        "evaluations": [_evaluation(evaluation, own, paired) for evaluation in evaluations],
        "macro": _macro(evaluations, own),
        **({"notes": lines} if lines else {}),
        **({"macro_official": _official(official[OFFICIAL])} if official else {}),
        **({"macro_paired": _macro_paired(evaluations, paired)} if paired else {}),
    }


def write_results(out: Path, evaluations: Sequence[Evaluation], document: Mapping[str, object]) -> None:
    """Write the document to `results.json`, and the runs to `runs/<collection>.<system>.<id>.trec`."""
    runs = out / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    for evaluation in evaluations:
        name = f"{_slug(evaluation.collection.name)}.{_slug(evaluation.system.label)}.{evaluation.id}.trec"
        write_run(runs / name, evaluation.run, evaluation.collection, evaluation.id)
    text = json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False)
    with write_atomically(out / "results.json") as unfinished:
        unfinished.write_text(text + "\n", "utf-8")


def _evaluation(
    evaluation: Evaluation, summaries: Mapping[str, Summary], paired: Mapping[str, Summary]
) -> dict[str, object]:
    return {
        "id": evaluation.id,
        "collection": evaluation.collection.fingerprint,
        "system": evaluation.system.label,
        "first_stage": evaluation.system.first_stage.name,
        "reranker": evaluation.system.reranker.name if evaluation.system.reranker else None,
        "depth": evaluation.system.depth,
        "measures": {name: _own(evaluation, summaries[name]) for name in map(str, evaluation.measures)},
        **({"paired": _paired(evaluation, evaluation.paired, paired)} if evaluation.paired else {}),
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


def _measures(evaluations: Sequence[Evaluation]) -> list[str]:
    found = dict.fromkeys(str(measure) for evaluation in evaluations for measure in evaluation.measures)
    return [*found, *([PAIRED_MEASURE] if any(evaluation.paired for evaluation in evaluations) else [])]


def _own(evaluation: Evaluation, summary: Summary) -> dict[str, object]:
    return summary.of(evaluation.system.label, [evaluation.collection]).as_dict()


def _macro(evaluations: Sequence[Evaluation], summaries: Mapping[str, Summary]) -> dict[str, dict[str, object]]:
    labels = dict.fromkeys(evaluation.system.label for evaluation in evaluations)
    return {
        label: {name: one.of(label).as_dict() for name, one in summaries.items() if label in one.systems}
        for label in labels
    }


def _official(summary: Summary) -> dict[str, dict[str, object]]:
    return {label: figure.as_dict() for label, figure in summary.systems.items()}


def _paired(evaluation: Evaluation, paired: PMRR, summaries: Mapping[str, Summary]) -> dict[str, object]:
    each = dict(zip(paired.questions, paired.values.tolist(), strict=True))
    own = _own(evaluation, summaries[PAIRED_MEASURE]) | {"questions": len(paired.questions)}
    return {PAIRED_MEASURE: {**own, "per_question": each, "missing": list(paired.missing)}}


def _macro_paired(evaluations: Sequence[Evaluation], summaries: Mapping[str, Summary]) -> dict[str, object]:
    counts: dict[str, int] = {}
    for evaluation in evaluations:
        if evaluation.paired:
            label = evaluation.system.label
            counts[label] = counts.get(label, 0) + len(evaluation.paired.questions)
    return {
        label: {PAIRED_MEASURE: figure.as_dict() | {"questions": counts[label]}}
        for label, figure in summaries[PAIRED_MEASURE].systems.items()
    }


def _first_of_each_collection(evaluations: Sequence[Evaluation]) -> list[Evaluation]:
    return list({evaluation.collection.fingerprint: evaluation for evaluation in reversed(evaluations)}.values())[::-1]


def _slug(text: str) -> str:
    # File systems limit names in bytes: with 60 bytes each, two names and an id fit.
    return re.sub(r"[^\w.-]+", "-", text).encode()[-60:].decode(errors="ignore").strip("-")
