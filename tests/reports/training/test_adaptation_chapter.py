"""What was adapted in a workspace is in its report and on the terminal; where nothing was, nothing is said."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from harness.result.adaptation.reading import read_record
from harness.result.adaptation.writing import json_text
from reports.training import pictures as module
from tests.fixtures import Command
from tests.reports.test_html import read
from tests.reports.training.made import EXAMPLE, begun, made
from tests.tiny_collection import Place

FAKE = "tests.fake_adapters:Plain"


@pytest.fixture(autouse=True)
def _no_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plots have tests of their own, and cost seconds."""
    monkeypatch.setattr(module, "_drawings", lambda *_: [None] * 5)
    monkeypatch.setattr("reports.plots.write_plots", lambda *_: [])


def keep(place: Place, **changed: Any) -> None:
    stored = made() | changed
    folder = place.workspace.path / "adaptations"
    folder.mkdir(exist_ok=True)
    (folder / f"{stored['run']}.json").write_text(json.dumps(stored), "utf-8")


def report(place: Place, command: Command) -> Path:
    place.evaluations(rerankers=[FAKE])
    out = place.path / "report"
    said = command("report", "--workspace", place.workspace.path, "--out", out)
    assert said.code == 0, said.err
    return out


def chapters(out: Path) -> list[str]:
    return re.findall(r"^## (.*)$", (out / "report.md").read_text("utf-8"), re.M)


def test_a_report_without_adaptations_says_nothing_of_them(place: Place, command: Command) -> None:
    out = report(place, command)
    assert "Adaptations" not in chapters(out) and not (out / "adaptations").exists()


def test_adaptations_are_a_chapter_with_their_pages(place: Place, command: Command) -> None:
    keep(place)
    keep(place, run="adapt-000000000000", name="older", started="2025-01-01T00:00:00+00:00", state="refused",
         accepted=None)  # fmt: skip
    out = report(place, command)
    assert chapters(out)[-3:] == ["Adaptations", "Alarms", "How to get these numbers again"]
    told = (out / "report.md").read_text("utf-8").split("## Adaptations")[1].split("## Alarms")[0]
    assert told.index("| older |") < told.index("| adapted |"), "the oldest first"
    assert "Accepted: slerp" in told and "Nothing was accepted" in told
    for run in ("adapt-000000000000", made()["run"]):
        assert (out / "adaptations" / run / "adaptation.html").is_file()
        assert f"adaptations/{run}/adaptation.html" in told


def test_the_page_of_the_report_leads_to_that_of_the_adaptation(place: Place, command: Command) -> None:
    keep(place)
    out = report(place, command)
    links = [str(found["href"]) for tag, found in read((out / "report.html").read_text("utf-8")).tags if tag == "a"]
    files = [link for link in links if not link.startswith("#")]
    assert files == [f"adaptations/{made()['run']}/adaptation.html"] and (out / files[0]).is_file()


def test_a_damaged_record_stops_the_report_and_is_named(place: Place, command: Command) -> None:
    keep(place, state="fine")
    place.evaluations(rerankers=[FAKE])
    said = command("report", "--workspace", place.workspace.path, "--out", place.path / "report")
    assert (
        said.code == 5
        and said.err.count("\n") == 1
        and f"{made()['run']}.json: state: 'fine' is not allowed" in said.err
    )
    assert command("report", "--workspace", place.workspace.path).code == 0, "without --out no page is written"


def test_show_prints_the_tables_and_the_decision(place: Place, command: Command) -> None:
    said = command("train", "show", EXAMPLE, "--workspace", place.workspace.path)
    assert said.code == 0
    for table in ("tasks", "cost", "looks", "arms: nDCG@10", "differences to the base", "claims"):
        assert f"\n{table}" in f"\n{said.out}"
    assert "Accepted: slerp" in said.out


def test_show_works_while_the_loop_runs(place: Place, command: Command) -> None:
    file = place.path / "record.json"
    file.write_text(json.dumps(made() | begun() | {"state": "running", "accepted": None}), "utf-8")
    said = command("train", "show", place.path, "--workspace", place.workspace.path)
    assert said.code == 0 and said.out.startswith("Nothing is decided yet")


def test_show_writes_the_page_where_it_is_asked_to(place: Place, command: Command) -> None:
    out = place.path / "page"
    said = command("train", "show", EXAMPLE, "--out", out, "--json", "--workspace", place.workspace.path)
    assert json.loads(said.out) == json.loads(json_text(read_record(EXAMPLE))) and "written:" in said.err
    assert {file.name for file in out.iterdir()} == {"adaptation.md", "adaptation.html", "plots"}


def test_a_folder_without_a_record_is_one_line(place: Place, command: Command) -> None:
    said = command("train", "show", place.path)
    assert said.code == 2 and said.err.count("\n") == 1 and "train adapt" in said.err
