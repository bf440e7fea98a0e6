"""Makes the stored results again, with mergekit 0.1.5, in an environment that has it:

    python tests/training/merging/reference/make.py [FOLDER]

FOLDER is where the results go, one file per recipe and format; without it, next to this file.

mergekit draws the random masks of DARE and DELLA from torch's generator, in the order in which it happens to reach the
tensors. Here it is given the numbers that the harness draws for the same tensor, so that all else can be compared.
"""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SEEDS = {"base": 0, "a": 1, "b": 2, "c": 3}
sys.path.insert(0, str(HERE.parents[3]))


def main() -> None:
    """Every recipe in float32, those of `IN_BFLOAT16` also in bfloat16."""
    import yaml

    from tests.training.merging import pico

    out = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    recipes = yaml.safe_load((HERE / "recipes.yaml").read_text("utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        for dtype, names in {"F32": list(recipes), "BF16": ["linear", "slerp"]}.items():
            models = Path(folder) / dtype
            for name, seed in SEEDS.items():
                pico.write(models / name, pico.tensors(seed), dtype=dtype)
            for name in names:
                result = merged(recipes[name], models, Path(folder) / f"{dtype}-{name}")
                (out / f"{name}.{dtype.lower()}.safetensors").write_bytes(result.read_bytes())
    (out / "made_by.json").write_text(json.dumps(versions(), indent=1) + "\n", "utf-8")


def merged(recipe: dict[str, Any], models: Path, out: Path) -> Path:
    """The weights that mergekit makes of a recipe whose models are folders in `models`."""
    from mergekit.config import MergeConfiguration
    from mergekit.merge import run_merge
    from mergekit.options import MergeOptions

    text = json.loads(json.dumps(recipe), object_hook=lambda entry: _absolute(entry, models))
    with our_draws(recipe.get("seed", 0)), layer_types_of_slices():
        run_merge(MergeConfiguration.model_validate(text), str(out), MergeOptions(copy_tokenizer=False, quiet=True))
    (weights,) = out.glob("*.safetensors")
    return weights


@contextlib.contextmanager
def our_draws(seed: int) -> Iterator[None]:
    """Let mergekit keep an element if the harness's random number for it is below mergekit's probability."""
    import torch
    from mergekit.merge_methods import generalized_task_arithmetic as module

    from training.merging.sparse import draws

    merge_group, sparsify, bernoulli = (
        module.GeneralizedTaskArithmeticMerge.merge_group,
        module.sparsify,
        torch.bernoulli,
    )
    state: dict[str, Any] = {}

    def named(self: Any, group: Any, /, **parameters: Any) -> Any:
        state.update(name=group.metadata.name, index=-1)
        return merge_group(self, group, **parameters)

    def counted(*arguments: Any, **parameters: Any) -> Any:
        state["index"] += 1
        return sparsify(*arguments, **parameters)

    def drawn(chance: Any) -> Any:
        numbers = draws(f"{seed}/{state['name']}/{state['index']}", 0, chance.numel())
        return (torch.from_numpy(numbers).reshape(chance.shape) < chance).to(chance.dtype)

    module.GeneralizedTaskArithmeticMerge.merge_group, module.sparsify, torch.bernoulli = named, counted, drawn
    try:
        yield
    finally:
        module.GeneralizedTaskArithmeticMerge.merge_group, module.sparsify = merge_group, sparsify
        torch.bernoulli = bernoulli


@contextlib.contextmanager
def layer_types_of_slices() -> Iterator[None]:
    """Let mergekit save the configuration of a stack. It changes the number of layers but not the list of their types,
    which transformers 5 refuses."""
    import mergekit.merge as module

    original = module.set_config_value

    def changed(config: Any, key: str, value: int) -> None:
        if key == "num_hidden_layers":
            config.__dict__["layer_types"] = ["full_attention"] * value
        original(config, key, value)

    module.set_config_value = changed
    try:
        yield
    finally:
        module.set_config_value = original


def versions() -> dict[str, str]:
    """Of what made the results."""
    from importlib.metadata import version

    return {name: version(name) for name in ("mergekit", "torch", "transformers", "numpy")}


def _absolute(entry: dict[str, Any], models: Path) -> dict[str, Any]:
    keys = ("model", "base_model", "path")
    return {
        key: str(models / value) if key in keys and isinstance(value, str) else value for key, value in entry.items()
    }


if __name__ == "__main__":
    main()
