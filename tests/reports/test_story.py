"""The report needs nothing else: what was run, what it says, what warns, how to get it again; from the store alone."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from adapters.errors import MissingExtra
from harness.result.gathered import gathered
from reports import story
from reports.document import Code, Heading, Image, Part, as_html, as_markdown
from tests.fixtures import Command
from tests.made_results import collection, result, system
from tests.reports.test_html import read
from tests.tiny_collection import QRELS, Place

FAKE = "tests.fake_adapters:Plain"
PIXEL = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def stored(place: Place) -> Place:
    one, two = place.load(place.beir("mine/one")), place.load(place.beir("mine/two", qrels=QRELS[:5]))
    place.evaluations(one, two, rerankers=[FAKE, "control:oracle"])
    place.evaluations(two, rerankers=["control:random"])
    return place


@pytest.fixture(autouse=True)
def _no_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plots have tests of their own, and cost seconds."""
    monkeypatch.setattr("reports.plots.write_plots", lambda *_: [])


def report(place: Place, command: Command, *options: object) -> Path:
    out = place.path / "report"
    said = command("report", "--workspace", place.workspace.path, "--out", out, *options)
    assert said.code == 0, said.err
    return out


def test_the_story_is_told_in_the_order_of_the_questions(stored: Place, command: Command) -> None:
    out = report(stored, command)
    chapters = re.findall(r"^## (.*)$", (out / "report.md").read_text("utf-8"), re.M)
    assert chapters == ["What was run", "Results", "What is significant", "Alarms", "How to get these numbers again"]
    page = (out / "report.html").read_text("utf-8")
    assert re.findall(r"<h2[^>]*>(.*?)</h2>", page) == chapters


def test_the_report_says_what_was_run_on_what_and_with_what(stored: Place, command: Command) -> None:
    text = (report(stored, command) / "report.md").read_text("utf-8")
    found = gathered(stored.workspace.path)
    for wanted in (found[0].stored.command, found[0].collection.fingerprint[:12], "Python 3.", "numpy"):
        assert wanted in text
    for one in found:
        assert f"`{one.id}`" in text
    assert f"harness reproduce {found[-1].id}" in text or f"harness reproduce {found[0].id}" in text


def test_every_table_is_there_in_four_renderings_and_they_agree(stored: Place, command: Command) -> None:
    tables = report(stored, command) / "tables"
    names = {file.stem for file in tables.iterdir()}
    assert names == {"01-ndcg-10-systems", "01-ndcg-10-collections", "01-ndcg-10-differences"}
    for name in names:
        rows = list(csv.reader((tables / f"{name}.csv").read_text("utf-8").splitlines()))
        for suffix in (".md", ".tex", ".html"):
            text = (tables / f"{name}{suffix}").read_text("utf-8")
            for cell in (cell for row in rows[1:] for cell in row if re.fullmatch(r"\d+\.\d\d", cell)):
                assert cell in text


def test_figures_of_the_page_lead_to_an_id_that_is_in_it(stored: Place, command: Command) -> None:
    out = report(stored, command)
    tags = read((out / "report.html").read_text("utf-8")).tags
    ids = [found["id"] for _, found in tags if "id" in found]
    links = [str(found["href"]) for tag, found in tags if tag == "a"]
    assert len(ids) == len(set(ids))
    assert links and all(link.startswith("#") and link[1:] in ids for link in links)


def test_the_page_loads_nothing(stored: Place, command: Command) -> None:
    tags = read((report(stored, command) / "report.html").read_text("utf-8")).tags
    sources = [value for _, found in tags for name, value in found.items() if name in ("src", "srcset")]
    assert all(str(value).startswith("data:") for value in sources)
    assert not {"script", "link", "iframe"} & {tag for tag, _ in tags}


def test_a_hole_is_told_in_words_too(stored: Place, command: Command) -> None:
    text = (report(stored, command) / "report.md").read_text("utf-8")
    assert "control:random: no difference, because a collection is missing" in text


