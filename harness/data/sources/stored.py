"""A converted collection in the workspace: columns in a folder that is named by the fingerprint."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from adapters.errors import DataError, damaged
from adapters.identity import array_digest, digest
from adapters.typed_file import read_json
from harness.data.as_published import AsPublished, write_published
from harness.data.collection import (
    Changes,
    Collection,
    Counts,
    GivenCandidates,
    Rules,
    Texts,
    counts_of_missing,
    counts_of_queries,
)
from harness.data.columns import count_duplicate_texts, open_texts, texts_digest
from harness.data.detection import kept_or_detected
from harness.data.qrels import NOTHING_MISSING, Missing, Qrels, Rows
from harness.data.sources.dirt import Dirt
from harness.data.sources.second_reading import by_rules, confirmed
from harness.data.sources.source import CORPUS, QUERIES, ConvertedSource, Source

FORMAT = 1
"""Raise this number when the same source would be converted differently."""
DRIFTED = "†"
"""Appended to the name of a collection whose data differ from the table of its suite."""
MARKER = "collection.json"
PUBLISHED = "published.arrow"
_ARRAYS = "judgments.npz"


@dataclass(frozen=True)
class Description:
    """The facts of a collection that are not in its columns. They depend on the source, not only on the content."""

    name: str
    split: str
    language: str | None
    rules: Rules
    counts: Counts
    fingerprint: str
    group: str | None = None
    published: str | None = None
    """Digest of the file PUBLISHED; None if an earlier version wrote the folder, or if there is no second reading."""

    @property
    def lacks_judgments(self) -> bool:
        """Whether an earlier version left out judgments of documents that the corpus lacks."""
        return self.published is None and self.counts.let_through.get("unknown-documents", 0) > 0


def describe(source: Source, folder: Path, converted: ConvertedSource, dirt: Dirt) -> Description:
    """Count what was converted, and compute the fingerprint.

    Raises:
        DataError: the judgments differ from the second reading of the source.
    """
    corpus, queries = open_texts(folder / CORPUS), open_texts(folder / QUERIES)
    published = _published(source, folder, converted, (queries, corpus))
    content: dict[str, object] = {
        "format": FORMAT,
        "corpus": texts_digest(corpus),
        "queries": texts_digest(queries),
        "qrels": array_digest(*_qrels_arrays(converted.qrels).values()),
        "given": array_digest(*_given_arrays(converted.given).values()) if converted.given else None,
        "drop_identical_ids": source.declared.rules.drop_identical_ids,
    }
    # These keys exist only if there is something, so that the fingerprints of other collections do not change.
    if len(converted.qrels.missing):
        content["missing"] = [list(converted.qrels.missing.ids), array_digest(*_of_missing(converted.qrels))]
    if converted.changes:
        content["changes"] = [list(converted.changes.questions), array_digest(*_rows_of(converted.changes))]
    counts = Counts(
        documents=len(corpus),
        empty_documents=converted.empty_documents,
        duplicate_texts=count_duplicate_texts(corpus),
        queries_without_judgments=converted.queries_without_judgments,
        let_through=dirt.counts,
        shares=dirt.shares,
        repeated_candidates=converted.repeated_candidates,
        **counts_of_queries(queries, converted.qrels, converted.given),
        **counts_of_missing(converted.qrels),
    )
    declared = source.declared
    name, rules = declared.name or source.name, declared.rules
    if converted.drift:
        name, rules = f"{name}{DRIFTED}", with_drift(rules, converted.drift)
    return Description(name, source.split, declared.language, rules, counts, digest(content), declared.group, published)


def _published(source: Source, folder: Path, converted: ConvertedSource, texts: tuple[Texts, Texts]) -> str | None:
    """Confirm and write the second reading of the judgments, and return the digest of the file."""
    if converted.published is None:
        return None
    allow = source.declared.rules.allow
    try:
        found = confirmed(by_rules(converted.published, allow), allow, converted.qrels, *texts)
    except DataError as error:
        raise DataError(f"{source.name}: {error}") from None
    return write_published(folder / PUBLISHED, found).digest


def with_drift(rules: Rules, drift: str) -> Rules:
    """Add a note to the rules on how the data differ from the suite's table."""
    note = f"{DRIFTED} Not as in the suite's table: {drift}."
    return replace(rules, note=f"{rules.note} {note}" if rules.note else note)


