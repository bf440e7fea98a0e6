"""V14: a user would lose to see that a generator no longer keeps to its profile."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapters.errors import DataError
from training.synthesis.conformance import Conformance
from training.synthesis.parser import REASONS, ParsedQuery
from training.validating.conformance import KINDS, conformance_of, measure
from training.validating.measured import ValidationRow
from training.validating.sets import QuerySet, Sets

SETS = Sets(QuerySet("synthetic", ("a",)), QuerySet("real", ("b",)))


def counted(*reasons: str | None) -> dict[str, object]:
    conformance = Conformance(wanted=2)
    for reason in reasons:
        conformance.add([ParsedQuery("text", reason)])
    return conformance.as_dict()


def level(rows: list[ValidationRow], statistic: str) -> float | None:
    return next(row for row in rows if row.statistic == statistic).levels["synthetic"]


def test_shares_by_hand() -> None:
    rows = measure(SETS, counted(None, None, None, None, "grammar", "too long", "too short", "copies the document"))
    assert level(rows, "accepted") == 0.5
    assert level(rows, "parsed") == 7 / 8
    assert level(rows, "in the length window") == 6 / 8
    assert level(rows, "no copy") == 7 / 8
    assert level(rows, "in the language") == 1
    assert rows[0].parts["rejected"] == {
        "grammar": 1 / 8, "too short": 1 / 8, "too long": 1 / 8, "copies the document": 1 / 8
    }  # fmt: skip
    assert "4 of 8" in rows[0].note and "8 are missing" in rows[0].note
    assert {row.id for row in rows} == {"V14"}


def test_every_reason_of_the_parser_breaks_one_demand() -> None:
    demands = [reason for kind, reasons in KINDS.items() if kind != "accepted" for reason in reasons]
    assert sorted(demands) == sorted(REASONS)


def test_what_was_written_elsewhere_is_unknown_and_not_perfect() -> None:
    (row,) = measure(SETS, None)
    assert row.levels == {"synthetic": None} and "unknown" in row.note


def test_nothing_that_came_has_no_share() -> None:
    assert measure(SETS, counted())[0].levels == {"synthetic": None}


@pytest.mark.parametrize(
    "counts",
    [
        {},
        {"accepted": 3},
        {"accepted": "3", "rejected": {}},
        {"accepted": -1, "rejected": {}},
        {"accepted": 3, "rejected": {"odd": 1}},
    ],
)
def test_counts_that_make_no_sense_are_refused(counts: dict[str, object]) -> None:
    with pytest.raises(DataError, match="train synthesize"):
        measure(SETS, counts)


def test_the_report_of_the_folder_is_read_from_either_file(tmp_path: Path) -> None:
    counts = counted(None, "grammar")
    (tmp_path / "manifest.json").write_text(json.dumps({"stage": "synthesize", "conformance": counts}))
    assert conformance_of(tmp_path) == counts
    other = counted(None)
    (tmp_path / "conformance.json").write_text(json.dumps(other))
    assert conformance_of(tmp_path) == other


def test_a_folder_of_another_stage_has_none(tmp_path: Path) -> None:
    assert conformance_of(tmp_path) is None
    (tmp_path / "manifest.json").write_text("{}")
    assert conformance_of(tmp_path) is None


@pytest.mark.parametrize("text", ["{", "[1]"])
def test_a_broken_report_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "conformance.json").write_text(text)
    with pytest.raises(DataError, match=r"conformance\.json"):
        conformance_of(tmp_path)
