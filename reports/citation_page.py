"""The page of a set of answers: every text with its marks coloured by what the judge said of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from importlib import resources
from pathlib import Path

from adapters.errors import MissingExtra
from adapters.plain_text import printable
from harness.citing.answers import CitationMark, ParsedAnswer, Statement
from harness.citing.evaluation import CitationEvaluation
from harness.citing.metric import AnswerScore, StatementScore
from harness.citing.scores import F1, PRECISION, RECALL
from harness.citing.support import FULL, PARTIAL
from harness.numbers import count, points
from harness.workspace import write_atomically
from reports.document import Heading, Image
from reports.html import html_table, page
from reports.tables.citations import citation_tables

SHOWN = 200
"""The number of answers on a page, those with the lowest F1 first."""
KINDS: Mapping[str, str] = {
    "relevant": "in a minimal set that supports the statement",
    "partly": "in a minimal set that supports it partially",
    "irrelevant": "in no minimal supporting set",
    "invalid": "the document is not there",
    "uncounted": "the statement needs no support, or the judge gave no value",
}
"""The colours of marks."""
LEVELS: Mapping[str, str] = {
    "supported": "supported", "half": "partially supported", "unsupported": "its citations do not support it",
    "uncited": "cites nothing", "free": "needs no support", "unjudged": "the judge gave no value",
}  # fmt: skip
"""The lines under statements."""


def write_citation_page(found: CitationEvaluation, out: Path) -> None:
    """Write `index.html`, and `plots/causes.*` if matplotlib is installed.

    Raises:
        MissingExtra: matplotlib is not installed. The page is written without the plot.
    """
    out.mkdir(parents=True, exist_ok=True)
    missing, image = None, ""
    try:
        from reports.plots.citation_causes import draw_causes
        from reports.plots.plot import write

        drawn = write(draw_causes(found), out / "plots")
        image = Image(drawn.title, drawn.png, drawn.svg, drawn.caption).html()
    except MissingExtra as error:
        missing = error
    with write_atomically(out / "index.html") as unfinished:
        unfinished.write_text(citation_page(found, image), "utf-8")
    if missing is not None:
        raise missing


def citation_page(found: CitationEvaluation, image: str = "") -> str:
    """The page as HTML. It needs no other file and no network.

    Args:
        image: a drawing, as HTML.
    """
    style = resources.files("reports").joinpath("templates/citations.css").read_text("utf-8")
    title = f"Citations: {found.file.path.name}"
    tables = [html_table(one) for one in citation_tables(found)]
    body = [
        f"<style>\n{style}</style>", "<main>", Heading(title, 1).html(), tables[0], image, *tables[1:],
        Heading("Answers").html(), *_legend(), *_answers(found), "</main>",
    ]  # fmt: skip
    return page(title, "\n".join(part for part in body if part) + "\n")


def _legend() -> Iterator[str]:
    marks = "".join(f'<li><b class="m {kind}">1</b> {escape(text)}</li>' for kind, text in KINDS.items())
    levels = "".join(f'<li><span class="s {kind}">text</span> {escape(text)}</li>' for kind, text in LEVELS.items())
    yield f'<ul class="legend" aria-label="Colours">{marks}{levels}</ul>'


def _answers(found: CitationEvaluation) -> Iterator[str]:
    cases = sorted(
        zip(found.answers, found.scores.answers, strict=True), key=lambda one: (one[1].f1 == one[1].f1, one[1].f1)
    )
    if len(cases) > SHOWN:
        yield f"<p>{count(SHOWN)} of {count(len(cases))} answers, those with the lowest F1.</p>"
    for answer, score in cases[:SHOWN]:
        yield from _answer(answer, score)


def _answer(parsed: ParsedAnswer, score: AnswerScore) -> Iterator[str]:
    values = ", ".join(
        f"{name} {points(value)}"
        for name, value in ((RECALL, score.recall), (PRECISION, score.precision), (F1, score.f1))
    )
    answer = parsed.answer
    yield f'<article class="answer"><h3 dir="auto">{_text(answer.question or answer.id)}</h3>'
    yield f'<p class="values"><code>{_text(answer.id)}</code> {escape(values)}</p>'
    if not answer.text.strip():
        yield "<p><em>an empty answer</em></p>"
    statements = zip(parsed.statements, score.statements, strict=True)
    yield f'<p class="text" dir="auto">{"".join(_statement(answer.text, *one) for one in statements)}</p>'
    yield "<details><summary>Documents</summary><ol>"
    for one in answer.references:
        title = f"<b>{_text(one.title)}</b> " if one.title else ""
        yield f'<li dir="auto">{title}{_text(one.text)}</li>'
    yield "</ol></details></article>"


def _statement(text: str, statement: Statement, score: StatementScore) -> str:
    start, end = statement.span
    pieces, at = list[str](), start
    for mark in sorted(statement.marks, key=lambda one: one.span):
        pieces += [_text(text[at : mark.span[0]]), _mark(text, mark, score)]
        at = mark.span[1]
    pieces.append(_text(text[at:end]))
    level = _level(score)
    return f'<span class="s {level}" title="{escape(LEVELS[level])}">{"".join(pieces)}</span>'


def _mark(text: str, mark: CitationMark, score: StatementScore) -> str:
    kinds = [_kind(number, score) for number in mark.ids]
    said = "; ".join(f"[{number}] {KINDS[kind]}" for number, kind in zip(mark.ids, kinds, strict=True))
    worst = max(kinds, key=list(KINDS).index)
    return f'<b class="m {worst}" title="{escape(said)}">{_text(text[slice(*mark.span)])}</b>'


def _kind(number: int, score: StatementScore) -> str:
    if number in score.cited.invalid:
        return "invalid"
    if not score.cited.needs or score.weighed.missing:
        return "uncounted"
    return "relevant" if number in score.relevant else "partly" if number in score.partly else "irrelevant"


def _level(score: StatementScore) -> str:
    if not score.cited.needs:
        return "free"
    if score.weighed.missing:
        return "unjudged"
    if not score.cited.ids and not score.cited.invalid:
        return "uncited"
    return {FULL: "supported", PARTIAL: "half"}.get(score.weighed.level, "unsupported")


def _text(text: str) -> str:
    return "<br>".join(escape(printable(line)) for line in text.split("\n"))
