"""Instruction tasks end to end: a user gets mteb's p-MRR of a reranker, and never one of halves that do not meet."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters.errors import DataError, UsageError
from harness import api
from harness.data.collection import Collection, sample_queries
from harness.data.sources import SourceChoice, load, mteb_data, suite_source
from harness.data.suites.targets import find
from harness.result.evaluation import Evaluation
from harness.scoring.costs.plan import plan, within_budget
from reports.mteb_results import write_mteb_results
from reports.tables.listing import details
from reports.tables.run import comparison_tables
from reports.tables.run_values import as_dict
from tests import mirror_of_hub as hub
from tests.fake_adapters import score_of
from tests.peers.mteb_side import quiet
from tests.tiny_collection import Place, results_in

pytest.importorskip("mteb", reason="mteb is not installed")

TARGET = "mteb-multilingual-v2-instruction-reranking/core17"
QUESTIONS = ("1", "2", "3", "4")
QUERIES = [f"{name}{end}" for name in QUESTIONS for end in ("-og", "-changed")]
DOCUMENTS = [f"d{number}" for number in range(12)]
CHANGED = {"1": ["d0", "d5"], "2": ["d7"], "3": ["d1", "d1", "d9"], "4": ["d3"]}
MADE_BY = "tests.fake_adapters:Plain"
Make = Callable[..., tuple[Evaluation, ...]]


def lists_of(query: str) -> list[str]:
    return DOCUMENTS[int(query[0]) % 3 :]


def pieces(changed: dict[str, list[str]], queries: Sequence[str] = QUERIES) -> dict[tuple[str, str], hub.Rows]:
    """A small dataset with the layout of Core17: every question twice, the second time with another instruction."""
    return {
        ("corpus", "test"): [{"_id": name, "title": "", "text": f"text of {name}"} for name in DOCUMENTS],
        ("queries", "test"): [{"_id": name, "text": f"question {name[0]}"} for name in queries],
        ("instruction", "test"): [{"query-id": name, "instruction": f"As {name}."} for name in queries],
        ("default", "test"): [{"query-id": name, "corpus-id": f"d{name[0]}", "score": 1} for name in queries],
        ("top_ranked", "test"): [{"query-id": name, "corpus-ids": lists_of(name)} for name in queries],
        ("qrel_diff", "qrel_diff"): [{"query-id": name, "corpus-ids": ids} for name, ids in changed.items()],
    }


@pytest.fixture
def mirror(place: Place, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Writes the dataset, with sizes in the table that are its own."""

    def written(changed: dict[str, list[str]] = CHANGED, queries: Sequence[str] = QUERIES) -> Path:
        made, entry = pieces(changed, queries), hub.entry_of(TARGET)
        counts = replace(entry.counts, queries=len(queries), documents=len(DOCUMENTS), relevant=len(queries))
        listed = sum(len(lists_of(name)) for name in queries)
        own = replace(entry, counts=counts, candidates=listed)
        monkeypatch.setattr(suite_source, "find", lambda _: [own])
        hub.dataset(place.path / "mirror", entry).write(made)
        return place.path / "mirror"

    return written


@pytest.fixture
def run(place: Place, mirror: Callable[..., Path]) -> Make:
    """`harness run` of a plug-in over the given lists."""

    def made(*dataset: Any, **options: Any) -> tuple[Evaluation, ...]:
        place_of = {"source": "mteb", "mirror": mirror(*dataset), "workspace": place.workspace.path}
        spec = {"first_stage": "given", "rerankers": [MADE_BY], **place_of}
        return api.run(TARGET, **{**spec, **options}).evaluations

    return made


def alarms_of(evaluation: Evaluation) -> list[str]:
    return [str(alarm) for alarm in evaluation.alarms if alarm.name == "unpaired-questions"]


class _PlainOfMteb:
    """The plug-in as mteb calls a cross-encoder: pairs of texts in, scores out."""

    def __init__(self, mteb: Any) -> None:
        self.mteb_model_meta = mteb.models.ModelMeta.create_empty(overwrites={"name": "tests/plain", "revision": "1"})

    def predict(self, inputs1: Any, inputs2: Any, **_: object) -> list[float]:
        pairs = zip(inputs1.dataset["text"], inputs2.dataset["text"], strict=True)
        return [score_of(query, document) for query, document in pairs]


