"""The pages as files: values are the store's, names are only names, every way leads somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from adapters.errors import UsageError
from harness.data.suites.targets import suites
from harness.result.gathered import gathered
from harness.result.result import Result
from leaderboards.board import Board, board
from leaderboards.pages.figures import points, signed
from leaderboards.sheets import collection_id, system_id
from leaderboards.site import write_board
from tests.fixtures import Command
from tests.markup import Reader, read
from tests.stored_board import MadeCollection, MadeSystem, store
from tests.tiny_collection import Place

EVIL = "evil/</script><script>alert(1)</script><b title='x' onclick=\"y\">&amp;../../../out"
WEBLINX = "mteb-multilingual-v2-reranking/weblinx-validation"
COLLECTIONS = [
    MadeCollection("beir/scifact", "en", note=f"a note with {EVIL}"),
    MadeCollection("beir/msmarco", "en", split="dev"),
    MadeCollection("miracl/sw", "sw"),
    MadeCollection("miracl/ar", "ar"),
]
SYSTEMS = [
    MadeSystem(None, 0.4),
    MadeSystem("org/good", 0.6, speed=100.0),
    MadeSystem(EVIL, 0.5, speed=10.0, alarms=({"name": "ties", "message": f"an alarm {EVIL}"}, "a plain alarm")),
    MadeSystem("org/partial", 0.55, without=("miracl/sw", "beir/scifact")),
    MadeSystem("org/imported", 0.3, imported=True),
]
DECLARED = """["org/good"]
name = "Good <i>one</i>"
parameters = 568_000_000
licence = "apache-2.0"
training = ["beir/scifact"]
url = "https://example.org/?a=1&b='2'"
note = "مرحبا <b>"
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return store(tmp_path_factory.mktemp("board") / "workspace", SYSTEMS, COLLECTIONS)


@pytest.fixture(scope="module")
def made(workspace: Path) -> Board:
    declared = workspace / "systems.toml"
    declared.write_text(DECLARED, "utf-8")
    return board(workspace, systems_file=declared)


@pytest.fixture(scope="module")
def site(made: Board, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site") / "out"
    write_board(made, out)
    return out


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Reader]:
    return {str(file.relative_to(site)): read(file.read_text("utf-8")) for file in sorted(site.rglob("*.html"))}


def result(made: Board, label: str, name: str) -> Result:
    return next(one for one in made.results if one.system.label == label and one.collection.name == name)


def page_of_system(site: Path, made: Board, label: str) -> str:
    key = next(one for one in made.by_system if one.label == label)
    return (site / f"systems/{system_id(key)}.html").read_text("utf-8")


def page_of_collection(site: Path, made: Board, name: str) -> str:
    key = next(one for one in made.collections if one.name == name)
    return (site / f"collections/{collection_id(key)}.html").read_text("utf-8")


def table_of(site: Path, suite: str) -> str:
    files = [site / "index.html", *site.glob("board-*.html")]
    return next(text for file in files if f"<h1><bdi>{suite} " in (text := file.read_text("utf-8")))


def rows_of(text: str, body: str = "ranked") -> Iterator[tuple[str, list[str]]]:
    """Name and cells of every row of a body of the big table."""
    found = re.search(rf'<tbody class="{body}"[^>]*>(.*?)</tbody>', text, re.S)
    for row in re.findall(r"<tr.*?</tr>", found[1] if found else "", re.S):
        cells = re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.S)
        yield re.sub(r"<small>.*", "", cells[1]), [re.sub(r"<(sup|small)>.*|<[^>]*>", "", cell) for cell in cells]


def test_every_page_is_strict_html(pages: dict[str, Reader]) -> None:
    assert {name: page.problems for name, page in pages.items() if page.problems} == {}
    assert len(pages) > 12


def test_every_link_leads_somewhere(site: Path, pages: dict[str, Reader]) -> None:
    for name, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme:
                assert link == "https://example.org/?a=1&b='2'"
                continue
            target = (site / name).parent / unquote(parts.path) if parts.path else site / name
            assert target.resolve().is_relative_to(site.resolve())
            assert target.is_file(), f"{name} links to {link}"
            if parts.fragment:
                assert parts.fragment in pages[str(target.resolve().relative_to(site.resolve()))].ids


