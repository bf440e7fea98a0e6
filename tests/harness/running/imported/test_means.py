"""Imported means are shown next to measured values, marked, and with nothing that a mean does not have."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.errors import DataError, HarnessError, UsageError
from harness.data.suites.targets import find
from harness.result.gathered import gathered, grids
from harness.result.result import Result
from harness.result.store import Results
from harness.running.imported.means import means_in
from harness.running.imported.taken import take_means
from tests.fixtures import Command
from tests.suite_evaluations import as_of, by_reranker
from tests.tiny_collection import FIRST, Place, results_in

SCIFACT = find("beir/scifact")[0]
T2 = find("mteb/T2Reranking")[0]
FAKE = "tests.fake_adapters:Plain"
META = {"name": "org/model", "revision": "0123456789" * 4, "model_type": ["dense"]}


def result(task: str = "SciFact", **changes: object) -> dict[str, object]:
    entry = find(f"mteb/{task}")[0]
    main = {"nDCG@10": 0.75, "AP@1000": 0.5}[entry.main_measure]
    scores = {
        "hf_subset": entry.mteb.subset, "languages": ["eng-Latn"], "main_score": main, "ndcg_at_10": 0.75,
        "map_at_1000": 0.5, "mrr_at_10": 0.625, "hit_rate_at_5": 0.875, "nauc_ndcg_at_10_max": -3.0,
    }  # fmt: skip
    whole: dict[str, object] = {
        "dataset_revision": entry.mteb.revision, "task_name": task, "mteb_version": "2.26.24",
        "scores": {entry.mteb.split: [scores]}, "evaluation_time": 3.0, "kg_co2_emissions": None,
    }  # fmt: skip
    return whole | changes


def written(
    folder: Path, content: Mapping[str, object] | None = None, meta: Mapping[str, object] | None = META
) -> Path:
    """In mteb's layout."""
    content = content or result()
    file = folder / "org__model" / "0123" / f"{content['task_name']}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content), "utf-8")
    if meta:
        (file.parent / "model_meta.json").write_text(json.dumps(meta), "utf-8")
    return file


def measured(place: Place) -> None:
    """SciFact by two systems of ours."""
    done = place.evaluations(rerankers=[FAKE], measures=["nDCG@10"])
    with Results(place.workspace.results) as results:
        for one in done:
            results.keep(as_of(one, SCIFACT))


def stored(place: Place, **wanted: object) -> list[Result]:
    return gathered(place.workspace.path, **wanted)  # type: ignore[arg-type]


def test_a_mean_is_kept_as_a_mean_and_marked(place: Place, tmp_path: Path) -> None:
    taken = take_means([written(tmp_path)], place.workspace.path)
    (found,) = stored(place)
    assert (found.value, found.measure, found.imported, found.is_mean_only) == (0.75, "nDCG@10", True, True)
    assert len(found.values) == 0 and taken.ids == (found.id,)
    assert found.system.label == "org/model@012345678901 (imported) (first stage)"
    assert found.stored.identity["evaluator"] == "mteb 2.26.24"
    said = found.stored.identity["imported"]
    assert isinstance(said, dict) and said["source"] == "SciFact.json" and said["kind"] == "mean"
    assert said["stated"] == {"model": "org/model", "revision": META["revision"]}
    assert found.chance is found.ceiling is found.tie_span is found.truncated is found.pairs_per_second is None
    assert found.collection.entry == SCIFACT and found.collection.queries == SCIFACT.counts.queries


def test_nothing_per_query_can_be_asked_of_a_mean(place: Place, tmp_path: Path, command: Command) -> None:
    (id,) = take_means([written(tmp_path)], place.workspace.path).ids
    other = written(tmp_path / "other", meta={**META, "name": "org/other"})
    take_means([other], place.workspace.path)
    with Results(place.workspace.results) as results, pytest.raises(UsageError, match=r"imported mean .* no interval"):
        results.result(id, "nDCG@10")
    names = [one.system.label for one in stored(place)]
    compared = command("compare", *names, "--workspace", place.workspace.path)
    assert compared.code in (2, 5) and "\n" not in compared.err.strip()
    assert "imported mean" in compared.err
    shown = command("show", id, "--workspace", place.workspace.path, "--json")
    assert json.loads(shown.out)["per_query"] == {} and json.loads(shown.out)["values"] == {"nDCG@10": 0.75}


