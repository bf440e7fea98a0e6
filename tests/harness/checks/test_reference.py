"""A model that is read wrongly is caught by an independent reference before a long run, not after."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from adapters import reference, tiny
from adapters.labels import OutputLabel
from adapters.protocols import Floats
from adapters.reference import NoReference, Reference, ReferenceCall, reference_scores
from adapters.spec import open_reranker
from adapters.sums import DamageWarning
from harness.checks import reference as comparing
from harness.checks.check import check
from harness.running.experiment import experiment
from harness.scoring.ground import prepare
from harness.scoring.retrieve import first_stage
from harness.scoring.system import systems
from tests.conformance import shapes
from tests.tiny_collection import CORPUS, FIRST, QRELS, QUERIES, Place

pytest.importorskip("sentence_transformers", reason="the reference needs the extra 'models'")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return tiny.cross_encoder(tmp_path / "model", seed=3)


NAMES = {"other-scores", "other-prompts", "not-compared"}


def alarms(place: Place, spec: str, *folders: Path) -> list[list[str]]:
    """The names of the alarms of a reranker, collection by collection."""
    place.load()
    evaluated = systems(FIRST, [spec], 5, place.workspace)
    with place.session() as session:
        collections = [place.load(folder) for folder in folders] or [place.load()]
        found = list(experiment(collections, evaluated, [], session, skip_probe=True))
    return [[one.name for one in each.alarms] for each in found[1::2]]


def wrong_label(_: OutputLabel, logits: np.ndarray) -> Floats:
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
    monkeypatch.setattr(OutputLabel, "scores", wrong_label)
    assert "other-scores" in alarms(place, str(model))[0]
    monkeypatch.setattr(comparing, "reference_scores", lambda *_: pytest.fail("compared a second time"))
    assert "other-scores" in alarms(place, str(model))[0]


def test_a_short_run_is_not_worth_the_minute(place: Place, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "reference_scores", lambda *_: pytest.fail("compared"))
    alarms(place, str(model))


@pytest.mark.usefixtures("every_run_is_long")
def test_without_memory_the_run_goes_on_and_says_so(place: Place, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "_available", lambda: 1)
    assert [name for name in alarms(place, str(model))[0] if name in NAMES] == ["not-compared"]
    assert list(place.workspace.references.iterdir()) == []


@pytest.mark.usefixtures("every_run_is_long")
def test_a_comparison_that_could_not_be_made_is_made_by_the_next_long_run(
    place: Place, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as short:
        short.setattr(reference, "_available", lambda: 1)
        alarms(place, str(model))
    place.beir("other", queries={**QUERIES, "q9": "where is the mill in winter"}, qrels=[*QRELS, ("q9", "d8", 1)])
    monkeypatch.setattr(OutputLabel, "scores", wrong_label)
    assert "other-scores" in alarms(place, str(model), place.path / "other")[0]


@pytest.mark.usefixtures("every_run_is_long")
def test_a_model_without_a_reference_is_tried_once_in_a_run(
    place: Place, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def fail(*_: object) -> Reference:
        tried.append("once")
        raise NoReference("it has none")

    monkeypatch.setattr(comparing, "reference_scores", fail)
    place.beir("other", queries={"q9": "where is the mill in winter"}, qrels=[("q9", "d8", 1)])
    found = alarms(place, str(model), place.path / "coll", place.path / "other")
    assert tried == ["once"]
    assert ["not-compared" in names for names in found] == [True, True]


def test_a_record_of_a_failure_is_none(tmp_path: Path) -> None:
    file = tmp_path / "record.json"
    file.write_text(
        json.dumps({"shift": None, "turned_far": 0, "note": "memory was short", "own": None, "prompts": ""})
    )
    assert comparing._read(file) is None


@pytest.mark.usefixtures("every_run_is_long")
def test_a_damaged_record_is_set_aside_and_the_reranker_compared_again(
    place: Place, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OutputLabel, "scores", wrong_label)
    assert "other-scores" in alarms(place, str(model))[0]
    (file,) = place.workspace.references.iterdir()
    file.write_text(re.sub(r'("(relative|largest)"): [^,]+', r"\1: 0.0", file.read_text()))
    with pytest.warns(DamageWarning, match="the reranker is compared again"):
        assert "other-scores" in alarms(place, str(model))[0]
    assert sorted(one.name for one in place.workspace.references.iterdir()) == [file.name, f"{file.name}.damaged"]


@pytest.mark.usefixtures("every_run_is_long")
def test_half_precision_is_compared_in_float32(place: Place, model: Path) -> None:
    assert "other-scores" not in alarms(place, f"{model}?dtype=bfloat16")[0]


def test_the_check_prints_the_comparison(place: Place, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with place.session() as session:
        found = check(str(model), [place.load()], session, first_stage=FIRST, reference=True)
        (row,) = (one for one in found.findings if one.trial == "sentence-transformers")
        assert row.verdict == "OK"
        assert row.shift is not None
        assert row.shift.largest < 1e-4
        monkeypatch.setattr(OutputLabel, "scores", wrong_label)
        wrong = check(str(model), [place.load()], session, first_stage=FIRST, reference=True)
        assert "other-scores" in [one.name for one in wrong.alarms]
        assert wrong.verdict == "broken"


def test_a_reranker_that_has_no_reference_says_why(place: Place) -> None:
    with place.session() as session:
        found = check("bm25", [place.load()], session, first_stage=FIRST, reference=True)
    (row,) = (one for one in found.findings if one.trial == "sentence-transformers")
    assert (row.verdict, row.note) == ("not possible", "sentence-transformers cannot load this kind of model")


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
    with place.session() as session:
        ground = prepare(place.load(), first_stage(FIRST, place.workspace), 5, [], session)
        found = comparing.compare_with_reference(f"{folder}{options}", [ground])
    assert found.note == ""
    assert found.agrees


def test_a_template_in_pieces_has_no_reference(tmp_path: Path) -> None:
    folder = tiny.plain_causal_lm(tmp_path / "lm")
    template = tmp_path / "pieces.toml"
    template.write_text("body = ['{query} s', 'earch {document}']\npositive = 'yes'")
    with pytest.raises(NoReference, match="piece by piece"):
        open_reranker(f"{folder}?template={template}").reference()  # type: ignore[attr-defined]


def long_documents(place: Place) -> Path:
    """A collection whose documents are longer than the model's inputs; queries are not."""
    corpus = {key: f"{text} " * 60 for key, text in CORPUS.items()}
    return place.beir("long", corpus=corpus)