def test_what_is_significant_has_its_difference_interval_and_p() -> None:
    keys = [collection(f"m/{name}", 200) for name in "ab"]
    results = [result(system(None), key, [0.4, 0.6] * 100) for key in keys]
    results += [result(system("new"), key, [0.5, 0.6] * 100) for key in keys]
    results += [result(system("old"), key, [0.4, 0.6] * 100) for key in keys]
    text = as_markdown(list(story.story(story.report(results), "x")), Path())
    assert re.search(
        r"new: \+5\.00 points \[\+4\.\d\d, \+5\.\d\d\], better \(p = 0\.000\d, corrected over 2 systems\)", text
    )
    assert "better in 2 and worse in 0 of 2 collections" in text
    assert "old: +0.00 points [+0.00, +0.00], not significant (p = 1.00, corrected over 2 systems)" in text


def test_a_table_by_language_does_not_repeat_the_one_by_collection() -> None:
    def tables(*languages: str) -> list[str]:
        keys = [collection(f"m/{place}", language=code) for place, code in enumerate(languages)]
        return list(story.report([result(system(None), key, [0.5] * 4) for key in keys]).tables)

    assert not any(name.startswith("languages") for name in tables("sw", "de", "th"))
    assert any(name.startswith("languages") for name in tables("sw", "de", "de"))


def test_every_alarm_is_told_with_what_it_is_about() -> None:
    alarm = {"name": "truncated-away", "message": "3 documents"}
    one = result(system("new"), collection(), [0.5] * 4, alarms=[alarm])
    assert story.alarms([one, one]) == ["mine/one: new: 3 documents [truncated-away]"]


def test_a_second_report_leaves_no_table_of_the_first(stored: Place, command: Command) -> None:
    out = report(stored, command)
    (out / "tables" / "mine.csv").write_text("kept", "utf-8")
    report(stored, command, "--collection", "one")
    assert {file.stem for file in (out / "tables").iterdir()} == {"01-ndcg-10-systems", "mine"}


def test_the_same_store_gives_the_same_report(stored: Place, command: Command) -> None:
    out = report(stored, command)
    before = {file: file.read_bytes() for file in out.rglob("*") if file.is_file()}
    report(stored, command)
    assert {file: file.read_bytes() for file in out.rglob("*") if file.is_file()} == before


def test_a_plot_is_in_the_page_and_beside_the_markdown(tmp_path: Path) -> None:
    png, svg = tmp_path / "plots" / "a.png", tmp_path / "plots" / "a.svg"
    png.parent.mkdir()
    png.write_bytes(PIXEL)
    svg.write_text("<svg/>", "utf-8")
    parts: list[Part] = [Heading("t", 1), Image("<gains>", png, svg, "per language")]
    assert "![&lt;gains>](plots/a.png)" in as_markdown(parts, tmp_path)
    assert 'src="data:image/svg+xml;base64,' in as_html(parts, "t")
    svg.unlink()
    assert 'src="data:image/png;base64,' in as_html(parts, "t")


def test_a_command_with_backticks_stays_in_its_fence() -> None:
    assert as_markdown([Code("harness ```")], Path()) == "````sh\nharness ```\n````\n"


@pytest.mark.parametrize(
    ("form", "start"),
    [("markdown", "**nDCG@10"), ("latex", "% \\usepackage"), ("csv", "system,"), ("html", "<!doctype")],
)
def test_the_terminal_prints_what_is_to_be_pasted(stored: Place, command: Command, form: str, start: str) -> None:
    said = command("report", "--workspace", stored.workspace.path, "--format", form)
    assert said.out.startswith(start) and said.code == 0


def test_json_has_every_figure_with_its_ids(stored: Place, command: Command) -> None:
    said = command("report", "--workspace", stored.workspace.path, "--json")
    (table,) = json.loads(said.out)["tables"]
    rows = {(row["system"], row["column"]): row for row in table["rows"]}
    assert rows["control:oracle", "one"]["value"] == 1.0
    assert rows["control:random", "macro average"]["value"] is None
    assert rows[FAKE, "two"]["ids"] and rows[FAKE, "two"]["adjusted_p"] is not None


def test_without_matplotlib_the_report_is_written_and_says_so(
    stored: Place, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object) -> None:
        raise MissingExtra("plots need matplotlib")

    monkeypatch.setattr("reports.plots.write_plots", missing)
    out = stored.path / "report"
    said = command("report", "--workspace", stored.workspace.path, "--out", out)
    assert said.code == 0 and "no plots: plots need matplotlib" in said.err
    assert (out / "report.html").is_file()


def test_an_empty_workspace_is_one_line(place: Place, command: Command) -> None:
    said = command("report", "--workspace", place.path)
    assert said.code == 2 and said.err.count("\n") == 1 and "no results" in said.err
