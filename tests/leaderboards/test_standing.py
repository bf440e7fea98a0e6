"""Who stands where: a reader would lose which order is real, and which average means something."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.measuring.statistics.bootstrap import value_interval
from harness.measuring.statistics.design import Design, Questions
from harness.measuring.statistics.difference import difference
from harness.result.gathered import Grid, gathered, grids
from leaderboards.groups import groups, letters
from leaderboards.sheets import BoardColumn, sheets
from leaderboards.standing import BoardStanding
from leaderboards.standing import standings as ranked
from reports.grid import figures
from tests.stored_board import MadeCollection, MadeSystem, store

TWO = [MadeCollection("set/a", "en", 60), MadeCollection("set/b", "de", 50)]
FIRST = MadeSystem(None, 0.4)


def grid_of(workspace: Path, systems: list[MadeSystem], collections: list[MadeCollection] = TWO) -> Grid:
    (grid,) = grids(gathered(store(workspace, systems, collections)))
    return grid


def standings(grid: Grid) -> list[BoardStanding]:
    """As a board has them, whose only table this is."""
    found = figures(grid, [BoardColumn("", grid.collections, tuple(grid.weights().tolist()), "systems")])
    return ranked(grid, {system: one for (system, _), one in found.items()})


def letters_of(values: np.ndarray) -> list[str]:  # type: ignore[type-arg]
    """The groups of systems on one collection."""
    return groups(Design((Questions("one", tuple(map(str, range(values.shape[1])))),)), [values])


def by_label(rows: list[BoardStanding]) -> dict[str, BoardStanding]:
    return {row.system.label: row for row in rows}


def test_the_order_is_that_of_the_macro_average(tmp_path: Path) -> None:
    grid = grid_of(tmp_path, [FIRST, MadeSystem("good", 0.6), MadeSystem("bad", 0.2)])
    rows = standings(grid)
    assert [(row.rank, row.system.label) for row in rows] == [(1, "good"), (2, "bm25 (first stage)"), (3, "bad")]
    for row in rows:
        assert row.value == pytest.approx(np.mean([cell.value for cell in grid.row(row.system) if cell]))


def test_intervals_are_those_of_a_report(tmp_path: Path) -> None:
    grid = grid_of(tmp_path, [FIRST, MadeSystem("good", 0.6)])
    good, first = standings(grid)
    pairs = [(grid.cells[good.system, one], grid.cells[first.system, one]) for one in grid.collections]
    design = Design(tuple(own.questions for own, _ in pairs))
    alone = difference(design, [own.values - base.values for own, base in pairs])
    assert good.figure.interval == pytest.approx(value_interval(design, [own.values for own, _ in pairs]))
    assert good.figure.delta_interval == pytest.approx(alone.interval)
    assert good.figure.delta == pytest.approx((good.value or 0) - (first.value or 0))
    assert good.figure.significant
    assert first.figure.delta is None


def test_a_system_that_lacks_a_collection_has_no_average_and_stands_below(tmp_path: Path) -> None:
    rows = standings(grid_of(tmp_path, [FIRST, MadeSystem("best of all", 0.9, without=("set/b",))]))
    assert [row.system.label for row in rows] == ["bm25 (first stage)", "best of all"]
    assert (rows[1].value, rows[1].rank, rows[1].group, rows[1].figure.interval) == (None, None, None, None)


def test_a_group_weighs_as_much_as_one_collection(tmp_path: Path) -> None:
    collections = [MadeCollection("set/a", queries=50), *(MadeCollection(f"set/g{i}", group="g") for i in range(3))]
    grid = grid_of(tmp_path, [FIRST], collections)
    (row,) = standings(grid)
    values = [grid.cells[row.system, one].value for one in grid.collections]
    assert row.value == pytest.approx(values[0] / 2 + sum(values[1:]) / 6)


def test_equal_systems_share_rank_and_group_and_different_ones_do_not(tmp_path: Path) -> None:
    twins = grid_of(tmp_path, [FIRST, MadeSystem("good", 0.6)])
    good = next(one for one in twins.systems if one.label == "good")
    copy = type(good)("copy", good.first_stage, good.depth, "copy")
    cells = dict(twins.cells) | {(copy, one): twins.cells[good, one] for one in twins.collections}
    rows = by_label(standings(Grid(twins.measure, (*twins.systems, copy), twins.collections, cells)))
    assert (rows["good"].rank, rows["copy"].rank, rows["bm25 (first stage)"].rank) == (1, 1, 3)
    assert [rows[name].group for name in ("good", "copy", "bm25 (first stage)")] == ["a", "a", "b"]


def test_no_difference_is_shown_to_other_candidates(tmp_path: Path) -> None:
    grid = grid_of(tmp_path, [FIRST, MadeSystem("good", 0.6), MadeSystem("deep", 0.7, depth=200)])
    rows = by_label(standings(grid))
    assert rows["good"].figure.delta is not None
    assert rows["deep"].figure.delta is None


def test_no_difference_is_shown_to_a_first_stage_that_was_run_anew(tmp_path: Path) -> None:
    grid = grid_of(tmp_path, [FIRST, MadeSystem("good", 0.6)])
    good = next(one for one in grid.systems if one.label == "good")
    cells = dict(grid.cells)
    old = cells[good, grid.collections[0]]
    cells[good, grid.collections[0]] = replace(old, stored=replace(old.stored, candidates="of last year"))
    assert by_label(standings(replace(grid, cells=cells)))["good"].figure.delta is None


def test_a_system_without_some_of_the_queries_is_not_paired(tmp_path: Path) -> None:
    """p-MRR leaves out questions."""
    grid = grid_of(tmp_path, [FIRST, MadeSystem("good", 0.6)])
    good = next(one for one in grid.systems if one.label == "good")
    cells = dict(grid.cells)
    old = cells[good, grid.collections[0]]
    cells[good, grid.collections[0]] = replace(old, values=old.values[1:], ids=old.ids[1:])
    rows = standings(replace(grid, cells=cells))
    assert [(row.system.label, row.rank) for row in rows] == [("bm25 (first stage)", 1), ("good", None)]


def test_a_new_group_is_measured_against_its_own_best() -> None:
    """Two clear levels below the top: the second of a level belongs to it, whoever is best of all."""
    noise = np.random.default_rng(3).normal(0, 0.05, (6, 200))
    levels = np.repeat([0.9, 0.6, 0.3], 2)[:, None] + noise - noise.mean(axis=1, keepdims=True)
    assert letters_of(levels) == ["a", "a", "b", "b", "c", "c"]


def test_small_steps_do_not_chain_into_one_group() -> None:
    """Every neighbour is too near to be distinguished; the first and the last are not."""
    noise = np.random.default_rng(1).normal(0, 0.1, (12, 200))
    steps = 1 - 0.012 * np.arange(12)[:, None] + noise - noise.mean(axis=1, keepdims=True)
    found = letters_of(steps)
    assert found[0] == "a"
    assert found[1] == "a"
    assert found[-1] != "a"


def test_nothing_is_told_apart_by_chance_among_many_equals() -> None:
    values = np.random.default_rng(2).normal(0.5, 0.2, (40, 100))
    ordered = values[np.argsort(-values.mean(axis=1))]
    best = np.array(letters_of(ordered))
    assert (best == "a").mean() > 0.8


def test_letters_go_on_after_z() -> None:
    assert [letters(number) for number in (0, 25, 26, 27, 52, 701, 702)] == ["a", "z", "aa", "ab", "ba", "zz", "aaa"]


def test_one_query_has_no_interval_and_still_a_rank(tmp_path: Path) -> None:
    (row,) = standings(grid_of(tmp_path, [FIRST], [MadeCollection("set/a", queries=1)]))
    assert (row.rank, row.figure.interval, row.ranks) == (1, None, None)


def test_a_table_is_of_one_suite_and_one_measure(tmp_path: Path) -> None:
    collections = [MadeCollection("beir/scifact"), MadeCollection("set/a"), MadeCollection("set/b", measure="AP@100")]
    found = sheets(gathered(store(tmp_path, [FIRST], collections)))
    assert {one.title for one in found} == {"beir · nDCG@10", "set · nDCG@10", "set · AP@100"}
    assert len({one.id for one in found}) == 3


def test_a_sample_never_stands_in_the_average_of_the_whole(tmp_path: Path) -> None:
    whole = [MadeCollection("set/a", queries=50), MadeCollection("set/b", queries=10)]
    sampled = MadeCollection("set/a", queries=20, sampled_from=50)
    place = store(tmp_path, [FIRST], [*whole, sampled])
    assert [one.title for one in sheets(gathered(place))] == ["set · nDCG@10"], "the sample gives way to its whole"
    found = {one.title: one for one in sheets(gathered(place, collections=["set", sampled.fingerprint]))}
    assert [one.queries for one in found["set · nDCG@10"].grid.collections] == [50, 10]
    assert [one.queries for one in found["set · nDCG@10 · sampled"].grid.collections] == [20, 10]


def test_columns_of_one_name_are_told_apart(tmp_path: Path) -> None:
    collections = [
        MadeCollection("set/a", queries=n, split=split) for n, split in ((5, "dev"), (6, "test"), (7, "test"))
    ]
    (sheet,) = sheets(gathered(store(tmp_path, [FIRST], collections)))
    titles = [column.title for column in sheet.columns]
    assert titles[0] == "a dev"
    assert len(set(titles)) == 3


def test_a_language_is_the_average_of_its_collections(tmp_path: Path) -> None:
    collections = [MadeCollection("set/a", "en"), MadeCollection("set/b", "en"), MadeCollection("set/c", "sw")]
    (sheet,) = sheets(gathered(store(tmp_path, [FIRST], collections)))
    english, swahili = sheet.languages
    system = sheet.grid.systems[0]
    values = [sheet.grid.cells[system, one].value for one in sheet.grid.collections]
    assert english.value(sheet.grid, system) == pytest.approx((values[0] + values[1]) / 2)
    assert swahili.value(sheet.grid, system) == pytest.approx(values[2])
