"""Every form in which mteb has written results since 2022 gives the value that mteb itself reads from it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.errors import DataError
from harness.data.suites.targets import find
from harness.running.imported.means import means_in

RETRIEVAL = {"map_at_1000": 0.25, "mrr_at_10": 0.5, "ndcg_at_10": 0.375, "recall_at_100": 0.75}
RERANKING = {"map": 0.625, "mrr": 0.75}
SUBSET = {"hf_subset": "default", "languages": ["eng-Latn"]}
FORMS: dict[str, tuple[dict[str, object], dict[str, float]]] = {
    "retrieval of 2022": (
        {"test": {"evaluation_time": 9.5, **RETRIEVAL}, "mteb_version": "0.0.2", "mteb_dataset_name": "SciFact"},
        {"default": 0.375},
    ),
    "no version": (
        {"dataset_revision": "e40c", "mteb_dataset_name": "AlloprofReranking", "test": RERANKING},
        {"default": 0.625},
    ),
    "no revision": (
        {"dataset_revision": None, "dev": RERANKING, "mteb_dataset_name": "T2Reranking", "mteb_version": "1.1.1.dev0"},
        {"default": 0.625},
    ),
    "a task's name in other case": (
        {"dev": RERANKING, "mteb_dataset_name": "t2reranking", "mteb_version": "1.1.1"},
        {"default": 0.625},
    ),
    "subsets below the split": (
        {
            "test": {"de": RERANKING, "sr": {"map": 0.5, "mrr": 0.5}, "evaluation_time": 3.0},
            "mteb_dataset_name": "WikipediaRerankingMultilingual", "mteb_version": "1.7.4", "dataset_revision": "6268",
        },
        {"de": 0.625, "sr": 0.5},
    ),
    "instructions of 1.7": (
        {
            "dataset_revision": "a5a1", "mteb_dataset_name": "Robust04InstructionRetrieval", "mteb_version": "1.7.32",
            "test": {"evaluation_time": 3.6, "p-MRR": -0.0625},
        },
        {"default": -0.0625},
    ),
    "reranking of 1.18": (
        {
            "dataset_revision": "ed1c", "task_name": "WebLINXCandidatesReranking", "mteb_version": "1.18.0",
            "scores": {"test_iid": [{**SUBSET, **RERANKING, "nAUC_map_max": 0.5, "main_score": 0.75}]},
            "evaluation_time": 3.0,
        },
        {"default": 0.75},
    ),
    "MIRACL of 1.18": (
        {
            "dataset_revision": "6d19", "task_name": "MIRACLReranking", "mteb_version": "1.18.0",
            "scores": {"dev": [{"hf_subset": "sw", "languages": ["swa-Latn"], "NDCG@10(MIRACL)": 0.5, "MAP@10(MIRACL)":
                                0.25, "main_score": 0.5}]},
            "evaluation_time": 3.0,
        },
        {"sw": 0.5},
    ),
    "a name of each version": (
        {
            "dataset_revision": "2b9f", "mteb_dataset_name": "SciFact", "task_name": "SciFact", "mteb_version": "2.1.0",
            "scores": {"test": [{**SUBSET, **RETRIEVAL, "main_score": 0.375}]}, "evaluation_time": 3.0,
        },
        {"default": 0.375},
    ),
    "copied from a model card": (
        {
            "dataset_revision": "None", "task_name": "SciFact", "evaluation_time": None, "mteb_version": None,
            "scores": {"test": [{**SUBSET, **RETRIEVAL, "main_score": 0.375}]},
        },
        {"default": 0.375},
    ),
}  # fmt: skip


def written(folder: Path, content: object) -> Path:
    file = folder / "org__model" / "no_revision_available" / "Task.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(content), "utf-8")
    return file


@pytest.mark.parametrize("form", FORMS)
def test_every_version_of_a_result_is_read(form: str, tmp_path: Path) -> None:
    content, expected = FORMS[form]
    found = means_in(written(tmp_path, content), allow_drift=True)
    assert {one.entry.mteb.subset: one.values[one.entry.main_measure] for one in found} == expected
    assert all(one.is_drifted for one in found)


def test_mteb_reads_the_same_value(tmp_path: Path) -> None:
    """In a process of its own: mteb warns of much that is not ours."""
    pytest.importorskip("mteb")
    # mteb has no value for what 1.0 called "map": the main score is map_at_1000 today
    read = {name: form for name, form in FORMS.items() if not ("scores" not in form[0] and 0.625 in form[1].values())}
    files = {name: str(written(tmp_path / str(at), read[name][0])) for at, name in enumerate(read)}
    code = f"""
