"""One value, several renderings: no rendering may lose a digit or let a name become markup."""

from __future__ import annotations

import csv
import io

from rich.console import Console

from reports.tables import Cell, Table, comma_separated, markdown, terminal

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