def test_means_stand_in_the_column_of_what_was_measured_whichever_came_first(place: Place, tmp_path: Path) -> None:
    take_means([written(tmp_path)], place.workspace.path)
    measured(place)
    take_means([written(tmp_path / "other", meta={**META, "name": "org/later"})], place.workspace.path)
    (grid,) = grids(stored(place, collections=["beir/scifact"]))
    (column,) = grid.collections
    assert not column.fingerprint.startswith("mteb:")
    imported = [cell for cell in grid.cells.values() if cell.imported]
    assert len(grid.cells) == 4 and len(imported) == 2


def test_a_mean_is_no_sample_s_and_no_drifted_data_s(place: Place, tmp_path: Path) -> None:
    take_means([written(tmp_path)], place.workspace.path)
    (done,) = place.evaluations(measures=["nDCG@10"])
    ours = as_of(done, SCIFACT)
    sampled = replace(ours.collection, sampled_from=300)
    drifted = replace(ours.collection, name="beir/scifact†", fingerprint="drifted")
    with Results(place.workspace.results) as results:
        for collection in (sampled, drifted):
            results.keep(replace(ours, ground=replace(ours.ground, collection=collection)))
    assert [one.collection.fingerprint[:5] for one in stored(place) if one.imported] == ["mteb:"]


def test_an_average_with_an_imported_mean_has_no_interval_and_no_test(place: Place, tmp_path: Path) -> None:
    from leaderboards.standing import standings
    from reports.grid import GridColumn, figures

    measured(place)
    take_means([written(tmp_path)], place.workspace.path)
    (grid,) = grids(stored(place, collections=["beir/scifact"]))
    found = figures(grid, [GridColumn("all", "", grid.collections, (1.0,))], intervals=True)
    for (system, _), figure in found.items():
        imported = "(imported)" in system.label
        assert figure.value is not None and (figure.interval is None) == imported
        assert not imported or (figure.difference is None)
    rows = {system: figure for (system, _), figure in found.items()}
    ranked = {row.system.label: row.rank for row in standings(grid, rows)}
    assert [label for label, rank in ranked.items() if rank is None] == [
        "org/model@012345678901 (imported) (first stage)"
    ]


def test_means_have_no_rank_where_nothing_was_measured(place: Place, tmp_path: Path) -> None:
    from leaderboards.standing import standings
    from reports.grid import GridColumn, figures

    for name in ("org/one", "org/two"):
        take_means([written(tmp_path / name, meta={**META, "name": name})], place.workspace.path)
    (grid,) = grids(stored(place))
    found = figures(grid, [GridColumn("all", "", grid.collections, (1.0,))], intervals=True)
    rows = {system: figure for (system, _), figure in found.items()}
    assert [row.rank for row in standings(grid, rows)] == [None, None]


def test_given_lists_are_stated_and_an_unknown_first_stage_is_not_guessed(tmp_path: Path) -> None:
    (given,) = means_in(written(tmp_path / "a", result("T2Reranking")), measures=["RR@10"])
    assert (given.first_stage, given.reranker, given.depth) == ("given", "org/model@012345678901 (imported)", 0)
    assert given.values == {"AP@1000": 0.5, "RR@10": 0.625}
    crosses = {**META, "model_type": ["cross-encoder"]}
    (unknown,) = means_in(written(tmp_path / "b", meta=crosses))
    assert (unknown.first_stage, unknown.reranker) == ("not stated", "org/model@012345678901 (imported)")
    (bare,) = means_in(written(tmp_path / "c", meta=None))
    assert (bare.first_stage, bare.reranker) == ("not stated", "org/model@0123 (imported)")


def test_what_we_submitted_comes_back_with_its_first_stage_and_evaluator(place: Place, tmp_path: Path) -> None:
    from reports.mteb_results import write_mteb_results

    reranked = by_reranker(place.evaluations(rerankers=[FAKE], measures=["nDCG@10"], depth=20)[1], "org/reranker")
    (file, *_) = write_mteb_results(tmp_path, results_in([as_of(reranked, SCIFACT)]))
    (back,) = means_in(file)
    assert back.values["nDCG@10"] == reranked.values[0].mean()
    assert (back.first_stage, back.depth, back.reranker) == (FIRST, 20, "org/reranker (imported)")
    assert back.origin.evaluator.startswith("rerank-harness ")


