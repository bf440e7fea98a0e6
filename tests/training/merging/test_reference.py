"""The same numbers as mergekit 0.1.5: who merges by a published recipe gets the checkpoint that its author got.

Stored results are compared always; the package itself where MERGEKIT_PYTHON names the python of an environment with it.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import yaml

from tests.skips import OPTIONAL
from tests.training.merging import pico
from training.merging.merge import merge
from training.merging.mergekit_yaml import from_mapping
from training.merging.tensors import decode, open_file

HERE = Path(__file__).parent / "reference"
RECIPES = yaml.safe_load((HERE / "recipes.yaml").read_text("utf-8"))
STORED = sorted(file.name.removesuffix(".safetensors") for file in HERE.glob("*.safetensors"))
SEEDS = {"base": 0, "a": 1, "b": 2, "c": 3}
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """base, a, b and c in both formats, as make.py made them."""
    folder = tmp_path_factory.mktemp("models")
    for dtype in ("f32", "bf16"):
        for name, seed in SEEDS.items():
            pico.write(folder / dtype / name, pico.tensors(seed), dtype=dtype.upper())
    return folder


def read(file: Path) -> dict[str, npt.NDArray[np.float32]]:
    return {
        tensor.name: decode(tensor.raw(), tensor.dtype, np.empty(tensor.size, np.float32))
        for tensor in open_file(file).tensors
    }


def ours(case: str, models: Path, out: Path) -> dict[str, npt.NDArray[np.float32]]:
    name, dtype = case.rsplit(".", 1)
    merge(from_mapping(RECIPES[name], models / dtype), out)
    return read(out / "model.safetensors")


def assert_equal(
    mine: dict[str, npt.NDArray[np.float32]], theirs: dict[str, npt.NDArray[np.float32]], dtype: str
) -> None:
    assert mine.keys() == theirs.keys()
    for name, values in theirs.items():
        # float32 sums in another order; in bfloat16 that may fall on the other side of a rounding: one unit.
        unit = 2.0**-7 if dtype == "bf16" else 5e-7
        np.testing.assert_allclose(mine[name], values, rtol=unit, atol=5e-7, err_msg=name)


@pytest.mark.parametrize("case", STORED)
def test_a_recipe_gives_the_stored_numbers_of_mergekit(case: str, models: Path, tmp_path: Path) -> None:
    assert_equal(ours(case, models, tmp_path / "out"), read(HERE / f"{case}.safetensors"), case.rsplit(".", 1)[1])


def test_every_recipe_has_a_stored_result_and_the_package_that_made_it_is_named() -> None:
    assert {case.rsplit(".", 1)[0] for case in STORED} == set(RECIPES)
    assert json.loads((HERE / "made_by.json").read_text("utf-8"))["mergekit"] == "0.1.5"


def test_both_ways_of_slerp_are_among_the_stored_results(models: Path, tmp_path: Path) -> None:
    merged = merge(from_mapping(RECIPES["slerp"], models / "f32"), tmp_path / "out")
    assert set(merged.report["tensors_by_path"]) == {"slerp", "linear: cosine above 0.9995"}  # type: ignore[call-overload]


def mergekit_python() -> str:
    """The python of an environment with mergekit."""
    python = os.environ.get("MERGEKIT_PYTHON")
    if python is None:
        pytest.skip(f"{OPTIONAL}: MERGEKIT_PYTHON, the python of an environment with mergekit 0.1.5")
    return python


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What the package itself says now."""
    folder = tmp_path_factory.mktemp("fresh")
    subprocess.run([mergekit_python(), HERE / "make.py", folder], check=True, capture_output=True, cwd=ROOT)
    yield folder


def test_mergekit_itself_still_says_what_is_stored(fresh: Path) -> None:
    assert json.loads((fresh / "made_by.json").read_text("utf-8"))["mergekit"] == "0.1.5"
    for case in STORED:
        assert_equal(read(fresh / f"{case}.safetensors"), read(HERE / f"{case}.safetensors"), "f32")


