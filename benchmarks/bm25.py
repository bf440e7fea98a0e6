"""BM25 of made-up texts: private memory and seconds of the index and of 1,000 queries, ours beside bm25s, and the speed
of reranking in collections of three sizes.

    python benchmarks/bm25.py --documents 1000000 --out bm25.json

Texts have 30 words, which are drawn with Zipf's frequencies. Ours and bm25s run in turn, each in a process of its own,
on the same texts and the same terms. Private memory is that of `/proc/self/smaps_rollup`, looked at every 20 ms. For
reranking, 100 queries ask for the same number of documents in each collection, so that only its size differs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from adapters.analysis import Analyzer
from adapters.bm25 import BM25Reranker, BM25Retriever
from adapters.identity import array_digest
from adapters.protocols import Setting

WORDS = 200_000
LENGTH = 30
QUERY = 8
DEPTH = 100
ASKED = 1000
"""Different documents that are reranked in each collection."""
SIZES = (1_000, 10_000, 100_000)
_PART = 4096
_WEIGHTS = 1 / np.arange(1, WORDS + 1)
_CHANCES = _WEIGHTS / _WEIGHTS.sum()


class Texts(Sequence[str]):
    """Texts that are made when they are read, so that they take no memory."""

    def __init__(self, size: int) -> None:
        self._size = size

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, index: Any) -> Any:
        first, last, _ = index.indices(self._size)
        assert first % _PART == 0
        return made(last - first, LENGTH, first)


def made(texts: int, length: int, seed: int) -> list[str]:
    """Texts of random words."""
    drawn = np.random.default_rng(seed).choice(WORDS, (texts, length), p=_CHANCES)
    return [" ".join(f"w{word}x" for word in text) for text in drawn.tolist()]


@dataclass
class Watched:
    """What a part of the work took."""

    figures: dict[str, float] = field(default_factory=dict)
    done: bool = False

    def look(self) -> None:
        """Keep the largest private memory until the work is done."""
        while not self.done:
            self.figures["peak_mb"] = max(self.figures.get("peak_mb", 0), private_mb())
            time.sleep(0.02)


@contextmanager
def watched() -> Iterator[dict[str, float]]:
    """Fill in the figures of what is done inside."""
    each = Watched()
    thread = threading.Thread(target=each.look)
    thread.start()
    wall, processor = time.perf_counter(), time.process_time()
    yield each.figures
    each.figures["wall_seconds"] = round(time.perf_counter() - wall, 2)
    each.figures["cpu_seconds"] = round(time.process_time() - processor, 2)
    each.done = True
    thread.join()
    each.figures["after_mb"] = private_mb()


def private_mb() -> float:
    """Private memory of this process, in MB."""
    lines = Path("/proc/self/smaps_rollup").read_text("utf-8").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) * 1024 // 1_000_000


def ours(size: int, folder: Path) -> dict[str, object]:
    """Index with the first query, then index and search again with the terms that are kept."""
    texts, queries = Texts(size), made(1000, QUERY, size + 1)
    retriever = BM25Retriever().bind(Setting(texts, "made up", "en", cache=folder))
    with watched() as index:
        retriever.search(queries[:1], texts, DEPTH)
    with watched() as again:
        retriever.search(queries[:1], texts, DEPTH)
    with watched() as both:
        found = retriever.search(queries, texts, DEPTH)
    search = {"cpu_seconds": round(both["cpu_seconds"] - again["cpu_seconds"], 2), "peak_mb": both["peak_mb"]}
    return {"index": index, "index_of_kept_terms": again, "search": search, "digest": array_digest(found[2])}


def theirs(size: int, _: Path) -> dict[str, object]:
    """The same terms, given to bm25s as lists of ids."""
    import bm25s

    texts, queries, analyzer = Texts(size), made(1000, QUERY, size + 1), Analyzer("en")
    vocabulary: dict[str, int] = {}
    with watched() as index:
        ids = [
            [vocabulary.setdefault(term, len(vocabulary)) for term in analyzer.terms(text)]
            for start in range(0, size, _PART)
            for text in texts[start : start + _PART]
        ]
        made_index = bm25s.BM25(k1=1.2, b=0.75, method="lucene")
        made_index.index((ids, vocabulary), create_empty_token=False, show_progress=False)
        del ids
    kept: list[np.ndarray[Any, Any]] = []
    with watched() as search:
        for query in queries:
            scores = made_index.get_scores([term for term in analyzer.terms(query) if term in vocabulary])
            kept.append(np.sort(scores[scores > 0])[::-1][:DEPTH].copy())
    return {"index": index, "search": search, "digest": array_digest(np.concatenate(kept))}


def reranked(size: int, folder: Path) -> dict[str, object]:
    """Pairs per second of processor time, with the statistics of the corpus and after them."""
    texts = Texts(size)
    reranker = BM25Reranker().bind(Setting(texts, f"made up {size}", "en", cache=folder))
    documents, queries = made(ASKED, LENGTH, 0), made(100, QUERY, size + 1)
    random = np.random.default_rng(size)
    chosen = [random.choice(ASKED, DEPTH, replace=False) for _ in queries]
    pairs = np.stack([np.repeat(np.arange(len(queries)), DEPTH), np.concatenate(chosen)], axis=1)
    with watched() as first:
        reranker.score(queries, documents, pairs)
    times = []
    for _ in range(7):
        started = time.process_time()
        reranker.score(queries, documents, pairs)
        times.append(time.process_time() - started)
    figures = {"documents": size, "statistics_cpu_seconds": round(first["cpu_seconds"] - min(times), 2)}
    return {**figures, "pairs_per_cpu_second": round(len(pairs) / min(times))}


PARTS: dict[str, Callable[[int, Path], dict[str, object]]] = {"ours": ours, "bm25s": theirs, "reranked": reranked}


def in_process(part: str, size: int) -> dict[str, Any]:
    """Do one part in a process of its own."""
    command = [sys.executable, __file__, "--part", part, "--documents", str(size)]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return found


def main() -> int:
    """Print the figures; exit 1 if the scores differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--out", type=Path, help="also write the result here, as JSON")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(PARTS[options.part](options.documents, Path(folder))))
        return 0
    from harness.result.environment import machine

    sides = {side: in_process(side, options.documents) for side in ("ours", "bm25s")}
    equal = sides["ours"].pop("digest") == sides["bm25s"].pop("digest")
    shape = {"documents": options.documents, "words_of_a_document": LENGTH, "different_words": WORDS}
    result = {"machine": machine(), **shape, **sides, "scores_equal": equal}
    result["reranked"] = [in_process("reranked", size) for size in SIZES]
    text = json.dumps(result, indent=1) + "\n"
    sys.stdout.write(text)
    if options.out is not None:
        options.out.write_text(text, encoding="utf-8")
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