def test_the_same_file_is_kept_once(place: Place, tmp_path: Path) -> None:
    file = written(tmp_path)
    assert take_means([file], place.workspace.path).ids == take_means([file], place.workspace.path).ids
    assert len(stored(place)) == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"task_name": "NoSuchTask"}, "no suite has the task NoSuchTask"),
        (
            {"dataset_revision": "f" * 40},
            "measured on revision ffffffff of the data, and SciFact here is .*; import it, marked, with --allow-drift",
        ),
        (
            {"scores": {"train": [{"hf_subset": "default", "main_score": 1.0}]}},
            "no suite has any of its splits and subsets",
        ),
        ({"scores": {"test": {"ndcg_at_10": 0.5}}}, "split 'test' is not a list of scores"),
        (
            {"scores": {"test": [{"hf_subset": "default", "main_score": 0.5}]}},
            "no nDCG@10 of beir/scifact; it has none",
        ),
        (
            {"scores": {"test": [{"hf_subset": "default", "ndcg_at_10": 75.0}]}},
            "ndcg_at_10 is 75.0; expected a fraction",
        ),
        (
            {"scores": {"test": [{"hf_subset": "default", "ndcg_at_10": None}]}},
            "ndcg_at_10 is None; expected a fraction",
        ),
        ({"scores": 3}, "not a result of mteb: it lacks"),
    ],
)
def test_what_is_no_result_of_a_suite_is_refused(changes: dict[str, object], said: str, tmp_path: Path) -> None:
    file = tmp_path / "org__model" / "1" / "SciFact.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(result(**changes)), "utf-8")  # type: ignore[arg-type]
    with pytest.raises(HarnessError, match=said):
        means_in(file)


def test_a_file_that_names_no_model_asks_for_a_name(tmp_path: Path) -> None:
    file = tmp_path / "SciFact.json"
    file.write_text(json.dumps(result()), "utf-8")
    with pytest.raises(UsageError, match="give it a --name"):
        means_in(file)
    (found,) = means_in(file, "theirs")
    assert found.reranker == "theirs (imported)"


def test_of_a_folder_only_what_a_suite_has_is_taken_and_the_rest_is_said(
    place: Place, tmp_path: Path, command: Command
) -> None:
    written(tmp_path), written(tmp_path, result("T2Reranking"))
    written(tmp_path, {**result(), "task_name": "Banking77Classification"}, None)
    said = command("import", tmp_path, "--workspace", place.workspace.path)
    assert said.code == 0, said.err
    assert said.err.strip() == (
        "left out: 1 file: of tasks that no suite has; docs/suites.md lists the tasks (Banking77Classification)"
    )
    assert said.out.count("(imported)") >= 2 and "75.00" in said.out and "50.00" in said.out
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(UsageError, match=r"nothing was imported\. It has no JSON files; name a folder"):
        take_means([empty], place.workspace.path)


def test_two_models_never_share_a_name(place: Place, tmp_path: Path) -> None:
    one = written(tmp_path / "one")
    two = written(tmp_path / "two", {**result(), "evaluation_time": 9.0})
    with pytest.raises(UsageError, match="two files have a result of beir/scifact for org/model"):
        take_means([one, two], place.workspace.path)
    (other,) = means_in(written(tmp_path / "three", meta={**META, "revision": None}))
    assert other.first_stage == "org/model@0123 (imported)"


def test_candidates_that_are_not_stated_equal_no_others(tmp_path: Path) -> None:
    """Two means would be paired with each other, and the difference of nothing with nothing be tested."""
    one, two = written(tmp_path / "one"), written(tmp_path / "two", {**result(), "evaluation_time": 9.0})
    assert means_in(one)[0].candidates != means_in(two)[0].candidates


def test_a_broken_file_keeps_nothing_of_the_others(place: Place, tmp_path: Path) -> None:
    good, bad = written(tmp_path), tmp_path / "bad.json"
    bad.write_text("{", "utf-8")
    with pytest.raises(DataError, match=r"bad.json: not JSON in line 1"):
        take_means([good, bad], place.workspace.path)
    assert not place.workspace.results.exists()
