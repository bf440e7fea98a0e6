"""LaTeX that does not compile is worth nothing, and a name that is a command is a hole. A real TeX checks it where one
is installed; a strict reader of what we write checks it everywhere."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from reports.latex import PREAMBLE, latex, latex_escaped
from reports.table import Cell, Kind, Table
from tests.skips import OPTIONAL

EVIL = 'a_b & 100% #1 $x$ {y} ~^ \\input{/etc/passwd} "q" [z] <s>|† ‡ § ¶ ↑ ↓ ◊ ≠ · × …'
COMMANDS = {
    "begin", "end", "caption", "label", "centering", "footnotesize", "setlength", "tabcolsep", "toprule", "midrule",
    "bottomrule", "cmidrule", "multicolumn", "textbf", "underline", "textit", "textsuperscript", "par", "smallskip",
    "linewidth", "raggedright", "endfirsthead", "endhead", "endlastfoot", "begingroup", "endgroup", "textbackslash",
    "textasciitilde", "textasciicircum", "textless", "textgreater", "textbar", "textasciigrave", "dag", "ddag", "S",
    "P", "uparrow", "downarrow", "diamond", "neq", "cdot", "times", "dots",
}  # fmt: skip


def table(rows: int = 3, columns: int = 4) -> Table:
    middle: list[Kind] = ["system"] * (rows - 2)
    kinds: tuple[Kind, ...] = ("first stage", *middle, "published")
    figures = [
        [Cell(f"{row}.{place}0", strong=row == 1, second=row == 2) for place in range(columns)] for row in range(rows)
    ]
    return Table(
        f"title {EVIL}",
        ("system", "macro", *(f"c_{place}" for place in range(columns - 1))),
        tuple((Cell(EVIL if row == 0 else f"s_{row}", marks=("↑",)), *own) for row, own in enumerate(figures)),
        ("[a note] 5 % & more",),
        groups=(("", 2), ("suite_a", columns - 1)),
        kinds=kinds,
        footnotes=(("↑", "better"),),
    )


def read(text: str) -> list[tuple[str, int, list[list[str]]]]:
    """Every tabular of the text: its name, columns, and rows with their cells. Fails on anything unbalanced, unknown,
    unescaped, or of another number of columns."""
    body = re.sub(r"(?m)^%.*$", "", text)
    assert not (set(re.findall(r"\\([A-Za-z]+)", body)) - COMMANDS)
    _balanced(body)
    found = []
    for name, shape, inner in re.findall(r"\\begin\{(tabular|longtable)\}\{([lr]+)\}(.*?)\\end\{\1\}", body, re.S):
        rows = [_cells(line[:-3]) for line in inner.splitlines() if line.endswith(r" \\")]
        for row in rows:
            spans = [int(span[0]) if (span := re.findall(r"\\multicolumn\{(\d+)\}", cell)) else 1 for cell in row]
            assert sum(spans) == len(shape), row
        found.append((name, len(shape), rows))
    assert found
    return found


def _cells(line: str) -> list[str]:
    return re.split(r"(?<!\\)&", line)


def _balanced(body: str) -> None:
    plain = re.sub(r"\\[\\{}$&#_%]", "", body)
    depth = 0
    for character in plain:
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert depth >= 0
    assert depth == 0
    assert plain.count("$") % 2 == 0
    assert not set("#~^%") & set(plain)
    assert "_" not in plain
    open_ones: list[str] = []
    for kind, name in re.findall(r"\\(begin|end)\{([a-z*]+)\}", plain):
        if kind == "begin":
            open_ones.append(name)
        else:
            assert open_ones.pop() == name
    assert not open_ones
    assert plain.count(r"\begingroup") == plain.count(r"\endgroup")


def test_every_table_can_be_read_back_with_its_columns() -> None:
    ((name, columns, rows),) = read(latex(table(), "tab:x"))
    assert (name, columns, len(rows)) == ("tabular", 5, 5)
    assert rows[0][-1].strip() == r"\multicolumn{3}{c}{suite\_a}"


@pytest.mark.parametrize("systems", [26, 27, 200])
def test_more_systems_than_the_alphabet_has_letters(systems: int) -> None:
    ((name, _, rows),) = read(latex(table(systems)))
    assert name == ("tabular" if systems <= 26 else "longtable")
    assert len(rows) >= systems


def test_a_table_of_many_columns_becomes_several_that_fit() -> None:
    text = latex(table(4, 40), "tab:wide")
    parts = read(text)
    assert len(parts) > 1
    assert sum(columns - 1 for _, columns, _ in parts) == 40
    assert text.count(r"\caption{") == len(parts) == len(set(re.findall(r"\\label\{(.*?)\}", text)))
    assert text.count("better") == 1


def test_no_name_becomes_a_command() -> None:
    text = latex_escaped(EVIL + "\n\x07")
    assert "input" not in re.findall(r"\\([A-Za-z]+)", text)
    assert "\n" not in text and "\x07" not in text
    _balanced(text)


def test_a_cell_in_brackets_is_no_argument_of_the_line_end() -> None:
    text = latex(Table("t", ("[a]", "b"), ((Cell("[1]"), Cell("2")), (Cell("[3]"), Cell("4")))))
    assert not re.search(r"\\\\\s*\[", text)


def test_best_second_dash_and_minus_are_set() -> None:
    row = (Cell("x"), Cell("64.51", strong=True), Cell("60.00", second=True), Cell("-"), Cell("-1.20", marks=("↓",)))
    text = latex(Table("t", ("s", "a", "b", "c", "d"), (row,), footnotes=(("↓", "worse"),)))
    assert r"x & \textbf{64.51} & \underline{60.00} & -- & $-$1.20\textsuperscript{$\downarrow$} \\" in text


@pytest.mark.parametrize(
    "broken", [r"\begin{tabular}{lr}a & b & c \\ \end{tabular}", "{", r"\input{x}", "50 % of", "a_b", r"\begin{x}"]
)
def test_the_reader_is_strict(broken: str) -> None:
    with pytest.raises(AssertionError):
        read(latex(table()) + broken.replace(r" \\ ", " \\\\\n"))


def test_a_real_tex_compiles_it(tmp_path: Path) -> None:
    compiler = next(filter(None, map(shutil.which, ("tectonic", "lualatex", "xelatex", "pdflatex"))), None)
    if compiler is None:
        pytest.skip(f"{OPTIONAL}: TeX")
    body = latex(table(), "tab:a") + latex(table(40, 30), "tab:b")
    (tmp_path / "t.tex").write_text(
        f"\\documentclass{{article}}\n{PREAMBLE}\n\\begin{{document}}\n{body}\\end{{document}}\n", "utf-8"
    )
    options = [] if compiler.endswith("tectonic") else ["-interaction=nonstopmode", "-halt-on-error"]
    done = subprocess.run([compiler, *options, "t.tex"], cwd=tmp_path, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout[-2000:]
