"""The pages in a real browser: sorting, filtering, keys, themes; not a word to the console, not a request."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from leaderboards.board import board
from leaderboards.pages.table import page
from leaderboards.site import write_board
from tests.browser import Browser, browser
from tests.stored_board import MadeCollection, MadeSystem, store

TAB, ENTER, SPACE = "\ue004", "\ue007", " "
RANKED = "return [...document.querySelectorAll('.ranked > tr')].filter(r => !r.hidden)"
DARK = "return document.getElementById('theme').textContent === 'Theme: dark'"
NAMES = f"{RANKED}.map(r => r.querySelector('.sys .who').textContent)"
SYSTEMS = [
    MadeSystem(None, 0.40),
    MadeSystem(None, 0.42, first_stage="dense"),
    MadeSystem("small", 0.50, speed=400.0),
    MadeSystem("large", 0.62, speed=9.0, alarms=("look out",)),
    MadeSystem("over dense", 0.56, first_stage="dense", speed=60.0),
    MadeSystem("half", 0.9, without=("miracl/sw",)),
    MadeSystem("<img src=x onerror=alert(1)>", 0.3, speed=20.0),
]
COLLECTIONS = [MadeCollection(f"miracl/{code}", code) for code in ("ar", "sw", "th", "zh")]
COLLECTIONS.append(MadeCollection("beir/msmarco", "en", split="dev"))
COLLECTIONS.append(MadeCollection("beir/scifact", "en"))
DECLARED = """["small"]
parameters = 22_000_000
licence = "mit"
["large"]
parameters = 4_000_000_000
licence = "apache-2.0"
training = ["beir/msmarco"]
"""
CONTRAST = """
const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
const linear = (c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
const light = (color) => color.slice(0, 3).map((c) => linear(c / 255))
  .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
function behind(node) {
  for (let at = node; at; at = at.parentElement) {
    const color = parse(getComputedStyle(at).backgroundColor);
    if (color.length < 4 || color[3] > 0.99) return color;
  }
  return [255, 255, 255];
}
const found = [];
for (const node of document.querySelectorAll("body *")) {
  const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
  if (!own || node.closest("script, .hear, .skip") || !node.checkVisibility()) continue;
  const style = getComputedStyle(node);
  const [a, b] = [light(parse(node.closest("svg") ? style.fill : style.color)), light(behind(node))];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const named = `${node.tagName}.${node.getAttribute("class")} ${node.textContent.slice(0, 30)}`;
  if (ratio < 4.5) found.push(`${named} ${ratio.toFixed(2)}`);
}
return [document.querySelectorAll("body *").length, [...new Set(found)]];
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    workspace = store(tmp_path_factory.mktemp("board"), SYSTEMS, COLLECTIONS)
    declared = workspace / "systems.toml"
    declared.write_text(DECLARED, "utf-8")
    out = workspace / "out"
    write_board(board(workspace, systems_file=declared), out)
    return out


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("browser")) as opened:
        opened.show(1400, 900)
        yield opened


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One page with 150 ranked systems and 100 incomplete ones."""
    folder = tmp_path_factory.mktemp("large")
    collections = [MadeCollection("large/a", queries=5), MadeCollection("large/b", queries=5)]
    systems = [MadeSystem(f"system {place:03}", 0.2 + place / 300) for place in range(150)]
    systems += [MadeSystem(f"half {place:03}", 0.5, without=("large/b",)) for place in range(100)]
    (folder / "index.html").write_text(page(board(store(folder, systems, collections)), 0), "utf-8")
    return folder / "index.html"


@pytest.fixture
def index(window: Browser, site: Path) -> Browser:
    window.open(site / "index.html")
    return window


def press_head(window: Browser, text: str) -> None:
    script = (
        "[...document.querySelectorAll('#board th button')].find(b => b.textContent.trim() === arguments[0]).click()"
    )
    window.run(script, text)


def choose(window: Browser, name: str, value: str) -> None:
    script = """const field = document.querySelector(`#filters [name=${arguments[0]}]`);
        if (field.type === 'checkbox') field.click(); else field.value = arguments[1];
        field.dispatchEvent(new Event('input', {bubbles: true}));"""
    window.run(script, name, value)


def test_every_page_opens_without_a_word_or_a_request(window: Browser, site: Path) -> None:
    for file in sorted(site.rglob("*.html")):
        window.open(file)
        assert window.complaints() == [], file
        assert window.requests() == [file.as_uri()]


def test_rows_stand_by_rank_until_a_head_is_pressed(index: Browser) -> None:
    ranked = ["large", "over dense", "small", "dense", "bm25", "<img src=x onerror=alert(1)>"]
    assert index.run(NAMES) == ranked
    press_head(index, "Macro")
    assert index.run(NAMES) == ranked
    press_head(index, "Macro")
    assert index.run(NAMES) == ranked[::-1]
    heads = "return [...document.querySelectorAll('#board th[aria-sort]')]"
    states = f"{heads}.map(h => [h.querySelector('button').innerText, h.ariaSort])"
    assert index.run(states) == [["Macro", "ascending"]]


@pytest.mark.parametrize("head", ["Gain", "Thai (th)", "Size"])
def test_a_column_is_sorted_by_value_and_dashes_stay_below(window: Browser, site: Path, head: str) -> None:
    window.open(next(site.glob("languages-*.html")))
    press_head(window, head)
    place = "[...document.querySelectorAll('#board thead th')].findIndex(h => h.ariaSort)"
    shown = window.run(f"const i = {place}; {RANKED}.map(r => r.cells[i].dataset.v ?? r.cells[i].firstChild.data)")
    numbers = [float(text) for text in shown if text not in ("", "–")]
    assert numbers == sorted(numbers, reverse=True)
    assert len(set(numbers)) > 1
    assert shown[len(numbers) :] == [text for text in shown if text in ("", "–")]


def test_systems_sort_as_text_and_an_incomplete_row_stays_below(index: Browser) -> None:
    press_head(index, "System")
    assert index.run(NAMES) == sorted(index.run(NAMES), key=str.lower)
    below = "return [...document.querySelectorAll('#board tbody')].at(-1).className"
    assert index.run("return document.querySelector('.incomplete .who').textContent") == "half"
    assert index.run(below) in ("incomplete", "published")


def test_a_search_finds_names_and_says_how_many(index: Browser) -> None:
    choose(index, "q", "DENSE")
    assert index.run(NAMES) == ["over dense", "dense"]
    assert index.run("return document.getElementById('count').textContent") == "2 of 7 systems."
    index.run("document.querySelector('#filters [type=reset]').click()")
    index.until(f"return ({RANKED.removeprefix('return ')}).length === 6")


def test_rows_are_filtered_by_first_stage_size_and_licence(index: Browser) -> None:
    choose(index, "stage", "dense, depth 100")
    assert index.run(NAMES) == ["over dense", "dense"]
    choose(index, "stage", "")
    choose(index, "size", "2B to 10B")
    assert index.run(NAMES) == ["large"]
    choose(index, "size", "?")
    assert "large" not in index.run(NAMES)
    choose(index, "size", "")
    choose(index, "licence", "mit")
    assert index.run(NAMES) == ["small"]


def test_a_language_shows_its_columns_only_and_says_what_macro_means(index: Browser) -> None:
    choose(index, "language", "sw")
    heads = "return [...document.querySelectorAll('#board thead th')]"
    seen = f"{heads}.filter(h => h.offsetWidth).map(h => h.querySelector('button').innerText)"
    assert index.run(seen)[-1] == "sw"
    assert not {"ar", "th", "zh"} & set(index.run(seen))
    widths = "return [...document.querySelector('.ranked > tr').cells].filter(c => c.offsetWidth).length"
    assert index.run(widths) == len(index.run(seen))
    assert "macro values, ranks and groups stay those of the whole table" in index.run(
        "return document.getElementById('count').textContent"
    )


def test_contaminated_columns_and_systems_can_be_hidden(window: Browser, site: Path) -> None:
    file = next(file for file in site.glob("board-*.html") if "msmarco" in file.read_text("utf-8"))
    window.open(file)
    choose(window, "clean", "columns")
    heads = "return [...document.querySelectorAll('#board th button')].filter(b => b.offsetWidth).map(b => b.innerText)"
    assert "scifact" in window.run(heads)
    assert "msmarco" not in window.run(heads)
    choose(window, "clean", "rows")
    assert "large" not in window.run(NAMES)
    assert "msmarco" in window.run(heads)


def test_chance_and_published_rows_are_shown_on_demand_and_never_sorted_in(window: Browser, site: Path) -> None:
    window.open(next(file for file in site.glob("board-*.html") if 'name="published"' in file.read_text("utf-8")))
    shown = "return [...document.querySelectorAll('.references > tr')].filter(r => !r.hidden).map(r => r.innerText)"
    before = window.run(shown)
    assert len(before) == 4
    press_head(window, "Macro")
    press_head(window, "Macro")
    assert window.run(shown) == before
    choose(window, "controls", "")
    assert window.run(shown) == []
    visible = "return document.querySelector('tbody.published').checkVisibility()"
    assert window.run(visible) is False
    order = "return [...document.querySelectorAll('tbody.published > tr')].map(r => r.cells[1].textContent)"
    models = window.run(order)
    choose(window, "published", "")
    assert window.run(visible) is True
    press_head(window, "Macro")
    assert window.run(order) == models
    assert window.run("return document.querySelector('.ranked tr.published, .ranked tr.control')") is None


def test_a_view_can_be_sent_to_somebody(index: Browser, site: Path) -> None:
    choose(index, "q", "dense")
    press_head(index, "System")
    link = index.run("return location.hash")
    index.open(site / "systems" / next(site.glob("systems/*.html")).name)
    index.run("location.href = arguments[0]", (site / "index.html").as_uri() + link)
    index.until("return document.getElementById('board') && document.documentElement.dataset.ready === 'yes'")
    assert index.run(NAMES) == ["dense", "over dense"]


def test_everything_can_be_done_with_keys(index: Browser) -> None:
    index.run("document.querySelector('#board th button').focus()")
    index.press(TAB)
    index.press(ENTER)
    assert index.run("return document.activeElement.textContent") == "System"
    assert index.run("return document.querySelector('th.sys').ariaSort") == "ascending"
    index.press(SPACE)
    assert index.run("return document.querySelector('th.sys').ariaSort") == "descending"
    index.run("document.activeElement.blur(); window.scrollTo(0, 0)")
    outline = "return getComputedStyle(document.activeElement).outlineStyle"
    index.run("document.getElementById('theme').focus()")
    index.press(TAB)
    assert index.run(outline) == "solid"


def test_a_point_of_the_plot_tells_what_it_is_to_keys_too(window: Browser, site: Path) -> None:
    window.open(next(site.glob("cost-*.html")))
    window.run("document.querySelector('.views li:last-child a').focus()")
    for _ in range(8):
        window.press(TAB)
        if window.run("return document.activeElement.hasAttribute('data-tip')"):
            break
    told = window.run("return document.activeElement.dataset.tip")
    assert window.run("const t = document.getElementById('tip'); return [t.hidden, t.textContent]") == [False, told]
    assert "pairs/s" in told
    window.press(TAB)
    assert window.run("return document.getElementById('tip').textContent") != told


def test_the_theme_goes_round_and_is_kept(index: Browser, site: Path) -> None:
    seen = []
    for _ in range(3):
        index.run("document.getElementById('theme').click()")
        seen.append(index.run("return getComputedStyle(document.body).backgroundColor"))
    assert seen == ["rgb(247, 247, 245)", "rgb(18, 21, 24)", "rgb(247, 247, 245)"]

    def choose_dark() -> None:
        index.open(site / "index.html")
        while not index.run(DARK):
            index.run("document.getElementById('theme').click()")

    index.open_after(choose_dark, next(site.glob("systems/*.html")), DARK)
    index.run("document.getElementById('theme').click()")


def test_opening_a_page_stores_no_theme(index: Browser, site: Path) -> None:
    """A page that is opened just after a choice may not see it yet. If it stored what it sees, the choice was lost."""

    def forget() -> None:
        index.run("localStorage.removeItem('harness-theme')")

    index.open_after(forget, next(site.glob("systems/*.html")), "return localStorage.getItem('harness-theme') === null")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_can_be_read(window: Browser, site: Path, dark: bool) -> None:
    window.show(1400, 900, dark=dark)
    kinds = [site / "index.html", *(next(site.glob(f"{kind}*.html")) for kind in ("languages-", "cost-"))]
    for file in [*kinds, *list(site.glob("systems/*.html"))[:2], *list(site.glob("collections/*.html"))[:2]]:
        window.open(file)
        window.run("for (const one of document.querySelectorAll('tbody.published')) one.hidden = false")
        nodes, weak = window.run(CONTRAST)
        assert nodes > 50
        assert weak == [], file
    window.show(1400, 900)


def test_a_narrow_window_scrolls_the_table_and_not_the_page(window: Browser, site: Path) -> None:
    window.show(500, 900)
    for file in sorted(site.rglob("*.html")):
        window.open(file)
        assert window.run("return document.documentElement.scrollWidth <= window.innerWidth"), file
    window.open(site / "index.html")
    window.run("document.querySelector('.board').scrollLeft = 400")
    kept = "return document.querySelector('.ranked .sys').getBoundingClientRect().left"
    assert 0 <= window.run(kept) < 120
    window.show(1400, 900)


def test_rows_are_marked_as_rows_for_those_who_hear_them(index: Browser) -> None:
    assert index.run("return document.querySelectorAll('#board tbody th:not([scope=row])').length") == 0
    assert index.run("return document.getElementById('count').getAttribute('role')") == "status"
    assert index.run("return [...document.querySelectorAll('input, select')].every(f => f.labels.length)")


SCROLL = "const box = document.querySelector('.board'); box.scrollTop = arguments[0] * box.scrollHeight"
SEEN = """const box = document.querySelector('.board').getBoundingClientRect();
const top = document.querySelector('#board thead').getBoundingClientRect().bottom;
const rows = [...document.querySelectorAll('#board tbody tr')];
return rows.map(r => [r, r.getBoundingClientRect()]).filter(([r, b]) => b.bottom > top + 1 && b.top < box.bottom - 1)
  .map(([r, b]) => [r.querySelector('.sys').dataset.v, Math.round(b.top), Math.round(b.bottom)])"""


@pytest.mark.parametrize("share", [0, 0.2, 0.5, 0.61, 0.9, 1])
def test_a_long_table_has_rows_wherever_it_is_scrolled_to(window: Browser, large: Path, share: float) -> None:
    window.open(large)
    assert window.run("return document.querySelectorAll('#board tr').length") < 100
    window.run(SCROLL, share)
    window.until(f"const seen = (() => {{ {SEEN} }})(); return seen.length > 8")
    seen = window.run(SEEN)
    for (_, _, bottom), (_, top, _) in pairwise(seen):
        assert abs(top - bottom) <= 3  # the line between two parts of the table
    numbers = [int(name.split()[1]) for name, _, _ in seen if name and name.startswith("half")]
    assert numbers == sorted(numbers)


def test_a_long_table_sorts_and_filters_what_is_not_in_the_page(window: Browser, large: Path) -> None:
    window.open(large)
    press_head(window, "System")
    assert window.run(NAMES)[:3] == ["system 000", "system 001", "system 002"]
    window.run(SCROLL, 0.3)
    press_head(window, "System")
    window.run(SCROLL, 0)
    window.until(f"return (() => {{ {NAMES} }})()[0] === 'system 149'")
    choose(window, "q", "system 07")
    found = [f"system {place:03}" for place in range(150) if "07" in f"{place:03}"]
    assert sorted(window.run(NAMES)) == found
    assert window.run("return document.getElementById('count').textContent") == f"{len(found)} of 250 systems."


def test_a_link_keeps_its_focus_while_its_row_is_near(window: Browser, large: Path) -> None:
    window.open(large)
    window.run("document.querySelectorAll('.ranked .who')[12].focus()")
    name = window.run("return document.activeElement.textContent")
    window.run("document.querySelector('.board').scrollTop = 8 * document.querySelector('.ranked tr').offsetHeight")
    window.until("return [...document.querySelectorAll('.ranked .rk')].some(cell => cell.dataset.v === '30')")
    assert window.run("return document.activeElement.textContent") == name


def test_a_printer_gets_every_row(window: Browser, large: Path) -> None:
    window.open(large)
    window.run("dispatchEvent(new Event('beforeprint'))")
    assert window.run("return document.querySelectorAll('.ranked tr, .incomplete tr').length") == 250
    window.run("dispatchEvent(new Event('afterprint'))")
    assert window.run("return document.querySelectorAll('#board tr').length") < 100
