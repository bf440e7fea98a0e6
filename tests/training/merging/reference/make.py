"""Makes the stored results again, with mergekit 0.1.5, in an environment that has it:

    python tests/training/merging/reference/make.py [FOLDER]

FOLDER is where the results go, one file per recipe and format; without it, next to this file.
"""

from __future__ import annotations

import json
import sys
import tempfile
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
    run_merge(MergeConfiguration.model_validate(text), str(out), MergeOptions(copy_tokenizer=False, quiet=True))
    (weights,) = out.glob("*.safetensors")
    return weights


def versions() -> dict[str, str]:
    """Of what made the results."""
    from importlib.metadata import version

    return {name: version(name) for name in ("mergekit", "torch", "transformers", "numpy")}


def _absolute(entry: dict[str, Any], models: Path) -> dict[str, Any]:
    keys = ("model", "base_model")
    return {key: str(models / value) if key in keys else value for key, value in entry.items()}


if __name__ == "__main__":
    main()