_TUNED = {"model": "tuned", "parameters": {"weight": 0.8, "density": 0.6}}
SPELLED = {
    "linear": {
        "models": [{"model": "base", "parameters": {"weight": 0.3}}, {"model": "tuned", "parameters": {"weight": 0.7}}]
    },
    "slerp": {"base_model": "base", "models": [{"model": "base"}, {"model": "tuned"}], "parameters": {"t": 0.4}},
    "ties": {"base_model": "base", "models": [_TUNED]},
    # nothing is dropped, because the random numbers are others
    "dare_ties": {"base_model": "base", "models": [{"model": "tuned", "parameters": {"weight": 0.8, "density": 1.0}}]},
    "dare_linear": {"base_model": "base", "models": [{"model": "tuned", "parameters": {"weight": 1, "density": 1.0}}]},
}
_MERGE = """import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from make import merged
for name, recipe in json.loads(sys.argv[3]).items():
    merged(recipe, Path(sys.argv[2]), Path(sys.argv[2]) / f"theirs-{name}")
"""


@pytest.mark.parametrize("name", ["qwen3", "modernbert", "bert", "xlm-roberta", "llama", "gemma2", "deberta-v2"])
def test_two_spellings_of_a_model_give_the_numbers_of_mergekit(name: str, tmp_path: Path) -> None:
    from tests.training.merging import families

    python = mergekit_python()
    families.fine_tune(families.hub(tmp_path / "base", name), tmp_path / "tuned")
    recipes = {method: {"merge_method": method, "dtype": "float32", **rest} for method, rest in SPELLED.items()}
    command = [python, "-c", _MERGE, HERE, tmp_path, json.dumps(recipes)]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    for method, recipe in recipes.items():
        merge(from_mapping(recipe, tmp_path), tmp_path / f"ours-{method}")
        theirs = [read(file) for file in (tmp_path / f"theirs-{method}").glob("*.safetensors")]
        ours = read(tmp_path / f"ours-{method}" / "model.safetensors")
        assert ours.keys() == {tensor for one in theirs for tensor in one}
        for one in theirs:
            for tensor, values in one.items():
                np.testing.assert_allclose(ours[tensor], values, rtol=0, atol=1e-6, err_msg=f"{method} {tensor}")


@pytest.mark.parametrize(
    "section", [{"tokenizer": {"source": "base"}}, {"tokenizer": {"source": "union"}}, {"tokenizer_source": "union"}]
)
def test_a_tokenizer_section_gives_the_numbers_of_mergekit(section: dict[str, object], tmp_path: Path) -> None:
    from tests.training.merging import families

    python = mergekit_python()
    families.fine_tune(families.hub(tmp_path / "base", "bert"), tmp_path / "tuned")
    recipe = {"merge_method": "slerp", "dtype": "float32", **SPELLED["slerp"], **section}
    command = [python, "-c", _MERGE, HERE, tmp_path, json.dumps({"slerp": recipe})]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    merge(from_mapping(recipe, tmp_path), tmp_path / "ours")
    (theirs,) = (read(file) for file in (tmp_path / "theirs-slerp").glob("*.safetensors"))
    ours = read(tmp_path / "ours" / "model.safetensors")
    for tensor, values in theirs.items():
        np.testing.assert_allclose(ours[tensor], values, rtol=0, atol=1e-6, err_msg=tensor)


def _row_recipe(source: object, *, force: bool = True, token: str = "the") -> dict[str, object]:
    return {"source": "base", "tokens": {token: {"source": source, "force": force}}}


TOKENS: dict[str, dict[str, object]] = {
    "zero": _row_recipe({"kind": "zero"}),
    "model": _row_recipe("TUNED"),
    "long": _row_recipe({"model": {"path": "base"}}),
    "token": _row_recipe({"kind": "model_token", "model": "tuned", "token": "a"}),
    "id": _row_recipe({"kind": "model_token", "model": "base", "token_id": 7}),
    "not forced": _row_recipe({"kind": "zero"}, force=False),
    "new": {
        "source": "union",
        "tokens": {
            "<new>": {"source": {"kind": "model_token", "model": "tuned", "token": "the"}},
            "<empty>": {"source": {"kind": "zero"}},
        },
    },
    "padded": {"source": "base", "pad_to_multiple_of": 48},
    "padded and new": {
        "source": "base",
        "pad_to_multiple_of": 64,
        "tokens": {"<new>": {"source": {"kind": "model_token", "model": "base", "token_id": 5}, "force": True}},
    },
}


