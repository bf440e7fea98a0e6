"""What mteb reads back is what was measured: a user would lose a submission, or make one that says something else."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from adapters.errors import DataError, UsageError
from harness.data.suites.targets import find, suites
from harness.result.evaluation import Evaluation
from reports.model_name import ModelName, model_name
from reports.mteb_results import refuse_for_mteb, write_mteb_results
from reports.mteb_scores import mteb_languages, mteb_version
from tests.suite_evaluations import as_of, by_first_stage, by_reranker
from tests.tiny_collection import Place, results_in

COMMIT = "0123456789" * 4
MODEL = f"BAAI/bge-reranker-v2-m3@{COMMIT}"
SIX = "mteb-multilingual-v2-reranking"
MEASURES = ["nDCG@10", "AP@1000", "RR@10", "P@5", "R@100", "Success@5", "AP"]
Make = Callable[..., list[Evaluation]]


@pytest.fixture
def make(place: Place) -> Make:
    """Evaluations of every collection of a target, each with values of its own, by a reranker over given lists."""
    rows = place.load(place.reranking_rows())
    found = place.evaluations(rows, rerankers=["tests.fake_adapters:Plain"], measures=MEASURES, first="given")

    def made(target: str, spec: str = MODEL, weights: str | None = None) -> list[Evaluation]:
        reranked = by_reranker(found[1], spec, weights)
        return [as_of(reranked, entry, lower=step / 100) for step, entry in enumerate(find(target), 1)]

    return made


def searched(place: Place, depth: int = 5) -> Evaluation:
    """By a reranker over candidates of a first stage."""
    return place.evaluations(rerankers=["tests.fake_adapters:Plain"], measures=MEASURES, depth=depth)[1]


def task_file(out: Path, task: str, folder: str = f"BAAI__bge-reranker-v2-m3/{COMMIT}") -> Path:
    return out / "results" / folder / f"{task}.json"


def test_mteb_reads_what_was_measured(make: Make, tmp_path: Path) -> None:
    """In a process of its own: mteb warns of much that is not ours."""
    pytest.importorskip("mteb")
    evaluations = make(SIX)
    write_mteb_results(tmp_path, results_in(evaluations))
    tasks = list(dict.fromkeys(entry.mteb.task for entry in find(SIX)))
    code = f"""
import json, mteb
from pathlib import Path
cache = mteb.ResultCache({str(tmp_path)!r})
meta = cache._load_model_meta_from_cache("BAAI/bge-reranker-v2-m3", {COMMIT!r})
print("@", json.dumps([meta.name, meta.revision, meta.is_cross_encoder]))
loaded = cache.load_results(models=["BAAI/bge-reranker-v2-m3"], tasks={tasks!r}, require_model_meta=True)
print("@", json.dumps(sorted((r.task_name, r.get_score()) for m in loaded.model_results for r in m.task_results)))
for task in {tasks!r}:
    result = cache.load_task_result(task, meta)
    metadata = mteb.get_task(task).metadata
    parts = [(split, part) for split, group in result.scores.items() for part in group]
    assert result.get_missing_evaluations(mteb.get_task(task)) == {{}}, task
    assert result.is_mergeable(mteb.get_task(task)), task
    assert all(part["main_score"] == part[metadata.main_score] for _, part in parts), task
    result.validate_and_filter_scores(mteb.get_task(task)).to_disk(Path({str(tmp_path)!r}) / "again.json")
    print("@", json.dumps([task, result.get_score(), result.main_score, metadata.main_score]))
languages = dict()
for name in {sorted({one.mteb.task for suite in suites().values() for one in suite.collections})!r}:
    languages[name] = mteb.get_task(name).metadata.hf_subsets_to_langscripts
