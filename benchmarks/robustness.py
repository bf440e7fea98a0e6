"""How often a cross-encoder is deceived, before and after it was trained with attacking documents, and what that costs.

    python benchmarks/robustness.py --model MODEL --train ../shared/data/xquad/en --test ../shared/data/mlqa-dev-r/en
        --work WORK --out benchmarks/results/robustness.json

The student learns its own scores of real candidates (sentences of the training collection, by BM25), and that attacking
documents are the worst of each list. Its test is another collection, whose texts and queries it never sees. The same
perturbed pairs are also scored by sentence-transformers' `CrossEncoder.predict`, as a referee of the counts.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

import harness
from adapters.spec import open_reranker
from harness.api.outcome import Outcome
from harness.measuring.robustness.perturbations import PERTURBATIONS, Attack
from harness.measuring.robustness.perturbed import RELEVANT
from harness.progress import Terminal
from training.augmentation import Augmentation
from training.examples import Example, Examples, write_examples
from training.fit import fit, job
from training.settings import Loss, Settings
from training.sources import read_examples

DEPTH, LISTS, PER_QUERY = 10, 200, 6
AUGMENTATION = Augmentation(stuffing=0.9, alone=0.3, claim=0.1, instruction=0.1)
SETTINGS = Settings(
    loss=Loss("margin-mse"), augmentation=AUGMENTATION, epochs=2, queries=8, learning_rate=3e-5, dropout=False,
    max_length=128,
)  # fmt: skip


def sentences(folder: Path) -> list[str]:
    """The sentences of a corpus, each once."""
    lines = (folder / "corpus.jsonl").read_text("utf-8").splitlines()
    texts = (json.loads(line)["text"] for line in lines)
    found = (one.strip() for text in texts for one in re.split(r"(?<=[.!?])\s+", text))
    return list(dict.fromkeys(one for one in found if len(one) > 30))


def candidates(train: Path, work: Path) -> Iterator[tuple[str, list[str]]]:
    """Queries of the training collection with their best sentences by BM25."""
    folder = work / "sentences"
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    texts, queries = sentences(train), (train / "queries.jsonl").read_text("utf-8").splitlines()
    chosen = [json.loads(line) for line in queries[:: max(1, len(queries) // LISTS)]][:LISTS]
    rows = [json.dumps({"_id": f"s{place}", "text": text}) for place, text in enumerate(texts)]
    (folder / "corpus.jsonl").write_text("\n".join(rows) + "\n", "utf-8")
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, chosen)) + "\n", "utf-8")
    judged = ["query-id\tcorpus-id\tscore", *(f"{one['_id']}\ts0\t0" for one in chosen)]
    (folder / "qrels" / "test.tsv").write_text("\n".join(judged) + "\n", "utf-8")
    outcome = harness.run(folder, first_stage="bm25", depth=PER_QUERY, workspace=work / "workspace")
    run, collection = outcome.evaluations[0].run, outcome.evaluations[0].collection
    for row, query in enumerate(collection.queries):
        yield query, collection.corpus.take(run.documents[run.offsets[row] : run.offsets[row + 1]].astype(np.int64))


def taught(model: Path, train: Path, work: Path) -> Examples:
    """Examples with the model's own scores."""
    file = work / "examples.jsonl"
    if not file.exists():
        lists = [(query, documents) for query, documents in candidates(train, work) if len(documents) > 1]
        texts = [text for _, documents in lists for text in documents]
        owners = [row for row, (_, documents) in enumerate(lists) for _ in documents]
        pairs = np.stack([owners, np.arange(len(texts))], axis=1)
        scores = open_reranker(f"{model}?max_length=128").score([query for query, _ in lists], texts, pairs).tolist()
        given = iter(scores)
        write_examples(file, (Example(q, tuple(own), tuple(next(given) for _ in own)) for q, own in lists))
    return read_examples(file)


