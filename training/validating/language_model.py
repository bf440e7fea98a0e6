"""Small language models of queries, to measure how well the words of one set predict those of another."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from training.validating.sequences import END, START, Sequences
from training.validating.two_samples import Values


@dataclass(frozen=True)
class LanguageModel:
    """A bigram model with the smoothing of Witten and Bell (1991, IEEE Transactions on Information Theory 37):

        P(w)     = (c(w) + T / (T + 1)) / (N + T)
        P(w | v) = (c(v w) + T(v) P(w)) / (c(v) + T(v))

    with N words in training of T kinds, c(v) of them after v of T(v) kinds. The end of a query is a word. All words
    that training has not seen share the probability of one kind more; after a word never seen, P(w | v) is P(w).
    """

    training: Sequences

    def cross_entropy(self, asked: Sequences, *, unigram: bool = False) -> float:
        """Bits per token of other queries, including the end of each query; nan if a set is empty."""
        if not len(asked) or not len(self.training):
            return math.nan
        chances = self.unigram(asked)
        return float(-np.log2(chances if unigram else self._bigram(asked, chances)).mean())

    def unigram(self, asked: Sequences) -> Values:
        """P(w) of each token."""
        counts = self.training.counts
        kinds, number = np.count_nonzero(counts), counts.sum()
        return np.asarray((counts[asked.words] + kinds / (kinds + 1)) / (number + kinds))

    def _bigram(self, asked: Sequences, unigram: Values) -> Values:
        contexts, counts = asked.vocabulary.contexts, self.training.pair_counts
        size = asked.vocabulary.words
        after = np.bincount(contexts, weights=counts, minlength=size)[contexts[asked.pairs]]
        kinds = np.bincount(contexts, weights=counts > 0, minlength=size)[contexts[asked.pairs]]
        seen = counts[asked.pairs] + kinds * unigram
        return np.where(after > 0, seen / np.maximum(after + kinds, 1), unigram)


def unseen(asked: Sequences, training: Sequences) -> float:
    """The share of words of some queries that do not occur in others; nan without words."""
    words = asked.words[asked.words != END]
    return float((training.counts[words] == 0).mean()) if len(words) and len(training) else math.nan


def zipf_slope(one: Sequences) -> float:
    """The slope of the least-squares line through log frequency over log rank of all words: about -1 in long text, and
    flatter in short text; nan for fewer than two different words."""
    counts = one.counts.copy()
    counts[[START, END]] = 0
    frequencies = np.sort(counts[counts > 0])[::-1]
    if len(frequencies) < 2:
        return math.nan
    ranks = np.log(np.arange(1, len(frequencies) + 1))
    centred = ranks - ranks.mean()
    return float(centred @ np.log(frequencies) / (centred @ centred))
