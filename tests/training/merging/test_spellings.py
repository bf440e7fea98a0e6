"""A base from the hub and its own fine-tune are merged, whichever versions of the libraries wrote the two folders.

What a user would lose: the everyday merge. Every kind of model is made small in the spelling of transformers 4, changed
and saved again by the transformers that is installed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from adapters import tiny
from adapters.spec import open_reranker
from tests.training.fitting import QUICK, some_examples, tensors
from tests.training.merging import families
from tests.training.merging.families import FAMILIES
from training.fit import fit, job
from training.merging.merge import Merged, merge
from training.merging.mergekit_yaml import from_options

QUERIES, DOCUMENTS = (
    ["what is bread", "who when where"],
    ["yeast makes gas in dough", "the moon", "passage of a search"],
)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, Path]]:
    """Base and fine-tune of a family, made once."""
    folder = tmp_path_factory.mktemp("families")

    def make(name: str) -> tuple[Path, Path]:
        base, tuned = folder / name, folder / f"{name}-tuned"
        if not tuned.exists():
            families.fine_tune(families.hub(base, name), tuned)
        return base, tuned

    return make


def merged(out: Path, *models: Path, method: str = "linear", **options: Any) -> Merged:
    return merge(from_options(method, [str(one) for one in models], **options), out)


def notes(one: Merged) -> str:
    return "\n".join(one.report["notes"])  # type: ignore[arg-type]


def logits(folder: Path) -> torch.Tensor:
    """Of a pair, by transformers; nothing may be missing from the folder and nothing superfluous."""
    architecture = families.read_json(folder / "config.json")["architectures"][0]
    model, report = getattr(transformers, architecture).from_pretrained(folder, output_loading_info=True)
    assert not report["missing_keys"] and not report["unexpected_keys"]
    read = transformers.AutoTokenizer.from_pretrained(folder)(QUERIES[0], DOCUMENTS[0], return_tensors="pt")
    with torch.inference_mode():
        made: torch.Tensor = model(input_ids=read["input_ids"], attention_mask=read["attention_mask"]).logits
    return made


def scores(folder: Path) -> np.ndarray[Any, Any]:
    """Of all pairs, by the harness; a plain language model is asked as Qwen3-Reranker."""
    declares = (folder / "modules.json").exists() or "bert" in str(json.loads((folder / "config.json").read_text()))
    pairs = np.array([(query, document) for query in range(2) for document in range(3)])
    return np.asarray(
        open_reranker(f"{folder}{'' if declares else '?template=qwen3'}").score(QUERIES, DOCUMENTS, pairs)
    )


@pytest.mark.parametrize("name", FAMILIES)
def test_the_two_spellings_are_different_files(name: str, two: Any) -> None:
    """Else the tests below would promise nothing."""
    one, other = (families.read_json(folder / "config.json") for folder in two(name))
    assert {"torch_dtype", "dtype"} <= {key for key in {*one, *other} if one.get(key) != other.get(key)}


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("method", ["linear", "slerp"])
def test_the_ends_are_the_ingredients_whichever_is_named_first(
    name: str, method: str, two: Any, tmp_path: Path
) -> None:
    base, tuned = two(name)
    for first, second in ((base, tuned), (tuned, base)):
        for place, same in enumerate((first, second)):
            options: dict[str, Any] = {"t": float(place)} if method == "slerp" else {"weights": [1 - place, place]}
            made = merged(tmp_path / f"{first.name}-{place}", first, second, method=method, **options)
            assert torch.equal(logits(made.path), logits(same))
            assert (made.path / "config.json").read_bytes() == (first / "config.json").read_bytes()


@pytest.mark.parametrize("name", FAMILIES)
def test_half_way_is_the_mean_of_the_weights_and_says_nothing_untrue(name: str, two: Any, tmp_path: Path) -> None:
    base, tuned = two(name)
    made = merged(tmp_path / "out", base, tuned)
    one, other, out = (tensors(folder) for folder in (base, tuned, made.path))
    assert out.keys() == one.keys()
    assert all(torch.allclose(out[key], (one[key] + other[key]) / 2) for key in out)  # type: ignore[operator, arg-type]
    assert made.report["notes"] == []


@pytest.mark.parametrize("name", ["qwen3", "bert", "xlm-roberta", "modernbert"])
def test_our_own_scores_at_the_ends_are_those_of_the_ingredients(name: str, two: Any, tmp_path: Path) -> None:
    base, tuned = two(name)
    for place, same in enumerate((base, tuned)):
        made = merged(tmp_path / f"{place}", base, tuned, weights=[1 - place, place])
        np.testing.assert_array_equal(scores(made.path), scores(same))
    assert not np.array_equal(scores(base), scores(tuned))


@pytest.mark.parametrize("name", ["qwen3", "bert", "xlm-roberta", "modernbert"])
def test_a_base_and_what_our_training_made_of_it_are_merged(name: str, two: Any, tmp_path: Path) -> None:
    base, _ = two(name)
    fit(job(str(base), some_examples(), QUICK), tmp_path / "fitted")
    made = merged(tmp_path / "out", base, tmp_path / "fitted", weights=[0, 1])
    np.testing.assert_array_equal(scores(made.path), scores(tmp_path / "fitted"))


@pytest.mark.parametrize("method", ["ties", "dare_linear", "task_arithmetic"])
def test_methods_with_a_base_take_it_in_the_older_spelling(method: str, two: Any, tmp_path: Path) -> None:
    base, tuned = two("modernbert")
    other = families.fine_tune(base, tmp_path / "other", seed=2)
    made = merged(tmp_path / "out", base, tuned, other, method=method, base=str(base), weights=[1, 0.5, 0.5])
    assert np.isfinite(scores(made.path)).all()


def test_a_merged_folder_loads_in_sentence_transformers(two: Any, tmp_path: Path) -> None:
    library = pytest.importorskip("sentence_transformers")
    base, tuned = two("bert")
    made = merged(tmp_path / "out", base, tuned, weights=[0, 1])
    pairs = [(query, document) for query in QUERIES for document in DOCUMENTS]
    said = [library.CrossEncoder(str(one), device="cpu").predict(pairs) for one in (made.path, tuned)]
    np.testing.assert_array_equal(*said)


@pytest.mark.parametrize("name", ["qwen3", "modernbert", "xlm-roberta"])
def test_a_fine_tune_by_transformers_4_of_a_base_saved_by_5_is_merged_too(name: str, two: Any, tmp_path: Path) -> None:
    _, modern = two(name)
    old = families.copied(two(name)[0], tmp_path / "old")
    assert merged(tmp_path / "out", modern, old).report["notes"] == []


def test_the_same_model_saved_twice_gives_the_same_merge(two: Any, tmp_path: Path) -> None:
    base, tuned = two("qwen3")
    first = merged(tmp_path / "out", base, tuned)
    assert merged(tmp_path / "out", base, tuned).id == first.id


def test_an_embedder_and_its_fine_tune_by_another_version_of_sentence_transformers_are_merged(tmp_path: Path) -> None:
    library = pytest.importorskip("sentence_transformers")
    base = tiny.qwen3_embedder(tmp_path / "base")
    families.as_transformers_4(base)
    library.SentenceTransformer(str(base), device="cpu").save_pretrained(str(tmp_path / "tuned"))
    assert json.loads((base / "modules.json").read_text()) != json.loads((tmp_path / "tuned/modules.json").read_text())
    made = merged(tmp_path / "out", base, tmp_path / "tuned")
    vectors = [library.SentenceTransformer(str(one), device="cpu").encode(DOCUMENTS) for one in (base, made.path)]
    np.testing.assert_array_equal(*vectors)
