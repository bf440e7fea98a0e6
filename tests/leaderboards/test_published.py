"""Published numbers: a reader would lose the one check against the world, or trust a comparison that means nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pytest

from adapters.errors import DataError
from harness.data.suites.targets import find
from harness.result.evaluation import Evaluation
from leaderboards.anchors import anchors, anchors_table
from leaderboards.own import own_number
from leaderboards.published import OwnNumber, Published, comparable, published, read_published
from reports.table import markdown
from tests.suite_evaluations import as_of, by_first_stage, by_reranker
from tests.tiny_collection import Place, results_in

QWEN = "Qwen/Qwen3-Embedding-0.6B"
SIX = "mteb-multilingual-v2-reranking"
FOLDER = Path(__file__).parents[2] / "leaderboards" / "published"


def rows(model: str, target: str) -> list[Published]:
    return [row for row in published() if row.model == model and row.target == target]


def row(model: str, target: str) -> Published:
    (found,) = [one for one in rows(model, target) if not (one.task or "").endswith(".v2")]
    return found


def equal(published_row: Published) -> OwnNumber:
    """Ours, measured just as the published number was."""
    return OwnNumber(
        model=published_row.model,
        model_revision=published_row.model_revision,
        suite=published_row.suite,
        collection=published_row.collection,
        split=published_row.split,
        task=published_row.task or "",
        measure=published_row.measure,
        value=published_row.value,
        dataset_revision=published_row.dataset_revision,
        first_stage=published_row.first_stage,
    )


def test_every_row_says_what_it_is_and_where_it_is_from() -> None:
    for one in published():
        assert -1 <= one.value <= 1 and (one.value >= 0 or one.measure == "p-MRR")
        assert re.fullmatch(r"[\w.-]+/[\w.-]+", one.model) and one.measure and one.source
        if one.task:
            assert one.commit and one.dataset_revision and one.evaluator_version
            assert set(one.collections) == {target.target for target in find(one.target)}
        else:
            assert one.is_average and "average" in one.note


def test_no_number_stands_twice() -> None:
    keys = [(one.model, one.target, one.measure, one.source) for one in published()]
    assert len(keys) == len(set(keys))


def test_every_source_is_named() -> None:
    told = (FOLDER / "SOURCES.md").read_text("utf-8")
    for one in published():
        assert one.source.split(":")[0].removesuffix(" model card") in told
    assert all(file.name in told for file in FOLDER.glob("*.csv"))


@pytest.mark.parametrize(
    ("model", "target", "value"),
    [
        (QWEN, "beir/scifact", 0.6972),
        (QWEN, "beir/trec-covid", 0.9052),
        (QWEN, "beir/msmarco", 0.3799),
        (QWEN, "beir/cqadupstack", 0.4603),
        (QWEN, "miracl/th", 0.7466),
        (QWEN, "miracl-hard-negatives/th", 0.739),
        (QWEN, "miracl-hard-negatives/sw", 0.490),
        (QWEN, f"{SIX}/alloprof", 0.8038),
        (QWEN, "MMTEB-R", 0.6464),
        ("jinaai/jina-reranker-v3", f"{SIX}/alloprof", 0.8234),
        ("jinaai/jina-reranker-v3", "beir", 0.6194),
        ("Querit/Querit-4B", f"{SIX}/voyage-mmarco", 0.7074),
        ("Qwen/Qwen3-Reranker-8B", "FollowIR", 0.0805),
    ],
)
def test_known_values_are_there(model: str, target: str, value: float) -> None:
    assert row(model, target).value == pytest.approx(value, abs=6e-4)


def test_means_over_the_parts_are_those_that_are_quoted() -> None:
    beir = [row(QWEN, f"beir/{name}").value for name in {one.group or one.name for one in find("beir")}]
    assert len(beir) == 15 and fmean(beir) == pytest.approx(0.5552, abs=5e-5)
    forums = [row(QWEN, one.target).value for one in find("beir/cqadupstack")]
    assert fmean(forums) == pytest.approx(row(QWEN, "beir/cqadupstack").value, abs=1e-5)
    hard = [row(QWEN, one.target).value for one in find("miracl-hard-negatives")]
    assert len(hard) == 18 and fmean(hard) == pytest.approx(0.6123, abs=5e-5)
    wikipedia = [row("jinaai/jina-reranker-v3", one.target).value for one in find(f"{SIX}/wikipedia")]
    assert len(wikipedia) == 16 and fmean(wikipedia) == pytest.approx(0.9308, abs=5e-5)


def test_the_same_measurement_is_comparable() -> None:
    corpus = row(QWEN, "beir/nfcorpus")
    assert corpus.dataset_revision == find("beir/nfcorpus")[0].mteb.revision
    assert comparable(equal(corpus), corpus) is None
    alloprof = row("jinaai/jina-reranker-v3", f"{SIX}/alloprof")
    assert comparable(equal(alloprof), alloprof) is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"measure": "RR@10"}, "nDCG@10, ours is RR@10"),
        ({"dataset_revision": "f" * 40}, "dataset revision ec0fa4fe, ours is ffffffff"),
        ({"first_stage": "bm25 top-100"}, "first stage: the model itself; ours: bm25 top-100"),
        ({"split": "train"}, "split test, ours is train"),
        ({"task": "NFCorpus.v2"}, "the task NFCorpus, ours is NFCorpus.v2"),
        ({"model_revision": "e" * 40}, "revision b22da495 of the model, ours is eeeeeeee"),
        ({"altered": "a sample of 3 of 300 queries"}, "ours is a sample of 3 of 300 queries"),
    ],
)
def test_every_difference_is_a_reason(change: dict[str, str], reason: str) -> None:
    corpus = row(QWEN, "beir/nfcorpus")
    assert comparable(replace(equal(corpus), **change), corpus) == reason  # type: ignore[arg-type]


def test_a_revision_that_we_do_not_know_is_no_reason() -> None:
    corpus = row(QWEN, "beir/nfcorpus")
    assert comparable(replace(equal(corpus), model_revision=""), corpus) is None


def test_the_old_evaluator_stands_beside_nothing() -> None:
    old = row(QWEN, f"{SIX}/alloprof")
    entry = find(old.target)[0]
    ours = replace(equal(old), measure=entry.main_measure, dataset_revision=entry.mteb.revision)
    assert comparable(ours, old) == (
        "AP, by the old evaluator of mteb 1.38.9, ours is AP@1000; dataset revision 65393d0d, ours is a7d2d793"
    )


def test_ties_in_the_order_of_insertion_stand_beside_nothing() -> None:
    jina = row("jinaai/jina-reranker-v3", f"{SIX}/weblinx-test-web")
    assert comparable(equal(jina), jina) == "mteb 2.3.0 orders ties by insertion (mteb#5092)"
    assert comparable(equal(jina), replace(jina, evaluator="mteb 2.18.19")) is None


def test_a_number_that_is_known_to_be_wrong_says_so() -> None:
    wrong = [one for one in published() if one.note.startswith("wrong: ")]
    assert {(one.model, one.collection) for one in wrong} == {
        ("Querit/Querit-4B", "weblinx-validation"),
        ("Querit/Querit-4B", "weblinx-test-iid"),
    }
    assert all((comparable(equal(one), one) or "").startswith("known to be wrong: ") for one in wrong)


def test_an_average_is_comparable_with_nothing() -> None:
    card = row("jinaai/jina-reranker-v3", "beir")
    assert comparable(equal(card), card) == "only an average is published"


def test_the_instruction_makes_another_task_of_the_same_data() -> None:
    first, second = sorted(rows(QWEN, "miracl-hard-negatives/th"), key=lambda one: one.task or "")
    entry = find(first.target)[0]
    ours = replace(equal(first), dataset_revision=entry.mteb.revision)
    assert comparable(ours, first) == "dataset revision 95c8db7d, ours is d7d94fa4"
    assert comparable(ours, second) == f"the task {second.task}, ours is {first.task}"


@pytest.mark.parametrize("damage", [("0.5", "50"), ("0.5", "much"), (",0.5", "")])
def test_a_damaged_row_is_named(damage: tuple[str, str]) -> None:
    header = ",".join(Published.__dataclass_fields__)
    line = "a/b,,beir,scifact,test,nDCG@10,0.5,somewhere,,,,,"
    assert read_published(f"{header}\n{line}\n", "x.csv")[0].value == 0.5
    with pytest.raises(DataError, match=r"x\.csv:2: "):
        read_published(f"{header}\n{line.replace(*damage)}\n", "x.csv")


@pytest.fixture
def evaluation(place: Place) -> Evaluation:
    first, _ = place.evaluations(rerankers=["tests.fake_adapters:Plain"], measures=["nDCG@10"])
    return first


@pytest.fixture
def reranked(place: Place) -> Callable[[str], Evaluation]:
    """By a model of this name."""
    (_, second) = place.evaluations(rerankers=["tests.fake_adapters:Plain"], measures=["nDCG@10", "AP@1000", "RR@10"])
    return lambda spec: by_reranker(second, spec)


def test_ours_stands_beside_the_published_first_stage(evaluation: Evaluation) -> None:
    ours = by_first_stage(
        as_of(evaluation, find("beir/nfcorpus")[0]), f"{QWEN}@b22da495047858cce924d27d76261e96be6febc0"
    )
    (anchor,) = anchors(results_in([ours, as_of(evaluation, find("beir/scifact")[0])]))
    assert (anchor.row.target, anchor.reason) == ("beir/nfcorpus", None)
    assert anchor.ours.value == float(evaluation.values[0].mean())
    assert "| beir/nfcorpus | Qwen/" in markdown(anchors_table([anchor]))
    assert f"{100 * (anchor.ours.value - anchor.row.value):+.2f}" in markdown(anchors_table([anchor]))


def test_a_reranker_is_not_taken_for_the_first_stage(reranked: Callable[[str], Evaluation]) -> None:
    ours = by_first_stage(as_of(reranked(QWEN), find("beir/nfcorpus")[0]), "BAAI/bge-m3@main", depth=50)
    (anchor,) = anchors(results_in([ours]))
    assert anchor.reason == "first stage: the model itself; ours: BAAI/bge-m3 top-50"


def test_a_mark_has_its_footnote_and_no_difference(reranked: Callable[[str], Evaluation]) -> None:
    entries = [find(f"{SIX}/{name}")[0] for name in ("alloprof", "weblinx-test-iid", "weblinx-validation")]
    table = anchors_table(anchors(results_in([as_of(reranked("Querit/Querit-4B"), entry) for entry in entries])))
    assert [cells[3].text[-3:] for cells in table.rows] == ["[1]", "[2]", "[2]"]
    assert all(cells[5].text == "" for cells in table.rows)
    assert [note[:3] for note in table.notes[2:]] == ["[1]", "[2]"] and "known to be wrong" in table.notes[-1]


def test_an_average_needs_the_whole_suite(reranked: Callable[[str], Evaluation]) -> None:
    model = "jinaai/jina-reranker-v3"
    whole = [as_of(reranked(model), entry, lower=place / 100) for place, entry in enumerate(find("beir"))]
    assert anchors(results_in(whole[:-1])) == []
    (anchor,) = anchors(results_in(whole))
    assert anchor.row.target == "beir" and "only an average" in (anchor.reason or "")
    forums = fmean(float(one.values[0].mean()) for one in whole if "cqadupstack" in one.collection.name)
    others = [float(one.values[0].mean()) for one in whole if "cqadupstack" not in one.collection.name]
    assert anchor.ours.value == pytest.approx(fmean([forums, *others]))


def test_samples_and_other_data_are_marked(evaluation: Evaluation) -> None:
    ours = as_of(evaluation, find("beir/scifact")[0])
    sample = replace(ours.collection, sampled_from=300)
    drifted = replace(ours.collection, name="beir/scifact†")
    for collection, words in ((sample, "a sample of 4 of 300 queries"), (drifted, "on data that differ")):
        (result,) = results_in([replace(ours, ground=replace(ours.ground, collection=collection))])
        found = own_number(result)
        assert found is not None and found.altered.startswith(words)
    assert own_number(results_in([evaluation])[0]) is None