def test_nothing_is_asked_of_the_network(site: Path, pages: dict[str, Reader]) -> None:
    for name, page in pages.items():
        loading = [tag for tag, found in page.tags if tag in ("img", "link", "iframe", "object") or "src" in found]
        assert loading == [], name
        text = (site / name).read_text("utf-8")
        assert "default-src &#39;none&#39;" in text
        assert not re.search(r"@import|url\(", text)


def test_values_of_the_table_are_those_of_the_store(site: Path, made: Board) -> None:
    (beir,) = [one for one in made.tables if one.sheet.suite == "beir"]
    shown = dict(rows_of(table_of(site, "beir")))
    assert len(shown) == 4
    for row in beir.rows[:4]:
        cells = next(cells for name, cells in shown.items() if f"systems/{system_id(row.system)}.html" in name)
        wanted = [points(cell.value) for cell in beir.sheet.grid.row(row.system) if cell]
        assert cells[-len(wanted) :] == wanted
        assert cells[3].startswith(points(row.value))
        assert cells[4].startswith(signed(row.figure.delta))


def test_every_digit_is_on_the_pages_of_system_and_collection(site: Path, made: Board) -> None:
    for one in made.results:
        for text in (page_of_system(site, made, one.system.label), page_of_collection(site, made, one.collection.name)):
            assert f'<data value="{one.value!r}">{points(one.value)}</data>' in text
            assert one.id in text


def test_a_system_that_lacks_a_collection_has_dashes_and_no_average(site: Path) -> None:
    ((name, cells),) = rows_of(table_of(site, "beir"), "incomplete")
    assert "org/partial" in name
    assert (cells[0], cells[3], cells[4]) == ("–", "–", "–")
    assert "–" in cells[5:]
    assert "1 below them without a rank because collections are missing" in table_of(site, "beir")


def test_names_are_never_markup(site: Path) -> None:
    for file in site.rglob("*.html"):
        text = file.read_text("utf-8")
        assert text.count("<script>") == 1, file
        assert "<b title=" not in text
        assert "<i>one" not in text


def test_no_name_is_a_path(site: Path) -> None:
    for file in site.rglob("*"):
        assert re.fullmatch(
            r"(index|(board|languages|cost)-[0-9a-f]{12}|[0-9a-f]{12}).html|systems|collections|\.harness-board",
            file.name,
        )
    assert {path.name for path in site.parent.iterdir()} == {site.name}


def test_chance_and_ceiling_are_rows_of_their_own(site: Path) -> None:
    rows = list(rows_of(table_of(site, "miracl"), "references"))
    assert [cells[2:4] for _, cells in rows] == [["control", "97.00"], ["control", "11.00"]]
    assert all(cells[0] == "" for _, cells in rows)


def test_every_mark_has_its_footnote(site: Path, made: Board) -> None:
    beir = table_of(site, "beir")
    assert "<sup>T</sup></dt><dd>models in common use declare" in beir
    assert "<sup>t</sup></dt><dd>--systems declares that this system" in beir
    assert "<sup>i</sup></dt><dd>computed elsewhere" in beir
    assert "<sup>S</sup></dt>" not in beir
    assert result(made, "org/imported", "beir/scifact").imported


def test_an_alarm_leads_from_the_table_to_its_text(site: Path, made: Board) -> None:
    key = next(one for one in made.by_system if one.label == EVIL)
    assert f'href="systems/{system_id(key)}.html#alarms"' in table_of(site, "beir")
    page = read(page_of_system(site, made, EVIL))
    assert "a plain alarm" in page.text
    assert f"an alarm {EVIL} [ties]" in page.text
    assert "None." in read(page_of_system(site, made, "org/good")).text


