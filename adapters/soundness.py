"""Checks that the files of a model folder can be loaded, without reading weights or importing torch.

It reports a broken download, a Git LFS pointer, a tokenizer that was changed without the network, or a missing library
before any expensive work starts.
"""

from __future__ import annotations

import importlib.util
import json
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from adapters.contents import Contents
from adapters.errors import ModelError, class_of
from adapters.models import LFS_ADVICE, LFS_POINTER, ModelFolder, read_json
from adapters.routes import networks_of

_LISTS = {"modules.json"}
_NO_WORDS = {"special_tokens_map.json", "added_tokens.json"}
"""Files of a tokenizer that are useless without its other files."""
_HEADER = struct.Struct("<Q")
_LARGEST_HEADER = 100_000_000
"""Bytes; the maximum of the safetensors library."""
_EMBEDDINGS = ("embed_tokens.weight", "word_embeddings.weight", "wte.weight", "shared.weight", "tok_embeddings.weight")
_STATIC = "embedding.weight"
_LAYER = re.compile(r"\.(?:layers?|h)\.(\d+)\.")
_LAYERS = ("num_hidden_layers", "n_layer", "num_layers", "n_layers")
_LARGEST_NUMBER = 2**31
"""The largest plausible size of a network."""
_QUANTISERS = {
    "aqlm": ("aqlm", "aqlm"), "awq": ("gptqmodel", "gptqmodel"), "bitsandbytes": ("bitsandbytes", "bitsandbytes"),
    "bitsandbytes_4bit": ("bitsandbytes", "bitsandbytes"), "bitsandbytes_8bit": ("bitsandbytes", "bitsandbytes"),
    "compressed-tensors": ("compressed_tensors", "compressed-tensors"), "eetq": ("eetq", "eetq"),
    "fbgemm_fp8": ("fbgemm_gpu", "fbgemm-gpu"), "gptq": ("gptqmodel", "gptqmodel"), "hqq": ("hqq", "hqq"),
    "quanto": ("optimum.quanto", "optimum-quanto"), "torchao": ("torchao", "torchao"), "vptq": ("vptq", "vptq"),
}  # fmt: skip
"""By `quant_method`: the module that reads such weights, and its package on PyPI."""


@dataclass(frozen=True)
class HeaderEntry:
    """An entry of a safetensors header."""

    dtype: str
    shape: tuple[int, ...]


def refuse_unsound(folder: ModelFolder, *, pickle: bool = False) -> None:
    """Refuse a folder that cannot be loaded.

    Raises:
        ModelError: a file is a Git LFS pointer, cut off or damaged; the tokenizer has more tokens than the network has
            embeddings; the weights are quantised for a library that is not installed. The message names the file.
    """
    contents = Contents(folder, pickle)
    for network in networks_of(folder):
        refuse_unsound(network, pickle=pickle)
    refuse_pointers(folder)
    for name in (*contents.tokenizer, *contents.settings):
        if name.endswith(".json"):
            _refuse_damaged(folder.path / name)
    _refuse_no_tokenizer(folder)
    if folder.base is not None:
        refuse_unsound(folder.base, pickle=pickle)
        _refuse_missing(folder, "peft", "'rerank-harness[lora]'", "holds a LoRA adapter")
    _refuse_quantised(folder)
    tensors: dict[str, HeaderEntry] = {}
    for name in contents.weights:
        if name.endswith(".safetensors"):
            tensors |= safetensors_header(folder.path / name)
        else:
            refuse_pointer(folder.path / name)
    _refuse_other_sizes(folder, tensors)
    _refuse_unknown_tokens(folder, tensors)


def _refuse_no_tokenizer(folder: ModelFolder) -> None:
    """Refuse a folder without tokenizer files, for which transformers would create an empty tokenizer."""
    named = {Path(name).name for name in Contents(folder.tokenizer).tokenizer}
    if not {name for name in named if name not in _NO_WORDS and not name.endswith(".jinja")}:
        raise ModelError(
            f"'{folder.name}' has no tokenizer files (tokenizer.json, tokenizer_config.json); save the tokenizer that "
            "the model was trained with in its folder: tokenizer.save_pretrained(folder)"
        )


