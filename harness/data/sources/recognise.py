"""Recognise a target: the packaged sample, a suite, a folder or zip file in BEIR's layout, reranking rows, or a set."""

from __future__ import annotations

import importlib.resources
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from adapters.errors import UsageError, array_advice, did_you_mean
from adapters.paths import user_path
from harness.data.label_names import split_target
from harness.data.sources.beir_folder import beir_source
from harness.data.sources.beir_zip import Zip
from harness.data.sources.declared import FILE, DeclaredCollection, TomlTable, combine, parse, read
from harness.data.sources.folder_set import alone, collection_source, is_collection, parts, set_offers
from harness.data.sources.labelled import LabelledSource
from harness.data.sources.offered import ChosenSources, Offer, chosen
from harness.data.sources.origin import ANYWHERE, SourceChoice
from harness.data.sources.reranking_rows import is_rows_file, rows_name, rows_of_file
from harness.data.sources.source import Source
from harness.data.sources.suite_source import suite_offers
from harness.data.suites.targets import is_suite_target, suite_names
from harness.workspace import Workspace

DEMO = "demo"
_KINDS = (
    "a folder with corpus.jsonl, queries.jsonl and qrels/<split>.tsv (or collection.tsv, topics.txt and qrels.txt), a "
    ".zip of that, a .jsonl of reranking rows (query, positive, negative), or a folder of such folders"
)


def sources(
    target: str,
    split: str | None,
    languages: Sequence[str],
    rules: Path | None,
    *,
    origin: SourceChoice = ANYWHERE,
    workspace: Workspace | None = None,
) -> list[Source]:
    """The sources of a target. `demo` and the suites take precedence over folders of the same name (write `./beir`).

    Raises:
        UsageError: the target does not exist, is not a collection, or lacks the split or language.
    """
    return list(chosen_sources([target], split, languages, rules, origin=origin, workspace=workspace).sources)


def chosen_sources(
    targets: Sequence[str],
    split: str | None,
    languages: Sequence[str],
    rules: Path | None,
    *,
    origin: SourceChoice = ANYWHERE,
    workspace: Workspace | None = None,
) -> ChosenSources:
    """The sources of several targets, and lines about collections in other languages; see `offered`.

    Raises:
        UsageError: as `sources`. A language has to occur in one of the targets, not in each.
    """
    tables = [read(rules)] if rules else []
    offers = {target: _offers(target, split, tables, origin, workspace) for target in targets}
    return chosen(offers, languages)


def _offers(
    target: str, split: str | None, tables: list[TomlTable], origin: SourceChoice, workspace: Workspace | None
) -> list[Offer]:
    bare, labels = split_target(target)
    if labels is None:
        return _published(target, split, tables, origin, workspace)
    offers = _published(bare, split, tables, origin, workspace)
    return [replace(one, open=partial(_labelled, one, labels, workspace)) for one in offers]


def _labelled(offer: Offer, labels: str, workspace: Workspace | None, declared: DeclaredCollection) -> Source:
    return LabelledSource(offer.open(declared), labels, None if workspace is None else workspace.path)


def _published(
    target: str, split: str | None, tables: list[TomlTable], origin: SourceChoice, workspace: Workspace | None
) -> list[Offer]:
    if target == DEMO or target.startswith(f"{DEMO}/"):
        return _demo(target, split, tables)
    if is_suite_target(target):
        return suite_offers(target, origin, workspace, split=split, tables=tables)
    path = user_path(target)
    if not path.exists():
        raise UsageError(f"no collection '{target}'.{did_you_mean(path.name, _neighbours(path))}")
    return _in_folder(path, split, tables) if path.is_dir() else [_in_file(path, split, tables)]


def _demo(target: str, split: str | None, tables: list[TomlTable]) -> list[Offer]:
    folder = Path(str(importlib.resources.files("harness.data").joinpath("sample")))
    language = target.partition("/")[2]
    names = [part.name for part in parts(folder)]
    if language and language not in names:
        raise UsageError(f"no collection '{target}'.{did_you_mean(target, [f'{DEMO}/{name}' for name in names])}")
    offers = zip(names, set_offers(folder, DEMO, split, tables), strict=True)
    return [offer for name, offer in offers if not language or name == language]


def _in_folder(path: Path, split: str | None, tables: list[TomlTable]) -> list[Offer]:
    name = path.resolve().name
    if is_collection(path):
        in_folder = [read(path / FILE)] if (path / FILE).exists() else []
        declared = alone(path, combine([*in_folder, *tables]))
        return [Offer(declared.name or name, declared, partial(collection_source, path, name, split))]
    if not parts(path):
        raise _no_collection(path)
    return set_offers(path, name, split, tables)


def _in_file(path: Path, split: str | None, tables: list[TomlTable]) -> Offer:
    if is_rows_file(path):
        declared = alone(path, combine(tables))
        return Offer(declared.name or rows_name(path), declared, partial(rows_of_file, path, split))
    if path.suffix == ".json":
        with path.open(encoding="utf-8", errors="replace") as file:
            advice = array_advice(file.read(64), f"{path}:1")
        raise UsageError(f"'{path}' is not a collection; reranking rows are in a .jsonl file; {advice}")
    if path.suffix != ".zip" and not zipfile.is_zipfile(path):
        raise _no_collection(path)
    place, name = Zip(path), path.name.removesuffix(".zip")
    inside = []
    if FILE in place.names():
        inside = [parse(place.content(FILE), place.label(FILE))]
    declared = alone(path, combine([*inside, *tables]))
    return Offer(declared.name or name, declared, partial(beir_source, place, name, split))


def _no_collection(path: Path) -> UsageError:
    has_csv = path.suffix == ".csv" or (path.is_dir() and any(path.glob("*.csv")))
    hint = "; .csv is not read, save it with tabs as .tsv" if has_csv else ""
    return UsageError(f"'{path}' is not a collection{hint}; name {_KINDS}")


def _may_be_named(entry: Path) -> bool:
    try:
        return entry.is_dir() and (is_collection(entry) or bool(parts(entry)))
    except OSError:  # a folder that cannot be read
        return False


def _neighbours(path: Path) -> list[str]:
    parent = path.parent
    entries = [entry for entry in parent.iterdir() if not entry.name.startswith(".")] if parent.is_dir() else []
    names = [entry.name for entry in entries if entry.suffix in (".zip", ".jsonl") or _may_be_named(entry)]
    return [DEMO, *suite_names(), *names]
