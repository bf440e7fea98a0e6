"""Checkpoints of a few thousand numbers with the tensor names of Qwen3, made of a seed, for the tests of merging."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

Tensors = dict[str, npt.NDArray[np.float32]]

LAYERS = 3
CONFIG = {
    "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "hidden_size": 8, "intermediate_size": 16,
    "num_hidden_layers": LAYERS, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 4, "vocab_size": 32,
    "tie_word_embeddings": True, "max_position_embeddings": 64, "rms_norm_eps": 1e-6, "rope_theta": 10000.0,
    "hidden_act": "silu", "attention_bias": False, "torch_dtype": "float32",
}  # fmt: skip
_LAYER = {
    "input_layernorm": (8,), "mlp.down_proj": (8, 16), "mlp.gate_proj": (16, 8), "mlp.up_proj": (16, 8),
    "post_attention_layernorm": (8,), "self_attn.k_norm": (4,), "self_attn.k_proj": (4, 8), "self_attn.o_proj": (8, 8),
    "self_attn.q_norm": (4,), "self_attn.q_proj": (8, 8), "self_attn.v_proj": (4, 8),
}  # fmt: skip
SHAPES: dict[str, tuple[int, ...]] = {
    "model.embed_tokens.weight": (32, 8),
    **{f"model.layers.{n}.{name}.weight": shape for n in range(LAYERS) for name, shape in _LAYER.items()},
    "model.norm.weight": (8,),
}


def tensors(seed: int, *, start: int = 0, distance: float = 0.3) -> Tensors:
    """The weights of a start, moved by random steps; norms only a little, so that both ways of slerp occur."""
    base, step = np.random.default_rng(start), np.random.default_rng([start, seed])
    found = {}
    for name, shape in SHAPES.items():
        own, move = base.standard_normal(shape), step.standard_normal(shape)
        far = distance / 30 if len(shape) == 1 else distance
        found[name] = ((1 + own * 0.1 if len(shape) == 1 else own) + (move * far if seed else 0)).astype(np.float32)
    return found


def write(
    folder: Path, content: Mapping[str, npt.NDArray[np.float32]], *, dtype: str = "F32", **config: object
) -> Path:
    """A model folder with these tensors in one file."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({**CONFIG, **config}, indent=1), "utf-8")
    write_file(folder / "model.safetensors", content, dtype)
    return folder


def write_file(path: Path, content: Mapping[str, npt.NDArray[np.float32]], dtype: str = "F32") -> None:
    """A safetensors file by the format's own description, not by the code under test."""
    data = {name: _bytes(values, dtype) for name, values in content.items()}
    entries, start = {}, 0
    for name, stored in data.items():
        place = [start, start + len(stored)]
        entries[name] = {"dtype": dtype, "shape": list(content[name].shape), "data_offsets": place}
        start += len(stored)
    header = json.dumps({"__metadata__": {"format": "pt"}, **entries}).encode()
    header += b" " * (-len(header) % 8)
    path.write_bytes(len(header).to_bytes(8, "little") + header + b"".join(data.values()))


def _bytes(values: npt.NDArray[np.float32], dtype: str) -> bytes:
    if dtype == "BF16":  # cut, not rounded: whatever it is, it is what the file holds
        return (values.astype("<f4").view("<u4") >> 16).astype("<u2").tobytes()
    return values.astype({"F16": "<f2", "F32": "<f4"}[dtype]).tobytes()
