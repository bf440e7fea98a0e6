"""What synthetic queries are worth: `harness train utility` on real collections, through the command line.

    python benchmarks/utility.py MODELS DATA WORK [--only xquad-de/questions] [--out FILE.json]

MODELS holds all-MiniLM-L6-v2 and multilingual-e5-small, DATA the collections xquad/<language> and scifact in BEIR's
layout. WORK keeps everything; the same command goes on after a kill.

The student is all-MiniLM-L6-v2, trained as an embedder; the teacher is multilingual-e5-small. In the experiment "new"
the student is a cross-encoder: the teacher's first layers with a random score head, which has to learn everything.
XQuAD's questions on every second article are the real training queries, those on the other articles are the test. The
synthetic queries are written from the documents of the whole corpus, as in an adaptation to it. The wrong domain is
some abstracts of SciFact.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from adaptation import first_layers

from harness.result.environment import machine
from training.configuration import Layer, configured, nested, toml_of
from training.utility.config import UtilityConfig

ROOT = Path(__file__).parents[1]
NEW = "new"
EXPERIMENTS = (
    "xquad-de/questions", "xquad-en/questions", "xquad-es/questions", "xquad-ru/questions", f"xquad-de/questions/{NEW}",
)  # fmt: skip
SEEDS, DOCUMENTS, QUERIES, PER_QUERY, DEPTH, ABSTRACTS = 3, 600, 240, 4, 20, 400
LAYERS = 4
NEW_KEYS: dict[str, object] = {
    "training.new_head": True, "training.lora_rank": 32, "training.learning_rate": 5e-4, "training.epochs": 2,
    "training.loss.name": "hinge", "training.loss.scale": 10, "test.depth": 10,
}  # fmt: skip
"""What the student with a new head needs: as in `adaptation.py xquad`, with two passes over the queries."""


def main() -> None:
    """Run the experiments, and keep their results in short."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--only", action="append", choices=EXPERIMENTS)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    done = {}
    for name in options.only or EXPERIMENTS:
        began = time.monotonic()
        result = experiment(name, options.models, options.data, options.work)
        done[name] = {"seconds": round(time.monotonic() - began), **short(result)}
    if options.out:
        measured = {"machine": machine(), "seeds": SEEDS, "experiments": done}
        options.out.write_text(json.dumps(measured, indent=1, ensure_ascii=False) + "\n", "utf-8")


def experiment(name: str, models: Path, data: Path, work: Path) -> dict[str, Any]:
    """One experiment: write the queries, then train and measure."""
    source, generator, *student_of = name.split("/")
    own = collection(source, data, work)
    other = abstracts(data, work)
    queries = written(own, generator, work)
    wrong = written(other, "extractive", work)
    student, teacher = (str(one_of(models, model)) for model in ("all-MiniLM-L6-v2", "multilingual-e5-small"))
    keys: dict[str, object] = {
        "base": student, "queries_each": QUERIES, "synthetic.corpus": str(own), "synthetic.queries": str(queries),
        "real.collection": str(own), "wrong.corpus": str(other), "wrong.queries": str(wrong),
        "test.collection": str(own), "test.depth": DEPTH, "mining.retrievers": ["bm25", teacher], "mining.depth": 8,
        "teaching.teacher": teacher, "sampling.per_query": PER_QUERY, "sampling.scope": "query",
        "training.loss.name": "kl", "training.loss.scale": 20, "training.learning_rate": 5e-5, "training.epochs": 1,
        "training.max_length": 96, "training.dropout": False, "training.seeds": SEEDS,
    }  # fmt: skip
    if student_of:
        keys |= {"base": str(first_layers(Path(teacher), work / "student", LAYERS)), **NEW_KEYS}
    folder = work / name
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "utility.toml"
    file.write_text(toml_of(configured(UtilityConfig, [Layer("benchmark", nested(keys))]).config), "utf-8")
    run(["train", "utility", str(file), "--out", str(folder / "worth")], work)
    return dict(json.loads((folder / "worth" / "utility.json").read_text("utf-8")))


def collection(name: str, data: Path, work: Path) -> Path:
    """A collection with the splits train and test."""
    folder = work / "collections" / name
    language = name.removeprefix("xquad-")
    shutil.copytree(data / "xquad" / language, folder, dirs_exist_ok=True)
    (folder / "collection.toml").write_text(f'language = "{language}"\n')
    head, *rows = (data / "xquad" / language / "qrels" / "test.tsv").read_text("utf-8").splitlines()
    articles = sorted({article(row) for row in rows})
    trained = set(articles[::2])
    for split, kept in (("train", trained), ("test", set(articles) - trained)):
        lines = [head, *(row for row in rows if article(row) in kept)]
        (folder / "qrels" / f"{split}.tsv").write_text("\n".join(lines) + "\n", "utf-8")
    return folder


def abstracts(data: Path, work: Path) -> Path:
    """A corpus of some abstracts, without queries and judgments."""
    folder = work / "collections" / "abstracts"
    folder.mkdir(parents=True, exist_ok=True)
    lines = (data / "scifact" / "corpus.jsonl").read_text("utf-8").splitlines()[:ABSTRACTS]
    (folder / "corpus.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    (folder / "collection.toml").write_text('language = "en"\n')
    return folder


def article(row: str) -> str:
    """The article of a judgment's paragraph: a07p03 is a paragraph of a07."""
    return row.split("\t")[1].split("p")[0]


def written(corpus: Path, generator: str, work: Path) -> Path:
    """Synthetic queries for a corpus."""
    folder = work / "queries" / corpus.name / generator
    if not (folder / "manifest.json").exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        profile = ["--profile", "claim-en"] if corpus.name == "abstracts" else []
        run(
            ["train", "synthesize", "--corpus", str(corpus), "--generator", generator, *profile,
             "--documents", str(DOCUMENTS), "--out", str(folder)], work,
        )  # fmt: skip
    return folder


def one_of(models: Path, name: str) -> Path:
    """A model, under whatever ending its folder has."""
    return next(iter(sorted(models.glob(f"{name}*"))))


def run(command: Sequence[str], work: Path) -> None:
    """Run the command line."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT), "HARNESS_WORKSPACE": str(work / "ws")}
    subprocess.run([sys.executable, "-m", "harness", *command], env=environment, check=True)


def short(result: Mapping[str, Any]) -> dict[str, Any]:
    """The result without its ids."""
    arms = {
        name: {key: one[key] for key in ("title", "value", "interval", "sd", "seeds", "gain")}
        for name, one in result["arms"].items()
    }
    kept = ("test", "queries", "measure", "first_stage", "ratio", "differences", "answer", "trained_on", "overlap")
    return {"arms": arms, **{key: result[key] for key in kept}}


if __name__ == "__main__":
    main()
