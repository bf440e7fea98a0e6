"""The collections that targets offer, before they are read, and the choice of languages among them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from adapters.analysis import Analyzer
from adapters.errors import UsageError, did_you_mean
from adapters.languages import is_language
from harness.data.sources.declared import DeclaredCollection
from harness.data.sources.source import Source

_LISTED = 3
"""Up to this number of skipped collections of a target are named; for more, their languages are named."""


@dataclass(frozen=True)
class Offer:
    """One collection that a target names."""

    name: str
    declared: DeclaredCollection
    open: Callable[[DeclaredCollection], Source]
    """Makes its source from these declarations."""

    @property
    def language(self) -> str | None:
        """The declared language."""
        return self.declared.language


@dataclass(frozen=True)
class ChosenSources:
    """The sources to read, and lines about collections that the languages leave out."""

    sources: tuple[Source, ...]
    skipped: tuple[str, ...] = ()


def chosen(offers: Mapping[str, Sequence[Offer]], languages: Sequence[str]) -> ChosenSources:
    """Choose the collections in the given languages; all collections if no language is given.

    A target that declares languages is filtered by them. A target that declares none is taken whole, and the given
    language becomes its declaration.

    Args:
        offers: by target.

    Raises:
        UsageError: no collection has one of the languages, or several languages are given for a target that declares
            none.
    """
    if not languages:
        return ChosenSources(tuple(offer.open(offer.declared) for all_of in offers.values() for offer in all_of))
    kept, skipped = list[Offer](), list[str]()
    for target, all_of in offers.items():
        if all(offer.language is None for offer in all_of):
            kept += [replace(offer, declared=_declaring(offer, target, languages)) for offer in all_of]
            continue
        kept += [offer for offer in all_of if offer.language in languages]
        skipped += _lines(target, [offer for offer in all_of if offer.language not in languages], len(all_of))
    _refuse_missing(offers, kept, languages)
    return ChosenSources(tuple(offer.open(offer.declared) for offer in kept), tuple(skipped))


def _declaring(offer: Offer, target: str, languages: Sequence[str]) -> DeclaredCollection:
    wanted = list(dict.fromkeys(languages))
    if len(wanted) > 1:
        raise UsageError(
            f"{target}: it declares no language, and --language names {len(wanted)} ({', '.join(wanted)}); name only "
            "its language, or write language = ... in its collection.toml"
        )
    (language,) = wanted
    Analyzer(language)  # refuses what does not look like a code
    if not is_language(language):
        raise UsageError(f"{target}: --language {language}: not an ISO 639 code; write a code such as en, de or zh")
    return replace(offer.declared, language=language)


def _refuse_missing(offers: Mapping[str, Sequence[Offer]], kept: Sequence[Offer], languages: Sequence[str]) -> None:
    kept_languages = {offer.language for offer in kept}
    for language in languages:
        if language not in kept_languages:
            known = {offer.language for all_of in offers.values() for offer in all_of if offer.language is not None}
            raise UsageError(f"{', '.join(offers)}: no language '{language}'.{did_you_mean(language, known)}")


def _lines(target: str, skipped: Sequence[Offer], of: int) -> Iterator[str]:
    if len(skipped) <= _LISTED:
        for offer in skipped:
            why = f"its language is {offer.language}" if offer.language else "it declares no language"
            yield f"skipped {offer.name}: {why}"
        return
    named = dict.fromkeys(offer.language or "not declared" for offer in skipped)
    yield f"skipped {len(skipped)} of the {of} collections of {target}, whose languages are {', '.join(named)}"