def of_mteb(mirror: Path) -> dict[str, Any]:
    """The scores that `mteb.evaluate` writes of the same scorer, over the dataset of the mirror."""
    import mteb

    entry = hub.entry_of(TARGET)
    with mteb_data.own_dice(), mteb_data.local_files(mirror.parent / "cache"), quiet():
        task = mteb_data.task_of(entry)
        mteb_data.load(task, entry, hub.dataset(mirror, entry).folder)
        task.data_loaded = True
        result = mteb.evaluate(
            _PlainOfMteb(mteb),
            task,
            cache=mteb.ResultCache(mirror.parent / "results"),
            overwrite_strategy="always",
            co2_tracker=False,
            show_progress_bar=False,
        )
    (scores,) = result.task_results[0].scores["test"]
    return dict(scores)


def test_a_run_gives_the_values_that_mteb_gives(run: Make, mirror: Callable[..., Path], tmp_path: Path) -> None:
    first, reranked = run()
    assert first.paired is not None and reranked.paired is not None
    assert reranked.paired.questions == QUESTIONS and not alarms_of(reranked)
    theirs, place = of_mteb(mirror()), tmp_path / "out"
    assert reranked.paired.values.mean() == pytest.approx(theirs["p-MRR"], abs=1e-5)
    (ours,) = json.loads(write_mteb_results(place, results_in([reranked]))[0].read_text("utf-8"))["scores"]["test"]
    for block, whole in ((ours, theirs), (ours["og"], theirs["og"]), (ours["changed"], theirs["changed"])):
        assert block["ndcg_at_5"] == pytest.approx(whole["ndcg_at_5"], abs=1e-5)
    assert ours["og"]["ndcg_at_5"] != ours["changed"]["ndcg_at_5"]
    assert abs(reranked.paired.values).min() > 0, "the plug-in reads the instructions, so ranks move"
    assert first.paired.values.tolist() == [0, 0, 0, 0], "the same lists without an order"
    assert list(map(str, reranked.measures)) == ["nDCG@5"]


def test_the_measure_can_be_named_and_others_beside_it(run: Make) -> None:
    assert [list(map(str, one.measures)) for one in run(measures=["p-MRR"])] == [["nDCG@5"]] * 2
    named = run(measures=["RR@10", "p-mrr"])
    assert [list(map(str, one.measures)) for one in named] == [["RR@10"]] * 2
    assert all(one.paired for one in named)


def test_the_measure_is_refused_where_no_query_has_a_partner(place: Place) -> None:
    with pytest.raises(UsageError, match=r"^coll: p-MRR compares pairs of queries; this collection has none$"):
        place.evaluations(measures=["p-MRR"])
    with pytest.raises(UsageError, match="this collection has none"):
        api.run(str(place.path / "coll"), first_stage="bm25", measures=["p-MRR"], workspace=place.workspace.path)
    assert place.evaluations()[0].paired is None


def test_tables_and_files_carry_the_value_with_its_interval(run: Make, tmp_path: Path) -> None:
    outcome = run()
    paired = outcome[1].paired
    assert paired is not None
    mean = float(paired.values.mean())
    table = comparison_tables(results_in(outcome))[0]
    assert table.title == f"p-MRR, {TARGET}" and len(table.rows) == 2
    assert table.rows[1][1].text == f"{100 * mean:+.2f}" and table.rows[1][2].text.startswith("[")
    assert "from -100 to 100" in table.notes[0]
    exported: Any = json.loads(json.dumps(as_dict(results_in(outcome)), allow_nan=False))
    found = exported["evaluations"][1]["paired"]["p-MRR"]
    assert (found["value"], found["missing"]) == (mean, [])
    assert found["per_question"] == dict(zip(QUESTIONS, paired.values.tolist(), strict=True))
    assert exported["macro_paired"][MADE_BY]["p-MRR"]["value"] == mean
    (scores,) = json.loads(write_mteb_results(tmp_path / "out", results_in(outcome))[0].read_text("utf-8"))["scores"][
        "test"
    ]
    assert scores["p-MRR"] == scores["main_score"] == mean
    assert "ndcg_at_5" in scores