print("@", json.dumps(languages))
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    meta, loaded, *each, languages = (json.loads(line[2:]) for line in done.stdout.splitlines() if line[:1] == "@")
    assert meta == ["BAAI/bge-reranker-v2-m3", COMMIT, True]
    official = {"WebLINXCandidatesReranking": "mrr_at_10"}
    expected = {}
    for task in tasks:
        ours = [one for one in evaluations if find(one.collection.name)[0].mteb.task == task]
        row = MEASURES.index("RR@10" if task in official else "AP@1000")
        expected[task] = fmean(float(one.values[row].mean()) for one in ours)
    assert len(set(expected.values())) == 6
    assert dict(loaded) == pytest.approx(expected)
    for task, score, main_score, name in each:
        assert score == main_score == pytest.approx(expected[task], abs=1e-12)
        assert name == official.get(task, "map_at_1000")
    for entry in (one for suite in suites().values() for one in suite.collections):
        assert mteb_languages(entry) == languages[entry.mteb.task][entry.mteb.subset], entry.target


def test_measures_have_the_keys_of_mteb_and_what_they_rest_on(make: Make, tmp_path: Path) -> None:
    (evaluation,) = make(f"{SIX}/t2")
    (file, meta, settings) = write_mteb_results(tmp_path, results_in([evaluation]))
    assert file == task_file(tmp_path, "T2Reranking")
    assert (meta.name, settings.name) == ("model_meta.json", "run_settings.jsonl")
    result = json.loads(file.read_text("utf-8"))
    entry = find(f"{SIX}/t2")[0]
    assert result["dataset_revision"] == entry.mteb.revision and result["mteb_version"] == mteb_version()
    (scores,) = result["scores"]["dev"]
    keys = ["ndcg_at_10", "map_at_1000", "mrr_at_10", "precision_at_5", "recall_at_100", "hit_rate_at_5"]
    for key, values in zip(keys, evaluation.values, strict=False):
        assert scores[key] == float(values.mean())
    assert scores["hf_subset"] == "default" and scores["languages"] == ["cmn-Hans"]
    assert not [key for key in scores if key.startswith("map") and key != "map_at_1000"]
    rests_on = scores["harness"]
    assert (rests_on["first_stage"], rests_on["depth"], rests_on["system"]) == ("given", None, MODEL)
    assert set(rests_on["first_stage_scores"]) == set(keys) and rests_on["evaluation"] == evaluation.id


def test_a_task_is_written_whole_or_not_at_all(make: Make, tmp_path: Path) -> None:
    evaluations = make(f"{SIX}/weblinx") + make(f"{SIX}/alloprof")
    missing = r"2 of 6 parts are missing: .*/weblinx-validation, .*/weblinx-test-cat; .* mteb/WebLINX"
    with pytest.raises(UsageError, match=missing):
        write_mteb_results(tmp_path, results_in([evaluations[1], *evaluations[3:]]))
    with pytest.raises(UsageError, match=r"^WikipediaReranking.*: 1 of 16 .*/wikipedia-sr;"):
        write_mteb_results(
            tmp_path, results_in([e for e in make(f"{SIX}/wikipedia") if not e.collection.name.endswith("-sr")])
        )
    assert not (tmp_path / "results").exists()


def test_another_main_measure_is_never_passed_off_as_the_official_one(make: Make, place: Place, tmp_path: Path) -> None:
    (alloprof,) = make(f"{SIX}/alloprof")
    only = replace(
        alloprof, ground=replace(alloprof.ground, measures=alloprof.measures[:1]), values=alloprof.values[:1]
    )
    with pytest.raises(UsageError, match=r"AP@1000, .* was not measured .*; run with --measure AP@1000"):
        write_mteb_results(tmp_path, results_in([only]))
    with pytest.raises(UsageError, match=r"p-MRR, the official measure of Core17.* was not measured for [^;]*$"):
        write_mteb_results(tmp_path, results_in(make("mteb-multilingual-v2-instruction-reranking/core17")))
    shallow = as_of(by_reranker(searched(place), MODEL), find("beir/scifact")[0])
    with pytest.raises(UsageError, match=r"nDCG@10, .* needs more than the 5 candidates per query"):
        write_mteb_results(tmp_path, results_in([shallow]))


