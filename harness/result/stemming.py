"""How BM25 stemmed each collection: read from the identity of a result, and put into words for notes under tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from adapters.analysis import (
    NEW_STEMMERS,
    OF_COLLECTION,
    has_bigrams,
    lacks_stemmer,
    snowball_stemmer,
    stemmed_language,
)
from adapters.errors import HarnessError
from adapters.identity import digest
from adapters.languages import name_of
from adapters.protocols import Identity
from adapters.spec import parse, with_option

if TYPE_CHECKING:
    from harness.result.stored import Stored

Origin = Literal["option", "declared", "detected", "not recognised", "earlier", "earlier version"]
"""The origin of the language. `earlier`: the result was made with another language than its collection has now.
`earlier version`: the same, or made with a PyStemmer that had no stemmer for the language."""
DECLARE = "declare language = ... in collection.toml or --language"
_LISTED = 3
_KINDS = (
    "", "no stemmer for ", "no stemming (stem=false) for ", "no stemmer in the installed PyStemmer, before 3.1, for ",
    "character bigrams, no stemming for ",
)  # fmt: skip


@dataclass(frozen=True)
class Stemming:
    """How BM25 stemmed one collection."""

    spec: str
    """The spec of the first stage or the reranker."""
    collection: str
    language: str | None
    """An ISO 639 code."""
    stemmer: str | None
    """The name in Snowball; None if nothing is stemmed."""
    origin: Origin

    def as_dict(self) -> dict[str, object]:
        """Return plain values for JSON."""
        return {"language": self.language, "stemmer": self.stemmer, "origin": self.origin}

    @property
    def text(self) -> str:
        """A description such as `English stemming (detected)`."""
        name = name_of(self.language) if self.language else ""
        known = {"detected": " (detected)", "option": f" (language={self.language or 'none'})"}.get(self.origin, "")
        if self.stemmer:
            return f"{name_of(stemmed_language(self.stemmer))} stemming{known}"
        if self.origin == "earlier":
            return "no stemming, as it was before languages were detected"
        if self.origin == "earlier version":
            return f"{name}, no stemming, as it was before languages were detected or with a PyStemmer before 3.1"
        if _options(self.spec).get("stem") == "false":
            return f"{name}, no stemming (stem=false){known}" if name else f"no stemming (stem=false){known}"
        if not self.language:
            return f"no stemming{known}" if known else f"no stemming, the language was not recognised ({DECLARE})"
        return f"{name}, {self._how}{known}"

    @property
    def _how(self) -> str:
        if has_bigrams(self.language):
            return "character bigrams, no stemming"
        if self.behind:
            return "no stemming, the installed PyStemmer has no stemmer for it; install PyStemmer 3.1 or newer"
        return "no stemming, there is no stemmer for it"

    @property
    def behind(self) -> bool:
        """Whether only a newer PyStemmer has the stemmer of the language."""
        return self.stemmer is None and snowball_stemmer(self.language) is not None


def of_stored(stored: Iterable[Stored]) -> list[Stemming]:
    """Return the stemming of every BM25 in the evaluations, as first stage or as reranker."""
    return list(dict.fromkeys(found for one in stored for found in _in_evaluation(one).values()))


def parts_of(stored: Stored) -> dict[str, dict[str, object]]:
    """Return the stemming of the BM25 in one evaluation for JSON, under `retriever` and `reranker`."""
    return {part: found.as_dict() for part, found in _in_evaluation(stored).items()}


def shown_language(declared: str | None, detected: str | None) -> str:
    """Return the language of a collection for a table: `de`, `de (detected)`, or an empty string."""
    return declared or (f"{detected} (detected)" if detected else "")


def notes(found: Iterable[Stemming]) -> list[str]:
    """Return the notes under a table; none without BM25. Systems with the same notes share them."""
    by_spec: dict[str, list[Stemming]] = {}
    for one in found:
        by_spec.setdefault(one.spec, []).append(one)
    lines = {spec: list(_lines(own, "BM25")) for spec, own in by_spec.items()}
    if all(own == next(iter(lines.values())) for own in lines.values()):
        return next(iter(lines.values()), [])
    return [line for spec, own in by_spec.items() for line in _lines(own, spec)]


def spelled_as(spec: str, wanted: Mapping[str, Any], identity: Callable[[str], Identity]) -> str | None:
    """Return the spec of a BM25 with the language that gives it a stored identity, such as `bm25?language=none`.

    Returns None if no language does.

    Args:
        wanted: the stored identity.
        identity: returns the identity of a spec on the same collection.
    """
    analyzer = _analyzer(wanted)
    if analyzer is None:
        return None
    stemmer = analyzer.get("stemmer")
    for language in ("none", *([stemmed_language(stemmer)] if stemmer else [])):
        other = with_option(spec, "language", language)
        with suppress(HarnessError):
            if digest(identity(other)) == digest(wanted):
                return other
    return None


def _in_evaluation(one: Stored) -> dict[str, Stemming]:
    about, found = one.collection, dict[str, Stemming]()
    for part, spec in {"retriever": one.first_stage, "reranker": one.reranker}.items():
        analyzer = _analyzer(one.identity.get(part))
        if spec and analyzer is not None:
            made = _stemming(spec, analyzer.get("stemmer"), about.name, about.language, about.detected_language)
            unsought = made.origin == "not recognised" and not about.language_sought
            found[part] = replace(made, origin="earlier") if unsought else made
    return found


def _analyzer(identity: object) -> Mapping[str, Any] | None:
    """Return BM25's analyzer from an identity; None for any other adapter."""
    if not isinstance(identity, Mapping) or identity.get("adapter") != "bm25":
        return None
    analyzer = identity.get("analyzer")
    return analyzer if isinstance(analyzer, Mapping) else None