def safetensors_header(file: Path) -> dict[str, HeaderEntry]:
    """Names, types and shapes of the tensors of a file. The numbers themselves are not read.

    Raises:
        ModelError: the file is not a safetensors file, or shorter than its header says.
    """
    refuse_pointer(file)
    size = file.stat().st_size
    with file.open("rb") as content:
        start = content.read(_HEADER.size)
        length = _HEADER.unpack(start)[0] if len(start) == _HEADER.size else size
        if length > min(size - _HEADER.size, _LARGEST_HEADER):
            raise ModelError(f"{file}: cut off or damaged ({size:,} bytes, and no whole header); fetch the file again")
        raw = content.read(length)
    try:
        listed = {name: entry for name, entry in json.loads(raw).items() if name != "__metadata__"}
        tensors = {name: HeaderEntry(str(one["dtype"]), _sizes(one["shape"])) for name, one in listed.items()}
        end = max((_sizes(one["data_offsets"])[1] for one in listed.values()), default=0)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError):
        raise ModelError(f"{file}: damaged: its header cannot be read; fetch the file again") from None
    if _HEADER.size + length + end != size:
        whole = _HEADER.size + length + end
        raise ModelError(f"{file}: has {size:,} bytes, and its header says {whole:,}: cut off; fetch the file again")
    return tensors


def _sizes(numbers: object) -> tuple[int, ...]:
    """The sizes or places in a header: whole numbers of 64 bits."""
    if not isinstance(numbers, list) or not all(type(one) is int and 0 <= one < 1 << 63 for one in numbers):
        raise ValueError("not a list of sizes")
    return tuple(numbers)


def refuse_pointers(folder: ModelFolder) -> None:
    """Refuse Git LFS pointers among the small files.

    Raises:
        ModelError: a file is a pointer; the message names it.
    """
    contents = Contents(folder)
    for name in (*contents.tokenizer, *contents.settings):
        refuse_pointer(folder.path / name)


def _refuse_damaged(file: Path) -> None:
    if file.name in _LISTS:
        read_json(file, list)
    else:
        read_json(file, dict)


def refuse_pointer(file: Path) -> None:
    """Refuse a Git LFS pointer in place of a file.

    Raises:
        ModelError: the file is a pointer or cannot be read; the message names it.
    """
    try:
        with file.open("rb") as content:
            start = content.read(len(LFS_POINTER))
    except OSError as error:
        raise class_of(error, ModelError)(f"{file}: cannot be read: {error.strerror}") from None
    if start == LFS_POINTER:
        raise ModelError(f"{file}: {LFS_ADVICE}")


def separates_pairs(folder: ModelFolder) -> bool | None:
    """Whether the tokenizer puts a token between the two texts of a pair; None if there is no tokenizer.json."""
    content = _tokenizer(folder)
    return _separates(content["post_processor"]) if "post_processor" in content else None


def _tokenizer(folder: ModelFolder) -> Mapping[str, object]:
    return folder.tokenizer.json(f"{folder.tokenizer.transformer}tokenizer.json")


def _separates(processor: object) -> bool:
    if not isinstance(processor, Mapping):
        return False
    if processor.get("type") == "Sequence":
        inner = processor.get("processors")
        return any(map(_separates, inner if isinstance(inner, list) else []))
    if processor.get("type") != "TemplateProcessing":
        return processor.get("type") in ("BertProcessing", "RobertaProcessing")
    pair = processor.get("pair")
    names = [next(iter(part), "") for part in pair if isinstance(part, Mapping)] if isinstance(pair, list) else []
    texts = [place for place, name in enumerate(names) if name == "Sequence"]
    return len(texts) > 1 and "SpecialToken" in names[texts[0] : texts[-1]]


