"""`harness train utility`: arms that differ in one thing are trained at equal cost and measured by the harness."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from adapters.errors import DataError
from harness.measuring.questions import questions_of
from harness.scoring.session import Session
from harness.workspace import write_atomically
from training.configuration import GivenSetting
from training.examples import Example
from training.job import begin, finish, write_json, write_lines
from training.settings import Machine
from training.utility.arms import Arm
from training.utility.decision import answer_of, decision_of
from training.utility.labels import ById, by_source, human, scale_of
from training.utility.question import Question
from training.utility.ratio import Gap, Utility, finite, utility
from training.utility.sets import first
from training.utility.students import StudentResults, TrainedStudent, base_checkpoints, measured, trained
from training.utility.taught import teacher_examples

STAGE = "utility"
RESULT, PAGE, PER_QUERY = "utility.json", "utility.md", "per-query.jsonl"
_VERSION = 1
_FIGURES = 2
"""The version of the figures. A folder with those of another rule gets new ones; nothing is trained or scored again."""
Page = Callable[[Mapping[str, Any]], str]


def run(
    question: Question,
    out: Path,
    session: Session,
    machine: Machine | None = None,
    page: Page | None = None,
    *,
    settings: Sequence[GivenSetting] = (),
) -> dict[str, Any]:
    """Mine and teach every set, train every arm with every seed, measure all on the test, and say what it means.

    A killed run goes on where it was; what is scored or trained already is not paid again. Written are `sets/`,
    `arms/`, `checkpoints/`, `per-query.jsonl`, `utility.json`, with `page` also `utility.md`, and `manifest.json` last.

    Args:
        page: writes the result as Markdown.
        settings: what was set where, for the manifest. It decides nothing.

    Returns:
        The manifest; its `result` is what `utility.json` holds.

    Raises:
        DataError: no query of a set has enough documents.
    """
    about = {"version": _VERSION, **question.about(session)}
    finished = begin(out, STAGE, about)
    if finished and finished["result"].get("figures") == _FIGURES:
        return finished
    wishes, machine = question.wishes, machine or Machine()
    base = base_checkpoints(wishes, out, machine, session)
    measured(base, question.test, question.measure, wishes, session)  # a test that cannot be searched is known at once
    arms, left_out = _examples(question, out, session)
    checkpoints = [*base, *trained(arms, wishes, out, machine, session)]
    found = measured(checkpoints, question.test, question.measure, wishes, session)
    result = _result(question, found, utility(found.values, questions_of(question.test)))
    result["trained_on"] = _trained_on(arms, checkpoints)
    write_lines(out / PER_QUERY, _per_query(found))
    write_json(out / RESULT, result)
    if page:
        with write_atomically(out / PAGE) as unfinished:
            unfinished.write_text(page(result), "utf-8")
    configuration = [asdict(one) for one in settings]
    return finish(
        out, STAGE, {**about, **_manifest(question, left_out, found), "configuration": configuration, "result": result}
    )


def _examples(
    question: Question, out: Path, session: Session
) -> tuple[dict[str, list[Example]], dict[str, dict[str, int]]]:
    """The examples of every arm, equally many, and the queries of each set that have none."""
    taught, left_out = {}, {}
    for name, one in question.sets.items():
        taught[name], left_out[name] = teacher_examples(one, question.wishes, out / "sets" / name, session)
    judged = human(taught["real"], question.sets["real"])
    if lost := len(taught["real"]) - len(judged):
        left_out["real"]["all grades equal"] = lost
    taught["real"] = {id_: taught["real"][id_] for id_ in judged}
    ids = _equally_many(question, taught)
    unit = scale_of(taught[name][id_] for name, own in ids.items() for id_ in own)
    return {
        arm.name: [_label(arm, taught, judged, id_, unit) for id_ in ids[arm.queries]] for arm in question.arms
    }, left_out


def _label(arm: Arm, taught: Mapping[str, ById], judged: ById, id_: str, unit: Callable[[Example], Example]) -> Example:
    if arm.labels == "human":
        return judged[id_]
    example = taught[arm.queries][id_]
    return by_source({id_: example})[id_] if arm.labels == "source" else unit(example)


def _equally_many(question: Question, taught: Mapping[str, ById]) -> dict[str, list[str]]:
    """Ids of the queries of each set, equally many, in the order of the draw."""
    for name, own in taught.items():
        if not own:
            raise DataError(
                f"the {name} set: no query has {question.wishes.plan.per_query} documents and labels that order them; "
                "lower sampling.per_query, or search deeper with mining.depth"
            )
    size, seed = min(map(len, taught.values())), question.wishes.plan.seed
    usable = {
        name: replace(one, queries=tuple(query for query in one.queries if query.id in taught[name]))
        for name, one in question.sets.items()
    }
    return {name: [query.id for query in first(one, size, seed).queries] for name, one in usable.items()}


def _trained_on(arms: Mapping[str, list[Example]], checkpoints: list[TrainedStudent]) -> dict[str, dict[str, int]]:
    steps = {one.arm: int(one.manifest["steps"]) for one in checkpoints}
    return {
        name: {"queries": len(rows), "pairs": sum(len(row.documents) for row in rows), "steps": steps[name]}
        for name, rows in arms.items()
    }


def _result(question: Question, found: StudentResults, figures: Utility) -> dict[str, Any]:
    titles = {arm.name: arm.title for arm in question.arms} | {"base": "the student before training"}
    interval = figures.ratio.interval
    return {
        "figures": _FIGURES,
        "test": question.test.name,
        "queries": len(found.queries),
        "measure": question.measure,
        "first_stage": {"spec": question.wishes.first_stage, "value": found.first_stage},
        "arms": {
            one.name: {
                "title": titles[one.name], "value": one.value, "interval": list(map(finite, one.interval)),
                "seeds": one.seeds, "sd": finite(one.sd), "gain": None if one.gain is None else _gap(one.gain),
                "evaluations": found.evaluations[one.name],
            }
            for one in figures.arms
        },
        "ratio": {"value": figures.ratio.value, "interval": None if interval is None else list(map(finite, interval))},
        "differences": [
            {"name": one.contrast.name, "first": one.contrast.first, "second": one.contrast.second, **_gap(one.gap)}
            for one in figures.causes
        ],
        "answer": answer_of(figures),
        "decision": decision_of(figures),
        "notes": question.notes(),
    }  # fmt: skip


def _gap(one: Gap) -> dict[str, Any]:
    found = one.difference
    return {
        "delta": found.value, "interval": list(map(finite, found.interval)), "p": finite(found.p),
        "adjusted_p": finite(found.adjusted_p), "family": found.family,
        "seeds_interval": list(map(finite, one.seeds_interval)),
    }  # fmt: skip


def _per_query(found: StudentResults) -> list[dict[str, object]]:
    """Values averaged over seeds; those of each seed are in the results store."""
    means = {name: rows.mean(axis=0).tolist() for name, rows in found.values.items()}
    return [
        {"query": query, **{name: values[row] for name, values in means.items()}}
        for row, query in enumerate(found.queries)
    ]


def _manifest(question: Question, left_out: dict[str, dict[str, int]], found: StudentResults) -> dict[str, Any]:
    wishes = question.wishes
    return {
        "names": {"base": wishes.base, "teacher": wishes.teacher, "first_stage": wishes.first_stage},
        "counts": {name: {**counts, "drawn": question.size, "left_out": left_out[name]}
                   for name, counts in question.counts.items()},
        "arms_left_out": dict(question.left_out),
        "evaluations": {name: list(ids) for name, ids in found.evaluations.items()},
    }  # fmt: skip
