"""A model that is read wrongly is caught by an independent reference before a long run, not after."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from adapters import reference, tiny
from adapters.cross_encoder import CrossEncoder
from adapters.labels import Label
from adapters.protocols import Floats
from adapters.reference import NoReference, ReferenceCall, reference_scores
from harness.experiment import experiment
from harness.ground import prepare
from harness.hazards import reference as comparing
from harness.hazards.check import check
from harness.retrieve import first_stage
from harness.system import systems
from tests.conformance import shapes
from tests.tiny_collection import FIRST, Place

pytest.importorskip("sentence_transformers", reason="the reference needs the extra 'models'")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return tiny.cross_encoder(tmp_path / "model", seed=3)


def alarms(place: Place, spec: str) -> list[list[str]]:
    """The names of the alarms of a reranker, collection by collection."""
    evaluated = systems(FIRST, [spec], 5, place.workspace)
    with place.bench() as bench:
        found = list(experiment([place.load()], evaluated, [], bench, skip_probe=True))
    return [[one.name for one in each.alarms] for each in found[1::2]]


def wrong_label(_: Label, logits: np.ndarray) -> Floats:
    """A reading that gives other scores, and looks like any other."""
    return (logits[:, 0] + 0.01 * np.arange(len(logits))[::-1]).astype(np.float32)


@pytest.fixture
def every_run_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "LONG", 0)


@pytest.mark.usefixtures("every_run_is_long")
def test_a_reranker_that_is_read_rightly_raises_nothing_and_is_compared_once(
    place: Place, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "other-scores" not in alarms(place, str(model))[0]
    assert len(list(place.workspace.references.iterdir())) == 1
    monkeypatch.setattr(comparing, "reference_scores", lambda *_: pytest.fail("compared a second time"))
    assert "other-scores" not in alarms(place, f"{model}?batch_tokens=64")[0]


@pytest.mark.usefixtures("every_run_is_long")
def test_a_reranker_that_is_read_wrongly_gets_a_hard_alarm_every_time(
    place: Place, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Label, "scores", wrong_label)
    assert "other-scores" in alarms(place, str(model))[0]
    monkeypatch.setattr(comparing, "reference_scores", lambda *_: pytest.fail("compared a second time"))
    assert "other-scores" in alarms(place, str(model))[0]


def test_a_short_run_is_not_worth_the_minute(place: Place, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "reference_scores", lambda *_: pytest.fail("compared"))
    alarms(place, str(model))


@pytest.mark.usefixtures("every_run_is_long")
def test_without_memory_the_run_goes_on_and_says_so(place: Place, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "_available", lambda: 1)
    assert "other-scores" not in alarms(place, str(model))[0]
    (kept,) = place.workspace.references.iterdir()
    assert "GiB are free" in kept.read_text()


@pytest.mark.usefixtures("every_run_is_long")
def test_half_precision_is_compared_in_float32(place: Place, model: Path) -> None:
    assert "other-scores" not in alarms(place, f"{model}?dtype=bfloat16")[0]


def test_the_check_prints_the_comparison(place: Place, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with place.bench() as bench:
        found = check(str(model), [place.load()], bench, first_stage=FIRST, reference=True)
        (row,) = (one for one in found.findings if one.trial == "sentence-transformers")
        assert row.verdict == "OK"
        assert row.shift is not None
        assert row.shift.largest < 1e-4
        monkeypatch.setattr(Label, "scores", wrong_label)
        wrong = check(str(model), [place.load()], bench, first_stage=FIRST, reference=True)
        assert "other-scores" in [one.name for one in wrong.alarms]
        assert wrong.verdict == "broken"


def test_a_reranker_that_has_no_reference_says_why(place: Place) -> None:
    with place.bench() as bench:
        found = check("bm25", [place.load()], bench, first_stage=FIRST, reference=True)
    (row,) = (one for one in found.findings if one.trial == "sentence-transformers")
    assert (row.verdict, row.note) == ("not possible", "it is no model that sentence-transformers can load")


def test_what_sentence_transformers_cannot_load_is_said_in_one_line(tmp_path: Path) -> None:
    folder = tiny.cross_encoder(tmp_path / "model")
    (folder / "config.json").write_text('{"model_type": "unheard-of"}')
    with pytest.raises(NoReference) as caught:
        reference_scores(ReferenceCall("CrossEncoder", str(folder), None), ["a"], ["b"], np.array([[0, 0]]))
    assert str(caught.value)
    assert "\n" not in str(caught.value)


SHAPES = {
    "a classifier": lambda path: (tiny.cross_encoder(path, seed=3), ""),
    "two labels": lambda path: (tiny.cross_encoder(path, seed=3, num_labels=2), ""),
    "a chosen label": lambda path: (tiny.cross_encoder(path, seed=3, num_labels=3), "?label=1"),
    "a language model": lambda path: (tiny.causal_lm(path), ""),
    "a language model with a template": lambda path: (tiny.plain_causal_lm(path), "?template=qwen3"),
    "an instruction": lambda path: (tiny.causal_lm(path), "?instruction=Find claims"),
    "a converted one": lambda path: (shapes.sequence_classifier(path), "?template=qwen3"),
    "modules": lambda path: (shapes.modular(path), ""),
    "an embedder": lambda path: (tiny.bert_embedder(path, prompts={"query": "q: ", "passage": "p: "}), ""),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_kind_has_its_reference(place: Place, tmp_path: Path, shape: str) -> None:
    folder, options = SHAPES[shape](tmp_path / "model")
    with place.bench() as bench:
        ground = prepare(place.load(), first_stage(FIRST, place.workspace), 5, [], bench)
        found = comparing.compare_with_reference(f"{folder}{options}", [ground])
    assert found.note == ""
    assert found.agrees


def test_a_template_in_pieces_has_no_reference(tmp_path: Path) -> None:
    folder = tiny.plain_causal_lm(tmp_path / "lm")
    template = tmp_path / "pieces.toml"
    template.write_text("body = ['{query} s', 'earch {document}']\npositive = 'yes'")
    from adapters.spec import open_reranker

    with pytest.raises(NoReference, match="piece by piece"):
        open_reranker(f"{folder}?template={template}").reference()  # type: ignore[attr-defined]


def test_cutting_documents_alone_has_no_reference(model: Path) -> None:
    with pytest.raises(NoReference, match="only documents are cut"):
        CrossEncoder(str(model), truncation="document").reference()
