"""One value, several renderings: no rendering may lose a digit or let a name become markup."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable

import pytest
from rich.console import Console

from reports.html import html_table
from reports.latex import latex
from reports.table import Cell, Table, comma_separated, escaped, markdown, terminal
from reports.wide import cut

TABLE = Table(
    "a title",
    ("system", "nDCG@10"),
    ((Cell("a|b"), Cell("64.51", strong=True)), (Cell('<script>x</script>, "y"'), Cell("+1.20*"))),
    ("* a note",),
)


def test_markdown_keeps_names_from_becoming_markup() -> None:
    text = markdown(TABLE)
    assert "| a\\|b | **64.51** |" in text
    assert "<script>" not in text
    assert "+1.20\\*" in text
    assert "- \\* a note" in text


def test_csv_can_be_read_back_whole() -> None:
    rows = list(csv.reader(io.StringIO(comma_separated(TABLE))))
    assert rows == [["system", "nDCG@10"], ["a|b", "64.51"], ['<script>x</script>, "y"', "+1.20*"]]


def test_the_terminal_shows_every_cell_and_note_as_it_is() -> None:
    out = io.StringIO()
    Console(file=out, width=100).print(terminal(TABLE))
    for text in ("a title", "a|b", "64.51", '<script>x</script>, "y"', "+1.20*", "* a note"):
        assert text in out.getvalue()


def test_a_name_in_square_brackets_is_no_colour() -> None:
    out = io.StringIO()
    table = Table("[red]t", ("system",), ((Cell("model[red]x"),),), ("[bold]note",))
    Console(file=out, width=60).print(terminal(table))
    assert "model[red]x" in out.getvalue()
    assert "[bold]note" in out.getvalue()
    assert "[red]t" in out.getvalue()


MARKED = Table(
    "marked",
    ("system", "macro", "one", "two"),
    (
        (Cell("bm25"), Cell("50.00", second=True), Cell("60.00", strong=True), Cell("40.00")),
        (Cell("new", marks=("◊",)), Cell("-", marks=("¶",)), Cell("55.00", second=True, marks=("↑",)), Cell("-")),
        (Cell("chance"), Cell("10.00"), Cell("10.00"), Cell("10.00")),
    ),
    ("a note",),
    groups=(("", 2), ("suite", 2)),
    kinds=("first stage", "system", "chance"),
    column_marks=((), (), ("‡",), ()),
    footnotes=(("↑", "better"), ("¶", "no average"), ("‡", "training"), ("◊", "adapted")),
)


def test_the_second_best_is_underlined_where_markdown_can() -> None:
    text = markdown(MARKED)
    assert "| bm25 | <ins>50.00</ins> | **60.00** | 40.00 |" in text
    assert "| new◊ | -¶ | <ins>55.00</ins>↑ | - |" in text


def test_a_rendering_with_one_line_of_headings_names_the_group_in_it() -> None:
    assert "| system | macro | suite · one‡ | suite · two |" in markdown(MARKED)
    assert comma_separated(MARKED).splitlines()[0] == "system,macro,suite · one‡,suite · two,marks"


def test_a_figure_in_csv_is_a_number_and_its_mark_is_not_lost() -> None:
    rows = list(csv.DictReader(io.StringIO(comma_separated(MARKED))))
    assert float(rows[1]["suite · one‡"]) == 55
    assert rows[1]["marks"] == "macro: ¶; suite · one‡: ↑", "a mark names its column as the header does"
    assert rows[1]["system"] == "new◊"


def test_every_footnote_is_printed_by_the_terminal_and_by_markdown() -> None:
    out = io.StringIO()
    Console(file=out, width=120).print(terminal(MARKED))
    for text in (out.getvalue(), markdown(MARKED)):
        for line in ("↑ better", "¶ no average", "‡ training", "◊ adapted", "a note"):
            assert line in text


def test_a_wide_table_is_cut_without_losing_a_column_or_a_heading() -> None:
    parts = cut(MARKED, 16)
    assert [part.columns for part in parts] == [("system", "macro"), ("system", "one"), ("system", "two")]
    assert [part.groups for part in parts[1:]] == [(("", 1), ("suite", 1))] * 2
    assert parts[1].column_marks == ((), ("‡",))
    assert [bool(part.legend) for part in parts] == [False, False, True]
    assert parts[0].title == "marked (1 of 3)"
    assert cut(MARKED, 500) == [MARKED]


def shown(table: Table) -> str:
    """As the terminal shows it, without colours."""
    out = io.StringIO()
    Console(file=out, width=300).print(terminal(table))
    return out.getvalue()


LIVE = [
    "[text](http://x.org)", "![](http://x.org/a.png)", "<http://x.org>", "http://x.org", "HTTPS://x.org",
    "ftp://x.org", "www.x.org", "mailto:a@x.org", "a@x.org", "[x]: http://x.org", "[a][b]", "<img src=x>",
    "xmpp:a@x.org/y", "a|[b](//x.org)", "_www.x.org", "(www.x.org)", "\\[x](http://x.org)",
]  # fmt: skip
LINK = re.compile(r"(?<!\\)\](?=[(:\[])|[a-z]://|www\.|mailto:|xmpp:|[\w.]@\w+\.\w|<(?!!-- -->)", re.IGNORECASE)
PLAIN = ["+2.25 [-5.52, +10.00] (p = .08)", "nDCG@10 [tied-order]", "org/model@main", "a: b", "3:30"]


@pytest.mark.parametrize("name", LIVE)
def test_no_name_is_a_live_link_in_markdown(name: str) -> None:
    """As GitHub reads it: no target after brackets, no scheme, no host, no address, no element of HTML."""
    named = Table(name, ("system", "a"), ((Cell(name), Cell("1")),), notes=(name,))
    assert not any(LINK.search(line) for line in markdown(named).splitlines())


@pytest.mark.parametrize("text", PLAIN)
def test_intervals_measures_and_revisions_are_written_as_they_are(text: str) -> None:
    assert escaped(text) == text


@pytest.mark.parametrize("render", [markdown, comma_separated, latex, html_table, shown])
def test_no_rendering_has_signs_that_a_terminal_or_browser_obeys(render: Callable[[Table], str]) -> None:
    name = "a\x1b[2J\u202eb\x9b\u2066\ufeff\x07c"
    odd = Table(name, (name, name), ((Cell(name), Cell(name)),), notes=(name,), footnotes=(("*", name),), finding=name)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]", render(odd))
