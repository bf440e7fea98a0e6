"""V2: the overlap of queries with the documents that they were written for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from training.validating.drawn import FULL, Effort, Role, levels_of, measured_values, roles
from training.validating.histograms import histogram
from training.validating.measured import Name, ValidationRow
from training.validating.sets import QuerySet, Sets
from training.validating.two_samples import Values, wasserstein
from training.validating.words import tokens, units

STATISTICS = ("containment", "Jaccard", "idf-weighted containment", "longest copied n-gram")


def measure(sets: Sets, corpus: Sequence[str] = (), effort: Effort = FULL) -> list[ValidationRow]:
    """Wasserstein-1 of four overlaps, each from 0 to 1: containment |q ∩ d| / |q|, Jaccard |q ∩ d| / |q ∪ d|,
    containment weighted by idf, and the longest run of the query's words that occurs in the document, as a share of the
    query. Tokens are words in folded case, or character bigrams for scripts without spaces. Runs count words or
    characters. Queries without a document or without a word are left out and counted in the note.

    Args:
        corpus: the documents for idf. Default: those of the synthetic and the real queries.
    """
    kept = _with_documents(sets)
    note = _left_out(sets, kept)
    weights = {role: _weights(kept, role, corpus) for role in roles(kept)}
    found = {role: _overlaps(one, weights[role]) for role, one in roles(kept).items()}
    return [_row(number, kept, found, note, effort) for number in range(len(STATISTICS))]


@dataclass(frozen=True)
class Idf:
    """The inverse document frequencies of BM25, ln(1 + (N - n + 0.5) / (n + 0.5)), which are always above 0."""

    documents: int
    holding: Mapping[str, int]

    def __call__(self, token: str) -> float:
        """The weight of a token. A token that no document has gets the largest weight."""
        held = self.holding.get(token, 0)
        return float(np.log1p((self.documents - held + 0.5) / (held + 0.5)))

    @classmethod
    def of(cls, documents: Iterable[Set[str]]) -> Idf:
        """Count the distinct tokens of documents."""
        counted, number = Counter[str](), 0
        for document in documents:
            counted.update(document)
            number += 1
        return cls(number, counted)


@dataclass(frozen=True)
class Document:
    """A document, prepared for the comparison with its queries."""

    text: str
    language: str | None = None

    @cached_property
    def tokens(self) -> Set[str]:
        """The distinct words or bigrams."""
        return frozenset(tokens(self.text, self.language))

    @cached_property
    def run(self) -> str:
        """All units in order, each between spaces."""
        return _spaced(units(self.text, self.language))


def overlaps(query: str, document: Document, idf: Callable[[str], float]) -> tuple[float, float, float, float]:
    """The four overlaps of one query, in the order of STATISTICS. The query must have words."""
    query_tokens, held = set(tokens(query, document.language)), document.tokens
    shared = query_tokens & held
    # Sorted, because the order of a set of strings, and so the sum, differs between processes.
    weight = sum(map(idf, sorted(shared))) / sum(map(idf, sorted(query_tokens)))
    run = units(query, document.language)
    return (
        len(shared) / len(query_tokens),
        len(shared) / len(query_tokens | held),
        weight,
        copied(run, document)[0] / len(run),
    )


def copied(run: Sequence[str], document: Document) -> tuple[int, int]:
    """The length of the longest run of a query's units that occurs in a document, and the place of its first occurrence
    there, counted in characters of `document.run`."""
    longest = place = 0
    for start in range(len(run)):
        while start + longest < len(run) and (at := document.run.find(_spaced(run[start : start + longest + 1]))) >= 0:
            longest, place = longest + 1, at
    return longest, place


def _spaced(run: Sequence[str]) -> str:
    return f" {' '.join(run)} "


def _with_documents(sets: Sets) -> Sets:
    kept = {role: _kept(one) for role, one in roles(sets).items()}
    real, wrong = (one if one is not None and len(one) else None for one in (kept.get("real"), kept.get("wrong")))
    return replace(sets, synthetic=kept["synthetic"], real=real, wrong=wrong)


def _kept(one: QuerySet) -> QuerySet:
    documents = one.documents or ("",) * len(one)
    pairs = enumerate(zip(one.texts, documents, strict=True))
    return one.take(np.array([row for row, (text, held) in pairs if held.strip() and units(text)], np.int64))


def _left_out(sets: Sets, kept: Sets) -> str:
    have = roles(kept)
    missing = {one.name: len(one) - len(have.get(role, ())) for role, one in roles(sets).items()}
    counts = [f"{number:,} {name}" for name, number in missing.items() if number]
    return f"left out, without a document or a word: {', '.join(counts)}" if counts else ""


def _weights(sets: Sets, role: Role, corpus: Sequence[str]) -> Idf:
    """The weights for a set. Another domain has separate weights, so that it does not change those of synthetic and
    real queries."""
    sources = [sets.wrong] if role == "wrong" else [sets.synthetic, sets.real]
    languages = [one.language for one in sources if one is not None]
    texts = corpus if corpus and role != "wrong" else [
        text for one in sources if one is not None for text in one.documents or ()
    ]  # fmt: skip
    return Idf.of(set(tokens(text, languages[0])) for text in dict.fromkeys(texts))


def _overlaps(one: QuerySet, idf: Idf) -> Values:
    """[queries, 4]"""
    known = {text: Document(text, one.language) for text in dict.fromkeys(one.documents or ())}
    pairs = zip(one.texts, one.documents or (), strict=True)
    return np.array([overlaps(text, known[held], idf) for text, held in pairs], float).reshape(-1, len(STATISTICS))


def _row(number: int, sets: Sets, found: Mapping[Role, Values], note: str, effort: Effort) -> ValidationRow:
    values = {role: figures[:, number] for role, figures in found.items()}
    name = Name("V2", f"overlap with the document: {STATISTICS[number]}", "Wasserstein-1", "share")
    parts = {"histogram": histogram({one.name: values[role] for role, one in roles(sets).items()}, 0, 1)}
    means = levels_of(sets, values, lambda each: float(each.mean()) if len(each) else float("nan"))
    joined_note = "; ".join(part for part in ("levels are means", note) if part)
    return measured_values(name, sets, values, wasserstein, means, joined_note, parts, effort)
