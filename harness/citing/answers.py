"""Answers, their references, and the statements and marks that they consist of: plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class CitedReference:
    """A document that an answer may cite. Its number in marks is its place in the list, from 1."""

    text: str
    title: str = ""
    id: str = ""
    """The id that the file gives it; empty if the file gives none. Nothing is computed from it."""

    @property
    def passage(self) -> str:
        """What a judge reads: as ALCE writes it, `Title: ...` on a line of its own if there is a title."""
        return f"Title: {self.title}\n{self.text}" if self.title else self.text


@dataclass(frozen=True)
class CitationMark:
    """One citation mark, such as `[1]`, `[1, 2]`, `[1]-[3]` or `([1])`."""

    span: tuple[int, int]
    """Start and end in the answer's text, in characters. The spaces before the mark do not belong to it. A sign that
    joins it to the mark before, and brackets around all marks, belong to it."""
    ids: tuple[int, ...]
    """The numbers that it cites, from 1, each once, in the order of the mark. They may be out of range."""


@dataclass(frozen=True)
class Statement:
    """A sentence of an answer with the marks that belong to it."""

    text: str
    """The sentence without marks, without spaces at its ends."""
    span: tuple[int, int]
    """Start and end in the answer's text, in characters. The spans of all statements together are the whole text."""
    marks: tuple[CitationMark, ...] = ()

    def cited(self, references: int) -> tuple[int, ...]:
        """The distinct numbers of documents that are there, ascending.

        Args:
            references: the number of references.
        """
        return tuple(sorted({i for mark in self.marks for i in mark.ids if 1 <= i <= references}))

    def invalid(self, references: int) -> tuple[int, ...]:
        """The distinct numbers of documents that are not there, ascending.

        Args:
            references: the number of references.
        """
        return tuple(sorted({i for mark in self.marks for i in mark.ids if not 1 <= i <= references}))


@dataclass(frozen=True)
class Answer:
    """An answer as it was generated, with what is known about its question."""

    id: str
    question: str
    text: str
    """The answer with its marks, byte for byte as in the file."""
    references: tuple[CitedReference, ...]
    short_answers: tuple[tuple[str, ...], ...] = ()
    """For each fact that the answer should contain, the ways to write it. Used by STR-EM."""
    sub_claims: tuple[str, ...] = ()
    """Claims that the answer should support. Used by claim recall."""
    long_answers: tuple[str, ...] = ()
    """Reference answers. Used by ROUGE-Lsum and token F1."""
    language: str | None = None
    """ISO 639-1 code; None if the file says nothing."""
    where: str = ""
    """`file:line`, for messages."""
    given: tuple[Statement, ...] = ()
    """The statements, for files that give sentences and citations apart from the text; empty if the text is to be
    parsed."""
    people: Mapping[str, object] = field(default_factory=dict)
    """What people said about the answer, as the file has it. Nothing is computed from it here."""


@dataclass(frozen=True)
class ParsedAnswer:
    """An answer with its statements. An answer without words has one statement with an empty text."""

    answer: Answer
    statements: tuple[Statement, ...]
