"""`harness train utility`: train arms that differ in one thing for equal steps, and measure them with the harness."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from adapters.errors import DataError
from harness.measuring.questions import questions_of
from harness.scoring.session import Session
from harness.workspace import write_atomically
from training.adapting.dense import embedder_of
from training.configuration import GivenSetting
from training.examples import Example
from training.job import begin, finish, write_json, write_lines
from training.mining.mine import RETRIEVERS
from training.settings import Machine
from training.utility.arms import Arm
from training.utility.decision import answer_of, decision_of
from training.utility.labels import ById, by_source, human, scale_of, shuffled
from training.utility.overlap import overlap_of
from training.utility.question import Question
from training.utility.ratio import Gap, Utility, finite, utility
from training.utility.sets import first
from training.utility.students import StudentResults, TrainedStudent, base_checkpoints, measured, trained
from training.utility.taught import teacher_examples

STAGE = "utility"
RESULT, PAGE, PER_QUERY = "utility.json", "utility.md", "per-query.jsonl"
_VERSION = 1
_FIGURES = 4
"""The version of the figures. Figures of another version are computed again, without new training or scoring."""
Page = Callable[[Mapping[str, Any]], str]
Unit = Callable[[Example], Example]
"""Puts the teacher's scores of an example on the common scale."""


def run(
    question: Question,
    out: Path,
    session: Session,
    machine: Machine | None = None,
    page: Page | None = None,
    *,
    settings: Sequence[GivenSetting] = (),
) -> dict[str, Any]:
    """Mine and teach each set, train each arm with each seed, measure all checkpoints on the test collection, and draw
    the conclusions.

    A killed run continues where it was, without scoring or training anything twice. It writes `sets/`, `arms/`,
    `checkpoints/`, `per-query.jsonl`, `utility.json`, `utility.md` if `page` is given, and `manifest.json` last.

    Args:
        page: writes the result as Markdown.
        settings: the keys that were set and their origins, for the manifest. They do not affect the result.

    Returns:
        The manifest; its `result` has the content of `utility.json`.

    Raises:
        DataError: no query of a set has enough documents.
    """
    about = {"version": _VERSION, **question.about(session)}
    finished = begin(out, STAGE, about)
    if finished and finished["result"].get("figures") == _FIGURES:
        return finished
    chosen, machine = question.settings, machine or Machine()
    base = base_checkpoints(chosen, out, machine, session)
    measured(
        base, question.test, question.measure, chosen, session
    )  # fails early if the test collection cannot be searched
    arms, left_out = _examples(question, out, session)
    checkpoints = [*base, *trained(arms, chosen, out, machine, session)]
    results = measured(checkpoints, question.test, question.measure, chosen, session)
    result = _result(question, results, utility(results.values, questions_of(question.test)))
    result["trained_on"] = _trained_on(arms, checkpoints)
    result["overlap"] = _overlap(question, arms, session)
    write_lines(out / PER_QUERY, _per_query(results))
    write_json(out / RESULT, result)
    if page:
        with write_atomically(out / PAGE) as unfinished:
            unfinished.write_text(page(result), "utf-8")
    configuration = [asdict(one) for one in settings]
    return finish(
        out,
        STAGE,
        {**about, **_manifest(question, left_out, results), "configuration": configuration, "result": result},
    )


def _examples(
    question: Question, out: Path, session: Session
) -> tuple[dict[str, list[Example]], dict[str, dict[str, int]]]:
    """The examples of each arm, the same number for all, and the number of queries without an example in each set, by
    reason."""
    taught, left_out = {}, {}
    for name, one in question.sets.items():
        taught[name], left_out[name] = teacher_examples(one, question.settings, out / "sets" / name, session)
    judged = human(taught["real"], question.sets["real"])
    if lost := len(taught["real"]) - len(judged):
        left_out["real"]["all grades equal"] = lost
    taught["real"] = {id_: taught["real"][id_] for id_ in judged}
    ids = _equal_numbers(question, taught)
    unit = scale_of(taught[name][id_] for name, own in ids.items() for id_ in own)
    seed = question.settings.plan.seed
    return {
        arm.name: [_labelled(arm, taught[arm.queries][id_], judged.get(id_), unit, seed) for id_ in ids[arm.queries]]
        for arm in question.arms
    }, left_out


