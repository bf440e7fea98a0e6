"""Two sources of one collection are held against each other: what differs is named, and nothing else is."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from adapters.errors import DataError, UsageError
from harness.data.sources import agreement
from harness.data.sources.agreement import SourceAgreement, compare, compare_sources
from harness.data.sources.origin import SourceChoice
from harness.data.sources.recognise import sources
from tests.harness.data.sources.test_ir_dataset import CORPUS, QRELS, QUERIES, beir_folder, mirrored


def compared(session: Any, **changed: Any) -> SourceAgreement:
    folders = [beir_folder(session, "one"), beir_folder(session, "other", **changed)]
    openers = {folder.name: lambda folder=folder: sources(str(folder), None, (), None)[0] for folder in folders}
    first, other = compare("beir/scifact", openers, session.workspace)
    assert (first.source, first.state, first.differences) == ("one", "first", ())
    assert (other.collection, other.source) == ("beir/scifact", "other")
    assert (first.fingerprint == other.fingerprint) == (other.state == "same")
    return other


@pytest.mark.parametrize(
    ("changed", "differences"),
    [
        ({}, ()),
        (
            {"corpus": [CORPUS[0], {**CORPUS[1], "text": "The mill turns at high tide."}, CORPUS[2]]},
            ("document: other text, 1 times, first 'd2': at character 19 'low tide.' and 'high tide.'",),
        ),
        (
            {"corpus": [*CORPUS, {"_id": "d4", "text": "x"}]},
            ("document: id only in this one, 1 times, first 'd4'",),
        ),
        (
            {"corpus": [CORPUS[0], {**CORPUS[1], "_id": "D2"}, CORPUS[2]], "qrels": QRELS.replace("d2", "D2")},
            (
                "document: id only in the first, 1 times, first 'd2'",
                "document: id only in this one, 1 times, first 'D2'",
                "judgment only in the first, 1 times, first query 'q1', document 'd2'",
                "judgment only in this one, 1 times, first query 'q1', document 'D2'",
            ),
        ),
        (
            {"corpus": [CORPUS[0], CORPUS[2], CORPUS[1]]},
            ("document: other place in the order, 1 times, first 'd3'",),
        ),
        (
            {"queries": [*QUERIES[:2], {**QUERIES[2], "text": "bread"}]},
            ("query: other text, 1 times, first 'q2': at character 6 ' ' and ''",),
        ),
        (
            {"qrels": QRELS.replace("d2\t0", "d2\t1").replace("d1\t2", "d1\t3")},
            ("other grade, 2 times, first query 'q1', document 'd1': 2 and 3",),
        ),
        ({"rules": "drop_identical_ids = true"}, ("only one of them drops identical ids",)),
    ],
)
def test_the_first_difference_of_each_kind_is_named(
    session: Any, changed: dict[str, Any], differences: tuple[str, ...]
) -> None:
    row = compared(session, **changed)
    assert row.state == ("other" if differences else "same")
    assert row.differences == differences


def test_a_source_that_fails_is_a_row_and_the_others_are_still_compared(session: Any) -> None:
    def fails() -> Any:
        raise DataError("x.zip: truncated; fetch it again")

    folder = beir_folder(session)
    opener = lambda: sources(str(folder), None, (), None)[0]  # noqa: E731
    rows = compare("c", {"mteb": fails, "beir": opener, "irds": opener}, session.workspace)
    assert [row.state for row in rows] == ["unavailable", "first", "same"]
    assert rows[0] == SourceAgreement("c", "mteb", "unavailable", None, ("x.zip: truncated; fetch it again",))


def test_a_collection_is_compared_through_whatever_is_there(session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("harness.data.sources.suite_source")
    if importlib.util.find_spec("ir_datasets") is None:
        pytest.skip("ir_datasets is not installed: pip install '.[irds]'")
    mirror: Path = mirrored(session, beir_folder(session))
    monkeypatch.setattr(agreement, "NAMES", ("beir", "irds"))
    rows = compare_sources("beir/scifact", SourceChoice(mirror=mirror, allow_drift=True), session.workspace)
    assert [(row.source, row.state) for row in rows] == [("beir", "unavailable"), ("irds", "first")]
    assert "mirror/beir/scifact.zip: not found" in rows[0].differences[0]


def test_an_unknown_target_is_refused(session: Any) -> None:
    with pytest.raises(UsageError, match="Did you mean beir/scifact"):
        compare_sources("beir/scifct", SourceChoice(), session.workspace)
