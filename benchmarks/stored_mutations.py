"""Plants faults in the files of a workspace, and counts those that are noticed, harmless or served.

    python benchmarks/stored_mutations.py --count 4000 --out results/stored_mutations.json

The workspace holds a small collection, its candidates, terms and vectors. Each mutation changes one file: a flipped
bit, a changed run of bytes, zeros, a cut end, or a sound file of the same kind but of another collection. Then
everything is read as a run reads it: texts, ids, judgments, terms, vectors and candidates. A mutation is

- noticed: a warning named the file and it was made again, or one line refused it,
- harmless: nothing was said, and everything that was read is the same,
- served: something that was read is not what was stored. This must not happen.
- crashed: an error that is not one of ours.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from adapters.analysis import Analyzer
from adapters.embedding import EmbedderPart
from adapters.errors import HarnessError
from adapters.filling import filled
from adapters.identity import array_digest, text_digest, text_digests
from adapters.protocols import Floats, Identity, Role, Setting
from adapters.sums import DAMAGED, DamageWarning
from adapters.terms import corpus_terms
from harness.data.collection import Collection
from harness.data.sources import load, seen
from harness.measuring.crosscheck import check_judgments
from harness.progress import Silent
from harness.scoring.retrieve import first_stage, retrieve
from harness.scoring.session import opened
from harness.workspace import Workspace

FAULTS = ("bit", "bytes", "zeros", "cut", "swap")
KINDS = {
    "texts": "collections/*/corpus.arrow",
    "queries": "collections/*/queries.arrow",
    "judgments": "collections/*/judgments.npz",
    "published": "collections/*/published.arrow",
    "description": "collections/*/collection.json",
    "language": "collections/*/detected-language.json",
    "entry": "collections/seen/*.json",
    "candidates": "runs/*.npz",
    "terms": "cache/terms-*.npz",
    "vectors": "cache/embeddings/*/????????????????????????????????.npy",
    "digests of vectors": "cache/embeddings/*/*.digests.npy",
    "checksums of vectors": "cache/embeddings/*/*.sums.npy",
}
_WORDS = ("ferry", "harbour", "mill", "bread", "winter", "tide", "market", "lantern", "garden", "letter", "the", "and")


@dataclass(frozen=True)
class Hashed:
    """An embedder without a model: a vector follows from its text."""

    name: str = "hashed"

    @property
    def identity(self) -> Identity:
        """A fixed one."""
        return {"adapter": "hashed"}

    def encode(self, texts: Sequence[str], role: Role) -> Floats:
        """Return float32 [len(texts), 16]."""
        seeds = (int.from_bytes(text_digest(text)[:8], "big") for text in texts)
        return np.stack([np.random.default_rng(seed).random(16, np.float32) for seed in seeds])


@dataclass(frozen=True)
class Outcome:
    """The result of one mutation."""

    kind: str
    fault: str
    state: str
    detail: str = ""


def made(folder: Path, seed: int, documents: int = 60) -> Path:
    """A collection in BEIR's layout, whose files look old."""
    random = np.random.default_rng(seed)
    (folder / "qrels").mkdir(parents=True)
    texts = [" ".join(random.choice(_WORDS, 12)) + f" {seed} {number}" for number in range(documents)]
    _lines(folder / "corpus.jsonl", [{"_id": f"d{number}", "text": text} for number, text in enumerate(texts)])
    asked = [" ".join(random.choice(_WORDS, 3)) for _ in range(8)]
    _lines(folder / "queries.jsonl", [{"_id": f"q{number}", "text": text} for number, text in enumerate(asked)])
    judged = [f"q{query}\td{random.integers(documents)}\t{random.integers(1, 3)}" for query in range(8)]
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + "\n".join(judged) + "\n", "utf-8")
    return folder


def _lines(file: Path, rows: Sequence[object]) -> None:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


def everything(source: Path, workspace: Workspace) -> str:
    """A digest of all that a run reads of a collection and of what is derived from it."""
    (collection,) = load(str(source), workspace)
    assert collection.published is not None
    check_judgments(collection.qrels, collection.published, collection.queries.ids())
    qrels = collection.qrels
    with opened(workspace, Silent()) as session:
        run = retrieve(collection, first_stage("bm25?language=en", workspace), 10, session)
    facts = [
        collection.name,
        collection.fingerprint,
        str(collection.spoken),
        str(collection.rules),
        str(collection.counts),
    ]
    texts = [*collection.corpus, *collection.corpus.ids(), *collection.queries, *collection.queries.ids(), *facts]
    return array_digest(
        text_digests(texts), collection.corpus.digests, collection.queries.digests, qrels.queries, qrels.documents,
        qrels.grades, *_derived(collection, workspace), run.documents, run.scores, run.offsets,
    )  # fmt: skip


