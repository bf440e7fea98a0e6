"""Who notices what: the same faults planted for our harness and for the evaluators of its peers that are installed.

    pip install mteb beir sentence-transformers ranx ir-measures     # those that are missing are left out of the table
    python benchmarks/hazards.py [--out FILE.json]

Every cell was run: `refused` is an error, `warned` a warning or anything else that a user sees and that is not there
without the fault, `harmless` a silent right value, and a bold number a silent wrong one. Right values are worked out by
hand, or read from the model with transformers and torch alone. `-` means that the fault cannot be planted there.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from planted.case import NDCG, Case
from planted.faults import faults, sound
from planted.judgments import judgment_faults, published_faults
from planted.models import Dealt, cost_of_a_checkpoint, dealt, intact, model_faults
from planted.verdict import Verdict, judged, usual

Table = dict[str, dict[str, Verdict]]
"""Fault to evaluator to verdict."""
EVALUATORS = {
    "ours": "ours:Ours",
    "pytrec_eval": "lists:pytrec_eval_",
    "ranx": "lists:ranx_",
    "ir-measures": "lists:ir_measures_",
    "beir": "rerankers:Beir",
    "sentence-transformers": "rerankers:SentenceTransformers",
    "mteb": "mteb_peer:Mteb",
}
"""Name to what opens it, in `planted`."""


def main() -> int:
    """Plant everything everywhere, print the table; exit 1 if anybody is wrong where nothing is planted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="also write what every evaluator said, as JSON")
    parser.add_argument("--only", choices=list(EVALUATORS), action="append", help="only this evaluator; repeatable")
    options = parser.parse_args()
    table: Table = {}
    about: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        _keep_to(Path(folder))
        cases, cost = _cases(Path(folder) / "models")
        for name in options.only or EVALUATORS:
            about[name], column = _run(name, cases, cost, Path(folder))
            for case in cases:
                table.setdefault(case.name, {})[name] = column[case.name]
    print(as_markdown(cases, table))
    for name, what in about.items():
        print(", ".join(filter(None, (f"{name}: {what.get('version') or what['left_out']}", what.get("scored_again")))))
    if options.out:
        options.out.write_text(json.dumps(_as_json(cases, table, about), indent=1, ensure_ascii=False) + "\n", "utf-8")
    controls = [verdict for case in cases[:2] for verdict in table[case.name].values()]
    return int(any(verdict.word not in {"harmless", "-", "not installed"} for verdict in controls))


def _cases(folder: Path) -> tuple[list[Case], Case]:
    """All faults, the two controls first, and the fault of cost. Models are made below `folder`, to deal out texts."""
    listed = [sound(), intact(), *faults(), *judgment_faults(), *model_faults(), *published_faults()]
    known: Dealt = {}
    *cases, cost = (
        dealt(case, _made(folder / str(number)), known) for number, case in enumerate([*listed, cost_of_a_checkpoint()])
    )
    return cases, cost


def _run(name: str, cases: Sequence[Case], cost: Case, folder: Path) -> tuple[dict[str, Any], dict[str, Verdict]]:
    started = time.perf_counter()
    try:
        evaluator = _opened(name)
    except ImportError as error:
        return {"left_out": f"not installed ({error.name})"}, dict.fromkeys(
            (case.name for case in cases), Verdict("not installed")
        )

    def verdict(number: int, case: Case, known: frozenset[str]) -> Verdict:
        place = _made(folder / name / str(number))
        return judged(lambda: evaluator.evaluate(case, place), known, place if case.model else None)

    known: frozenset[str] = frozenset()
    for number, case in enumerate(cases[:2]):
        place = _made(folder / name / f"usual-{number}")
        known |= usual(partial(evaluator.evaluate, case, place))
    column = {case.name: verdict(number, case, known) for number, case in enumerate(cases)}
    seconds = round(time.perf_counter() - started, 1)
    about = {"version": evaluator.version, "entry": evaluator.entry, "seconds": seconds}
    if hasattr(evaluator, "scored_again"):
        with warnings.catch_warnings(action="ignore"):
            again = evaluator.scored_again(cost, _made(folder / name / "cost"))
        about |= {"scored_again": f"{again} of {sum(map(len, cost.lists.values()))} pairs, where {cost.planted}"}
    return {**about, "said_without_a_fault": sorted(known)}, column


def _opened(name: str) -> Any:
    module, _, maker = EVALUATORS[name].partition(":")
    return getattr(importlib.import_module(f"planted.{module}"), maker)()


def as_markdown(cases: Sequence[Case], table: Table) -> str:
    """One row for each fault; values are nDCG@10 in points unless RR is named."""
    names = list(table[cases[0].name])
    lines = ["| planted | right | " + " | ".join(names) + " |", "|:--|--:|" + ":--|" * len(names)]
    for case in cases:
        row = table[case.name]
        right = case.right or next((verdict.right for verdict in row.values() if verdict.right), {})
        shown = (
            f"{100 * right[NDCG]:.1f}" if NDCG in right else "".join(f"{n[:2]} {100 * v:.1f}" for n, v in right.items())
        )
        cells = [row[name].cell(right.get(NDCG)) for name in names]
        lines.append(f"| {case.name} | {shown} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _as_json(cases: Sequence[Case], table: Table, about: dict[str, Any]) -> dict[str, Any]:
    rows = [
        {
            "fault": case.name,
            "planted": case.planted,
            "right_because": case.because,
            "verdicts": {name: verdict.as_dict() for name, verdict in table[case.name].items()},
        }
        for case in cases
    ]
    return {"python": sys.version.split()[0], "evaluators": about, "faults": rows}


def _keep_to(folder: Path) -> None:
    """No network, and no cache of the user's is read or written."""
    os.environ |= {
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_CACHE": str(folder / "datasets"),
        "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "MTEB_CACHE": str(folder / "mteb"),
        "TOKENIZERS_PARALLELISM": "false",
        "TQDM_DISABLE": "1",
        "OMP_NUM_THREADS": "1",
    }


def _made(place: Path) -> Path:
    place.mkdir(parents=True, exist_ok=True)
    return place


if __name__ == "__main__":
    sys.exit(main())
