"""A collection from mteb: mteb's loader reads the pinned dataset, and its Arrow columns are streamed into ours."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from adapters.errors import DataError, EnvironmentFailure
from harness.data.collection import changes_of
from harness.data.sources import hub_rows, mteb_data, second_reading
from harness.data.sources.declared import DeclaredCollection
from harness.data.sources.dirt import Dirt
from harness.data.sources.origin import SourceChoice
from harness.data.sources.source import CORPUS, QUERIES, ConvertedSource
from harness.data.sources.texts import write_texts
from harness.data.suites.table import SuiteCollection


@dataclass(frozen=True)
class MtebSource:
    """One split and subset of a task of mteb, from the hub or from a mirror folder."""

    entry: SuiteCollection
    declared: DeclaredCollection
    access: SourceChoice

    @property
    def name(self) -> str:
        """`<suite>/<name>`."""
        return self.entry.target

    @property
    def split(self) -> str:
        """The split in the suite's table."""
        return self.entry.mteb.split

    @property
    def origin(self) -> str:
        """Task, dataset and revision; a dataset of the hub never changes at a revision."""
        names = self.entry.mteb
        mirror = f" in {self.access.mirror.resolve()}" if self.access.mirror else ""
        paired = f" with {mteb_data.CHANGED}" if mteb_data.is_paired(self.entry) else ""
        return f"mteb {names.task} {names.path}@{names.revision} {names.subset} {names.split}{paired}{mirror}"

    def files(self) -> Sequence[Path]:
        """The files of the dataset in the mirror; none for the hub.

        Raises:
            DataError: the mirror lacks it; the message has the command that fetches it.
        """
        if self.access.mirror is None:
            return []
        folder = mirrored(self.entry, self.access.mirror)
        if not (folder / "README.md").is_file():
            fetch = f"harness fetch {self.entry.target} --mirror {shlex.quote(str(self.access.mirror))}"
            raise EnvironmentFailure(
                f"{folder}: not found, or without README.md; on a machine with a network, run: {fetch}"
            )
        inside = ((file, file.relative_to(folder).parts[0]) for file in folder.rglob("*"))
        return sorted(file for file, top in inside if not top.startswith(".") and file.is_file())

    def convert(self, folder: Path, dirt: Dirt) -> ConvertedSource:
        """Convert the queries that mteb keeps, then the documents, then judgments and candidates."""
        mirror = self.access.mirror
        with tempfile.TemporaryDirectory(dir=folder) as cache, mteb_data.own_dice():
            task = mteb_data.task_of(self.entry)
            drift = self._other_revision(task)
            with mteb_data.local_files(Path(cache)) if mirror else nullcontext():
                data = mteb_data.load(task, self.entry, mirrored(self.entry, mirror) if mirror else None)
                drift += [] if mirror else self._other_copy(data)
                changed = mteb_data.changed(task, self.entry) if mteb_data.is_paired(self.entry) else {}
                found = self._converted(data, changed, folder, dirt)
        return replace(found, drift="; ".join(drift) or None)

    def _converted(
        self, data: Mapping[str, Any], changed: Mapping[str, Sequence[str]], folder: Path, dirt: Dirt
    ) -> ConvertedSource:
        judged = hub_rows.with_clean_ids(data["relevant_docs"], dirt)
        lists = hub_rows.lists_with_clean_ids(data["top_ranked"] or {}, dirt)
        changed = hub_rows.lists_with_clean_ids(changed, dirt)
        queries = dict.fromkeys(judged, -1)
        label = f"{self._label}, queries"
        read = partial(hub_rows.query_rows, data["queries"], label)
        write_texts(read, label, folder / QUERIES, queries, dirt.of("queries"))
        listed = (judged, lists, changed)
        documents = {document: -1 for names in listed for some in names.values() for document in some}
        corpus, label = data["corpus"], f"{self._label}, corpus"
        read = partial(hub_rows.document_rows, corpus, label)
        written = write_texts(read, label, folder / CORPUS, documents, dirt.of("documents"))
        given, repeated = None, 0
        if lists:
            label = f"{self._label}, top_ranked"
            given, repeated = hub_rows.given_lists(lists, queries, documents, label, dirt.of("candidates"))
        return ConvertedSource(
            qrels=hub_rows.resolved(judged, queries, documents, f"{self._label}, qrels", dirt.of("judgments")),
            given=given,
            empty_documents=written.empty,
            queries_without_judgments=0,
            repeated_candidates=repeated,
            changes=changes_of({name: [documents[one] for one in some] for name, some in changed.items()})
            if changed
            else None,
            published=second_reading.of_mapping(data["relevant_docs"]),
        )

    @property
    def _label(self) -> str:
        return f"{self.entry.mteb.path}@{self.entry.mteb.revision[:7]}"

    def _other_revision(self, task: Any) -> list[str]:
        """The difference, if the table has another revision than mteb's task. The table's revision is read, but mteb's
        published numbers are for the one that mteb pins."""
        ours, pinned = self.entry.mteb, task.metadata.dataset
        if (pinned["path"], pinned["revision"]) == (ours.path, ours.revision):
            return []
        theirs = f"mteb's task {ours.task} pins {pinned['path']}@{pinned['revision']}"
        return self._met(f"the suite's table reads {ours.path}@{ours.revision}, {theirs}")

    def _other_copy(self, data: Mapping[str, Any]) -> list[str]:
        """The difference, if the cached copy has another revision: offline, `datasets` takes the newest copy."""
        ours = self.entry.mteb.revision
        copies = {Path(file["filename"]).parent for key in ("corpus", "queries") for file in data[key].cache_files}
        others = sorted(copy.name for copy in copies if ours not in copy.parts)
        if not others:
            return []
        return self._met(f"the cached copy of {self.entry.mteb.path} is of the revision {others[0]}, not {ours}")

    def _met(self, difference: str) -> list[str]:
        if not self.access.allow_drift:
            raise DataError(f"{self.entry.target}: {difference}; --allow-drift accepts it and marks the numbers")
        return [difference]


def mirrored(entry: SuiteCollection, mirror: Path) -> Path:
    """The folder of the dataset in a mirror, in the layout of `hf download --repo-type dataset --local-dir`."""
    return mirror.expanduser() / "datasets" / entry.mteb.path / entry.mteb.revision
