"""Whole adaptations on real text, through the command line, with what is needed to repeat them.

    python benchmarks/adaptation.py scifact MODELS DATA WORK [--documents 80] [--out FILE.json]
    python benchmarks/adaptation.py xquad MODELS DATA WORK [--documents 120] [--out FILE.json]
    python benchmarks/adaptation.py mlqa MODELS DATA WORK [--documents 500] [--out FILE.json]

MODELS holds all-MiniLM-L6-v2, ms-marco-MiniLM-L12-v2, bge-small-en-v1.5 and multilingual-e5-small, DATA the collections
scifact and xquad/<language> in BEIR's layout. WORK keeps everything; the same command goes on after a kill.

scifact: the base is all-MiniLM-L6-v2 with a new score head, stage 1 is trained on 250 of XQuAD's English questions, the
target is SciFact's abstracts, the teachers are the MiniLM-L12 cross-encoder and the bge-small embedder, blended. No
query and no judgment of SciFact is trained on: of its training queries some are dev and gate, its test queries are the
final split.

xquad: the base is the multilingual embedder's first layers with a new score head, stage 1 is trained on SciFact's
English training claims, the targets are the paragraphs of four languages, the teacher is the whole embedder. Only
low-rank updates and the head are trained, so the large table of embeddings stays. No question is trained on: those of
the four languages are dev and gate, 60 of each of four other languages are the final split.

mlqa: the base is the multilingual embedder itself, which is trained as an embedder, all weights but the embeddings. The
tasks are real questions of another collection, XQuAD, in four languages; its paragraphs are cut into sentences, and a
sentence keeps its id in all languages. The label of a pair is an English cross-encoder's score of its English parallel.
Nothing of MLQA is trained on: its questions in seven languages are dev, gate and final split, and three of the
languages are in no task.
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

from adapters.errors import UsageError
from harness.result.environment import machine
from training.adapting.config import AdaptConfig
from training.configuration import Layer, configured, nested, toml_of
from training.precision import is_half

ROOT = Path(__file__).parents[1]
TRAINED = ("de", "es", "hi", "zh")
HELD_OUT = ("ar", "en", "ru", "th")
LAYERS, HELD_OUT_QUERIES, GENERAL_QUERIES = 4, 60, 250
ASKED_IN = ("ar", "de", "hi", "zh")
ALL_OF_MLQA = ("ar", "de", "en", "es", "hi", "vi", "zh")
POLICY = """depth = 10
first_stage = "bm25"
measure = "nDCG@10"
[looks]
release = "{name}"
budget = 2

