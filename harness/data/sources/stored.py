"""A converted collection in the workspace: columns in a folder that is named by the fingerprint.

Its fingerprint covers its texts, ids, judgments and candidate lists. The file of arrays has checksums under the
fingerprint, for itself and for the blocks of both files of texts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from adapters.errors import DataError
from adapters.identity import digest
from adapters.sums import (
    DAMAGED,
    Array,
    DamagedFile,
    NoChecksum,
    load_arrays,
    load_unproven,
    read_sealed,
    save_arrays,
    save_sealed,
)
from harness.data.as_published import AsPublished, write_published
from harness.data.collection import Collection, Counts, Rules, counts_of_missing, counts_of_queries
from harness.data.columns import count_duplicate_texts, open_texts, texts_digest
from harness.data.detection import kept_or_detected
from harness.data.sources.dirt import Dirt
from harness.data.sources.second_reading import by_rules, confirmed
from harness.data.sources.source import CORPUS, QUERIES, ConvertedSource, Source
from harness.data.sources.stored_judgments import StoredJudgments
from harness.data.texts import Guard, Texts, block_sums

FORMAT = 1
"""A part of every fingerprint. Raise this number only when the same content would get another meaning."""
DRIFTED = "†"
"""Appended to the name of a collection whose data differ from the table of its suite."""
MARKER = "collection.json"
PUBLISHED = "published.arrow"
ARRAYS = "judgments.npz"
Renew = Callable[[DamagedFile], Path]
"""Makes a damaged collection again from its source, and returns its folder."""


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
    judgments = _judgments(converted)
    declared = source.declared
    content = _content(corpus, queries, judgments, declared.rules)
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
    name, rules = declared.name or source.name, declared.rules
    if converted.drift:
        name, rules = f"{name}{DRIFTED}", with_drift(rules, converted.drift)
    return Description(name, source.split, declared.language, rules, counts, digest(content), declared.group, published)


def _judgments(converted: ConvertedSource) -> StoredJudgments:
    return StoredJudgments(converted.qrels, converted.given, converted.changes)


def _content(corpus: Texts, queries: Texts, judgments: StoredJudgments, rules: Rules) -> dict[str, object]:
    """What the fingerprint is the digest of."""
    return {
        "format": FORMAT,
        "corpus": texts_digest(corpus),
        "queries": texts_digest(queries),
        "drop_identical_ids": rules.drop_identical_ids,
        **judgments.content(),
    }


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
    texts = (open_texts(folder / CORPUS), open_texts(folder / QUERIES))
    arrays = _with_sums(_judgments(converted).arrays(), texts, description.fingerprint)
    save_arrays(folder / ARRAYS, description.fingerprint, arrays)
    write_description(folder, description)


def write_description(folder: Path, description: Description) -> None:
    """Write the description, with a digest of itself."""
    save_sealed(folder / MARKER, description.fingerprint, asdict(description))


def seal(folder: Path, description: Description) -> None:
    """Replace a description without a digest, which an earlier version wrote."""
    written, proven = read_sealed(folder / MARKER, Description)
    if not proven:
        write_description(folder, replace(description, published=written.published))


def _with_sums(arrays: Mapping[str, Array], texts: tuple[Texts, Texts], key: str) -> dict[str, Array]:
    """The arrays, and the checksums of the blocks of both files of texts under the names of the files."""
    named = zip((CORPUS, QUERIES), texts, strict=True)
    return {**arrays, **{name: block_sums(one, f"{key} {name}") for name, one in named}}


def is_there(folder: Path) -> bool:
    """Whether the folder has a complete collection. One that was set aside is none."""
    return folder.suffix != DAMAGED and (folder / MARKER).exists()


def description_in(folder: Path) -> Description:
    """Read the description in the folder of a complete collection.

    Raises:
        DamagedFile: the description cannot be read, or is not what was written.
    """
    return read_sealed(folder / MARKER, Description)[0]


def current(folder: Path, description: Description) -> Description | None:
    """The description of the collection in a folder, if it is complete, with all files that this version writes.

    Args:
        description: what is known of the source. The published judgments are those in the folder: another source with
            the same content may have written it.

    Raises:
        DamagedFile: the folder has the description of another collection.
    """
    if description.lacks_judgments or not is_there(folder):
        return None
    written = description_in(folder)
    if written.fingerprint != description.fingerprint:
        raise DamagedFile(f"{folder / MARKER}: it is the description of another collection")
    lacks = description.published is not None and written.published is None
    return None if lacks else replace(description, published=written.published)


def read(folder: Path, description: Description, renew: Renew | None = None) -> Collection:
    """Open the columns of a collection. If no language is declared, it is detected the first time.

    Judgments and lists are verified now, ids and texts when they are read. A collection without checksums, which an
    earlier version wrote, is verified once against its fingerprint, and gets checksums.

    Args:
        description: that of the folder; see `current`.
        renew: called when texts or published judgments turn out to be damaged. Default: that is an error.

    Raises:
        DamagedFile: the columns are not what was written.
    """
    arrays = _arrays(folder, description)
    corpus, queries = (_texts(folder, name, arrays, description.fingerprint, renew) for name in (CORPUS, QUERIES))
    judgments = _of_arrays(folder, arrays)
    detected = kept_or_detected(folder, corpus) if description.language is None else None
    return Collection(
        name=description.name,
        split=description.split,
        language=description.language,
        corpus=corpus,
        queries=queries,
        qrels=judgments.qrels,
        given=judgments.given,
        rules=description.rules,
        counts=description.counts,
        fingerprint=description.fingerprint,
        group=description.group,
        changes=judgments.changes,
        published=_as_published(folder, description, renew),
        detected_language=detected.language if detected else None,
        language_sought=description.language is not None or detected is not None,
    )


def verify(folder: Path, description: Description) -> None:
    """Read and verify everything in the folder of a collection.

    Raises:
        DamagedFile: something is not what was written.
    """
    arrays = _arrays(folder, description)
    for name in (CORPUS, QUERIES):
        for _ in _texts(folder, name, arrays, description.fingerprint, None):
            pass
    _of_arrays(folder, arrays)
    published = _as_published(folder, description, None)
    if published is not None:
        _ = published.table


def _arrays(folder: Path, description: Description) -> dict[str, Array]:
    try:
        return load_arrays(folder / ARRAYS, description.fingerprint)
    except NoChecksum:
        return _proven(folder, description)


def _proven(folder: Path, description: Description) -> dict[str, Array]:
    """The arrays of a collection that an earlier version wrote, proven by the fingerprint, with checksums."""
    arrays = load_unproven(folder / ARRAYS)
    texts = (open_texts(folder / CORPUS), open_texts(folder / QUERIES))
    content = _content(*texts, _of_arrays(folder, arrays), description.rules)
    if digest(content) != description.fingerprint:
        raise DamagedFile(f"{folder}: its texts or judgments are not those of its fingerprint")
    complete = _with_sums(arrays, texts, description.fingerprint)
    with suppress(OSError):  # a read-only workspace is proven each time
        save_arrays(folder / ARRAYS, description.fingerprint, complete)
    return complete


def _of_arrays(folder: Path, arrays: Mapping[str, Array]) -> StoredJudgments:
    try:
        return StoredJudgments.of(arrays)
    except KeyError as error:
        raise DamagedFile(f"{folder / ARRAYS}: {error} is missing") from None


def _texts(folder: Path, name: str, arrays: Mapping[str, Array], fingerprint: str, renew: Renew | None) -> Texts:
    if name not in arrays:
        raise DamagedFile(f"{folder / ARRAYS}: the checksums of {name} are missing")
    again = None if renew is None else partial(_renewed, renew, name, fingerprint)
    return open_texts(folder / name, Guard(folder / name, f"{fingerprint} {name}", arrays[name], again))


def _renewed(renew: Renew, name: str, fingerprint: str, damage: DamagedFile) -> Texts:
    folder = renew(damage)
    return _texts(folder, name, load_arrays(folder / ARRAYS, fingerprint), fingerprint, None)


def _as_published(folder: Path, description: Description, renew: Renew | None) -> AsPublished | None:
    def again(damage: DamagedFile) -> AsPublished | None:
        renewed = folder if renew is None else renew(damage)
        return _as_published(renewed, description_in(renewed), None)

    written = description.published
    return AsPublished(folder / PUBLISHED, written, renew and again) if written else None
