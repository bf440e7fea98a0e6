"""A submission says what was measured, whole, or says what is missing: a place would be lost, or be a wrong one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest

from adapters.errors import MissingExtra, UsageError
from harness.data.suites.targets import SuiteCollection, find
from harness.measuring.alarms.alarm import Alarm
from harness.measuring.paired_measures import PMRR
from harness.progress import Silent
from harness.result.evaluation import Evaluation
from harness.result.facts import AuditFacts
from harness.result.store import Results
from harness.running.imported.taken import WantedRun, take_run
from leaderboards import submission
from leaderboards.submission import hard_alarms, submit
from reports.mteb_results import write_mteb_results
from tests.earlier_store import without_sums
from tests.fixtures import Command
from tests.suite_evaluations import as_of, by_first_stage, by_reranker
from tests.tiny_collection import QRELS, QUERIES, Place, results_in

COMMIT = "0123456789" * 4
MODEL = f"BAAI/bge-reranker-v2-m3@{COMMIT}"
FOLDER = f"results/BAAI__bge-reranker-v2-m3/{COMMIT}"
SIX = "mteb-multilingual-v2-reranking"
SCIFACT = find("beir/scifact")[0]
MEASURES = ["nDCG@10", "AP@1000", "RR@10", "P@5", "AP"]
BROKEN: tuple[tuple[str, object], ...] = (
    ("languages", ["eng-Latn"]), ("main_score", 0.1), ("hf_subset", "other"), ("dataset_revision", "f" * 40),
    ("scores", {}), ("name", "no slash"), ("model_type", ["no such type"]),
)  # fmt: skip
FAKE = "tests.fake_adapters:Plain"


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Without mteb: what it was asked to check is counted."""
    asked: list[int] = []
    monkeypatch.setattr(submission, "need", lambda *_: None)
    monkeypatch.setattr(submission, "check_with_mteb", lambda files, _: asked.append(len(files)))
    yield asked


def keep(place: Place, *evaluations: Evaluation) -> list[Evaluation]:
    with Results(place.workspace.results) as results:
        for one in evaluations:
            results.keep(one)
    return list(evaluations)


def given(place: Place, target: str = SIX, spec: str = MODEL) -> list[Evaluation]:
    """Of every collection of a target, each with values of its own, by a reranker over given lists; without alarms."""
    rows = place.load(place.reranking_rows())
    found = place.evaluations(rows, rerankers=[FAKE], measures=MEASURES, first="given")
    reranked = quiet(by_reranker(found[1], spec, "a" * 32))
    place.workspace.results.unlink()
    return keep(place, *(as_of(reranked, entry, lower=step / 100) for step, entry in enumerate(find(target), 1)))


def searched(place: Place, entry: SuiteCollection = SCIFACT, stage: str = "bm25", depth: int = 20) -> Evaluation:
    """By a reranker over candidates of a first stage."""
    if not (place.path / "coll").exists():
        place.beir()
    one = place.evaluations(rerankers=[FAKE], measures=MEASURES, depth=depth)[1]
    place.workspace.results.unlink()
    reranked = by_first_stage(by_reranker(quiet(one), MODEL, stage), stage, depth)
    return as_of(reranked, entry)


def quiet(evaluation: Evaluation, *alarms: Alarm) -> Evaluation:
    return replace(evaluation, audit=replace(evaluation.audit, alarms=alarms))


