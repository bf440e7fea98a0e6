"""Answers with other citations: marks go and come, and every other character of the text stays where it is.

Signs between marks and brackets around them belong to the marks. Only spaces directly before a mark go or come with it.
What is written is read again: an edit after which the answer
would not cite what it should, or would have other statements, is not made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from harness.citing.answers import CitationMark, ParsedAnswer, Statement
from harness.citing.mark_style import STOP, shortened, style_of
from harness.citing.marks import MarkRun, parts_of, runs_of
from harness.citing.parsing import layout_of, parsed, unmarked

_LAST_CELL = re.compile(r"(?:[^\S\n]*\|)+\Z")
"""The end of a row of a table."""
_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uff60]\Z"
)
"""A last character after which scripts without spaces put a mark directly."""
Edit = tuple[int, int, str]
"""Start and end in the text, and what is there afterwards."""
Wanted = frozenset[int]
"""The documents that a statement should cite, and the numbers without a document that it keeps."""


@dataclass(frozen=True)
class Rewritten:
    """An answer with other marks."""

    answer: ParsedAnswer
    refused: tuple[int, ...]
    """The statements, from 0, whose marks could not be changed without changing what the answer says."""


def numbers_of(statement: Statement) -> Wanted:
    """Return all numbers that a statement cites, also those without a document."""
    return frozenset(number for mark in statement.marks for number in mark.ids)


def rewritten(before: ParsedAnswer, wanted: Sequence[Wanted]) -> Rewritten:
    """Return an answer whose statements cite what they should.

    Marks of a statement that cites this already stay as they are. Added marks have the style of the answer.

    Args:
        wanted: for every statement, what it should cite.
    """
    changed = [at for at, one in enumerate(before.statements) if numbers_of(one) != wanted[at]]
    if not changed:
        return Rewritten(before, ())
    if before.answer.given:
        return Rewritten(_with_given(before, wanted), ())
    writer = _Writer(before)
    whole = [edit for at in changed for edit in writer.first(at, wanted[at])]
    done = _checked(before, _applied(before.answer.text, whole), wanted)
    return Rewritten(done, ()) if done else _one_by_one(before, wanted, changed)


def _one_by_one(before: ParsedAnswer, wanted: Sequence[Wanted], changed: Sequence[int]) -> Rewritten:
    """Change one statement after the other, each in the first way that reads as it should, until none is left that can
    be changed."""
    now, left = before, list(changed)
    while left:
        done = next(((at, found) for at in left if (found := _with_one(now, at, wanted[at]))), None)
        if done is None:
            break
        now, left = done[1], [at for at in left if at != done[0]]
    return Rewritten(now, tuple(left))


def _with_one(now: ParsedAnswer, at: int, wanted: Wanted) -> ParsedAnswer | None:
    goal = [wanted if place == at else numbers_of(one) for place, one in enumerate(now.statements)]
    ways = _Writer(now).ways(at, wanted)
    return next((found for edits in ways if (found := _checked(now, _applied(now.answer.text, edits), goal))), None)


def _checked(before: ParsedAnswer, text: str, wanted: Sequence[Wanted]) -> ParsedAnswer | None:
    """The answer with a text, if nothing but its marks differs and its statements cite what they should."""
    after = parsed(replace(before.answer, text=text))
    same = [one.text for one in after.statements] == [one.text for one in before.statements]
    right = same and all(numbers_of(one) == goal for one, goal in zip(after.statements, wanted, strict=True))
    return after if right and _bare(after) == _bare(before) else None


def _bare(one: ParsedAnswer) -> str:
    """The text without marks, with the lines that are no statements."""
    return unmarked(one.answer.text, runs_of(one.answer.text, len(one.answer.references))).text


def _applied(text: str, edits: Sequence[Edit]) -> str:
    pieces, at = list[str](), 0
    for start, end, new in sorted(edits):
        pieces += [text[at:start], new]
        at = end
    return "".join([*pieces, text[at:]])


def _with_given(before: ParsedAnswer, wanted: Sequence[Wanted]) -> ParsedAnswer:
    """An answer whose file gives sentences and citations apart: the marks are written behind each sentence whose
    citations change."""
    text, statements = "", list[Statement]()
    for one, goal in zip(before.statements, wanted, strict=True):
        if numbers_of(one) == goal:
            statements.append(_moved(one, len(text) - one.span[0]))
            text += before.answer.text[slice(*one.span)]
            continue
        first = min((mark.span[0] for mark in one.marks), default=one.span[1])
        body = before.answer.text[one.span[0] : first].rstrip()
        start, marks = len(text), list[CitationMark]()
        text += body
        kept = [i for mark in one.marks for i in mark.ids if i in goal]
        for number in dict.fromkeys([*kept, *sorted(goal)]):
            text += f" [{number}]" if not marks else f"[{number}]"
            marks.append(CitationMark((len(text) - len(f"[{number}]"), len(text)), (number,)))
        text += " "
        statements.append(Statement(one.text, (start, len(text)), tuple(marks)))
    answer = replace(before.answer, text=text, given=tuple(statements))
    return ParsedAnswer(answer, tuple(statements))


def _moved(one: Statement, by: int) -> Statement:
    marks = tuple(replace(mark, span=(mark.span[0] + by, mark.span[1] + by)) for mark in one.marks)
    return replace(one, span=(one.span[0] + by, one.span[1] + by), marks=marks)


class _Writer:
    """Finds the edits of the text of one answer."""

    def __init__(self, now: ParsedAnswer) -> None:
        self.text, self.statements = now.answer.text, now.statements
        layout = layout_of(now.answer)
        self.prefix, self.runs = layout.prefix, layout.owned()
        self.style = style_of(self.text, layout.bare.runs)
        self.starts = {run.marks[0].span[0] for run in layout.bare.runs}
        origin = layout.bare.origin
        self.bodies = [(origin(one.first), origin(one.worded - 1) + 1) for one in layout.pieces] or [(0, 0)]

    def first(self, at: int, wanted: Wanted) -> list[Edit]:
        """The edits of the first way to make a statement cite what it should."""
        return next(self.ways(at, wanted), [])

    def ways(self, at: int, wanted: Wanted) -> Iterator[list[Edit]]:
        """All ways, the best one first."""
        runs, added = self.runs[at], sorted(wanted - numbers_of(self.statements[at]))
        if runs:
            last = [added if run is runs[-1] else [] for run in runs]
            yield [edit for run, own in zip(runs, last, strict=True) for edit in self._of_run(run, wanted, own)]
            if added:  # the last run cannot take them
                removed = [edit for run in runs for edit in self._of_run(run, wanted, [])]
                yield from ([*removed, edit] for edit in self._placed(at, added))
        elif added:
            yield from ([edit] for edit in self._placed(at, added))

    def _placed(self, at: int, added: Sequence[int]) -> Iterator[Edit]:
        """New marks at the end of a statement, in the place that the style has, then in others."""
        start, end = self.bodies[at]
        if self.prefix and at:
            yield self.bodies[at - 1][1], self.bodies[at - 1][1], " " + self.style.run(added)
        cell = _LAST_CELL.search(self.text, start, end)
        end = cell.start() if cell and cell.start() > start else end
        stop = STOP.search(self.text, start, end)
        before = stop.start() if stop and stop.start() > start else end
        places = (end, before) if self.style.after_stop else (before, end)
        for place in dict.fromkeys(start + len(self.text[start:one].rstrip()) for one in places):
            bare = _UNSPACED.search(self.text, start, place)
            own = self.style.space if self.style.space is not None else "" if bare else " "
            for space in dict.fromkeys([own, " ", ""]):
                yield place, place, space + self.style.run(added)

    def _of_run(self, run: MarkRun, wanted: Wanted, added: Sequence[int]) -> list[Edit]:
        kept = [tuple(i for i in mark.ids if i in wanted) for mark in run.brackets]
        ids = self._filled(run, kept, list(added))
        rest = [i for i in added if not any(i in own for own in ids)]
        if not any(ids) and not rest:
            directly = run.cut[1] in self.starts  # the spaces before it are then those before the next run
            return [(run.marks[0].span[0] if directly else run.cut[0], run.cut[1], "")]
        changed = [
            (*mark.span, shortened(self.text, mark, own, self.style))
            for mark, own in zip(run.brackets, ids, strict=True)
            if own and own != mark.ids
        ]
        behind = [(run.brackets[-1].span[1],) * 2 + (self._joined(run, rest),)] if rest else []
        return [*changed, *_removed(run, ids), *behind]

    def _joined(self, run: MarkRun, added: Sequence[int]) -> str:
        """More marks for the end of a run, joined as its own ones are."""
        own = [self.text[one.span[1] : two.span[0]] for one, two in pairwise(run.brackets)]
        join = own[0] if own else self.style.between
        if self.style.comma is not None:
            return join + self.style.marks(added)
        return "".join(join + self.style.marks([one]) for one in added)

    def _filled(self, run: MarkRun, kept: Sequence[tuple[int, ...]], added: list[int]) -> list[tuple[int, ...]]:
        """What each mark of a run cites: added documents take the places of removed ones."""
        ids, empty = list(kept), [at for at, own in enumerate(kept) if not own]
        for at in empty[: len(added)]:
            several = at == empty[-1] and self.style.comma is not None
            ids[at] = tuple(added) if several else (added[0],)
            added = [] if several else added[1:]
        last = self.text[slice(*run.brackets[-1].span)]
        if added and self.style.comma is not None and ids[-1] and parts_of(last).whole:
            ids[-1] = (*ids[-1], *added)
        return ids


def _removed(run: MarkRun, ids: Sequence[tuple[int, ...]]) -> Iterator[Edit]:
    """Leave out marks that cite nothing, each with what joins it to the one before. Those in front of the
    first one that stays go with what joins them to the next one."""
    stays = next(at for at, own in enumerate(ids) if own)
    for at, mark in enumerate(run.brackets):
        if not ids[at] and at < stays:
            yield mark.span[0], run.brackets[at + 1].span[0], ""
        elif not ids[at]:
            yield run.brackets[at - 1].span[1], mark.span[1], ""
