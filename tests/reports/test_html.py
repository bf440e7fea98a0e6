"""A page is read by screen readers and by strangers: its headings are headings, and no name becomes markup."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from reports.html import html_table, page
from reports.table import Cell, Table

EVIL = "<script>alert(1)</script>\"'&"
VOID = {"meta", "img", "br", "link", "input"}
TABLE = Table(
    EVIL,
    ("system", "macro", "one", EVIL),
    (
        (Cell("bm25"), Cell("50.00", second=True), Cell("60.00", strong=True, href="#e-12ab"), Cell("1")),
        (Cell(EVIL), Cell("-", marks=("¶",)), Cell("5", href='https://x.org/"><script>'), Cell("2")),
    ),
    (EVIL,),
    groups=(("", 2), (EVIL, 2)),
    kinds=("first stage", "published"),
    footnotes=(("¶", "no average"),),
)


class Reader(HTMLParser):
    """Tags with their attributes; fails where one is not closed in turn."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.rows: list[int] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        assert len(found) == len(attributes)
        self.tags.append((tag, found))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append(0)
        if tag in ("td", "th"):
            self.rows[-1] += int(found.get("colspan") or 1)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader


def test_every_row_has_every_column_and_every_heading_its_scope() -> None:
    reader = read(html_table(TABLE))
    assert reader.rows == [4, 4, 4, 4]
    scopes = [found.get("scope") for tag, found in reader.tags if tag == "th"]
    assert scopes == ["colgroup", "col", "col", "col", "col", "row", "row"]
    assert [tag for tag, _ in reader.tags if tag in ("caption", "thead", "tbody")] == ["caption", "thead", "tbody"]


def test_no_name_becomes_markup_or_an_attribute() -> None:
    text = page(EVIL, html_table(TABLE))
    reader = read(text)
    assert "script" not in [tag for tag, _ in reader.tags]
    assert not [name for _, found in reader.tags for name in found if name.startswith("on")]


def test_a_cell_leads_to_where_it_is_from() -> None:
    links = [found["href"] for tag, found in read(html_table(TABLE, "../report.html")).tags if tag == "a"]
    assert links[0] == "../report.html#e-12ab"
    assert links[1] == 'https://x.org/"><script>'


def test_best_and_second_best_and_published_rows_look_different() -> None:
    text = html_table(TABLE)
    assert "<strong>60.00</strong>" in text and "<u>50.00</u>" in text
    assert '<tr class="published">' in text


@pytest.mark.parametrize("word", ["http://", "https://", "@import", "url(", "<script", "<link"])
def test_a_page_asks_for_nothing_from_anywhere(word: str) -> None:
    plain = Table("t", ("a", "b"), ((Cell("1"), Cell("2")),))
    assert word not in page("t", html_table(plain))