def _stemming(spec: str, stemmer: str | None, collection: str, declared: str | None, detected: str | None) -> Stemming:
    options = _options(spec)
    language, origin = _language(options.get("language", OF_COLLECTION), declared, detected)
    expected = None if options.get("stem") == "false" else snowball_stemmer(language)
    if stemmer is None and expected in NEW_STEMMERS:
        origin = origin if lacks_stemmer(language) else "earlier version"
    elif stemmer != expected:
        language, origin = stemmed_language(stemmer) if stemmer else None, "earlier"
    return Stemming(spec, collection, language, stemmer, origin)


def _options(spec: str) -> Mapping[str, str]:
    """Return the options of a spec; none if it names a plug-in that is no longer installed."""
    with suppress(HarnessError):
        return parse(spec).options
    return {}


def _language(option: str, declared: str | None, detected: str | None) -> tuple[str | None, Origin]:
    if option != OF_COLLECTION:
        return (None if option == "none" else option), "option"
    if declared:
        return declared, "declared"
    return detected, ("detected" if detected else "not recognised")


def _lines(found: Sequence[Stemming], subject: str) -> Iterator[str]:
    """Yield one line if all collections have the same stemming; else one for those with a language, and one for each
    other kind."""
    if len({one.text for one in found}) == 1:
        yield f"{subject}: {found[0].text}"
        return
    spoken = [one for one in found if one.language and one.origin not in {"option", "earlier version"}]
    if len({one.text for one in spoken}) == 1:
        yield f"{subject}: {spoken[0].text} in {_named(spoken)}"
    elif spoken:
        yield f"{subject} stems with the language of each collection: {_by_kind(spoken)}"
    others = [one for one in found if one not in spoken]
    for text in dict.fromkeys(one.text for one in others):
        yield f"{subject}: in {_named([one for one in others if one.text == text])} {text}"


def _by_kind(found: Sequence[Stemming]) -> str:
    kinds: dict[str, dict[str, None]] = {kind: {} for kind in _KINDS}
    for one in found:
        detected = " (detected)" if one.origin == "detected" else ""
        kinds[_kind(one)][f"{name_of(one.language or '')}{detected}"] = None
    return "; ".join(f"{kind}{', '.join(names)}" for kind, names in kinds.items() if names)


def _kind(one: Stemming) -> str:
    stemmed, none, off, old, bigrams = _KINDS
    if one.stemmer:
        return stemmed
    if _options(one.spec).get("stem") == "false":
        return off
    return bigrams if has_bigrams(one.language) else old if one.behind else none


def _named(found: Sequence[Stemming]) -> str:
    names = list(dict.fromkeys(one.collection for one in found))
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED + 1 else ""
    return ", ".join(names[:_LISTED] if more else names) + more
