"""Tables in LaTeX with booktabs and headings over groups of columns. All names are escaped."""

from __future__ import annotations

import re
from collections.abc import Iterator

from adapters.plain_text import printable
from reports.table import Cell, Kind, Table
from reports.wide import A_PAGE, cut

PREAMBLE = r"\usepackage{booktabs,longtable}"
"""The line for the preamble. Names in other scripts need XeLaTeX or LuaLaTeX and a font with their letters."""
_ROWS_OF_A_PAGE = 26
_SMALL = r"\footnotesize\setlength{\tabcolsep}{3pt}"
_ESCAPES = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': "''", "`": r"\textasciigrave{}",
    "†": r"\dag{}", "‡": r"\ddag{}", "§": r"\S{}", "¶": r"\P{}", "↑": r"$\uparrow$", "↓": r"$\downarrow$",
    "◊": r"$\diamond$", "≠": r"$\neq$", "·": r"$\cdot$", "×": r"$\times$", "…": r"\dots{}", "–": "--", "—": "---",
    "−": "$-$", "[": "{[}", "]": "{]}", "✗": r"$\times$", "⊖": r"$\ominus$",
}  # fmt: skip
_FIGURE = re.compile(r"[+-]\d[\d.,]*")


def latex(table: Table, label: str = "", characters: int = A_PAGE) -> str:
    """A table as `table*`, or as `longtable` if it is longer than a page. A wide table is split into parts.

    Args:
        table: the table.
        label: the argument of `\\label`; the parts of a wide table get LABEL, LABEL-2, ... Default: no label.
        characters: characters per line of the page.
    """
    parts = cut(table, characters)
    texts = [_whole(part, f"{label}-{i}" if i > 1 else label) for i, part in enumerate(parts, 1)]
    return f"% \\usepackage: {PREAMBLE.removeprefix(chr(92) + 'usepackage')}\n" + "\n".join(texts)


def latex_escaped(text: str) -> str:
    """Text escaped for LaTeX. Line ends and control characters become spaces."""
    spaced = "".join(" " if ord(character) < 32 or ord(character) == 127 else character for character in text)
    plain = printable(spaced)
    return "".join(_ESCAPES.get(character, character) for character in plain)


def _whole(table: Table, label: str) -> str:
    caption = f"\\caption{{{latex_escaped(table.title)}}}" + (f"\\label{{{_label(label)}}}" if label else "")
    shape = "l" * table.left + "r" * (len(table.columns) - table.left)
    lines = _long(table, caption, shape) if len(table.rows) > _ROWS_OF_A_PAGE else _floating(table, caption, shape)
    return "\n".join(lines) + "\n"


def _floating(table: Table, caption: str, shape: str) -> list[str]:
    return [
        r"\begin{table*}[tp]", rf"\centering{_SMALL}", caption, rf"\begin{{tabular}}{{{shape}}}", r"\toprule",
        *_heads(table), r"\midrule", *_body(table), r"\bottomrule", r"\end{tabular}", *_legend(table), r"\end{table*}",
    ]  # fmt: skip


def _long(table: Table, caption: str, shape: str) -> list[str]:
    return [
        rf"\begingroup{_SMALL}", rf"\begin{{longtable}}{{{shape}}}", caption + r"\\", r"\toprule", *_heads(table),
        r"\midrule", r"\endfirsthead", r"\toprule", *_heads(table), r"\midrule", r"\endhead", r"\bottomrule",
        r"\endlastfoot", *_body(table), r"\end{longtable}", *_legend(table), r"\endgroup",
    ]  # fmt: skip


def _heads(table: Table) -> Iterator[str]:
    if any(heading for heading, _ in table.groups):
        spans, rules, place = [], [], 1
        for heading, span in table.spans:
            spans.append(rf"\multicolumn{{{span}}}{{c}}{{{latex_escaped(heading)}}}" if heading else "&" * (span - 1))
            rules += [rf"\cmidrule(lr){{{place}-{place + span - 1}}}"] if heading else []
            place += span
        yield f"{' & '.join(spans)} \\\\"
        yield " ".join(rules)
    yield f"{' & '.join(map(latex_escaped, table.heads))} \\\\"


def _body(table: Table) -> Iterator[str]:
    before: Kind | None = None
    for row, kind in zip(table.rows, table.row_kinds, strict=True):
        if before is not None and _is_apart(before, kind):
            yield r"\midrule"
        before = kind
        yield f"{' & '.join(_field(cell, kind) for cell in row)} \\\\"


def _is_apart(before: Kind, kind: Kind) -> bool:
    return kind != before and (kind in ("first stage", "published", "average") or before == "published")


def _field(cell: Cell, kind: Kind) -> str:
    text = "--" if cell.text == "-" else latex_escaped(cell.text)
    if _FIGURE.fullmatch(cell.text) and cell.text.startswith("-"):
        text = f"$-${latex_escaped(cell.text[1:])}"
    if cell.strong or cell.second:
        text = rf"\textbf{{{text}}}" if cell.strong else rf"\underline{{{text}}}"
    if kind in ("chance", "ceiling", "published") and text:
        text = rf"\textit{{{text}}}"
    marks = latex_escaped("".join(cell.marks))
    return f"{text}\\textsuperscript{{{marks}}}" if marks else text


def _legend(table: Table) -> Iterator[str]:
    if table.legend:
        yield r"\par\smallskip\begin{minipage}{\linewidth}\footnotesize\raggedright"
        yield from (rf"{latex_escaped(line)}\par" for line in table.legend)
        yield r"\end{minipage}"


def _label(label: str) -> str:
    return re.sub(r"[^A-Za-z0-9:-]+", "-", label).strip("-")
