"""A judge that is not independent is refused: a user would publish a gain that only the judge sees."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from adapters import tiny
from adapters.errors import ModelError, UsageError
from adapters.lineage import Lineage, lineage_of
from adapters.spec import open_judge, open_reranker
from harness.labelling.circular import lineage_of_stored, refuse_circular
from tests.stored_evaluations import stored
from tests.tiny_collection import Place
from tests.training.fitting import QUICK, some_examples
from tests.training.loop import taught
from training.adapted import marks_of_teachers, teachers_of
from training.fit import fit, job
from training.merging.merge import merge
from training.merging.mergekit_yaml import from_options


def planted(name: str, own: str, models: str = "", teachers: str = "") -> Lineage:
    return Lineage(name, frozenset(own.split()), frozenset(models.split()), frozenset(teachers.split()))


CANDIDATE = planted("C", "c", "backbone", "t")
NOT_INDEPENDENT = {
    "the candidate": (planted("J", "c"), "the judge J is the candidate C"),
    "its teacher": (planted("J", "t"), "is a teacher of the candidate C"),
    "its backbone": (planted("J", "backbone"), "the judge J is the model that the candidate C was fitted from"),
    "fitted from the candidate": (planted("J", "j", "c backbone"), "was fitted from the candidate C"),
    "fitted from its teacher": (planted("J", "j", "t"), "was fitted from a teacher of the candidate C"),
    "taught by the candidate": (planted("J", "j", "x", "c"), "was taught by the candidate C"),
    "by the same teacher": (planted("J", "j", "x", "t u"), "was taught by a teacher of the candidate C"),
}


@pytest.mark.parametrize("case", NOT_INDEPENDENT)
def test_a_judge_that_is_not_independent_is_refused_without_labels_and_marked_with_them(case: str) -> None:
    judge, said = NOT_INDEPENDENT[case]
    other = planted("D", "d")
    with pytest.raises(UsageError, match=f"{said}, so its judgments are not independent"):
        refuse_circular(judge, [other, CANDIDATE], corrected=False)
    first, *_ = refuse_circular(judge, [other, CANDIDATE], corrected=True)
    assert first.startswith("NOT INDEPENDENT: ")
    assert said in first


def test_a_common_backbone_is_a_remark() -> None:
    assert refuse_circular(planted("J", "j", "backbone"), [CANDIDATE], corrected=False) == (
        "the judge J and C were fitted from a common backbone",
    )


def test_an_independent_judge_is_neither() -> None:
    assert refuse_circular(planted("J", "j", "other", "u"), [CANDIDATE], corrected=False) == ()
    assert refuse_circular(open_judge("lexical"), [CANDIDATE], corrected=False) == ()


def fitted(base: Path, out: Path, *teachers: str, steps: int = 1) -> Path:
    fit(job(str(base), some_examples(), replace(QUICK, max_steps=steps), teachers=teachers), out)
    return out


def test_manifests_of_training_say_what_a_checkpoint_was_made_from(tmp_path: Path) -> None:
    base = tiny.cross_encoder(tmp_path / "base")
    teacher = tiny.cross_encoder(tmp_path / "teacher", seed=5)
    marks = marks_of_teachers([dict(open_reranker(str(teacher)).identity)])  # type: ignore[attr-defined]
    first = fitted(base, tmp_path / "first", *marks)
    second = fitted(first, tmp_path / "second")
    merge(from_options("linear", [str(first), str(second)]), tmp_path / "soup")
    found = {path.name: lineage_of(str(path)) for path in (base, teacher, first, second, tmp_path / "soup")}
    assert found["first"].models == found["base"].own
    assert found["first"].teachers == found["teacher"].own
    assert found["second"].models == found["base"].own | found["first"].own
    assert found["second"].teachers == found["teacher"].own
    assert found["soup"].models == found["second"].models | found["second"].own
    assert found["soup"].teachers == found["teacher"].own

    for judge in ("base", "teacher", "first", "second", "soup"):
        with pytest.raises(UsageError, match="not independent"):
            refuse_circular(open_judge(f"reranker:{tmp_path / judge}?threshold=0"), [str(second)], corrected=False)
    sibling = fitted(base, tmp_path / "sibling", steps=2)
    (remark,) = refuse_circular(open_judge(f"reranker:{sibling}?threshold=0"), [str(second)], corrected=False)
    assert "common backbone" in remark


@pytest.mark.parametrize("spec", ["{}", "{}?max_length=64", "cross-encoder:{}", "embedder:{}?dtype=float16"])
def test_a_stored_system_has_the_manifest_of_its_folder_by_any_spec(tmp_path: Path, spec: str) -> None:
    manifest = {"lineage": {"models": ["backbone"], "teachers": ["t"]}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    found = lineage_of_stored(stored("1", spec.format(tmp_path), weights="c"))
    assert (found.own, found.models, found.teachers) == ({"c"}, {"backbone"}, {"t"})
    first_stage = lineage_of_stored(stored("1", None, first_stage=spec.format(tmp_path)))
    assert first_stage.teachers == {"t"}


@pytest.mark.parametrize("name", ["gpt-4: of a paper", "unknown:./x", "a?b", "control:reverse", "bm25"])
def test_a_stored_name_without_a_folder_has_the_lineage_of_its_weights(name: str) -> None:
    assert lineage_of_stored(stored("1", name, weights="c")) == planted(name, "c")


def test_a_judge_keeps_its_lineage_under_other_settings(tmp_path: Path) -> None:
    folder = tiny.cross_encoder(tmp_path / "m")
    judge = open_judge(f"reranker:{folder}?threshold=0&max_length=40")
    with pytest.raises(UsageError, match="is the candidate"):
        refuse_circular(judge, [f"{folder}?max_length=64"], corrected=False)


def test_examples_name_the_teachers_that_scored_them(place: Place) -> None:
    manifest = taught(place)
    marks = teachers_of([place.path / "ex" / "examples.jsonl"])
    assert marks == marks_of_teachers(manifest["teacher_identities"])
    assert len(marks) == 1
    (place.path / "elsewhere.jsonl").touch()
    assert teachers_of([place.path / "elsewhere.jsonl", place.path / "coll"]) == ()


@pytest.mark.parametrize("content", ["{", '{"lineage": {"models": "a"}}', '{"lineage": []}'])
def test_a_damaged_manifest_is_not_an_independent_judge(tmp_path: Path, content: str) -> None:
    folder = tiny.cross_encoder(tmp_path / "m")
    (folder / "manifest.json").write_text(content, "utf-8")
    with pytest.raises(ModelError, match=r"manifest\.json"):
        lineage_of(str(folder))


def test_a_manifest_of_another_program_says_nothing(tmp_path: Path) -> None:
    folder = tiny.cross_encoder(tmp_path / "m")
    (folder / "manifest.json").write_text(json.dumps({"name": "an app"}), "utf-8")
    assert lineage_of(str(folder)).models == frozenset()
