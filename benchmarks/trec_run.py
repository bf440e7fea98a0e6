"""From a TREC run file to four measures per query: ours beside pytrec_eval's `parse_run` and `evaluate`.

    python benchmarks/trec_run.py --lines 1000000 10000000 --out trec_run.json

Both read the same file and judgments, in turn, each in a process of its own. Ours reads the run for a stored collection
of a million documents, and opening that collection is part of its time; imports are not timed. Exits with 1 if a value
of a query differs by more than 1e-12.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

MEASURES = {"nDCG@10": "ndcg_cut_10", "AP": "map", "R@100": "recall_100", "RR": "recip_rank"}
CORPUS = 1_000_000
DEPTH = 100
JUDGED = 10
Values = npt.NDArray[np.float64]
"""Shape [measures, queries]."""


def make(folder: Path, queries: int) -> None:
    """Write a collection in BEIR's layout, and a run with 100 lines for each query. Of the 10 judged documents of a
    query 7 are candidates; scores have four decimals, so that some are equal."""
    generator = np.random.default_rng(queries)
    (folder / "qrels").mkdir(parents=True)
    _write(folder / "corpus.jsonl", (f'{{"_id": "{row}", "text": "{row}"}}\n' for row in range(CORPUS)))
    _write(folder / "queries.jsonl", (f'{{"_id": "q{row}", "text": "{row}"}}\n' for row in range(queries)))
    drawn = [generator.choice(CORPUS, DEPTH + 3, replace=False) for _ in range(queries)]
    _write(folder / "qrels" / "test.tsv", _judgments(drawn, generator))
    _write(folder / "run.trec", (_lines(query, some[:DEPTH], generator) for query, some in enumerate(drawn)))


def _judgments(drawn: list[npt.NDArray[np.int64]], generator: np.random.Generator) -> Iterator[str]:
    yield "query-id\tcorpus-id\tscore\n"
    for query, documents in enumerate(drawn):
        grades = generator.integers(0, 4, JUDGED).tolist()
        rows = zip(documents[-JUDGED:].tolist(), grades, strict=True)
        yield "".join(f"q{query}\t{document}\t{grade}\n" for document, grade in rows)


def _lines(query: int, documents: npt.NDArray[np.int64], generator: np.random.Generator) -> str:
    scores = np.sort(np.round(generator.normal(10, 3, len(documents)), 4))[::-1].tolist()
    rows = enumerate(zip(generator.permutation(documents).tolist(), scores, strict=True), 1)
    return "".join(f"q{query} Q0 {document} {rank} {score} run\n" for rank, (document, score) in rows)


def _write(file: Path, lines: Iterator[str]) -> None:
    with file.open("w", encoding="utf-8") as out:
        out.writelines(lines)


def ours(folder: Path) -> Callable[[], Values]:
    """Import what is needed, and return the work."""
    from harness.data.sources import load
    from harness.data.trec import read_run
    from harness.measuring.judged import Judged
    from harness.measuring.measures import parse
    from harness.workspace import Workspace

    def work() -> Values:
        (collection,) = load(str(folder), Workspace.open(folder.parent / "workspace"))
        judged = Judged(read_run(folder / "run.trec", collection), collection.qrels, len(collection.queries))
        values = judged.values([parse(name) for name in MEASURES])
        order = np.argsort([int(name[1:]) for name in collection.queries.ids()])
        return values[:, order]

    return work


def theirs(folder: Path) -> Callable[[], Values]:
    """Import what is needed, and return the work."""
    import pytrec_eval

    def work() -> Values:
        qrels: dict[str, dict[str, int]] = {}
        for line in (folder / "qrels" / "test.tsv").read_text("utf-8").splitlines()[1:]:
            query, document, grade = line.split("\t")
            qrels.setdefault(query, {})[document] = int(grade)
        with (folder / "run.trec").open(encoding="utf-8") as file:
            run = pytrec_eval.parse_run(file)
        names = {"ndcg_cut.10", "map", "recall.100", "recip_rank"}
        found = pytrec_eval.RelevanceEvaluator(qrels, names).evaluate(run)
        return np.array([[found[f"q{row}"][name] for row in range(len(qrels))] for name in MEASURES.values()])

    return work


SIDES = {"ours": ours, "pytrec_eval": theirs}


def measured(side: str, folder: Path) -> dict[str, object]:
    """Do the work of one side in this process, and keep its values."""
    work = SIDES[side](folder)
    wall, processor = time.perf_counter(), time.process_time()
    values = work()
    taken = {"wall_seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - processor}
    np.save(folder / f"{side}.npy", values)
    return {**taken, "peak_mib": peak_mib()}


def peak_mib() -> float:
    """The largest resident memory of this process. `getrusage` would include that of the process that started it."""
    status = Path("/proc/self/status").read_text("utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def compared(lines: int, rounds: int) -> dict[str, object]:
    """Both sides in turn; of each the round with the least processor time."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "collection"
        make(folder, lines // DEPTH)
        ours(folder)()  # stores the collection
        found: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
        for _ in range(rounds):
            for side in SIDES:
                command = [sys.executable, __file__, "--side", side, "--folder", str(folder)]
                found[side].append(json.loads(subprocess.run(command, check=True, capture_output=True).stdout))
        best = {side: min(each, key=lambda one: one["cpu_seconds"]) for side, each in found.items()}
        difference = np.abs(np.load(folder / "ours.npy") - np.load(folder / "pytrec_eval.npy")).max(axis=1)
        size = (folder / "run.trec").stat().st_size
    ratios = {f"{key}_ratio": best["pytrec_eval"][key] / best["ours"][key] for key in best["ours"]}
    named = dict(zip(MEASURES, difference.tolist(), strict=True))
    shape = {"lines": lines, "bytes": size, "rounds": rounds}
    return {**shape, **best, **ratios, "max_difference": named, "equal": bool((difference <= 1e-12).all())}


def main() -> int:
    """Print the comparison; exit 1 if the values differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, help="also write the result here, as JSON")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        print(json.dumps(measured(options.side, options.folder)))
        return 0
    from harness.result.environment import machine

    found = [compared(lines, options.rounds) for lines in options.lines]
    result = {"machine": machine(), "depth": DEPTH, "documents": CORPUS, "measures": list(MEASURES), "runs": found}
    text = json.dumps(result, indent=1) + "\n"
    sys.stdout.write(text)
    if options.out is not None:
        options.out.write_text(text, encoding="utf-8")
    return 0 if all(one["equal"] for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
