"""A published value that is known to be wrong keeps its note when it is imported, wherever it is shown."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from adapters.errors import DataError
from harness.api import results
from harness.data.suites.targets import find
from harness.judging.gate import anchor as anchors
from harness.judging.gate.integrity import findings
from harness.measuring.alarms.alarm import is_hard
from harness.result.evaluation import Evaluation
from harness.result.gathered import gathered
from harness.result.known_wrong import known_wrong, known_wrong_alarms, read_known_wrong, wrong_value
from harness.result.store import Results
from harness.running.imported.taken import take_means
from harness.scoring.system import MadeOf
from leaderboards.published import published
from tests.fixtures import Command
from tests.suite_evaluations import as_of, by_reranker
from tests.tiny_collection import Place, results_in

TASK = "WebLINXCandidatesReranking"
QUERIT, JINA = "Querit/Querit-4B", "jinaai/jina-reranker-v3"
VALUES = {QUERIT: {"validation": 0.306404, "test_iid": 0.311038}, JINA: {"validation": 0.100846, "test_iid": 0.088542}}
NOTE = "known to be wrong: two of the six splits, scored with documents cut away at 1,024 tokens"


def results_of(folder: Path, model: str, values: dict[str, float] | None = None) -> Path:
    """What mteb's repository has of a model on WebLINX."""
    scores = {
        split: [{"hf_subset": "default", "mrr_at_10": value, "ndcg_at_10": value + 0.01}]
        for split, value in (values or VALUES[model]).items()
    }
    revision = find(f"mteb/{TASK}")[0].mteb.revision
    file = folder / model.replace("/", "__") / "86b4aeea" / f"{TASK}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    content = {"dataset_revision": revision, "task_name": TASK, "mteb_version": "2.14.8", "scores": scores}
    file.write_text(json.dumps(content), "utf-8")
    (file.parent / "model_meta.json").write_text(json.dumps({"name": model, "model_type": ["cross-encoder"]}), "utf-8")
    return file


@pytest.fixture
def both(place: Place) -> Place:
    """A workspace with the wrong results and right ones of another model."""
    take_means([results_of(place.path, QUERIT), results_of(place.path, JINA)], place.workspace.path)
    return place


def test_the_splits_that_were_added_later_are_as_wrong(place: Place) -> None:
    """embeddings-benchmark/results#693 added four splits of the same run, and another value of the fifth."""
    later = {"validation": 0.306404, "test_iid": 0.315038, "test_cat": 0.304096, "test_geo": 0.309031}
    later |= {"test_vis": 0.308743, "test_web": 0.309493}
    take_means([results_of(place.path, QUERIT, later)], place.workspace.path)
    frame = results(workspace=place.workspace.path, measures=["RR@10"])
    assert len(frame) == len(later)
    assert frame["known_wrong"].str.contains("cut away at 1,024 tokens").all()


def test_the_table_is_the_one_that_published_numbers_have_their_notes_from() -> None:
    noted = {(one.model, one.task, one.split, one.measure, one.value) for one in published() if "wrong" in one.note}
    assert noted <= {(one.model, one.task, one.split, one.measure, one.value) for one in known_wrong()}
    assert all(one.reason and one.source for one in known_wrong())


@pytest.mark.parametrize(
    ("value", "same"),
    [(0.306404, True), (0.3064, True), (0.30640, True), (0.306449, True), (0.3065, False), (0.1, False)],
)
def test_a_value_is_the_same_as_far_as_it_was_rounded(value: float, same: bool) -> None:
    assert (wrong_value([QUERIT], TASK, "validation", "RR@10", value) is not None) == same


@pytest.mark.parametrize(
    "other",
    [
        {"models": ["Querit/Querit"]},
        {"task": "AlloprofReranking"},
        {"split": "test_iid"},
        {"measure": "nDCG@10"},
        {"subset": "de"},
    ],
)
def test_another_model_task_split_measure_or_subset_is_another_value(other: dict[str, Any]) -> None:
    asked: dict[str, Any] = {"models": [QUERIT], "task": TASK, "split": "validation", "measure": "RR@10"}
    assert wrong_value(**asked, value=0.306404) is not None
    assert wrong_value(**(asked | other), value=0.306404) is None


