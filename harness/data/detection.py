"""The language of a corpus that declares none, from a fixed sample of its texts. The answer is kept with the corpus."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from adapters.errors import HarnessError, MissingExtra, need
from adapters.protocols import Integers
from adapters.typed_file import read_json
from harness.data.collection import Texts
from harness.data.columns import digest_chunks
from harness.workspace import write_atomically

FILE = "detected-language.json"
PACKAGE = "py3langid"
SAMPLE = 200
"""Texts of the corpus that are looked at: those with the smallest digests, each text once."""
SHARE = 0.9
"""One language has to have this much of the sampled texts, and of their characters."""
PROBABILITY = 0.5
"""What the package has to give that language on average, from 0 to 1."""
CHARACTERS = 500
"""With fewer there is no answer."""
_READ, _PIECE = 2000, 400
"""Characters of a text that are read, and of a piece of it, which is judged by itself."""
_SAME = {"nb": "no", "nn": "no"}
_VARIETIES = {"ar": ("arz", "ary"), "zh": ("wuu", "yue")}
"""Codes that count for a language as well, if it has the most characters without them."""
_NO_LANGUAGE = ("und", "zxx")


@dataclass(frozen=True)
class Detected:
    """What a sample of texts says of their language."""

    language: str | None
    """An ISO 639 code; None where no language is clear enough."""
    share: float = 0.0
    """Of texts or characters, whichever is less, that are in the most frequent language."""
    probability: float = 0.0
    """The mean over all characters; 0 for those of other languages."""
    texts: int = 0
    """With a letter in them."""
    characters: int = 0


@dataclass(frozen=True)
class _Kept(Detected):
    """As it is written."""

    by: str = ""
    """The package and its version."""


def kept_or_detected(folder: Path, corpus: Texts) -> Detected | None:
    """What is kept in a collection's folder, else what its corpus says, which is kept from then on; None where the
    package is not installed. An answer that is kept is not asked for again, so that another version of the package
    changes no number."""
    file = folder / FILE
    with suppress(HarnessError):
        kept = read_json(file, _Kept, complete=True)
        return Detected(kept.language, kept.share, kept.probability, kept.texts, kept.characters)
    try:
        found = detect(corpus)
    except MissingExtra:
        return None
    with suppress(OSError), write_atomically(file) as temporary:  # a folder that cannot be written is looked at again
        content = {**asdict(found), "by": f"{PACKAGE} {version(PACKAGE)}"}
        temporary.write_text(json.dumps(content, indent=1), "utf-8")
    return found


def detect(corpus: Texts) -> Detected:
    """The language of a corpus. The order of the texts and how often one stands there do not matter.

    Raises:
        MissingExtra: the package is not installed.
    """
    return judged([list(_votes(text)) for text in corpus.take(sampled(corpus))])


def refuse_undetected(adapter: str, collection: str) -> NoReturn:
    """Say what to do where an adapter needs a language that nobody declared and nobody could look for.

    Raises:
        MissingExtra: always.
    """
    raise MissingExtra(
        f"{collection} declares no language, and detecting the one that '{adapter}' needs takes the package "
        f"'{PACKAGE}': pip install 'rerank-harness[bm25]'; or declare it with --language or language = ... in "
        f"collection.toml, or name '{adapter}?language=none'"
    )


def sampled(corpus: Texts, size: int = SAMPLE) -> Integers:
    """Rows of the `size` different texts with the smallest digests, in the order of the digests. Reads no text."""
    digests, rows, start = np.empty((0, 2), np.uint64), np.empty(0, np.int64), 0
    for chunk in digest_chunks(corpus):
        words = chunk.byteswap()  # numbers in the order of the digests' bytes
        near = np.arange(len(words)) if len(rows) < size else np.flatnonzero(words[:, 0] <= digests[-1, 0])
        if len(near):
            both = np.concatenate([digests, words[near]])
            digests, first = np.unique(both, axis=0, return_index=True)
            digests, rows = digests[:size], np.concatenate([rows, start + near])[first[:size]]
        start += len(words)
    return rows


@dataclass(frozen=True)
class Vote:
    """What a piece of a text was taken for."""

    language: str
    probability: float
    characters: int


def judged(texts: Sequence[Sequence[Vote]]) -> Detected:
    """The language of texts whose pieces were taken for languages. Texts without a vote do not count."""
    texts = [votes for votes in texts if votes]
    characters, probability = _totals(vote for votes in texts for vote in votes)
    majorities = Counter(_first(_totals(votes)[0]) for votes in texts)
    there = Counter({name: count for name, count in characters.items() if name not in _NO_LANGUAGE})
    total = characters.total()
    if not there:
        return Detected(None, texts=len(texts), characters=total)
    name = _first(there)
    counted = (name, *_VARIETIES.get(name, ()))
    share = min(sum(votes[one] for one in counted) / votes.total() for votes in (characters, majorities))
    mean = sum(probability[one] for one in counted) / total
    clear = share >= SHARE and mean >= PROBABILITY and total >= CHARACTERS
    return Detected(name if clear else None, round(share, 4), round(mean, 4), len(texts), total)


def _totals(votes: Iterable[Vote]) -> tuple[Counter[str], Mapping[str, float]]:
    """Characters by language, and the same weighted by their probability."""
    characters, weighted = Counter[str](), defaultdict[str, float](float)
    for vote in votes:
        characters[vote.language] += vote.characters
        weighted[vote.language] += vote.characters * vote.probability
    return characters, weighted


def pieces(text: str) -> Iterator[str]:
    """The pieces of a text that are judged by themselves, so that one in two languages votes for both; those without a
    letter are left out."""
    for start in range(0, min(len(text), _READ), _PIECE):
        piece = text[start : min(start + _PIECE, _READ)]
        if any(map(str.isalpha, piece)):
            yield piece


def _votes(text: str) -> Iterator[Vote]:
    for piece in pieces(text):
        language, probability = _identifier().classify(piece)
        yield Vote(_SAME.get(language, language), float(probability), len(piece))


def _first(votes: Counter[str]) -> str:
    """The name with the most votes; of equal ones the first in the alphabet."""
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
