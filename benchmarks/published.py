"""all-MiniLM-L6-v2 on SciFact and XQuAD en against its published figures, and what a second run costs.

    python benchmarks/published.py MODEL SCIFACT XQUAD_EN [--workspace DIR] [--out FILE.json]

MODEL is the embedder's folder, the others are BEIR folders. Published: MTEB results of the same weights (SciFact
0.6451, XQuADRetrieval en 0.9436; nDCG@10).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import harness
from harness.result.environment import machine

PUBLISHED = {"scifact": (0.6451, 0.0005), "xquad-en": (0.9436, 0.001)}
_AGAIN = """
import json, sys
import harness
outcome = harness.run(*sys.argv[1:3], first_stage=sys.argv[3], rerankers=["bm25"], depth=100, workspace=sys.argv[4])
print(json.dumps({"pairs_scored": sum(e.fresh for e in outcome.evaluations), "torch_imported": "torch" in sys.modules}))
"""


def main() -> None:
    """Run twice and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("scifact")
    parser.add_argument("xquad_en")
    parser.add_argument("--workspace", help="a folder to keep; else a new one that is thrown away")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = measured(options, options.workspace or folder)
    print(json.dumps(result, indent=1))
    if options.out:
        options.out.write_text(json.dumps(result, indent=1) + "\n")


def measured(options: argparse.Namespace, workspace: str) -> dict[str, object]:
    """The figures, and what the first and the second run cost."""
    targets = [options.scifact, options.xquad_en]
    started = time.perf_counter()
    outcome = harness.run(*targets, first_stage=options.model, rerankers=["bm25"], depth=100, workspace=workspace)
    first = time.perf_counter() - started
    found = {}
    bases = [evaluation for evaluation in outcome.evaluations if evaluation.system.reranker is None]
    for (name, (published, tolerance)), evaluation in zip(PUBLISHED.items(), bases, strict=True):
        value = float(evaluation.values[0].mean())
        found[name] = {
            "ndcg_at_10": round(value, 5), "published": published, "difference": round(value - published, 5),
            "within": abs(value - published) <= tolerance,
        }  # fmt: skip
    started = time.perf_counter()
    command = [sys.executable, "-c", _AGAIN, *targets, options.model, workspace]
    again = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return {
        "machine": machine(), "depth": 100, "figures": found, "first_run_seconds": round(first, 1),
        "second_run_seconds": round(time.perf_counter() - started, 1), "second_run": again,
    }  # fmt: skip


if __name__ == "__main__":
    main()
