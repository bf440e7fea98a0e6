"""Data sets in the layout of the Hugging Face hub: shards of rows, by configuration and split, fetched once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from adapters.errors import DataError, UsageError, did_you_mean
from adapters.known_digests import files_digest
from adapters.typed_file import parsed_yaml
from adapters.typed_values import Place
from harness.data.mirror.hub_folder import Repository, fetch_folder
from harness.data.sources.row_files import is_rows_name
from harness.workspace import Workspace
from training.opened import OpenedSource
from training.sources import forms

_CARD = "README.md"
_HEADER = re.compile(r"\A---\s*\n(.*?)\n---\s*(\n|\Z)", re.DOTALL)
_SPLITS = ("train", "validation", "valid", "dev", "test")
_FETCHED = ("*.parquet", "*.jsonl", "*.jsonl.gz", "*.json", "*.tsv", "*.tsv.gz", _CARD)


def fetched(name: str, workspace: Workspace) -> Path:
    """The folder with a data set of the hub, which is fetched if it is not there yet.

    Raises:
        DataError: the hub has no such data set.
        EnvironmentFailure: the hub cannot be reached, or the disk is full.
        MissingExtra: huggingface_hub is not installed.
    """
    folder = workspace.downloads / "datasets" / name
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        fetch_folder(Repository("dataset", name, allow=_FETCHED), folder)
    return folder


def is_dataset(folder: Path) -> bool:
    """Whether a folder has shards in Parquet."""
    return next(folder.rglob("*.parquet"), None) is not None


def read(folder: Path, config: str | None, split: str) -> OpenedSource:
    """The examples of a split, shard after shard; see `forms.read`.

    Raises:
        UsageError: there is no such configuration or split, or several configurations and none is named.
        DataError: the card or a row has errors.
    """
    files = files_of(folder, config, split)
    names = [file.relative_to(folder).as_posix() for file in files]
    return forms.of_files(files, files_digest(folder, names))


def files_of(folder: Path, config: str | None, split: str) -> list[Path]:
    """The files of a split, in order: those that the card names, or else those with the split in their path.

    Raises:
        UsageError, DataError: see `read`.
    """
    configs = _configs(folder / _CARD)
    if configs:
        patterns = _patterns(_of_name(configs, config, folder), split, folder)
        found = [file for pattern in patterns for file in sorted(folder.glob(pattern))]
    else:
        found = _by_path(folder if config is None else folder / config, split)
    files = [file for file in dict.fromkeys(found) if is_rows_name(file.name)]
    if not files:
        raise UsageError(f"{folder}: no .parquet, .jsonl, .json or .tsv file of the split '{split}'; check the split")
    return files


def _configs(card: Path) -> Mapping[str, Mapping[str, Any]]:
    """The configurations of a card that name their files; none if there is no card."""
    header = _HEADER.match(card.read_text("utf-8")) if card.is_file() else None
    if header is None:
        return {}
    place = Place(str(card), error=DataError, advice="correct the header of the card, or remove the card")
    content = parsed_yaml(header[1], place)
    listed = content.get("configs") if isinstance(content, dict) else None
    return {
        str(one["config_name"]): one
        for one in (listed if isinstance(listed, list) else ())
        if isinstance(one, dict) and "config_name" in one and "data_files" in one
    }


def _of_name(configs: Mapping[str, Mapping[str, Any]], name: str | None, folder: Path) -> Mapping[str, Any]:
    marked = [one for one, content in configs.items() if content.get("default") is True or one == "default"]
    chosen = name or next(iter(marked), None) or (next(iter(configs)) if len(configs) == 1 else None)
    if chosen is None:
        raise UsageError(
            f"{folder}: name one of its configurations, as in NAME/{next(iter(configs))}: {_list(configs)}"
        )
    if chosen not in configs:
        raise UsageError(f"{folder}: no configuration '{chosen}'.{did_you_mean(chosen, list(configs))}")
    return configs[chosen]


def _patterns(config: Mapping[str, Any], split: str, folder: Path) -> list[str]:
    files = config["data_files"]
    entries = files if isinstance(files, list) else [files]
    by_split: dict[str, list[str]] = {}
    for one in entries:
        name, path = (one.get("split", "train"), one.get("path")) if isinstance(one, dict) else ("train", one)
        by_split.setdefault(str(name), []).extend(map(str, path if isinstance(path, list) else [path]))
    if split not in by_split:
        raise UsageError(f"{folder}: no split '{split}'.{did_you_mean(split, list(by_split))}")
    return by_split[split]


def _by_path(folder: Path, split: str) -> list[Path]:
    files = sorted(file for file in folder.rglob("*") if file.is_file() and is_rows_name(file.name))
    split_of = {file: _split(file.relative_to(folder)) for file in files}
    if not any(split_of.values()):
        return files
    return [file for file, found in split_of.items() if found == split]


def _split(path: Path) -> str | None:
    """The split that the path of a file names: `train-00000-of-00002.parquet`, `pair/dev.jsonl`; None if it names
    none."""
    words: Iterator[str] = (word for part in reversed(path.parts) for word in re.split(r"[-_.]", part.lower()))
    return next((word for word in words if word in _SPLITS), None)


def _list(names: Sequence[str] | Mapping[str, object]) -> str:
    shown = list(names)
    return ", ".join(shown[:6]) + (", ..." if len(shown) > 6 else "")