def test_mteb_reads_from_the_store_what_was_measured(place: Place, tmp_path: Path) -> None:
    """In processes of their own, as a user has it: submit, then `mteb.ResultCache`."""
    pytest.importorskip("mteb")
    evaluations, out = given(place), tmp_path / "submission"
    command = [sys.executable, "-W", "ignore", "-m", "harness", "submit", MODEL, "--out", str(out)]
    done = subprocess.run(
        [*command, "--workspace", str(place.workspace.path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("written: ") == 8 and done.stderr == ""
    tasks = list(dict.fromkeys(entry.mteb.task for entry in find(SIX)))
    code = f"""
import json, mteb
cache = mteb.ResultCache({str(out)!r})
loaded = cache.load_results(tasks={tasks!r}, require_model_meta=True, include_remote=False, validate_and_filter=True)
print("@", json.dumps([[m.model_name, m.model_revision] for m in loaded.model_results]))
print("@", json.dumps({{r.task_name: r.get_score() for m in loaded.model_results for r in m.task_results}}))
"""
    read = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False)
    assert read.returncode == 0, read.stderr[-2000:]
    models, scores = (json.loads(line[2:]) for line in read.stdout.splitlines() if line[:1] == "@")
    assert models == [["BAAI/bge-reranker-v2-m3", COMMIT]]
    expected = {}
    for task in tasks:
        ours = [one for one in evaluations if find(one.collection.name)[0].mteb.task == task]
        row = MEASURES.index("RR@10" if task.startswith("WebLINX") else "AP@1000")
        expected[task] = fmean(float(one.values[row].mean()) for one in ours)
    assert scores == pytest.approx(expected, abs=1e-12) and len(set(expected.values())) == 6


def test_mteb_s_own_classes_refuse_what_is_not_theirs(place: Place) -> None:
    """All in one process: mteb takes seconds to load."""
    pytest.importorskip("mteb")
    given(place, f"{SIX}/t2")
    code = f"""
import json
from pathlib import Path
from adapters.errors import DataError
from harness.result.gathered import gathered
from leaderboards.mteb_check import check_with_mteb
from reports.mteb_parts import part_of
from reports.mteb_results import mteb_files
workspace, out = Path({str(place.workspace.path)!r}), Path("nowhere")
files = mteb_files(out, [part_of([one for one in gathered(workspace) if one.system.reranker])])
check_with_mteb(files, out)
for key, value in {BROKEN!r}:
    name = "model_meta.json" if key in ("name", "model_type") else "T2Reranking.json"
    broken = dict(files)
    file = next(file for file in files if file.name == name)
    content = json.loads(files[file])
    part = content["scores"]["dev"][0] if key in ("languages", "main_score", "hf_subset") else content
    part[key] = value
    broken[file] = json.dumps(content)
    try:
        check_with_mteb(broken, out)
    except DataError as error:
        print("refused:", key, error)
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    lines = done.stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [["refused:", key] for key, _ in BROKEN], done.stdout
    assert all("nowhere/results/" in line for line in lines)


def test_the_store_gives_the_files_that_the_run_gave(place: Place, tmp_path: Path, unchecked: list[int]) -> None:
    evaluations = given(place)
    done = submit(MODEL, tmp_path / "store", place.workspace.path)
    assert unchecked == [8] and len(done.files) == 8
    write_mteb_results(tmp_path / "run", results_in(evaluations))
    for file in done.files:
        ours, theirs = (
            (base / file.relative_to(tmp_path / "store")).read_text("utf-8")
            for base in (tmp_path / "store", tmp_path / "run")
        )
        if file.suffix == ".jsonl":
            assert sorted(ours.splitlines()) == sorted(theirs.splitlines())
        else:
            assert json.loads(ours) == json.loads(theirs), file


def test_p_mrr_has_its_halves_from_the_store_too(place: Place, tmp_path: Path, unchecked: list[int]) -> None:
    queries = {f"{name}{end}": text for name, text in QUERIES.items() for end in ("-og", "-changed")}
    qrels = [(f"{query}{end}", document, grade) for query, document, grade in QRELS for end in ("-og", "-changed")]
    collection = place.load(place.beir("twice", queries=queries, qrels=qrels))
    one = place.evaluations(collection, rerankers=[FAKE], measures=["nDCG@5"], depth=20)[1]
    place.workspace.results.unlink()
    paired = PMRR(tuple(QUERIES), np.array([0.5, -0.25, 0.0, 1.0]), ())
    entry = find("mteb-multilingual-v2-instruction-reranking/core17")[0]
    made = as_of(by_first_stage(by_reranker(quiet(one), MODEL), "bm25", 20), entry)
    (kept,) = keep(place, replace(made, paired=paired, values=np.arange(8.0)[None] / 8))
    done = submit(MODEL, tmp_path / "store", place.workspace.path)
    write_mteb_results(tmp_path / "run", results_in([kept]))
    (ours, theirs) = (
        json.loads((tmp_path / base / FOLDER / done.files[0].name).read_text("utf-8")) for base in ("store", "run")
    )
    assert ours == theirs and unchecked == [3]
    (scores,) = ours["scores"]["test"]
    assert scores["main_score"] == scores["p-MRR"] == 0.3125
    halves = {end: [row for row, name in enumerate(queries) if name.endswith(end)] for end in ("-og", "-changed")}
    assert scores["og"]["ndcg_at_5"] == fmean(row / 8 for row in halves["-og"]) != scores["changed"]["ndcg_at_5"]


def test_without_mteb_nothing_is_written(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given(place, f"{SIX}/t2")
    monkeypatch.setitem(sys.modules, "mteb", None)  # its import fails from here on
    with pytest.raises(MissingExtra, match=r"harness submit needs the package 'mteb': pip install"):
        submit(MODEL, tmp_path / "out", place.workspace.path)
    assert not (tmp_path / "out").exists()


def refused(place: Place, said: str, tmp_path: Path, **options: object) -> None:
    out = tmp_path / "refused"
    with pytest.raises(UsageError, match=said) as caught:
        submit(MODEL, out, place.workspace.path, **options)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value) and not out.exists()


def test_a_task_is_submitted_whole_or_not_at_all(place: Place, tmp_path: Path, unchecked: list[int]) -> None:
    found = given(place, f"{SIX}/weblinx")
    place.workspace.results.unlink()
    keep(place, *found[1:])
    refused(place, f"WebLINX.*: 1 of 6 parts are missing: {found[0].collection.name}; .* run mteb/WebLINX", tmp_path)
    assert unchecked == []


@pytest.mark.usefixtures("unchecked")
def test_samples_and_drifted_data_are_no_results_of_the_task(place: Place, tmp_path: Path) -> None:
    (t2,) = given(place, f"{SIX}/t2")
    place.workspace.results.unlink()

    def other(**changes: object) -> Evaluation:
        collection = replace(t2.collection, fingerprint=f"other {changes}", **changes)  # type: ignore[arg-type]
        return replace(t2, ground=replace(t2.ground, collection=collection), made_of=replace(t2.made_of, content={
            **t2.made_of.content, "collection": collection.fingerprint,
        }))  # fmt: skip

    keep(place, other(sampled_from=5908))
    refused(place, "a sample of 2 queries; mteb takes results on all queries", tmp_path)
    keep(place, other(name=f"{SIX}/t2†"))
    place.workspace.results.unlink()
    keep(place, other(name=f"{SIX}/t2†"))
    refused(place, r"its data differ from the suite's \(†\)", tmp_path)
    keep(place, other(sampled_from=5908), t2)
    done = submit(MODEL, tmp_path / "out", place.workspace.path)
    drifted, sample = done.left_out
    assert drifted == f"{SIX}/t2†"
    assert sample.startswith("5 results on samples or tiers"), "a sample gives way to its whole, as everywhere"
    (scores,) = json.loads(done.files[0].read_text("utf-8"))["scores"]["dev"]
    assert scores["harness"]["evaluation"] == t2.id


@pytest.mark.usefixtures("unchecked")
def test_the_official_measure_has_to_be_there(place: Place, tmp_path: Path) -> None:
    (t2,) = given(place, f"{SIX}/t2")
    place.workspace.results.unlink()
    keep(place, replace(t2, ground=replace(t2.ground, measures=t2.measures[:1]), values=t2.values[:1]))
    refused(place, r"AP@1000, .* was not measured for .*; run with --measure AP@1000", tmp_path)


@pytest.mark.usefixtures("unchecked")
def test_a_number_with_a_hard_alarm_is_not_submitted(place: Place, tmp_path: Path) -> None:
    (t2,) = given(place, f"{SIX}/t2")
    soft = Alarm("unjudged", "many are not judged")
    keep(place, quiet(t2, soft))
    submit(MODEL, tmp_path / "out", place.workspace.path)
    keep(place, quiet(t2, soft, Alarm("constant-scores", "every candidate got the same score")))
    refused(place, r"every candidate got the same score \[constant-scores\]: not submitted with this alarm", tmp_path)


def test_an_alarm_without_a_name_is_a_hard_one(place: Place) -> None:
    given(place, f"{SIX}/t2")
    with Results(place.workspace.results) as results:
        (stored,) = results.all()
    assert hard_alarms(stored) == []
    assert hard_alarms(replace(stored, audit=AuditFacts.of({"alarms": ["ties"]}, "audit"))) == ["ties"]


@pytest.mark.usefixtures("unchecked")
def test_what_others_computed_is_theirs_to_submit(place: Place, tmp_path: Path) -> None:
    rows = place.load(place.reranking_rows())
    found = place.evaluations(rows, rerankers=[FAKE], measures=MEASURES, first="given")[1]
    documents = rows.corpus.ids(found.run.documents)
    queries = [rows.queries.ids()[row] for row in found.run.queries]
    scored = zip(queries, documents, found.run.scores, strict=True)
    file = place.run_file([f"{query}\t{document}\t{score!s}" for query, document, score in scored])
    theirs = take_run(WantedRun(file, "BAAI/theirs", measures=tuple(MEASURES)), [rows], place.workspace, Silent())[1]
    place.workspace.results.unlink()
    content = {**as_of(quiet(theirs), find(f"{SIX}/t2")[0]).made_of.content}
    keep(place, replace(as_of(quiet(theirs), find(f"{SIX}/t2")[0]), made_of=replace(theirs.made_of, content=content)))
    with pytest.raises(UsageError, match=r"was imported; only those who computed it can submit it"):
        submit("BAAI/theirs (imported)", tmp_path / "out", place.workspace.path)


@pytest.mark.usefixtures("unchecked")
def test_one_first_stage_and_depth_is_chosen_never_mixed(place: Place, tmp_path: Path) -> None:
    one, other = searched(place, stage="bm25"), searched(place, find("beir/nfcorpus")[0], "BAAI/bge-m3", 50)
    keep(place, one, other)
    refused(place, r"measured on BAAI/bge-m3 top 50, bm25 top 20: .* --first-stage and --depth", tmp_path)
    done = submit(MODEL, tmp_path / "one", place.workspace.path, depth=50)
    assert [file.name for file in done.files] == ["NFCorpus.json", "model_meta.json", "run_settings.jsonl"]
    done = submit(MODEL, tmp_path / "two", place.workspace.path, first_stage="bm25")
    assert done.files[0] == tmp_path / "two" / FOLDER / "SciFact.json"
    refused(place, r"no results of .* with this --first-stage", tmp_path, first_stage="nothing")


@pytest.mark.usefixtures("unchecked")
def test_given_lists_belong_to_the_system_of_any_first_stage(place: Place, tmp_path: Path) -> None:
    one = searched(place)
    given(place, f"{SIX}/t2")
    keep(place, one)
    done = submit(MODEL, tmp_path / "out", place.workspace.path, depth=20)
    assert {file.name for file in done.files} >= {"T2Reranking.json", "SciFact.json"}


@pytest.mark.usefixtures("unchecked")
def test_of_two_checkpoints_of_a_name_the_newest_is_submitted(place: Place, tmp_path: Path) -> None:
    (old,) = given(place, f"{SIX}/t2", "cross-encoder:./checkpoint")
    new = as_of(by_reranker(old, "cross-encoder:./checkpoint", "b" * 32), find(f"{SIX}/t2")[0], lower=0.5)
    measures, values = new.measures[:2], new.values[:2]
    new = replace(new, ground=replace(new.ground, collection=old.collection, measures=measures), values=values)
    with Results(place.workspace.results) as results:
        without_sums(results._database)
        results._database.execute("update evaluation set updated = '2020-01-01T00:00:00+00:00'")
    keep(place, new)
    done = submit("cross-encoder:./checkpoint", tmp_path / "out", place.workspace.path)
    assert done.files[0].parent.name == "weights-bbbbbbbbbbbb"
    (scores,) = json.loads(done.files[0].read_text("utf-8"))["scores"]["dev"]
    assert scores["main_score"] == values[1].mean() and "mrr_at_10" not in scores


@pytest.mark.usefixtures("unchecked")
def test_own_collections_are_left_out_aloud(place: Place, tmp_path: Path, command: Command) -> None:
    (t2,) = given(place, f"{SIX}/t2")
    own = replace(t2.collection, name="my-rows", fingerprint="own")
    mine = replace(t2, ground=replace(t2.ground, collection=own), made_of=replace(t2.made_of, content={"own": 1}))
    content = {**t2.made_of.content, "collection": "own"}
    keep(place, replace(mine, made_of=replace(t2.made_of, content=content)))
    out = tmp_path / "out"
    said = command("submit", MODEL, "--out", out, "--workspace", place.workspace.path)
    assert said.code == 0, said.err
    assert said.err == "left out: my-rows\n" and said.out.count("written: ") == 3
    named = command("submit", MODEL, "--out", out, "--collection", "my-rows", "--workspace", place.workspace.path)
    assert named.code == 2 and "mteb has results of the suites' collections only" in named.err


@pytest.mark.parametrize("name", ["given", "control:random"])
@pytest.mark.usefixtures("unchecked")
def test_given_lists_and_controls_are_no_models(name: str, place: Place, tmp_path: Path) -> None:
    rows = place.load(place.reranking_rows())
    found = place.evaluations(rows, rerankers=["control:random"], measures=MEASURES, first="given")
    place.workspace.results.unlink()
    keep(place, *(as_of(one, find(f"{SIX}/t2")[0]) for one in found))
    with pytest.raises(UsageError, match="is not a model"):
        submit(name, tmp_path / "out", place.workspace.path)