def measured(models: Sequence[str], test: Path, work: Path) -> Outcome:
    """Both checkpoints on the test collection: all queries, and 300 of them perturbed."""
    return harness.run(
        test, first_stage="bm25", rerankers=models, depth=DEPTH, languages="en",
        robustness=["attacks", "typos"], workspace=work / "workspace", reporter=Terminal(),
    )  # fmt: skip


def refereed(model: Path, outcome: Outcome) -> dict[str, object]:
    """The successes of three attacks by sentence-transformers, on the same texts, and ours."""
    from sentence_transformers import CrossEncoder

    from harness.checks.unrelated import chosen_queries

    peer = CrossEncoder(str(model))
    (done,) = [one for one in outcome.evaluations if one.system.name == str(model)]
    collection, run, judged = done.collection, done.run, done.ground.judged
    chosen = chosen_queries(collection, judged, 300)
    texts, unrelated = collection.queries.take(chosen.rows), collection.corpus.take(chosen.unrelated)
    rows = np.flatnonzero((judged.grades >= 1) & np.isin(run.queries, chosen.rows))
    relevant = collection.corpus.take(run.documents[rows].astype(np.int64))
    asked = dict(zip(chosen.rows.tolist(), texts, strict=True))
    real = peer.predict([(asked[row], text) for row, text in zip(run.queries[rows].tolist(), relevant, strict=True)])
    best: dict[int, float] = {}
    for row, score in zip(run.queries[rows].tolist(), real.tolist(), strict=True):
        best[row] = max(score, best.get(row, -np.inf))
    found: dict[str, object] = {}
    for name in ("unrelated", "stuffing-start", "stuffing-end"):
        attack = PERTURBATIONS[name]
        assert isinstance(attack, Attack)
        documents = [attack.document(*both) for both in zip(texts, unrelated, strict=True)]
        scores = peer.predict(list(zip(texts, documents, strict=True)))
        theirs = sum(score >= best[row] for row, score in zip(chosen.rows.tolist(), scores.tolist(), strict=True))
        (own,) = [one for one in done.perturbed if (one.name, one.measure) == (name, RELEVANT)]
        found[name] = {"ours": int((own.values >= 0).sum()), "sentence-transformers": theirs, "of": len(texts)}
    return found


def main() -> None:
    """Train, measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("model", "train", "test", "work", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    start = time.process_time()
    before, after = str(given.model), str(given.work / "robust")
    measured([before], given.test, given.work)  # the ledger keeps the scores for the run with both
    examples = taught(given.model, given.train, given.work)
    corpus = {json.loads(line)["text"] for line in (given.test / "corpus.jsonl").read_text("utf-8").splitlines()}
    shared = sum(text in corpus for row in examples.rows for text in row.documents)
    begun = time.process_time()
    manifest = fit(job(str(given.model), examples, SETTINGS), given.work / "robust", reporter=Terminal())
    trained = time.process_time() - begun
    outcome = measured([before, after], given.test, given.work)
    figures = {one["system"]: one for one in _evaluations(outcome)}
    paired = harness.compare(before, after, workspace=given.work / "workspace").as_dict()
    robust = outcome.as_dict()["robustness"]
    result = {
        "before": robust[before], "after": robust[after],  # type: ignore[index]
        "values": {name: figures[name]["measures"] for name in (before, after)},
        "after minus before": paired, "referee": refereed(given.model, outcome),
        "training": {name: manifest[name] for name in ("augmented", "settings", "steps", "loss", "examples")},
        "texts shared with the test": shared,
        "seconds of processor time": {"training": trained, "all": time.process_time() - start},
    }  # fmt: skip
    given.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


def _evaluations(outcome: Outcome) -> list[dict[str, object]]:
    found: list[dict[str, object]] = outcome.as_dict()["evaluations"]  # type: ignore[assignment]
    return found


if __name__ == "__main__":
    main()
