"""What synthetic queries are worth beside real annotations, on SciFact, through the command line.

    python benchmarks/utility.py MODELS DATA WORK [--documents 100] [--queries 250] [--seeds 2] [--out FILE.json]

MODELS holds all-MiniLM-L6-v2 and an ms-marco-MiniLM-L12-v2, DATA the collections scifact and xquad/en in BEIR's
layout. WORK keeps everything; the same command goes on after a kill.

The student is stage 1 of `adaptation.py scifact`: all-MiniLM-L6-v2 with a new score head, trained on 250 of XQuAD's
English questions. The synthetic queries are the extractive generator's, from SciFact's abstracts; the real ones are
SciFact's training claims with their judgments. All are measured on the test claims, 10 BM25 candidates, 128 tokens.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from adaptation import ROOT, as_training_data, one_of

from harness.environment import machine

LENGTH = "128"


def main() -> None:
    """Make stage 1 and the queries, run the experiment, keep its answer."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--documents", type=int, default=100, help="that the generator is shown")
    parser.add_argument("--queries", type=int, default=250, help="of every arm")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    work, began = options.work / "utility", time.monotonic()
    work.mkdir(parents=True, exist_ok=True)
    commands = [stage1(options, work), queries(options, work), experiment(options, work)]
    for command in commands:
        harness(command, work)
    found = json.loads((work / "worth" / "utility.json").read_text("utf-8"))
    result = {"machine": machine(), "seconds": round(time.monotonic() - began), "commands": commands, "utility": found}
    if options.out:
        options.out.write_text(without_paths(result, options, work) + "\n", "utf-8")


def stage1(options: argparse.Namespace, work: Path) -> list[str]:
    """General relevance, from another domain."""
    return [
        "train", "fit", "--base", str(options.models / "all-MiniLM-L6-v2"), "--new-head",
        "--data", str(as_training_data(options.data / "xquad" / "en", work / "xquad-en")), "--loss", "ranknet",
        "--lr", "2e-4", "--batch-queries", "4", "--max-length", LENGTH, "--no-dropout", "--out", str(work / "stage-1"),
    ]  # fmt: skip


def queries(options: argparse.Namespace, work: Path) -> list[str]:
    """Synthetic queries of the target."""
    return [
        "train", "synthesize", "--corpus", str(options.data / "scifact"), "--profile", "claim-en",
        "--documents", str(options.documents), "--out", str(work / "queries"),
    ]  # fmt: skip


def experiment(options: argparse.Namespace, work: Path) -> list[str]:
    """The ablation."""
    scifact, teacher = str(options.data / "scifact"), str(one_of(options.models, "ms-marco-MiniLM-L12-v2"))
    return [
        "train", "utility", "--base", str(work / "stage-1"), "--corpus", scifact, "--queries", str(work / "queries"),
        "--real", scifact, "--real-split", "train", "--teacher", teacher, "--test", scifact,
        "--test-split", "test", "--queries-each", str(options.queries), "--seeds", str(options.seeds),
        "--retriever", "bm25", "--retriever", str(options.models / "all-MiniLM-L6-v2"), "--pool-depth", "10",
        "--per-query", "6", "--lr", "1e-4", "--batch-queries", "4", "--max-length", LENGTH, "--no-dropout",
        "--depth", "10", "--out", str(work / "worth"),
    ]  # fmt: skip


def harness(command: list[str], work: Path) -> None:
    """Run the command line."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT), "HARNESS_WORKSPACE": str(work / "ws")}
    done = subprocess.run([sys.executable, "-m", "harness", *command], env=environment, check=False)
    if done.returncode:
        raise SystemExit(f"harness ended with {done.returncode}")


def without_paths(result: dict[str, Any], options: argparse.Namespace, work: Path) -> str:
    """JSON with names in the place of the folders of this run."""
    text = json.dumps(result, indent=1, ensure_ascii=False)
    for place, name in ((work, "WORK"), (options.models, "MODELS"), (options.data, "DATA")):
        text = text.replace(str(place), name)
    return text


if __name__ == "__main__":
    main()
