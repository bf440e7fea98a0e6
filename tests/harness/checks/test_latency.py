"""The latency of a query is measured as a user waits for it, and shown next to the quality."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.errors import UsageError
from harness.checks.latency import latency
from harness.result.gathered import gathered, grids
from harness.result.store import Results
from tests.fixtures import Command
from tests.tiny_collection import Place

FAKE = "tests.fake_adapters:Streaming"
FIRST = "tests.fake_adapters:Overlap"


def timed(place: Place, spec: str = FAKE, **options: Any) -> Any:
    with place.session() as session:
        return latency(spec, [place.load()], session, first_stage=FIRST, depth=5, **options)


def test_every_query_is_asked_alone_and_past_the_ledger(place: Place, tmp_path: Path) -> None:
    log = tmp_path / "asked.log"
    (found,) = timed(place, f"tests.fake_adapters:Plain?log={log}")
    assert found.queries == 4 and found.candidates > 1
    assert 0 < found.p50 <= found.p95
    asked = len(log.read_text("utf-8").splitlines())
    timed(place, f"tests.fake_adapters:Plain?log={log}")
    assert len(log.read_text("utf-8").splitlines()) == 2 * asked, "a known pair is timed all the same"


def test_the_figures_are_added_to_the_stored_results_of_the_same_reranker(place: Place) -> None:
    _, done = place.evaluations(rerankers=[FAKE])
    (found,) = timed(place, queries=2)
    assert found.evaluations == (done.id,), "a sample of the queries is timed, the whole is what it is about"
    with Results(place.workspace.results) as results:
        assert results.timing_of(done.id).latency == (found.p50, found.p95, found.megabytes)
    (grid,) = grids(gathered(place.workspace.path))
    cells = {cell.system.label: cell.timing.latency for cell in grid.cells.values()}
    assert cells[FAKE] == (found.p50, found.p95, found.megabytes)
    assert cells[f"{FIRST} (first stage)"] is None, "nobody timed it"


def test_what_runs_no_model_is_refused(place: Place) -> None:
    with pytest.raises(UsageError, match="runs no model that scores pairs"):
        timed(place, "control:oracle")


def test_the_verb_prints_and_refuses(place: Place, command: Command) -> None:
    place.evaluations(rerankers=[FAKE])
    workspace = ["--workspace", place.workspace.path, "--first-stage", FIRST, "--depth", 5]
    said = command("latency", FAKE, place.path / "coll", "--json", *workspace)
    assert said.code == 0
    (row,) = json.loads(said.out)
    assert row["queries"] == "4" and row["kept with"] != "-"
    assert command("latency").code == 2
