"""How the gain of `adaptation.py mlqa` grows with steps and with queries: trainings on its labelled queries, on dev.

    python benchmarks/adaptation_curves.py MODELS DATA WORK [--out FILE.json]

MODELS, DATA and WORK are those of `adaptation.py mlqa`, which has to be finished. Each training takes STEPS steps, like
those of the union, over the first queries of each task, in several passes where they are few. The dev questions are
those of the run's policy, in German, which is trained, and Spanish, which is not. Gate and final split are not read.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

from adaptation import ASKED_IN, one_of, precision, run

from harness.result.environment import machine

EACH, STEPS, EVERY, PER_STEP = (10, 50, 200), 100, 25, 8
MEASURED_IN = ("de", "es")


def main() -> None:
    """Train with each number of queries, and keep the values on dev."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    work = options.work / "mlqa"
    dev = work / "curves" / "mlqa"
    for language in MEASURED_IN:
        shutil.copytree(work / "mlqa" / language, dev / language, dirs_exist_ok=True)
    values = {str(each * len(ASKED_IN)): curve(each, dev, options.models, work) for each in EACH}
    result = {
        "machine": machine(),
        "measured in": MEASURED_IN,
        "queries per step": PER_STEP,
        "nDCG@10 by queries": values,
    }
    if options.out:
        options.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


def curve(each: int, dev: Path, models: Path, work: Path) -> list[tuple[int, float]]:
    """The steps that were evaluated, each with its value on dev."""
    out, tasks = work / "curves" / f"{each}", work / "adapted" / "tasks"
    sources = [part for one in ASKED_IN for part in ("--data", str(tasks / one / "examples" / "examples.jsonl"))]
    epochs = -(-STEPS * PER_STEP // (each * len(ASKED_IN)))
    run(
        ["train", "fit", "--base", str(one_of(models, "multilingual-e5-small")), *sources, "--limit", str(each),
         "--epochs", str(epochs), "--max-steps", str(STEPS), "--batch-queries", str(PER_STEP), "--lr", "3e-5",
         "--loss", "kl", "--scale", "0.5", "--temperature", "0.5", "--freeze-embeddings", "--no-dropout",
         "--max-length", "128", "--precision", precision(), "--dev", str(dev), "--policy", str(work / "gate.toml"),
         "--evaluate-every", str(EVERY), "--out", str(out)], work,
    )  # fmt: skip
    rows = map(json.loads, (out / "history.jsonl").read_text("utf-8").splitlines())
    return [(row["step"], row["dev"]) for row in rows if "dev" in row]


if __name__ == "__main__":
    main()
