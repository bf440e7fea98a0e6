"""Folders as the results repository of mteb has them: what is taken, under which name, and why the rest is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapters.errors import UsageError
from harness.data.suites.targets import find
from harness.result.gathered import Result, gathered
from harness.running.imported.taken import take_means
from tests.fixtures import Command
from tests.tiny_collection import Place

OURS = find("beir/scifact")[0].mteb.revision
OTHER = "0228b52cf27578f30900b9e5271d331663a030d7"


def put(folder: Path, task: str = "SciFact", revision: object = OURS, value: float = 0.5) -> None:
    """One result."""
    folder.mkdir(parents=True, exist_ok=True)
    (entry, *_) = find(f"mteb/{task}") if task in ("SciFact", "NFCorpus", "FiQA2018") else find("beir/scifact")
    part = {"hf_subset": "default", "languages": ["eng-Latn"], "main_score": value, "ndcg_at_10": value}
    content = {
        "dataset_revision": entry.mteb.revision if revision == OURS else revision, "task_name": task,
        "mteb_version": "2.1.0", "scores": {"test": [part]}, "evaluation_time": 3.0,
    }  # fmt: skip
    (folder / f"{task}.json").write_text(json.dumps(content), "utf-8")


def meta(folder: Path, **changes: object) -> None:
    content = {"name": "org/model", "revision": folder.name, "model_type": ["dense"], **changes}
    (folder / "model_meta.json").write_text(json.dumps(content), "utf-8")


def stored(place: Place) -> list[Result]:
    return gathered(place.workspace.path)


def test_another_revision_of_the_data_needs_an_option_and_is_marked(
    place: Place, tmp_path: Path, command: Command
) -> None:
    folder = tmp_path / "org__model" / "1"
    put(folder, revision=OTHER)
    refused = command("import", folder / "SciFact.json", "--workspace", place.workspace.path)
    assert refused.code == 2 and "measured on revision 0228b52c of the data" in refused.err
    assert "import it, marked, with --allow-drift" in refused.err
    taken = command("import", folder, "--allow-drift", "--workspace", place.workspace.path)
    assert taken.code == 0, taken.err
    assert "beir/scifact†" in taken.out
    assert "other revision of the data of SciFact (0228b52cf275, not" in taken.out
    (found,) = stored(place)
    assert found.collection.name == "beir/scifact†" and OTHER in found.collection.fingerprint
    listed = json.loads(command("list", "--json", "--workspace", place.workspace.path).out)
    assert "beir/scifact†" in json.dumps(listed, ensure_ascii=False)


@pytest.mark.parametrize("revision", [None, "None", "", "dataset revision not available", "main"])
def test_data_of_no_stated_revision_are_other_data(revision: object, place: Place, tmp_path: Path) -> None:
    put(tmp_path / "org__model" / "external", revision=revision)
    with pytest.raises(UsageError, match=r"1 file: measured on another revision .*with --allow-drift \(SciFact\)"):
        take_means([tmp_path], place.workspace.path)
    take_means([tmp_path], place.workspace.path, allow_drift=True)
    (found,) = stored(place)
    assert found.collection.name == "beir/scifact†" and found.system.label.startswith("org/model@external (imported)")


def test_other_data_never_stand_in_the_column_of_the_suite(place: Place, tmp_path: Path) -> None:
    from harness.result.gathered import grids
    from reports.grid import collection_columns

    for at, revision in enumerate((OURS, OTHER, "f" * 40)):
        put(tmp_path / "org__model" / str(at), revision=revision)
    take_means([tmp_path], place.workspace.path, allow_drift=True)
    assert len({one.collection for one in stored(place)}) == 3
    (grid,) = grids(stored(place))
    titles = [column.title for column in collection_columns(grid)]
    assert len(titles) == len(set(titles))


def test_revisions_and_experiments_of_a_model_are_systems_of_their_own(place: Place, tmp_path: Path) -> None:
    for name in ("no_revision_available", "external", "c007d7ef6fd86656326059b28395a7a03a7c5846"):
        put(tmp_path / "org__model" / name)
        meta(tmp_path / "org__model" / name)
    experiment = tmp_path / "org__model" / "external" / "experiments" / "model_kwargs_{}__dtype_float16"
    put(experiment)
    meta(experiment, revision="external", experiment_kwargs={"model_kwargs": {}, "dtype": "float16"})
    taken = take_means([tmp_path], place.workspace.path)
    assert taken.skipped == ()
    assert sorted(one.system.label.removesuffix(" (imported) (first stage)") for one in stored(place)) == [
        "org/model",
        "org/model@c007d7ef6fd8",
        "org/model@external",
        "org/model@external experiment model_kwargs_____dtype_float16",
    ]


def test_a_name_that_no_spec_can_have_is_written_with_other_letters(place: Place, tmp_path: Path) -> None:
    folder = tmp_path / "voyage__large_(dim=2048,_new=True)" / "1"
    put(folder)
    meta(folder, name="voyage/large (dim=2048, new=True)")
    take_means([tmp_path], place.workspace.path)
    (found,) = stored(place)
    assert found.system.label == "voyage/large _dim=2048, new=True_@1 (imported) (first stage)"
    said = found.stored.identity["imported"]
    assert isinstance(said, dict) and said["stated"]["model_in_file"] == "voyage/large (dim=2048, new=True)"


def test_what_is_left_out_is_counted_by_its_reason(place: Place, tmp_path: Path) -> None:
    model = tmp_path / "results" / "org__model" / "1"
    put(model)
    put(model, "NFCorpus", OTHER)
    put(model, "FiQA2018", None)
    for task in ("Banking77Classification", "STS12", "STS13", "STS14", "STS15", "STS16"):
        put(model, task)
    put(model / "experiments" / "no_meta")
    (tmp_path / "paths.json").write_text('["results"]', "utf-8")
    (tmp_path / "plot.json").write_text('{"query": {"document": 1.5}}', "utf-8")
    assert take_means([tmp_path], place.workspace.path).skipped == (
        "6 files: of tasks that no suite has; docs/suites.md lists the tasks "
        "(Banking77Classification, STS12, STS13, STS14, STS15 and 1 more)",
        "2 files: measured on another revision of the data than our suites have; import them, marked, with "
        "--allow-drift (FiQA2018, NFCorpus)",
        "2 files: not results of mteb (paths.json, plot.json)",
        "1 file: in an experiment's folder without model_meta.json; fetch that file too (no_meta)",
    )


def test_a_folder_of_which_nothing_is_taken_says_why(place: Place, tmp_path: Path) -> None:
    put(tmp_path / "org__model" / "1", "STS12")
    put(tmp_path / "org__model" / "1", "NFCorpus", OTHER)
    said = r"nothing was imported\. 1 file: .*with --allow-drift \(NFCorpus\); 1 file: .*\(STS12\)"
    with pytest.raises(UsageError, match=said):
        take_means([tmp_path], place.workspace.path)
    assert not place.workspace.results.exists()
