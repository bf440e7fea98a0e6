"""A model's folder with pickled weights (`.bin`) as the same folder with safetensors: every number to the bit."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from adapters.contents import Contents
from adapters.errors import ModelError, UsageError, need
from adapters.models import BIN_FILES, ModelFolder, open_folder, read_json
from adapters.pickled import PICKLES, is_pickle
from harness.workspace import new_folder, replace_folder
from training.converting.weights import write_weights

_INDEX = ".index.json"
_NAMES = {"pytorch_model.bin": "model.safetensors", "adapter_model.bin": "adapter_model.safetensors"}
_OF_TRAINING = (
    "optimizer*.pt", "optimizer*.bin", "scheduler*.pt", "scheduler*.bin", "scaler*.pt", "rng_state*.pth",
    "random_states*.pkl", "training_args.bin", "*_optim_states.pt", "*_model_states.pt",
)  # fmt: skip
_CHECKPOINT = re.compile(r"checkpoint-\d+|global_step\d+")


@dataclass(frozen=True)
class Converted:
    """What a conversion did."""

    path: Path
    written: Mapping[str, str]
    """Files of weights: the new one, by the one that it was read from. Paths are relative to the folder."""
    tied: tuple[str, ...]
    """Tensors that are not written, because loading ties them to another one, as in transformers' own files."""
    left_out: tuple[str, ...]
    """Files and folders that are not in the new folder: pickles, states of training, hidden files."""


@dataclass
class _Work:
    """A conversion under way."""

    source: ModelFolder
    out: Path
    tied: Mapping[str, str]
    """Names that the network's class ties, to the names that they are tied to."""
    written: dict[str, str] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def convert(model: str, out: Path, revision: str | None = None) -> Converted:
    """Write a model's folder again, with its pickled weights as safetensors and all other files as they are.

    Args:
        model: a folder, or a hub name.
        out: the new folder. It gets its name when everything is in it.
        revision: of a hub model.

    Raises:
        UsageError: `out` exists, or the model has no pickled weights.
        ModelError: the model cannot be found, or a pickle is damaged or holds other objects than tensors.
    """
    if out.exists() or out.is_symlink():
        raise UsageError(f"{out}: exists already; name a folder that does not exist yet")
    source = open_folder(model, revision, BIN_FILES)
    _refuse_own_name(source)
    work = _Work(source, out, _tied(source))
    files = sorted(_files(work, source.path))
    replaced = _replaced(source.path, files)
    if not replaced:
        raise UsageError(_nothing(source))
    with new_folder(out.absolute()) as folder:
        for name in files:
            _take(work, name, replaced, folder)
        _check(source, folder)
        if out.exists():
            raise UsageError(f"{out}: was made by someone else in the meantime; name another folder")
        replace_folder(folder, out.absolute())
    return Converted(out, work.written, tuple(work.dropped), tuple(work.left_out))


def _refuse_own_name(source: ModelFolder) -> None:
    named = None if source.adapter_config else source.config.get("transformers_weights")
    if named is not None:
        raise ModelError(
            f"'{source.name}': config.json names '{named}' as the file of weights (transformers_weights); remove "
            "the key and give the file its usual name, pytorch_model.bin"
        )


def _nothing(source: ModelFolder) -> str:
    if any(source.path.rglob("*.safetensors")):
        return f"'{source.name}' has safetensors already; use it as it is"
    try:
        Contents(source).weights  # noqa: B018 - its error says what the folder has instead
    except ModelError as error:
        return f"nothing to convert: {error}"
    return f"'{source.name}' has no pickled weights (pytorch_model.bin); name the folder that has them"


def _files(work: _Work, folder: Path) -> Iterator[str]:
    """Files at any depth, relative to the model's folder; what is left out is noted."""
    for entry in sorted(folder.iterdir()):
        name = entry.relative_to(work.source.path).as_posix()
        if entry.name.startswith(".") or (entry.is_dir() and (_CHECKPOINT.fullmatch(entry.name) or _is_loop(entry))):
            work.left_out.append(name)
        elif entry.is_dir():
            yield from _files(work, entry)
        else:
            yield name


def _is_loop(folder: Path) -> bool:
    """Whether a link leads to a folder that it is in."""
    return folder.is_symlink() and folder.resolve() in [one.resolve() for one in folder.parents]


