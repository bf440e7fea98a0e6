"""Families as data: one TOML file each in `families/rerankers/` and `families/embedders/`, or the user's own file."""

from __future__ import annotations

import importlib.resources
from collections.abc import Mapping
from typing import Literal, TypeVar

from adapters.errors import UsageError, did_you_mean
from adapters.paths import user_path
from adapters.typed_file import read_toml

T = TypeVar("T")


def packaged_families(folder: Literal["rerankers", "embedders"], kind: type[T]) -> Mapping[str, T]:
    """The packaged families by name, each read as `kind`."""
    place = importlib.resources.files("adapters").joinpath("families", folder)
    with importlib.resources.as_file(place) as files:
        return {file.stem: read_toml(file, kind) for file in sorted(files.glob("*.toml"))}


def family_named(name: str, packaged: Mapping[str, T], kind: type[T], what: str) -> T:
    """A packaged family by its name, or one from a TOML file by its path.

    Args:
        what: the word for it in messages.

    Raises:
        UsageError: there is no such family, or the file does not describe one; the message names the key.
    """
    if name in packaged:
        return packaged[name]
    path = user_path(name)
    if path.is_file():
        return read_toml(path, kind)
    raise UsageError(f"no {what} '{name}', and no file of that name.{did_you_mean(name, packaged)}")
