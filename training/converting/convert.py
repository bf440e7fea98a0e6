"""Convert a model's folder with pickled weights (`.bin`) to one with safetensors, bit by bit."""

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
    """The result of a conversion."""

    path: Path
    written: Mapping[str, str]
    """Old file of weights -> new file. Paths are relative to the folder."""
    tied: tuple[str, ...]
    """Tensors that are not written because loading ties them to another one, as transformers does when it saves."""
    left_out: tuple[str, ...]
    """Files and folders that are not in the new folder: pickles, states of training, hidden files."""


@dataclass
class _Work:
    """The state of a conversion."""

    source: ModelFolder
    out: Path
    tied: Mapping[str, str]
    """Tied name -> the name that the network's class ties it to."""
    written: dict[str, str] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def convert(model: str, out: Path, revision: str | None = None) -> Converted:
    """Copy a model's folder, with pickled weights converted to safetensors and all other files unchanged.

    Args:
        model: a folder, or a hub name.
        out: the new folder. It appears when it is complete.
        revision: the revision of a hub model. Default: main.

    Raises:
        UsageError: `out` exists, or the model has no pickled weights.
        ModelError: the model cannot be found, a pickle is damaged, or a pickle has objects that are not tensors.
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
            raise UsageError(f"{out}: another process made this folder in the meantime; name another one")
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
    """Files at any depth, relative to the model's folder. Entries that are left out are added to `work.left_out`."""
    for entry in sorted(folder.iterdir()):
        name = entry.relative_to(work.source.path).as_posix()
        if entry.name.startswith(".") or (entry.is_dir() and (_CHECKPOINT.fullmatch(entry.name) or _is_loop(entry))):
            work.left_out.append(name)
        elif entry.is_dir():
            yield from _files(work, entry)
        else:
            yield name


def _is_loop(folder: Path) -> bool:
    """Whether a link points to a folder that contains it."""
    return folder.is_symlink() and folder.resolve() in [one.resolve() for one in folder.parents]


def _replaced(root: Path, files: list[str]) -> dict[str, str]:
    """Old name -> new name of the pickled weights that loading reads, and of their indexes. Empty if loading reads
    safetensors instead."""
    renamed: dict[str, str] = {}
    for place in sorted({name.rpartition("/")[0] for name in files}):
        names = {path.name for path in (root / place).iterdir()}
        for pickled, safe in _NAMES.items():
            if names.isdisjoint((safe, f"{safe}{_INDEX}")):
                new = _renamed(root / place, names, pickled, safe)
                renamed |= {_join(place, name): _join(place, other) for name, other in new.items()}
    return renamed


def _renamed(folder: Path, names: set[str], pickled: str, safe: str) -> dict[str, str]:
    """New names of the weights in one folder. As in transformers, a single file has precedence over shards."""
    if pickled in names:
        return {pickled: safe}
    if f"{pickled}{_INDEX}" not in names:
        return {}
    mapped = _weight_map(folder / f"{pickled}{_INDEX}")
    return {file: _safe_name(file) for file in mapped.values()} | {f"{pickled}{_INDEX}": f"{safe}{_INDEX}"}


def _weight_map(index: Path) -> dict[str, str]:
    """Tensor name -> file, from an index of shards.

    Raises:
        ModelError: the index has no weight map, or a shard is missing.
    """
    mapped = read_json(index, dict).get("weight_map")
    if not isinstance(mapped, dict) or not mapped:
        raise ModelError(f"{index}: has no 'weight_map'; fetch the file again")
    names = {str(name): str(file) for name, file in mapped.items()}
    missing = sorted(file for file in set(names.values()) if "/" in file or not (index.parent / file).is_file())
    if missing:
        raise ModelError(f"{index}: {missing[0]} is missing; fetch the model again, with all its files")
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
    """The tied names of the network's class in transformers; empty for a class that transformers does not have."""
    transformers, torch = (need(name, "models", "converting weights") for name in ("transformers", "torch"))
    kind = None if source.adapter_config else getattr(transformers, source.architecture or "-", None)
    if kind is None:
        return {}
    try:
        config = transformers.AutoConfig.from_pretrained(source.path / source.transformer, trust_remote_code=False)
        with torch.device("meta"):
            return dict(kind(config).all_tied_weights_keys)
    except Exception:  # without tied names every tensor is written, so none is missing
        return {}


def _write_index(work: _Work, source: Path, target: Path) -> None:
    """Write the index after the shards."""
    kept = {name: _safe_name(file) for name, file in _weight_map(source).items() if name not in work.dropped}
    content = {**read_json(source, dict), "weight_map": kept}
    target.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _check(source: ModelFolder, folder: Path) -> None:
    """Check that every part of the network has weights that loading reads. The base of a LoRA adapter is not checked.

    Raises:
        ModelError: a part has no weights.
    """
    if source.adapter_config:
        return
    try:
        Contents(ModelFolder(source.name, folder)).weights  # noqa: B018 - raises if there are none
    except ModelError as error:
        raise ModelError(str(error).replace(str(folder), str(source.path))) from None
