"""The page of `harness why` in a real browser: a user would lose a page that opens from a file and answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reports.why import write_page
from tests.browser import Browser, browser
from tests.reports.test_why import EVIL, analysed, whole
from tests.tiny_collection import Place

ENTER, TAB = "\ue007", "\ue004"
MANY = 10_000


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture
def data(place: Place) -> dict[str, Any]:
    """60 queries, the documents of 50 of them."""
    return whole(analysed(place), shown=50)


def shown(window: Browser, data: dict[str, Any], place: Place) -> None:
    out = place.path / "page.html"
    write_page(data, out)
    window.open(out)


def text(window: Browser, selector: str) -> str:
    return str(window.run("return document.querySelector(arguments[0]).innerText", selector))


def deltas(window: Browser) -> list[float]:
    script = "return [...document.querySelectorAll('summary .delta')].map((one) => one.textContent.replace('−', '-'))"
    return [float(one) for one in window.run(script)]


def choose(window: Browser, field: str, value: str) -> None:
    script = "const field = document.getElementById(arguments[0]); field.value = arguments[1];"
    window.run(f"{script} field.dispatchEvent(new Event(arguments[2]))", f"filter-{field}", value, "change")


def test_the_page_opens_from_a_file_and_asks_for_nothing_else(window: Browser, data: Any, place: Place) -> None:
    shown(window, data, place)
    assert window.requests() == [(place.path / "page.html").as_uri()]
    assert window.complaints() == []
    assert text(window, "h1") == data["headline"]
    assert "Thai (th)" in text(window, "#groups-table tbody tr")
    assert "Truncated away" in text(window, "#headroom")


def test_a_query_opens_by_keyboard_and_shows_both_rankings(window: Browser, data: Any, place: Place) -> None:
    shown(window, data, place)
    window.run("document.querySelector('summary').focus()")
    window.press(ENTER)
    window.until("return document.querySelector('details[open] .ranks')")
    opened = text(window, "details[open]")
    assert "fell behind" in opened and "relevant, grade 1" in opened and "tokens" in opened
    count = "return [...document.querySelectorAll('details[open] .ranks ol')].map((list) => list.children.length)"
    assert min(window.run(count)) >= 10
    outline = "return getComputedStyle(document.activeElement).outlineStyle"
    assert window.run(outline) == "solid"
    assert window.run("return document.querySelector('details[open] .text').dir") == "auto"
    assert window.complaints() == []


def test_queries_are_filtered_sorted_and_searched(window: Browser, data: Any, place: Place) -> None:
    shown(window, data, place)
    choose(window, "outcome", "gain")
    assert deltas(window) and min(deltas(window)) > 0
    choose(window, "outcome", "")
    choose(window, "sort", "loss")
    assert deltas(window) == sorted(deltas(window))
    choose(window, "collection", "1")
    assert "30 of 60" in text(window, "#count")
    window.run("document.querySelector('#groups-table tbody button').click()")
    assert f"{data['groups'][0]['queries']} of 60" in text(window, "#count")
    choose(window, "group", "")
    choose(window, "collection", "")
    window.run("document.getElementById('filter-search').focus()")
    window.press("EN-q007")
    window.until("return document.querySelectorAll('#list > li').length === 1")
    assert "en-q007" in text(window, "#list")


def test_the_table_of_groups_is_sorted_by_its_heads(window: Browser, data: Any, place: Place) -> None:
    shown(window, data, place)
    rows = "[...document.querySelectorAll('#groups-table tbody tr')]"
    sizes = f"return {rows}.map((row) => Number(row.children[1].textContent))"
    before = window.run(sizes)
    window.run("document.querySelectorAll('#groups-table th button')[0].click()")
    assert window.run(sizes) == sorted(window.run(sizes), reverse=True) != before
    assert window.run("return document.activeElement.closest('th').ariaSort") == "descending"
    assert len(before) == 12 < len(data["groups"])
    window.run("document.getElementById('groups-more').click()")
    assert len(window.run(sizes)) == len(data["groups"])


def test_a_long_document_is_cut_and_opened(window: Browser, data: Any, place: Place) -> None:
    documents = {**data["documents"], "text": ["long " * 160] * len(data["documents"]["text"])}
    shown(window, {**data, "documents": {**documents, "length": [5000] * len(documents["text"])}}, place)
    window.run("document.querySelector('details').open = true")
    window.until("return document.querySelector('details[open] .ranks .link')")
    height = "return document.querySelector('details[open] .text').clientHeight"
    before = window.run(height)
    window.run("document.querySelector('details[open] .ranks .link').click()")
    assert window.run(height) > before
    assert "the first 800 of 5,000 characters" in text(window, "details[open] .ranks .link")


def test_both_themes_can_be_chosen(window: Browser, data: Any, place: Place) -> None:
    shown(window, data, place)
    ground = "return getComputedStyle(document.body).backgroundColor"
    found = []
    for _ in range(3):
        found.append((text(window, "#theme"), window.run(ground)))
        window.run("document.getElementById('theme').click()")
    assert [name for name, _ in found] == ["Theme: system", "Theme: light", "Theme: dark"]
    assert found[1][1] != found[2][1]


def test_no_text_of_the_data_becomes_markup(window: Browser, data: Any, place: Place) -> None:
    for column in (data["queries"]["id"], data["queries"]["text"], data["documents"]["id"], data["documents"]["text"]):
        column[:] = [EVIL for _ in column]
    for named in (*data["labels"], *data["collections"], data["a"], data["b"]):
        named |= {key: EVIL for key, value in named.items() if isinstance(value, str) and key != "language"}
    shown(window, {**data, "headline": EVIL, "notes": [EVIL], "stages": [EVIL], "measures": [EVIL]}, place)
    window.run("for (const one of document.querySelectorAll('details')) one.open = true")
    window.until("return document.querySelector('details[open] .ranks')")
    assert window.run("return window.hacked === undefined && document.querySelectorAll('img').length === 0")
    assert window.run("return document.querySelectorAll('script').length") == 2
    assert "<script>window.hacked=1</script>" in text(window, "h1")
    assert "onerror" in text(window, "details[open] .text")
    assert window.complaints() == []


def test_texts_from_right_to_left_are_shown_so(window: Browser, data: Any, place: Place) -> None:
    data["queries"]["text"] = ["متى تغادر العبارة الميناء" for _ in data["queries"]["text"]]
    shown(window, data, place)
    assert window.run("return getComputedStyle(document.querySelector('.q')).direction") == "rtl"


def test_ten_thousand_queries_are_drawn_as_they_are_reached(window: Browser, data: Any, place: Place) -> None:
    queries = {key: (values * MANY)[:MANY] for key, values in data["queries"].items()}
    queries["id"] = [f"q{at}" for at in range(MANY)]
    shown(window, {**data, "queries": queries}, place)
    drawn = "return document.querySelectorAll('#list > li').length"
    first = window.run(drawn)
    assert 0 < first < 500
    window.run("window.scrollTo({ top: 1e9, behavior: 'instant' })")
    window.until(f"return document.querySelectorAll('#list > li').length > {first}")
    assert "10,000 of 10,000" in text(window, "#count")
    window.run("document.getElementById('filter-search').focus()")
    window.press("q9999")
    window.until("return document.querySelectorAll('#list > li').length === 1")
    window.run("document.querySelector('details').open = true")
    window.until("return document.querySelector('details[open] .body').innerText")
    assert "--queries" in text(window, "details[open] .body")
    assert json.loads(window.run("return document.getElementById('data').textContent"))["limits"]
    assert window.complaints() == []


def test_a_page_without_groups_and_documents_still_opens(window: Browser, data: Any, place: Place) -> None:
    bare = {**data, "groups": [], "labels": [], "details": {}, "documents": {"id": [], "text": [], "length": []}}
    bare["figures"] = {**data["figures"], "interval": [None, None]}
    shown(window, {**bare, "collections": data["collections"]}, place)
    assert "too few queries" in text(window, "#groups") and "no interval" in text(window, "#figures")
    assert window.complaints() == []


def test_a_picture_can_be_taken(window: Browser, data: Any, place: Place, tmp_path: Path) -> None:
    shown(window, data, place)
    window.show(1000, 800, dark=True)
    window.picture(tmp_path / "page.png")
    window.show(1000, 800)
    assert (tmp_path / "page.png").stat().st_size > 10_000