def _labelled(arm: Arm, example: Example, judged: Example | None, unit: Unit, seed: int) -> Example:
    match arm.labels:
        case "human":
            assert judged is not None, "the real queries of an experiment are those with human labels"
            return judged
        case "source":
            return by_source(example)
        case "shuffled":
            return shuffled(unit(example), seed)
        case "teacher":
            return unit(example)


def _equal_numbers(question: Question, taught: Mapping[str, ById]) -> dict[str, list[str]]:
    """Ids of the queries of each set, the same number for all, in the order of the draw."""
    for name, own in taught.items():
        if not own:
            raise DataError(
                f"the {name} set: no query has {question.settings.plan.per_query} documents whose labels differ; "
                "lower sampling.per_query, or search deeper with mining.depth"
            )
    size, seed = min(map(len, taught.values())), question.settings.plan.seed
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


def _overlap(question: Question, arms: Mapping[str, Sequence[Example]], session: Session) -> dict[str, dict[str, Any]]:
    """The overlap of each set with the test queries, with the vectors of the first dense retriever of the mining. Drawn
    queries that gave no example are in no arm and do not count."""
    retrievers = question.settings.retrievers or RETRIEVERS
    embedder = embedder_of(retrievers, question.test, session)
    found = {}
    for name, one in question.sets.items():
        texts = {row.query for arm in question.arms if arm.queries == name for row in arms[arm.name]}
        trained = replace(one, queries=tuple(query for query in one.queries if query.text in texts))
        found[name] = overlap_of(trained, question.test, embedder).as_dict()
    return found


def _result(question: Question, results: StudentResults, figures: Utility) -> dict[str, Any]:
    titles = {arm.name: arm.title for arm in question.arms} | {"base": "the student before training"}
    ratio = figures.ratio
    return {
        "figures": _FIGURES,
        "test": question.test.name,
        "queries": len(results.queries),
        "measure": question.measure,
        "first_stage": {"spec": question.settings.first_stage, "value": results.first_stage},
        "arms": {
            one.name: {
                "title": titles[one.name], "value": one.value, "interval": list(map(finite, one.interval)),
                "seeds": one.seeds, "sd": finite(one.sd), "gain": None if one.gain is None else _gap(one.gain),
                "evaluations": results.evaluations[one.name],
            }
            for one in figures.arms
        },
        "ratio": {
            "value": ratio.value, "interval": _ends(ratio.interval), "seeds_interval": _ends(ratio.seeds_interval),
        },
        "differences": [
            {"name": one.contrast.name, "first": one.contrast.first, "second": one.contrast.second, **_gap(one.gap)}
            for one in figures.causes
        ],
        "answer": answer_of(figures),
        "decision": decision_of(figures),
        "notes": question.notes(),
    }  # fmt: skip


def _ends(interval: tuple[float, float] | None) -> list[float | None] | None:
    return None if interval is None else list(map(finite, interval))


def _gap(one: Gap) -> dict[str, Any]:
    difference = one.difference
    return {
        "delta": difference.value, "interval": list(map(finite, difference.interval)), "p": finite(difference.p),
        "adjusted_p": finite(difference.adjusted_p), "family": difference.family,
        "seeds_interval": list(map(finite, one.seeds_interval)),
    }  # fmt: skip


def _per_query(results: StudentResults) -> list[dict[str, object]]:
    """Values per query, averaged over seeds. The values of each seed are in the results store."""
    means = {name: rows.mean(axis=0).tolist() for name, rows in results.values.items()}
    return [
        {"query": query, **{name: values[row] for name, values in means.items()}}
        for row, query in enumerate(results.queries)
    ]


def _manifest(question: Question, left_out: dict[str, dict[str, int]], results: StudentResults) -> dict[str, Any]:
    settings = question.settings
    return {
        "names": {"base": settings.base, "teacher": settings.teacher, "first_stage": settings.first_stage},
        "counts": {name: {**counts, "drawn": question.size, "left_out": left_out[name]}
                   for name, counts in question.counts.items()},
        "arms_left_out": dict(question.left_out),
        "evaluations": {name: list(ids) for name, ids in results.evaluations.items()},
    }  # fmt: skip
