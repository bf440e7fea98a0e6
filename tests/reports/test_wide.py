"""Tables can be read in any terminal: a reader would lose digits, or the names of the systems."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from reports.table import Cell, Table, terminal
from reports.wide import fitted, shortened

NAMES = [
    "cross-encoder/ms-marco-MiniLM-L12-v2?max_length=512",
    "cross-encoder/ms-marco-MiniLM-L12-v2?max_length=256",
    "BAAI/bge-reranker-v2-m3",
    "多言語の再順位付けモデル",
]
COLUMNS = ("system", "nDCG@10", "95 % interval", "vs first stage", "interval of it", "ceiling", "headroom", "pairs/s")
FIGURES = [[f"{10 * row + column}.{row}{column}5" for column in range(1, len(COLUMNS))] for row in range(len(NAMES))]


def table(*, groups: bool = False) -> Table:
    rows = tuple(
        (Cell(name), *(Cell(figure, marks=("*",)) for figure in own)) for name, own in zip(NAMES, FIGURES, strict=True)
    )
    spans = (("", 1), ("collections", 3), ("averages", 4)) if groups else ()
    return Table("nDCG@10", COLUMNS, rows, notes=("a note",), footnotes=(("*", "significant"),), groups=spans)


def printed(shown: Table, width: int) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=width, highlight=False).print(terminal(shown, width))
    return out.getvalue().splitlines()


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
@pytest.mark.parametrize("groups", [False, True])
def test_every_figure_is_there_whole_whatever_the_width(width: int, groups: bool) -> None:
    lines = printed(table(groups=groups), width)
    text = "\n".join(lines)
    for own in FIGURES:
        for figure in own:
            assert f"{figure}*" in text
    for word in " ".join(COLUMNS[1:]).split():
        assert word in text
    assert all(len(line) <= width for line in lines)
    assert text.count("a note") == text.count("* significant") == 1
    assert lines[0].startswith("nDCG@10")


@pytest.mark.parametrize("width", [60, 80, 100])
def test_systems_can_be_distinguished_in_every_part(width: int) -> None:
    for part in fitted(table(), width):
        names = [row[0].text for row in part.rows]
        assert len(set(names)) == len(NAMES)
        assert all(len(name) >= 10 for name in names)


def test_a_table_that_fits_is_as_it_was() -> None:
    assert fitted(table(), 400) == [table()]


def test_names_are_cut_in_the_middle_as_far_as_they_stay_different() -> None:
    assert shortened(["packaged:english-cross-encoder", "bm25"], 13) == ["packag…ncoder", "bm25"]
    long = ["a" * 20 + "1" + "b" * 20, "a" * 20 + "2" + "b" * 20]
    cut = shortened(long, 10)
    assert len(set(cut)) == 2
    assert shortened(["the same", "the same"], 5) == ["th…me", "th…me"]


def test_marks_stay_with_their_columns() -> None:
    marked = Table(
        "t", ("system", "a" * 30, "b" * 30), ((Cell("x"), Cell("1"), Cell("2")),), column_marks=((), ("†",), ())
    )
    first, second = fitted(marked, 50)
    assert first.heads == ("system", f"{'a' * 30}†")
    assert second.heads == ("system", "b" * 30)
    assert re.search(r"a{30}†", "\n".join(printed(marked, 50)))


def test_a_table_of_text_alone_is_wrapped() -> None:
    words = Table("t", ("id", "text"), ((Cell("a"), Cell("some words " * 12)), (Cell("b"), Cell("more"))), left=2)
    lines = printed(words, 60)
    assert " ".join(" ".join(lines).split()).count("some words") == 12
    assert all(len(line) <= 60 for line in lines)


def test_columns_of_text_that_name_no_row_are_not_repeated() -> None:
    """A history has five: with all of them in every part, none could be read."""
    texts = ("checkpoint-500-of-the-long-run", "bb4c298d", "Qwen/Qwen3-Embedding-0.6B", "100", "2026-11-29T04:55")
    row = (*map(Cell, texts), Cell("56.19"), Cell("+3.38"))
    other = (Cell("checkpoint-900-of-the-long-run"), *row[1:])
    columns = ("system", "revision", "first stage", "depth", "since", "nDCG@10", "change")
    parts = fitted(Table("history", columns, (row, other), left=5), 80)
    assert all(part.columns[0] == "system" and part.rows[0][0].text == texts[0] for part in parts)
    assert sorted(name for part in parts for name in part.columns[1:]) == sorted(columns[1:])


@pytest.mark.parametrize(("width", "shortest"), [(100, 16), (120, 24)])
def test_the_default_columns_of_a_run_fit_into_one_part(width: int, shortest: int) -> None:
    heads = ("system", "nDCG@10", "95 % interval", "vs first stage", "interval of it", "adjusted p", "ceiling")
    figures = ("66.24", "[51.20, 80.54]", "+13.38", "[-10.27, +17.13]", "0.0756", "77.62")
    shown = Table("t", heads, tuple((Cell(name), *map(Cell, figures)) for name in NAMES[:3]))
    (part,) = fitted(shown, width)
    assert min(len(row[0].text) for row in part.rows) >= min(shortest, len(NAMES[2]))
    assert all(len(line) <= width for line in printed(shown, width))
    assert len({row[0].text for row in part.rows}) == 3