def _derived(collection: Collection, workspace: Workspace) -> list[np.ndarray]:
    setting = Setting(collection.corpus, array_digest(collection.corpus.digests), "en", cache=workspace.cache)
    terms = corpus_terms(collection.corpus, Analyzer("en"), setting)
    part = EmbedderPart.of(Hashed()).bind(setting)
    store = part.store("document")
    vectors = filled(store, part.embedder, collection.corpus, collection.corpus.digests, "document")
    frequencies = terms.statistics.frequencies
    words = text_digests(terms.statistics.vocabulary)
    return [terms.terms[:], terms.offsets, frequencies, words, vectors]


def mutated(content: bytes, other: bytes, fault: str, random: np.random.Generator) -> bytes:
    """The content with one fault."""
    at = int(random.integers(len(content)))
    if fault == "bit":
        return content[:at] + bytes([content[at] ^ 1 << int(random.integers(8))]) + content[at + 1 :]
    if fault == "bytes":
        return content[:at] + random.bytes(16)[: len(content) - at] + content[at + 16 :]
    if fault == "zeros":
        return content[:at] + bytes(min(64, len(content) - at)) + content[at + 64 :]
    return content[:at] if fault == "cut" else other


def mutation(
    kind: str, fault: str, place: Path, expected: str, *, source: Path, random: np.random.Generator
) -> Outcome:
    """Copy the workspace, plant one fault, read everything, and say what happened.

    Args:
        place: holds the folders `sound` and `other`, workspaces of two collections.
    """
    work = place / "work"
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(place / "sound", work)
    file, theirs = (next(folder.glob(KINDS[kind])) for folder in (work, place / "other"))
    file.write_bytes(mutated(file.read_bytes(), theirs.read_bytes(), fault, random))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            same = everything(source, Workspace(work)) == expected
        except HarnessError as error:
            return Outcome(kind, fault, "noticed", f"refused: {error}")
        except Exception as error:  # what the benchmark looks for
            return Outcome(kind, fault, "crashed", f"{type(error).__name__}: {error}")
    warned = any(issubclass(one.category, DamageWarning) for one in caught)
    return Outcome(kind, fault, "served" if not same else "noticed" if warned else "harmless")


def prepared(place: Path) -> tuple[Path, str]:
    """Make both workspaces, and return the source of the first and the digest of all that is read of it."""
    seen.settled = lambda *_: True  # the sources were made just now, and do not change
    source, other = made(place / "source", 1), made(place / "another", 2)
    everything(other, Workspace.open(place / "other"))
    expected = everything(source, Workspace.open(place / "sound"))
    assert everything(source, Workspace(place / "sound")) == expected
    assert not list((place / "sound").rglob(f"*{DAMAGED}"))
    return source, expected


def run(count: int, seed: int = 0) -> list[Outcome]:
    """Plant `count` faults, of all kinds of files and faults in turn."""
    random = np.random.default_rng(seed)
    cases = [(kind, fault) for kind in KINDS for fault in FAULTS]
    with tempfile.TemporaryDirectory() as folder:
        source, expected = prepared(Path(folder))
        place = Path(folder)
        chosen = (cases[number % len(cases)] for number in range(count))
        return [mutation(*case, place, expected, source=source, random=random) for case in chosen]


def summary(outcomes: Sequence[Outcome]) -> dict[str, object]:
    """Counts by kind of file and by fault, and the cases that must not happen."""
    by_kind = {kind: dict(Counter(one.state for one in outcomes if one.kind == kind)) for kind in KINDS}
    by_fault = {fault: dict(Counter(one.state for one in outcomes if one.fault == fault)) for fault in FAULTS}
    bad = [
        f"{one.kind}, {one.fault}: {one.state} {one.detail}" for one in outcomes if one.state in ("served", "crashed")
    ]
    totals = dict(Counter(one.state for one in outcomes))
    return {"mutations": len(outcomes), "totals": totals, "by kind": by_kind, "by fault": by_fault, "bad": bad}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    found = {"seed": options.seed, **summary(run(options.count, options.seed))}
    text = json.dumps(found, indent=1)
    print(text)
    if options.out:
        options.out.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
