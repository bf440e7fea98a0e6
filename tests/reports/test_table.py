"""One value, several renderings: no rendering may lose a digit or let a name become markup."""

from __future__ import annotations

import csv
import io

from rich.console import Console

from reports.table import Cell, Table, comma_separated, markdown, terminal
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