def test_an_alarm_of_another_measure_is_none_of_this_one(tmp_path: Path) -> None:
    alarms = ({"name": "ties", "message": "of AP", "measure": "AP@100"}, {"name": "x", "message": "of all"})
    systems = [MadeSystem(None, 0.4), MadeSystem("m", 0.5, alarms=alarms)]
    made = board(store(tmp_path / "w", systems, [MadeCollection("set/a")]))
    write_board(made, tmp_path / "out")
    text = page_of_system(tmp_path / "out", made, "m")
    assert "of all" in text
    assert "of AP" not in text


def test_the_card_says_what_was_declared_and_unknown_else(site: Path, made: Board) -> None:
    good, first = (read(page_of_system(site, made, label)).text for label in ("org/good", "bm25 (first stage)"))
    assert {"568M", "apache-2.0", "beir/scifact", "مرحبا <b>", "Good <i>one</i>", "org/good"} <= set(good)
    assert first.count("unknown") == 3


def test_history_shows_what_was_replaced(tmp_path: Path) -> None:
    workspace = store(tmp_path / "w", [MadeSystem(None, 0.4), MadeSystem("m", 0.5)], [MadeCollection("set/a")])
    store(workspace, [MadeSystem("m", 0.7, version=2)], [MadeCollection("set/a")])
    made = board(workspace)
    write_board(made, tmp_path / "out")
    old, new = [one for key, rows in made.history.items() if key.label == "m" for one in rows]
    text = page_of_system(tmp_path / "out", made, "m")
    assert f"<code>{old.id}</code> (replaced)" in text
    assert f"<code>{new.id}</code></td>" in text
    assert signed(new.means["nDCG@10"] - old.means["nDCG@10"]) in text
    assert result(made, "m", "set/a").id == new.id


def test_published_numbers_stand_beside_with_source_and_never_in_the_ranks(tmp_path: Path) -> None:
    entry = next(one for one in suites()["mteb-multilingual-v2-reranking"].collections if one.target == WEBLINX)
    collection = MadeCollection(WEBLINX, "en", measure=entry.main_measure, split=entry.mteb.split)
    systems = [MadeSystem(None, 0.3, first_stage="given"), MadeSystem("Querit/Querit-4B", 0.5, first_stage="given")]
    made = board(store(tmp_path / "w", systems, [collection]))
    write_board(made, tmp_path / "out")
    index = (tmp_path / "out/index.html").read_text("utf-8")
    assert '<tbody class="published" hidden>' in index
    published = {cells[1]: cells for _, cells in rows_of(index, "published")}
    assert published["Querit/Querit-4B"][-1] == "30.64"
    assert published["Querit/Querit-4B"][0] == ""
    assert [cells[0] for _, cells in rows_of(index)] == ["1", "2"]
    assert re.search(
        r'title="[^"]*WebLINXCandidatesReranking.json at 5cdd3f60; wrong: two of the six[^"]*"><s>30.64</s>', index
    )
    page = page_of_collection(tmp_path / "out", made, WEBLINX)
    assert '<tr class="wrong"><th scope="row"><bdi>Querit/Querit-4B</bdi>' in page
    assert "<b>wrong: two of the six splits, scored with documents cut away" in page
    assert "not comparable: known to be wrong" in page


def test_a_difference_to_a_published_number_is_shown_where_it_means_something(tmp_path: Path) -> None:
    name = "mteb-multilingual-v2-reranking/alloprof"
    entry = next(one for one in suites()["mteb-multilingual-v2-reranking"].collections if one.target == name)
    collection = MadeCollection(name, "fr", measure=entry.main_measure, split=entry.mteb.split)
    systems = [MadeSystem(None, 0.3, first_stage="given"), MadeSystem("mteb/baseline-bm25s", 0.4, first_stage="given")]
    made = board(store(tmp_path / "w", systems, [collection]))
    write_board(made, tmp_path / "out")
    ours = result(made, "mteb/baseline-bm25s", name).value
    assert f'<td class="r">{signed(ours - 0.44604)}</td>' in page_of_collection(tmp_path / "out", made, name)


def test_a_collection_page_says_who_cannot_be_told_apart_from_the_best(site: Path, made: Board) -> None:
    text = page_of_collection(site, made, "beir/scifact")
    assert "Best: Good &lt;i&gt;one&lt;/i&gt; (over bm25, depth 100)" in text
    assert "It can be distinguished from all systems below it" in text
    assert "cc-by-nc-4.0" in text