import json
from pathlib import Path
from mteb.results import TaskResult
for name, file in {files!r}.items():
    scores = [part for split in TaskResult.from_disk(Path(file)).scores.values() for part in split]
    print("@", json.dumps([name, dict((part["hf_subset"], part["main_score"]) for part in scores)]))
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    theirs = dict(json.loads(line[2:]) for line in done.stdout.splitlines() if line.startswith("@"))
    assert theirs == {name: expected for name, (_, expected) in read.items()}


def test_old_names_of_measures_are_those_that_they_are_today(tmp_path: Path) -> None:
    (alloprof,) = means_in(written(tmp_path / "a", FORMS["no version"][0]), measures=["RR@10", "AP"], allow_drift=True)
    assert alloprof.values == {"AP@1000": 0.625, "RR@10": 0.75, "AP": 0.625}
    (miracl,) = means_in(written(tmp_path / "b", FORMS["MIRACL of 1.18"][0]), measures=["AP@10"], allow_drift=True)
    assert miracl.values == {"nDCG@10": 0.5, "AP@10": 0.25}


def test_the_whole_list_of_a_search_is_no_thousand_documents(tmp_path: Path) -> None:
    """`map` is the measure of a given list; a search has no list of its own length."""
    content = {"test": {**RETRIEVAL, "map": 0.9}, "mteb_dataset_name": "SciFact"}
    (found,) = means_in(written(tmp_path, content), measures=["AP@1000"], allow_drift=True)
    assert found.values["AP@1000"] == 0.25


def test_an_old_result_on_the_data_of_today_is_not_marked(tmp_path: Path) -> None:
    entry = find("beir/scifact")[0]
    content = FORMS["retrieval of 2022"][0] | {"dataset_revision": entry.mteb.revision}
    (found,) = means_in(written(tmp_path, content))
    assert not found.is_drifted and found.collection_name == "beir/scifact"
    assert found.origin.evaluator == "mteb 0.0.2"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"mteb_dataset_name": "SciFact", "test": 0.5}, "split 'test' is not an object of scores"),
        ({"mteb_dataset_name": "SciFact", "test": {"ndcg_at_10": 37.5}}, "ndcg_at_10 is 37.5; expected a fraction"),
        ({"mteb_dataset_name": 3, "test": {}}, "not a result of mteb"),
    ],
)
def test_an_old_result_that_is_broken_is_refused(content: object, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=said):
        means_in(written(tmp_path, content), allow_drift=True)


def contradicting(folder: Path, *entries: dict[str, object], task: str = "AlloprofReranking") -> str:
    """The message that refuses a file with these entries."""
    entry = find(f"mteb/{task}")[0]
    content = {
        "dataset_revision": entry.mteb.revision, "task_name": task, "mteb_version": "2.1.0",
        "scores": {entry.mteb.split: [{**SUBSET, **one} for one in entries]},
    }  # fmt: skip
    file = folder / f"{task}.json"
    file.write_text(json.dumps(content), "utf-8")
    with pytest.raises(DataError) as caught:
        means_in(file, "org/model")
    return str(caught.value).removeprefix(f"{file}: ")


def test_two_entries_of_one_subset_are_refused(tmp_path: Path) -> None:
    message = contradicting(tmp_path, {"map": 0.5, "main_score": 0.5}, {"map": 0.6, "main_score": 0.6})
    assert message == "split 'test' has subset 'default' in the entries 1 and 2; keep one of them"


def test_two_values_of_one_measure_are_refused_with_both(tmp_path: Path) -> None:
    message = contradicting(tmp_path, {"map_at_1000": 0.6, "map": 0.5, "main_score": 0.6})
    assert message == "test/default: map_at_1000 0.6 and map 0.5 are both AP@1000; remove the wrong one"


def test_a_main_score_that_contradicts_its_own_measure_is_refused(tmp_path: Path) -> None:
    message = contradicting(tmp_path, {"ndcg_at_10": 0.75, "main_score": 0.7}, task="SciFact")
    assert message.startswith("test/default: main_score 0.7 and ndcg_at_10 0.75 differ, and nDCG@10 is the task's main")


def test_a_main_score_may_be_rounded(tmp_path: Path) -> None:
    entry = find("mteb/SciFact")[0]
    content = {
        "dataset_revision": entry.mteb.revision, "task_name": "SciFact", "mteb_version": "2.1.0",
        "scores": {"test": [{**SUBSET, "ndcg_at_10": 0.756251, "main_score": 0.75625}]},
    }  # fmt: skip
    file = tmp_path / "SciFact.json"
    file.write_text(json.dumps(content), "utf-8")
    (found,) = means_in(file, "org/model")
    assert found.values == {"nDCG@10": 0.756251}