def test_names_of_models_are_the_same_in_any_case() -> None:
    assert wrong_value(["querit/querit-4b"], TASK, "validation", "RR@10", 0.306404) is not None


@pytest.mark.parametrize("damage", [("0.5", "50"), ("0.5", "much"), (",why", ",")])
def test_a_damaged_row_is_named(damage: tuple[str, str]) -> None:
    text = "model,task,subset,split,measure,value,reason,source\na/b,T,default,test,RR@10,0.5,why,here\n"
    assert read_known_wrong(text, "x.csv")[0].note == "known to be wrong: why"
    with pytest.raises(DataError, match=r"x\.csv:2: "):
        read_known_wrong(text.replace(*damage), "x.csv")


def test_an_imported_value_has_the_note_in_all_of_its_measures(place: Place) -> None:
    file = results_of(place.path, QUERIT)
    take_means([file], place.workspace.path, measures=["nDCG@10"])
    found = gathered(place.workspace.path)
    assert {one.measure for one in found} == {"RR@10", "nDCG@10"}
    assert all(one.wrong and one.wrong.startswith(NOTE) for one in found)


def test_another_name_does_not_hide_it(place: Place) -> None:
    take_means([results_of(place.path, QUERIT)], place.workspace.path, name="our best")
    found = gathered(place.workspace.path)
    assert {one.system.label for one in found} == {"our best@86b4aeea (imported)"}
    assert all(one.wrong for one in found)


def test_the_corrected_result_has_no_note(place: Place) -> None:
    take_means([results_of(place.path, QUERIT, {"validation": 0.118, "test_iid": 0.112})], place.workspace.path)
    assert not any(one.wrong for one in gathered(place.workspace.path))


def test_what_was_measured_here_is_never_taken_for_it() -> None:
    name = "mteb-multilingual-v2-reranking/weblinx-validation"
    means = {"RR@10": 0.306404}
    assert list(known_wrong_alarms({"reranker": {}}, QUERIT, name, "validation", means)) == []
    imported = {"imported": {"stated": {}}}
    (alarm,) = known_wrong_alarms(imported, f"{QUERIT}@86b4aeea8f69 (imported)", name, "validation", means)
    assert (alarm.name, alarm.measure) == ("known-wrong", None)
    assert list(known_wrong_alarms(imported, f"{QUERIT} (imported)", "mine", "validation", means)) == []
    assert is_hard("known-wrong")


@pytest.mark.parametrize("form", ["markdown", "csv", "latex", "html"])
def test_tables_mark_it_and_print_the_best_of_the_others_in_bold(both: Place, command: Command, form: str) -> None:
    out = both.path / "report"
    said = command("report", "--out", out, "--format", form, "--workspace", both.workspace.path)
    assert said.code == 0
    bold = {"markdown": "**{}**", "csv": None, "latex": r"\textbf{{{}}}", "html": "<strong>{}</strong>"}[form]
    for wrong, right in (("30.64", "10.08"), ("31.10", "8.85"), ("30.87", "9.47")):
        assert wrong in said.out
        if bold:
            assert bold.format(wrong) not in said.out
            assert bold.format(right) in said.out
    story = (out / "report.md").read_text("utf-8")
    assert story.count(NOTE) >= 4, "two tables and two alarms"
    assert f"{QUERIT} (imported): {NOTE}" in story.replace("@86b4aeea", "")


def test_lists_json_and_exports_carry_it(both: Place, command: Command) -> None:
    where = ("--workspace", both.workspace.path)
    listed = command("list", "results", *where).out
    assert listed.count(NOTE) == 2
    found = [one for one in gathered(both.workspace.path) if one.wrong]
    assert NOTE in command("show", found[0].id, *where).out
    assert "[known-wrong]" in command("show", found[0].id, *where).out
    figures = json.loads(command("report", "--json", *where).out)["tables"][0]["rows"]
    assert {row["known_wrong"] is not None for row in figures if row["system"].startswith("Querit")} == {True}
    assert {row["known_wrong"] for row in figures if row["system"].startswith("jina")} == {None}
    file = both.path / "results.csv"
    assert command("export", "--csv", file, *where).code == 0
    assert file.read_text("utf-8").count(NOTE) == 2


