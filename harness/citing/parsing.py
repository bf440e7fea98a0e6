"""Answers to statements: sentences are found in the text without marks, and each mark then gets its sentence.

Because the sentences do not depend on the marks, adding, removing, doubling or reordering marks never changes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.citing.answers import Answer, CitationMark, ParsedAnswer, Statement
from harness.citing.marks import marks_of
from harness.citing.sentences import sentence_ends

_SPACES_BEFORE = re.compile(r"[^\S\n]*\Z")
_SEPARATOR = re.compile(r"\s*(?:[,;，、；&]|and)?\s*")
_AROUND = (("(", ")"), ("（", "）"), ("<sup>", "</sup>"))
_WORD = re.compile(r"\w")
_LOOK_BACK = 200


@dataclass(frozen=True)
class MarkRun:
    """Marks that follow each other, and what is left out of the text with them."""

    marks: tuple[CitationMark, ...]
    cut: tuple[int, int]
    """From the spaces before the first mark to the end of the last one, in characters of the answer's text. Signs
    between the marks and brackets around them are left out too, since they mean nothing without the marks."""


@dataclass(frozen=True)
class Unmarked:
    """A text without its marks."""

    text: str
    runs: tuple[MarkRun, ...]
    places: tuple[int, ...]
    """For each run the offset in `text` at which it was."""

    def origin(self, offset: int) -> int:
        """The offset in the original text of the character at `offset` of `text`."""
        passed = (run.cut[1] - run.cut[0] for run, at in zip(self.runs, self.places, strict=True) if at <= offset)
        return offset + sum(passed)


def parsed(answer: Answer) -> ParsedAnswer:
    """Return an answer with its statements and their marks.

    A mark belongs to the sentence that it is in or directly behind, also after the full stop. Marks alone on a line
    belong to the sentence before. A mark at the start of a line with more text belongs to the sentence that follows. A
    piece without letters or digits is part of the statement before it.

    Raises:
        MissingExtra: sentencex is not installed.
    """
    if answer.given:
        return ParsedAnswer(answer, answer.given)
    bare = unmarked(answer.text, marks_of(answer.text, len(answer.references)))
    return ParsedAnswer(answer, _statements(answer.text, bare, _pieces(bare.text, answer.language)))


def unmarked(text: str, marks: Sequence[CitationMark]) -> Unmarked:
    """Return a text without its marks and the spaces before them."""
    runs = tuple(_run(text, own) for own in _following(text, marks))
    kept, places, at = list[str](), list[int](), 0
    length = 0
    for run in runs:
        kept.append(text[at : run.cut[0]])
        length += len(kept[-1])
        places.append(length)
        at = run.cut[1]
    return Unmarked("".join([*kept, text[at:]]), runs, tuple(places))


def _following(text: str, marks: Sequence[CitationMark]) -> list[tuple[CitationMark, ...]]:
    """The marks in groups with nothing but spaces and signs of a list between them, on one line."""
    groups = list[list[CitationMark]]()
    for mark in marks:
        between = text[groups[-1][-1].span[1] : mark.span[0]] if groups else "\n"
        if "\n" not in between and _SEPARATOR.fullmatch(between):
            groups[-1].append(mark)
        else:
            groups.append([mark])
    return [tuple(group) for group in groups]


def _run(text: str, marks: tuple[CitationMark, ...]) -> MarkRun:
    start, end = marks[0].span[0], marks[-1].span[1]
    for opening, closing in _AROUND:
        if text.endswith(opening, 0, start) and text.startswith(closing, end):
            start, end = start - len(opening), end + len(closing)
    spaces = _SPACES_BEFORE.search(text[max(0, start - _LOOK_BACK) : start])
    glued = end < len(text) and (text[end].isalnum() or text[end] in "([{")
    return MarkRun(marks, (start if glued or spaces is None else start - len(spaces[0]), end))


def _pieces(text: str, language: str | None) -> list[tuple[int, int]]:
    """The spans of the statements in a text without marks. Pieces without words are joined to the one before."""
    found, start = list[tuple[int, int]](), 0
    for end in sentence_ends(text, language):
        if _WORD.search(text, start, end):
            found.append((start, end))
        elif found:
            found[-1] = found[-1][0], end
        start = end
    return found


def _statements(text: str, bare: Unmarked, pieces: Sequence[tuple[int, int]]) -> tuple[Statement, ...]:
    if not pieces:
        return (Statement("", (0, len(text)), tuple(mark for run in bare.runs for mark in run.marks)),)
    owned: list[list[MarkRun]] = [[] for _ in pieces]
    for run, place in zip(bare.runs, bare.places, strict=True):
        owned[_owner(bare.text, pieces, place)].append(run)
    starts = [0, *(_start(bare, own, piece) for own, piece in zip(owned[1:], pieces[1:], strict=True)), len(text)]
    return tuple(
        Statement(bare.text[piece[0] : piece[1]].strip(), (starts[at], starts[at + 1]), _all_marks(own))
        for at, (piece, own) in enumerate(zip(pieces, owned, strict=True))
    )


def _owner(text: str, pieces: Sequence[tuple[int, int]], place: int) -> int:
    """The number of the statement that a run of marks at `place` belongs to."""
    begun = [at for at, piece in enumerate(pieces) if _first(text, piece) < place]
    if not begun:
        return 0
    last = begun[-1]
    start, end = pieces[last]
    behind = place > start + len(text[start:end].rstrip())
    rest = text[place:].partition("\n")[0]
    return last + 1 if behind and rest.strip() and last + 1 < len(pieces) else last


def _first(text: str, piece: tuple[int, int]) -> int:
    start, end = piece
    return end - len(text[start:end].lstrip())


def _start(bare: Unmarked, owned: Sequence[MarkRun], piece: tuple[int, int]) -> int:
    """Where a statement starts in the original text: at its first character or at a mark before that."""
    first = bare.origin(_first(bare.text, piece))
    return min([first, *(run.cut[0] for run in owned)])


def _all_marks(runs: Iterable[MarkRun]) -> tuple[CitationMark, ...]:
    return tuple(mark for run in runs for mark in run.marks)
