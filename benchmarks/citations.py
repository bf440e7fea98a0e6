"""Whether citation measures see what people see: ALCE's demonstrations and corrupted copies of them, and ExpertQA's
answers before and after refining.

The judges are `lexical` and the packaged English cross-encoder with a threshold fitted on WiCE (dev).

    python benchmarks/citations.py --alce alce --expertqa rand_val.jsonl --wice dev.jsonl.gz \
        --out benchmarks/results/citations.json
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import harness
from adapters.spec import open_judge
from harness.citing.alce import alce
from harness.citing.answers import Answer, ParsedAnswer
from harness.citing.asking import Verdicts, answered
from harness.citing.judged import KeptJudge
from harness.citing.parsing import parsed
from harness.citing.reading.files import read_answers
from harness.citing.refine import REFINERS
from harness.citing.rewriting import Wanted, numbers_of, rewritten
from harness.citing.scores import F1, PRECISION, RECALL, evaluate, paired
from harness.citing.sentences import nltk_sentences
from harness.citing.support import SupportRules
from harness.progress import Silent
from harness.scoring.session import Session, opened
from harness.workspace import Workspace

RERANKER = "reranker:packaged:english-cross-encoder"
DEMOS = ("asqa_demos.jsonl", "eli5_demos.jsonl")
DRAWS = 20
WAYS = ("remove", "complete", "refine", "post-hoc")
_MARK = re.compile(r"\s*\[\d+\]")


def judges_of(wice: Path, workspace: Path) -> dict[str, str]:
    """The specs of the judges, by name."""
    folder = workspace / "calibrated"
    report = harness.calibrate(wice, RERANKER, workspace=workspace, reporter=Silent())
    report.write(folder)
    return {"lexical": "lexical", "reranker": f"{RERANKER}?calibration={folder / report.files[0]}"}


def corrupted(answer: ParsedAnswer, how: str, draw: int) -> ParsedAnswer:
    """A copy of an answer with every statement's citations dropped by one, added to by one, or all swapped."""
    chance = random.Random(f"{how} {draw} {answer.answer.question}")
    every = range(1, len(answer.answer.references) + 1)
    wanted = list[Wanted]()
    for statement in answer.statements:
        own = sorted(numbers_of(statement))
        others = [number for number in every if number not in own]
        if how == "dropped":
            own = own[:-1] if chance.random() < 0.5 else own[1:]
        elif how == "added":
            own += chance.sample(others, min(1, len(others)))
        else:
            own = chance.sample(others, min(len(own), len(others)))
        wanted.append(frozenset(own))
    return rewritten(answer, wanted).answer


def demonstrations(folder: Path, verdicts: Verdicts) -> dict[str, dict[str, float]]:
    """Means of the measures for the demonstrations and for each kind of corruption."""
    found = [one for name in DEMOS for one in read_answers(folder / name).answers]
    answers = [parsed(replace(one, id=f"{at}")) for at, one in enumerate(found)]
    sets = {"people": answers} | {
        how: [
            replace(copy, answer=replace(copy.answer, id=f"{one.answer.id} {draw}"))
            for draw in range(DRAWS)
            for one in answers
            for copy in [corrupted(one, how, draw)]
        ]
        for how in ("dropped", "added", "swapped")
    }
    return {name: measured(own, verdicts) for name, own in sets.items()}


def measured(answers: Sequence[ParsedAnswer], verdicts: Verdicts) -> dict[str, float]:
    """Our means and ALCE's."""
    rules = SupportRules.of(verdicts.judge)
    scores = evaluate(answers, verdicts, rules)
    theirs = answered([alce(one.answer, nltk_sentences(), rules) for one in answers], verdicts)
    return {
        "recall": scores.mean(RECALL), "precision": scores.mean(PRECISION), "F1": scores.mean(F1),
        "ALCE recall": sum(one.recall for one in theirs) / len(theirs),
        "ALCE precision": sum(one.precision for one in theirs) / len(theirs),
    }  # fmt: skip