def test_the_front_holds_whom_nobody_beats_in_quality_and_speed(tmp_path: Path) -> None:
    systems = [
        MadeSystem(None, 0.3), MadeSystem("slow and best", 0.7, speed=5), MadeSystem("fast", 0.5, speed=500),
        MadeSystem("beaten", 0.4, speed=50), MadeSystem("untimed", 0.6),
    ]  # fmt: skip
    made = board(store(tmp_path / "w", systems, [MadeCollection("set/a"), MadeCollection("set/b")]))
    write_board(made, tmp_path / "out")
    (file,) = (tmp_path / "out").glob("cost-*.html")
    text = file.read_text("utf-8")
    assert re.findall(r'class="dot on" aria-label="\u2068([\w ]+)\u2069:', text) == ["slow and best", "fast"]
    assert re.findall(r'class="dot" aria-label="\u2068([\w ]+)\u2069:', text) == ["beaten"]
    assert re.search(r"untimed.*not timed here", text)


def test_a_board_of_stored_evaluations_of_real_runs(place: Place, command: Command) -> None:
    place.evaluations(rerankers=["control:oracle", "control:random", "tests.fake_adapters:Plain"])
    out = place.path / "out"
    said = command("board", "--out", out, "--workspace", place.workspace.path)
    assert said.code == 0, said.err
    assert "written: " in said.out
    assert "4 systems" in said.out
    assert [read(file.read_text("utf-8")).problems for file in out.rglob("*.html")] == [[]] * len(
        list(out.rglob("*.html"))
    )
    first = gathered(place.workspace.path)[0]
    assert f'<data value="{first.value!r}">' in "".join(file.read_text("utf-8") for file in out.glob("systems/*.html"))


def test_a_board_is_made_anew_and_loses_pages_of_what_is_gone(workspace: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    all_of_them = write_board(board(workspace), out)
    fewer = write_board(board(workspace, systems=["org/good"]), out)
    assert fewer < all_of_them
    assert len(list(out.rglob("*.html"))) == fewer


def test_two_boards_of_one_store_are_equal(made: Board, site: Path, tmp_path: Path) -> None:
    write_board(made, tmp_path / "again")
    for file in site.rglob("*.html"):
        assert file.read_bytes() == (tmp_path / "again" / file.relative_to(site)).read_bytes()


def test_a_folder_of_something_else_is_left_alone(made: Board, tmp_path: Path) -> None:
    (tmp_path / "thesis.html").write_text("mine", "utf-8")
    with pytest.raises(UsageError, match="not a board"):
        write_board(made, tmp_path)
    assert (tmp_path / "thesis.html").read_text("utf-8") == "mine"
    with pytest.raises(UsageError, match="is a file"):
        write_board(made, tmp_path / "thesis.html")


def test_mistakes_on_the_command_line_are_told(workspace: Path, tmp_path: Path, command: Command) -> None:
    assert command("board", "--workspace", workspace).code == 2
    said = command("board", "org/godo", "--out", tmp_path / "o", "--workspace", workspace)
    assert (said.code, "Did you mean org/good" in said.err) == (2, True)
    assert command("board", "--out", tmp_path / "o", "--workspace", tmp_path / "none").code == 2


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ("<p><div></div></p>", "<div> inside"), ("<p id=a></p><p id=a></p>", "stands twice"), ("<td></td>", "inside <"),
        ("<button>x</button>", "without type"), ("<p style='a'></p>", "has style"), ("<p><b></p></b>", "where"),
        ("<a href=x><button type=button></button></a>", "<button> inside"), ("<p>", "never closed"),
        ("<p aria-labelledby=gone></p>", "nothing has the id"),
    ],
)  # fmt: skip
def test_the_strict_reader_sees_what_a_browser_would_mend(bad: str, told: str) -> None:
    page = f"<!doctype html><html lang=en><head><title>t</title></head><body><h1>h</h1>{bad}</body></html>"
    assert any(told in problem for problem in read(page).problems)
    assert read(page.replace(bad, "<p>fine</p>")).problems == []
