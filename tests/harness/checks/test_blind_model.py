"""The WebLINX case (mteb issue 5092, results pull request 706): a model that saw no document, and a score of 100."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters import tiny
from adapters.batching import input_digest
from adapters.errors import ModelError
from adapters.protocols import Identity, IndexPairs, Scored
from harness.result.evaluation import Evaluation
from reports.columns import choose
from reports.tables.run import alarms, comparison_tables
from reports.view import View
from tests.tiny_collection import Place, results_in

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

LENGTH, TASKS, CANDIDATES = 1024, 10, 6


class QueryFirst:
    """A cross-encoder that is given query and document as one text and cuts it at its window, as the field does it."""

    def __init__(self, *, model: str, length: int = LENGTH) -> None:
        self.identity: Identity = {"adapter": "query-first", "length": length}
        self._model, self._length = model, length

    def stream(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Iterator[Scored]:
        tokenizer = transformers.AutoTokenizer.from_pretrained(self._model)
        model = transformers.AutoModelForSequenceClassification.from_pretrained(self._model).eval()
        known: dict[tuple[int, ...], float] = {}
        for row, (query, document) in enumerate(pairs.tolist()):
            head = tokenizer(f"Query: {queries[query]} Document: ", add_special_tokens=False).input_ids
            body = tokenizer(documents[document], add_special_tokens=False).input_ids
            ids = tuple((head + body)[: self._length])
            if ids not in known:  # the same input has the same score, whatever the batch
                with torch.inference_mode():
                    known[ids] = float(model(torch.tensor([ids])).logits[0, 0])
            kept = max(0, len(ids) - len(head))
            yield Scored(
                np.array([row]),
                np.array([known[ids]], np.float32),
                np.array([len(body)], np.int32),
                np.array([kept], np.int32),
                np.array([input_digest(np.array(ids, np.int32))], np.uint64),
            )

    def score(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Any:
        return np.concatenate([scored.scores for scored in self.stream(queries, documents, pairs)])


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Real layers and a window of 1,024 tokens; nothing has been learned."""
    monkeypatch.setattr(tiny, "LENGTH", LENGTH)
    return tiny.cross_encoder(tmp_path / "model")


@pytest.fixture
def rows(place: Place) -> Path:
    """The history of a session as the query, and the elements of a page, the right one listed first."""
    file = place.path / "weblinx.jsonl"
    with file.open("w", encoding="utf-8") as out:
        for task in range(TASKS):
            history = f"session {task} " + "say load click type submit scroll " * 40
            elements = [f"button {task} {number} xpath" for number in range(CANDIDATES)]
            out.write(json.dumps({"query": history, "positive": elements[:1], "negative": elements[1:]}) + "\n")
    return file


def evaluated(place: Place, rows: Path, *rerankers: str) -> list[Evaluation]:
    return place.evaluations(place.load(rows), first="given", rerankers=rerankers, measures=["RR@10"])


def old_style(evaluation: Evaluation, rows: Path) -> float:
    """MRR@10 as it was counted: a stable sort in the order of the file, which lists positives first."""
    texts = evaluation.collection.corpus.take(evaluation.run.documents)
    given = zip(evaluation.run.queries.tolist(), texts, evaluation.run.scores.tolist(), strict=True)
    scores = {(query, text): score for query, text, score in given}
    reciprocal = []
    for query, line in enumerate(rows.read_text("utf-8").splitlines()):
        row = json.loads(line)
        listed = [*row["positive"], *row["negative"]]
        order = sorted(listed, key=lambda text: scores[query, text], reverse=True)
        reciprocal.append(1 / (1 + order.index(row["positive"][0])))
    return float(np.mean(reciprocal))


def test_a_model_that_saw_no_document_has_100_by_the_old_count_and_hard_alarms_here(
    place: Place, model: Path, rows: Path
) -> None:
    _, blind = evaluated(place, rows, f"{__name__}:QueryFirst?model={model}")
    value, chance = float(blind.values[0].mean()), float(blind.ground.controls["chance"][0].mean())
    assert old_style(blind, rows) == 1.0
    assert chance == pytest.approx(np.mean(1 / np.arange(1, CANDIDATES + 1)))
    assert old_style(blind, rows) - value > 0.4, "tens of points"
    assert abs(value - chance) < 0.25
    assert blind.audit.tokens is not None
    assert blind.audit.tokens.truncated_away == blind.audit.tokens.identical_inputs == TASKS * CANDIDATES
    assert blind.audit.tie_span["RR@10"] == pytest.approx(1 - 1 / CANDIDATES)
    hard = {alarm.name for alarm in blind.alarms if alarm.hard}
    assert hard == {"tied-order", "constant-scores", "truncated-away", "identical-inputs"}


def test_the_table_shows_chance_and_the_span_of_the_ties(place: Place, model: Path, rows: Path) -> None:
    evaluations = evaluated(place, rows, f"{__name__}:QueryFirst?model={model}")
    table = comparison_tables(results_in(evaluations), View(choose("tie_span")))[0]
    assert "a random order of these candidates has an expected value of 40.83" in table.notes
    assert table.rows[1][table.columns.index("tie span")].text == "83.33"
    assert any(
        "were truncated away whole: the model never saw them [truncated-away]" in line
        for line in alarms(results_in(evaluations))
    )


def test_a_window_that_holds_the_documents_raises_none_of_it(place: Place, model: Path, rows: Path) -> None:
    short = place.path / "short.jsonl"
    lines = [json.loads(line) for line in rows.read_text("utf-8").splitlines()]
    short.write_text("".join(json.dumps(row | {"query": row["query"][:60]}) + "\n" for row in lines), "utf-8")
    _, seeing = evaluated(place, short, f"{__name__}:QueryFirst?model={model}")
    assert [alarm for alarm in seeing.alarms if alarm.hard] == []


def test_our_own_adapter_shares_the_window_or_refuses(place: Place, model: Path, rows: Path) -> None:
    _, shared = evaluated(place, rows, f"{model}?max_length={LENGTH}")
    assert shared.audit.tokens is not None
    assert (shared.audit.tokens.truncated_away, shared.audit.tokens.identical_inputs) == (0, 0)
    with pytest.raises(ModelError, match="leaves no space for a document in max_length=1024"):
        evaluated(place, rows, f"{model}?max_length={LENGTH}&truncation=document")
