"""A judge labels unjudged documents. Its grades are in the file to import, and a judge made of a system is refused."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import harness
from adapters import tiny
from adapters.errors import UsageError
from tests.fixtures import Command
from tests.harness.judging.compare.test_unjudged_pairs import REVERSE, measured
from tests.tiny_collection import FIRST, Place


def labels(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / "to-label.csv").read_text("utf-8").splitlines()))


def test_the_file_has_the_judges_grades_and_makes_a_marked_version(place: Place, command: Command) -> None:
    measured(place, coll='main_measure = "nDCG@3"')
    said = command(
        "judge", "export", FIRST, REVERSE, "--judge", "lexical", "--out", place.path / "out",
        "--workspace", place.workspace.path,
    )  # fmt: skip
    assert said.code == 0, said.err
    rows = labels(place.path / "out")
    assert {row["grade"] for row in rows} <= {"0", "1"}
    assert f"labels {sum(row['grade'] == '1' for row in rows):,} of them as relevant" in said.out
    (found,) = harness.judge_import(
        place.path / "out" / "to-label.csv", place.path / "coll", by="judge:lexical", workspace=place.workspace.path
    )
    assert "judge:lexical" in found.collection and found.new == len(rows)


def test_a_judge_made_of_a_system_is_refused(place: Place, tmp_path: Path) -> None:
    model = str(tiny.cross_encoder(tmp_path / "model"))
    measured(place, coll='main_measure = "nDCG@3"')
    place.evaluations(place.load(place.path / "coll"), rerankers=[model])
    with pytest.raises(UsageError, match="not independent"):
        harness.judge_export(
            FIRST,
            model,
            place.path / "out",
            depth=5,
            judge=f"reranker:{model}?threshold=0",
            workspace=place.workspace.path,
        )