def _replaced(root: Path, files: list[str]) -> dict[str, str]:
    """The pickled weights that loading reads, and their indexes, with their new names; none where safetensors are read
    instead."""
    found: dict[str, str] = {}
    for place in sorted({name.rpartition("/")[0] for name in files}):
        names = {path.name for path in (root / place).iterdir()}
        for pickled, safe in _NAMES.items():
            if names.isdisjoint((safe, f"{safe}{_INDEX}")):
                new = _renamed(root / place, names, pickled, safe)
                found |= {_join(place, name): _join(place, other) for name, other in new.items()}
    return found


def _renamed(folder: Path, names: set[str], pickled: str, safe: str) -> dict[str, str]:
    """New names of the weights in one folder. As in transformers, a whole file goes before shards."""
    if pickled in names:
        return {pickled: safe}
    if f"{pickled}{_INDEX}" not in names:
        return {}
    mapped = _weight_map(folder / f"{pickled}{_INDEX}")
    return {file: _safe_name(file) for file in mapped.values()} | {f"{pickled}{_INDEX}": f"{safe}{_INDEX}"}


def _weight_map(index: Path) -> dict[str, str]:
    """Of an index of shards: the file of each tensor.

    Raises:
        ModelError: it has none, or a shard is not there.
    """
    mapped = read_json(index, dict).get("weight_map")
    if not isinstance(mapped, dict) or not mapped:
        raise ModelError(f"{index}: has no 'weight_map'; fetch the file again")
    names = {str(name): str(file) for name, file in mapped.items()}
    missing = sorted(file for file in set(names.values()) if "/" in file or not (index.parent / file).is_file())
    if missing:
        raise ModelError(f"{index}: {missing[0]} is not there; fetch the model again, with all its files")
    return names


def _safe_name(shard: str) -> str:
    return f"{shard.removesuffix('.bin').replace('pytorch_model', 'model')}.safetensors"


def _join(place: str, name: str) -> str:
    return f"{place}/{name}" if place else name


def _take(work: _Work, name: str, replaced: Mapping[str, str], folder: Path) -> None:
    source, base = work.source.path / name, name.rpartition("/")[2]
    target = folder / replaced.get(name, name)
    target.parent.mkdir(parents=True, exist_ok=True)
    if name in replaced and base.endswith(_INDEX):
        _write_index(work, source, target)
    elif name in replaced:
        work.dropped += write_weights(source, target, work.tied)
        work.written[name] = replaced[name]
    elif _is_left_out(source, base):
        work.left_out.append(name)
    else:
        shutil.copyfile(source, target)


def _is_left_out(source: Path, base: str) -> bool:
    named = any(fnmatchcase(base, pattern) for pattern in _OF_TRAINING)
    return named or (any(fnmatchcase(base, pattern) for pattern in PICKLES) and is_pickle(source))


def _tied(source: ModelFolder) -> Mapping[str, str]:
    """What the network's class ties, by transformers; nothing for a class that it does not have."""
    transformers, torch = (need(name, "models", "converting weights") for name in ("transformers", "torch"))
    kind = None if source.adapter_config else getattr(transformers, source.architecture or "-", None)
    if kind is None:
        return {}
    try:
        config = transformers.AutoConfig.from_pretrained(source.path / source.transformer, trust_remote_code=False)
        with torch.device("meta"):
            return dict(kind(config).all_tied_weights_keys)
    except Exception:  # then every tensor is written, and none is missing
        return {}


def _write_index(work: _Work, source: Path, target: Path) -> None:
    """The index of the shards, which were written before it."""
    kept = {name: _safe_name(file) for name, file in _weight_map(source).items() if name not in work.dropped}
    content = {**read_json(source, dict), "weight_map": kept}
    target.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _check(source: ModelFolder, folder: Path) -> None:
    """Every part of the network has weights that loading reads. An adapter's base is another model's matter.

    Raises:
        ModelError: a part has none.
    """
    if source.adapter_config:
        return
    try:
        Contents(ModelFolder(source.name, folder)).weights  # noqa: B018 - to see that it has them
    except ModelError as error:
        raise ModelError(str(error).replace(str(folder), str(source.path))) from None
