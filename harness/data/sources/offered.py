"""What targets offer before anything of it is read, and which of it a user's languages choose."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from adapters.analysis import Analyzer
from adapters.errors import UsageError, did_you_mean
from adapters.languages import is_language
from harness.data.sources.declared import DeclaredCollection
from harness.data.sources.source import Source

_LISTED = 3
"""Collections of one target that are named when they are skipped; of more the languages are."""


@dataclass(frozen=True)
class Offer:
    """One collection that a target names."""

    name: str
    declared: DeclaredCollection
    open: Callable[[DeclaredCollection], Source]
    """Makes its source, with these declarations."""

    @property
    def language(self) -> str | None:
        """As declared."""
        return self.declared.language


@dataclass(frozen=True)
class ChosenSources:
    """The sources that are read, and a line for whatever the languages leave out."""

    sources: tuple[Source, ...]
    skipped: tuple[str, ...] = ()


def chosen(offers: Mapping[str, Sequence[Offer]], languages: Sequence[str]) -> ChosenSources:
    """The collections in the wanted languages; all of them where no language is wanted.

    Of a target that declares languages those are taken; a target that declares none is taken whole, and the wanted
    language is its declaration.

    Args:
        offers: by target.

    Raises:
        UsageError: no collection has one of the languages, or a target that declares none could have several.
    """
    if not languages:
        return ChosenSources(tuple(one.open(one.declared) for all_of in offers.values() for one in all_of))
    kept, skipped = list[Offer](), list[str]()
    for target, all_of in offers.items():
        if all(one.language is None for one in all_of):
            kept += [replace(one, declared=_declaring(one, target, languages)) for one in all_of]
            continue
        kept += [one for one in all_of if one.language in languages]
        skipped += _lines(target, [one for one in all_of if one.language not in languages], len(all_of))
    _refuse_missing(offers, kept, languages)
    return ChosenSources(tuple(one.open(one.declared) for one in kept), tuple(skipped))


def _declaring(offer: Offer, target: str, languages: Sequence[str]) -> DeclaredCollection:
    wanted = list(dict.fromkeys(languages))
    if len(wanted) > 1:
        raise UsageError(
            f"{target}: it declares no language, and --language names {len(wanted)} ({', '.join(wanted)}); name the "
            "one that it is in, or write language = ... in its collection.toml"
        )
    (language,) = wanted
    Analyzer(language)  # refuses what is written like no code
    if not is_language(language):
        raise UsageError(f"{target}: --language {language}: not an ISO 639 code; write for instance en, de or zh")
    return replace(offer.declared, language=language)


def _refuse_missing(offers: Mapping[str, Sequence[Offer]], kept: Sequence[Offer], languages: Sequence[str]) -> None:
    there = {one.language for one in kept}
    for language in languages:
        if language not in there:
            known = {one.language for all_of in offers.values() for one in all_of if one.language is not None}
            raise UsageError(f"{', '.join(offers)}: no language '{language}'.{did_you_mean(language, known)}")


def _lines(target: str, skipped: Sequence[Offer], of: int) -> Iterator[str]:
    if len(skipped) <= _LISTED:
        for one in skipped:
            why = f"its language is {one.language}" if one.language else "it declares no language"
            yield f"skipped {one.name}: {why}"
        return
    named = dict.fromkeys(one.language or "not declared" for one in skipped)
    yield f"skipped {len(skipped)} of the {of} collections of {target}, whose languages are {', '.join(named)}"
