"""The chat template of a merge: what a user would lose is the format that a model was trained with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.training.merging import families
from training.merging.merge import merge
from training.merging.mergekit_yaml import from_mapping

ONE = "{% for message in messages %}[{{ message['content'] }}]{% endfor %}"
OTHER = "{% for message in messages %}<{{ message['content'] }}>{% endfor %}"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base with one template, and two fine-tunes with another."""
    folder = tmp_path_factory.mktemp("models")
    families.hub(folder / "base", "qwen3")
    settings = json.loads((folder / "base" / "tokenizer_config.json").read_text("utf-8"))
    (folder / "base" / "tokenizer_config.json").write_text(json.dumps({**settings, "chat_template": ONE}), "utf-8")
    for seed, name in enumerate(("a", "b"), 1):
        families.fine_tune(folder / "base", folder / name, seed=seed)
        (folder / name / "chat_template.jinja").write_text(f"\n{OTHER}  \n", "utf-8")
    return folder


def template(models: Path, name: str, **more: object) -> tuple[str, str]:
    """The template that transformers reads from a merge, and the notes."""
    transformers = pytest.importorskip("transformers")
    listed = [{"model": one, "parameters": {"weight": 1}} for one in ("base", "a", "b")]
    made = merge(from_mapping({"merge_method": "linear", "models": listed, **more}, models), models / name)
    text = transformers.AutoTokenizer.from_pretrained(made.path).chat_template
    return text, "\n".join(map(str, made.report["notes"]))  # type: ignore[call-overload]


def test_without_the_key_that_of_the_base_is_kept(models: Path) -> None:
    text, notes = template(models, "kept")
    assert text == ONE and "differ; that of" in notes


def test_auto_is_the_commonest_of_the_models(models: Path) -> None:
    text, notes = template(models, "auto", chat_template="auto")
    assert text == OTHER and "the commonest of the models" in notes and "differ" not in notes


def test_a_template_of_the_recipe_is_written_as_it_is(models: Path) -> None:
    own = f"{ONE}\r\n{OTHER}\n"
    made = models / "own"
    template(models, "own", chat_template=own)
    assert (made / "chat_template.jinja").read_bytes().decode() == own
    assert "chat_template" not in json.loads((made / "tokenizer_config.json").read_text("utf-8"))


def test_another_template_is_another_merge(models: Path) -> None:
    listed = [{"model": one, "parameters": {"weight": 1}} for one in ("a", "b")]
    ids = {
        merge(from_mapping({"merge_method": "linear", "models": listed, **more}, models), models / name).id
        for name, more in {"x": {}, "y": {"chat_template": ONE}, "z": {"chat_template": OTHER}}.items()
    }
    assert len(ids) == 3
