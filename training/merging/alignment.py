"""Match the tensors of two checkpoints, and find those that need no counterpart."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from adapters.errors import ModelError
from training.merging.checkpoint import OUTPUT_LAYER, Checkpoint, equal
from training.merging.configuration import ties_embeddings
from training.merging.naming import Loading, wrapped

BUFFERS = re.compile(
    r"(^|\.)(inv_freq|original_inv_freq|position_ids|token_type_ids|masked_bias|cos_cached|sin_cached|alibi)$"
)
"""Tensors that are computed, not learned. The base's are kept."""
_SHOWN = 4


@dataclass(frozen=True)
class Alignment:
    """How the tensors of two checkpoints correspond."""

    names: Mapping[str, str] = field(default_factory=dict)
    """Name in the other checkpoint -> name in home, for tensors with different names."""
    kept: frozenset[str] = frozenset()
    """Tensors of home that the other lacks and does not need."""
    copies: frozenset[str] = frozenset()
    """Tensors of home that loading derives from others, and that the other was saved without."""
    notes: tuple[str, ...] = ()


def align(home: Checkpoint, other: Checkpoint) -> Alignment:
    """Find the counterpart of each tensor.

    Raises:
        ModelError: one checkpoint lacks a tensor that the model loads.
    """
    moved = _moved(home, other)
    other = other.renamed(moved)
    ours, theirs = merged_names(home), merged_names(other)
    if ours == theirs:
        return Alignment(moved)
    modules = _modules_apart(home, other, ours, theirs)
    found = _matched(home, other, ours - theirs - modules.kept, theirs - ours)
    notes = (*modules.notes, *found.notes)
    return Alignment({**moved, **found.names}, modules.kept | found.kept, found.copies, notes)


def merged_names(checkpoint: Checkpoint) -> frozenset[str]:
    """The tensors that each checkpoint must have: all except buffers and an output layer that is tied to the
    embedding."""
    return frozenset(name for name in checkpoint.tensors if not is_buffer(name)) - checkpoint.tied


def is_buffer(name: str) -> bool:
    """Whether a tensor is computed from the configuration when a model is loaded."""
    return BUFFERS.search(name) is not None


def reads_body(checkpoint: Checkpoint) -> bool:
    """Whether the model is loaded without a head: as the encoder of an embedder, or because of its architecture."""
    first = checkpoint.chain[0] if checkpoint.chain else None
    if first is not None and first.kind == "Transformer":
        return first.settings.get("transformer_task") == "feature-extraction"
    return checkpoint.folder.architecture.endswith("Model")


def _moved(home: Checkpoint, other: Checkpoint) -> dict[str, str]:
    """New names for tensors of modules whose folders have different names. Modules correspond by their place in the
    chain."""
    names: dict[str, str] = {}
    for mine, yours in zip(home.chain, other.chain, strict=False):
        if mine.path and yours.path and mine.path != yours.path:
            inside = [name for name in other.tensors if PurePosixPath(name).parent.as_posix() == yours.path]
            names |= {name: f"{mine.path}/{PurePosixPath(name).name}" for name in inside}
    return names


def _modules_apart(home: Checkpoint, other: Checkpoint, ours: frozenset[str], theirs: frozenset[str]) -> Alignment:
    """The weights of modules, if one of the two was saved by transformers and has no modules."""
    inside = frozenset(name for name in ours - theirs if "/" in name) if not other.chain else frozenset()
    foreign = sorted(name for name in theirs - ours if "/" in name) if not home.chain else []
    if foreign:
        part = PurePosixPath(foreign[0]).parent.as_posix()
        raise ModelError(
            f"merge: {other.name} has the module {part} with weights, but {home.name}, whose files the merge gets, has "
            f"no modules.json; name {other.name} first, or as the base"
        )
    note = f"{_listed(sorted(inside))} are those of {home.name}, because {other.name} was saved without its modules"
    return Alignment(kept=inside, notes=(note,) if inside else ())


