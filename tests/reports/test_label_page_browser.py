"""The page of `harness judge export` in a real browser: a user would lose labels, or a text would be read as markup."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.judging.compare.to_label import LabelSheet, ToLabel
from harness.labelling.label_file import read_labels
from reports.label_page import CSV, PAGE, write_sheet
from tests.browser import Browser, browser

LEFT, RIGHT, ENTER = "\ue012", "\ue014", "\ue007"
EVIL = '</script><script>document.title = "run"</script><img src=x onerror="document.title=1">{{ title }}'
ARABIC, EMOJI, LONG = "متى تغادر العبارة الميناء؟", "ferry 👩‍🚀🛳️ at nine \u2028 next", "a long word " * 9000
CAPTURE = """
const made = URL.createObjectURL;
URL.createObjectURL = (file) => { file.text().then((text) => { window.saved = text; }); return made.call(URL, file); };
"""


def sheet(name: str = "") -> LabelSheet:
    """Five documents. The name is in the last id, so that no test sees the labels of another one: the browser keeps
    them by the ids, and takes its time to clear them."""
    documents = [EVIL, ARABIC, EMOJI, LONG, "plain"]
    items = [
        ToLabel(
            "coll,1",
            f"q{place // 2}",
            f'd "{place}", x{name if place == 4 else ""}',
            f"<b>{EVIL}" if place < 2 else "",
            f"{EVIL} {ARABIC}",
            text,
        )
        for place, text in enumerate(documents)
    ]
    return LabelSheet(tuple(items), (0, 1, 2), 9)


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture
def page(window: Browser, tmp_path: Path) -> Path:
    write_sheet(sheet(tmp_path.name), tmp_path)
    window.open(tmp_path / PAGE)
    return tmp_path / PAGE


def label_first(window: Browser, page: Path, keys: str) -> None:
    """Label the first documents, and open the page again."""

    def label() -> None:
        while not window.run("return document.getElementById('previous').disabled"):
            window.press(LEFT)
        window.press(keys)

    wanted = f"Document {len(keys) + 1} of 5; {len(keys)} labelled"
    window.open_after(label, page, f"return document.getElementById('progress').textContent === '{wanted}'")


def text(window: Browser, id: str) -> str:
    return str(window.run("return document.getElementById(arguments[0]).textContent", id))


def saved(window: Browser) -> str:
    window.run(CAPTURE)
    window.press("s")
    window.until("return window.saved !== undefined")
    return str(window.run("return window.saved"))


def test_texts_are_shown_as_they_are_and_nothing_is_loaded(window: Browser, page: Path) -> None:
    assert window.requests() == [page.as_uri()]
    for document in (EVIL, ARABIC, EMOJI, LONG, "plain"):
        assert text(window, "document") == document
        assert text(window, "query") == f"{EVIL} {ARABIC}"
        window.press(RIGHT)
    assert window.run("return document.title") == "Label 5 documents"
    assert window.run("return document.getElementById('document').dir") == "auto"
    assert window.complaints() == []


@pytest.mark.usefixtures("page")
def test_digits_label_and_go_on_and_the_page_counts(window: Browser) -> None:
    window.press("2")
    window.press("9")  # no grade of this collection
    assert text(window, "progress") == "Document 2 of 5; 1 labelled"
    window.press(LEFT)
    assert window.run("return document.querySelector('[aria-pressed=true]').textContent") == "2"


def test_grades_above_nine_are_typed_with_their_digits(window: Browser, tmp_path: Path) -> None:
    write_sheet(replace(sheet(tmp_path.name), grades=(0, 1, 10, 12)), tmp_path)
    window.open(tmp_path / PAGE)
    for keys in ("10", "12", "0", f"1{ENTER}"):
        for key in keys:
            window.press(key)
    window.press("1")
    window.press("7")  # 17 is no grade
    assert text(window, "progress") == "Document 5 of 5; 4 labelled"
    grades = [row.rpartition(",")[2] for row in saved(window).splitlines()[1:]]
    assert grades == ["10", "12", "0", "1"]


@pytest.mark.usefixtures("page")
def test_undo_takes_the_last_label_back(window: Browser) -> None:
    window.press("2")
    window.press(LEFT)
    window.press("1")
    window.press("u")
    assert window.run("return document.querySelector('[aria-pressed=true]').textContent") == "2"
    window.press("u")
    assert window.run("return document.querySelector('[aria-pressed=true]')") is None
    assert text(window, "progress") == "Document 1 of 5; 0 labelled"


def test_labels_are_kept_when_the_page_is_closed(window: Browser, page: Path) -> None:
    label_first(window, page, "10")


def test_another_sheet_starts_without_the_labels_of_this_one(window: Browser, page: Path) -> None:
    other = LabelSheet(sheet(page.parent.name).items[1:], (0, 1, 2), 9)
    write_sheet(other, page.parent / "other")
    label_first(window, page, "1")
    window.open(page.parent / "other" / PAGE)
    assert text(window, "progress") == "Document 1 of 4; 0 labelled"


def test_the_saved_file_is_read_by_import(window: Browser, page: Path) -> None:
    window.press("201")
    file = page.parent / "labels.csv"
    file.write_text(saved(window), "utf-8")
    rows = [(row.collection, row.query, row.document, row.grade) for row in read_labels(file).rows]
    ids = [f'd "{place}", x' for place in range(3)]
    assert rows == [("coll,1", "q0", ids[0], 2), ("coll,1", "q0", ids[1], 0), ("coll,1", "q1", ids[2], 1)]


def test_the_csv_has_the_texts_and_an_empty_grade(tmp_path: Path) -> None:
    write_sheet(sheet(), tmp_path)
    filled = (tmp_path / CSV).read_text("utf-8").replace(",,", ",1,", 2)
    (tmp_path / "filled.csv").write_text(filled, "utf-8")
    found = read_labels(tmp_path / "filled.csv")
    assert len(found.rows) + found.without_grade == 5 and found.rows[0].query == "q0"


def test_a_page_names_no_system_and_no_rank(tmp_path: Path) -> None:
    write_sheet(sheet(), tmp_path)
    written = (tmp_path / PAGE).read_text("utf-8") + (tmp_path / CSV).read_text("utf-8")
    assert "bm25" not in written and "rank" not in written.replace("rerank-harness-labels", "")
