"""Compares ALCE's own eval.py with ours on generated answers with all its peculiarities. One table judges for both.

Needs a checkout of princeton-nlp/ALCE. Its model is replaced by the table, and `nltk.sent_tokenize` by nltk's own code
with its packaged parameters, so nothing is downloaded:

    python benchmarks/alce.py ALCE --answers 10000 --out benchmarks/results/alce.json
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import importlib
import io
import json
import logging
import math
import random
import sys
import tempfile
import types
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.citing.alce import PECULIARITIES, alce, first_line
from harness.citing.answers import Answer, CitedReference
from harness.citing.asking import Verdicts, answered
from harness.citing.correctness import correctness
from harness.citing.sentences import nltk_sentences
from harness.citing.support import SupportRules

NAMES = ("torch", "transformers", "rouge_score", "tqdm")
WORDS = (
    "The", "tower", "castle", "river", "was", "built", "in", "old", "new", "city", "by", "King", "Dr.", "U.S.", "e.g.",
    "about", "3.5", "metres", "the,", "it;", "is", '"long"', "A.",
)  # fmt: skip
MARKS = (
    "[1]", "[2]", "[3]", "[1][2]", "[1][2][3]", "[1][2][3][4]", "[1][1]", "[2][1][2]", "[0]", "[0][1]", "[1, 2]",
    "[1-3]", "[1]-[3]", "[9]", "[1][9]", "[1][2][3][9]", "[2019]", "x[10]", "[sic]", "[12", "]", " |", "【1】", "[ 1 ]",
    "[1 2]", "[[1]]", "[1]2", "[01]", "[٣]",
)  # fmt: skip


def generated(chance: random.Random, number: int) -> dict[str, Any]:
    """One answer in the layout of ALCE's result files."""
    docs = [
        {"title": chance.choice(["", "T", f"Title {k}"]), "text": f"Text {k} of {number}"}
        for k in range(chance.choice([0, 1, 2, 3, 5, 5, 5]))
    ]
    if not docs:
        docs = [{"title": "Only", "text": f"Text of {number}"}]
    for doc in docs:
        if chance.random() < 0.1:
            doc["sent"] = "Extracted " + doc["text"]
    short = [
        [chance.choice([*WORDS, "river city", "The"]) for _ in range(chance.randint(1, 3))]
        for _ in range(chance.randint(1, 3))
    ]
    claims = [f"Claim {chance.randint(0, 50)}" for _ in range(3)]
    return {
        "question": f"Question {number}?", "output": _output(chance), "docs": docs, "answer": "An answer.",
        "qa_pairs": [{"question": "q", "short_answers": ways} for ways in short], "claims": claims,
    }  # fmt: skip


def _output(chance: random.Random) -> str:
    if chance.random() < 0.05:
        return chance.choice(["", " ", "\n", "<|im_end|>"])
    parts = [_sentence(chance) for _ in range(chance.randint(1, 5))]
    gaps = [chance.choice([" ", " ", " ", "\n", "\n\n", ""]) if chance.random() < 0.3 else " " for _ in parts]
    text = "".join(part + gap for part, gap in zip(parts, gaps, strict=True))
    return chance.choice(["", "", "", "\n", " "]) + text + chance.choice(["", "", "<|im_end|>", "\n"])


def _sentence(chance: random.Random) -> str:
    words = " ".join(chance.choice(WORDS) for _ in range(chance.randint(1, 8)))
    mark = chance.choice(MARKS) if chance.random() < 0.85 else ""
    if chance.random() < 0.1:
        mark += chance.choice(MARKS)
    return chance.choice(
        [f"{words} {mark}.", f"{words}{mark}.", f"{words}. {mark}", f"{mark} {words}!", f"{words} {mark} {words}?"]
    )


def verdict(premise: str, claim: str) -> int:
    """The table: what it says depends on the texts only."""
    return int(hashlib.blake2b(f"{premise}\0{claim}".encode()).digest()[0] < 110)


class Table:
    """The table as a judge."""

    name, identity, grades = "table", {"table": 1}, (0.0, 1.0)

    def judge(self, premises: Sequence[str], claims: Sequence[str]) -> npt.NDArray[np.float32]:
        """As the protocol says."""
        return np.array([verdict(*pair) for pair in zip(premises, claims, strict=True)], np.float32)


