"""Converts typed facts to rows of the results store and back. A wrong value in a row is refused by its name."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import lru_cache
from typing import Any

import numpy as np

from adapters.errors import UsageError
from harness.data.known_parallel import known_by_name
from harness.data.suites.table import PAIRED_MEASURE
from harness.measuring.alarms.alarm import Alarm
from harness.measuring.measures import CITATION_MEASURES, is_of_some, parse
from harness.measuring.robustness.perturbed import Perturbed
from harness.result.facts import AuditFacts, CollectionFacts, Controls, Environment
from harness.result.known_wrong import known_by_now
from harness.result.result import Floats64, Result
from harness.result.secrets import public
from harness.result.stored import Stored
from harness.result.typed import Unreadable, parsed, typed
from harness.scoring.alarms import HAZARDS

Row = Mapping[str, Any]
_TEXTS = ("id", "first_stage", "candidates", "command", "created", "updated")
_SAME = 1e-9
"""The largest difference between two means of the same values, computed by different versions of the array library."""


def collection_row(facts: CollectionFacts, queries: tuple[str, ...]) -> tuple[object, ...]:
    """Return a row of the table `collection`."""
    return (
        facts.fingerprint, facts.name, facts.split, facts.language, facts.sampled_from,
        json.dumps(asdict(facts.counts)), json.dumps(asdict(facts.rules)), json.dumps(queries, ensure_ascii=False),
        facts.part_of, facts.group,
    )  # fmt: skip


def evaluation_row(stored: Stored) -> tuple[object, ...]:
    """Return a row of the table `evaluation`."""
    return (
        stored.id, stored.collection.fingerprint, stored.first_stage, stored.reranker, stored.depth, stored.candidates,
        json.dumps(stored.identity), json.dumps(stored.audit.as_dict()), json.dumps(stored.controls.means),
        json.dumps(stored.environment.as_dict()), stored.command, stored.created, stored.updated,
    )  # fmt: skip


def value_row(result: Result) -> tuple[object, ...]:
    """Return a row of the table `value`. An imported mean has no values per query."""
    mean = result.stored.means.get(result.measure)
    if mean is not None and result.is_mean_only:
        return result.id, result.measure, mean, None, None
    return paired_row(result.id, result.measure, mean, result.values, result.ids)


def paired_row(id: str, measure: str, mean: float | None, values: Floats64, ids: tuple[str, ...]) -> tuple[object, ...]:
    """Return a row of the table `value` with values per query. Ids of questions are stored in the row, ids of queries
    with the collection."""
    questions = json.dumps(ids, ensure_ascii=False) if is_of_some(measure) else None
    return id, measure, mean, values.astype("<f8").tobytes(), questions


def perturbed_row(id: str, one: Perturbed) -> tuple[object, ...]:
    """Return a row of the table `robustness`."""
    queries, values = json.dumps(one.ids, ensure_ascii=False), one.values.astype("<f8").tobytes()
    return id, one.name, one.measure, one.version, queries, values, one.changed, one.eligible


def perturbed_of(row: Sequence[object]) -> Perturbed:
    """Return the values of a row of the table `robustness`, without the evaluation.

    Raises:
        Unreadable: a value is missing or wrong. The error names it.
    """
    name, measure, version = typed(tuple[str, str, int], row[:3], "robustness")
    place, ids, blob = f"the robustness to {name}", ids_of(row[3], "the queries of robustness"), row[4]
    if not isinstance(blob, bytes) or len(blob) != 8 * len(ids):
        raise Unreadable("does not have a number for each of its queries", place)
    values: Floats64 = np.frombuffer(blob, "<f8")
    if not np.isfinite(values).all():
        raise Unreadable("has a value that is not finite", place)
    changed, eligible = typed(tuple[int, int], row[5:], place)
    return Perturbed(name, measure, version, ids, values, changed, eligible)


def collection_of(row: Row) -> tuple[CollectionFacts, tuple[str, ...]]:
    """Return the facts of a collection and the ids of its queries.

    Raises:
        Unreadable: a value is missing or wrong. The error names it.
    """
    keys = ("name", "split", "fingerprint", "language", "sampled_from", "part_of", "corpus", "parallel", "parallel_by")
    rules = parsed(row["rules"], "rules")
    if not isinstance(rules, dict) or "main_measure" not in rules:
        raise Unreadable("is missing", "rules", "main_measure")
    plain = {
        **{key: row[key] for key in keys}, "group": row["grouped"], "detected_language": row["detected"],
        "language_sought": bool(row["sought"]), "counts": parsed(row["counts"], "counts"), "rules": rules,
    }  # fmt: skip
    facts = typed(CollectionFacts, plain, "collection")
    if facts.parallel_by is None:
        parallel, known_by = known_by_name(facts.name, facts.rules.note)
        facts = replace(facts, parallel=parallel, parallel_by=known_by)
    queries = ids_of(row["queries"], "the list of queries")
    if len(set(queries)) < len(queries):
        raise Unreadable(f"has '{_repeated(queries)}' twice", "the list of queries")
    return facts, queries


def _repeated(ids: tuple[str, ...]) -> str:
    return next(name for name, count in Counter(ids).items() if count > 1)


def ids_of(value: object, place: str) -> tuple[str, ...]:
    """Return ids that are stored as JSON.

    Raises:
        Unreadable: the value is not a list of strings.
    """
    found = parsed(value, place)
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise Unreadable("is not a list of texts", place)
    return tuple(found)


def stored_of(row: Row, collection: CollectionFacts) -> Stored:
    """Return a stored evaluation, without its means.

    Raises:
        Unreadable: a value is missing or wrong. The error names it.
    """
    plain = {key: text if type(text := row[key]) is str else typed(str, text, key) for key in _TEXTS}
    return Stored(
        collection=collection,
        reranker=None if row["reranker"] is None else typed(str, row["reranker"], "reranker"),
        depth=typed(int, row["depth"], "depth"),
        identity=_object(row["identity"], "identity"),
        audit=AuditFacts.of(parsed(row["audit"], "audit"), "audit"),
        controls=typed(Controls, {"means": parsed(row["controls"], "controls")}, "controls"),
        environment=_environment(row["environment"]),
        means={},
        **plain,
    )


@lru_cache(64)
def _environment(value: object) -> Environment:
    """Return the environment. It is cached, because all evaluations of a run have the same."""
    return typed(Environment, parsed(value, "environment"), "environment")


def by_now(stored: Stored, means: Mapping[str, float], mark: str | None, identity: object) -> Stored:
    """Return a stored evaluation with its means, and with what became known after it was stored.

    Args:
        mark: the name of a later alarm; None if there is none.
        identity: the current identity, as JSON; None if the stored one is current.

    Raises:
        Unreadable: the identity is not JSON.
    """
    place = (stored.system, stored.collection.name, stored.collection.split)
    alarms = known_by_now(stored.audit.alarms, stored.identity, *place, means)
    now = stored.identity
    if mark is not None:
        known = HAZARDS.get(mark)
        alarms = (*alarms, Alarm(mark, f"{known.meaning if known else 'known to a newer version'}; run it again"))
        now = now if identity is None else _object(identity, "identity")
    audit = stored.audit if alarms == stored.audit.alarms else replace(stored.audit, alarms=alarms)
    return replace(stored, audit=audit, means=means, identity=now, command=_public(stored.command))


@lru_cache(1024)
def _public(command: str) -> str:
    """Return a command without secrets. Older releases stored it as typed."""
    return public(command)


def values_of(row: Row, queries: tuple[str, ...], *, imported: bool) -> tuple[float | None, Floats64, tuple[str, ...]]:
    """Return the mean, the values and the ids of one measure. The mean is that of the values, so that every command
    shows the same one.

    Raises:
        Unreadable: they contradict each other, the measure is unknown, or a value is not one that it can have.
    """
    measure, mean, blob = typed(str, row["measure"], "measure"), row["mean"], row["per_query"]
    lowest = _lowest(measure)
    if mean is not None and type(mean) not in {float, int}:
        raise Unreadable(f"the mean of {measure} is {mean!r}, not a number")
    if blob is None:
        if mean is None or not imported:
            raise Unreadable(f"{measure} has no values")
        _check_bounds(measure, lowest, mean, mean)
        return mean, np.empty(0), ()
    ids = queries if row["questions"] is None else ids_of(row["questions"], f"the list of questions of {measure}")
    if not isinstance(blob, bytes) or len(blob) != 8 * len(ids):
        size = f"{len(blob)} bytes" if isinstance(blob, bytes) else repr(blob)
        raise Unreadable(f"the values of {measure} are {size}, which are not {len(ids)} numbers")
    values: Floats64 = np.frombuffer(blob, "<f8")
    found = float(np.add.reduce(values)) / len(values) if len(values) else None
    if (found is None) != (mean is None) or (found is not None and not abs(found - mean) <= _SAME):
        raise Unreadable(f"{measure} is stored as {mean}, and the mean of its values is {found}")
    if len(values):
        _check_bounds(measure, lowest, np.minimum.reduce(values), np.maximum.reduce(values))
    return found, values, ids


@lru_cache(1024)
def _lowest(measure: str) -> float:
    """Return the lowest value that a measure can have; the highest is 1."""
    if measure == PAIRED_MEASURE:
        return -1.0
    if measure in CITATION_MEASURES:
        return 0.0
    try:
        parse(measure)
    except UsageError:
        raise Unreadable(f"the measure '{measure}' is unknown; if a package registers it, import that first") from None
    return 0.0


def _check_bounds(measure: str, lowest: float, smallest: float, largest: float) -> None:
    if not (smallest >= lowest - _SAME and largest <= 1 + _SAME):
        value = largest if smallest >= lowest - _SAME else smallest
        raise Unreadable(f"{measure} has the value {value:g}, which is not between {lowest:g} and 1")


def _object(value: object, place: str) -> dict[str, object]:
    found = parsed(value, place)
    if not isinstance(found, dict):
        raise Unreadable("is not an object", place)
    return found
