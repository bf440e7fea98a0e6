"""One collection as an entry of mteb's `scores`: the measures under mteb's keys, and where they come from."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from adapters.errors import UsageError
from harness.data.suites.targets import PAIRED_MEASURE, SuiteCollection
from harness.measuring.measures import DEFINITIONS, parse
from reports.mteb_parts import Means, MtebPart
from reports.mteb_settings import setting

TABLES_FROM = "2.26.24"
"""The version of mteb from which the suites' tables take tasks, splits, subsets and revisions."""
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
    """The installed version of mteb, or the version of the suites' tables if mteb is not installed."""
    try:
        return version("mteb")
    except PackageNotFoundError:
        return TABLES_FROM


def mteb_languages(entry: SuiteCollection) -> list[str]:
    """Codes of language and script as in the task's metadata (`swa-Latn`).

    Raises:
        UsageError: the language is in no suite's table.
    """
    own = _TASKS_OF_THEIR_OWN.get((entry.mteb.task, entry.language))
    if own is None and entry.language not in _SCRIPTS:
        raise UsageError(f"{entry.target}: mteb's code for the language '{entry.language}' is unknown")
    return own or [_SCRIPTS[entry.language]]


def mteb_scores(part: MtebPart) -> dict[str, object]:
    """Mean values under mteb's keys. Measures with a cutoff above the depth of the candidates are left out.

    Raises:
        UsageError: the task's official measure was not measured, or its cutoff is above the depth.
    """
    keys, entry = _keys(part), part.entry
    official = keys.get(entry.main_measure)
    if official is None:
        raise UsageError(_without_official(part))
    means = {keys[measure]: value for measure, value in part.means.items() if measure in keys}
    halves = {name: _named(part, values) for name, values in part.halves.items()}
    return {
        "hf_subset": entry.mteb.subset,
        "languages": mteb_languages(entry),
        "main_score": means[official],
        **means,
        **{name: values for name, values in halves.items() if values},
        "mteb_version": mteb_version(),
        "harness": _provenance(part),
    }


def _keys(part: MtebPart) -> dict[str, str]:
    """mteb's keys by measure. p-MRR keeps its name; a measure without a cutoff, or that mteb lacks, has no key."""
    keys = {}
    for name in part.means:
        measure = None if name == PAIRED_MEASURE else parse(name)
        if measure is None:
            keys[name] = PAIRED_MEASURE
        elif measure.cutoff and (part.first_stage == "given" or measure.cutoff <= part.depth):
            theirs = DEFINITIONS[measure.name].mteb
            keys |= {name: f"{theirs}_at_{measure.cutoff}"} if theirs else {}
    return keys


def _named(part: MtebPart, means: Means) -> dict[str, float]:
    keys = _keys(part)
    return {keys[measure]: value for measure, value in means.items() if measure in keys}


def _provenance(part: MtebPart) -> dict[str, object]:
    """Keys of our own. mteb ignores unknown keys and keeps them when it merges results."""
    first = part.first_stage_means
    return {
        "evaluator": f"rerank-harness {part.packages.get('rerank-harness')}",
        "evaluation": part.id,
        **setting(part),
        "candidates": part.candidates,
        "first_stage_scores": None if first is None else _named(part, first),
        "tie_span": dict(part.tie_span),
        "documents_truncated_away": part.truncated_away,
        "alarms": list(part.alarms),
    }


def _without_official(part: MtebPart) -> str:
    measure = part.entry.main_measure
    named = f"{part.entry.target}: {measure}, the official measure of {part.entry.mteb.task},"
    if measure in part.means:
        return f"{named} needs more than the {part.depth} candidates per query; run with a larger --depth"
    how = "" if measure == PAIRED_MEASURE else f"; run with --measure {measure}"
    return f"{named} was not measured for {part.label}{how}"
