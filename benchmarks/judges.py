"""How far judges agree with people, and whether intervals of corrected means cover the truth.

WiCE (dev, claims with oracle chunks) and ExpertQA (validation), as docs/judges.md describes them.

    python benchmarks/judges.py --wice dev.jsonl.gz --expertqa rand_val.jsonl --model ./cross-encoder \
        --out benchmarks/results/judges.json
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np

import harness
from adapters.spec import open_judge
from harness.labelling.labelled import Labelled, read_labelled
from harness.labelling.ledgered import judged
from harness.measuring.statistics.corrected import corrected_mean
from harness.measuring.statistics.design import Floats64
from harness.progress import Terminal
from harness.workspace import Workspace

RECORDED = ("t5_3b_anli", "t5_3b_anli_wice")
SIZES, DRAWS = (30, 60, 120), 2000
PACKAGED = "reranker:packaged:english-cross-encoder"


def agreement(file: Path, judges: list[str], workspace: Path) -> dict[str, object]:
    """The figures of every judge, without the paths of this machine."""
    report = harness.judge_calibrate(file, judges, workspace=workspace, reporter=Terminal())
    found = report.as_dict()
    for one in found["judges"]:  # type: ignore[attr-defined]
        one["spec"] = shown(one["spec"])
        one["name"] = shown(one["name"])
        one["remarks"] = [shown(remark) for remark in one["remarks"]]
        one.pop("groups")
    print(report.table())
    return found


def coverage(labels: Floats64, values: Floats64, size: int) -> dict[str, float]:
    """How often 95 % intervals from `size` labelled claims hold the mean of all claims."""
    generator, truth = np.random.default_rng([1, size]), labels.mean()
    rows = []
    for _ in range(DRAWS):
        order = generator.permutation(len(labels))
        drawn, rest = order[:size], order[size:]
        one = corrected_mean(labels[drawn], values[drawn], values[rest])
        held = [low <= truth <= high for low, high in ((one.low, one.high), (one.naive_low, one.naive_high))]
        widths = one.high - one.low, one.naive_high - one.naive_low, one.labels_high - one.labels_low
        rows.append((*held, one.labels_low <= truth <= one.labels_high, *widths, one.gain, one.width_ratio))
    names = (
        "corrected", "naive", "labels only", "width", "naive width", "labels only width", "gain", "width ratio",
    )  # fmt: skip
    return dict(zip(names, np.mean(np.array(rows, np.float64), axis=0).tolist(), strict=True))


def covered(labelled: Labelled, judges: dict[str, str], workspace: Path) -> dict[str, dict[str, dict[str, float]]]:
    """Coverage for every judge and size."""
    place = Workspace.open(workspace)
    found = {}
    for name, spec in judges.items():
        rows = judged(open_judge(spec), labelled.premises, labelled.claims, place)
        values = labelled.of_units(rows.tolist())
        found[name] = {str(size): coverage(labelled.labels, values, size) for size in SIZES}
        for size, one in found[name].items():
            print(name, size, {key: round(value, 4) for key, value in one.items()})
    return found


def shown(text: str) -> str:
    """A spec or a remark without folders."""
    return " ".join(
        f"{word.rpartition('/')[0].partition('/')[0]}{word.rpartition('/')[2]}" if "/" in word else word
        for word in text.split(" ")
    )


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wice", type=Path, required=True)
    parser.add_argument("--expertqa", type=Path, required=True)
    parser.add_argument("--model", action="append", default=[], help="a reranker")
    parser.add_argument("--workspace", type=Path, default=None)
    parser.add_argument("--out", type=Path, default=None)
    given = parser.parse_args()
    workspace = given.workspace or Path(tempfile.mkdtemp())
    rerankers = [PACKAGED, *(f"reranker:{model}" for model in given.model)]
    recorded = {name: f"recorded:{given.wice}?score={name}" for name in RECORDED}
    result = {
        "coverage": covered(read_labelled(given.wice), {**recorded, "lexical": "lexical"}, workspace),
        "wice": agreement(given.wice, ["lexical", *recorded.values(), *rerankers], workspace),
        "expertqa": agreement(given.expertqa, ["lexical", *rerankers], workspace),
    }
    if given.out:
        given.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
