"""Find the corpus, queries and judgments of a folder: as declared, else by BEIR's names, else by the usual names of
TREC files, else by how the files begin. If that is not clear, an error lists the files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from adapters.errors import DataError, UsageError
from harness.data.sources.declared_files import Files
from harness.data.sources.jsonl import CollectionFiles, find, lines
from harness.data.sources.source import choose_split
from harness.data.sources.text_files import form_of

Role = Literal["judgments", "queries", "corpus"]
LAYOUT = "a collection has corpus.jsonl, queries.jsonl and qrels/<split>.tsv"
FOLDERS = ("qrels", "queries", "topics", "corpus", "collection", "docs", "documents", "passages")
"""Sub-folders whose files belong to the collection."""
_WORDS: Mapping[str, Role] = {
    **dict.fromkeys(("qrels", "qrel", "judgments", "judgements"), "judgments"),
    **dict.fromkeys(("queries", "query", "topics", "topic"), "queries"),
    **dict.fromkeys(("corpus", "collection", "documents", "document", "docs", "doc", "passages"), "corpus"),
}
"""The first word that a name contains decides: `qrels.dl19-doc.txt` has judgments."""
_ENDS = (".jsonl", ".json", ".tsv", ".txt", ".trec", ".xml", ".sgml", ".sgm", ".qrels", ".qrel", ".topics", ".dat")
_OTHERS = (
    ".toml", ".md", ".py", ".sh", ".zip", ".tar", ".csv", ".parquet", ".arrow", ".yaml", ".yml", ".html", ".pdf",
    ".run", ".lock", ".npz", ".npy", ".bin", ".pkl", ".safetensors",
)  # fmt: skip
_RUNS = ("run", "runs", "results")
_JUDGED = re.compile(r"\S+\s+[QqUu]?\d+\s+\S+\s+[+-]?\d+\s*")
_DECLARE = "name one in collection.toml: [files] %s = ..."


@dataclass(frozen=True)
class Layout:
    """The names of the files of one split."""

    corpus: tuple[str, ...]
    queries: str
    judgments: str
    split: str

    @property
    def names(self) -> tuple[str, ...]:
        """All files."""
        return (*self.corpus, self.queries, self.judgments)


def is_layout(place: CollectionFiles) -> bool:
    """Whether a place has judgments and queries, by the names or the beginning of the files."""
    roles = _roles(place)
    return bool(roles["judgments"]) and bool(roles["queries"])


def has_all_names(names: Iterable[str]) -> bool:
    """Whether file names alone show judgments, queries and a corpus."""
    return {"judgments", "queries", "corpus"} <= {_role(name) for name in names}


def layout_of(place: CollectionFiles, files: Files, split: str | None) -> Layout:
    """The files of the given or the default split.

    Raises:
        DataError: corpus, queries or judgments are missing, or it is not clear which file has them.
        UsageError: the split does not exist, or there are several and none is given.
    """
    roles = _roles(place)
    splits = _splits(place, roles["judgments"], files)
    chosen = choose_split(split, list(splits), _label_of(place, splits))
    return Layout(_corpus(place, roles["corpus"], files), _queries(place, roles, files, chosen), splits[chosen], chosen)


def corpus_files(place: CollectionFiles, files: Files) -> tuple[str, ...]:
    """The files of the corpus alone; () if there are none.

    Raises:
        DataError: a declared file does not exist.
        UsageError: several files could be the corpus.
    """
    found = _roles(place)["corpus"]
    return _corpus(place, found, files) if found or files.corpus else ()


def _splits(place: CollectionFiles, found: Sequence[str], files: Files) -> dict[str, str]:
    if files.judgments:
        return {_split(files.judgments): _declared(place, files.judgments, "judgments")}
    splits: dict[str, str] = {}
    for name in found:
        other = splits.setdefault(_split(name), name)
        if other != name:
            find(place, name.removesuffix(".gz"))
            raise DataError(
                f"{place.label(name)}: {other} also has the split '{_split(name)}'; remove one of the two files"
            )
    if not splits:
        raise DataError(f"{place.label('qrels')}: no <split>.tsv with judgments; {LAYOUT}")
    return splits


def _queries(place: CollectionFiles, roles: Mapping[Role, Sequence[str]], files: Files, split: str) -> str:
    if files.queries:
        return _declared(place, files.queries, "queries")
    found = roles["queries"]
    if len(found) > 1:
        find(place, found[0].removesuffix(".gz"))
        of_split = [name for name in found if _split(name) == split]
        if len(of_split) != 1:
            raise UsageError(f"{place.label('queries')}: not clear, could be {_listed(found)}; {_DECLARE % 'queries'}")
        return of_split[0]
    return _only(place, found, "queries")


def _corpus(place: CollectionFiles, found: Sequence[str], files: Files) -> tuple[str, ...]:
    if files.corpus:
        named = [file for name in files.corpus for file in _in_folder(place, name) or [name]]
        return tuple(_declared(place, name, "corpus") for name in named)
    if len(found) > 1:
        find(place, found[0].removesuffix(".gz"))
        if len({_series(name) for name in found}) > 1:
            raise UsageError(f"{place.label('corpus')}: not clear, could be {_listed(found)}; {_DECLARE % 'corpus'}")
        return tuple(found)
    return (_only(place, found, "corpus"),)


def _in_folder(place: CollectionFiles, name: str) -> list[str]:
    return [file for file in place.names() if file.startswith(f"{name.rstrip('/')}/")]


def _series(name: str) -> str:
    """What the parts of one corpus share: the folder, or the name without its numbers."""
    folder = PurePosixPath(name).parent.name
    return folder or re.sub(r"\d+", "#", name)


def _only(place: CollectionFiles, found: Sequence[str], role: Role) -> str:
    if not found:
        names = _listed([name for name in place.names() if "/" not in name]) or "none"
        raise DataError(
            f"{place.label(f'{role}.jsonl')}: not found; {LAYOUT}; declare a file with another name in "
            f"collection.toml: [files] {role} = ... (files: {names})"
        )
    return found[0]


def _declared(place: CollectionFiles, name: str, role: Role) -> str:
    """A declared file. It may be outside the folder, such as `../collection.tsv`."""
    found = name if name in place.names() else find(place, name)
    try:
        with place.open(found or name):
            return found or name
    except (OSError, KeyError):
        raise DataError(f"{place.label(name)}: not found; collection.toml declares it: [files] {role}") from None


def _roles(place: CollectionFiles) -> dict[Role, list[str]]:
    """The files of every role: by name, or by content for a role without a matching name."""
    found: dict[Role, list[str]] = {"judgments": [], "queries": [], "corpus": []}
    unnamed = list[str]()
    for name in place.names():
        role = _role(name)
        if role is not None:
            found[role].append(name)
        elif "/" not in name and not _is_other(name):
            unnamed.append(name)
    found = {role: _preferred(names) for role, names in found.items()}
    if any(name.removesuffix(".gz").endswith((".jsonl", ".json")) for name in unnamed):
        return found  # reranking rows
    missing = [role for role, names in found.items() if not names]
    for name in unnamed if missing else []:
        role = _role_by_content(place, name)
        if role in missing:
            found[role].append(name)
    return found


def _preferred(names: list[str]) -> list[str]:
    """Prefer BEIR's names to others."""
    beir = [name for name in names if re.fullmatch(r"(corpus|queries)\.jsonl(\.gz)?|qrels/[^/]+\.tsv(\.gz)?", name)]
    in_qrels = [name for name in names if name.startswith("qrels/")]
    return beir or in_qrels or names