def document_first(path: Path) -> str:
    return f"{shapes.logit_score(path, shapes.CHAT_TEMPLATES['document first'])}?max_length=200"


def document_first_by_option(path: Path) -> str:
    template = path.with_name("mine.toml")
    template.write_text("body = 'text: {document}\\nquestion: {query}\\n'\npositive = 'yes'\nnegative = 'no'")
    return f"{tiny.plain_causal_lm(path)}?template={template}&max_length=150"


def classifier_with_the_document_first(path: Path) -> str:
    return f"{shapes.sequence_classifier(path, template=shapes.CHAT_TEMPLATES['document first'])}?max_length=200"


def documents_alone(path: Path) -> str:
    return f"{tiny.cross_encoder(path, seed=3)}?max_length=40&truncation=document"


CUT_OTHERWISE = [document_first, document_first_by_option, classifier_with_the_document_first, documents_alone]


@pytest.mark.parametrize("shape", CUT_OTHERWISE)
def test_where_sentence_transformers_cuts_otherwise_whole_inputs_are_compared(
    place: Place, tmp_path: Path, shape: Callable[[Path], str]
) -> None:
    spec = shape(tmp_path / "model")
    with place.session() as session:
        ground = prepare(place.load(long_documents(place)), first_stage(FIRST, place.workspace), 5, [], session)
        found = comparing.compare_with_reference(spec, [ground])
    assert (found.note, found.agrees) == ("", True)


def test_a_wrong_reading_shows_also_where_only_whole_inputs_are_compared(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = documents_alone(tmp_path / "model")
    monkeypatch.setattr(OutputLabel, "scores", wrong_label)
    with place.session() as session:
        ground = prepare(place.load(long_documents(place)), first_stage(FIRST, place.workspace), 5, [], session)
        assert comparing.compare_with_reference(spec, [ground]).agrees is False


PROMPTS = {
    "query and passage": ({"query": "find it ", "passage": "a text: "}, None, "document_prompt="),
    "a default prompt alone": ({"web": "find it "}, "web", "query_prompt=&document_prompt="),
}


def embedder(path: Path, prompts: dict[str, str], default: str | None = None) -> Path:
    folder = tiny.bert_embedder(path, seed=3)
    shapes.edit(folder / "config_sentence_transformers.json", prompts=prompts, default_prompt_name=default)
    return folder


@pytest.mark.parametrize("kind", PROMPTS)
def test_prompts_that_sentence_transformers_would_not_use_are_a_remark_that_says_how_to_choose(
    place: Place, tmp_path: Path, kind: str
) -> None:
    prompts, default, options = PROMPTS[kind]
    folder = embedder(tmp_path / "model", prompts, default)
    with place.session() as session:
        found = check(str(folder), [place.load()], session, first_stage=FIRST, reference=True)
        (remark,) = (one for one in found.alarms if one.name == "other-prompts")
        assert "'find it '" in remark.message
        assert f"?{options})" in remark.message
        assert not remark.hard
        assert found.verdict != "broken"
        chosen = check(f"{folder}?{options}", [place.load()], session, first_stage=FIRST, reference=True)
    assert not NAMES & {one.name for one in chosen.alarms}


@pytest.mark.usefixtures("every_run_is_long")
def test_the_remark_is_given_every_time(place: Place, tmp_path: Path) -> None:
    folder = embedder(tmp_path / "model", *PROMPTS["query and passage"][:2])
    for _ in range(2):
        assert [name for name in alarms(place, str(folder))[0] if name in NAMES] == ["other-prompts"]


def test_prompts_that_somebody_gave_are_no_remark(place: Place, tmp_path: Path) -> None:
    prompts = {"query": "Instruct: find it\nQuery: ", "document": "a text: "}
    folder = embedder(tmp_path / "model", prompts)
    instructed = place.load(place.beir("instructed", rules='instruction = "find the opposite"'))
    with place.session() as session:
        ground = prepare(instructed, first_stage(FIRST, place.workspace), 5, [], session)
        plain = prepare(place.load(), first_stage(FIRST, place.workspace), 5, [], session)
        assert comparing.compare_with_reference(str(folder), [ground]).alarms == ()
        assert comparing.compare_with_reference(f"{folder}?document_prompt=other", [plain]).alarms == ()


def test_a_comparison_that_is_not_possible_is_printed(
    place: Place, model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reference, "_PROCESS", place.path / "nowhere.py")
    from harness.cli.app import main

    folder = place.beir()
    monkeypatch.setattr(
        "sys.argv",
        [
            "harness", "check", str(model), str(folder), "--first-stage", FIRST, "--reference",
            "sentence-transformers", "--workspace", str(place.workspace.path),
        ],
    )  # fmt: skip
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    (line,) = (line for line in capsys.readouterr().out.splitlines() if "[not-compared]" in line)
    assert line.startswith("REMARK its scores were not compared with sentence-transformers: its process failed")
