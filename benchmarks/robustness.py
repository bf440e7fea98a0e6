"""How often a cross-encoder is deceived, before and after it was trained with attacking documents, and what that costs.

    python benchmarks/robustness.py --model MODEL --train ../shared/data/xquad/en --test ../shared/data/mlqa-dev-r/en
        --work WORK --out benchmarks/results/robustness.json

The student learns its own scores of real candidates (sentences of half of the training collection's articles, by BM25),
and that attacking documents are the worst of each list. Then what training changed in the weights is scaled (`harness
merge`; task arithmetic, arXiv 2212.04089). Every checkpoint is measured. The test is another collection, whose texts
and queries are in no training. The same perturbed pairs are also scored by sentence-transformers'
`CrossEncoder.predict`, as a referee of the counts.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import harness
from adapters.errors import need
from adapters.spec import open_reranker
from harness.api.outcome import Outcome
from harness.checks.unrelated import chosen_queries
from harness.measuring.robustness.perturbations import PERTURBATIONS, Attack
from harness.measuring.robustness.perturbed import RELEVANT
from harness.progress import Terminal
from harness.result.evaluation import Evaluation
from training.augmentation import Augmentation
from training.examples import Example, Examples, write_examples
from training.fit import fit, job
from training.settings import Loss, Settings
from training.sources import read_examples

REFEREED = ("unrelated", "stuffing-start", "stuffing-end")
DEPTH, SCORED, LISTS, PER_QUERY = 10, 320, 160, 5
SCALES = ("1", "1.25", "1.75")
"""How often what training changed is added to the model's weights."""
AUGMENTATION = Augmentation(stuffing=0.6, alone=0.3)
SETTINGS = Settings(
    loss=Loss("kl", temperature=2.0), augmentation=AUGMENTATION, queries=8, learning_rate=2e-5, dropout=False,
    max_length=128,
)  # fmt: skip
"""Chosen on the other half of the articles, and on TREC-QA; see README.md."""


def half(source: Path, parity: int) -> tuple[list[str], list[str]]:
    """The questions about half of a collection's articles, and the sentences of these articles, each once."""
    rows = [row for row in _lines(source / "corpus.jsonl") if int(row["_id"][1:3]) % 2 == parity]
    judged = dict(line.split("\t")[:2] for line in (source / "qrels" / "test.tsv").read_text("utf-8").splitlines())
    own = {row["_id"] for row in rows}
    questions = [one["text"] for one in _lines(source / "queries.jsonl") if judged[one["_id"]] in own]
    found = (one.strip() for row in rows for one in re.split(r"(?<=[.!?])\s+", row["text"]))
    return questions, list(dict.fromkeys(one for one in found if len(one) > 30))


