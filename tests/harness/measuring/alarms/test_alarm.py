"""Alarms are values that a machine can look up: in JSON, in the store, in what is printed, and in the documentation."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.checks import former
from harness.measuring.alarms.alarm import Alarm, counted, is_hard, merged
from harness.measuring.alarms.catalogue import HAZARDS
from harness.result.facts import AuditFacts
from harness.result.store import Results
from reports.tables.listing import details, outline
from reports.tables.run import alarms
from reports.tables.run_values import as_dict
from tests.tiny_collection import Place, results_in

ROOT = Path(__file__).parents[4]
CONSTANT = "tests.fake_adapters:Constant"


def listed(place: Place, id: str) -> tuple[Alarm, ...]:
    with Results(place.workspace.results) as results:
        return results.find(id).audit.alarms


def test_an_alarm_reads_as_its_message_and_is_stored_with_its_name() -> None:
    alarm = Alarm("saturated-scores", "many share the best score")
    assert str(alarm) == "many share the best score"
    assert alarm.as_dict() == {"name": "saturated-scores", "message": "many share the best score"}
    assert alarm.named == "many share the best score [saturated-scores]"


def test_an_unknown_name_stops_a_gate() -> None:
    assert is_hard("of a newer version")
    assert not is_hard("saturated-scores")


@pytest.mark.parametrize(("count", "names"), [(0, []), (1, ["few-x"]), (10, ["few-x"]), (11, ["x"])])
def test_one_in_a_hundred_is_a_remark(count: int, names: list[str]) -> None:
    assert [alarm.name for alarm in counted("x", count, 1000, "message")] == names


def test_the_store_has_every_alarm_of_candidates_and_scores(place: Place) -> None:
    evaluation = place.evaluations(rerankers=[CONSTANT], depth=8)[1]
    assert listed(place, evaluation.id) == evaluation.alarms
    assert {"tied-order", "constant-scores"} <= {alarm.name for alarm in listed(place, evaluation.id)}
    shown = outline(details(evaluation.id, place.workspace.path))
    assert "every candidate got the same score for 4 of 4 queries [constant-scores]" in shown


def test_an_alarm_about_a_measure_stays_when_another_is_measured(place: Place) -> None:
    collection = place.load()
    (_, first) = place.evaluations(collection, rerankers=[CONSTANT], depth=8, measures=["nDCG@10"])
    (_, second) = place.evaluations(collection, rerankers=[CONSTANT], depth=8, measures=["RR@10"])
    assert first.id == second.id
    about = [alarm.measure for alarm in listed(place, first.id) if alarm.name == "tied-order"]
    assert about == ["nDCG@10", "RR@10"]
    assert sum(alarm.name == "constant-scores" for alarm in listed(place, first.id)) == 1


def test_alarms_without_a_name_come_from_an_earlier_version() -> None:
    stored = AuditFacts.of({"alarms": ["a message", {"message": "another"}]}, "audit")
    assert stored.alarms == (Alarm("unnamed", "a message"), Alarm("unnamed", "another"))
    assert [alarm.named for alarm in stored.alarms] == ["a message", "another"]
    assert AuditFacts.of({}, "audit").alarms == ()
    assert merged(stored.alarms, [], ["nDCG@10"]) == ()


def test_tables_and_json_name_the_alarm(place: Place) -> None:
    evaluations = place.evaluations(rerankers=[CONSTANT], depth=8)
    line = f"coll · {CONSTANT}: every candidate got the same score for 4 of 4 queries [constant-scores]"
    assert line in alarms(results_in(evaluations))
    document = as_dict(results_in(evaluations))["evaluations"]
    assert isinstance(document, list)
    assert document[1]["alarms"] == document[1]["audit"]["alarms"] == [one.as_dict() for one in evaluations[1].alarms]


def raised() -> Iterator[str]:
    """The names that the code gives to alarms."""
    for file in sorted((ROOT / "harness").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"Alarm", "counted"}:
                name = node.args[0]
                if isinstance(name, ast.Constant) and isinstance(name.value, str):
                    yield name.value
                    yield from [f"few-{name.value}"] * (node.func.id == "counted")


def test_every_alarm_that_is_raised_is_in_the_catalogue() -> None:
    found = {*raised(), former.RENAMED, former.CHANGED}
    assert {"tied-order", "few-truncated-away", "wrong-orientation"} <= found
    assert found <= HAZARDS.keys()
    assert {name for name, hazard in HAZARDS.items() if hazard.caught == "alarm"} <= found


def test_every_hazard_has_a_line_in_the_documentation_and_no_other() -> None:
    text = (ROOT / "docs" / "hazards.md").read_text("utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert all(line.count("|") == 6 for line in rows)
    documented = [name for line in rows for name in re.findall(r"`([a-z-]+)`", line.split("|")[1])]
    assert sorted(documented) == sorted(HAZARDS)
    hard = {
        name for line in rows if "(hard)" in line.split("|")[1] for name in re.findall(r"`([a-z-]+)` \(hard\)", line)
    }
    assert hard == {name for name, hazard in HAZARDS.items() if hazard.hard}