def _matched(home: Checkpoint, other: Checkpoint, lacking: frozenset[str], more: frozenset[str]) -> Alignment:
    """Match tensors of `lacking` and `more` that are loaded under the same name, and find those that are not loaded."""
    if not lacking and not more:
        return Alignment()
    loading = Loading(home.folder, reads_body(home))
    if not loading.known or any("/" in name for name in (*lacking, *more)):
        raise _missing(home, other, lacking, more)
    _refuse_converted(home, other, loading, lacking, more)
    ours, theirs = _loaded(loading, home), _loaded(loading, other)
    names = {theirs[as_][0]: mine[0] for as_, mine in ours.items() if as_ in theirs and theirs[as_][0] != mine[0]}
    unloaded = frozenset(name for name in (*lacking, *more) if loading.loaded_as(name) is None)
    copies = _copies(home, ours), _copies(other, theirs)
    lacking -= unloaded | copies[0] | set(names.values())
    more -= unloaded | copies[1] | set(names)
    if lacking or more:
        raise _missing(home, other, lacking, more)
    kept, ignored = unloaded & merged_names(home), unloaded - merged_names(home)
    return Alignment(names, kept, copies[0], tuple(_notes(home, other, kept, ignored, names)))


def _refuse_converted(
    home: Checkpoint, other: Checkpoint, loading: Loading, lacking: frozenset[str], more: frozenset[str]
) -> None:
    converted = next((name for name in sorted({*lacking, *more}) if loading.is_converted(name)), None)
    if converted is not None:
        has, lacks = (home, other) if converted in lacking else (other, home)
        raise ModelError(
            f"merge: '{converted}' of {has.name} is stored in another form in {lacks.name}: loading joins, splits or "
            f"transposes it; merge checkpoints that were saved in one form"
        )


def _loaded(loading: Loading, one: Checkpoint) -> dict[str, list[str]]:
    """A checkpoint's tensors by the name that they are loaded as. Of tied tensors, the one that the others derive from
    is first."""
    names: dict[str, list[str]] = defaultdict(list)
    for name in sorted(merged_names(one), key=lambda each: (loading.is_tied(each), each)):
        loaded = loading.loaded_as(name)
        if loaded is not None:
            names[loaded].append(name)
    return names


def _copies(one: Checkpoint, loaded: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """Tensors that are equal to another one, to which loading ties them."""
    groups = [names for names in loaded.values() if len(names) > 1]
    return frozenset(name for first, *rest in groups for name in rest if equal(one.tensors[first], one.tensors[name]))


def _missing(home: Checkpoint, other: Checkpoint, lacking: Iterable[str], more: Iterable[str]) -> ModelError:
    names = sorted(lacking) or sorted(more)
    has, lacks = (home, other) if lacking else (other, home)
    if names[0] == OUTPUT_LAYER and ties_embeddings(lacks.folder):
        return ModelError(
            f"merge: {has.name} has a separate output layer, '{OUTPUT_LAYER}', but that of {lacks.name} is tied to "
            f"the embedding (tie_word_embeddings); untie it and save it with both before merging"
        )
    more_of_them = f" and {len(names) - 1} more" if len(names) > 1 else ""
    hint = wrapped(lacks.tensors) or wrapped(has.tensors)
    return ModelError(
        f"merge: {lacks.name} has no tensor '{names[0]}'{more_of_them}, which {has.name} has; merge checkpoints of one "
        f"architecture with one kind of head{hint}"
    )


def _notes(
    home: Checkpoint, other: Checkpoint, kept: Iterable[str], ignored: Iterable[str], names: Mapping[str, str]
) -> list[str]:
    notes = []
    if names:
        first = min(names)
        notes.append(
            f"{len(names)} tensors have other names in {other.name} (the first: {first}, here {names[first]}) and are "
            f"the same for transformers"
        )
    if kept := sorted(kept):
        notes.append(f"the model does not load {_listed(kept)}; those of {home.name} are kept")
    if ignored := sorted(ignored):
        notes.append(f"the model does not load {_listed(ignored)} of {other.name}; left out")
    return notes


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:_SHOWN])}{f' and {len(names) - _SHOWN} more' if len(names) > _SHOWN else ''}"
