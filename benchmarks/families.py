"""The largest difference between the harness and its reference, for every family of rerankers and embedders.

    python benchmarks/families.py [--only NAME ...] [--out FILE.json]

Every family is a tiny model in the shape of its folder (`tests/conformance/`). 200 pairs are scored in batches, and
every fourth of them alone, padded on the left and on the right, cut and whole. With `--only`, the other rows of FILE
stay.
The rows of docs/models.md are printed. On one idle core it takes about ten minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ |= {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "TQDM_DISABLE": "1"}

from harness.result.environment import machine
from tests.conformance import families_table
from tests.conformance.measured import of_embedder, of_reranker
from tests.conformance.published import CASES
from tests.conformance.published_embedders import USES

EVERY = 4
LIBRARIES = ("torch", "transformers", "sentence-transformers", "peft")
Row = dict[str, Any]


def measures() -> dict[str, dict[str, Callable[[Path], Row]]]:
    """What measures each row, by section and name."""

    def reranker(name: str) -> Callable[[Path], Row]:
        return lambda folder: of_reranker(CASES[name], folder, every=EVERY)

    def embedder(name: str) -> Callable[[Path], Row]:
        return lambda folder: of_embedder(name, folder, every=EVERY)

    return {
        "rerankers": {name: reranker(name) for name in CASES},
        "embedders": {name: embedder(name) for name in USES},
    }


def main() -> int:
    """Measure, print, and exit 1 if a difference is above 1e-4."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", metavar="NAME", help="only these rows")
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    kept = json.loads(chosen.out.read_text("utf-8")) if chosen.only and chosen.out and chosen.out.exists() else {}
    found: Row = {"machine": machine(), "versions": {name: version(name) for name in LIBRARIES}, "pairs": 200}
    for section, rows in measures().items():
        found[section] = dict(kept.get(section, {}))
        for name, measure in rows.items():
            if chosen.only and name not in chosen.only:
                continue
            with tempfile.TemporaryDirectory() as place:
                found[section][name] = measure(Path(place) / "model")
            print(f"{section}: {name}: {found[section][name]['largest']:.1e}", file=sys.stderr, flush=True)
        found[section] = {name: found[section][name] for name in rows if name in found[section]}
    if chosen.out:
        chosen.out.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    print("\n".join([*families_table.rerankers(found), "", *families_table.embedders(found)]))
    return int(any(row["largest"] > 1e-4 for section in measures() for row in found[section].values()))


if __name__ == "__main__":
    sys.exit(main())
