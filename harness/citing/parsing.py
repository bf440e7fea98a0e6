"""Answers to statements: sentences are found in the text without marks, and each mark then gets its sentence.

Because the sentences do not depend on the marks, adding, removing, doubling or reordering marks never changes them.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from harness.citing.answers import Answer, CitationMark, ParsedAnswer, Statement
from harness.citing.marks import MarkRun, runs_of
from harness.citing.sentences import sentence_ends

_WORD = re.compile(r"\w")
_MORE = re.compile(r"[^\S\n]*\S")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_DELIMITERS = frozenset("|-: \t\r")
_DEFINITION = re.compile(r"[^\S\n]*\\?\[(?:\^[^\[\]\n]{1,80}|[^\[\]\n]{1,80}(?=\\?\]:\s*<?(?:https?:|www\.)))\\?\]:")


@dataclass(frozen=True)
class Unmarked:
    """A text without its marks."""

    text: str
    runs: tuple[MarkRun, ...]
    places: tuple[int, ...]
    """For each run the offset in `text` at which it was."""

    @cached_property
    def _passed(self) -> list[int]:
        return list(accumulate((run.cut[1] - run.cut[0] for run in self.runs), initial=0))

    def origin(self, offset: int) -> int:
        """The offset in the original text of the character at `offset` of `text`."""
        return offset + self._passed[bisect_right(self.places, offset)]


@dataclass(frozen=True)
class TextPiece:
    """A statement in a text without marks, by offsets."""

    start: int
    end: int
    """The end, with pieces without words that follow."""
    first: int
    """The first character that is no space."""
    stop: int
    """The end without spaces."""
    worded: int
    """The end of the sentence, without spaces and pieces without words."""


@dataclass(frozen=True)
class AnswerLayout:
    """Where the statements of an answer and their marks are."""

    bare: Unmarked
    pieces: tuple[TextPiece, ...]
    owners: tuple[int, ...]
    """For each run of marks the number of its statement, from 0. They ascend."""
    prefix: bool
    """Whether marks stand before the sentences that they belong to."""

    def owned(self) -> list[list[MarkRun]]:
        """For each statement its runs of marks; one list for all if there is no statement."""
        found: list[list[MarkRun]] = [[] for _ in self.pieces or [None]]
        for run, owner in zip(self.bare.runs, self.owners, strict=True):
            found[owner].append(run)
        return found


def parsed(answer: Answer) -> ParsedAnswer:
    """Return an answer with its statements and their marks.

    A mark belongs to the sentence that it is in or directly behind, also after the full stop. Marks alone on a line
    belong to the sentence before. A mark at the start of a line with more text belongs to the sentence that follows. If
    the answer begins with a mark and all marks stand before sentences, each belongs to the sentence that follows. A
    piece without letters or digits is part of the statement before it. The head of a table and the definitions of
    footnotes are no statements.

    Raises:
        MissingExtra: sentencex is not installed.
    """
    if answer.given:
        return ParsedAnswer(answer, answer.given)
    return ParsedAnswer(answer, _statements(answer.text, layout_of(answer)))


def layout_of(answer: Answer) -> AnswerLayout:
    """Return where the statements of an answer and their marks are.

    Raises:
        MissingExtra: sentencex is not installed.
    """
    bare = unmarked(answer.text, runs_of(answer.text, len(answer.references)))
    pieces = _pieces(bare.text, answer.language)
    firsts = [one.first for one in pieces]
    prefix = bool(bare.runs) and all(_leads(bare.text, pieces, firsts, place) for place in bare.places)
    prefix = prefix and bool(pieces) and not _WORD.search(bare.text, 0, bare.places[0])
    owners = (_owner(bare.text, pieces, firsts, place, prefix) for place in bare.places)
    return AnswerLayout(bare, tuple(pieces), tuple(accumulate(owners, max)), prefix)


def unmarked(text: str, runs: Sequence[MarkRun]) -> Unmarked:
    """Return a text without its marks and the spaces before them.

    Args:
        runs: all marks of the text, of `runs_of`.
    """
    kept, places, at = list[str](), list[int](), 0
    length = 0
    for run in runs:
        kept.append(text[at : run.cut[0]])
        length += len(kept[-1])
        places.append(length)
        at = run.cut[1]
    return Unmarked("".join([*kept, text[at:]]), tuple(runs), tuple(places))


def _pieces(text: str, language: str | None) -> list[TextPiece]:
    """The statements in a text without marks. Pieces without words are joined to the one before."""
    found, start, left_out = list[TextPiece](), 0, list(_no_statements(text))
    starts = [one for one, _ in left_out]
    for end in sentence_ends(text, language):
        at = bisect_right(starts, start) - 1
        if at < 0 or left_out[at][1] <= start:
            _add(found, text, start, end)
        start = end
    return found


def _add(found: list[TextPiece], text: str, start: int, end: int) -> None:
    own = text[start:end]
    stop = start + len(own.rstrip())
    if _WORD.search(own):
        found.append(TextPiece(start, end, end - len(own.lstrip()), stop, stop))
    elif found and found[-1].end == start:
        last = found[-1]
        found[-1] = TextPiece(last.start, end, last.first, stop if own.strip() else last.stop, last.worded)


def _no_statements(text: str) -> Iterator[tuple[int, int]]:
    """The lines that are the head of a table, the line below it, or the definition of a footnote."""
    before, start = (0, 0), 0
    for line in _LINE.findall(text):
        now = start, start + len(line)
        if "|" in line and "-" in line and set(line.rstrip("\n")) <= _DELIMITERS:
            if "|" in text[slice(*before)]:
                yield before
            yield now
        elif _DEFINITION.match(line):
            yield now
        before, start = now, now[1]


def _statements(text: str, layout: AnswerLayout) -> tuple[Statement, ...]:
    bare, pieces, owned = layout.bare, layout.pieces, layout.owned()
    if not pieces:
        return (Statement("", (0, len(text)), _all_marks(owned[0])),)
    starts = [0, *(_start(bare, own, piece) for own, piece in zip(owned[1:], pieces[1:], strict=True)), len(text)]
    return tuple(
        Statement(bare.text[piece.first : piece.stop], (starts[at], starts[at + 1]), _all_marks(own))
        for at, (piece, own) in enumerate(zip(pieces, owned, strict=True))
    )


def _owner(text: str, pieces: Sequence[TextPiece], firsts: Sequence[int], place: int, prefix: bool) -> int:
    """The number of the statement that a run of marks at `place` belongs to."""
    last = bisect_left(firsts, place) - 1
    if last < 0:
        return 0
    behind = place >= pieces[last].stop if prefix else place > pieces[last].stop
    return last + 1 if behind and last + 1 < len(pieces) and _MORE.match(text, place) else last


def _leads(text: str, pieces: Sequence[TextPiece], firsts: Sequence[int], place: int) -> bool:
    """Whether a run of marks precedes a sentence on its line."""
    last = bisect_left(firsts, place) - 1
    if last >= 0 and place >= pieces[last].stop and last + 1 == len(pieces):
        return False
    between = last >= 0 and place < pieces[last].stop and _WORD.search(text, firsts[last], place)
    return bool(_MORE.match(text, place)) and not between


def _start(bare: Unmarked, owned: Sequence[MarkRun], piece: TextPiece) -> int:
    """Where a statement starts in the original text: at its first character or at a mark before that."""
    return min([bare.origin(piece.first), *(run.cut[0] for run in owned)])


def _all_marks(runs: Iterable[MarkRun]) -> tuple[CitationMark, ...]:
    return tuple(mark for run in runs for mark in run.marks)
