"""Detect the language of a corpus that declares none, from a fixed sample of its texts. The result is kept with it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from adapters.errors import MissingExtra, need
from adapters.protocols import Integers
from adapters.sums import DamagedFile, read_sealed, save_sealed, set_aside
from harness.data.texts import Texts

FILE = "detected-language.json"
PACKAGE = "py3langid"
SAMPLE = 200
"""Size of the sample: the texts with the smallest digests, each text once."""
SHARE = 0.9
"""Share of the sampled texts, and of their characters, that one language needs."""
PROBABILITY = 0.5
"""Mean probability, from 0 to 1, that the package has to give that language."""
CHARACTERS = 500
"""With fewer characters no language is detected."""
_READ, _PIECE = 2000, 400
"""Characters of a text that are read, and of the pieces that are classified one by one."""
_SAME = {"nb": "no", "nn": "no"}
_VARIETIES = {"ar": ("arz", "ary"), "zh": ("wuu", "yue")}
"""Codes that also count for a language if that language has the most characters without them."""
_NO_LANGUAGE = ("und", "zxx")


@dataclass(frozen=True)
class Detected:
    """The language of a sample of texts."""

    language: str | None
    """An ISO 639 code; None if no language is clear enough."""
    share: float = 0.0
    """Share of the most frequent language: of the texts or of the characters, whichever is less."""
    probability: float = 0.0
    """The mean over all characters; characters of other languages count 0."""
    texts: int = 0
    """Texts with at least one letter."""
    characters: int = 0


@dataclass(frozen=True)
class KeptLanguage(Detected):
    """The form of the file."""

    by: str = ""
    """The package and its version."""


def kept_or_detected(folder: Path, corpus: Texts) -> Detected | None:
    """Return the language that is stored in a collection's folder; else detect and store it. None if the package is not
    installed. A stored language is not detected again, so that a new version of the package changes no number."""
    file = folder / FILE
    kept, proven = _kept(file, folder.name)
    if kept is not None and proven:
        return _detected(kept)
    try:
        found = detect(corpus)
    except MissingExtra:
        return None if kept is None else _detected(kept)
    if kept is not None and kept.language != found.language:
        set_aside(file, f"it says '{kept.language}', the texts '{found.language}'", "the language of the texts is used")
    with suppress(OSError):  # in a read-only folder it is detected every time
        save_sealed(file, folder.name, {**asdict(found), "by": f"{PACKAGE} {version(PACKAGE)}"})
    return found


def carry_over(before: Path, folder: Path, key: str) -> None:
    """Copy the stored language of a collection that was set aside, if it is sound, to the folder that replaces it.

    Args:
        key: the final name of both folders.
    """
    with suppress(DamagedFile):
        kept, proven = read_sealed(before / FILE, KeptLanguage, key, complete=True)
        if proven:
            save_sealed(folder / FILE, key, asdict(kept))


def _kept(file: Path, key: str) -> tuple[KeptLanguage | None, bool]:
    """What a file says, and whether its digest proves it; an earlier version wrote none."""
    if not file.exists():
        return None, False
    try:
        return read_sealed(file, KeptLanguage, key, complete=True)
    except DamagedFile as damage:
        set_aside(file, damage, "the language is detected again")
        return None, False


def _detected(kept: KeptLanguage) -> Detected:
    return Detected(kept.language, kept.share, kept.probability, kept.texts, kept.characters)


def detect(corpus: Texts) -> Detected:
    """Detect the language of a corpus. The order of the texts and repeated texts do not matter.

    Raises:
        MissingExtra: the package is not installed.
    """
    return judged([list(_votes(text)) for text in corpus.take(sampled(corpus))])


def refuse_undetected(adapter: str, collection: str) -> NoReturn:
    """Raise the error for an adapter that needs a language, if none is declared and the package is not installed.

    Raises:
        MissingExtra: always.
    """
    raise MissingExtra(
        f"{collection} declares no language, '{adapter}' needs one, and detecting it needs the package '{PACKAGE}': "
        "pip install 'rerank-harness[bm25]'; or declare the language with --language or language = ... in "
        f"collection.toml, or name '{adapter}?language=none'"
    )


def sampled(corpus: Texts, size: int = SAMPLE) -> Integers:
    """Rows of the `size` different texts with the smallest digests, in the order of the digests. It reads no text."""
    digests, rows, start = np.empty((0, 2), np.uint64), np.empty(0, np.int64), 0
    for block in corpus.blocks():
        words = block.digests.byteswap()  # numbers in the order of the digests' bytes
        near = np.arange(len(words)) if len(rows) < size else np.flatnonzero(words[:, 0] <= digests[-1, 0])
        if len(near):
            both = np.concatenate([digests, words[near]])
            digests, first = np.unique(both, axis=0, return_index=True)
            digests, rows = digests[:size], np.concatenate([rows, start + near])[first[:size]]
        start += len(words)
    return rows


@dataclass(frozen=True)
class Vote:
    """The language of a piece of a text."""

    language: str
    probability: float
    characters: int


def judged(texts: Sequence[Sequence[Vote]]) -> Detected:
    """The language of texts, from the votes of their pieces. Texts without votes do not count."""
    texts = [votes for votes in texts if votes]
    characters, probability = _totals(vote for votes in texts for vote in votes)
    majorities = Counter(_first(_totals(votes)[0]) for votes in texts)
    languages = Counter({code: count for code, count in characters.items() if code not in _NO_LANGUAGE})
    total = characters.total()
    if not languages:
        return Detected(None, texts=len(texts), characters=total)
    name = _first(languages)
    codes = (name, *_VARIETIES.get(name, ()))
    share = min(sum(votes[code] for code in codes) / votes.total() for votes in (characters, majorities))
    mean = sum(probability[code] for code in codes) / total
    clear = share >= SHARE and mean >= PROBABILITY and total >= CHARACTERS
    return Detected(name if clear else None, round(share, 4), round(mean, 4), len(texts), total)


def _totals(votes: Iterable[Vote]) -> tuple[Counter[str], Mapping[str, float]]:
    """Characters by language, and the same weighted by probability."""
    characters, weighted = Counter[str](), defaultdict[str, float](float)
    for vote in votes:
        characters[vote.language] += vote.characters
        weighted[vote.language] += vote.characters * vote.probability
    return characters, weighted


def pieces(text: str) -> Iterator[str]:
    """The pieces of a text that are classified one by one, so that a text in two languages votes for both. Pieces
    without a letter are left out."""
    for start in range(0, min(len(text), _READ), _PIECE):
        piece = text[start : min(start + _PIECE, _READ)]
        if any(map(str.isalpha, piece)):
            yield piece


def _votes(text: str) -> Iterator[Vote]:
    return map(detected_as, pieces(text))


def detected_as(piece: str) -> Vote:
    """The most probable language of a short text with letters.

    Raises:
        MissingExtra: the package is not installed.
    """
    language, probability = _identifier().classify(piece)
    return Vote(_SAME.get(language, language), float(probability), len(piece))


def _first(votes: Counter[str]) -> str:
    """The name with the most votes; the first in the alphabet if several have as many."""
    return min(votes, key=lambda name: (-votes[name], name))


@cache
def _identifier() -> Any:
    package = need(f"{PACKAGE}.langid", "bm25", "detecting the language of a collection")
    try:
        return package.LanguageIdentifier.from_model_file(package.MODEL_FILE, norm_probs=True)
    except AttributeError:
        raise MissingExtra(
            f"detecting the language of a collection needs {PACKAGE} 0.4 or newer: pip install -U '{PACKAGE}>=0.4'"
        ) from None