def quantiser(folder: ModelFolder) -> str | None:
    """The quantisation method of the weights by config.json; None if they are not quantised."""
    declared = folder.config.get("quantization_config")
    if not isinstance(declared, Mapping):
        return None
    method = declared.get("quant_method")
    return str(method) if method else "bitsandbytes"


def _refuse_quantised(folder: ModelFolder) -> None:
    method = quantiser(folder)
    if method in _QUANTISERS:
        module, package = _QUANTISERS[method]
        _refuse_missing(folder, module, package, f"is quantised with {method} (quantization_config in config.json)")


def _refuse_missing(folder: ModelFolder, module: str, package: str, why: str) -> None:
    try:
        there = importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        there = False
    if not there:
        raise ModelError(
            f"'{folder.name}' {why}, which needs the package {module}: pip install {package}, or name a model with "
            "plain weights"
        )


def _refuse_other_sizes(folder: ModelFolder, tensors: Mapping[str, HeaderEntry]) -> None:
    """Refuse the configuration of another network, because building it could take any amount of memory or time."""
    nested = folder.config.get("text_config")
    config = {**(nested if isinstance(nested, Mapping) else {}), **folder.config}
    for key, number in config.items():
        if isinstance(number, int) and abs(number) > _LARGEST_NUMBER:
            raise ModelError(f"{folder.path}: config.json says {key} {number:,}: damaged; fetch the file again")
    layers = max((int(found[1]) + 1 for name in tensors for found in _LAYER.finditer(name)), default=None)
    said = next((config[key] for key in _LAYERS if isinstance(config.get(key), int)), None)
    shape = _embedding(tensors)
    rows = None if shape is None or quantiser(folder) is not None else shape[0]
    for what, number, held in (("layers", said, layers), ("tokens", config.get("vocab_size"), rows)):
        if isinstance(number, int) and held is not None and number > held:
            raise ModelError(
                f"'{folder.name}': config.json says {number:,} {what}, and the weights have {held:,}; the two files do "
                "not belong together: fetch both again"
            )


def _embedding(tensors: Mapping[str, HeaderEntry]) -> tuple[int, ...] | None:
    """The shape of the token embeddings, [tokens, numbers]."""
    found = (one.shape for name, one in tensors.items() if name.endswith(_EMBEDDINGS) or name == _STATIC)
    return next((shape for shape in found if len(shape) == 2), None)


def _refuse_unknown_tokens(folder: ModelFolder, tensors: Mapping[str, HeaderEntry]) -> None:
    shape = _embedding(tensors)
    if shape is None or quantiser(folder) is not None:  # quantised embeddings are packed into other shapes
        return
    rows = shape[0]
    beyond = sorted((number, token) for token, number in _tokens(folder) if number >= rows)
    if beyond:
        number, token = beyond[0]
        raise ModelError(
            f"'{folder.name}': its tokenizer has {beyond[-1][0] + 1:,} tokens and its network {rows:,} embeddings "
            f"(the first without one is {token!r}, {number}); use the tokenizer that belongs to it, or resize the "
            "embeddings and train them"
        )


def _tokens(folder: ModelFolder) -> Iterator[tuple[str, int]]:
    """Every token of tokenizer.json with its number."""
    content = _tokenizer(folder)
    model = content.get("model")
    vocabulary = model.get("vocab") if isinstance(model, dict) else None
    if isinstance(vocabulary, dict):
        yield from ((str(token), number) for token, number in vocabulary.items() if isinstance(number, int))
    elif isinstance(vocabulary, list):  # each with its weight
        yield from ((str(one[0] if isinstance(one, list) and one else one), at) for at, one in enumerate(vocabulary))
    added = content.get("added_tokens")
    for one in added if isinstance(added, list) else []:
        if isinstance(one, dict) and isinstance(one.get("id"), int):
            yield str(one.get("content")), one["id"]
