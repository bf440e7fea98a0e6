"""A corpus as term ids, columns of integers, with the counts that BM25 needs."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from adapters.analysis import Analyzer
from adapters.array_file import ArrayFile
from adapters.identity import digest
from adapters.protocols import Integers, Progress, Setting
from adapters.sums import Array, DamagedFile, array_in, load_arrays, save_arrays, set_aside

TermIds = npt.NDArray[np.int32]
T = TypeVar("T")

_FORMAT = 1
_BLOCK = 4096


@dataclass(frozen=True)
class Statistics:
    """The statistics of a whole corpus that BM25 needs to score one pair."""

    documents: int
    tokens: int
    """Terms of all documents, with repetitions."""
    vocabulary: Mapping[str, int]
    """Term to term id, 0 .. len - 1 in the order of first appearance."""
    frequencies: Integers
    """The number of documents that hold a term, by term id."""

    @property
    def average_length(self) -> float:
        """Terms per document; 1 for a corpus without terms, in which no length matters."""
        return self.tokens / self.documents if self.tokens else 1.0

    def known(self, terms: Sequence[str]) -> TermIds:
        """Ids of the terms that the corpus has, with repetitions."""
        found = (self.vocabulary.get(term, -1) for term in terms)
        return np.array([term for term in found if term >= 0], dtype=np.int32)


@dataclass(frozen=True)
class CorpusTerms:
    """The terms of document d are terms[offsets[d]:offsets[d + 1]]. They are in a file, not in memory."""

    statistics: Statistics
    terms: ArrayFile
    """int32."""
    offsets: Integers

    def __len__(self) -> int:
        return len(self.offsets) - 1


def corpus_terms(
    corpus: Sequence[str], analyzer: Analyzer, setting: Setting | None = None, progress: Progress | None = None
) -> CorpusTerms:
    """The terms of a corpus: from the setting's cache if `corpus` is the setting's, else counted and kept there. A
    damaged file in the cache is set aside with a warning."""
    file = _cache_file(corpus, analyzer, setting)
    kept = None if file is None else _trusted(file, _kept)
    if kept is None:
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
        read = _read(corpus, analyzer, progress, None if file is None else file.parent)
        if file is not None:
            _save(read, file)
        return read
    if progress is not None:
        progress(len(corpus))
    return kept


def corpus_statistics(analyzer: Analyzer, setting: Setting) -> Statistics:
    """The statistics of the setting's corpus; with a cache, later calls do not read the corpus."""
    file = _cache_file(setting.corpus, analyzer, setting)
    kept = None if file is None else _trusted(file, lambda file: _statistics(_columns(file)))
    return corpus_terms(setting.corpus, analyzer, setting).statistics if kept is None else kept


def _trusted(file: Path, read: Callable[[Path], T]) -> T | None:
    """What is read from a file in the cache; None if there is none, or none that can be trusted."""
    if not file.exists():
        return None
    try:
        return read(file)
    except DamagedFile as damage:
        set_aside(file, damage, "the terms are counted again")
        return None


def _kept(file: Path) -> CorpusTerms:
    columns = _columns(file)
    start, dtype, count = array_in(file, file.stem, "terms")
    return CorpusTerms(_statistics(columns), ArrayFile(file.open("rb"), dtype, start, count), columns["offsets"])


def _columns(file: Path) -> dict[str, Array]:
    return load_arrays(file, file.stem, ("offsets", "words", "frequencies"))


def _read(corpus: Sequence[str], analyzer: Analyzer, progress: Progress | None, folder: Path | None) -> CorpusTerms:
    vocabulary: defaultdict[str, int] = defaultdict()
    vocabulary.default_factory = vocabulary.__len__
    terms, lengths = ArrayFile.temporary(np.int32, folder), array("q", [0])
    counts = np.zeros(0, np.int64)
    for start in range(0, len(corpus), _BLOCK):
        texts = corpus[start : start + _BLOCK]
        found = array("i")
        before = len(lengths)
        for text in texts:
            own = analyzer.terms(text)
            found.extend(map(vocabulary.__getitem__, own))
            lengths.append(len(own))
        ids = np.frombuffer(found, np.int32)
        terms.append(ids)
        counts = _with_block(counts, ids, np.array(lengths[before:]), len(vocabulary))
        if progress is not None:
            progress(len(texts))
    vocabulary.default_factory = None
    offsets = np.cumsum(np.frombuffer(lengths, np.int64))
    return CorpusTerms(Statistics(len(corpus), len(terms), vocabulary, counts), terms, offsets)


def _with_block(counts: Integers, terms: TermIds, lengths: Integers, vocabulary: int) -> Integers:
    """Document frequencies after a block of documents."""
    rows = np.repeat(np.arange(len(lengths), dtype=np.int64), lengths)
    held = np.unique(rows << 32 | terms) & 0xFFFFFFFF
    found = np.bincount(held, minlength=vocabulary)
    found[: len(counts)] += counts
    return found


def _cache_file(corpus: Sequence[str], analyzer: Analyzer, setting: Setting | None) -> Path | None:
    if setting is None or setting.cache is None or corpus is not setting.corpus:
        return None
    return terms_file(setting.cache, analyzer.describe(), setting.corpus_digest)


def terms_file(cache: Path, analyzer: Mapping[str, object], corpus_digest: str) -> Path:
    """The file of the terms of a corpus.

    Args:
        analyzer: the description of the analyzer.
        corpus_digest: the digest of the digests of the texts.
    """
    return cache / f"terms-{digest({'format': _FORMAT, 'analyzer': dict(analyzer), 'corpus': corpus_digest})}.npz"


def _save(read: CorpusTerms, file: Path) -> None:
    words = np.frombuffer("\n".join(read.statistics.vocabulary).encode(), dtype=np.uint8)
    arrays: dict[str, Array] = {"terms": read.terms.mapped(), "offsets": read.offsets, "words": words}
    arrays["frequencies"] = read.statistics.frequencies
    save_arrays(file, file.stem, arrays)


def _statistics(columns: Mapping[str, Array]) -> Statistics:
    words = columns["words"].tobytes().decode()
    vocabulary = {word: term for term, word in enumerate(words.split("\n"))} if words else {}
    offsets = columns["offsets"]
    return Statistics(len(offsets) - 1, int(offsets[-1]), vocabulary, columns["frequencies"])
