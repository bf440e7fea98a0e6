"""The collections of a suite as sources: choose where each is read from, and check its sizes against the table."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from adapters.errors import DataError, UsageError, did_you_mean
from harness.data.sources.counted import differences
from harness.data.sources.declared import DeclaredCollection, TomlTable, combine, for_part
from harness.data.sources.dirt import Dirt
from harness.data.sources.mteb_task import MtebSource, mirrored
from harness.data.sources.offered import Offer, chosen
from harness.data.sources.origin import ANYWHERE, SourceChoice
from harness.data.sources.source import ConvertedSource, Source
from harness.data.sources.wrapped import WrappedSource
from harness.data.suites.table import UNINSTRUCTED
from harness.data.suites.targets import SuiteCollection, find
from harness.workspace import DEFAULT, Workspace

_PACKAGES = {"mteb": "mteb", "irds": "ir_datasets"}


@dataclass(frozen=True)
class SuiteSource(WrappedSource):
    """A collection of a suite, read from one of its sources. Its sizes are checked after the conversion."""

    entry: SuiteCollection
    allow_drift: bool

    @property
    def name(self) -> str:
        """`<suite>/<name>`, whatever its name at the source."""
        return self.entry.target

    @property
    def origin(self) -> str:
        """The source with the expected sizes. Data that --allow-drift accepted are checked again without it."""
        expected = {**asdict(self.entry.counts), "candidates": self.entry.candidates}
        return f"{self.inner.origin} {expected}{' or other' if self.allow_drift else ''}"

    def convert(self, folder: Path, dirt: Dirt) -> ConvertedSource:
        """Convert, and compare the sizes with the table.

        Raises:
            DataError: as the source, or the sizes are not those of the table.
        """
        converted = self.inner.convert(folder, dirt)
        found = differences(self.entry, converted, folder, dirt)
        if found and not self.allow_drift:
            sizes = "; ".join(found)
            raise DataError(
                f"{self.name}: not the published data ({sizes}); --allow-drift accepts it and marks the numbers"
            )
        drift = [*([converted.drift] if converted.drift else []), *found]
        return replace(converted, drift="; ".join(drift) or None)


def suite_sources(
    target: str,
    languages: Sequence[str] = (),
    origin: SourceChoice = ANYWHERE,
    workspace: Workspace | None = None,
    *,
    split: str | None = None,
    tables: Sequence[TomlTable] = (),
) -> list[Source]:
    """The sources of a suite, of a collection or group of one, or of a task of mteb.

    Args:
        languages: the languages to read. Default: all.
        origin: where the collections are read from.
        workspace: it keeps the downloads.
        split: Default: all splits of the target.
        tables: the user's declarations; they override the suite's.

    Raises:
        UsageError: the suite has no such collection, split or language, or the source lacks it.
        MissingExtra: the package of the source is not installed.
    """
    offers = suite_offers(target, origin, workspace, split=split, tables=tables)
    return list(chosen({target: offers}, languages).sources)


def suite_offers(
    target: str,
    origin: SourceChoice = ANYWHERE,
    workspace: Workspace | None = None,
    *,
    split: str | None = None,
    tables: Sequence[TomlTable] = (),
) -> list[Offer]:
    """As `suite_sources`, before languages and sources are chosen.

    Raises:
        UsageError: the suite has no such collection or split.
    """
    entries = find(target)
    names = [entry.name for entry in entries]
    downloads = (workspace or Workspace(Path(DEFAULT))).downloads

    def offer(entry: SuiteCollection) -> Offer:
        def opened(declared: DeclaredCollection) -> Source:
            return SuiteSource(_chosen(entry, declared, origin, downloads), entry, origin.allow_drift)

        return Offer(entry.target, _declared(entry, tables, names), opened)

    return [offer(entry) for entry in _of_split(entries, split, target)]


def other_split(target: str, split: str, origin: SourceChoice = ANYWHERE, workspace: Workspace | None = None) -> Source:
    """A collection of a suite with the judgments of another split, such as `train`. It is read from BEIR's zip file or
    ir_datasets, if the suite names one, else from mteb. No table has the sizes of such a split, so none are compared.

    Raises:
        UsageError: the target is unknown, or is not one collection.
        MissingExtra: the package of the source is not installed.
    """
    entries = find(target)
    if len(entries) != 1:
        some = ", ".join(entry.target for entry in entries[:4])
        raise UsageError(f"'{target}' names {len(entries)} collections; name one, such as {some}")
    (entry,) = entries
    changed = replace(
        entry,
        mteb=replace(entry.mteb, split=split),
        beir=entry.beir and replace(entry.beir, split=split),
        irds=entry.irds and _of_other_split(entry.irds, entry.mteb.split, split),
    )
    kind = next(kind for kind in ("beir", "irds", "mteb") if kind in _kinds(changed))
    choice = origin if origin.source != "auto" else replace(origin, source=kind)
    downloads = (workspace or Workspace(Path(DEFAULT))).downloads
    return _chosen(changed, _declared(entry, (), [entry.name]), choice, downloads)


def _of_other_split(name: str, before: str, split: str) -> str:
    """A name of ir_datasets such as `miracl/sw/dev`, with another split."""
    head, _, last = name.rpartition("/")
    return f"{head}/{split}" if last == before else f"{name}/{split}"


def _of_split(entries: list[SuiteCollection], split: str | None, target: str) -> list[SuiteCollection]:
    splits = {entry.mteb.split for entry in entries}
    if split is not None and split not in splits:
        raise UsageError(f"{target}: no split '{split}'.{did_you_mean(split, splits)}")
    return [entry for entry in entries if split in (None, entry.mteb.split)]


def _declared(entry: SuiteCollection, tables: Sequence[TomlTable], names: Sequence[str]) -> DeclaredCollection:
    """The declarations for an entry. The user's rules override the table's, but `allow` is the union of both."""
    keys = {
        "name": entry.target,
        "language": entry.language,
        "group": entry.group,
        "main_measure": entry.main_measure,
        "instruction": entry.instruction,
        "first_stage_instruction": None if entry.instruction else UNINSTRUCTED,
        "drop_identical_ids": entry.drop_identical_ids,
        "note": entry.note,
        "parallel": entry.parallel,
    }
    of_suite = {key: value for key, value in keys.items() if value is not None}
    of_user = (part for table in tables for part in for_part(table, entry.name, names))
    declared = combine([TomlTable(f"the table of '{entry.suite}'", of_suite), *of_user])
    allow = tuple(sorted({*entry.allow, *declared.rules.allow}))
    rules = replace(declared.rules, allow=allow)
    return replace(declared, rules=rules, within=entry.within, in_set=True)


def _chosen(entry: SuiteCollection, declared: DeclaredCollection, origin: SourceChoice, downloads: Path) -> Source:
    kind = origin.source if origin.source != "auto" else _automatic(entry, origin.mirror)
    if kind not in _kinds(entry):
        raise UsageError(f"{entry.target}: the source '{kind}' does not have it.{did_you_mean(kind, _kinds(entry))}")
    if kind == "mteb":
        return MtebSource(entry, declared, origin)
    if kind == "beir":
        from harness.data.sources.beir_download import beir_zip_source

        return beir_zip_source(entry, declared, origin, downloads)
    from harness.data.sources.ir_dataset import irds_source

    return irds_source(entry, declared, origin)


def _kinds(entry: SuiteCollection) -> list[str]:
    return ["mteb", *(["beir"] if entry.beir else []), *(["irds"] if entry.irds else [])]


def _automatic(entry: SuiteCollection, mirror: Path | None) -> str:
    kinds = _kinds(entry)
    usable = [kind for kind in kinds if _is_installed(kind)]
    in_mirror = [kind for kind in kinds if mirror and _in_mirror(kind, entry, mirror.expanduser())]
    return next(iter([*(kind for kind in in_mirror if kind in usable), *in_mirror, *usable, *kinds]))


def _is_installed(kind: str) -> bool:
    package = _PACKAGES.get(kind)
    return package is None or importlib.util.find_spec(package) is not None


def _in_mirror(kind: str, entry: SuiteCollection, mirror: Path) -> bool:
    if kind == "mteb":
        return mirrored(entry, mirror).is_dir()
    if kind == "beir":
        return entry.beir is not None and (mirror / "beir" / f"{entry.beir.zip}.zip").is_file()
    return entry.irds is not None and mirror.joinpath("irds", *entry.irds.split("/")[:2]).is_dir()