def test_a_board_ranks_the_others_and_strikes_it_through(both: Place, command: Command) -> None:
    pytest.importorskip("jinja2", reason="jinja2 is not installed")
    site = both.path / "site"
    assert command("board", "--out", site, "--workspace", both.workspace.path).code == 0
    index = (site / "index.html").read_text("utf-8")
    assert 'class="best">30.64' not in index
    assert 'class="best">10.08' in index
    assert f'<td title="{NOTE}' in index
    assert f"{NOTE}" in index.partition("How to read this")[2]
    pages = [page.read_text("utf-8") for page in sorted(site.rglob("*.html"))]
    own = [page for page in pages if '<h1 class="name">' in page and "30.64" in page]
    assert len(own) >= 2, "of the system and of the collection"
    assert all(NOTE in page for page in own)
    assert not any("Best: Querit" in page for page in pages)


def test_a_board_of_nothing_else_has_no_best(place: Place, command: Command) -> None:
    pytest.importorskip("jinja2", reason="jinja2 is not installed")
    take_means([results_of(place.path, QUERIT)], place.workspace.path)
    site = place.path / "site"
    assert command("board", "--out", site, "--workspace", place.workspace.path).code == 0
    pages = [page.read_text("utf-8") for page in site.rglob("*.html")]
    assert not any('class="best"' in page for page in pages)
    assert any("Nothing that was measured here has a rank." in page for page in pages)


def imported(evaluation: Evaluation, value: float) -> Evaluation:
    """As if somebody's run on WebLINX had come to this value."""
    (entry,) = find("mteb-multilingual-v2-reranking/weblinx-validation")
    named = by_reranker(as_of(evaluation, entry), f"{QUERIT} (imported)")
    said = {"imported": {"kind": "run", "stated": {"model_name": QUERIT}}}
    values = evaluation.values * 0 + value
    return replace(named, made_of=MadeOf({**named.made_of.content, **said}), values=values)


@pytest.fixture
def runs(place: Place) -> tuple[Evaluation, Evaluation]:
    """A run of somebody else with the wrong value, and a sound one of ours, with values per query."""
    (entry,) = find("mteb-multilingual-v2-reranking/weblinx-validation")
    _, sound = place.evaluations(rerankers=["tests.fake_adapters:Plain"], measures=["RR@10"])
    found = imported(sound, 0.306404), replace(as_of(sound, entry), values=sound.values * 0.2)
    with Results(place.workspace.results) as results:
        for one in found:
            results.keep(one)
    return found


def test_a_run_that_comes_to_the_wrong_value_is_no_better_than_a_mean(
    place: Place, runs: tuple[Evaluation, Evaluation], command: Command
) -> None:
    from reports.tables.run import comparison_tables

    (table, *_) = comparison_tables(results_in(runs))
    assert [cells[1].strong for cells in table.rows] == [False, True]
    assert any(NOTE in note for note in table.notes)
    assert {alarm.name for alarm in runs[0].alarms} >= {"known-wrong"}
    ours = "tests.fake_adapters:Plain"
    said = command("compare", ours, f"{QUERIT} (imported)", "--workspace", place.workspace.path, "--collection",
                   "mteb-multilingual-v2-reranking", "--unpaired-first-stages", "--measure", "RR@10")  # fmt: skip
    assert said.code == 0, said.err
    assert NOTE in said.out


def test_it_is_no_anchor_of_a_gate_without_its_note(place: Place, runs: tuple[Evaluation, Evaluation]) -> None:
    stage: Any = SimpleNamespace(reference=place.workspace)
    warned = anchors._warned(stage, anchors.Anchor(f"{QUERIT} (imported)", {}))
    assert [line.startswith("the anchor on mteb-multilingual-v2-reranking/weblinx-validation: " + NOTE)
            for line in warned.caution] == [True]  # fmt: skip
    assert anchors._warned(stage, anchors.Anchor("tests.fake_adapters:Plain", {})).caution == ()
    with Results(place.workspace.results) as results:
        theirs, ours = (results.find(one.id) for one in runs)
    key = theirs.collection.fingerprint
    found = findings({key: "weblinx"}, {key: theirs}, {key: ours}, {key: "RR@10"})
    assert any(NOTE in line and "the anchor" in line for line in found.cautions), found
    turned = findings({key: "weblinx"}, {key: ours}, {key: theirs}, {key: "RR@10"})
    assert any("[known-wrong]" in line for line in turned.hard)