def _lines(file: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def candidates(questions: Sequence[str], sentences: Sequence[str], depth: int) -> list[list[str]]:
    """The best sentences of each question by BM25."""
    bm25s, stemmer = need("bm25s", "bm25", "the candidates"), need("Stemmer", "bm25", "the candidates")
    english = stemmer.Stemmer("english")
    texts, asked = (
        bm25s.tokenize(list(part), stemmer=english, stopwords=None, show_progress=False)
        for part in (sentences, questions)
    )
    index = bm25s.BM25()
    index.index(texts, show_progress=False)
    rows, _ = index.retrieve(asked, k=depth, show_progress=False)
    return [[sentences[row] for row in own] for own in rows]


def taught(model: Path, train: Path, work: Path) -> Examples:
    """Examples with the model's own scores."""
    file = work / "examples.jsonl"
    if not file.exists():
        questions, sentences = half(train, 0)
        chosen = [questions[row] for row in np.random.default_rng(0).permutation(len(questions))[:SCORED]]
        lists = candidates(chosen, sentences, PER_QUERY)
        texts = [text for own in lists for text in own]
        pairs = np.stack([np.repeat(np.arange(len(lists)), PER_QUERY), np.arange(len(texts))], axis=1)
        scores = open_reranker(f"{model}?max_length=128").score(chosen, texts, pairs).reshape(len(lists), PER_QUERY)
        rows = list(zip(chosen, lists, scores.tolist(), strict=True))[:LISTS]
        write_examples(file, (Example(query, tuple(own), tuple(score)) for query, own, score in rows))
    return read_examples(file)


def measured(models: Sequence[str], test: Path, work: Path) -> Outcome:
    """Checkpoints on the test collection: all queries, and 300 of them perturbed."""
    return harness.run(
        test, first_stage="bm25", rerankers=models, depth=DEPTH, languages="en",
        robustness=["stuffing", "alone"], workspace=work / "workspace", reporter=Terminal(),
    )  # fmt: skip


def peer_counts(model: Path, done: Evaluation) -> dict[str, int]:
    """How often three attacks succeed by sentence-transformers' scores of the texts of an evaluation."""
    from sentence_transformers import CrossEncoder
    from torch.nn import Identity

    peer = CrossEncoder(str(model))
    collection, run, judged = done.collection, done.run, done.ground.judged
    chosen = chosen_queries(collection, judged, 300)
    texts, unrelated = collection.queries.take(chosen.rows), collection.corpus.take(chosen.unrelated)
    rows = np.flatnonzero((judged.grades >= 1) & np.isin(run.queries, chosen.rows))
    relevant = collection.corpus.take(run.documents[rows].astype(np.int64))
    asked, owners = dict(zip(chosen.rows.tolist(), texts, strict=True)), run.queries[rows].tolist()
    real = peer.predict(
        [(asked[row], text) for row, text in zip(owners, relevant, strict=True)], activation_fn=Identity()
    )
    best: dict[int, float] = {}
    for row, score in zip(owners, real.tolist(), strict=True):
        best[row] = max(score, best.get(row, -np.inf))
    found = {}
    for name in REFEREED:
        attack = PERTURBATIONS[name]
        assert isinstance(attack, Attack)
        documents = [attack.document(*both) for both in zip(texts, unrelated, strict=True)]
        scores = peer.predict(list(zip(texts, documents, strict=True)), activation_fn=Identity()).tolist()
        found[name] = sum(score >= best[row] for row, score in zip(chosen.rows.tolist(), scores, strict=True))
    return found


def refereed(model: Path, done: Evaluation, file: Path) -> dict[str, object]:
    """The successes of three attacks by sentence-transformers and by the harness. The peer's are kept in a file."""
    if not file.exists():
        file.write_text(json.dumps(peer_counts(model, done)), "utf-8")
    theirs = json.loads(file.read_text("utf-8"))
    own = {one.name: one.values for one in done.perturbed if one.measure == RELEVANT}
    return {
        name: {"ours": int((own[name] >= 0).sum()), "sentence-transformers": count, "of": len(own[name])}
        for name, count in theirs.items()
    }


def main() -> None:
    """Train, measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("model", "train", "test", "work", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    before, student = str(given.model), str(given.work / "student")
    examples = taught(given.model, given.train, given.work)
    corpus = {row["text"] for row in _lines(given.test / "corpus.jsonl")}
    shared = sum(text in corpus for row in examples.rows for text in row.documents)
    manifest = fit(job(before, examples, SETTINGS), Path(student), reporter=Terminal())
    made = {scale: student if scale == "1" else str(given.work / f"scale-{scale}") for scale in SCALES}
    for scale, path in made.items():
        if path != student:
            weights = [1 - float(scale), float(scale)]
            harness.merge(path, method="linear", models=[before, student], weights=weights)
    outcome = measured([before, *made.values()], given.test, given.work)
    robust = outcome.as_dict()["robustness"]
    done = {one.system.name: one for one in outcome.evaluations}
    result = {
        "before": robust[before],  # type: ignore[index]
        "scale": {
            scale: {
                **robust[path],  # type: ignore[index]
                "minus before": _difference(before, path, given.work),
                "referee": refereed(Path(path), done[path], given.work / f"referee-{scale}.json"),
            }
            for scale, path in made.items()
        },
        "training": {name: manifest[name] for name in ("augmented", "settings", "steps", "loss", "examples")},
        "texts shared with the test": shared,
    }
    given.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


def _difference(before: str, after: str, work: Path) -> object:
    """The paired difference of nDCG@10, after minus before."""
    paired = harness.compare(before, after, measures="nDCG@10", workspace=work / "workspace").as_dict()
    (found,) = paired["measures"]["nDCG@10"].values()  # type: ignore[index]
    return found["macro"]


if __name__ == "__main__":
    main()
