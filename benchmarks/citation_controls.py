"""Which published formulas of citation quality break which law of the controls, on answers whose support is known.

Claims have facts, documents have facts, and the judge compares them; it fails where many documents are joined. The
formulas are written from what is published: ALCE (eval.py 246c476), TREC RAG 2024 (arXiv 2504.15205), LongBench-Cite
(auto_scorer.py fd8e8a3) and open-rag-eval (citation_metric.py 0320283).

    python benchmarks/citation_controls.py --answers 2000 --out benchmarks/results/citation_controls.json
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.citing.alce import alce as alce_score
from harness.citing.answers import Answer, CitedReference
from harness.citing.asking import Verdicts, answered
from harness.citing.controls import GENERIC, LAWS, oracle, relevant_share
from harness.citing.metric import cited_of, scored
from harness.citing.parsing import parsed
from harness.citing.sentences import nltk_sentences
from harness.citing.support import SupportRules
from tests.cited_answers import Facts

DOCUMENTS = 6
JUDGE = Facts(longest=9)
RULES = SupportRules.of(JUDGE)
VERDICTS = Verdicts(JUDGE)
Value = tuple[float, float, float]
"""Recall, precision and F1; NaN where the formula leaves the answer out."""


@dataclass(frozen=True)
class Case:
    """An answer as sentences with their citations in the order in which they are written."""

    id: str
    sentences: tuple[tuple[str, tuple[int, ...]], ...]
    documents: tuple[str, ...]

    @property
    def answer(self) -> Answer:
        """The answer as text with marks."""
        text = " ".join(
            f"{claim[:-1]} {''.join(f'[{n}]' for n in ids)}.".replace(" .", ".") for claim, ids in self.sentences
        )
        return Answer(self.id, "Why?", text, tuple(CitedReference(own, "Title") for own in self.documents))

    def says(self, ids: Sequence[int], claim: str) -> float:
        """The judge's value for documents that are there, joined."""
        return JUDGE.value("\n".join(f"Title: Title\n{self.documents[n - 1]}" for n in ids), claim)

    def there(self, ids: Sequence[int]) -> list[int]:
        """The citations whose document is there."""
        return [n for n in ids if 1 <= n <= len(self.documents)]

    def citing(self, ids: Sequence[Sequence[int]]) -> Case:
        """The same sentences with other citations."""
        return replace(
            self, sentences=tuple((claim, tuple(own)) for (claim, _), own in zip(self.sentences, ids, strict=True))
        )


def ours(case: Case) -> Value:
    """Ours."""
    one = parsed(case.answer)
    found = answered([scored(one, cited_of(one), RULES)], VERDICTS)[0]
    return found.recall, found.precision, found.f1


def alce(case: Case) -> Value:
    """ALCE, through its proven reimplementation; an empty answer is skipped."""
    found = answered([alce_score(case.answer, nltk_sentences(), RULES)], VERDICTS)[0]
    return found.recall, found.precision, _f1(found.recall, found.precision)


def trec(case: Case) -> Value:
    """TREC RAG 2024: full 1, partial 0.5, none 0, each document alone: the mean over citations, and over sentences."""
    values = [[case.says([n], claim) for n in case.there(ids)] for claim, ids in case.sentences]
    recall, precision = _mean([max(own, default=0.0) for own in values]), _mean([one for own in values for one in own])
    return recall, precision, _f1(recall, precision)


def longcite(case: Case) -> Value:
    """LongBench-Cite: citations joined; uncited sentences that need none have 1; any support makes a citation right."""
    recalls = [
        case.says(case.there(ids), claim) if case.there(ids) else float("fact" not in claim)
        for claim, ids in case.sentences
    ]
    right = [float(case.says([n], claim) > 0) for claim, ids in case.sentences for n in case.there(ids)]
    recall, precision = _mean(recalls), _mean(right)
    return recall, precision, _f1(recall, precision)


def open_rag_eval(case: Case) -> Value:
    """open-rag-eval: first citations; the last value of each document counts; what is not there is skipped."""
    by_document = {}
    for claim, ids in case.sentences:
        if ids and case.there(ids[:1]):
            by_document[ids[0]] = case.says(ids[:1], claim)
    precision = _mean(list(by_document.values()))
    recall = sum(by_document.values()) / len(case.sentences) if case.sentences else 0.0
    return recall, precision, _f1(recall, precision)


FORMULAS: dict[str, Callable[[Case], Value]] = {
    "ours": ours, "ALCE": alce, "TREC RAG 2024": trec, "LongBench-Cite": longcite, "open-rag-eval": open_rag_eval,
}  # fmt: skip


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _f1(recall: float, precision: float) -> float:
    return 2 * recall * precision / (recall + precision) if recall + precision else recall + precision


