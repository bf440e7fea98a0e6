"""A strict reader of HTML: what a browser would mend silently is an error here."""

from __future__ import annotations

from html.parser import HTMLParser

_VOID = {"meta", "link", "br", "hr", "img", "input", "col", "wbr", "source"}
_SVG_EMPTY = {"line", "circle", "polyline", "path", "rect"}
_INSIDE = {
    "li": {"ul", "ol"}, "tr": {"thead", "tbody", "tfoot"}, "td": {"tr"}, "th": {"tr"}, "thead": {"table"},
    "tbody": {"table"}, "caption": {"table"}, "dt": {"dl", "div"}, "dd": {"dl", "div"}, "option": {"select"},
    "summary": {"details"},
}  # fmt: skip
_PHRASING = {"p", "h1", "h2", "h3", "small", "span", "button", "bdi", "a", "b", "code", "sup", "label", "pre"}
_FLOW = {"div", "p", "ul", "ol", "dl", "table", "section", "form", "h1", "h2", "h3", "nav", "details", "pre"}
_INTERACTIVE = {"a", "button", "select", "input", "label", "summary"}
_REFERS = ("aria-labelledby", "aria-describedby", "for")


class Reader(HTMLParser):
    """Collects what is wrong, the ids, the links and the text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.problems: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.text: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self._referred: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if len(found) < len(attrs):
            self.problems.append(f"<{tag}> has an attribute twice")
        self._nesting(tag)
        self._attributes(tag, found)
        self.tags.append((tag, found))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _SVG_EMPTY:
            self.problems.append(f"<{tag}/> closes itself")
        self._attributes(tag, dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1] != tag:
            self.problems.append(f"</{tag}> where {self._open[-2:]} is open (line {self.getpos()[0]})")
        else:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in ("script", "style"):
            self.text.append(data)

    def finish(self) -> None:
        """What can only be said at the end."""
        self.close()
        self.problems += [f"<{tag}> is never closed" for tag in self._open]
        self.problems += [f"the id '{one}' stands twice" for one in set(self.ids) if self.ids.count(one) > 1]
        self.problems += [f"nothing has the id '{one}'" for one in self._referred if one not in self.ids]

    def _nesting(self, tag: str) -> None:
        parent = self._open[-1] if self._open else ""
        if tag in _INSIDE and parent not in _INSIDE[tag]:
            self.problems.append(f"<{tag}> inside <{parent}>")
        if tag in _FLOW and _PHRASING & set(self._open):
            self.problems.append(f"<{tag}> inside {_PHRASING & set(self._open)}")
        held = _INTERACTIVE & set(self._open)
        if tag in _INTERACTIVE and held - {"label"}:
            self.problems.append(f"<{tag}> inside {held}")

    def _attributes(self, tag: str, found: dict[str, str | None]) -> None:
        wanted = {"html": "lang", "img": "alt", "button": "type", "th": "scope", "a": "href"}
        if tag in wanted and not found.get(wanted[tag]):
            self.problems.append(f"<{tag}> without {wanted[tag]}")
        self.problems += [f"<{tag}> has {name}" for name in found if name == "style" or name.startswith("on")]
        self.ids += [found["id"] or ""] if "id" in found else []
        self.links += [str(found[name]) for name in ("href", "src") if found.get(name)]
        self._referred += [one for name in _REFERS for one in (found.get(name) or "").split()]


def read(text: str) -> Reader:
    """A page, read strictly."""
    reader = Reader()
    if not text.startswith("<!doctype html>"):
        reader.problems.append("no doctype")
    reader.feed(text)
    reader.finish()
    titles = [tag for tag, _ in reader.tags if tag == "title"]
    if len(titles) != 1 or sum(tag == "h1" for tag, _ in reader.tags) != 1:
        reader.problems.append("a page has one title and one h1")
    return reader
