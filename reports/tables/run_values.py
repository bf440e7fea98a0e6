"""The results of a run as plain values for JSON: every figure, what it was made from, and display names. Fractions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from harness.data.suites.table import PAIRED_MEASURE
from harness.result.evaluation import Evaluation
from harness.result.facts import CollectionFacts
from harness.result.gathered import OFFICIAL
from harness.result.result import Result
from harness.result.robustness import perturbed_values, robustness_of
from harness.result.stemming import notes, of_stored, parts_of
from reports.columns import values
from reports.tables.report import Sheet
from reports.tables.run import collections_of, has_official, lines, set_notes, sheet_of
from reports.view import PLAIN, View

FORMAT = 1
Json = dict[str, object]


def as_dict(
    results: Sequence[Result], skipped: Sequence[str] = (), view: View = PLAIN, live: Sequence[Evaluation] = ()
) -> Json:
    """Return every figure and what it was made from. Averages have all columns of `reports.columns`.

    Args:
        results: the results of a run.
        skipped: lines about targets that `--language` left out. Default: none.
        view: its display names are added.
        live: the evaluations, for what is not stored: the number of pairs that were scored now, and the questions that
            p-MRR leaves out. Default: none.
    """
    sheets = {measure: sheet_of(results, measure) for measure in dict.fromkeys(one.measure for one in results)}
    remarks = [*set_notes(results), *notes(of_stored(one.stored for one in results)), *skipped]
    known = {one.id: one for one in live}
    by_id: dict[str, list[Result]] = {}
    for one in results:
        by_id.setdefault(one.id, []).append(one)
    labels = list(dict.fromkeys(one.system.label for one in results))
    averages = {measure: _averages(sheet) for measure, sheet in sheets.items()}
    paired = averages.pop(PAIRED_MEASURE, {})
    return {
        "format": FORMAT,
        "environment": results[0].stored.environment.as_dict(),
        "collections": list(map(_collection, collections_of(results))),
        "evaluations": [_evaluation(own, sheets, known.get(id), view) for id, own in by_id.items()],
        "macro": {label: {name: own[label] for name, own in averages.items() if label in own} for label in labels},
        **({"notes": remarks} if remarks else {}),
        **({"macro_official": _averages(sheet_of(results, OFFICIAL))} if has_official(results) else {}),
        **({"macro_paired": {label: {PAIRED_MEASURE: own} for label, own in paired.items()}} if paired else {}),
        **({"robustness": robust} if (robust := _robustness(results)) else {}),
        **({"display_names": {label: view.system(label) for label in labels}} if view.names else {}),
    }


def _robustness(results: Sequence[Result]) -> Json:
    """The figures of robustness by system."""
    return {one.system.label: one.as_dict() for one in robustness_of(results)}


def _averages(sheet: Sheet) -> dict[str, Json]:
    """The average of each system by its label, with all columns."""
    found: dict[str, Json] = {}
    for label, line in lines(sheet).items():
        questions = {"questions": sum(len(one.values) for one in line.results)}
        found[label] = line.figure.as_dict() | (questions if line.measure == PAIRED_MEASURE else {}) | values(line)
    return found


def _evaluation(own: Sequence[Result], sheets: Mapping[str, Sheet], live: Evaluation | None, view: View) -> Json:
    one, stored = own[0], own[0].stored
    figures = {result.measure: _figure(result, sheets[result.measure]) for result in own}
    paired = figures.pop(PAIRED_MEASURE, None)
    return {
        "id": one.id,
        "collection": one.collection.fingerprint,
        "system": one.system.label,
        "first_stage": stored.first_stage,
        "reranker": stored.reranker,
        "depth": stored.depth,
        "measures": figures,
        **({"paired": {PAIRED_MEASURE: {**paired, **_questions(own[-1], live)}}} if paired else {}),
        "controls": stored.controls.means,
        "audit": stored.audit.as_dict(),
        "alarms": [alarm.as_dict() for alarm in stored.audit.alarms],
        **({"perturbed": perturbed_values(one)} if one.perturbed else {}),
        "pairs_scored_now": live.fresh if live else 0,
        "pairs_per_second": one.pairs_per_second,
        "made_of": stored.identity,
        **({"bm25": stemming} if (stemming := parts_of(stored)) else {}),
        **({"display_name": view.system(one.system.label)} if view.names else {}),
    }


def _figure(result: Result, sheet: Sheet) -> Json:
    places = [column.collections for column in sheet.columns]
    return sheet.figure(result.system, places.index((result.collection,))).as_dict()


def _questions(paired: Result, live: Evaluation | None) -> Json:
    each = dict(zip(paired.ids, paired.values.tolist(), strict=True))
    missing = live.paired.missing if live and live.paired else ()
    return {"questions": len(each), "per_question": each, "missing": list(missing)}


def _collection(facts: CollectionFacts) -> Json:
    counts = {name: count for name, count in asdict(facts.counts).items() if count is not None}
    names = (
        "fingerprint", "name", "split", "language", "detected_language", "group", "parallel", "parallel_by",
        "sampled_from",
    )  # fmt: skip
    return {**{name: getattr(facts, name) for name in names}, "counts": counts, "rules": asdict(facts.rules)}
