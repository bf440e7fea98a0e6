"""The code that a folder names: its files, its digest, and a view of the folder with all the code in one place."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from adapters.errors import ModelError
from adapters.identity import digest, file_digest
from adapters.kinds import own_classes
from adapters.models import CODE_FILES, ModelFolder, open_folder

_ELSEWHERE = "--"
"""Between a repository and a class in it, in auto_map: `org/repo--modeling.Class`."""
_NO_NETWORKS = ("AutoConfig", "AutoTokenizer", "AutoProcessor", "AutoImageProcessor", "AutoFeatureExtractor")
_MAPPED = ("config.json", "tokenizer_config.json")


@dataclass(frozen=True)
class OwnCode:
    """The code of a folder."""

    folder: ModelFolder

    @cached_property
    def classes(self) -> dict[str, str]:
        """The classes that the folder names, by the class of transformers that each replaces, without repositories."""
        return {auto: name.rpartition(_ELSEWHERE)[2] for auto, name in own_classes(self.folder).items()}

    @property
    def networks(self) -> dict[str, str]:
        """The entries of `classes` that are networks."""
        return {auto: name for auto, name in self.classes.items() if auto not in _NO_NETWORKS}

    @property
    def named(self) -> set[str]:
        """The architecture of the folder and its networks, without their modules."""
        return {self.folder.architecture, *(name.rpartition(".")[2] for name in self.networks.values())} - {""}

    @cached_property
    def repositories(self) -> tuple[ModelFolder, ...]:
        """Other repositories that hold some of the code.

        Raises:
            ModelError: a repository is neither in the mirror nor in the cache of the hub client.
        """
        named = (name.partition(_ELSEWHERE)[0] for name in own_classes(self.folder).values() if _ELSEWHERE in name)
        return tuple(open_folder(name, None, CODE_FILES) for name in dict.fromkeys(named))

    @cached_property
    def digest(self) -> str:
        """32 hex digits over the names and bytes of all files of code."""
        return digest({name: file_digest(file) for name, file in sorted(self.files.items())})

    @cached_property
    def files(self) -> Mapping[str, Path]:
        """Files of code by their place in the view.

        Raises:
            ModelError: a named module is missing, or two repositories have different files under one name.
        """
        found = dict(_python(self.folder.path))
        for repository in self.repositories:
            for name, file in _python(repository.path):
                if name in found and found[name].read_bytes() != file.read_bytes():
                    raise ModelError(
                        f"'{self.folder.name}': {name} is in the folder and, with another content, in "
                        f"'{repository.name}', which its auto_map names too; name only one of them in auto_map"
                    )
                found.setdefault(name, file)
        self._refuse_missing(found)
        return found

    def view(self, place: Path) -> Path:
        """Make a folder of links to the files, with code of other repositories among them.

        Args:
            place: where the new folder is made.
        """
        made = place / "model"  # must be a valid module name: transformers makes a package of it
        made.mkdir()
        for file in self.folder.path.iterdir():
            if not file.name.startswith(".") and file.name != "__pycache__":
                (made / file.name).symlink_to(file)
        for name, file in self.files.items():
            if not (made / name).exists():
                (made / name).parent.mkdir(parents=True, exist_ok=True)
                (made / name).symlink_to(file)
        if self.repositories:
            _name_here(self.folder, made)
        return made

    def _refuse_missing(self, found: Mapping[str, Path]) -> None:
        for auto, name in self.classes.items():
            module = f"{name.rpartition('.')[0].replace('.', '/')}.py"
            if module not in found:
                raise ModelError(
                    f"'{self.folder.name}': {auto} is {name}, and there is no {module} in the folder; fetch the model "
                    "again, with its code"
                )


def _python(folder: Path) -> Iterator[tuple[str, Path]]:
    """Files of code by their place in a folder."""
    for file in sorted(folder.rglob("*.py")):
        place = file.relative_to(folder)
        if not any(part.startswith(".") for part in place.parts):
            yield place.as_posix(), file


def _name_here(folder: ModelFolder, made: Path) -> None:
    """Rewrite the settings without the repositories that they name."""
    for name in _MAPPED:
        settings = folder.json(name)
        if "auto_map" in settings:
            (made / name).unlink()
            (made / name).write_text(json.dumps({**settings, "auto_map": _without(settings["auto_map"])}), "utf-8")


def _without(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_without(one) for one in value]
    return value.rpartition(_ELSEWHERE)[2] if isinstance(value, str) else value