def made(chance: random.Random, number: int) -> Case:
    """An answer that cites mostly what has the facts, sometimes too much, sometimes nothing."""
    documents = tuple(" ".join(f"fact{f}" for f in chance.sample(range(9), 2)) for _ in range(DOCUMENTS))
    sentences = []
    for place in range(chance.randint(1, 4)):
        facts = [f"fact{f}" for f in chance.sample(range(9), chance.randint(1, 2))]
        right = [n for n, own in enumerate(documents, 1) if set(facts) & set(own.split())]
        wrong = chance.sample(range(1, DOCUMENTS + 1), chance.randint(0, 2))
        ids = right + wrong if chance.random() < 0.7 else wrong
        sentences.append((f"Sentence {place} says {' '.join(facts)}.", tuple(dict.fromkeys(ids))))
    return Case(f"q{number}", tuple(sentences), documents)


def changed(name: str, case: Case) -> Case:
    """The answer under a control."""
    chance, own = random.Random(f"{name} {case.id}"), [ids for _, ids in case.sentences]
    everything = range(1, DOCUMENTS + 1)
    if name == "oracle":
        one = parsed(case.answer)
        return case.citing([best.ids for best in answered([oracle(one, cited_of(one), RULES)], VERDICTS)[0]])
    citations: dict[str, Callable[[], list[Sequence[int]]]] = {
        "duplicated": lambda: [(*ids, *ids) for ids in own],
        "reordered": lambda: [ids[::-1] for ids in own],
        "zero": lambda: [(*ids, 0) for ids in own],
        "out of range": lambda: [(*ids, DOCUMENTS + 1) for ids in own],
        "shuffled": lambda: own[1:] + own[:1],
        "random": lambda: [chance.sample(everything, len(ids)) for ids in own],
        "none": lambda: [() for _ in own],
        "all": lambda: [tuple(everything) for _ in own],
    }
    if name == "blank":
        return replace(case, sentences=())
    if name == "generic":
        return replace(case, sentences=(*case.sentences, (GENERIC, ())))
    return case.citing(citations[name]())


def broken(name: str, before: Value, after: Value, share: float, rest: Sequence[Value]) -> bool:
    """Whether the values of an answer break the law of a control.

    Args:
        share: the share of relevant pairs.
        rest: our values of the answer itself, then those of the formula under every control.
    """
    if name in ("duplicated", "reordered"):
        return any(
            own != new and not (math.isnan(own) and math.isnan(new)) for own, new in zip(before, after, strict=True)
        )
    if name == "none":
        return not after[0] == after[2] == 0
    if name == "all":
        return not abs(after[1] - share) <= 1e-12 or (rest[0][0] == rest[0][1] == 1 and after[2] > before[2] + 1e-12)
    if name == "oracle":
        return any(not _at_most(one, after) for one in (before, *rest[1:]) if not math.isnan(one[0]))
    return not _at_most(after, before)


def _at_most(one: Value, other: Value) -> bool:
    """Whether recall and F1 are at most those of another. They are not if the answer is left out: the mean may rise."""
    return one[0] <= other[0] + 1e-12 and one[2] <= other[2] + 1e-12


def measured(count: int, seed: int) -> dict[str, object]:
    """For each formula and law the number of answers that break it, and the means under each control."""
    chance = random.Random(seed)
    cases = [made(chance, number) for number in range(count)]
    controls = {name: [changed(name, case) for case in cases] for name in LAWS}
    answers = [parsed(case.answer) for case in cases]
    shares = answered([relevant_share(one, cited_of(one), RULES) for one in answers], VERDICTS)
    own = [ours(case) for case in cases]
    table, means = dict[str, dict[str, int]](), dict[str, dict[str, dict[str, float]]]()
    for formula, value in FORMULAS.items():
        before = list(map(value, cases))
        after = {name: list(map(value, controls[name])) for name in LAWS}
        table[formula] = {name: _breaks(name, before, after, shares, own) for name in LAWS}
        rows = {"answer": before, **after}
        means[formula] = {
            name: {"recall": _of(own, 0), "precision": _of(own, 1), "f1": _of(own, 2)} for name, own in rows.items()
        }
    return {"answers": count, "seed": seed, "laws": LAWS, "answers_that_break_a_law": table, "means": means}


def _breaks(
    name: str, before: Sequence[Value], after: dict[str, list[Value]], shares: Sequence[float], ours: Sequence[Value]
) -> int:
    if name in ("shuffled", "random"):
        return 0 if _of(after[name], 2) <= _of(before, 2) else len(before)
    return sum(
        broken(name, own, after[name][at], shares[at], [ours[at], *(others[at] for others in after.values())])
        for at, own in enumerate(before)
    )


def _of(values: Sequence[Value], place: int) -> float:
    known = [one[place] for one in values if not math.isnan(one[place])]
    return round(_mean(known), 6)


def main() -> None:
    """Measure, print the table, write the result; exit 1 if ours breaks a law."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    found = measured(given.answers, given.seed)
    table: dict[str, dict[str, int]] = found["answers_that_break_a_law"]  # type: ignore[assignment]
    print("| law | " + " | ".join(FORMULAS) + " |\n|:--|" + "--:|" * len(FORMULAS))
    for name in LAWS:
        print(f"| {name} | " + " | ".join(str(table[formula][name] or "holds") for formula in FORMULAS) + " |")
    if given.out:
        given.out.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    sys.exit(1 if any(table["ours"].values()) else 0)


if __name__ == "__main__":
    main()
