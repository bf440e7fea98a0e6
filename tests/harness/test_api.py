"""Python says the same as the command line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import harness
from adapters.errors import MissingExtra, UsageError
from harness import api
from harness.api import Outcome
from harness.progress import Silent
from tests.tiny_collection import FIRST, QUERIES, Place

FAKE = "tests.fake_adapters"


def run(place: Place, *targets: Path | str, **options: object) -> Outcome:
    named = map(str, targets or (place.beir(),))
    settings = {"first_stage": FIRST, "workspace": place.workspace.path, "depth": 5, **options}
    return api.run(*named, **settings)  # type: ignore[arg-type]


def test_one_call_answers_the_question(place: Place) -> None:
    text = run(place, rerankers=[f"{FAKE}:Plain"], measures=["nDCG@10", "RR@10"]).table()
    assert f"{FIRST} (first stage)" in text
    assert f"| {FAKE}:Plain |" in text
    assert text.count("vs first stage") == 2


def test_the_package_offers_it_without_loading_it() -> None:
    assert harness.Outcome is Outcome
    with pytest.raises(AttributeError, match="module 'harness' has no attribute 'rum'"):
        harness.rum  # noqa: B018


def test_the_one_call_can_be_made_twice() -> None:
    # A module of the package that had the function's name would take its place as soon as it is imported.
    assert harness.run is api.run
    assert harness.run is api.run


def test_collections_that_bring_lists_are_not_searched_unless_it_is_asked_for(place: Place) -> None:
    outcome = api.run(str(place.reranking_rows()), workspace=place.workspace.path)
    assert [evaluation.system.first_stage.name for evaluation in outcome.evaluations] == ["given"]


def test_lists_and_searches_are_not_mixed_by_default(place: Place) -> None:
    with pytest.raises(UsageError, match="only some of these collections have candidate lists"):
        api.run(str(place.reranking_rows()), str(place.beir()), workspace=place.workspace.path)


def test_a_frame_has_a_row_per_system_query_and_measure(place: Place) -> None:
    pytest.importorskip("pandas")
    outcome = run(place, rerankers=["control:oracle"], measures=["nDCG@10", "RR@10"])
    frame = outcome.frame()
    assert list(frame.columns) == ["system", "collection", "language", "query", "measure", "value"]
    assert len(frame) == 2 * 4 * 2
    mine = frame[(frame.system == "control:oracle") & (frame.measure == "RR@10")]
    assert mine["query"].tolist() == list(QUERIES)
    assert mine["value"].tolist() == outcome.evaluations[1].values[1].tolist()


def test_a_frame_without_pandas_says_what_to_install(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = run(place)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtra, match=r"pip install 'rerank-harness\[reports\]'"):
        outcome.frame()


def test_a_report_is_written(place: Place) -> None:
    run(place).write(place.path / "report")
    assert (place.path / "report" / "report.md").read_text("utf-8").startswith("# Results")


def test_a_collection_or_reranker_that_is_named_twice_is_evaluated_once(place: Place) -> None:
    folder = place.beir()
    outcome = run(place, folder, place.beir("copy"), folder, rerankers=["control:oracle", "control:oracle"])
    assert [done.system.name for done in outcome.evaluations] == [FIRST, "control:oracle"]


def test_a_sample_is_the_same_queries_every_time(place: Place) -> None:
    folder = place.beir()
    one, two = (run(place, folder, sample_queries=2).evaluations[0] for _ in range(2))
    assert one.collection.queries.ids() == two.collection.queries.ids()
    assert len(one.values[0]) == 2
    assert one.id != run(place, folder).evaluations[0].id


def test_rules_hold_for_the_run(place: Place) -> None:
    rules = place.path / "rules.toml"
    rules.write_text('main_measure = "AP@1000"')
    assert str(run(place, rules=rules).evaluations[0].measures[0]) == "AP@1000"


def test_the_workspace_of_the_environment_is_used(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HARNESS_WORKSPACE", str(tmp_path / "from-environment"))
    run(place, workspace=None)
    assert (tmp_path / "from-environment" / "results.sqlite").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"rerankers": 3}, "rerankers must be a name or a list of names, not 3"),
        ({"source": "irds2"}, "unknown source 'irds2'. Did you mean irds?"),
        ({"measures": ["nCDG@10"]}, "unknown measure 'nCDG@10'"),
        ({"sample_queries": 0}, "sample_queries must be a whole number, 1 or more, not 0"),
        ({"depth": 0}, "depth must be a whole number, 1 or more, not 0"),
    ],
)
def test_what_cannot_be_meant_is_refused(place: Place, options: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        run(place, **options)


def test_a_wrong_measure_is_refused_before_a_collection_is_read(place: Place) -> None:
    with pytest.raises(UsageError, match="unknown measure"):
        run(place, measures=["nCDG@10"])
    assert list(place.workspace.collections.iterdir()) == []


def test_no_target_is_refused(place: Place) -> None:
    with pytest.raises(UsageError, match="name what to run on"):
        api.run(first_stage=FIRST, workspace=place.workspace.path)


def test_the_cost_is_shown_before_the_work(place: Place) -> None:
    lines = []

    class Recorder(Silent):
        def note(self, text: str) -> None:
            lines.append(text)

    run(place, rerankers=[f"{FAKE}:Plain"], reporter=Recorder())
    assert lines[0] == (
        "collections: 1, documents: 8, queries: 4, rerankers: 1, pairs for each: at most 20, less what is already known"
    )
    assert lines[1] == f"{FAKE}:Plain: orientation probe, 16 pairs in the language of coll"
    assert lines[2] == f"coll: {FAKE}:Plain: 18 of 18 pairs to score"


def test_the_names_of_before_work_with_a_warning() -> None:
    for former, name in (("compared", "compare"), ("gated", "gate")):
        with pytest.warns(DeprecationWarning, match=rf"harness\.{former} is called harness\.{name} now"):
            assert getattr(harness, former) is getattr(harness, name)


@pytest.mark.parametrize("name", harness.__all__)
def test_everything_that_is_public_is_there(name: str) -> None:
    assert getattr(harness, name) is not None
