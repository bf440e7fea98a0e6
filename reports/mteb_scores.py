"""One evaluation as one entry of mteb's `scores`: its measures under mteb's keys, and what they rest on beside them."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from adapters.errors import UsageError
from harness.collection import ORIGINAL
from harness.evaluation import Evaluation
from harness.measuring.measures import Measure
from harness.results import environment
from harness.suites.targets import PAIRED_MEASURE, SuiteCollection
from reports.mteb_settings import setting

TABLES_FROM = "2.26.24"
"""The version of mteb that the suites' tables come from: tasks, splits, subsets and revisions."""
_KEYS = {"nDCG": "ndcg", "AP": "map", "RR": "mrr", "P": "precision", "R": "recall", "Success": "hit_rate"}
_SCRIPTS = {
    "ar": "ara-Arab", "bg": "bul-Cyrl", "bn": "ben-Beng", "cs": "ces-Latn", "da": "dan-Latn", "de": "deu-Latn",
    "en": "eng-Latn", "es": "spa-Latn", "fa": "fas-Arab", "fi": "fin-Latn", "fr": "fra-Latn", "hi": "hin-Deva",
    "id": "ind-Latn", "it": "ita-Latn", "ja": "jpn-Jpan", "ko": "kor-Kore", "nl": "nld-Latn", "no": "nor-Latn",
    "pt": "por-Latn", "ro": "ron-Latn", "ru": "rus-Cyrl", "sr": "srp-Cyrl", "sv": "swe-Latn", "sw": "swa-Latn",
    "te": "tel-Telu", "th": "tha-Thai", "yo": "yor-Latn", "zh": "zho-Hans",
}  # fmt: skip
_TASKS_OF_THEIR_OWN = {
    ("WikipediaRerankingMultilingual", "no"): ["nor-Latn", "nno-Latn", "nob-Latn"],
    ("T2Reranking", "zh"): ["cmn-Hans"],
}


def mteb_version() -> str:
    """The version of mteb that is installed, which is the one that can read the files back; else the tables' own."""
    try:
        return version("mteb")
    except PackageNotFoundError:
        return TABLES_FROM


def mteb_languages(entry: SuiteCollection) -> list[str]:
    """Language and script codes as the task's metadata has them (`swa-Latn`).

    Raises:
        UsageError: the code of a language that no suite had so far.
    """
    own = _TASKS_OF_THEIR_OWN.get((entry.mteb.task, entry.language))
    if own is None and entry.language not in _SCRIPTS:
        raise UsageError(f"{entry.target}: mteb's code of the language '{entry.language}' is not known here")
    return own or [_SCRIPTS[entry.language]]


def mteb_scores(evaluation: Evaluation, entry: SuiteCollection) -> dict[str, object]:
    """Mean values under mteb's keys. A measure that looks deeper than the candidates go is left out: mteb's key would
    promise ranks that were never filled.

    Raises:
        UsageError: the official measure of the task was not measured, or not as deep as it looks.
    """
    means = _means(evaluation, evaluation.values) | _paired(evaluation)
    keys = {str(measure): key for measure, key in _keys(evaluation).items()} | {PAIRED_MEASURE: PAIRED_MEASURE}
    official = keys.get(entry.main_measure)
    if official is None or official not in means:
        raise UsageError(_without_official(evaluation, entry))
    return {
        "hf_subset": entry.mteb.subset,
        "languages": mteb_languages(entry),
        "main_score": means[official],
        **means,
        "mteb_version": mteb_version(),
        "harness": _provenance(evaluation),
    }


def _keys(evaluation: Evaluation) -> dict[Measure, str]:
    """mteb has no name for a measure without a cutoff."""
    whole = evaluation.system.first_stage.name == "given"
    return {
        measure: f"{_KEYS[measure.name]}_at_{measure.cutoff}"
        for measure in evaluation.measures
        if measure.cutoff and (whole or measure.cutoff <= evaluation.system.depth)
    }


def _means(evaluation: Evaluation, values: np.typing.NDArray[np.float64]) -> dict[str, float]:
    by_measure = dict(zip(evaluation.measures, values, strict=True))
    return {key: float(np.mean(by_measure[measure])) for measure, key in _keys(evaluation).items()}


def _paired(evaluation: Evaluation) -> dict[str, Any]:
    """p-MRR under its name, and the ordinary measures over the original and over the changed queries alone, as mteb
    nests them; no key where no question has both of its queries."""
    if evaluation.paired is None or not len(evaluation.paired.values):
        return {}
    original = np.array([name.endswith(ORIGINAL) for name in evaluation.collection.queries.ids()])
    halves = {"og": evaluation.values[:, original], "changed": evaluation.values[:, ~original]}
    nested = {name: _means(evaluation, values) for name, values in halves.items() if values.size}
    return {PAIRED_MEASURE: float(np.mean(evaluation.paired.values)), **nested}


def _provenance(evaluation: Evaluation) -> dict[str, object]:
    """mteb reads over keys that it does not know, and keeps them when it merges results."""
    tokens = evaluation.audit.tokens
    packages = environment()["packages"]
    return {
        "evaluator": f"rerank-harness {packages['rerank-harness'] if isinstance(packages, dict) else None}",
        "evaluation": evaluation.id,
        **setting(evaluation),
        "candidates": evaluation.run.candidates,
        "first_stage_scores": _means(evaluation, evaluation.ground.first_stage) if evaluation.system.reranker else None,
        "tie_span": {str(measure): evaluation.audit.tie_span[str(measure)] for measure in evaluation.measures},
        "documents_truncated_away": tokens.truncated_away if tokens else None,
        "alarms": [alarm.as_dict() for alarm in evaluation.alarms],
    }


def _without_official(evaluation: Evaluation, entry: SuiteCollection) -> str:
    named = f"{entry.target}: {entry.main_measure}, the official measure of {entry.mteb.task},"
    if entry.main_measure in map(str, evaluation.measures):
        return f"{named} looks deeper than the {evaluation.system.depth} candidates; run with a larger --depth"
    how = "" if entry.main_measure == PAIRED_MEASURE else f"; run with --measure {entry.main_measure}"
    return f"{named} was not measured for {evaluation.system.label}{how}"
