"""Tables in HTML, with headings for screen readers. All names are escaped."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from importlib import resources

from adapters.plain_text import printable
from reports.table import Cell, Kind, Table, plain

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data: 'self'"


def html_table(table: Table, base: str = "") -> str:
    """A `figure` element with the table and its notes. `base` is put before links that begin with `#`."""
    table = plain(table)
    lines = [
        '<figure class="table">',
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(table.title)}"><table>',
        f"<caption>{escape(table.title)}</caption>",
        "<thead>", *_heads(table), "</thead>", "<tbody>", *_body(table, base), "</tbody>", "</table></div>",
        *_legend(table), "</figure>",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def safe(text: str) -> str:
    """Text escaped for HTML, without control characters and overrides of direction."""
    return escape(printable(text.replace("\n", " ")))


def page(title: str, body: str) -> str:
    """A whole page around a body. The style is embedded, and the page loads nothing."""
    style = resources.files("reports").joinpath("templates/report.css").read_text("utf-8")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{safe(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )


def _heads(table: Table) -> Iterator[str]:
    if any(heading for heading, _ in table.groups):
        yield "<tr>"
        for heading, span in table.spans:
            over = f' colspan="{span}"' if span > 1 else ""
            yield f'<th scope="colgroup" class="group"{over}>{escape(heading)}</th>' if heading else f"<td{over}></td>"
        yield "</tr>"
    yield "<tr>"
    for place, head in enumerate(table.heads):
        yield f'<th scope="col"{_side(table, place)}>{escape(head)}</th>'
    yield "</tr>"


def _body(table: Table, base: str) -> Iterator[str]:
    for row, kind in zip(table.rows, table.row_kinds, strict=True):
        yield f'<tr class="{kind.replace(" ", "-")}">'
        for place, cell in enumerate(row):
            tag = "th" if place == 0 and table.left else "td"
            scope = ' scope="row"' if tag == "th" else ""
            yield f"<{tag}{scope}{_side(table, place)}>{_field(cell, kind, base)}</{tag}>"
        yield "</tr>"


def _field(cell: Cell, kind: Kind, base: str) -> str:
    text = escape(cell.text)
    if cell.strong or cell.second:
        text = f"<strong>{text}</strong>" if cell.strong else f"<u>{text}</u>"
    if cell.href:
        target = f"{base}{cell.href}" if cell.href.startswith("#") else cell.href
        text = f'<a href="{escape(target)}">{text}</a>'
    marks = f"<sup>{escape(''.join(cell.marks))}</sup>" if cell.marks else ""
    return f"<em>{text}</em>{marks}" if kind == "published" and text else text + marks


def _side(table: Table, place: int) -> str:
    return "" if place < table.left else ' class="r"'


def _legend(table: Table) -> Iterator[str]:
    if table.legend:
        yield '<figcaption><ul class="notes">'
        yield from (f"<li>{escape(line)}</li>" for line in table.legend)
        yield "</ul></figcaption>"
