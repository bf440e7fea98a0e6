"""Data sets in the layout of the Hugging Face hub: shards of rows, by configuration and split, fetched once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from glob import has_magic
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
_SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "dev", "val"), "validation"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation"), "test"),
}
"""Words in the paths of files and the split that they mean, as `datasets` has them."""
_ABOUT = {"config.json", "dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json"}
"""Files about a data set that have no rows."""
_SHARD = re.compile(r"(.*?)(\d+)-of-(\d+)(?!\d)")
_UNREAD = (".csv", ".arrow", ".zst", ".bz2", ".xz", ".lz4", ".zip")
"""Endings of files of rows that are not read here."""
_SAVED = ("dataset_dict.json", "state.json")
"""Files that `save_to_disk` of datasets writes."""
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


def refuse_saved(folder: Path) -> None:
    """Refuse a folder that `save_to_disk` of datasets wrote.

    Raises:
        UsageError: the message says how to write it again.
    """
    if any((folder / name).is_file() for name in _SAVED) and not is_dataset(folder):
        raise UsageError(
            f"{folder}: .arrow files of save_to_disk are not read; open it with datasets.load_from_disk and write the "
            "split with to_parquet"
        )


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
        found = _by_card(_of_name(configs, config, folder), split, folder)
    else:
        found = _by_path(folder if config is None else folder / config, split)
    files = list(dict.fromkeys(found))
    unread = next((file for file in files if not is_rows_name(file.name)), None)
    if unread:
        raise UsageError(
            f"{unread}: the split '{split}' has this file, which is not read; write its rows as .parquet, .jsonl, "
            ".json or .tsv, or name the other files one by one"
        )
    if not files:
        raise UsageError(f"{folder}: no .parquet, .jsonl, .json or .tsv file of the split '{split}'; check the split")
    return files


def _configs(card: Path) -> Mapping[str, Mapping[str, Any]]:
    """The configurations of a card; none if there is no card, or it has none."""
    header = _HEADER.match(card.read_text("utf-8-sig")) if card.is_file() else None
    if header is None:
        return {}
    place = Place(str(card), error=DataError, advice="correct the header of the card, or remove the card")
    content = parsed_yaml(header[1], place)
    listed = content.get("configs") if isinstance(content, dict) else None
    if not listed:
        return {}
    if not isinstance(listed, list) or not all(isinstance(one, dict) and "config_name" in one for one in listed):
        raise DataError(
            f"{card}: 'configs' is not a list of objects with 'config_name'; correct it, or remove the card"
        )
    return {str(one["config_name"]): one for one in listed}


def _by_card(config: Mapping[str, Any], split: str, folder: Path) -> list[Path]:
    """The files of a split by the patterns of a configuration, or in its folder by their paths if it has none."""
    base = folder / str(config.get("data_dir") or "")
    if not base.is_dir():
        raise DataError(f"{folder / _CARD}: there is no folder '{config['data_dir']}'; fetch it, or correct 'data_dir'")
    if config.get("data_files") is None:
        return _by_path(base, split)
    found: list[Path] = []
    for pattern in _patterns(config, split, folder):
        if "://" in pattern or Path(pattern).is_absolute() or ".." in Path(pattern).parts:
            raise DataError(f"{folder / _CARD}: '{pattern}' is not in the data set; copy the files into its folder")
        files = [file for file in sorted(base.glob(pattern)) if file.is_file() and not _is_about(file, base)]
        if not files:
            raise DataError(f"{folder / _CARD}: no file matches '{pattern}' of the split '{split}'; fetch it again")
        if has_magic(pattern):
            _refuse_missing(files)
        found += files
    if not _names_splits(config):
        _refuse_other_split(found, base, split)
    return found


def _names_splits(config: Mapping[str, Any]) -> bool:
    files = config["data_files"]
    return any(isinstance(one, dict) for one in (files if isinstance(files, list) else [files]))


def _refuse_other_split(files: Sequence[Path], base: Path, split: str) -> None:
    other = next((file for file in files if _splits(file.relative_to(base)) - {_SPLITS.get(split, split)}), None)
    if other:
        raise DataError(
            f"{other}: the card counts this file to '{split}', against its name; name its split in the card"
        )


def _refuse_missing(files: Sequence[Path]) -> None:
    """Refuse a set of shards that is not complete.

    Raises:
        DataError: the message names the first shard that is missing.
    """
    shards: dict[tuple[Path, str, str], dict[int, str]] = {}
    for file in files:
        if match := _SHARD.match(file.name):
            shards.setdefault((file.parent, match[1], match[3]), {})[int(match[2])] = match[2]
    for (folder, start, total), found in shards.items():
        first = 0 if 0 in found or max(found) < int(total) else 1
        missing = next((n for n in range(first, first + int(total)) if n not in found), None)
        if missing is not None:
            width = len(next(iter(found.values())))
            raise DataError(
                f"{folder}: the shard '{start}{missing:0{width}}-of-{total}' is missing; fetch the data set again"
            )


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
    files = sorted(file for file in folder.rglob("*") if file.is_file() and not _is_about(file, folder))
    files = [file for file in files if is_rows_name(file.name) or file.suffix in _UNREAD]
    splits_of = {file: _splits(file.relative_to(folder)) for file in files}
    wanted = _SPLITS.get(split, split)
    found = [file for file, splits in splits_of.items() if wanted in splits] if any(splits_of.values()) else files
    unclear = next((file for file in found if len(splits_of[file]) > 1), None)
    if unclear:
        names = " and ".join(f"'{one}'" for one in sorted(splits_of[unclear]))
        raise DataError(f"{unclear}: the path names the splits {names}; rename it, or list the files in a card")
    _refuse_missing(found)
    return found


def _is_about(file: Path, base: Path) -> bool:
    """Whether a file has no rows: a file about the data set, or one in a hidden folder."""
    return file.name in _ABOUT or any(part.startswith((".", "__")) for part in file.relative_to(base).parts)


def _splits(path: Path) -> set[str]:
    """The splits that the words of a path name: `train-00000-of-00002.parquet`, `pair/dev.jsonl`. Words that mean
    the same split are one."""
    words = (word for part in path.parts for word in re.split(r"[-_. 0-9]+", part.lower()))
    return {_SPLITS[word] for word in words if word in _SPLITS}


def _list(names: Sequence[str] | Mapping[str, object]) -> str:
    shown = list(names)
    return ", ".join(shown[:6]) + (", ..." if len(shown) > 6 else "")
