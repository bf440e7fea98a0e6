"""Checks that a model of sentence-transformers has all its weights. transformers initialises missing weights randomly
and reports it only in a log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from adapters.contents import Contents
from adapters.errors import ModelError, need
from adapters.models import TRANSFORMERS, ModelFolder
from adapters.protocols import Floats
from adapters.routes import modules_of

_ADAPTER = "lora_"
"""In the names of an adapter's weights."""


def refuse_made_up_weights(folder: ModelFolder, model: Any, ask: Callable[[], Floats], *, pickle: bool) -> None:
    """Refuse a loaded model if weights that change its output are missing in its files.

    Weights without effect may be missing: many networks have an unused pooler that few files contain.

    Args:
        model: of sentence-transformers.
        ask: computes the model's output for some text.

    Raises:
        ModelError: weights are missing; the message names them.
    """
    torch = need("torch", "models", "running a model")
    places = [module.path for module in modules_of(folder) if module.name in TRANSFORMERS] or [""]
    for network, place in zip(_networks(model), places, strict=False):
        with torch.no_grad():
            missing = _missing(network, folder.path / place, pickle=pickle)
            counting = [name for name in missing if _counts(network, name, ask)]
        if counting:
            raise ModelError(
                f"'{folder.name}' lacks {len(counting)} weights, such as {counting[0]}: they would be random; fetch "
                "the model again, or save it with the library that trained it"
            )
        _refuse_unread_adapter(folder, network, pickle=pickle)


def _networks(model: Any) -> list[Any]:
    """The networks of a model, without those that are parts of another one."""
    transformers = need("transformers", "models", "running a model")
    networks = [one for one in model.modules() if isinstance(one, transformers.PreTrainedModel)]
    parts = {id(part) for network in networks for part in network.modules() if part is not network}
    return [network for network in networks if id(network) not in parts]


def _missing(network: Any, place: Path, *, pickle: bool) -> list[str]:
    """Names of the weights that a network has and its files lack. Reads only the names."""
    if getattr(network, "hf_quantizer", None) is not None:  # such weights cannot be left unread
        return []
    _, report = type(network).from_pretrained(
        network.name_or_path if (place / "adapter_config.json").is_file() else place,
        config=network.config,
        device_map="meta",
        use_safetensors=None if pickle else True,
        output_loading_info=True,
        local_files_only=True,
        trust_remote_code=False,
    )
    return sorted(map(str, report["missing_keys"]))


def _counts(network: Any, name: str, ask: Callable[[], Floats]) -> bool:
    """Whether the output changes with a weight. A weight that cannot be found counts."""
    weight = _tensors(network).get(name)
    if weight is None:
        return True
    before, kept = ask(), weight.clone()
    weight.copy_(weight * 1.5 + 1)
    after = ask()
    weight.copy_(kept)
    return not np.array_equal(before, after, equal_nan=True)


def _tensors(network: Any) -> Mapping[str, Any]:
    named = (*network.named_parameters(), *network.named_buffers())
    return {name.replace(".base_layer.", "."): tensor for name, tensor in named}


def _refuse_unread_adapter(folder: ModelFolder, network: Any, *, pickle: bool) -> None:
    """Refuse an adapter whose weights were not loaded: transformers skips weights that do not fit and initialises
    missing ones. Names differ between classes of model, so the weights are compared by their sums."""
    if folder.base is None:
        return
    files = [folder.path / name for name in Contents(folder, pickle).weights if name.endswith(".safetensors")]
    if not files:
        return
    torch = need("torch", "models", "running a model")
    made = _sums(_tensors(network).items(), torch.float64)
    read = [pair for file in files for pair in _read(file)]
    # the network may have rounded them on the way
    ways = (_sums(read, dtype) for dtype in (torch.float64, torch.bfloat16, torch.float16))
    if not any(len(made) == len(saved) and np.allclose(made, saved, rtol=1e-6, atol=1e-6) for saved in ways):
        raise ModelError(
            f"'{folder.name}': the weights of the adapter do not fit its base model; check base_model_name_or_path, "
            "and that the adapter was saved from the class of model that it is used with"
        )


def _sums(tensors: Iterable[tuple[str, Any]], dtype: Any) -> list[float]:
    """The sum of each weight of an adapter, rounded to a type, in ascending order."""
    return sorted(float(tensor.to(dtype).double().sum()) for name, tensor in tensors if _ADAPTER in name)


def _read(file: Path) -> Iterator[tuple[str, Any]]:
    safetensors = need("safetensors", "models", "running a model")
    with safetensors.safe_open(str(file), "pt") as opened:
        for name in opened.keys():  # noqa: SIM118 - it is no mapping
            yield name, opened.get_tensor(name)
