"""TREC-QA with its own candidate lists: mteb's evaluation of the same lists by the same model has our numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.result.evaluation import Evaluation
from tests.peers import mteb_side, our_side
from tests.peers.our_side import ROUNDING, means
from tests.peers.real_data import Held, Row, answer_rows

MEASURES = ("AP@1000", "RR@10")
Given = dict[str, list[str]]


@pytest.fixture
def trec_qa(shared_data: Path) -> Path:
    """The folder of rows."""
    return shared_data / "trec-qa"


@pytest.mark.parametrize("counts", [("dev", 81, 65), ("test", 95, 68)], ids=["dev", "test"])
def test_given_candidates_have_mtebs_numbers_and_its_old_form_leaves_queries_out(
    mteb: Any, trec_qa: Path, tmp_path: Path, cross_encoder: Path, counts: tuple[str, int, int]
) -> None:
    split, queries, clean = counts
    file = trec_qa / f"{split}.jsonl"
    _, ours = our_side.evaluated(
        file, tmp_path / "w", first_stage="given", rerankers=[cross_encoder], depth=10, measures=MEASURES
    )
    assert ours.values.shape[1] == queries
    rows = answer_rows(file)

    # Every query that has a candidate: mteb counts those without a relevant one as 0, and so do we.
    collection, given = _as_a_task([row for row in rows if row.positive or row.negative])
    task = mteb_side.task(mteb, "AlloprofReranking", collection, given=given)
    theirs = mteb_side.evaluated(mteb, mteb_side.cross_encoder(cross_encoder), task, tmp_path / "all")
    assert means(ours) == pytest.approx({key: theirs[key] for key in MEASURES}, rel=0, abs=ROUNDING)

    # Its reader of rows in the old form leaves out queries whose candidates are all relevant, or none.
    old = _through_mtebs_old_form(mteb, rows)
    assert len(old.dataset["default"]["test"]["queries"]) == clean
    theirs = mteb_side.evaluated(mteb, mteb_side.cross_encoder(cross_encoder), old, tmp_path / "clean")
    ours_clean = ours.values[:, _of_both_kinds(ours)].mean(axis=1)
    assert ours_clean.tolist() == pytest.approx([theirs[key] for key in MEASURES], rel=0, abs=ROUNDING)
    assert means(ours)["AP@1000"] != pytest.approx(theirs["AP@1000"], abs=1e-3)


def test_mtebs_old_form_names_a_document_by_its_label_and_ours_by_its_text(
    mteb: Any, trec_qa: Path, tmp_path: Path
) -> None:
    file = trec_qa / "dev.jsonl"
    first, ours = our_side.evaluated(
        file, tmp_path / "w", first_stage="given", rerankers=["control:constant"], depth=10, measures=MEASURES
    )
    old = _through_mtebs_old_form(mteb, answer_rows(file))
    theirs = mteb_side.evaluated(mteb, mteb_side.constant(mteb), old, tmp_path / "theirs")
    both = _of_both_kinds(ours)
    worst = ours.ground.judged.bounds(ours.measures, np.zeros(len(ours.run)))[0][:, both].mean(axis=1)
    constant = ours.values[:, both].mean(axis=1)
    chance = ours.ground.controls["chance"][:, both].mean(axis=1)
    assert [theirs[key] for key in MEASURES] == pytest.approx(worst.tolist(), rel=0, abs=ROUNDING)
    assert abs(constant - chance).max() < 0.05 < (chance - worst).min()
    assert means(first) == means(ours)


def _as_a_task(rows: Sequence[Row]) -> tuple[Held, Given]:
    """Every distinct text a document; ids are numbers in the order of appearance."""
    ids: dict[str, str] = {}
    for row in rows:
        for text in (*row.positive, *row.negative):
            ids.setdefault(text, f"{len(ids):05d}")
    qrels = {
        f"q{number}": {ids[text]: 0 for text in row.negative} | {ids[text]: 1 for text in row.positive}
        for number, row in enumerate(rows)
    }
    queries = {f"q{number}": row.query for number, row in enumerate(rows)}
    given = {query: list(judged) for query, judged in qrels.items()}
    return Held({name: ("", text) for text, name in ids.items()}, queries, qrels), given


def _through_mtebs_old_form(mteb: Any, rows: Sequence[Row]) -> Any:
    """A task filled by mteb's own reader of rows with `query`, `positive` and `negative`."""
    with mteb_side.quiet():
        from datasets import Dataset
        from mteb.abstasks.text import reranking

        task = mteb.get_task("AlloprofReranking")
        columns = ("query", "positive", "negative")
        stored = Dataset.from_list([{name: getattr(row, name) for name in columns} for row in rows])
        task._process_example = lambda *row: reranking.AbsTaskReranking._process_example(task, *row)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(reranking, "OLD_FORMAT_RERANKING_TASKS", [task.metadata.name])
            reranking.AbsTaskReranking.transform_old_dataset_format(task, {"test": stored})
    return task


def _of_both_kinds(evaluation: Evaluation) -> Any:
    """Which queries have a relevant and another candidate."""
    judged = evaluation.ground.judged
    return (judged.relevant > 0) & (judged.relevant < np.diff(evaluation.run.offsets))