def test_ranks_that_no_candidate_fills_have_no_key(place: Place, tmp_path: Path) -> None:
    evaluation = as_of(by_reranker(searched(place, depth=50), MODEL), find("beir/scifact")[0])
    file = write_mteb_results(tmp_path, results_in([evaluation]))[0]
    (scores,) = json.loads(file.read_text("utf-8"))["scores"]["test"]
    assert scores["ndcg_at_10"] == scores["main_score"] and "mrr_at_10" in scores
    assert "map_at_1000" not in scores and "recall_at_100" not in scores
    assert (scores["harness"]["first_stage"], scores["harness"]["depth"]) == ("tests.fake_adapters:Overlap", 50)


def test_what_is_not_the_task_is_refused(make: Make, place: Place, tmp_path: Path) -> None:
    (t2,) = make(f"{SIX}/t2")

    def refused(words: str, **changes: object) -> None:
        collection = replace(t2.collection, **changes)  # type: ignore[arg-type]
        with pytest.raises(UsageError, match=words):
            write_mteb_results(tmp_path, results_in([replace(t2, ground=replace(t2.ground, collection=collection))]))

    refused("a sample of 2 queries; mteb takes results on all queries", sampled_from=5908)
    refused(r"its data differ from the suite's \(†\)", name=f"{SIX}/t2†")
    refused(r"its data differ from the suite's \(†\)", rules=replace(t2.collection.rules, note="† other counts"))
    refused("the split is 'test', but mteb's task has 'dev'", split="test")
    refused("the suites' collections only", name="rows.jsonl")
    refused("the suites' collections only", name="beir")
    refused("the suites' collections only", name="beir/cqadupstack")
    refused("the suites' collections only", name="mteb/T2Reranking")
    with pytest.raises(UsageError, match="the suites' collections only"):
        write_mteb_results(tmp_path, results_in([searched(place)]))


def test_given_lists_and_controls_are_no_models(place: Place, tmp_path: Path) -> None:
    rows = place.load(place.reranking_rows())
    evaluations = place.evaluations(rows, rerankers=["control:random"], measures=MEASURES, first="given")
    with pytest.raises(UsageError, match="nothing to write for mteb"):
        write_mteb_results(tmp_path, results_in([as_of(one, find(f"{SIX}/t2")[0]) for one in evaluations]))


def test_two_systems_never_share_a_folder(make: Make, place: Place, tmp_path: Path) -> None:
    deep = as_of(by_reranker(searched(place, depth=50), MODEL), find("beir/scifact")[0])
    other = as_of(by_first_stage(deep, "BAAI/bge-m3"), find("beir/nfcorpus")[0])
    write_mteb_results(tmp_path, results_in([deep, *make(f"{SIX}/t2")]))  # given lists beside a first stage: one system
    with pytest.raises(UsageError, match="would hold results of several systems"):
        write_mteb_results(tmp_path, results_in([other]))
    with pytest.raises(UsageError, match="would hold results of several systems"):
        write_mteb_results(tmp_path / "new", results_in([deep, other]))
    with pytest.raises(UsageError, match="would hold results of several systems"):
        write_mteb_results(tmp_path, results_in(make(f"{SIX}/rubq", spec=f"{MODEL}?max_length=512")))
    with pytest.raises(UsageError, match="has two results on"):
        write_mteb_results(tmp_path / "new", results_in([deep, replace(deep, made_of=other.made_of)]))
    assert not task_file(tmp_path, "NFCorpus").exists() and not (tmp_path / "new").exists()