def loaded(folder: Path) -> Any:
    """ALCE's eval.py with its model and its progress bar replaced."""
    for name in NAMES:
        sys.modules[name] = types.ModuleType(name)
    sys.modules["torch"].float16 = None  # type: ignore[attr-defined]
    for name in ("AutoModelForSeq2SeqLM", "AutoTokenizer", "pipeline"):
        setattr(sys.modules["transformers"], name, None)
    for name in ("rouge_scorer", "scoring"):
        setattr(sys.modules["rouge_score"], name, None)
    sys.modules["tqdm"].tqdm = lambda items: items  # type: ignore[attr-defined]
    sys.path.insert(0, str(folder))
    theirs: Any = importlib.import_module("eval")
    logging.disable(logging.CRITICAL)
    theirs.autoais_model = object()
    theirs._run_nli_autoais = verdict
    theirs.sent_tokenize = nltk_sentences()
    return theirs


def totals(theirs: Any, items: list[dict[str, Any]]) -> dict[str, float]:
    """What ALCE's main program writes for all answers."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "answers.json"
        file.write_text(json.dumps({"data": items}), "utf-8")
        sys.argv = ["eval.py", "--f", str(file), "--no_rouge", "--citations", "--claims_nli"]
        theirs.main()
        found: dict[str, float] = json.loads(Path(f"{file}.score").read_text("utf-8"))
    return found


def of_one(theirs: Any, item: dict[str, Any]) -> dict[str, float]:
    """What ALCE computes for one answer, prepared as its main program does; NaN if it skips the answer."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found: dict[str, float] = theirs.compute_autoais(
            [item | {"output": first_line(item["output"])}], at_most_citations=3
        )
    return found


def answer_of(item: dict[str, Any], number: int) -> Answer:
    """The same answer as our value."""
    references = tuple(CitedReference(doc.get("sent", doc["text"]), doc["title"]) for doc in item["docs"])
    short = tuple(tuple(pair["short_answers"]) for pair in item["qa_pairs"])
    return Answer(str(number), item["question"], item["output"], references, short, tuple(item["claims"]))


def compared(folder: Path, count: int, seed: int) -> dict[str, object]:
    """Both on the same answers."""
    chance = random.Random(seed)
    items = [generated(chance, number) for number in range(count)]
    answers, verdicts, rules = (
        [answer_of(*pair) for pair in zip(items, range(count), strict=True)],
        Verdicts(Table()),
        SupportRules(),
    )
    ours = answered([alce(one, nltk_sentences(), rules) for one in answers], verdicts)
    right = answered([correctness(one, rules, alce=True, rouge=False) for one in answers], verdicts)
    theirs = loaded(folder)
    with contextlib.redirect_stdout(io.StringIO()):
        singles = [of_one(theirs, item) for item in items]
        total = totals(theirs, items)
    different = [
        one.id
        for one, other in zip(ours, singles, strict=True)
        if not (_same(100 * one.recall, other["citation_rec"]) and _same(100 * one.precision, other["citation_prec"]))
    ]
    means = {
        "citation_rec": [one.recall for one in ours if not one.skipped],
        "citation_prec": [one.precision for one in ours if not one.skipped],
        "str_em": [one.str_em for one in right], "str_hit": [one.str_hit for one in right],
        "claims_nli": [one.claim_recall for one in right],
    }  # fmt: skip
    own = {name: 100 * float(np.mean(values)) for name, values in means.items()} | {
        "length": sum(one.length for one in right) / count
    }
    met = Counter(name for one in ours for name in one.peculiarities)
    return {
        "alce": "princeton-nlp/ALCE@246c476", "answers": count, "seed": seed, "different_answers": len(different),
        "first_different": different[:5], "skipped": sum(one.skipped for one in ours), "pairs_judged": verdicts.asked,
        "means": {name: {"ours": own[name], "alce": total[name]} for name in own},
        "different_means": [name for name in own if abs(own[name] - total[name]) > 1e-12 * max(1.0, abs(own[name]))],
        "peculiarities_met": {name: met[name] for name in PECULIARITIES},
    }  # fmt: skip


def _same(own: float, other: float) -> bool:
    return own == other or (math.isnan(own) and math.isnan(other))


def main() -> None:
    """Compare and write what was found; exit 1 on a difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a checkout of princeton-nlp/ALCE")
    parser.add_argument("--answers", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    found = compared(given.folder, given.answers, given.seed)
    text = json.dumps(found, indent=1)
    print(text)
    if given.out:
        given.out.write_text(text + "\n", "utf-8")
    sys.exit(1 if found["different_answers"] or found["different_means"] else 0)


if __name__ == "__main__":
    main()
