"""Answers with other citations: marks go and come, and every other character of the text stays where it is.

Only spaces directly before a mark go or come with it. What is written is read again: an edit after which the answer
would not cite what it should, or would have other statements, is not made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from harness.citing.answers import CitationMark, ParsedAnswer, Statement
from harness.citing.mark_style import STOP, shortened, style_of
from harness.citing.marks import marks_of, parts_of
from harness.citing.parsing import MarkRun, parsed, unmarked

_JOINING = re.compile(r"[\s,;，、；&()（）]|\band\b|</?sup>")
_SPACES = re.compile(r"[^\S\n]*\Z")
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
    if before.answer.given:
        return Rewritten(_with_given(before, wanted), ())
    if not changed:
        return Rewritten(before, ())
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
    """The answer with a text, if its statements are the same and cite what they should."""
    after = parsed(replace(before.answer, text=text))
    same = _bare(after) == _bare(before) and len(after.statements) == len(before.statements)
    same = same and all(
        numbers_of(new) == goal and _JOINING.sub("", new.text) == _JOINING.sub("", old.text)
        for new, old, goal in zip(after.statements, before.statements, wanted, strict=True)
    )
    return after if same else None


def _bare(parsed: ParsedAnswer) -> str:
    """The characters of an answer that are no marks, spaces or signs that join marks."""
    text = parsed.answer.text
    return _JOINING.sub("", unmarked(text, marks_of(text, len(parsed.answer.references))).text)


def _applied(text: str, edits: Sequence[Edit]) -> str:
    pieces, at = list[str](), 0
    for start, end, new in sorted(edits):
        pieces += [text[at:start], new]
        at = end
    return "".join([*pieces, text[at:]])


def _with_given(before: ParsedAnswer, wanted: Sequence[Wanted]) -> ParsedAnswer:
    """An answer whose file gives sentences and citations apart: its marks are written behind each sentence."""
    text, statements = "", list[Statement]()
    for one, goal in zip(before.statements, wanted, strict=True):
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


class _Writer:
    """Finds the edits of the text of one answer."""

    def __init__(self, now: ParsedAnswer) -> None:
        self.text, self.statements = now.answer.text, now.statements
        runs = unmarked(self.text, marks_of(self.text, len(now.answer.references))).runs
        self.style = style_of(self.text, runs)
        self.runs = [[run for run in runs if run.marks[0] in one.marks] for one in now.statements]

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
        start, end = self.statements[at].span
        end = start + len(self.text[start:end].rstrip())
        stop = STOP.search(self.text, start, end)
        before = stop.start() if stop and stop.start() > start else end
        places = (end, before) if self.style.after_stop else (before, end)
        for place in dict.fromkeys(start + len(self.text[start:one].rstrip()) for one in places):
            bare = _UNSPACED.search(self.text, start, place)
            own = self.style.space if self.style.space is not None else "" if bare else " "
            for space in dict.fromkeys([own, " ", ""]):
                yield place, place, space + self.style.marks(added)

    def _of_run(self, run: MarkRun, wanted: Wanted, added: Sequence[int]) -> list[Edit]:
        kept = [tuple(i for i in mark.ids if i in wanted) for mark in run.marks]
        ids = self._filled(run, kept, list(added))
        changed = [
            (*mark.span, shortened(self.text, mark, own, self.style))
            for mark, own in zip(run.marks, ids, strict=True)
            if own and own != mark.ids
        ]
        rest = [i for i in added if not any(i in own for own in ids)]
        behind = [(run.marks[-1].span[1],) * 2 + (self.style.between + self.style.marks(rest),)] if rest else []
        return [*changed, *self._removed(run, ids), *behind]

    def _filled(self, run: MarkRun, kept: Sequence[tuple[int, ...]], added: list[int]) -> list[tuple[int, ...]]:
        """What each mark of a run cites: added documents take the places of removed ones. A mark that a sign or a word
        joins to others is not left out as long as another one stays: it repeats it."""
        ids, empty = list(kept), [at for at, own in enumerate(kept) if not own]
        for at in empty[: len(added)]:
            several = at == empty[-1] and self.style.comma is not None
            ids[at] = tuple(added) if several else (added[0],)
            added = [] if several else added[1:]
        if added and self.style.comma is not None and ids[-1] and parts_of(self._written(run.marks[-1])).whole:
            ids[-1] = (*ids[-1], *added)
        for at in empty:
            if not ids[at] and self._is_joined(run, at):
                ids[at] = next((own[-1:] for own in (*reversed(ids[:at]), *ids[at:]) if own), ())
        return ids

    def _written(self, mark: CitationMark) -> str:
        return self.text[slice(*mark.span)]

    def _is_joined(self, run: MarkRun, at: int) -> bool:
        pairs = [(run.marks[i], run.marks[i + 1]) for i in (at - 1, at) if 0 <= i < len(run.marks) - 1]
        return any(self.text[one.span[1] : two.span[0]].strip() for one, two in pairs)

    def _removed(self, run: MarkRun, ids: Sequence[tuple[int, ...]]) -> Iterator[Edit]:
        stays = next((at for at, own in enumerate(ids) if own), None)
        for at, mark in enumerate(run.marks):
            if ids[at]:
                continue
            start, end = mark.span
            if stays is not None and at < stays:  # the spaces behind it are those before the next mark
                following = self.text[end : run.marks[at + 1].span[0]]
                yield start, end + (len(following) if not following.strip() else 0), ""
                continue
            before = run.marks[at - 1].span[1] if at else run.cut[0]
            spaces = _SPACES.search(self.text, before, start)
            yield spaces.start() if spaces else start, end, ""
