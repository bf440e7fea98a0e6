"""The statistics of a table: what is drawn once for all has to be what each would draw for itself."""

from __future__ import annotations

import numpy as np
import pytest

from harness.gathered import Grid, SystemKey
from harness.statistics.intervals import bootstrap_interval, stratified_interval
from harness.statistics.multiplicity import holm
from harness.statistics.randomisation import randomisation_p
from reports.figures import figures, resamples_of
from reports.grid_columns import Column, collection_columns
from reports.grid_tables import sheets_of
from reports.overview import overview_table
from reports.significance import adjusted, differences
from reports.weighted import seed_of
from tests.made_results import collection, grid, result, system

FIRST = system(None)
SYSTEMS = [system(f"s{number}") for number in range(3)]
KEYS = [collection("m/a", 40, group="g"), collection("m/b", 60, group="g"), collection("m/c", 50)]


def drawn(*, missing: tuple[SystemKey, int] | None = None) -> Grid:
    rng = np.random.default_rng(3)
    results = []
    for place, key in enumerate(KEYS):
        base = rng.uniform(0.2, 0.8, key.queries)
        results.append(result(FIRST, key, base.tolist()))
        for number, one in enumerate(SYSTEMS):
            moved = (base + rng.normal(0.02 * number, 0.15, key.queries)).tolist()
            if (one, place) != missing:
                results.append(result(one, key, moved))
    return grid(*results)


def columns(of: Grid) -> list[Column]:
    return collection_columns(of)


def test_a_p_value_is_that_of_the_test_alone_after_holm() -> None:
    of = drawn()
    found = adjusted(of, columns(of))
    seed = seed_of(KEYS[0], 0)
    alone = [
        randomisation_p([values], seed=seed) for one in SYSTEMS if (values := differences(of, one, KEYS[0])) is not None
    ]
    assert [found[one, 1] for one in SYSTEMS] == pytest.approx(holm(alone), abs=0.02)


def test_the_average_is_tested_over_the_strata_as_the_stratified_test_does() -> None:
    of = drawn()
    found = adjusted(of, columns(of), flips=40_000)
    alone = []
    for one in SYSTEMS:
        strata = [values for key in KEYS if (values := differences(of, one, key)) is not None]
        alone.append(randomisation_p(strata, of.weights(), flips=40_000))
    assert [found[one, 0] for one in SYSTEMS] == pytest.approx(holm(alone), abs=0.02)


def test_the_same_table_twice_has_the_same_p_values_and_a_part_of_it_too() -> None:
    of = drawn()
    assert adjusted(of, columns(of)) == adjusted(of, columns(of))
    part = of.part(KEYS[2:])
    whole = {one: p for (one, place), p in adjusted(of, columns(of)).items() if place == 3}
    assert {one: p for (one, _), p in adjusted(part, columns(part)).items()} == whole


def test_a_system_that_lacks_a_collection_is_tested_where_it_is_and_not_in_the_average() -> None:
    for place in range(3):
        of = drawn(missing=(SYSTEMS[1], place))
        tested = {place for one, place in adjusted(of, columns(of)) if one == SYSTEMS[1]}
        assert tested == {1, 2, 3} - {1 + place}


def test_holm_counts_the_systems_of_the_table() -> None:
    of = drawn()
    raw = []
    for one in SYSTEMS:
        alone = grid(*(cell for (owner, _), cell in of.cells.items() if owner in (FIRST, one)))
        raw.append(adjusted(alone, columns(alone))[one, 3])
    found = adjusted(of, columns(of))
    assert [found[one, 3] for one in SYSTEMS] == holm(raw) != raw


def test_a_collection_by_itself_has_the_interval_that_a_run_prints() -> None:
    of = drawn().part(KEYS[:1])
    found = figures(of, columns(of))
    for one in (FIRST, *SYSTEMS):
        assert found[one, 0].interval == pytest.approx(bootstrap_interval(of.cells[one, KEYS[0]].values), abs=1e-12)
    moved = differences(of, SYSTEMS[0], KEYS[0])
    assert moved is not None
    assert found[SYSTEMS[0], 0].delta_interval == pytest.approx(bootstrap_interval(moved), abs=1e-12)


def test_the_interval_of_an_average_is_the_stratified_one_up_to_its_draws() -> None:
    of = drawn()
    found = figures(of, columns(of))
    for one in SYSTEMS:
        strata = [of.cells[one, key].values for key in KEYS]
        assert found[one, 0].interval == pytest.approx(stratified_interval(strata, of.weights()), abs=0.003)
        moved = [values for key in KEYS if (values := differences(of, one, key)) is not None]
        assert found[one, 0].delta_interval == pytest.approx(stratified_interval(moved, of.weights()), abs=0.003)


def test_one_query_has_no_interval() -> None:
    key = collection("m/tiny", 1)
    of = grid(result(FIRST, key, [0.5]), result(SYSTEMS[0], key, [0.7]))
    assert figures(of, columns(of))[SYSTEMS[0], 0].interval is None


def test_equal_collections_are_drawn_independently() -> None:
    # Had they the same draws, their errors would add up: the average's interval would be as wide as one collection's.
    keys = [collection(f"m/{name}", 100) for name in "abcdefghi"]
    same = np.random.default_rng(0).uniform(size=100).tolist()
    of = grid(*(result(FIRST, key, same) for key in keys))
    found = figures(of, columns(of), intervals=True)
    widths = [high - low for low, high in (found[FIRST, place].interval or (0, 0) for place in range(10))]
    assert widths[0] < 0.45 * np.mean(widths[1:])


def test_a_table_says_how_often_it_was_resampled() -> None:
    many = [collection("m/big", 19_999), collection("m/small", 2)]
    of = grid(*(result(FIRST, key, [0.5, 0.6]) for key in many))
    assert resamples_of(of) == 2_000
    assert resamples_of(of.part(many[:1])) == resamples_of(drawn()) == 10_000
    assert "2,000 resamples" in overview_table(sheets_of(of)[0]).notes[0]