def _role(name: str) -> Role | None:
    path = PurePosixPath(name)
    if _is_other(name) or path.name.startswith(".") or not 0 < len(path.parts) <= 2:
        return None
    of_name = _role_of_words(path.name)
    if len(path.parts) == 1:
        return of_name
    if path.parts[0] not in FOLDERS:
        return None
    of_folder = _WORDS[path.parts[0]]
    return of_name if of_folder == "corpus" and of_name is not None else of_folder


def _role_of_words(name: str) -> Role | None:
    tokens = re.split(r"[^a-z]+", name.lower())
    if any(word in tokens for word in _RUNS):
        return None
    return next((role for word, role in _WORDS.items() if word in tokens), None)


def _is_other(name: str) -> bool:
    return name.lower().removesuffix(".gz").endswith(_OTHERS)


def _role_by_content(place: CollectionFiles, name: str) -> Role | None:
    try:
        form = form_of(place, name)
        first = next((line for _, line in lines(place, name) if not line.startswith("#")), "")
    except DataError:
        return None  # not a text file
    if form == "trec-documents":
        return "corpus"
    if form in ("trec-topics", "xml-topics"):
        return "queries"
    return "judgments" if _JUDGED.fullmatch(first) else None


def _split(name: str) -> str:
    """The split in the name of a file; `test` if the name has only its role."""
    path = PurePosixPath(name)
    stem = path.name.removesuffix(".gz")
    stem = next((stem.removesuffix(end) for end in _ENDS if stem.endswith(end)), stem)
    kept = [part for part in re.split(r"[._-]", stem) if part.lower() not in _WORDS]
    if len(path.parts) > 1 and len(kept) == len(re.split(r"[._-]", stem)):
        return stem
    return ".".join(_bare(kept)) or "test"


def _bare(parts: Iterable[str]) -> Iterator[str]:
    for part in parts:
        bare = re.sub("|".join(_WORDS), "", part, flags=re.IGNORECASE) if re.match(r"\d", part) else part
        if bare:
            yield bare


def _label_of(place: CollectionFiles, splits: Mapping[str, str]) -> str:
    """The name of the place in messages about splits."""
    return place.label("qrels") if any(name.startswith("qrels/") for name in splits.values()) else place.label("")


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:8])
    return shown if len(names) <= 8 else f"{shown} and {len(names) - 8} more"
