"""A comparison's tables: every mark has its note, every number can be traced, and JSON says the same."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import harness
from adapters.errors import UsageError
from harness.data.collection import Collection
from harness.judging.compare.comparison import ComparedSystems, compare
from harness.measuring.statistics.design import Questions
from harness.result.facts import CollectionFacts
from harness.result.store import Results
from reports.table import Table, comma_separated, markdown
from reports.tables.compare import COMPARED, compared_tables
from reports.tables.compare_values import as_dict
from reports.view import View
from tests.fixtures import Command
from tests.tiny_collection import FIRST, QRELS, Place

REVERSE, ORACLE = "control:reverse", "control:oracle"


def compared(place: Place, *candidates: str, baseline: str = FIRST, **options: Any) -> ComparedSystems:
    return compare(place.workspace.results, baseline, candidates, **options)


def tables(comparison: ComparedSystems) -> list[Table]:
    """With every column."""
    return compared_tables(comparison, View(tuple(COMPARED.values())))


def column(table: Table, name: str) -> list[str]:
    return [row[table.columns.index(name)].shown for row in table.rows]


def three(place: Place) -> list[Collection]:
    rules = 'group = "forums"\nlanguage = "{}"'
    forum_a = place.load(place.beir("a", qrels=QRELS[:4], rules=rules.format("en")))
    forum_b = place.load(place.beir("b", qrels=QRELS[3:], rules=rules.format("sw")))
    return [forum_a, forum_b, place.load(place.beir("own", rules='language = "sw"'))]


def many(place: Place) -> Collection:
    """Thirty queries with one answer each, so that a difference can be significant."""
    corpus = {f"d{i}": f"the ferry {i}" for i in range(30)}
    queries = {f"q{i}": f"which ferry {i}" for i in range(30)}
    return place.load(place.beir("many", corpus, queries, [(f"q{i}", f"d{i}", 1) for i in range(30)]))


def test_a_table_shows_signed_points_with_interval_counts_and_ids(place: Place) -> None:
    first, reverse = place.evaluations(many(place), rerankers=[REVERSE])
    comparison = compared(place, REVERSE)
    (table,) = tables(comparison)
    macro = comparison.measures[0].candidates[0].macro
    effect, found = macro.effect, macro.difference
    low, high = found.interval
    assert column(table, "nDCG@10") == [f"{100 * one.values[0].mean():.2f}" for one in (first, reverse)]
    assert column(table, "difference") == ["", f"{100 * found.value:+.2f}*"]
    assert column(table, "95 % interval") == ["", f"[{100 * low:+.2f}, {100 * high:+.2f}]"]
    assert column(table, "W / T / L") == ["", f"{effect.wins} / {effect.ties} / {effect.losses}"]
    assert column(table, "id") == [first.id, reverse.id]
    assert column(table, "noise") == ["", "-"]
    assert table.title == f"nDCG@10 against {FIRST} (first stage), many"


def test_a_mark_stands_only_with_its_reason_and_its_note(place: Place) -> None:
    collection = many(place)
    _, reverse, _ = place.evaluations(collection, rerankers=[REVERSE, ORACLE])
    (plain,) = tables(compared(place, ORACLE, baseline=REVERSE))
    assert column(plain, "difference")[1].endswith("1*")
    assert not any(mark in " ".join(plain.notes) for mark in "~†")
    _, deep = place.evaluations(collection, rerankers=["control:constant"], depth=20)
    with Results(place.workspace.results) as results:
        results.keep_noise(reverse.id, "nDCG@10", 0.999)
    (marked,) = tables(compared(place, deep.id, baseline=reverse.id, unpaired=True))
    assert column(marked, "difference")[1].endswith("~†")
    assert column(marked, "noise")[1] == "99.90"
    for note in ("* adjusted p at most 0.05", "~ no larger than the noise", "† other candidates on each side"):
        assert note in " ".join(marked.notes)


def test_a_star_is_for_the_corrected_p_alone(place: Place) -> None:
    place.evaluations(many(place), rerankers=[REVERSE, ORACLE])
    comparison = compared(place, ORACLE, baseline=REVERSE)
    (measured,) = comparison.measures
    (one,) = measured.candidates
    corrected = replace(one, macro=replace(one.macro, difference=replace(one.macro.difference, adjusted_p=0.2)))
    (table,) = tables(replace(comparison, measures=(replace(measured, candidates=(corrected,)),)))
    assert column(table, "p")[1] == "0.0002"
    assert column(table, "adjusted p")[1] == "0.20"
    assert "*" not in column(table, "difference")[1]


def test_collections_groups_and_languages_have_tables_of_their_own(place: Place) -> None:
    place.evaluations(*three(place), rerankers=[REVERSE])
    macro, collections, languages = tables(compared(place, REVERSE))
    assert macro.title.endswith("macro average of 3 collections; one vote each: forums (2)")
    assert column(macro, "id") == ["3 ids", "3 ids"]
    assert column(collections, "collection") == ["a", "b", "own", "forums, mean of 2"]
    assert all(len(id) == 12 for name in ("baseline id", "candidate id") for id in column(collections, name)[:3])
    corrected = "adjusted p: step-down MaxT over 3 collections, with the same flips, of this candidate"
    assert f"{corrected}; * adjusted p at most 0.05" in collections.notes
    assert column(languages, "language") == ["en", "sw"]
    assert column(languages, "collection") == ["a", "2 collections"]


def test_the_best_value_is_strong_and_every_rendering_has_every_row(place: Place) -> None:
    place.evaluations(rerankers=[REVERSE, ORACLE])
    (table,) = tables(compared(place, REVERSE, ORACLE))
    assert [row[1].strong for row in table.rows] == [False, False, True]
    assert len(comma_separated(table).splitlines()) == 4
    assert f"**{table.rows[2][1].text}**" in markdown(table)
    corrected = "adjusted p: step-down MaxT over 2 candidates, with the same flips"
    assert f"{corrected}; * adjusted p at most 0.05" in table.notes
    assert "an interval needs 6 questions" in table.notes


def test_a_note_says_the_test_the_unit_and_the_size_of_the_family(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.evaluations(*three(place), rerankers=[REVERSE, ORACLE])
    table, *others = tables(compared(place, REVERSE, ORACLE))
    assert table.notes[0] == "nDCG@10 x 100; 9 queries"
    assert "difference: candidate - baseline, paired per query" in table.notes
    assert any("randomisation test over questions, two-sided (10,000 flips of signs)" in note for note in table.notes)
    assert any("MaxT over 2 candidates" in note for note in table.notes)
    assert all(any("MaxT over" in note and "of this candidate" in note for note in one.notes) for one in others)
    monkeypatch.setattr(CollectionFacts, "questions", lambda _, ids: Questions("set", ids))
    (table, *_) = tables(compared(place, REVERSE))
    assert any("9 queries, 4 different questions: one in several languages counts once" in one for one in table.notes)


def test_json_has_the_difference_with_what_it_was_corrected_over(place: Place) -> None:
    place.evaluations(*three(place), rerankers=[REVERSE, ORACLE])
    found: Any = as_dict(compared(place, REVERSE, ORACLE))["measures"]
    row = found["nDCG@10"][REVERSE]
    assert {"delta", "interval", "p", "adjusted_p", "family", "queries", "questions"} <= row["macro"].keys()
    assert (row["macro"]["family"], row["collections"]["own"]["family"]) == (2, 3)
    assert row["macro"]["interval"] is not None and "p_holm" not in row["macro"]


def test_equivalence_says_yes_or_no_and_that_no_is_not_a_proof(place: Place) -> None:
    plain = [f"tests.fake_adapters:Plain?version={version}" for version in (1, 2)]
    place.evaluations(rerankers=[*plain, ORACLE])
    (table,) = tables(compared(place, plain[1], ORACLE, baseline=plain[0], margin=0.002))
    same, other = column(table, "within 0.2")[1:]
    assert same.startswith("yes (")
    assert other.startswith("no (")
    assert any("no means not shown" in note for note in table.notes)


def test_seeds_are_told_with_what_two_of_them_are_worth(place: Place) -> None:
    place.evaluations(rerankers=["control:random?seed=1", "control:random?seed=2"])
    macro, seeds = tables(compared(place, "mine", groups=["mine=control:random*"]))
    assert column(macro, "system")[1] == "mine"
    assert column(seeds, "seeds") == ["2 against 1"]
    assert column(seeds, "sd")[0].endswith(" against -")
    assert any("at least 3 seeds" in note for note in seeds.notes)


def test_the_command_prints_tables_or_json_that_names_every_evaluation(place: Place, command: Command) -> None:
    evaluations = place.evaluations(*three(place), rerankers=[REVERSE])
    asked = ("compare", FIRST, REVERSE, "--workspace", place.workspace.path)
    told = command(*asked)
    assert (told.code, told.err) == (0, "")
    assert "nDCG@10 by language: control:reverse" in told.out
    found = json.loads(command(*asked, "--json").out)
    assert found == json.loads(json.dumps(as_dict(compared(place, REVERSE))))
    rows = found["measures"]["nDCG@10"][REVERSE]["collections"]
    named = {id for row in rows.values() for part in row["evaluations"] for id in part["baseline"] + part["candidate"]}
    assert named == {one.id for one in evaluations}
    assert command("show", rows["own"]["evaluations"][0]["candidate"][0], "--workspace", place.workspace.path).code == 0
    assert found["settings"] == {"flips": 10_000, "resamples": 10_000, "level": 0.95, "margin": None}


def test_an_alarm_of_an_evaluation_is_repeated(place: Place, command: Command) -> None:
    constant = "tests.fake_adapters:Constant"
    place.evaluations(rerankers=[constant])
    told = command("compare", FIRST, constant, "--workspace", place.workspace.path)
    assert f"ALARM coll: {constant}: " in told.out


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["nobody", REVERSE], 2, "harness: no results of a system 'nobody'."),
        ([FIRST, FIRST], 2, "is the same evaluation; name two systems"),
        ([FIRST, REVERSE, "--equivalent-within", "0"], 2, "equivalence within 0 points: a number above 0"),
        ([FIRST, REVERSE, "--measure", "nDCGG@10"], 2, "unknown measure 'nDCGG@10'"),
        ([FIRST, REVERSE, "--group", "x"], 2, "write NAME=SPEC,SPEC"),
        ([FIRST, REVERSE, "--collection", "cool"], 2, "Did you mean coll?"),
    ],
)
def test_bad_input_is_one_line(place: Place, command: Command, arguments: list[str], code: int, line: str) -> None:
    place.evaluations(rerankers=[REVERSE])
    told = command("compare", *arguments, "--workspace", place.workspace.path)
    assert told.code == code
    assert line in told.err
    assert len(told.err.splitlines()) == 1
    assert told.out == ""


def test_an_empty_workspace_is_told_and_not_made(tmp_path: Path, command: Command) -> None:
    told = command("compare", "a", "b", "--workspace", tmp_path / "none")
    assert told.code == 2
    assert "no results in" in told.err
    assert not (tmp_path / "none").exists()


def test_python_says_the_same(place: Place) -> None:
    place.evaluations(rerankers=[REVERSE])
    found = harness.compare(FIRST, REVERSE, equivalent_within=0.2, workspace=place.workspace.path)
    assert found.as_dict() == as_dict(compared(place, REVERSE, margin=0.002))
    with pytest.raises(UsageError, match="name at least one candidate"):
        harness.compare(FIRST, workspace=place.workspace.path)
