"""What a merge promises: nothing is rounded that need not be, nothing half-written looks finished, models load."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from adapters import tiny
from adapters.contents import Contents
from adapters.errors import DataError, ModelError, UsageError
from adapters.kinds import kind_of
from adapters.models import open_folder
from tests.fixtures import Command
from tests.training.merging import pico
from training.merging import merge as module
from training.merging.merge import Merged, merge
from training.merging.mergekit_yaml import from_mapping, from_options
from training.merging.methods import METHODS
from training.merging.tensors import decode, open_file


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """base, a, b and c in bfloat16."""
    for name, seed in {"base": 0, "a": 1, "b": 2, "c": 3}.items():
        content = pico.tensors(seed)
        content["model.embed_tokens.weight"][0, seed % 2] = -0.0  # which 1 * x + 0 * y would make 0
        pico.write(tmp_path / name, content, dtype="BF16")
    return tmp_path


def slerp(models: Path, one: str, other: str, t: float, out: str = "out", **more: str) -> Merged:
    return merge(from_options("slerp", [str(models / one), str(models / other)], t=t, **more), models / out)


def weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


@pytest.mark.parametrize(("t", "same"), [(0.0, "a"), (1.0, "b")])
def test_an_end_of_the_arc_is_the_checkpoint_itself(models: Path, t: float, same: str) -> None:
    slerp(models, "a", "b", t)
    assert weights(models / "out") == weights(models / same)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", ["F32", "BF16", "F16"])
def test_a_merge_of_equal_models_is_that_model_bit_by_bit(method: str, dtype: str, tmp_path: Path) -> None:
    names = [str(pico.write(tmp_path / name, pico.tensors(1), dtype=dtype)) for name in ("x", "y", "z")]
    most = METHODS[method].most or 2
    rule, settings = METHODS[method], {"t": 0.3} if method == "slerp" else {}
    base = names[2] if rule.base == "required" and method != "slerp" else None
    merge(from_options(method, names[:most], base=base, **settings), tmp_path / "out")
    assert weights(tmp_path / "out") == weights(tmp_path / "x")


def test_a_merge_that_changes_nothing_has_the_identity_of_its_base(tmp_path: Path) -> None:
    """So no pair is scored again for it: the ledger knows the model."""
    models = [str(tiny.cross_encoder(tmp_path / name, seed=seed)) for seed, name in enumerate("ab")]
    merge(from_options("slerp", models, t=0.0), tmp_path / "out")
    assert Contents(open_folder(str(tmp_path / "out"))).identity() == Contents(open_folder(models[0])).identity()


def test_swapping_the_checkpoints_and_t_gives_the_same_bytes(models: Path) -> None:
    slerp(models, "a", "b", 0.25, "one")
    slerp(models, "b", "a", 0.75, "two")
    np.testing.assert_allclose(_read(models / "one"), _read(models / "two"), rtol=2**-7)


def test_sequential_slerp_of_two_is_slerp_and_its_order_matters_for_three(models: Path) -> None:
    names = [str(models / name) for name in "abc"]
    merge(from_options("sequential_slerp", names[:2], weights=[3, 1]), models / "two")
    slerp(models, "a", "b", 0.25, "slerp")
    assert weights(models / "two") == weights(models / "slerp")
    merge(from_options("sequential_slerp", names), models / "abc")
    merge(from_options("sequential_slerp", names[::-1]), models / "cba")
    assert weights(models / "abc") != weights(models / "cba")


def test_several_files_in_and_out_give_the_same_tensors(models: Path) -> None:
    _split(models / "a")
    recipe = from_options("linear", [str(models / "b"), str(models / "a")])
    merge(recipe, models / "one")
    merge(recipe, models / "many", shard_bytes=2_000)
    index = json.loads((models / "many" / "model.safetensors.index.json").read_text())
    files = sorted((models / "many").glob("*.safetensors"))
    assert len(files) > 2 and {file.name for file in files} == set(index["weight_map"].values())
    assert set(index["weight_map"]) == set(pico.SHAPES)
    np.testing.assert_array_equal(_read(models / "one"), _read(models / "many"))


def test_the_base_s_own_files_are_the_files_of_the_output(models: Path) -> None:
    _split(models / "a")
    slerp(models, "a", "b", 0.5)
    assert {f.name for f in (models / "out").glob("*.safetensors*")} == {
        f.name for f in (models / "a").glob("*.safetensors*")
    }


def test_the_output_has_the_declared_format_and_says_so(models: Path) -> None:
    merged = slerp(models, "a", "b", 0.5, dtype="float32")
    assert {t.dtype for t in open_file(merged.path / "model.safetensors").tensors} == {"F32"}
    assert json.loads((merged.path / "config.json").read_text())["torch_dtype"] == "float32"
    assert json.loads((merged.path / "merge.json").read_text())["output_dtypes"] == ["F32"]


def test_bfloat16_is_rounded_to_the_nearest_not_cut(tmp_path: Path) -> None:
    names = [str(pico.write(tmp_path / n, pico.tensors(s), dtype="F32")) for n, s in (("a", 1), ("b", 2))]
    merge(from_options("linear", names), tmp_path / "exact")
    merge(from_options("linear", names, dtype="bfloat16"), tmp_path / "rounded")
    exact, rounded = _read(tmp_path / "exact"), _read(tmp_path / "rounded")
    assert np.abs((rounded - exact) / exact).max() <= 2.0**-8
    assert abs(((np.abs(rounded) - np.abs(exact)) / np.abs(exact)).mean()) < 2e-4


def test_what_does_not_fit_float16_is_refused_and_not_made_infinite(tmp_path: Path) -> None:
    big = {name: values * np.float32(1e5) for name, values in pico.tensors(1).items()}
    names = [str(pico.write(tmp_path / n, v, dtype="F32")) for n, v in (("a", big), ("b", pico.tensors(2)))]
    with pytest.raises(ModelError, match="does not fit into F16"):
        merge(from_options("linear", names, dtype="float16"), tmp_path / "out")


def test_dare_draws_the_same_again_and_others_with_another_seed(models: Path) -> None:
    recipe = {
        "merge_method": "dare_ties",
        "base_model": "base",
        "parameters": {"weight": 0.5, "density": 0.5},
        "models": [{"model": "a"}, {"model": "b"}],
    }
    for out, seed in (("one", 0), ("two", 0), ("three", 1)):
        merge(from_mapping({**recipe, "seed": seed}, models), models / out)
    assert weights(models / "one") == weights(models / "two") != weights(models / "three")


def test_the_report_says_which_tensors_were_really_slerped(models: Path) -> None:
    near = {name: values + np.float32(1e-3) for name, values in pico.tensors(1).items()}
    pico.write(models / "near", near, dtype="F32")
    pico.write(models / "a32", pico.tensors(1), dtype="F32")
    far = slerp(models, "a", "b", 0.5, "far").report["tensors_by_path"]
    assert set(slerp(models, "a32", "near", 0.5).report["tensors_by_path"]) == {"linear: cosine above 0.9995"}  # type: ignore[call-overload]
    assert far["slerp"] > 20  # type: ignore[index]
    rows = json.loads((models / "far" / "merge-report.json").read_text())["tensors"]
    one, other = pico.tensors(1)["model.embed_tokens.weight"], pico.tensors(2)["model.embed_tokens.weight"]
    (row,) = [row for row in rows if row["name"] == "model.embed_tokens.weight"]
    cosine = (one * other).sum() / np.linalg.norm(one) / np.linalg.norm(other)
    assert row["cosine"] == pytest.approx(cosine, abs=0.01)
    assert row["norm_ratio"] == pytest.approx(np.linalg.norm(other) / np.linalg.norm(one), rel=0.01)
    assert "| slerp |" in (models / "far" / "merge-report.md").read_text()


def test_the_manifest_names_every_source_by_content(models: Path) -> None:
    merged = slerp(models, "a", "b", 0.5)
    manifest = json.loads((merged.path / "merge.json").read_text())
    assert [s["weights"] for s in manifest["sources"]] == [
        Contents(open_folder(str(models / name))).identity()["weights"] for name in "ab"
    ]
    assert manifest["recipe"]["merge_method"] == "slerp" and manifest["recipe"]["parameters"] == [{"t": 0.5}]


def test_the_same_merge_is_made_once_and_another_does_not_overwrite_it(models: Path) -> None:
    first = slerp(models, "a", "b", 0.5)
    again = slerp(models, "a", "b", 0.5)
    assert (first.new, again.new, again.id) == (True, False, first.id)
    with pytest.raises(UsageError, match="holds another merge"):
        slerp(models, "a", "b", 0.6)
    with pytest.raises(UsageError, match="exists and is not a merge"):
        slerp(models, "b", "c", 0.5, "a")


def test_a_merge_that_stops_in_the_middle_leaves_nothing(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "indexes", full)
    before = sorted(models.iterdir())
    with pytest.raises(OSError, match="No space left"):
        slerp(models, "a", "b", 0.5)
    assert sorted(models.iterdir()) == before


def test_a_full_disk_is_reported_before_anything_is_written(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10}))
    with pytest.raises(DataError, match="GB are free"):
        slerp(models, "a", "b", 0.5)


@pytest.mark.parametrize(
    ("make", "kind"),
    [(tiny.cross_encoder, "cross-encoder"), (tiny.qwen3_embedder, "embedder"), (tiny.bert_embedder, "embedder")],
)
def test_a_merged_folder_is_a_model_of_its_kind(make: object, kind: str, tmp_path: Path) -> None:
    models = [str(make(tmp_path / name, seed=seed)) for seed, name in enumerate("ab")]  # type: ignore[operator]
    merge(from_options("slerp", models, t=0.4), tmp_path / "out")
    assert kind_of(open_folder(str(tmp_path / "out"))) == kind


def test_a_merged_cross_encoder_loads_in_transformers_with_every_weight(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    models = [str(tiny.cross_encoder(tmp_path / name, seed=seed)) for seed, name in enumerate("ab")]
    merge(from_options("linear", models, weights=[1, 3]), tmp_path / "out")
    loaded, missing = transformers.AutoModelForSequenceClassification.from_pretrained(
        tmp_path / "out", output_loading_info=True
    )
    assert not missing["missing_keys"] and not missing["unexpected_keys"]
    a, b = (transformers.AutoModelForSequenceClassification.from_pretrained(model) for model in models)
    mean = 0.25 * a.classifier.weight + 0.75 * b.classifier.weight
    np.testing.assert_allclose(loaded.classifier.weight.detach(), mean.detach(), atol=1e-7)


def test_the_command_merges_by_options_and_by_a_recipe(command: Command, models: Path) -> None:
    recipe = "merge_method: slerp\nbase_model: a\nmodels: [{model: a}, {model: b}]\nparameters: {t: 0.5}\n"
    (models / "recipe.yaml").write_text(recipe, "utf-8")
    said = command("merge", models / "recipe.yaml", models / "one")
    assert said.code == 0 and "slerp" in said.out and "written" in said.out
    said = command(
        "merge",
        models / "two",
        "--method",
        "slerp",
        "--model",
        models / "a",
        "--model",
        models / "b",
        "--t",
        0.5,
        "--json",
    )
    assert json.loads(said.out)["tensors_by_path"]["slerp"] > 0
    assert weights(models / "one") == weights(models / "two")
    assert command("merge", models / "recipe.yaml").code == 2
    assert command("merge", models / "recipe.yaml", models / "x", "--t", 0.1).code == 2


def _read(folder: Path) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    found = {t.name: t for file in folder.glob("*.safetensors") for t in open_file(file).tensors}
    return np.concatenate([decode(t.raw(), t.dtype, np.empty(t.size, np.float32)) for _, t in sorted(found.items())])


def _split(folder: Path) -> None:
    """The checkpoint in two files, as large ones are."""
    content = {
        t.name: decode(t.raw(), t.dtype, np.empty(t.size, np.float32)).reshape(t.shape)
        for t in open_file(folder / "model.safetensors").tensors
    }
    (folder / "model.safetensors").unlink()
    names = sorted(content)
    parts = {"model-00001-of-00002.safetensors": names[:10], "model-00002-of-00002.safetensors": names[10:]}
    for file, inside in parts.items():
        pico.write_file(folder / file, {name: content[name] for name in inside}, "BF16")
    weight_map = {name: file for file, inside in parts.items() for name in inside}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