def test_settings_of_other_tasks_stay(make: Make, tmp_path: Path) -> None:
    write_mteb_results(tmp_path, results_in(make(f"{SIX}/t2")))
    settings = write_mteb_results(tmp_path, results_in(make(f"{SIX}/weblinx")))[-1]
    lines = [json.loads(line) for line in settings.read_text("utf-8").splitlines()]
    assert [line["task"] for line in lines] == ["T2Reranking"] + 6 * ["WebLINXCandidatesReranking"]
    assert sorted(line["splits"][0] for line in lines[1:]) == sorted(e.mteb.split for e in find(f"{SIX}/weblinx"))
    write_mteb_results(tmp_path, results_in(make(f"{SIX}/weblinx")))
    assert len(settings.read_text("utf-8").splitlines()) == 7
    settings.write_text('{"task": "SciFact", "splits": ["test"], "subsets": ["default"]}\n', "utf-8")
    with pytest.raises(UsageError, match="mteb's own"):
        write_mteb_results(tmp_path, results_in(make(f"{SIX}/t2")))
    settings.write_text("[}\n", "utf-8")
    with pytest.raises(DataError, match="not a JSON object"):
        write_mteb_results(tmp_path, results_in(make(f"{SIX}/t2")))


def test_a_checkpoint_is_identified_by_its_weights(make: Make, tmp_path: Path) -> None:
    folder = tmp_path / "checkpoint-1000"
    folder.mkdir()
    written = [
        write_mteb_results(tmp_path, results_in(make(f"{SIX}/t2", spec=f"cross-encoder:{folder}", weights=weights)))[0]
        for weights in ("a" * 32, "b" * 32, None)
    ]
    local = "local__checkpoint-1000"
    assert written == [
        task_file(tmp_path, "T2Reranking", f"{local}/{revision}")
        for revision in ("weights-aaaaaaaaaaaa", "weights-bbbbbbbbbbbb", "no_revision_available")
    ]
    assert json.loads((written[0].parent / "model_meta.json").read_text("utf-8"))["name"] == "local/checkpoint-1000"


@pytest.mark.parametrize(
    ("spec", "name", "commit"),
    [
        (MODEL, "BAAI/bge-reranker-v2-m3", COMMIT),
        ("cross-encoder:BAAI/bge-reranker-v2-m3@main?max_length=512", "BAAI/bge-reranker-v2-m3", None),
        ("bm25", "local/bm25", None),
        ("packaged:multilingual-e5-small", "local/multilingual-e5-small", None),
        ("tests.fake_adapters:Plain", "local/Plain", None),
        ("run:/scores/my model.trec", "local/my-model", None),
        ("onnx:./here/", "local/here", None),
    ],
)
def test_models_are_named_as_the_hub_names_them(spec: str, name: str, commit: str | None) -> None:
    assert model_name(spec) == ModelName(name, commit)


@pytest.mark.parametrize("spec", ["given", "control:random?seed=1"])
def test_what_is_no_model_has_no_name(spec: str) -> None:
    assert model_name(spec) is None


@pytest.mark.parametrize(
    ("targets", "options", "said"),
    [
        (["mteb/WebLINXCandidatesReranking/test_cat"], {}, "5 of 6 parts are missing: .* run mteb/WebLINXCand"),
        (["miracl/sw"], {}, "17 of 18 parts are missing: miracl/ar"),
        (["miracl"], {"languages": ["sw"]}, "17 of 18 parts are missing"),
        (["beir"], {"sampled": True}, "mteb takes results on all queries; leave out"),
        (["./mine"], {}, "mine: mteb has results of the suites' collections only"),
    ],
)
def test_what_mteb_would_not_take_is_refused_before_it_is_paid_for(
    targets: list[str], options: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        refuse_for_mteb(targets, **{"languages": (), "split": None, "sampled": False, **options})


def test_whole_tasks_are_let_through() -> None:
    refuse_for_mteb(["mteb-multilingual-v2-reranking", "beir/scifact"], (), None, sampled=False)
