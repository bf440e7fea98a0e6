"""Files of the workspace that the program reads back. Damage in them is noticed, or changes nothing."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache, partial
from pathlib import Path

import numpy as np

from adapters.identity import array_digest, text_digests
from adapters.precision_probe import PrecisionChoice, read_choice
from adapters.sums import save_sealed
from adapters.vector_shard import shard_files
from adapters.vectors import VectorStore
from harness.data.collection import Collection
from harness.data.sources import load
from harness.data.sources.stored import description_in
from harness.result.adaptation.reading import read_record
from harness.result.store import Results
from harness.scoring.ledger.store import Entries, Ledger
from harness.workspace import Workspace
from tests.fuzz.collections import folder_of
from tests.fuzz.kinds import Disagreement, Kind

_KEY = "0" * 32
_TEXTS = [f"text {number}" for number in range(6)]
_VECTORS = np.arange(24, dtype=np.float32).reshape(6, 4)


def results(folder: Path) -> Sequence[bytes]:
    from tests.made_results import collection, result, system

    file = folder / "made.sqlite"
    file.unlink(missing_ok=True)
    with Results(file) as store:
        store.write([result(system(name), collection(queries=3), [0.1, 0.5, 1.0]) for name in (None, "a", "b")])
    return [file.read_bytes()]


def of_results(file: Path) -> object:
    _without_logs(file)
    with Results(file) as store:
        return store.results()


def ledger(folder: Path) -> Sequence[bytes]:
    file = folder / "made.sqlite"
    file.unlink(missing_ok=True)
    pairs = np.stack(np.meshgrid(np.arange(3), np.arange(6), indexing="ij"), axis=-1).reshape(-1, 2)
    value = pairs[:, 0] * 10 + pairs[:, 1]
    entries = Entries(value.astype(np.float32), value.astype(np.int32), value.astype(np.int32), value.astype(np.uint64))
    with Ledger(file) as made:
        made.record(made.scorer({"weights": "w"}), text_digests(_TEXTS[:3]), text_digests(_TEXTS), pairs, entries)
    return [file.read_bytes()]


def of_ledger(file: Path) -> object:
    _without_logs(file)
    pairs = np.array([[0, 0], [2, 5]])
    with Ledger(file) as found:
        return found.known(found.scorer({"weights": "w"}), text_digests(_TEXTS[:3]), text_digests(_TEXTS), pairs)


def _without_logs(file: Path) -> None:
    for one in file.parent.glob(f"{file.name}[-.]*"):
        one.unlink()


def vectors(folder: Path, part: str) -> Sequence[bytes]:
    """The folder holds the store of six texts; the file that is mutated has a name of its own in the registry."""
    shutil.rmtree(folder / "made", ignore_errors=True)
    VectorStore(folder / "made", _KEY).append(text_digests(_TEXTS), _VECTORS)
    return [_shard(folder / "made", part).read_bytes()]


def of_vectors(file: Path, part: str) -> object:
    """The store with the mutated file in the place of its own. A vector is the one that was stored, or missing."""
    space = _copied(file.parent / "made", file.parent / "read")
    shutil.copyfile(file, _shard(space, part))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        store = VectorStore(space, _KEY)
        missing = store.missing(text_digests(_TEXTS))
        if not len(missing) and not np.array_equal(store.gather(text_digests(_TEXTS)), _VECTORS):
            raise Disagreement("the vectors are not those that were stored")
    return missing


def _shard(folder: Path, part: str) -> Path:
    (file,) = shard_files(folder / _KEY)
    return file.with_suffix(part)


def _copied(made: Path, copy: Path) -> Path:
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(made, copy)
    return copy


def kept(folder: Path, name: str) -> Sequence[bytes]:
    """A file of a stored collection."""
    folder_of(folder / "source")
    shutil.rmtree(folder / "space", ignore_errors=True)
    (found,) = load(str(folder / "source"), Workspace.open(folder / "space"))
    return [(folder / "space" / "collections" / found.fingerprint / name).read_bytes()]


def of_kept(file: Path, name: str) -> object:
    """The collection with the mutated file in the place of its own. It is made again from its source if need be."""
    space = _copied(file.parent / "space", file.parent / "read")
    (place,) = [one for one in (space / "collections").iterdir() if one.is_dir() and (one / name).exists()]
    shutil.copyfile(file, place / name)
    (found,) = load(str(file.parent / "source"), Workspace.open(space))
    if _digest(found) != _sound(file.parent / "source", file.parent / "sound"):
        raise Disagreement("texts or judgments are not those of the source")
    return found.counts


@cache
def _sound(source: Path, space: Path) -> str:
    (found,) = load(str(source), Workspace.open(space))
    return _digest(found)


def _digest(found: Collection) -> str:
    rows = found.qrels
    return array_digest(text_digests([*found.corpus, *found.corpus.ids()]), rows.queries, rows.documents, rows.grades)


def of_description(file: Path) -> object:
    return description_in(file.parent)


def record(_: Path) -> Sequence[bytes]:
    from tests.reports.training.made import made

    return [json.dumps(made()).encode()]


def number_format(folder: Path) -> Sequence[bytes]:
    file = folder / f"{_KEY}.json"
    save_sealed(file, file.stem, asdict(PrecisionChoice("bfloat16", "bfloat16", 2.5, "the model", "cpu")))
    return [file.read_bytes()]


def of_array(name: str, part: str) -> Kind:
    """A file of a store of vectors."""
    makes, reads = partial(vectors, part=part), partial(of_vectors, part=part)
    return Kind(name, f"mine/{name}.npy", makes, "binary", reads, share=0.25)


def of_collection(file: str) -> Kind:
    """A file of a stored collection."""
    makes, reads = partial(kept, name=file), partial(of_kept, name=file)
    return Kind(f"kept-{file}", f"mine/{file}", makes, "binary", reads, share=0.25)


KINDS = [
    Kind("store", "mine/results.sqlite", results, "binary", of_results, share=0.25),
    Kind("ledger", "mine/ledger.sqlite", ledger, "binary", of_ledger, share=0.25),
    of_array("vectors", ".npy"),
    of_array("vectors-digests", ".digests.npy"),
    of_array("vectors-sums", ".sums.npy"),
    of_collection("judgments.npz"),
    of_collection("corpus.arrow"),
    Kind("kept-description", "mine/collection.json", partial(kept, name="collection.json"), "json", of_description),
    Kind("number-format", f"mine/{_KEY}.json", number_format, "json", read_choice),
    Kind("adaptation-record", "mine/record.json", record, "json", read_record),
]