[splits]
dev = {dev}
gate = {gate}
final = {final}
"""


def main() -> None:
    """Run one of them, and keep its record in short."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("which", choices=("scifact", "xquad", "mlqa"))
    parser.add_argument("models", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--documents", type=int)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    work = options.work / options.which
    work.mkdir(parents=True, exist_ok=True)
    keys = {"scifact": scifact, "xquad": xquad, "mlqa": mlqa}[options.which](
        options.models, options.data, work, options.documents
    )
    command = command_of(keys, work)
    began = time.monotonic()
    run(command, work)
    result = {"machine": machine(), "seconds": round(time.monotonic() - began), **summary(work, options, command)}
    if options.out:
        options.out.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", "utf-8")


def scifact(models: Path, data: Path, work: Path, documents: int | None) -> dict[str, object]:
    """The keys of the English run."""
    policy = work / "gate.toml"
    policy.write_text(POLICY.format(name="scifact", dev=0.08, gate=0.3, final=0.62))
    student = str(models / "all-MiniLM-L6-v2")
    teachers = [str(one_of(models, name)) for name in ("ms-marco-MiniLM-L12-v2", "bge-small-en-v1.5")]
    return {
        "base": student, "corpora": [str(data / "scifact")], "synthesis.documents": documents or 80,
        "synthesis.profiles": ["claim-en"], "general.loss": "ranknet",
        "general.data": [str(as_training_data(data / "xquad" / "en", work / "xquad-en"))],
        "teaching.teachers": teachers, "mining.retrievers": ["bm25", student], "mining.depth": 6,
        "sampling.per_query": 6, "training.new_head": True, "training.replay_share": 0.1, "training.max_length": 192,
        "training.loss.name": "hinge", "training.loss.scale": 4, "training.learning_rate": 2e-4,
        "training.dropout": False, "training.queries": 4, "evaluation.dev": str(data / "scifact"),
        "evaluation.dev_split": "train", "evaluation.final": str(data / "scifact"), "evaluation.final_split": "test",
        "gate.policy": str(policy),
    }  # fmt: skip


def xquad(models: Path, data: Path, work: Path, documents: int | None) -> dict[str, object]:
    """The keys of the multilingual run."""
    seen = folder_of(data / "xquad", TRAINED, work / "seen")
    unseen = folder_of(data / "xquad", HELD_OUT, work / "held-out", HELD_OUT_QUERIES)
    student = first_layers(models / "multilingual-e5-small-from-q4", work / "student", LAYERS)
    policy = work / "gate.toml"
    policy.write_text(POLICY.format(name="xquad", dev=0.03, gate=0.12, final=0.85))
    embedder = str(models / "multilingual-e5-small-from-q4")
    return {
        "base": str(student), "corpora": [str(seen / language) for language in TRAINED],
        "synthesis.documents": documents or 120,
        "synthesis.despite_validation": True,  # the Chinese extractive queries are passages of their documents
        "general.data": [str(data / "scifact")], "general.loss": "ranknet",
        "teaching.teachers": [embedder], "mining.retrievers": ["bm25", embedder], "mining.depth": 15,
        "sampling.per_query": 6, "training.new_head": True, "training.replay_share": 0, "training.max_length": 128,
        "training.loss.name": "hinge", "training.loss.scale": 50, "training.learning_rate": 5e-4,
        "training.lora_rank": 32, "training.dropout": False, "training.queries": 4, "evaluation.dev": str(seen),
        "evaluation.final": str(unseen), "gate.policy": str(policy),
    }  # fmt: skip


def mlqa(models: Path, data: Path, work: Path, documents: int | None) -> dict[str, object]:
    """The keys of the run on sentences in seven languages; `documents` is the number of questions of each task."""
    tested, sentences = work / "mlqa", work / "sentences"
    for language in ALL_OF_MLQA:
        shutil.copytree(data / "mlqa-dev-r" / language, tested / language, dirs_exist_ok=True)
        declared = f'language = "{language}"\nparallel = true\n'
        (tested / language / "collection.toml").write_text(declared)
    for language in ("en", *ASKED_IN):
        as_sentences(data / "xquad", language, sentences / language)
    policy = work / "gate.toml"
    policy.write_text(POLICY.format(name="mlqa", dev=0.3, gate=0.2, final=0.5))
    embedder = str(one_of(models, "multilingual-e5-small"))
    tasks = [
        {"corpus": str(sentences / one), "queries": str(sentences / one), "queries_split": "train",
         "sample_queries": documents or 800, "score_as": str(sentences / "en")}
        for one in ASKED_IN
    ]  # fmt: skip
    return {
        "base": embedder, "task": tasks,
        "teaching.teachers": [str(one_of(models, "ms-marco-MiniLM-L12-v2"))],
        "teaching.despite_teacher": True,  # it is measured on dev in seven languages, and teaches with English pairs
        "mining.retrievers": ["bm25", embedder], "mining.depth": 8, "sampling.per_query": 5,
        "sampling.scope": "query", "training.max_length": 128, "training.loss.name": "kl",
        "training.loss.scale": 0.5, "training.loss.temperature": 0.5, "training.learning_rate": 3e-5,
        "training.freeze_embeddings": True, "training.precision": precision(),
        "training.epochs": 1, "training.replay_share": 0, "training.dropout": False, "training.queries": 8,
        "merge.bags": [0.8, 1.0],
        "evaluation.dev": str(tested), "evaluation.parallel": True, "gate.policy": str(policy),
    }  # fmt: skip


def precision() -> str:
    """bfloat16 where this machine has it: a step is then about a quarter faster."""
    try:
        is_half("bfloat16", "cpu")
    except UsageError:
        return "float32"
    return "bfloat16"


def as_sentences(collections: Path, language: str, folder: Path) -> None:
    """The sentences of the paragraphs that have as many sentences as in English; number i of a paragraph is the same
    sentence in both. A question's judgments are all sentences of its paragraph; they are not used."""
    from sentencex import segment

    def cut(code: str) -> dict[str, list[str]]:
        rows = map(json.loads, (collections / code / "corpus.jsonl").read_text("utf-8").splitlines())
        return {row["_id"]: [one.strip() for one in segment(code, row["text"]) if one.strip()] for row in rows}

    own, english = cut(language), cut("en")
    kept = {name: texts for name, texts in own.items() if len(texts) == len(english[name])}
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    texts = [
        {"_id": f"{name}s{number:02d}", "title": "", "text": text}
        for name, each in kept.items() for number, text in enumerate(each)
    ]  # fmt: skip
    (folder / "corpus.jsonl").write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in texts), "utf-8")
    shutil.copyfile(collections / language / "queries.jsonl", folder / "queries.jsonl")
    judged = [row.split("\t") for row in (collections / language / "qrels" / "test.tsv").read_text().splitlines()[1:]]
    rows = [
        f"{query}\t{name}s{number:02d}\t1" for query, name, _ in judged for number in range(len(kept.get(name, ())))
    ]
    (folder / "qrels" / "train.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *rows]) + "\n", "utf-8")
    (folder / "collection.toml").write_text(f'language = "{language}"\n')


def command_of(keys: Mapping[str, object], work: Path) -> list[str]:
    """The command, after its configuration is written."""
    file = work / "adapt.toml"
    file.write_text(toml_of(configured(AdaptConfig, [Layer("benchmark", nested(keys))]).config), "utf-8")
    return ["train", "adapt", str(file), "--out", str(work / "adapted")]


def one_of(models: Path, name: str) -> Path:
    """A model, under whatever ending its folder has."""
    return next(iter(sorted(models.glob(f"{name}*"))))


def as_training_data(collection: Path, folder: Path) -> Path:
    """A judged collection as general ranking data: its only split is called train."""
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    for name in ("corpus.jsonl", "queries.jsonl"):
        shutil.copyfile(collection / name, folder / name)
    judged = some(collection / "qrels" / "test.tsv", GENERAL_QUERIES)
    (folder / "qrels" / "train.tsv").write_text(judged, "utf-8")
    return folder


def some(qrels: Path, queries: int) -> str:
    """The judgments of so many queries, evenly drawn."""
    head, *rows = qrels.read_text("utf-8").splitlines()
    asked = list(dict.fromkeys(row.split("\t")[0] for row in rows))
    chosen = set(asked[:: len(asked) // queries][:queries])
    return "\n".join([head, *(row for row in rows if row.split("\t")[0] in chosen)]) + "\n"


def folder_of(collections: Path, languages: Sequence[str], folder: Path, queries: int | None = None) -> Path:
    """Some languages as a folder of collections of its own, with so many queries of each, evenly drawn."""
    for language in languages:
        own = folder / language
        shutil.copytree(collections / language, own, dirs_exist_ok=True)
        (own / "collection.toml").write_text(f'language = "{language}"\n')
        if queries is not None:
            judged = some(collections / language / "qrels" / "test.tsv", queries)
            (own / "qrels" / "test.tsv").write_text(judged, "utf-8")
    return folder


def first_layers(embedder: Path, folder: Path, layers: int) -> Path:
    """A shallower model: the embeddings and the first layers of an embedder."""
    if (folder / "config.json").exists():
        return folder
    from transformers import AutoModel, AutoTokenizer

    model = AutoModel.from_pretrained(embedder)
    model.encoder.layer = model.encoder.layer[:layers]
    model.config.num_hidden_layers = layers
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(embedder).save_pretrained(folder)
    return folder


def run(command: Sequence[str], work: Path) -> None:
    """Run the command line; an adaptation that is not accepted is a result, too."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT), "HARNESS_WORKSPACE": str(work / "ws")}
    done = subprocess.run([sys.executable, "-m", "harness", *command], env=environment, check=False)
    if done.returncode not in {0, 1, 4}:
        raise SystemExit(f"harness ended with {done.returncode}")


def summary(work: Path, options: argparse.Namespace, command: Sequence[str]) -> dict[str, Any]:
    """The record without its paths and its dev looks."""
    record = json.loads((work / "adapted" / "record.json").read_text("utf-8"))
    places = {str(work): "WORK", str(options.models): "MODELS", str(options.data): "DATA"}
    text = json.dumps({
        "command": ["harness", *command], "configuration": {one["key"]: one["value"] for one in record["settings"]},
        **{key: record[key] for key in (
            "state", "accepted", "reasons", "measure", "first_stage", "depth", "tasks", "arms", "scores", "claims",
        )},
        "looks": [look for look in record["looks"] if look["tier"] != "dev"],
        "timeline": record["timeline"],
    })  # fmt: skip
    for place, name in places.items():
        text = text.replace(place, name)
    return dict(json.loads(text))


if __name__ == "__main__":
    main()