def write(folder: Path, converted: ConvertedSource, description: Description) -> None:
    """Write the judgments and lists into the folder of the texts. The marker is written last."""
    with (folder / _ARRAYS).open("wb") as file:
        arrays = (
            _qrels_arrays(converted.qrels), _missing_arrays(converted.qrels), _given_arrays(converted.given),
            _changes_arrays(converted.changes),
        )  # fmt: skip
        np.savez(file, **{name: array for part in arrays for name, array in part.items()})
    (folder / MARKER).write_text(json.dumps(asdict(description), indent=1, ensure_ascii=False), "utf-8")


def is_there(folder: Path) -> bool:
    """Whether the folder has a complete collection."""
    return (folder / MARKER).exists()


def description_in(folder: Path) -> Description:
    """Read the description in the folder of a complete collection.

    Raises:
        DataError: the description cannot be read.
    """
    return read_json(folder / MARKER, Description, error=DataError, advice=f"damaged; delete the folder {folder}")


def is_current(folder: Path, description: Description) -> bool:
    """Whether the folder has the complete collection of a description, with all files that this version writes."""
    if description.lacks_judgments or not is_there(folder):
        return False
    return description.published is None or description_in(folder).published is not None


def read(folder: Path, description: Description) -> Collection:
    """Open the columns of a collection. If no language is declared, it is detected the first time.

    Raises:
        DataError: the columns are damaged.
    """
    corpus, queries = open_texts(folder / CORPUS), open_texts(folder / QUERIES)
    try:
        with (folder / _ARRAYS).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            qrels = Qrels(arrays["queries"], arrays["documents"], arrays["grades"], _missing(arrays))
            given = (
                GivenCandidates(arrays["given_offsets"], arrays["given_documents"])
                if "given_offsets" in arrays
                else None
            )
            changes = _changes(arrays) if "changed_questions" in arrays else None
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise damaged(folder / _ARRAYS, error, f"delete the folder {folder}") from error
    detected = kept_or_detected(folder, corpus) if description.language is None else None
    return Collection(
        name=description.name,
        split=description.split,
        language=description.language,
        corpus=corpus,
        queries=queries,
        qrels=qrels,
        given=given,
        rules=description.rules,
        counts=description.counts,
        fingerprint=description.fingerprint,
        group=description.group,
        changes=changes,
        published=_as_published(folder),
        detected_language=detected.language if detected else None,
        language_sought=description.language is not None or detected is not None,
    )


def _as_published(folder: Path) -> AsPublished | None:
    """The published judgments, by the description in the folder: another source with the same judgments may have
    written it."""
    written = description_in(folder).published
    return AsPublished(folder / PUBLISHED, written) if written else None


def _qrels_arrays(qrels: Qrels) -> dict[str, Any]:
    return {"queries": qrels.queries, "documents": qrels.documents, "grades": qrels.grades}


def _missing_arrays(qrels: Qrels) -> dict[str, Any]:
    if not len(qrels.missing):
        return {}
    queries, grades = _of_missing(qrels)
    return {
        "missing_queries": queries,
        "missing_grades": grades,
        "missing_ids": np.array(qrels.missing.ids, np.str_),
    }


def _missing(arrays: Mapping[str, Any]) -> Missing:
    if "missing_ids" not in arrays:
        return NOTHING_MISSING
    ids = tuple(map(str, arrays["missing_ids"].tolist()))
    return Missing(arrays["missing_queries"], arrays["missing_grades"], ids)


def _of_missing(qrels: Qrels) -> tuple[Rows, Rows]:
    return qrels.missing.queries, qrels.missing.grades


def _given_arrays(given: GivenCandidates | None) -> dict[str, Any]:
    return {"given_offsets": given.offsets, "given_documents": given.documents} if given else {}


def _changes_arrays(changes: Changes | None) -> dict[str, Any]:
    if changes is None:
        return {}
    offsets, documents = _rows_of(changes)
    return {
        "changed_questions": np.array(changes.questions, np.str_),
        "changed_offsets": offsets,
        "changed_documents": documents,
    }


def _changes(arrays: Mapping[str, Any]) -> Changes:
    questions = tuple(map(str, arrays["changed_questions"].tolist()))
    return Changes(questions, arrays["changed_offsets"], arrays["changed_documents"])


def _rows_of(changes: Changes) -> tuple[Any, Any]:
    return changes.offsets, changes.documents
