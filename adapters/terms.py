"""A corpus as term ids, columns of integers, with the counts that BM25 needs."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from adapters.analysis import Analyzer
from adapters.identity import digest
from adapters.protocols import Integers, Progress, Setting
from adapters.sums import Array, DamagedFile, load_arrays, save_arrays, set_aside

TermIds = npt.NDArray[np.int32]

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
    """The terms of document d are terms[offsets[d]:offsets[d + 1]]."""

    statistics: Statistics
    terms: TermIds
    offsets: Integers

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __iter__(self) -> Iterator[list[int]]:
        for document in range(len(self)):
            yield self.terms[self.offsets[document] : self.offsets[document + 1]].tolist()


def corpus_terms(
    corpus: Sequence[str], analyzer: Analyzer, setting: Setting | None = None, progress: Progress | None = None
) -> CorpusTerms:
    """The terms of a corpus: from the setting's cache if `corpus` is the setting's, else counted and kept there. A
    damaged file in the cache is set aside with a warning."""
    file = _cache_file(corpus, analyzer, setting)
    columns = None if file is None else _kept(file)
    if columns is None:
        read = _read(corpus, analyzer, progress)
        if file is not None:
            _save(read, file)
        return read
    if progress is not None:
        progress(len(corpus))
    return CorpusTerms(_statistics(columns), columns["terms"], columns["offsets"])


def corpus_statistics(analyzer: Analyzer, setting: Setting) -> Statistics:
    """The statistics of the setting's corpus; with a cache, later calls do not read the corpus."""
    file = _cache_file(setting.corpus, analyzer, setting)
    columns = None if file is None else _kept(file, ("offsets", "words", "frequencies"))
    return corpus_terms(setting.corpus, analyzer, setting).statistics if columns is None else _statistics(columns)


def _kept(file: Path, names: Collection[str] | None = None) -> dict[str, Array] | None:
    """The arrays of a file in the cache; None if there is none, or none that can be trusted."""
    if not file.exists():
        return None
    try:
        return load_arrays(file, file.stem, names)
    except DamagedFile as damage:
        set_aside(file, damage, "the terms are counted again")
        return None


def _read(corpus: Sequence[str], analyzer: Analyzer, progress: Progress | None) -> CorpusTerms:
    vocabulary: defaultdict[str, int] = defaultdict()
    vocabulary.default_factory = vocabulary.__len__
    terms, offsets = array("i"), array("q", [0])
    for start in range(0, len(corpus), _BLOCK):
        texts = corpus[start : start + _BLOCK]
        for text in texts:
            terms.extend(map(vocabulary.__getitem__, analyzer.terms(text)))
            offsets.append(len(terms))
        if progress is not None:
            progress(len(texts))
    ids, ends = np.array(terms, dtype=np.int32), np.array(offsets, dtype=np.int64)
    counts = _document_frequencies(ids, ends, len(vocabulary))
    return CorpusTerms(Statistics(len(corpus), len(ids), dict(vocabulary), counts), ids, ends)


def _document_frequencies(terms: TermIds, offsets: Integers, vocabulary: int) -> Integers:
    counts = np.zeros(vocabulary, dtype=np.int64)
    for start in range(0, len(offsets) - 1, _BLOCK):
        ends = offsets[start : start + _BLOCK + 1]
        rows = np.repeat(np.arange(len(ends) - 1, dtype=np.int64), np.diff(ends))
        held = np.unique((rows << 32) | terms[ends[0] : ends[-1]])
        counts += np.bincount(held & 0xFFFFFFFF, minlength=vocabulary)
    return counts


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
    file.parent.mkdir(parents=True, exist_ok=True)
    words = np.frombuffer("\n".join(read.statistics.vocabulary).encode(), dtype=np.uint8)
    arrays: dict[str, Array] = {"terms": read.terms, "offsets": read.offsets, "words": words}
    arrays["frequencies"] = read.statistics.frequencies
    save_arrays(file, file.stem, arrays)


def _statistics(columns: Mapping[str, Array]) -> Statistics:
    words = columns["words"].tobytes().decode()
    vocabulary = {word: term for term, word in enumerate(words.split("\n"))} if words else {}
    offsets = columns["offsets"]
    return Statistics(len(offsets) - 1, int(offsets[-1]), vocabulary, columns["frequencies"])