def test_the_store_keeps_the_value_of_every_question(run: Make, place: Place) -> None:
    reranked = run()[1]
    assert reranked.paired is not None
    kept: Any = details(reranked.id, place.workspace.path)
    assert kept["values"]["p-MRR"] == float(np.mean(reranked.paired.values))
    assert kept["per_query"]["p-MRR"] == dict(zip(QUESTIONS, reranked.paired.values.tolist(), strict=True))


def test_a_question_without_its_other_half_raises_the_alarm(run: Make, tmp_path: Path) -> None:
    reranked = run(CHANGED, QUERIES[:-1])[1]
    assert reranked.paired is not None and reranked.paired.missing == ("4",)
    assert alarms_of(reranked) == ["p-MRR leaves out 1 of 4 questions that lack one of the two queries: 4"]
    alone = run({"4": ["d3"], "3": []}, QUERIES[:-1])
    assert alone[1].paired is not None and alone[1].paired.missing == ("4",)
    exported: Any = json.loads(json.dumps(as_dict(results_in(alone)), allow_nan=False))
    assert exported["evaluations"][1]["paired"]["p-MRR"]["value"] is None
    assert comparison_tables(results_in(alone))[0].rows[1][1].text == "-"
    with pytest.raises(UsageError, match=r"p-MRR, the official measure of Core17.* was not measured"):
        write_mteb_results(tmp_path / "out", results_in(alone))


def loaded(place: Place, mirror: Path) -> Collection:
    (collection,) = load(TARGET, place.workspace, origin=SourceChoice("mteb", mirror))
    return collection


def test_samples_keep_both_halves_of_a_question(place: Place, mirror: Callable[..., Path]) -> None:
    whole = loaded(place, mirror())
    before: set[str] = set()
    for size, expected in ((1, 2), (2, 2), (3, 2), (5, 4), (7, 6)):
        sample = sample_queries(whole, size)
        ids = set(sample.queries.ids())
        assert len(ids) == expected and before <= ids
        assert sample.changes is not None
        assert {f"{name}{end}" for name in sample.changes.questions for end in ("-og", "-changed")} == ids
        kept = {name: [DOCUMENTS.index(one) for one in CHANGED[name]] for name in sample.changes.questions}
        assert {name: rows.tolist() for name, rows in sample.changes.by_question().items()} == kept
        assert sample.given is not None
        before = ids


def test_a_plan_counts_the_pairs_of_whole_questions(place: Place, mirror: Callable[..., Path]) -> None:
    whole = loaded(place, mirror())
    sample = sample_queries(whole, 5)
    assert sample.given is not None
    assert plan([sample], 10, [MADE_BY], first_stage="given").total.pairs == len(sample.given.documents)
    for stage in ("given", "bm25"):
        asked = plan([whole], 10, [MADE_BY], first_stage=stage, samples=[5]).total
        assert asked.queries == len(sample.queries)
    assert within_budget([whole], 10, 59, first_stage="bm25") == (5,), "six queries would be sixty pairs"


def test_other_changes_are_another_collection(place: Place, mirror: Callable[..., Path]) -> None:
    one = loaded(place, mirror())
    assert loaded(place, mirror()).fingerprint == one.fingerprint
    other = loaded(place, mirror({**CHANGED, "1": ["d0", "not in the corpus"]}))
    assert other.fingerprint != one.fingerprint
    assert other.changes is not None and other.changes.by_question()["1"].tolist() == [0, -1]


def test_a_dataset_without_the_changes_is_refused_in_one_line(place: Place, mirror: Callable[..., Path]) -> None:
    folder = hub.dataset(mirror(), hub.entry_of(TARGET)).folder
    (folder / "qrel_diff__qrel_diff.jsonl").unlink()
    with pytest.raises(DataError, match=r"configuration 'qrel_diff', which p-MRR needs, cannot be read \(") as caught:
        loaded(place, folder.parents[3])
    assert "\n" not in str(caught.value)
    assert len(find(TARGET)) == 1
