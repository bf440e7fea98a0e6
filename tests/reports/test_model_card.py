"""A snippet that the hub does not take, or that claims a benchmark on a sample of it, is worse than none."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from harness.yaml_text import yaml
from reports.model_card import cards, eval_results, model_index
from tests.made_results import collection, result, system

NEW = system("someone/new-reranker")
FIQA, NQ = collection("beir/fiqa", language="en"), collection("beir/nq", sampled_from=900)
ONE = result(NEW, FIQA, [0.25, 0.5])
TWO = result(NEW, FIQA, [0.5, 1.0], measure="RR@10")
SAMPLE = result(NEW, NQ, [0.9])


def blocks(text: str) -> list[Any]:
    loader = pytest.importorskip("yaml")
    return [loader.safe_load(block) for block in re.findall(r"```yaml\n(.*?)\n```", text, re.S)]


def test_the_hub_reads_the_model_index_as_we_meant_it() -> None:
    hub = pytest.importorskip("huggingface_hub.repocard_data")
    metadata, _ = blocks(cards([ONE, TWO], [NEW]))
    name, found = hub.model_index_to_eval_results(metadata["model-index"])
    assert name == "new-reranker"
    assert [(one.metric_type, one.metric_value, one.metric_name) for one in found] == [
        ("ndcg_at_10", 0.375, "nDCG@10"), ("rr_at_10", 0.75, "RR@10"),
    ]  # fmt: skip
    assert {(one.dataset_type, one.dataset_split, one.task_type) for one in found} == {
        ("mteb/fiqa", "test", "text-ranking")
    }
    assert found[0].dataset_revision == FIQA.entry.mteb.revision if FIQA.entry else False
    assert hub.eval_results_to_model_index(name, found)[0]["results"]


def test_the_hub_reads_the_eval_results_as_we_meant_them() -> None:
    hub = pytest.importorskip("huggingface_hub")
    if not hasattr(hub, "parse_eval_result_entries"):
        pytest.skip("this huggingface_hub knows no eval results")
    _, entries = blocks(cards([ONE, TWO], [NEW]))
    (found,) = hub.parse_eval_result_entries(entries)
    assert (found.dataset_id, found.value) == ("mteb/fiqa", 0.375)
    assert "bm25 top 100" in found.notes and ONE.id in found.notes
    assert hub.eval_result_entries_to_yaml([found]) == entries


def test_a_sample_or_other_data_claims_no_benchmark() -> None:
    drifted = result(NEW, collection("beir/scifact †"), [0.9])
    assert eval_results([SAMPLE, drifted]) == []
    text = cards([ONE, SAMPLE, drifted], [NEW])
    assert "2 collections are left out" in text
    assert "beir/nq" not in text and "0.9" not in text.replace("0.90", "")
    assert cards([SAMPLE], [NEW]) == ""


def test_what_somebody_else_computed_is_not_our_claim() -> None:
    assert cards([result(NEW, FIQA, [0.5], imported=True)], [NEW]) == ""


def test_alarms_stand_beside_the_snippet() -> None:
    alarmed = result(NEW, FIQA, [0.5], alarms=[{"name": "tied-order", "message": "ties decide"}])
    assert "alarm: beir/fiqa: ties decide [tied-order]" in cards([alarmed], [NEW])


@pytest.mark.parametrize(
    "text", ["a: b", "- x", "yes", "12", "# c", "\u2028\x85\x7f", 'q"\\', "", "日本", "null", "!t"]
)
def test_a_text_stays_a_text(text: str) -> None:
    loader = pytest.importorskip("yaml")
    value = {"name": text, "list": [{"a": text, "b": [1, None, True]}, {"a": {"c": 0.5}}], "empty": []}
    assert loader.safe_load(yaml(value)) == value


def test_a_collection_of_ones_own_has_its_name() -> None:
    index = json.dumps(model_index("x", [result(NEW, collection("mine/one"), [0.5])]))
    assert '"type": "mine/one"' in index
