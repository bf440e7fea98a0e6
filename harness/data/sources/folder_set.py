"""A folder of collections: every sub-folder is a collection, and its name may be its language."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from adapters.languages import is_language
from harness.data.sources.beir_folder import Folder, beir_source, is_beir
from harness.data.sources.declared import FILE, DeclaredCollection, TomlTable, combine, for_part, read
from harness.data.sources.declared_files import KEY
from harness.data.sources.layout import is_layout
from harness.data.sources.offered import Offer
from harness.data.sources.reranking_rows import row_files, rows_of_folder
from harness.data.sources.source import Source

_CODE = re.compile(r"[a-z]{2,3}")


def is_collection(folder: Path) -> bool:
    """Whether a folder is a single collection: files for corpus, queries and judgments, or reranking rows."""
    return _has_files(folder) or bool(row_files(folder))


def parts(folder: Path) -> list[Path]:
    """The sub-folders that are collections, by name."""
    subs = sorted(sub for sub in folder.iterdir() if sub.is_dir() and not sub.name.startswith("."))
    return [sub for sub in subs if is_collection(sub)]


def collection_source(folder: Path, name: str, split: str | None, declared: DeclaredCollection) -> Source:
    """The source of a folder that is a single collection."""
    if _has_files(folder):
        return beir_source(Folder(folder), name, split, declared)
    return rows_of_folder(folder, name, split, declared)


def _has_files(folder: Path) -> bool:
    place = Folder(folder)
    declares = FILE in place.names() and KEY in read(folder / FILE).keys
    return is_beir(place.names()) or declares or is_layout(place)


def set_offers(folder: Path, name: str, split: str | None, rules: Sequence[TomlTable]) -> list[Offer]:
    """One offer for each sub-folder.

    The `collection.toml` of the set applies to all, its table `[sub]` to one. The `collection.toml` of the sub-folder
    overrides both, and `rules` override everything.
    """
    subs = parts(folder)
    names = [sub.name for sub in subs]
    of_set = _own(folder)
    prefix, offers = _only(("name",), (*of_set, *rules)).name or name, []
    for sub in subs:
        tables = [part for table in of_set for part in for_part(table, sub.name, names)]
        tables += _own(sub)
        tables += [part for table in rules for part in for_part(table, sub.name, names)]
        declared = replace(_with_language(combine(tables), sub.name), within=prefix, in_set=True)
        named = f"{prefix}/{sub.name}"
        offers.append(Offer(declared.name or named, declared, partial(collection_source, sub, named, split)))
    return offers


def alone(path: Path, declared: DeclaredCollection) -> DeclaredCollection:
    """The declarations of a folder or file that the user named alone, with those of its parent folder as the set.

    The declaration of `parallel` in the parent's `collection.toml` applies here too. A folder that is named after a
    language, such as `xquad/de`, is a part of the set.
    """
    folder, name = path.resolve().parent, path.resolve().name
    found = _own(folder)
    of_set = [] if found and is_collection(folder) else found
    tables = [*of_set, *(TomlTable(t.label, own) for t in of_set if isinstance(own := t.keys.get(name), dict))]
    parallel = _only(("name", "parallel"), tables).parallel if declared.parallel is None else declared.parallel
    set_name = _only(("name",), of_set).name or folder.name or None
    return replace(declared, parallel=parallel, within=set_name, in_set=path.is_dir() and _is_code(name))


def _own(folder: Path) -> list[TomlTable]:
    return [read(path) for path in (folder / FILE,) if path.exists()]


def _only(keys: Sequence[str], tables: Sequence[TomlTable]) -> DeclaredCollection:
    return combine([TomlTable(t.label, {key: t.keys[key] for key in keys if key in t.keys}) for t in tables])


def _is_code(folder_name: str) -> bool:
    return bool(_CODE.fullmatch(folder_name)) and is_language(folder_name)


def _with_language(declared: DeclaredCollection, folder_name: str) -> DeclaredCollection:
    if declared.language is None and _is_code(folder_name):
        return replace(declared, language=folder_name)
    return declared