def refined(answers: Sequence[ParsedAnswer], by: Verdicts, others: dict[str, Verdicts]) -> dict[str, object]:
    """Every way to refine: the measures by each judge before and after, and what the labels of people say."""
    rules, found = SupportRules.of(by.judge), dict[str, object]()
    after: dict[str, list[ParsedAnswer]] = {"none": list(answers)}
    for way in WAYS:
        after[way] = [one.after for one in answered([REFINERS[way](one, None, rules) for one in answers], by)]
    before = {name: evaluate(answers, one, SupportRules.of(one.judge)) for name, one in others.items()}
    for way, own in after.items():
        scores = {name: evaluate(own, one, SupportRules.of(one.judge)) for name, one in others.items()}
        found[way] = {
            "people": labels(answers, own),
            **{
                name: {
                    "recall": one.mean(RECALL), "precision": one.mean(PRECISION), "F1": one.mean(F1),
                    "F1 difference": difference(one, before[name]),
                }
                for name, one in scores.items()
            },
        }  # fmt: skip
    return found


def difference(scores: object, before: object) -> list[float]:
    """The paired difference in F1 with its interval."""
    found = paired(scores, before, F1).difference  # type: ignore[arg-type]
    return [found.value, *found.interval]


def labels(before: Sequence[ParsedAnswer], after: Sequence[ParsedAnswer]) -> dict[str, int]:
    """Claims by what people said of them, if the label still tells something.

    A label belongs to a set of pages. It is used if the set is the same, or if it was Complete and lost pages. All
    other claims whose set changed are not judged.
    """
    found = Counter[str]()
    for one, other in zip(before, after, strict=True):
        given = claims_of(one.answer)
        for old, new in zip(one.statements, other.statements, strict=True):
            label = given.get(plain(old.text))
            was, now = numbers_of(old), numbers_of(new)
            if label is None:
                found["no claim of people"] += 1
            elif was == now:
                found[f"same set: {label}"] += 1
            elif label == "Complete" and now < was:
                found["Complete, fewer pages" if now else "Complete, no page left"] += 1
            else:
                found["unjudged"] += 1
    return dict(sorted(found.items()))


def claims_of(answer: Answer) -> dict[str, str]:
    """The labels of the claims by their texts."""
    claims = answer.people["claims"]
    assert isinstance(claims, list)
    return {plain(one["claim_string"]): str(one["support"]) for one in claims if one.get("claim_string")}


def plain(text: str) -> str:
    """A text without marks and without differences in spaces."""
    return " ".join(_MARK.sub("", text).split())


def run(given: argparse.Namespace, session: Session, specs: dict[str, str]) -> dict[str, object]:
    """All results."""
    verdicts = {name: Verdicts(KeptJudge(open_judge(spec), session)) for name, spec in specs.items()}
    file = read_answers(given.expertqa)
    answers = [parsed(one) for one in file.answers[: given.answers]]
    result: dict[str, object] = {"demonstrations": {}, "expertqa": {"answers": len(answers), "bad rows": len(file.bad)}}
    for name, one in verdicts.items():
        result["demonstrations"][name] = demonstrations(given.alce, one)  # type: ignore[index]
        print(name, json.dumps(result["demonstrations"][name], indent=1))  # type: ignore[index]
    for name, one in verdicts.items():
        result["expertqa"][f"refined by {name}"] = refined(answers, one, verdicts)  # type: ignore[index]
        print(name, json.dumps(result["expertqa"][f"refined by {name}"], indent=1))  # type: ignore[index]
    return result


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alce", type=Path, required=True)
    parser.add_argument("--expertqa", type=Path, required=True)
    parser.add_argument("--wice", type=Path, required=True)
    parser.add_argument("--answers", type=int, default=None)
    parser.add_argument("--workspace", type=Path, default=None)
    parser.add_argument("--out", type=Path, default=None)
    given = parser.parse_args()
    workspace = given.workspace or Path(tempfile.mkdtemp())
    specs = judges_of(given.wice, workspace)
    with opened(Workspace.open(workspace), Silent()) as session:
        result = run(given, session, specs)
    if given.out:
        given.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
