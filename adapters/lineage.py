"""What a model was made from: its weights, those it was fitted from, and the teachers whose scores it learned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.errors import ModelError
from adapters.identity import digest
from adapters.models import ModelFolder
from adapters.spec import identity_of, open_ranker
from adapters.typed_file import read_value

KEY = "lineage"
"""The key in manifest.json of a fitted and in merge.json of a merged checkpoint."""
_FILES = ("manifest.json", "merge.json")
_INNER = ("scorer", "embedder", "reranker")


@dataclass(frozen=True)
class Lineage:
    """Digests of weights, or of the identity of a model without weights here.

    Args:
        name: for messages.
        own: of the model itself.
        models: of the models that it was fitted or merged from.
        teachers: of the models whose scores it was trained on, or one that it was made from was.
    """

    name: str
    own: frozenset[str]
    models: frozenset[str] = frozenset()
    teachers: frozenset[str] = frozenset()

    def as_dict(self) -> dict[str, list[str]]:
        """What a manifest holds."""
        return {"models": sorted(self.models), "teachers": sorted(self.teachers)}


def lineage_of(model: object) -> Lineage:
    """The lineage of an opened adapter, or of the spec or the folder of a reranker.

    Raises:
        ModelError: a manifest in its folder is damaged.
        HarnessError: the model cannot be opened.
    """
    if isinstance(model, str | Path):
        adapter: object = open_ranker(str(model))
        name = str(model)
    else:
        adapter, name = model, str(getattr(model, "name", type(model).__name__))
    own, bases = marks_of(identity_of(adapter))
    folders = [folder.path for folder in folders_of(adapter)]
    return descended(name, own, folders, bases)


def descended(
    name: str, own: Iterable[str], folders: Iterable[Path], models: Iterable[str] = (), teachers: Iterable[str] = ()
) -> Lineage:
    """A lineage with what the manifests in some folders add to it."""
    known = [_declared(folder) for folder in folders]
    return Lineage(
        name,
        frozenset(own),
        frozenset(models).union(*(one.models for one in known)),
        frozenset(teachers).union(*(one.teachers for one in known)),
    )


def inherited(folder: Path, weights: str, teachers: Iterable[str] = ()) -> Lineage:
    """The lineage of what is made from the checkpoint in a folder.

    Args:
        weights: the digest of its weights.
        teachers: digests of the teachers that it is trained with now.
    """
    return descended("", (), [folder], [weights], teachers)


def marks_of(identity: Mapping[str, Any]) -> tuple[frozenset[str], frozenset[str]]:
    """The digests by which a model is recognised in any identity that contains it: of its weights, and of the weights
    under a LoRA adapter. A model without weights is recognised by its whole identity."""
    own, bases = set(_weights(identity, False)), set(_weights(identity, True))
    return frozenset(own or {digest(identity)}), frozenset(bases)


def _weights(identity: Mapping[str, Any], of_base: bool) -> Iterator[str]:
    for key, value in identity.items():
        if isinstance(value, Mapping):
            inside = key == "base"
            yield from _weights(value, False) if inside and of_base else () if inside else _weights(value, of_base)
        elif key == "weights" and isinstance(value, str) and not of_base:
            yield value


def folders_of(adapter: object) -> Iterator[ModelFolder]:
    """The folders of the models that an adapter runs, with the base under a LoRA adapter."""
    folder = getattr(adapter, "_folder", None)
    while isinstance(folder, ModelFolder):
        yield folder
        folder = folder.base
    for name in _INNER:
        inner = getattr(adapter, name, None)
        if inner is not None:
            yield from folders_of(inner)


def _declared(folder: Path) -> Lineage:
    found = Lineage(str(folder), frozenset())
    for file in (folder / name for name in _FILES):
        if not file.is_file():
            continue
        content = read_value(file, error=ModelError, advice="make the checkpoint again, or take it from its source")
        declared = content.get(KEY, {}) if isinstance(content, dict) else {}
        found = Lineage(found.name, found.own, found.models | _listed(declared, "models", file),
                        found.teachers | _listed(declared, "teachers", file))  # fmt: skip
    return found


def _listed(declared: object, name: str, file: Path) -> frozenset[str]:
    value = declared.get(name, []) if isinstance(declared, dict) else None
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ModelError(f"{file}: '{KEY}.{name}' is not a list of digests; make the checkpoint again")
    return frozenset(value)
