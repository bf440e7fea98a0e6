"""What the store holds, for eyes and for machines, without a model or a collection at hand."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from adapters.errors import UsageError
from harness.workspace import readable_size
from reports.table import terminal
from reports.tables.listing import details, listing, outline
from tests.tiny_collection import FIRST, Place

PLAIN = "tests.fake_adapters:Plain"


def rows(place: Place, what: str) -> list[list[str]]:
    return [[cell.text for cell in row] for row in listing(what, place.workspace.path).rows]


def test_everything_that_was_measured_is_listed(place: Place) -> None:
    evaluations = place.evaluations(rerankers=[PLAIN])
    assert [row[0] for row in rows(place, "results")] == [evaluation.id for evaluation in evaluations]
    assert [row[1] for row in rows(place, "collections")] == ["coll"]
    assert [row[0] for row in rows(place, "systems")] == [FIRST, PLAIN]


def test_the_note_of_a_collection_stands_under_the_list(place: Place) -> None:
    place.beir(rules='note = "half of it is invented"')
    place.evaluations()
    assert listing("results", place.workspace.path).notes[0] == "half of it is invented"


def test_the_size_on_disk_is_shown_by_kind(place: Place) -> None:
    place.evaluations(rerankers=[PLAIN])
    for what in ("results", "collections", "systems"):
        last = listing(what, place.workspace.path).notes[-1]
        assert last.startswith("on disk: ")
        for kind in ("results", "scored pairs", "collections", "candidates"):
            assert kind in last
    (row,) = rows(place, "collections")
    files = [file for file in place.workspace.collections.glob("*/*") if file.parent.name not in {"seen", "requests"}]
    assert row[-1] == readable_size(sum(file.stat().st_size for file in files))


@pytest.mark.parametrize("width", [80, 100, 120])
@pytest.mark.parametrize("what", ["results", "collections", "systems"])
def test_ids_dates_and_fingerprints_can_be_copied_at_every_width(place: Place, what: str, width: int) -> None:
    place.evaluations(rerankers=[PLAIN, "control:reverse"])
    table = listing(what, place.workspace.path)
    console = Console(width=width, file=io.StringIO(), highlight=False)
    console.print(terminal(table, width))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert max(map(len, lines)) <= width
    words = {word for line in lines for word in line.split()}
    names = {"results": ("id", "updated"), "collections": ("fingerprint",), "systems": ("depth",)}[what]
    for row in table.rows:
        assert {row[table.columns.index(name)].text for name in names} <= words


def test_adapters_are_listed_without_loading_one(place: Place) -> None:
    assert ["bm25", "first stage", "adapters.bm25:BM25Retriever"] in rows(place, "adapters")


def test_a_result_can_be_traced_to_everything_that_made_it(place: Place) -> None:
    evaluation = place.evaluations(rerankers=[PLAIN])[1]
    found = details(evaluation.id, place.workspace.path)
    assert found["made_of"] == evaluation.made_of.content
    assert found["values"] == {"nDCG@10": pytest.approx(evaluation.values[0].mean())}
    text = outline(found)
    for part in ("made_of:", "identity", "controls:", "environment:", "command:", "python"):
        assert part in text


def test_an_unknown_id_is_refused_with_what_there_is(place: Place) -> None:
    place.evaluations()
    with pytest.raises(UsageError, match=r"no results of a system 'zzz'.*Overlap \(first stage\)"):
        details("zzz", place.workspace.path)


def test_an_outline_of_nothing_says_none() -> None:
    assert outline({"a": None, "b": {}, "c": [], "d": {"e": 0.5}}) == "a: none\nb: none\nc: none\nd:\n  e: 0.5"