@pytest.mark.parametrize(("name", "method"), [("qwen3", "linear"), ("bert", "slerp"), ("xlm-roberta", "ties")])
def test_rows_of_tokens_are_those_of_mergekit(name: str, method: str, tmp_path: Path) -> None:
    """Numbers, tokens and their ids."""
    transformers = pytest.importorskip("transformers")
    from tests.training.merging import families

    python = mergekit_python()
    families.fine_tune(families.hub(tmp_path / "base", name), tmp_path / "tuned", distance=0.1)
    known = transformers.AutoTokenizer.from_pretrained(tmp_path / "base").get_vocab()
    first, second = [token for token in sorted(known) if token.strip("▁").isalpha() and len(token) > 3][:2]
    text = json.dumps(TOKENS).replace('"the"', json.dumps(first)).replace('"a"', json.dumps(second))
    text = text.replace("TUNED", str(tmp_path / "tuned"))
    recipes = {
        f"{number}": {"merge_method": method, "dtype": "float32", **SPELLED[method], "tokenizer": section}
        for number, section in enumerate(json.loads(text).values())
    }
    command = [python, "-c", _MERGE, HERE, tmp_path, json.dumps(recipes)]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    for case, recipe in recipes.items():
        merge(from_mapping(recipe, tmp_path), tmp_path / f"ours-{case}")
        (theirs,) = (read(file) for file in (tmp_path / f"theirs-{case}").glob("*.safetensors"))
        ours = read(tmp_path / f"ours-{case}" / "model.safetensors")
        assert ours.keys() == theirs.keys()
        for tensor, values in theirs.items():
            np.testing.assert_allclose(ours[tensor], values, rtol=0, atol=1e-6, err_msg=f"{case} {tensor}")
        sizes, tokens = [], []
        for side in ("ours", "theirs"):
            sizes.append(json.loads((tmp_path / f"{side}-{case}" / "config.json").read_text("utf-8"))["vocab_size"])
            tokens.append(transformers.AutoTokenizer.from_pretrained(tmp_path / f"{side}-{case}").get_vocab())
        assert sizes[0] == sizes[1]
        assert tokens[0] == tokens[1]


CHAT = "{% for message in messages %}[{{ message['role'] }}] {{ message['content'] }}\n{% endfor %}"
OTHER_CHAT = "  {% for message in messages %}<{{ message['content'] }}>{% endfor %}\n"


@pytest.mark.parametrize("wanted", [CHAT, "auto"])
@pytest.mark.parametrize("section", [{}, {"tokenizer": {"source": "base"}}])
def test_the_chat_template_is_that_of_mergekit(wanted: str, section: dict[str, object], tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    from tests.training.merging import families

    python = mergekit_python()
    families.hub(tmp_path / "base", "qwen3")
    for number, name in enumerate(("tuned", "third"), 1):
        families.fine_tune(tmp_path / "base", tmp_path / name, seed=number)
        (tmp_path / name / "chat_template.jinja").write_text(OTHER_CHAT)
    models = [{"model": name, "parameters": {"weight": 1}} for name in ("base", "tuned", "third")]
    recipe = {"merge_method": "linear", "models": models, "dtype": "float32", "chat_template": wanted, **section}
    command = [python, "-c", _MERGE, HERE, tmp_path, json.dumps({"chat": recipe})]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    merge(from_mapping(recipe, tmp_path), tmp_path / "ours-chat")
    found = transformers.AutoTokenizer.from_pretrained(tmp_path / "ours-chat").chat_template
    assert found == (CHAT if wanted == CHAT else OTHER_CHAT.strip())
    if section:  # the script makes mergekit copy no tokenizer files
        theirs = transformers.AutoTokenizer.from_pretrained(tmp_path / "theirs-chat").chat_template
        assert found == theirs
