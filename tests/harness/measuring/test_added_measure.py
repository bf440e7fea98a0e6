"""A measure is written in one place: whoever adds one finds it in every command, table, file and call."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

import harness
from adapters.errors import DataError, UsageError
from harness.data.qrels import Qrels
from harness.data.runs import Run
from harness.data.suites.targets import find
from harness.measuring.chance import expected_sum
from harness.measuring.controls import expected_random
from harness.measuring.crosscheck import cross_check
from harness.measuring.judged import Judged
from harness.measuring.measures import DEFINITIONS, Definition, mteb_names, parse, register
from harness.result import rows
from harness.result.result import results_of
from reports.mteb_parts import part_of
from reports.mteb_scores import mteb_scores
from tests.fixtures import Command
from tests.suite_evaluations import as_of, by_reranker
from tests.tiny_collection import FIRST, Place

PLAIN, REVERSE = "tests.fake_adapters:Plain", "control:reverse"
STAYS = 0.8
"""The probability that a user reads on after a document."""


def reference(ranked: Sequence[int], _judged: Sequence[int], cutoff: int | None) -> float:
    """Rank-biased precision of one query, as its authors write it."""
    return (1 - STAYS) * sum(STAYS**place for place, grade in enumerate(ranked[:cutoff]) if grade >= 1)


RBP = Definition(
    gain=lambda hits: (1 - STAYS) * STAYS ** (hits.ranks - 1),
    divisor=lambda ideal, _cutoff: np.ones(ideal.size),
    expected=expected_sum(lambda grades: np.ones(len(grades)), lambda ranks: (1 - STAYS) * STAYS ** (ranks - 1)),
    check=reference,
    aliases=("rank-biased",),
)


@pytest.fixture
def measure() -> Iterator[Definition]:
    """A measure that a plug-in adds."""
    yield register("RBP", RBP)
    del DEFINITIONS["RBP"]


@pytest.mark.usefixtures("measure")
def test_a_measure_that_is_registered_once_is_in_every_command_and_call(place: Place, command: Command) -> None:
    flags = ["--measure", "RBP@5", "--workspace", place.workspace.path, "--json"]
    first = ["--first-stage", FIRST, "--depth", 5]
    run = json.loads(command("run", place.beir(), *first, "--reranker", PLAIN, "--reranker", REVERSE, *flags).out)
    values = {one["system"]: one["measures"]["RBP@5"]["value"] for one in run["evaluations"]}
    assert 0 < values[PLAIN] < 1 and run["macro"][PLAIN]["RBP@5"]["value"] == pytest.approx(values[PLAIN])
    (table,) = json.loads(command("report", *flags).out)["tables"]
    assert [row["value"] for row in table["rows"]] == pytest.approx(list(values.values()))
    compared = command("compare", REVERSE, PLAIN, *flags)
    assert compared.code == 0 and "RBP@5" in compared.out
    frame = harness.results(measures=["RBP@5"], workspace=place.workspace.path)
    assert sorted(frame["value"]) == pytest.approx(sorted(values.values()))
    found = harness.compare(REVERSE, PLAIN, measures="RBP@5", workspace=place.workspace.path)
    assert found.as_dict()["measures"]
    gate = json.loads(command("gate", place.path / "coll", *first, "--anchor", FIRST, "--candidate", PLAIN, *flags).out)
    assert gate["measure"] == "RBP@5"


@pytest.mark.usefixtures("measure")
def test_its_definition_is_checked_against_its_reference_in_every_run(place: Place) -> None:
    evaluation = place.evaluations(measures=["RBP@3"])[0]
    assert str(parse("rank-biased@3")) == "RBP@3" and str(parse("RBP")) == "RBP"
    assert 0 < evaluation.values.mean() < 1
    DEFINITIONS["RBP"] = replace(RBP, check=lambda *_: 0.9)
    with pytest.raises(DataError, match=r"query '[^']+': RBP@3 is [0-9.e-]+ here and 0\.9 in its reference"):
        place.evaluations(measures=["RBP@3"], depth=4)


@pytest.mark.usefixtures("measure")
def test_values_that_are_no_fractions_are_refused_before_they_are_stored(place: Place) -> None:
    DEFINITIONS["RBP"] = replace(RBP, gain=lambda hits: 3.0 * np.ones(len(hits.ranks)))
    with pytest.raises(
        DataError, match=r"RBP@3 is [0-9.]+ for a query; its definition must give fractions from 0 to 1"
    ):
        place.evaluations(measures=["RBP@3"])


def test_stored_values_of_a_measure_that_is_not_registered_are_refused_by_name(
    place: Place, measure: Definition, command: Command
) -> None:
    place.evaluations(measures=["RBP@3"])
    del DEFINITIONS["RBP"]
    rows._lowest.cache_clear()  # as in another process
    said = command("report", "--workspace", place.workspace.path)
    register("RBP", measure)
    assert (said.code, said.err.count("\n")) == (5, 1)
    assert "the measure 'RBP@3' is unknown; if a package registers it, import that first" in said.err


@pytest.mark.usefixtures("measure")
def test_the_layout_of_mteb_has_the_measures_that_mteb_has(place: Place) -> None:
    rows = place.load(place.reranking_rows())
    found = place.evaluations(rows, rerankers=[PLAIN], measures=["AP@1000", "RBP@5"], first="given")
    (entry,) = find("mteb-multilingual-v2-reranking/t2")

    def keys() -> set[str]:
        part = part_of(results_of(as_of(by_reranker(found[1], "BAAI/bge-reranker-v2-m3@" + 40 * "1"), entry)))
        return {key for key in mteb_scores(part) if "_at_" in key}

    assert keys() == {"map_at_1000"}
    DEFINITIONS["RBP"] = replace(RBP, mteb="rbp")
    assert keys() == {"map_at_1000", "rbp_at_5"}
    assert mteb_names()["rbp"] == "RBP" and mteb_names()["hit_rate"] == "Success"


@pytest.mark.parametrize("name", ["nDCG", "ndcg", "MAP", "recall", "p-mrr", "RBP", "rank-biased"])
@pytest.mark.usefixtures("measure")
def test_two_measures_never_share_a_name_or_an_alias(name: str) -> None:
    with pytest.raises(ValueError, match=f"a measure '{name}' exists already"):
        register(name, replace(RBP, aliases=()))
    with pytest.raises(ValueError, match=f"a measure '{name}' exists already"):
        register("Mine", replace(RBP, aliases=(name,)))
    assert "Mine" not in DEFINITIONS


@pytest.mark.parametrize("name", ["", "nDCG@10", "P(rel=2)", "two words", "10"])
def test_a_name_that_could_not_be_read_back_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="letters, digits and '-'"):
        register(name, RBP)


def test_a_registered_measure_is_suggested_and_forgotten(measure: Definition) -> None:
    with pytest.raises(UsageError, match="Did you mean RBP"):
        parse("rpb@10")
    del DEFINITIONS["RBP"]
    with pytest.raises(UsageError, match="unknown measure"):
        parse("RBP@10")
    register("RBP", measure)


def exponential(grades: npt.NDArray[np.int64], ranks: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    return np.asarray((2.0**grades - 1) / np.log2(ranks + 1))


def by_hand(ranked: Sequence[int], judged: Sequence[int], cutoff: int | None) -> float:
    """nDCG with exponential gains (Burges et al. 2005), of one query."""

    def dcg(grades: Sequence[int]) -> float:
        return sum((2**grade - 1) / math.log2(rank + 1) for rank, grade in enumerate(grades[:cutoff], 1))

    ideal = dcg(sorted(judged, reverse=True))
    return dcg(ranked) / ideal if ideal else 0.0


@pytest.fixture
def graded() -> Iterator[Definition]:
    """A measure with gains that are no sum of grades, and an ideal of its own."""
    yield register(
        "nDCG-exp",
        Definition(
            gain=lambda hits: exponential(hits.grades, hits.ranks),
            divisor=lambda ideal, cutoff: ideal.total(exponential(ideal.grades, ideal.ranks), cutoff),
            expected=expected_sum(lambda grades: 2.0**grades - 1, lambda ranks: 1 / np.log2(ranks + 1)),
            check=by_hand,
        ),
    )
    del DEFINITIONS["nDCG-exp"]


@pytest.mark.usefixtures("measure", "graded")
@pytest.mark.parametrize("cutoff", ["", "@2", "@100"])
def test_chance_of_an_added_measure_is_the_mean_over_all_orders(cutoff: str) -> None:
    grades = np.array([3, 0, 1, -1, 2], np.int32)
    rows = np.arange(5, dtype=np.int32)
    qrels = Qrels(np.zeros(6, np.int32), np.arange(6, dtype=np.int32), np.append(grades, np.int32(2)))
    judged = Judged(Run(np.array([0, 5]), rows, -rows.astype(np.float32), rows), qrels, 1)
    measures = [parse(f"{name}{cutoff}") for name in ("RBP", "nDCG-exp")]
    values = [judged.values(measures, np.array(order)) for order in itertools.permutations(range(5))]
    np.testing.assert_allclose(expected_random(judged, measures), np.mean(values, axis=0), rtol=0, atol=1e-12)
    checked = cross_check(judged, measures, judged.values(measures), lambda found: [f"d{row}" for row in found])
    assert checked == 1
