"""A document as a list of parts. It is written as Markdown or as one HTML page that needs no other file."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from reports.html import html_table, page, safe
from reports.table import Table, escaped, markdown

_LARGEST_SVG = 400_000
"""In bytes. A larger drawing is embedded as PNG."""


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 is the title."""

    text: str
    level: int = 2

    def markdown(self, folder: Path) -> str:
        return f"{'#' * self.level} {escaped(self.text)}"

    @property
    def anchor(self) -> str:
        """The id that links within the page use."""
        return "h-" + re.sub(r"[^a-z0-9]+", "-", self.text.lower()).strip("-")

    def html(self) -> str:
        anchor = f' id="{self.anchor}"' if self.level == 2 else ""  # only chapters have unique texts
        return f"<h{self.level}{anchor}>{safe(self.text)}</h{self.level}>"


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str

    def markdown(self, folder: Path) -> str:
        return escaped(self.text)

    def html(self) -> str:
        return f"<p>{safe(self.text)}</p>"


@dataclass(frozen=True)
class Bullets:
    """A list of lines."""

    lines: tuple[str, ...]

    def markdown(self, folder: Path) -> str:
        return "\n".join(f"- {escaped(line)}" for line in self.lines)

    def html(self) -> str:
        return "<ul>\n" + "\n".join(f"<li>{safe(line)}</li>" for line in self.lines) + "\n</ul>"


@dataclass(frozen=True)
class Code:
    """A block of code."""

    text: str
    language: str = "sh"

    def markdown(self, folder: Path) -> str:
        longest = max(map(len, re.findall("`+", self.text)), default=0)
        fence = "`" * max(3, longest + 1)
        return f"{fence}{self.language}\n{self.text}\n{fence}"

    def html(self) -> str:
        return f'<pre tabindex="0"><code>{escape(self.text)}</code></pre>'


@dataclass(frozen=True)
class Image:
    """A drawing in two files."""

    title: str
    png: Path
    svg: Path
    caption: str

    def markdown(self, folder: Path) -> str:
        title = escaped(self.title).replace("[", "\\[").replace("]", "\\]")
        return f"![{title}]({self.png.relative_to(folder).as_posix()})\n\n{escaped(self.caption)}"

    def html(self) -> str:
        image = f'<img src="{self._data()}" alt="{safe(self.title)}">'
        return f'<figure class="plot">{image}<figcaption>{safe(self.caption)}</figcaption></figure>'

    def _data(self) -> str:
        drawn = self.svg.is_file() and self.svg.stat().st_size <= _LARGEST_SVG
        file, kind = (self.svg, "svg+xml") if drawn else (self.png, "png")
        return f"data:image/{kind};base64,{base64.b64encode(file.read_bytes()).decode()}"


@dataclass(frozen=True)
class Origins:
    """The evaluations behind the figures. Cells link to these lines by id."""

    lines: tuple[tuple[str, str], ...]
    """The id and a description of each evaluation."""

    def markdown(self, folder: Path) -> str:
        return "\n".join(f"- `{id}`: {escaped(text)}" for id, text in self.lines)

    def html(self) -> str:
        lines = (f'<li id="e-{safe(id)}"><code>{safe(id)}</code> {safe(text)}</li>' for id, text in self.lines)
        return "<ul>\n" + "\n".join(lines) + "\n</ul>"


Part = Heading | Text | Bullets | Code | Image | Origins | Table


def as_markdown(parts: Sequence[Part], folder: Path) -> str:
    """The document as Markdown. Links to drawings are relative to `folder`."""
    texts = [markdown(part) if isinstance(part, Table) else part.markdown(folder) for part in parts]
    return "\n\n".join(text.rstrip() for text in texts) + "\n"


def as_html(parts: Sequence[Part], title: str) -> str:
    """The document as one HTML page with embedded drawings and links to its chapters at the top."""
    chapters = [part for part in parts if isinstance(part, Heading) and part.level == 2]
    links = "".join(f'<a href="#{chapter.anchor}">{safe(chapter.text)}</a>' for chapter in chapters)
    body = "\n".join(_html(part) for part in parts)
    return page(title, f'<nav aria-label="Chapters">{links}</nav>\n<main>\n{body}\n</main>\n')


def _html(part: Part) -> str:
    return html_table(part) if isinstance(part, Table) else part.html()
