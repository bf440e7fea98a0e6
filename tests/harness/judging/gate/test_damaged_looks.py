"""A damaged look frees no budget: whoever could damage a look, or loses one to a bad disk, would get another look."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.errors import DataError
from adapters.sums import DamageWarning
from harness.checks.doctor import examine
from harness.judging.gate import reservations
from harness.judging.gate.looks import LookLog
from harness.judging.gate.policy import LookBudget, Policy
from harness.judging.gate.reservations import LookRequest, NoLookLeft, Reservation
from harness.judging.history import history
from harness.result.forgetting.cited import citations
from harness.result.store import Results
from harness.workspace import Workspace
from reports.tables.looks import look_rows
from tests.earlier_store import without_sums
from tests.harness.judging.gate.test_looks import look

ONE = Policy(looks=LookBudget("2.1", 1))
DAMAGE = {
    "another release": "update look set release = '2.0'",
    "another tier": "update look set tier = 'dev'",
    "another collection": "update look set collections = '[\"c9\"]'",
    "no alpha": "update look set alpha = 0",
    "no acceptance": "update look set accepted = 0",
    "another candidate": "update look set candidate = json_set(candidate, '$.name', 'x')",
    "another time": "update look set at = '2001-01-01'",
    "lost": "delete from look",
}
UNREADABLE = {
    "no JSON": "update look set anchor = 'x'",
    "a bad time": "update look set at = 'x'",
    "null": "update look set figures = null",
    "bytes": "update look set verdict = x'ff'",
    "below zero": "update look set alpha = -1",
    "another release": DAMAGE["another release"],
}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = Workspace.open(tmp_path / "workspace")
    LookLog(made.results).keep(look(accepted=True))
    return made


def change(workspace: Workspace, *statements: str, sums: bool = True) -> None:
    with closing(sqlite3.connect(workspace.results)) as database, database:
        for statement in statements:
            database.execute(statement)
        if not sums:
            without_sums(database)


def refused(workspace: Workspace) -> str:
    """The message of a gate that asks for a look."""
    log = LookLog(workspace.results)
    with pytest.raises(DataError) as error, log.reserved(LookRequest.of(ONE, "gate", ["c1"], "d"), log):
        pass
    return str(error.value)


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_look_counts_against_every_budget_and_is_named(workspace: Workspace, name: str) -> None:
    change(workspace, DAMAGE[name])
    assert refused(workspace) == (
        f"{workspace.results}: {look().id}: it is not what was stored, so it counts against every budget; restore "
        "results.sqlite from a copy, or start a release with new queries in another --workspace"
    )


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_look_of_an_earlier_version_without_a_checksum_is_refused_if_it_cannot_be_read(
    workspace: Workspace, name: str
) -> None:
    change(workspace, UNREADABLE[name], sums=False)
    message = refused(workspace)
    assert message.startswith(f"{workspace.results}: {look().id}: ") and "\n" not in message


def test_nothing_is_counted_over_a_damaged_look(workspace: Workspace) -> None:
    """A gate that reserved its look before the damage does not take it."""
    log, request = LookLog(workspace.results), LookRequest.of(ONE, "gate", ["c9"], "d")
    with log.reserved(request, log) as made:
        change(workspace, DAMAGE["no alpha"])
        with pytest.raises(DataError, match="counts against every budget"):
            log.take(look("d", collections=("c9",)), request, log, made, ())
        with pytest.raises(DataError, match="counts against every budget"):
            log.keep(look())


def test_lists_history_and_forget_refuse_a_damaged_look_too(workspace: Workspace) -> None:
    change(workspace, DAMAGE["no acceptance"])
    for read in (
        lambda: list(look_rows(workspace.results)), lambda: LookLog(workspace.results).best("s", "nDCG@10"),
        lambda: citations(workspace, ()),
    ):  # fmt: skip
        with pytest.raises(DataError, match="counts against every budget"):
            read()
    with pytest.raises(Exception, match="no results"):
        history(workspace.path, "b")


def test_doctor_names_it_and_gives_looks_of_earlier_versions_their_checksums(workspace: Workspace) -> None:
    change(workspace, sums=False)
    assert [one.state for one in examine(workspace) if one.subject == "results"] == ["ok"]
    change(workspace, DAMAGE["no alpha"])
    (found,) = [one for one in examine(workspace) if one.subject == "results"]
    assert found.state == "broken" and look().id in found.detail


def test_a_sound_look_is_read_and_taken_again(workspace: Workspace) -> None:
    log = LookLog(workspace.results)
    assert log.keep(look(verdict="refused")) == log.all()[0]
    assert log.all()[0].accepted and log.all()[0].verdict == "refused"


def reserve(workspace: Workspace) -> Reservation:
    made = Reservation.of(LookRequest.of(ONE, "gate", ["c9"], "d"))
    with Results(workspace.results) as results, results.transaction():
        reservations.insert(results, made)
    return made


@pytest.mark.parametrize(
    "damage",
    ["collections = 'x'", "alpha = -1", "pid = null", "at = 1e300", "beat = 'x'", "release = x'ff'"],
)
def test_a_damaged_reservation_is_removed_with_a_warning(workspace: Workspace, damage: str) -> None:
    made, log = reserve(workspace), LookLog(workspace.results)
    change(workspace, f"update reservation set {damage}")
    with pytest.warns(DamageWarning, match=f"the reservation {made.id} of a look is damaged and was removed"):
        other = log._reserve(LookRequest.of(ONE, "gate", ["c9"], "e"), log)
    with Results(workspace.results) as results:
        assert other and results.rows("select id from reservation") == [(other.id,)]


@pytest.mark.parametrize("damage", ["release = '2.0'", "collections = '[]'", "tier = 'dev'"])
def test_a_damaged_reservation_takes_no_look_that_another_gate_has_reserved(workspace: Workspace, damage: str) -> None:
    log, first = LookLog(workspace.results), LookRequest.of(ONE, "gate", ["c9"], "d")
    made = reserve(workspace)
    change(workspace, f"update reservation set {damage}")
    with log.reserved(replace(first, candidate="e"), log), pytest.raises(NoLookLeft, match="1 reserved by"):
        log.take(look("d", collections=("c9",)), first, log, made, ())


def test_a_table_of_looks_that_lacks_a_column_is_refused(workspace: Workspace) -> None:
    change(workspace, "alter table look rename column alpha to alphb")
    with pytest.raises(DataError, match=r"results\.sqlite: damaged, the table look lacks a column; restore"):
        LookLog(workspace.results)
