"""What a target is: the packaged sample, a suite, a folder or zip file in BEIR's layout, reranking rows, or a set."""

from __future__ import annotations

import importlib.resources
import zipfile
from collections.abc import Sequence
from pathlib import Path

from adapters.errors import UsageError, did_you_mean
from harness.sources.beir_folder import beir_source
from harness.sources.beir_zip import Zip
from harness.sources.declared import FILE, Table, combine, parse, read
from harness.sources.folder_set import check_language, collection_source, is_collection, parts, set_sources
from harness.sources.origin import ANYWHERE, Origin
from harness.sources.reranking_rows import is_rows_file, rows_of_file
from harness.sources.source import Source
from harness.sources.suite_source import suite_sources
from harness.suites.targets import is_suite_target, suite_names
from harness.workspace import Workspace

DEMO = "demo"
_KINDS = (
    "a folder with corpus.jsonl, queries.jsonl and qrels/<split>.tsv, a .zip of that, a .jsonl of reranking rows "
    "(query, positive, negative), or a folder of such folders"
)


def sources(
    target: str,
    split: str | None,
    languages: Sequence[str],
    rules: Path | None,
    *,
    origin: Origin = ANYWHERE,
    workspace: Workspace | None = None,
) -> list[Source]:
    """The sources that a target names. `demo` and the suites stand above folders of the same name (`./beir`).

    Raises:
        UsageError: nothing is there, it is no collection, or it lacks the split or language.
    """
    tables = [read(rules)] if rules else []
    if target == DEMO or target.startswith(f"{DEMO}/"):
        return _demo(target, split, languages, tables)
    if is_suite_target(target):
        return suite_sources(target, languages, origin, workspace, split=split, tables=tables)
    path = Path(target).expanduser()
    if not path.exists():
        raise UsageError(f"no collection '{target}'.{did_you_mean(path.name, _neighbours(path))}")
    if path.is_dir():
        return _in_folder(path, split, languages, tables)
    source = _in_file(path, split, tables)
    check_language(source.declared, languages, target)
    return [source]


def _demo(target: str, split: str | None, languages: Sequence[str], tables: list[Table]) -> list[Source]:
    folder = Path(str(importlib.resources.files("harness").joinpath("sample")))
    language = target.partition("/")[2]
    there = [part.name for part in parts(folder)]
    if language and language not in there:
        raise UsageError(f"no collection '{target}'.{did_you_mean(target, [f'{DEMO}/{name}' for name in there])}")
    found = set_sources(folder, DEMO, split, languages, tables)
    return [source for source in found if not language or source.name == target]


def _in_folder(path: Path, split: str | None, languages: Sequence[str], tables: list[Table]) -> list[Source]:
    name = path.resolve().name
    if is_collection(path):
        own = [read(path / FILE)] if (path / FILE).exists() else []
        declared = combine([*own, *tables])
        check_language(declared, languages, str(path))
        return [collection_source(path, name, split, declared)]
    if not parts(path):
        raise UsageError(f"'{path}' is no collection; name {_KINDS}")
    return set_sources(path, name, split, languages, tables)


def _in_file(path: Path, split: str | None, tables: list[Table]) -> Source:
    if is_rows_file(path):
        return rows_of_file(path, split, combine(tables))
    if path.suffix != ".zip" and not zipfile.is_zipfile(path):
        raise UsageError(f"'{path}' is no collection; name {_KINDS}")
    place = Zip(path)
    own = []
    if FILE in place.names():
        with place.open(FILE) as stored:
            own = [parse(stored.read(), place.label(FILE))]
    return beir_source(place, path.name.removesuffix(".zip"), split, combine([*own, *tables]))


def _neighbours(path: Path) -> list[str]:
    parent = path.parent
    entries = [entry for entry in parent.iterdir() if not entry.name.startswith(".")] if parent.is_dir() else []
    there = [entry.name for entry in entries if entry.is_dir() or entry.suffix in (".zip", ".jsonl")]
    return [DEMO, *suite_names(), *there]
